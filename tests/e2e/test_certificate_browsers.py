"""Signing in by certificate in real browsers, refused and let in within one process.

Chromium asks its person in a dialogue of its own, which no WebDriver reaches: it runs on a display
that nobody sees, and is answered by keys. It keeps the choice for a name until it is closed, so a
second certificate only comes to be chosen because each further try has a fresh name.
"""
import os
import subprocess
import time

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from support.browser import chromium, own, policy_breaches, shown, trust
from support.identity import Authority, Identity
from support.lab import run
from support.webkit import display, webkit_with_certificates

PASSWORD = "lanyard"
# What is shown, in the order in which Chromium lists them (the longest life first), and what the page says of it.
CASES = [("stranger", "chain.issuer-missing"), ("orphan", "chain.issuer-missing"), ("revoked", "revocation.revoked"),
         ("expired", "time.expired")]
GOOD = "alice"


@pytest.fixture(scope="module")
def identities(lab, tmp_path_factory):
    """One of each kind, all of them alice's by their UPN."""
    folder, ca = tmp_path_factory.mktemp("identities"), Authority.of_lab(lab)
    middle = ca.issue(folder / "middle", "middle", subject="/CN=Middle CA", authority=True)
    stranger = Authority.stranger(folder / "ca")
    return {"stranger": stranger.issue(folder / "stranger", "stranger", upn="alice@lab.test", days=(-1, 900)),
            "orphan": Authority(middle.certificate, middle.key).issue(folder / "orphan", "orphan", upn="alice@lab.test",
                                                                      days=(-1, 800)),
            "revoked": issue_and_revoke(lab),
            GOOD: ca.issue(folder / GOOD, GOOD, upn="alice@lab.test", days=(-1, 600)),
            "expired": ca.issue(folder / "expired", "expired", upn="alice@lab.test", days=(-30, -1))}


def issue_and_revoke(lab):
    for command in (["issue", "revoked", "--upn", "alice@lab.test", "--days", 700], ["revoke", "revoked"]):
        finished = run("cert", *command, "-c", lab.settings_file)
        assert finished.returncode == 0, finished.stderr
    return Identity(lab.settings_file.parent / "certificates", "revoked")


# Chromium --------------------------------------------------------------------------------------------

def press(shown_on, *keys):
    subprocess.run(["xdotool", "key", *keys], env={**os.environ, "DISPLAY": shown_on}, check=True)


def tries(lab):
    """What the server has made of the certificates it was shown."""
    return [event for event in lab.events() if event["event"] == "sign-in" and event["method"] == "certificate"]


def asked(lab):
    return sum(event["event"] == "handshake" for event in lab.events())


def choose(lab, shown_on, row, before, tries=tries):
    """Answers the dialogue that follows when the browser was asked, and waits until the server has been shown
    something. While the dialogue is there the driver answers nothing."""
    shown_before = len(tries(lab))
    lab.wait_for(lambda: asked(lab) > before, 20)
    for _ in range(5):  # keys that come before the dialogue do are lost
        time.sleep(2)
        press(shown_on, *["Down"] * row, "Return")
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            if len(tries(lab)) > shown_before:
                return
            time.sleep(0.1)
    raise AssertionError("no certificate was chosen")


def go_to_select(driver, lab):
    driver.get(f"{lab.main}/lanyard/rp")
    shown(driver, By.ID, "CertificateAuthentication").click()


def text_of(driver, identifier):
    try:
        return driver.find_element(By.ID, identifier).text
    except WebDriverException:
        return None


def wait_for_refusal(driver, activity=None):
    """The code on the page of another activity than that one, and the activity."""
    WebDriverWait(driver, 30).until(lambda _: text_of(driver, "code") and text_of(driver, "activityId") != activity)
    return text_of(driver, "code"), text_of(driver, "activityId")


@pytest.fixture
def home(tmp_path, lab):
    trust(tmp_path, lab.root_certificate)
    return tmp_path


def test_in_one_chromium_three_are_refused_with_a_page_and_the_fourth_signs_in(lab, identities, home, shown_on):
    """The fifth has expired, and Chromium does not list it."""
    for identity in identities.values():
        own(home / ".pki" / "nssdb", identity.pkcs12(PASSWORD), PASSWORD)
    rows = [*(name for name, _ in CASES[:3]), GOOD]
    driver = chromium(home, lab.root_certificate, shown_on=shown_on)
    try:
        before, activity = asked(lab), None
        go_to_select(driver, lab)
        for name, code in CASES[:3]:
            choose(lab, shown_on, rows.index(name), before)
            found, activity = wait_for_refusal(driver, activity)
            assert found == code, name
            driver.save_screenshot(str(home / f"{name}.png"))
            before = asked(lab)
            driver.find_element(By.ID, "retryButton").click()
        choose(lab, shown_on, rows.index(GOOD), before)
        assert shown(driver, By.ID, "verdict").text == f"Signed in as {lab.upn()}"
    finally:
        driver.quit()


def test_chromium_without_any_certificate_gets_the_page(lab, home):
    driver = chromium(home, lab.root_certificate)
    try:
        go_to_select(driver, lab)
        assert wait_for_refusal(driver)[0] == "none" and driver.find_element(By.ID, "otherOptions")
        assert not policy_breaches(driver)
    finally:
        driver.quit()


def test_the_failure_of_phones_is_reproduced_and_explained(make_lab, tmp_path):
    """Only roots are named, and the device lacks the issuing CA: it finds nothing to offer."""
    lab = make_lab(env={"LANYARD_CA_NAMES": "roots"})
    home = tmp_path / "home"
    trust(home, lab.root_certificate)
    identity = Authority.of_lab(lab).issue(tmp_path / "leaf", "alice", upn="alice@lab.test")
    own(home / ".pki" / "nssdb", identity.pkcs12(PASSWORD), PASSWORD)
    driver = chromium(home, lab.root_certificate)
    try:
        go_to_select(driver, lab)
        assert wait_for_refusal(driver)[0] == "none"
        assert "CA names sent:\nthe roots" in driver.find_element(By.ID, "tls").text
        assert "install the issuing CA on the device" in driver.find_element(By.ID, "tls").text
    finally:
        driver.quit()


# WebKit ----------------------------------------------------------------------------------------------

def wait_for_title(driver, words):
    WebDriverWait(driver, 30).until(lambda _: words in driver.title, f"title: {driver.title!r}")


def test_in_one_webkit_four_are_refused_with_a_page_and_the_fifth_signs_in(lab, identities, tmp_path, shown_on):
    with webkit_with_certificates(tmp_path / "home", shown_on) as (driver, choice):
        driver.get(f"{lab.main}/lanyard/rp")
        wait_for_title(driver, "Sign in - ")
        choice.write_text(str(identities[CASES[0][0]].pem()))
        driver.find_element(By.ID, "CertificateAuthentication").click()
        activity = None
        for number, (name, code) in enumerate(CASES):
            found, activity = wait_for_refusal(driver, activity)
            assert found == code, name
            following = CASES[number + 1][0] if number + 1 < len(CASES) else GOOD
            choice.write_text(str(identities[following].pem()))
            driver.find_element(By.ID, "retryButton").click()
        wait_for_title(driver, "Signed in - ")
        assert driver.find_element(By.ID, "verdict").text == f"Signed in as {lab.upn()}"
        asked = [line.split()[0] for line in choice.with_name("choice.asked").read_text().splitlines()]
        assert len(set(asked)) == len(CASES) + 1, "each further try had a name of its own"


def test_webkit_without_a_certificate_gets_the_page_and_signs_in_by_password(lab, tmp_path, shown_on):
    with webkit_with_certificates(tmp_path / "home", shown_on) as (driver, _):
        driver.get(f"{lab.main}/lanyard/rp")
        wait_for_title(driver, "Sign in - ")
        driver.find_element(By.ID, "CertificateAuthentication").click()
        assert wait_for_refusal(driver)[0] == "none"
        driver.find_element(By.ID, "otherOptions").click()
        wait_for_title(driver, "Sign in - ")
        driver.find_element(By.ID, "userNameInput").send_keys(lab.upn())
        driver.find_element(By.ID, "passwordInput").send_keys(lab.user()["password"])
        driver.find_element(By.ID, "submitButton").click()
        wait_for_title(driver, "Signed in - ")
