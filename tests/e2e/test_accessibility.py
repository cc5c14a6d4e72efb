"""Pages for everybody: axe-core, a checker we did not write, finds nothing on any page, in light and in
dark, on a desk and on a phone.

The page that posts a token is not among them: its bytes are AD FS's, and it is left at once.
"""
import urllib.parse
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from conftest import FIRST
from support.browser import chromium
from support.sign_in import request_for

AXE = Path(__file__).parent / "relying_party" / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES = ["light", "dark"]
WIDTHS = {"desk": 1200, "phone": 360}
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
  (found) => done({passes: found.passes.map((each) => each.id), violations: found.violations.map((each) =>
    each.id + ': ' + each.help + ': ' + each.nodes.map((node) => node.html + ' ' + node.failureSummary).join('; '))}),
  (error) => done({passes: [], violations: [String(error)]}));
"""


@pytest.fixture(scope="module")
def browser(lab, tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("accessibility"), lab.root_certificate)
    driver.set_script_timeout(90)
    yield driver
    driver.quit()


def address_of_sign_in(lab, realm=FIRST):
    return f"{lab.main}/adfs/ls/?{urllib.parse.urlencode(request_for(realm))}"


def fill_in(browser, name, password):
    browser.find_element(By.ID, "userNameInput").clear()
    browser.find_element(By.ID, "userNameInput").send_keys(name)
    browser.find_element(By.ID, "passwordInput").send_keys(password)
    browser.find_element(By.ID, "submitButton").click()


def wait_for(browser, element):
    return WebDriverWait(browser, 30).until(lambda _: browser.find_elements(By.ID, element))[0]


def open_home(lab, browser):
    browser.get(lab.main + "/")


def open_sign_in(lab, browser):
    browser.get(address_of_sign_in(lab))


def open_wrong_password(lab, browser):
    browser.get(address_of_sign_in(lab))
    fill_in(browser, lab.upn(), "not the password")
    WebDriverWait(browser, 30).until(lambda _: browser.title.startswith("Error: "))


def open_error(lab, browser):
    browser.get(address_of_sign_in(lab, "urn:nobody"))
    wait_for(browser, "errorDetails")


def open_accepted(lab, browser):
    browser.delete_all_cookies()
    browser.get(f"{lab.main}/lanyard/rp")
    fill_in(browser, lab.upn(), lab.user()["password"])
    assert "Signed in" in wait_for(browser, "verdict").text


def open_refused(lab, browser):
    """The same token once more."""
    open_accepted(lab, browser)
    browser.refresh()
    WebDriverWait(browser, 30).until(lambda _: "refused" in wait_for(browser, "verdict").text)


def open_signed_out(lab, browser):
    open_accepted(lab, browser)
    browser.get(f"{lab.main}/adfs/ls/?wa=wsignout1.0")
    wait_for(browser, "signedOutMessage")


def open_activity(lab, browser):
    """Standing still: the other one would leave while it is looked at."""
    browser.get(f"{lab.main}/lanyard/activity?paused=1")
    wait_for(browser, "activities")


def open_story(lab, browser):
    open_accepted(lab, browser)
    browser.find_element(By.ID, "activity").click()
    wait_for(browser, "issued")


def forget_session(lab, browser):
    browser.get(lab.main + "/")
    browser.delete_all_cookies()


def open_select_certificate(lab, browser):
    """Its script does not run, or it would leave for the certificate port at once; what is there for those without
    scripts (a refresh, which axe dislikes whatever it is for) is taken out again."""
    forget_session(lab, browser)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(address_of_sign_in(lab))
        browser.find_element(By.ID, "CertificateAuthentication").click()
        wait_for(browser, "certificateForm")
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.execute_script("document.querySelectorAll('noscript').forEach((each) => each.remove());")


def open_no_certificate(lab, browser):
    forget_session(lab, browser)
    browser.get(address_of_sign_in(lab).replace(lab.main, lab.ready["certificate"]))
    assert wait_for(browser, "code").text == "none"


def look(browser, scheme, width):
    """Shows the page that is open to a kind of person."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600})


def check(browser):
    browser.execute_script(AXE.read_text())
    return browser.execute_async_script(RUN_AXE)


def faults_of(browser, folder):
    """What is wrong with the page that is open, for each kind of person."""
    faults = {}
    for scheme in SCHEMES:
        for screen, width in WIDTHS.items():
            look(browser, scheme, width)
            browser.save_screenshot(str(folder / f"{scheme}-{screen}.png"))
            found = check(browser)
            assert "color-contrast" in found["passes"], found
            if browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth"):
                found["violations"].append("the page is wider than the screen")
            if found["violations"]:
                faults[scheme, screen] = found["violations"]
    return faults


def test_the_checker_sees_a_fault(browser):
    browser.get("data:text/html,<!DOCTYPE html><html><body><input><p style='color:%23999'>pale</p></body></html>")
    found = " ".join(check(browser)["violations"])
    assert "label: " in found and "color-contrast: " in found and "html-has-lang: " in found


@pytest.mark.parametrize("open_page", [open_home, open_sign_in, open_wrong_password, open_error, open_accepted,
                                       open_refused, open_signed_out, open_activity, open_story,
                                       open_select_certificate, open_no_certificate])
def test_a_page_is_for_everybody(lab, browser, open_page, tmp_path):
    open_page(lab, browser)
    assert faults_of(browser, tmp_path) == {}


def test_the_operators_own_words_and_links_are_for_everybody(make_lab, tmp_path):
    lab = make_lab(env={"LANYARD_SIGN_IN_PAGE_DESCRIPTION_TEXT": "Welcome to the workshop.",
                        "LANYARD_ERROR_PAGE_DESCRIPTION_TEXT": "Ask for a certificate at the gate.",
                        "LANYARD_HELP_DESK_LINK": "https://help.test/desk", "LANYARD_PRIVACY_LINK": "https://help.test/privacy",
                        "LANYARD_HELP_DESK_LINK_TEXT": "Help desk"})
    browser = chromium(tmp_path / "home", lab.root_certificate)
    try:
        for open_page, words in ((open_sign_in, "Welcome to the workshop."), (open_error, "Ask for a certificate at the gate.")):
            open_page(lab, browser)
            assert words in browser.find_element(By.ID, "workArea").text
            links = {link.text: link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "#footer a")}
            assert links == {"Help desk": "https://help.test/desk", "Privacy": "https://help.test/privacy"}
            assert faults_of(browser, tmp_path) == {}
    finally:
        browser.quit()
