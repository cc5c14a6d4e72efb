"""The pages in real WebKit, Safari's engine: sign-in, what a relying party gets, errors, a phone's width.

An untrusted server is an empty page here and no error, so every page is known by its title first.
"""
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from conftest import FIRST
from support.sign_in import request_for
from support.webkit import webkit

PHONE = 480  # from here on the style is a phone's; the tool bar lets the window get no narrower than 447


@pytest.fixture(scope="module")
def browser(lab, shown_on, tmp_path_factory):
    with webkit(tmp_path_factory.mktemp("webkit") / "home", shown_on, lab.settings_file.parent / "pki" / "tls.pem") as driver:
        yield driver


def wait_for_title(browser, words):
    WebDriverWait(browser, 30).until(lambda _: words in browser.title, f"title: {browser.title!r}")


def fill_in(browser, name, password):
    browser.find_element(By.ID, "userNameInput").clear()
    browser.find_element(By.ID, "userNameInput").send_keys(name)
    browser.find_element(By.ID, "passwordInput").send_keys(password)
    browser.find_element(By.ID, "submitButton").click()


def test_a_server_that_is_not_trusted_shows_nothing(lab, shown_on, tmp_path):
    """So the other tests' certificate is what lets them in."""
    with webkit(tmp_path / "home", shown_on) as browser:
        browser.get(lab.main + "/")
        assert browser.title == "" and browser.find_elements(By.ID, "fullPage") == []


def test_a_person_signs_in_and_sees_what_the_relying_party_got(lab, browser, tmp_path):
    browser.get(lab.main + "/lanyard/rp")
    wait_for_title(browser, "Sign in - ")
    assert browser.switch_to.active_element.get_attribute("id") == "userNameInput"
    browser.save_screenshot(str(tmp_path / "sign-in.png"))
    fill_in(browser, lab.upn(), "not the password")
    wait_for_title(browser, "Error: Sign in - ")
    assert "Incorrect user ID or password" in browser.find_element(By.ID, "errorText").text
    browser.save_screenshot(str(tmp_path / "wrong-password.png"))
    fill_in(browser, lab.upn(), lab.user()["password"])
    wait_for_title(browser, "Signed in - ")
    assert browser.find_element(By.ID, "verdict").text == f"Signed in as {lab.upn()}"
    assert lab.upn() in browser.find_element(By.ID, "claims").text
    browser.save_screenshot(str(tmp_path / "signed-in.png"))
    browser.get(lab.main + "/lanyard/rp/second")
    wait_for_title(browser, "Signed in - ")
    browser.get(lab.main + "/adfs/ls/?wa=wsignout1.0")
    wait_for_title(browser, "Signed out - ")
    browser.get(lab.main + "/lanyard/rp")
    wait_for_title(browser, "Sign in - ")


def test_a_refusal_is_a_page(lab, browser, tmp_path):
    browser.get(f"{lab.main}/adfs/ls/?{urllib.parse.urlencode(request_for('urn:nobody'))}")
    wait_for_title(browser, "An error occurred - ")
    assert "MSIS7007" in browser.find_element(By.ID, "errorDetails").text
    assert browser.find_element(By.ID, "activityId").text
    browser.save_screenshot(str(tmp_path / "error.png"))


def test_our_policy_lets_our_own_style_in(lab, browser):
    browser.get(f"{lab.main}/adfs/ls/?{urllib.parse.urlencode(request_for(FIRST))}")
    wait_for_title(browser, "Sign in - ")
    assert browser.find_element(By.ID, "submitButton").value_of_css_property("border-top-left-radius") == "8px"


def test_on_a_phone_nothing_is_wider_than_the_screen(lab, browser):
    """Without screenshots: after its window was resized, the browser may never answer with one."""
    browser.set_window_size(PHONE, 800)
    pages = {"home": "/", "sign-in": f"/adfs/ls/?{urllib.parse.urlencode(request_for(FIRST))}",
             "error": "/adfs/ls/?wa=nothing", "activity": "/lanyard/activity?paused=1"}
    for name, path in pages.items():
        browser.get(lab.main + path)
        wait_for_title(browser, "lanyard")
        assert browser.execute_script("return window.innerWidth") <= PHONE
        assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), name
