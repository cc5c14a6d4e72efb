"""Somebody at a real browser, Chromium or WebKit, who signs in wherever they are asked to: types their
password into the form, and has a certificate that the browser shows without a question.

A page is known by an element that no other kind has, and waited for in a document other than the one
that was left: nobody is fooled by a page that is still there.
"""
from contextlib import contextmanager

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from support.browser import chromium, own, trust
from support.identity import of_user
from support.webkit import webkit_with_certificates

ENGINES = ["chromium", "webkit"]
# What tells the pages apart: where a journey ends, or somebody has to do something.
ARRIVED = """
if (window.mark === arguments[0] || document.readyState !== 'complete') { return null; }
return ['loginForm', 'verdict', 'retryForm', 'errorDetails', 'signedOutMessage', 'application'].find(function (each) {
  return document.getElementById(each);
}) || null;
"""
COOKIE = "MSISAuth"


@contextmanager
def driver_of(engine, lab, home, shown_on):
    """That browser, in which alice's certificate lies ready."""
    user = lab.user()
    if engine == "webkit":
        with webkit_with_certificates(home, shown_on, patient=False) as (driver, choice):
            choice.write_text(str(of_user(user).pem()))
            yield driver
        return
    own(trust(home, lab.root_certificate), user["pkcs12"], user["pkcs12_password"])
    driver = chromium(home, lab.root_certificate, unasked="https://localhost", patient=False)
    try:
        yield driver
    finally:
        driver.quit()


class Visitor:
    def __init__(self, driver, lab):
        self.driver, self.lab, self.left = driver, lab, "nothing"

    def text(self, identifier):
        """As far as it can be seen."""
        return self.driver.find_element(By.ID, identifier).text

    # Ways ----------------------------------------------------------------------------------------

    def leave(self):
        """Notes which document this is, by a mark of its own. (The time at which it began is not always the same
        in WebKit.)"""
        self.left = self.driver.execute_script("return window.mark = window.mark || String(Math.random())")

    def arrive(self):
        """The element that tells which page has come in place of the one that was left."""
        waiting = WebDriverWait(self.driver, 30, 0.02, ignored_exceptions=[WebDriverException])
        return waiting.until(lambda driver: driver.execute_script(ARRIVED, self.left), "no page that is known here")

    def go(self, address):
        self.leave()
        self.driver.get(address)
        return self.arrive()

    def send_password(self):
        """Whatever comes of it."""
        for identifier, typed in (("userNameInput", self.lab.upn()), ("passwordInput", self.lab.user()["password"])):
            field = self.driver.find_element(By.ID, identifier)
            field.clear()
            field.send_keys(typed)
        self.leave()
        self.driver.find_element(By.ID, "submitButton").click()

    def fill_in(self):
        self.send_password()
        return self.arrive()

    def sign_in(self, address):
        """Goes there and does what the pages ask for. The page where it ends, and what was asked for on the
        way: what the page asked, and what the server then says it was given."""
        before = len(self.lab.events())
        page, forms = self.go(address), 0
        while page == "loginForm" and forms < 3:
            page, forms = self.fill_in(), forms + 1
        given = [asked for event in self.lab.events()[before:] if (asked := given_by(event))]
        assert given.count("password") == forms, (given, forms)
        return page, given

    # Sessions ------------------------------------------------------------------------------------

    @property
    def session(self):
        """The cookie, or None."""
        return (self.driver.get_cookie(COOKIE) or {}).get("value")

    @session.setter
    def session(self, value):
        """Of any page of the lab's host: a cookie has no port."""
        self.driver.delete_cookie(COOKIE)
        if value:
            self.driver.add_cookie({"name": COOKIE, "value": value, "path": "/", "secure": True, "httpOnly": True,
                                    "sameSite": "None"})


def given_by(event):
    """What somebody proved who they are with, where that is what happened."""
    if event["outcome"] != "done":
        return None
    return "second" if event["event"] == "second-factor" else event["method"] if event["event"] == "sign-in" else None
