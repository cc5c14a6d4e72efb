"""A browser of sixty lines around WebKit, which does what its person would at "Select a certificate":
it shows the identity that the file $CHOICE names just then (a PEM file with certificate and key), or
none where it is empty; while it says "wait", the person is thinking. Each time it was asked is a line in
$CHOICE.asked. Driven by WebDriver.
"""
import os
from pathlib import Path

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gio, GLib, Gtk, WebKit2  # noqa: E402

THINKING = "wait"


def show(request, chosen):
    request.authenticate(WebKit2.Credential.new_for_certificate(Gio.TlsCertificate.new_from_file(chosen),
                                                                WebKit2.CredentialPersistence.NONE)
                         if chosen else None)


def has_to_think(request, choice):
    """True until somebody has made up their mind; a file that is being written is empty for a moment."""
    chosen = choice.read_text().strip()
    if chosen in ("", THINKING):
        return True
    show(request, chosen)
    return False


def authenticate(view, request):
    if request.get_scheme() != WebKit2.AuthenticationScheme.CLIENT_CERTIFICATE_REQUESTED:
        return False
    choice = Path(os.environ["CHOICE"])
    chosen = choice.read_text().strip()
    with open(f"{choice}.asked", "a") as asked:
        asked.write(f"{request.get_host()}:{request.get_port()} {chosen}\n")
    if chosen == THINKING:
        GLib.timeout_add(50, has_to_think, request, choice)
    else:
        show(request, chosen)
    return True


def make_view(**related):
    """In a window of its own; so is what a link opens in another one."""
    window = Gtk.Window(default_width=1000, default_height=900)
    view = WebKit2.WebView(is_controlled_by_automation=True, **related)
    view.connect("authenticate", authenticate)
    view.connect("create", lambda opener, _: make_view(related_view=opener))
    view.connect("close", lambda _: window.destroy())
    window.add(view)
    window.show_all()
    return view


def begin(_, session):
    info = WebKit2.ApplicationInfo()
    info.set_name("MiniBrowser")  # which the driver asks for
    session.set_application_info(info)
    session.connect("create-web-view", lambda _: make_view(web_context=context))


context = WebKit2.WebContext.get_default()
context.set_automation_allowed(True)
context.connect("automation-started", begin)
Gtk.main()
