"""Real WebKit, Safari's engine, driven by WebDriver on a display of its own that nobody sees."""
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

SIZE = (1200, 900)


class TrustingOptions(Options):
    """Options that name the one certificate a host may have, or a browser of our own."""

    def __init__(self, host=None, certificate=None, program=None):
        super().__init__()
        self.trusted = [{"host": host, "certificateFile": str(certificate)}] if certificate else []
        self.program = program

    def to_capabilities(self):
        capabilities = super().to_capabilities()
        capabilities[self.KEY]["certificates"] = self.trusted
        if self.program:
            capabilities[self.KEY].update(binary=str(self.program), args=["--automation"])
            capabilities["acceptInsecureCerts"] = True
        return capabilities


@contextmanager
def display():
    """An X server without a screen, at a number that it finds free itself; gives its name."""
    reading, writing = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24",
                               "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            number = numbers.readline().strip()
        assert number, "no Xvfb: install xvfb"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def webkit(home, shown_on, certificate=None, host="localhost"):
    """A browser that takes that one certificate of the host; what it does not trust stays an empty
    page without an error."""
    with driven(home, shown_on, TrustingOptions(host, certificate)) as driver:
        yield driver


@contextmanager
def webkit_with_certificates(home, shown_on, patient=True):
    """A browser that shows the identity that HOME/choice names when it is asked, and trusts any server:
    which one it is, other tests look at. Gives its driver and that file. The driver waits until a page is
    loaded, if it is patient."""
    home = Path(home)
    home.mkdir(exist_ok=True)
    choice, program = home / "choice", home / "browser"
    choice.write_text("")
    program.write_text(f"#!/bin/sh\nexec /usr/bin/python3 {Path(__file__).with_name('webkit_browser.py')} 2>{home}/browser.log\n")
    program.chmod(0o755)
    options = TrustingOptions(program=program)
    options.page_load_strategy = "normal" if patient else "none"
    with driven(home, shown_on, options, CHOICE=str(choice)) as driver:
        yield driver, choice


@contextmanager
def driven(home, shown_on, options, **more):
    home = Path(home)
    home.mkdir(exist_ok=True)
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE")}
    service = Service(log_path=str(home / "driver.log"),
                      env={**os.environ, **folders, "HOME": str(home), "DISPLAY": shown_on, "GDK_BACKEND": "x11",
                           "NO_AT_BRIDGE": "1", "WEBKIT_DISABLE_COMPOSITING_MODE": "1", **more})
    service.start()
    try:
        driver = webdriver.Remote(command_executor=service.service_url, options=options)
        driver.set_page_load_timeout(60)
        yield driver
        driver.quit()
    finally:
        service.stop()
