"""The whole sign-in in real headless Chromium, which trusts the lab's root and checks everything."""
import json
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from conftest import PASSPORT
from support.browser import chromium, policy_breaches
from support.relying_party import RelyingParty
from support.sign_in import request_for


@pytest.fixture(scope="module")
def relying_party(lab, passport_port, tmp_path_factory):
    with RelyingParty(lab, passport_port, PASSPORT, tmp_path_factory.mktemp("passport")) as running:
        yield running


@pytest.fixture
def browser(lab, tmp_path):
    driver = chromium(tmp_path / "home", lab.root_certificate)
    yield driver
    driver.quit()


def fill_in(browser, name, password):
    browser.find_element(By.ID, "userNameInput").clear()
    browser.find_element(By.ID, "userNameInput").send_keys(name)
    browser.find_element(By.ID, "passwordInput").send_keys(password)
    browser.find_element(By.ID, "submitButton").click()


def claims_shown(browser, relying_party):
    WebDriverWait(browser, 20).until(lambda _: browser.current_url == relying_party.address + "/")
    return json.loads(browser.find_element(By.TAG_NAME, "body").text)["claims"]


def test_a_person_signs_in_to_a_relying_party_we_did_not_write(lab, browser, relying_party, tmp_path):
    browser.get(relying_party.address)
    assert browser.current_url.startswith(f"{lab.main}/adfs/ls/")
    browser.save_screenshot(str(tmp_path / "sign-in.png"))
    fill_in(browser, lab.upn(), "not the password")
    WebDriverWait(browser, 20).until(lambda _: browser.title.startswith("Error: "))
    assert "Incorrect user ID or password" in browser.find_element(By.ID, "errorText").text
    browser.save_screenshot(str(tmp_path / "wrong-password.png"))
    fill_in(browser, lab.upn(), lab.user()["password"])
    claims = claims_shown(browser, relying_party)
    browser.save_screenshot(str(tmp_path / "signed-in.png"))
    assert claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] == lab.upn()
    assert policy_breaches(browser) == []


def test_the_second_time_nobody_is_asked_and_after_sign_out_everybody_is(lab, browser, relying_party):
    browser.get(relying_party.address)
    fill_in(browser, lab.upn("bob"), lab.user("bob")["password"])
    claims_shown(browser, relying_party)
    browser.get(relying_party.address + "/sign-in")
    assert claims_shown(browser, relying_party)["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] == lab.upn("bob")
    browser.get(f"{lab.main}/adfs/ls/?wa=wsignout1.0")
    assert "signed out" in browser.find_element(By.TAG_NAME, "body").text.lower()
    browser.get(relying_party.address + "/sign-in")
    assert browser.find_elements(By.ID, "loginForm")
    assert policy_breaches(browser) == []


def test_a_fresh_sign_in_is_answered_in_one_step(lab, browser, relying_party):
    browser.get(relying_party.address + "/sign-in?wfresh=0")
    fill_in(browser, lab.upn(), lab.user()["password"])
    assert claims_shown(browser, relying_party)


def test_the_error_page_is_shown_as_a_page(lab, browser, tmp_path):
    browser.get(f"{lab.main}/adfs/ls/?{urllib.parse.urlencode(request_for('urn:nobody'))}")
    assert "MSIS7007" in browser.find_element(By.TAG_NAME, "body").text
    browser.save_screenshot(str(tmp_path / "error.png"))
    assert policy_breaches(browser) == []


def test_the_front_page_of_a_lab_leads_to_a_sign_in(lab, browser, tmp_path):
    browser.get(lab.main + "/")
    browser.save_screenshot(str(tmp_path / "home.png"))
    links = [link.get_attribute("href") for link in browser.find_elements(By.TAG_NAME, "a")]
    to_sign_in = [link for link in links if "/adfs/ls/" in link]
    assert to_sign_in
    browser.get(to_sign_in[0])
    assert browser.find_elements(By.ID, "loginForm")
    assert policy_breaches(browser) == []


def test_the_keyboard_alone_is_enough(lab, browser, relying_party):
    """The cursor is where one types; Enter sends the form."""
    browser.get(relying_party.address)
    assert browser.switch_to.active_element.get_attribute("id") == "userNameInput"
    browser.switch_to.active_element.send_keys(lab.upn() + "\t")
    assert browser.switch_to.active_element.get_attribute("id") == "passwordInput"
    browser.switch_to.active_element.send_keys(lab.user()["password"] + "\n")
    assert claims_shown(browser, relying_party)
