"""Sign-out: the session ends, and every relying party of it is asked to end its own (protocol.md 1.7, 2.7;
security.md B6, R5, S6)."""
import time
from urllib.parse import urlencode

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from conftest import FIRST, FIRST_REPLY, SECOND, SECOND_REPLY
from support.browser import chromium, policy_breaches
from support.curl import Client
from support.lab import run
from support.party import Server
from support.settings import party, write_parties
from support.sign_in import is_sign_in_page, is_token_page, request_for, sign_in

CLEAN_UP = "wa=wsignoutcleanup1.0"
SIGN_OUT = {"wa": "wsignout1.0"}


def frames(answer):
    return answer.page.xpath("//iframe/@src")


def frame_sources(answer):
    """What the policy lets into frames."""
    directives = [part.split() for part in answer.header("Content-Security-Policy").split(";")]
    found = [words[1:] for words in directives if words[0] == "frame-src"]
    assert len(found) <= 1
    return found[0] if found else None


def test_every_relying_party_of_the_session_is_asked_in_a_frame_that_is_bounded(client):
    sign_in(client, FIRST)
    assert is_token_page(client.get("/adfs/ls/", request_for(SECOND)))
    answer = client.get("/adfs/ls/", SIGN_OUT)
    assert sorted(frames(answer)) == [f"{FIRST_REPLY}?{CLEAN_UP}", f"{SECOND_REPLY}?{CLEAN_UP}"]
    assert sorted(frame_sources(answer)) == ["https://first.test:443", "https://second.test:443"]
    for frame in answer.page.xpath("//iframe"):
        assert set(frame.get("sandbox").split()) == {"allow-scripts", "allow-same-origin", "allow-forms"}
    assert answer.page.xpath("//ul[@id='parties']//a/@href") == frames(answer), "for who runs no scripts"


def test_who_had_no_token_in_this_session_is_not_asked(client, make_client, lab):
    other = make_client(lab)
    sign_in(other, SECOND)
    sign_in(client, FIRST)
    assert frames(client.get("/adfs/ls/", SIGN_OUT)) == [f"{FIRST_REPLY}?{CLEAN_UP}"]


def test_without_a_session_nothing_is_framed(client):
    answer = client.get("/adfs/ls/", SIGN_OUT)
    assert frames(answer) == [] and frame_sources(answer) is None


def test_signing_out_twice_asks_once(client):
    sign_in(client, FIRST)
    cookie = client.cookie()
    assert frames(client.get("/adfs/ls/", SIGN_OUT))
    again = client.request("/adfs/ls/?wa=wsignout1.0", "--header", f"Cookie: MSISAuth={cookie}", cookies=False)
    assert frames(again) == []


def test_a_received_clean_up_ends_the_session_and_asks_and_leads_nowhere(client):
    sign_in(client, FIRST)
    cookie = client.cookie()
    answer = client.get("/adfs/ls/", {"wa": "wsignoutcleanup1.0", "wreply": FIRST_REPLY + "bye"})
    assert answer.status == 200 and frames(answer) == [] and FIRST_REPLY not in answer.text
    assert is_sign_in_page(client.request(f"/adfs/ls/?{urlencode(request_for(FIRST))}", "--header",
                                          f"Cookie: MSISAuth={cookie}", cookies=False))


def test_the_way_back_is_offered_beneath_a_relying_partys_address_only(client):
    """R5"""
    for reply, offered in ((FIRST_REPLY + "bye", True), (SECOND_REPLY + "/out?x=1", True), ("https://first.test/", False),
                           (SECOND_REPLY + "x", False), ("https://evil.test/", False)):
        sign_in(client, FIRST)
        answer = client.get("/adfs/ls/", {**SIGN_OUT, "wreply": reply})
        assert answer.status == 200 and frames(answer), "the others are asked first"
        assert answer.page.xpath("//a[@id='continueLink']/@href") == ([reply] if offered else []), reply


def test_two_hundred_relying_parties_are_each_asked_once_and_nobody_else_may_be_framed(make_lab, make_client):
    """B6, with a second identifier for each."""
    lab = make_lab("--no-loop-detection")
    write_parties(lab.settings_file, [{**party(f"P{n}", f"urn:p{n}", f"https://p{n}.test/in?a=1"),
                                       "identifiers": [f"urn:p{n}", f"urn:also:p{n}"]} for n in range(200)])
    lab.restart()
    client = make_client(lab)
    sign_in(client, "urn:p0")
    for n in range(200):
        assert is_token_page(client.get("/adfs/ls/", request_for(f"urn:p{n}")))
    for n in range(3):
        assert is_token_page(client.get("/adfs/ls/", request_for(f"urn:also:p{n}")))
    answer = client.get("/adfs/ls/", SIGN_OUT)
    assert sorted(frames(answer)) == sorted(f"https://p{n}.test/in?a=1&{CLEAN_UP}" for n in range(200))
    assert sorted(frame_sources(answer)) == sorted(f"https://p{n}.test:443" for n in range(200))


def test_relying_parties_of_a_user_who_was_disabled_meanwhile_are_asked_too(make_lab, make_client):
    lab = make_lab()
    client = make_client(lab)
    sign_in(client, FIRST)
    assert run("user", "disable", "alice", "-c", lab.settings_file).returncode == 0
    lab.event_where(event="reload", outcome="done")
    assert frames(client.get("/adfs/ls/", SIGN_OUT)) == [f"{FIRST_REPLY}?{CLEAN_UP}"]


def test_the_log_says_who_signed_out_and_who_was_asked(lab, client):
    sign_in(client, FIRST)
    client.get("/adfs/ls/", {**SIGN_OUT, "client-request-id": "6a4e3a6e-5ac1-4e8a-8a8c-2f0d1c3b4a59"})
    event = lab.event_where(event="sign-out", request_id="6a4e3a6e-5ac1-4e8a-8a8c-2f0d1c3b4a59")
    assert event["user"] == "alice" and FIRST in event["detail"]


# In a browser ----------------------------------------------------------------------------------

def never_answer(handler):
    time.sleep(15)


class Application:
    """A relying party of the test's own: a cookie says that somebody is signed in."""

    def __init__(self, lab):
        self.kept = None
        certificate = [lab.folder / "pki" / name for name in ("tls.pem", "tls.key")]
        self.server = Server({"/app/": self.take, f"/app/?{CLEAN_UP}": self.clean_up, "/app/bye": (200, {}, "Bye."),
                              f"/slow/?{CLEAN_UP}": never_answer}, *certificate)

    def take(self, handler):
        handler.send_response(200)
        handler.end_headers()

    def clean_up(self, handler):
        self.kept = handler.headers.get("Cookie")
        handler.send_response(200)
        handler.send_header("Set-Cookie", "app=; Path=/app; Max-Age=0; Secure; SameSite=None")
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<!DOCTYPE html><title>Bye</title><script>top.location = 'https://evil.test/'</script>")


@pytest.fixture
def signed_in(make_lab, tmp_path):
    """Makes a browser that is signed in at the lab's own relying party and at those named."""
    drivers = []

    def make(parties):
        lab = make_lab()
        application = Application(lab)
        application.server.__enter__()
        drivers.append(application.server)
        own = party("Own", "urn:lanyard:rp", "/lanyard/rp")
        known = {"urn:app": "/app/", "urn:slow": "/slow/"}
        write_parties(lab.settings_file,
                      [own, *(party(name[4:].title(), name, application.server.address + path)
                              for name, path in known.items())])
        lab.restart()
        browser = chromium(tmp_path / "home", lab.root_certificate)
        drivers.append(browser)
        browser.get(f"{lab.main}/lanyard/rp")
        browser.find_element(By.ID, "userNameInput").send_keys(lab.upn())
        browser.find_element(By.ID, "passwordInput").send_keys(lab.user()["password"])
        browser.find_element(By.ID, "submitButton").click()
        cookie = WebDriverWait(browser, 20).until(lambda _: browser.get_cookie("MSISAuth"))["value"]
        for realm in parties:
            lab_answer(lab, realm, cookie)
        return lab, application, browser

    yield make
    for driver in reversed(drivers):
        driver.quit() if hasattr(driver, "quit") else driver.__exit__()


def lab_answer(lab, realm, cookie):
    """A token for that relying party in the browser's session, asked for by curl."""
    client = Client(lab)
    answer = client.request(f"/adfs/ls/?{urlencode(request_for(realm))}", "--header", f"Cookie: MSISAuth={cookie}",
                            cookies=False)
    client.close()
    assert is_token_page(answer)


def outcomes(browser):
    return {item.find_element(By.TAG_NAME, "strong").text: item.find_element(By.CLASS_NAME, "outcome").text
            for item in browser.find_elements(By.CSS_SELECTOR, "#parties li")}


def test_two_relying_parties_are_signed_out_in_a_real_browser(signed_in, tmp_path):
    """One is the lab's own, one a stranger whose page would lead the browser away if it could."""
    lab, application, browser = signed_in(["urn:app"])
    browser.get(f"{application.server.address}/app/")
    browser.add_cookie({"name": "app", "value": "alice", "path": "/app", "secure": True, "sameSite": "None"})
    browser.get(f"{lab.main}/adfs/ls/?wa=wsignout1.0")
    WebDriverWait(browser, 20).until(lambda _: set(outcomes(browser).values()) == {"has been asked"})
    browser.save_screenshot(str(tmp_path / "signed-out.png"))
    assert sorted(outcomes(browser)) == ["App", "Own"]
    assert "app=alice" in application.kept, "the frame brought the application's own cookie"
    lab.event_where(event="rp", why="the relying party was told of a sign-out")
    assert browser.current_url.startswith(lab.main), "no frame leads the page away"
    assert policy_breaches(browser) == []
    browser.get(f"{application.server.address}/app/")
    assert browser.get_cookie("app") is None
    browser.get(f"{lab.main}/lanyard/rp")
    assert browser.find_elements(By.ID, "loginForm")


def test_who_does_not_answer_in_time_is_named_and_the_page_stays(signed_in, tmp_path):
    lab, application, browser = signed_in(["urn:slow"])
    browser.set_page_load_timeout(60)
    browser.execute_script("location.href = arguments[0]",
                           f"{lab.main}/adfs/ls/?wa=wsignout1.0&wreply={application.server.address}/app/bye")
    WebDriverWait(browser, 20).until(lambda _: outcomes(browser).get("Own") == "has been asked")
    WebDriverWait(browser, 20).until(lambda _: outcomes(browser)["Slow"] == "has not answered in time")
    browser.save_screenshot(str(tmp_path / "late.png"))
    assert browser.find_element(By.ID, "continueLink").get_attribute("href") == f"{application.server.address}/app/bye"


def test_when_all_have_been_asked_the_browser_goes_where_wreply_said(signed_in):
    lab, application, browser = signed_in(["urn:app"])
    browser.get(f"{lab.main}/adfs/ls/?wa=wsignout1.0&wreply={application.server.address}/app/bye")
    WebDriverWait(browser, 20).until(lambda _: browser.current_url == f"{application.server.address}/app/bye")
