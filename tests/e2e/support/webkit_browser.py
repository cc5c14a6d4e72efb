"""A browser of thirty lines around WebKit, which does what its person would at "Select a certificate":
it shows the identity that the file $CHOICE names just then (a PEM file with certificate and key), or
none where it is empty. Each time it was asked is a line in $CHOICE.asked. Driven by WebDriver.
"""
import os
from pathlib import Path

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gio, Gtk, WebKit2  # noqa: E402


def authenticate(view, request):
    if request.get_scheme() != WebKit2.AuthenticationScheme.CLIENT_CERTIFICATE_REQUESTED:
        return False
    choice = Path(os.environ["CHOICE"])
    chosen = choice.read_text().strip()
    with open(f"{choice}.asked", "a") as asked:
        asked.write(f"{request.get_host()}:{request.get_port()} {chosen}\n")
    request.authenticate(WebKit2.Credential.new_for_certificate(Gio.TlsCertificate.new_from_file(chosen),
                                                                WebKit2.CredentialPersistence.NONE)
                         if chosen else None)
    return True


def make_view(session, window):
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True)
    view.connect("authenticate", authenticate)
    view.connect("close", lambda _: window.destroy())
    window.add(view)
    window.show_all()
    return view


def begin(_, session):
    window, info = Gtk.Window(default_width=1000, default_height=900), WebKit2.ApplicationInfo()
    info.set_name("MiniBrowser")  # which the driver asks for
    session.set_application_info(info)
    session.connect("create-web-view", lambda each: make_view(each, window))


context = WebKit2.WebContext.get_default()
context.set_automation_allowed(True)
context.connect("automation-started", begin)
Gtk.main()
