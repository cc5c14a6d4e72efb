"""Signing out in Chromium and in WebKit: relying parties of other origins, and of another site, are asked
in frames, each is told of, and one that never answers holds nobody up (protocol.md 1.7).
"""
from contextlib import ExitStack

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from support.application import Application
from support.identity import Authority
from support.lab import Lab, copy_lab
from support.settings import party, write_parties
from support.visitor import ENGINES, Visitor, driver_of

ASKED, LATE, NOT_YET = "has been asked", "has not answered in time", "is asked now"


@pytest.fixture(scope="module")
def lab(first_made, tmp_path_factory):
    lab = Lab(copy_lab(first_made, tmp_path_factory.mktemp("sign-out") / "lab"), "--no-loop-detection", ports=())
    yield lab
    lab.stop()


@pytest.fixture(scope="module", params=ENGINES)
def driver(request, lab, shown_on, tmp_path_factory):
    with driver_of(request.param, lab, tmp_path_factory.mktemp(request.param) / "home", shown_on) as driver:
        yield driver


@pytest.fixture
def signed_in(lab, driver, tmp_path):
    """Makes relying parties, {name: what is special about it}, at which somebody is signed in."""
    authority = Authority.of_lab(lab)

    def identity(name, host="localhost", **_):
        return authority.issue(tmp_path / name, name, subjectAltName=f"DNS:{host}", extendedKeyUsage="serverAuth")

    with ExitStack() as running:
        def make(**wanted):
            parties = [running.enter_context(Application(name, identity(name, **more), f"{lab.main}/adfs/ls/", **more))
                       for name, more in wanted.items()]
            write_parties(lab.settings_file, [party(each.name.title(), each.realm, each.address) for each in parties])
            lab.restart()
            somebody = Person(driver, lab)
            somebody.go(f"{lab.main}/adfs/ls/?wa=wsignoutcleanup1.0")
            for number, each in enumerate(parties):
                somebody.open(each, asks=number == 0)
            return somebody, *parties

        yield make


class Person(Visitor):
    def open(self, application, asks):
        """Goes to a relying party, and signs in there: typing a password, or without."""
        page = self.go(application.address)
        assert page == ("loginForm" if asks else "application")
        if asks:
            page = self.fill_in()
        assert page == "application" and self.text("application") == f"Signed in at {application.name}"

    def sign_out(self, **query):
        """Leaves for the page, whose frames may never be loaded."""
        self.leave()
        more = "".join(f"&{name}={value}" for name, value in query.items())
        self.driver.get(f"{self.lab.main}/adfs/ls/?wa=wsignout1.0{more}")

    def open_aside(self, link):
        """What the application says in the window that the link opens; closes that again."""
        here = self.driver.current_window_handle
        link.click()
        WebDriverWait(self.driver, 30).until(lambda driver: len(driver.window_handles) == 2, "the link opens nothing")
        self.driver.switch_to.window(next(each for each in self.driver.window_handles if each != here))
        self.arrive()
        words = self.text("application")
        self.driver.close()
        self.driver.switch_to.window(here)
        return words

    def outcomes(self):
        return dict(self.driver.execute_script(
            "return [...document.querySelectorAll('#parties li')].map(function (each) {"
            "return [each.querySelector('strong').innerText, each.querySelector('.outcome').innerText]; })"))

    def wait_for(self, **outcomes):
        """Until the page tells these."""
        waiting = WebDriverWait(self.driver, 30, 0.05, ignored_exceptions=[WebDriverException])
        waiting.until(lambda _: self.outcomes() == outcomes, f"never {outcomes}")


def test_two_are_signed_out_while_a_third_never_answers_and_is_named(signed_in):
    somebody, one, two, silent = signed_in(one={}, two={}, silent={"answers": False})
    somebody.sign_out(wreply=f"{one.address}?bye")
    somebody.wait_for(One=ASKED, Two=ASKED, Silent=NOT_YET)
    assert somebody.text("signedOutMessage") == "You are signed out", "the page is there before the third's time is over"
    assert somebody.session is None
    somebody.wait_for(One=ASKED, Two=ASKED, Silent=LATE)
    assert (one.heard, two.heard, silent.heard) == ([True], [True], [True])
    assert somebody.driver.current_url.startswith(somebody.lab.main), "who was late is to be read"
    assert somebody.driver.find_element(By.ID, "continueLink").get_attribute("href") == f"{one.address}?bye"
    assert somebody.go(silent.address) == "application" and somebody.text("application") == "Signed in at silent"
    for application in (one, two):
        assert somebody.go(application.address) == "loginForm", "neither knows them, nor the sign-in server"


def test_when_all_have_answered_the_browser_goes_where_wreply_said(signed_in):
    somebody, one, two = signed_in(one={}, two={})
    somebody.sign_out(wreply=f"{two.address}?bye")
    WebDriverWait(somebody.driver, 30).until(lambda driver: driver.current_url == f"{two.address}?bye", "never went back")
    assert (one.heard, two.heard) == ([True], [True])
    assert somebody.arrive() == "application" and somebody.text("application") == "Back again"
    assert somebody.go(one.address) == "loginForm"


def test_where_a_frame_of_another_site_has_no_cookie_the_link_signs_out(signed_in):
    """Both browsers keep cookies from such frames, each in its way: the page says that it has asked, and no more."""
    somebody, one, other = signed_in(one={}, other={"host": "other.localhost"})
    somebody.sign_out()
    somebody.wait_for(One=ASKED, Other=ASKED)
    asked = len(other.heard)
    link = somebody.driver.find_element(By.CSS_SELECTOR, f"#parties a[href^='{other.address}']")
    assert somebody.open_aside(link) == "Bye"
    assert other.heard[asked:] == [True], "the frame had not ended it, and the link brought the cookie"
    for application in (one, other):
        assert somebody.go(application.address) == "loginForm"
