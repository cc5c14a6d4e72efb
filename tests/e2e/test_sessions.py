"""Sessions, cookies and forged posts (security.md S1-S4, S6-S9, S12, as decisions.md 4, 5, 8 read them)."""
import re

import pytest

from conftest import FIRST, SECOND
from support.lab import run
from support.sign_in import credentials, is_sign_in_page, is_token_page, request_for, sign_in

FOREIGN = [["Origin: https://evil.test"], ["Origin: null"], ["Origin: http://localhost:8443"],
           ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: none"], ["Sec-Fetch-Site: weird"],
           ["Origin: https://evil.test", "Sec-Fetch-Site: cross-site"],
           ["Origin: https://localhost.evil.test"], ["Origin: https://evil.test", "Referer: https://localhost/"]]


def headers(lines):
    return [option for line in lines for option in ("--header", line)]


def signed_in_with(client, cookie):
    answer = client.request(f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", "--header", f"Cookie: MSISAuth={cookie}",
                            cookies=False)
    assert answer.status in (200, 400, 431), answer.status
    return is_token_page(answer)


# Posts -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("lines", FOREIGN, ids=" + ".join)
def test_a_post_that_a_browser_marks_as_another_sites_is_refused_before_any_password(lab, client, lines):
    """S1, S2, decision 4: valid credentials start no session, wrong ones are not even looked at."""
    for password in (None, "wrong"):
        answer = client.post("/adfs/ls/", credentials(lab, password=password), request_for(FIRST), *headers(lines))
        assert answer.status == 400
        assert answer.set_cookie is None and not is_token_page(answer) and not is_sign_in_page(answer)
    events = [event for event in lab.events() if event["activity_id"] and event["activity_id"] in answer.text]
    assert events and all(event["event"] != "sign-in" for event in events)


@pytest.mark.parametrize("lines", [[], ["Origin: OWN"], ["Sec-Fetch-Site: same-origin"], ["Sec-Fetch-Site: same-site"],
                                   ["Origin: OWN", "Sec-Fetch-Site: same-origin"]], ids=" + ".join)
def test_a_post_of_our_own_page_or_of_a_script_is_accepted(lab, client, lines):
    """S2, decision 4"""
    own = [line.replace("OWN", lab.main) for line in lines]
    assert client.post("/adfs/ls/", credentials(lab), request_for(FIRST), *headers(own)).status == 302


def test_a_password_in_the_query_is_no_credentials_post(lab, client):
    """S2: a link cannot sign anybody in."""
    answer = client.get("/adfs/ls/", {**request_for(FIRST), **credentials(lab)})
    assert answer.status == 400 and answer.set_cookie is None
    assert lab.user()["password"] not in answer.text


# The cookie ------------------------------------------------------------------------------------

def test_the_cookie_has_every_attribute_that_protects_it_and_holds_only_a_random_id(lab, client):
    """S3, decision 5"""
    value, attributes = client.post("/adfs/ls/", credentials(lab), request_for(FIRST)).set_cookie
    assert attributes == {"path": "/", "secure": True, "httponly": True, "samesite": "None"}
    assert re.fullmatch(r"[0-9a-f]{64}", value)


def test_a_changed_cookie_is_nobodys(lab, client, make_client):
    """S4: every position changed, cut, doubled, swapped with another user's, empty, far too long."""
    other = make_client(lab)
    sign_in(client, FIRST)
    sign_in(other, FIRST, name="bob")
    mine, theirs = client.cookie(), other.cookie()
    assert signed_in_with(client, mine)
    flipped = [mine[:at] + format(int(mine[at], 16) ^ 1, "x") + mine[at + 1:] for at in range(len(mine))]
    spoiled = [mine[:-1], mine[1:], mine + "0", mine + mine, mine[:32] + theirs[32:], theirs[:32] + mine[32:],
               mine.upper() if mine.upper() != mine else "x", "", "0" * 64, "g" * 64, "a" * 8000, f'"{mine}"', mine + "%00",
               " ".join(mine), mine + "\t"]
    assert [cookie for cookie in flipped + spoiled if cookie.strip() != mine and signed_in_with(client, cookie)] == []
    assert signed_in_with(client, mine)


def test_two_cookies_of_one_name_do_not_become_a_session_of_somebody_else(lab, client, make_client):
    """S4"""
    other = make_client(lab)
    sign_in(client, FIRST)
    sign_in(other, FIRST, name="bob")
    answer = client.request(f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", "--header",
                            f"Cookie: MSISAuth={'0' * 64}; MSISAuth={other.cookie()}", cookies=False)
    assert not is_token_page(answer)


def test_a_copied_cookie_is_worth_nothing_after_sign_out_also_after_a_restart_and_a_kill(make_lab, make_client):
    """S6"""
    lab = make_lab()
    client = make_client(lab)
    sign_in(client, FIRST)
    copied = client.cookie()
    assert signed_in_with(client, copied)
    client.get("/adfs/ls/", {"wa": "wsignout1.0"})
    lab.kill()
    lab.start()
    assert not signed_in_with(client, copied)
    lab.restart()
    assert not signed_in_with(client, copied)


def test_a_session_outlives_a_restart_and_a_kill(make_lab, make_client):
    """S6, the other way round: what was not ended is kept."""
    lab = make_lab()
    client = make_client(lab)
    sign_in(client, FIRST)
    lab.kill()
    lab.start()
    assert signed_in_with(client, client.cookie())
    lab.restart()
    assert signed_in_with(client, client.cookie())


def test_a_session_ends_at_its_time_and_a_clock_set_back_gives_it_no_more(make_lab, make_client):
    """S7: eight hours by default; a clock that is ten minutes slow again is no ordinary drift."""
    lab = make_lab()
    lab.move_clock("+20h")
    client = make_client(lab)
    sign_in(client, FIRST)
    for offset, holds in (("+27h", True), ("+1679m", True), ("+1682m", False), ("+30d", False), ("+1190m", False), ("+1h", False)):
        lab.move_clock(offset)
        assert signed_in_with(client, client.cookie()) == holds, offset


def test_a_planted_cookie_is_never_adopted(lab, client):
    """S8"""
    planted = "0123456789abcdef" * 4
    answer = client.request(f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", "--header", f"Cookie: MSISAuth={planted}",
                            "--data-urlencode", f"UserName={lab.upn()}", "--data-urlencode",
                            f"Password={lab.user()['password']}", cookies=False)
    assert answer.status == 302 and answer.set_cookie[0] != planted
    assert not signed_in_with(client, planted)


def test_a_new_sign_in_ends_the_session_it_began_with(client):
    """S8"""
    sign_in(client, FIRST)
    before = client.cookie()
    sign_in(client, FIRST, name="bob", wfresh="0")
    assert client.cookie() != before
    assert not signed_in_with(client, before) and signed_in_with(client, client.cookie())


def test_a_session_of_a_disabled_user_gets_no_token(make_lab, make_client):
    """S9: at the next request after the reload that the command itself causes."""
    lab = make_lab()
    client = make_client(lab)
    sign_in(client, FIRST)
    assert signed_in_with(client, client.cookie())
    assert run("user", "disable", "alice", "-c", lab.settings_file).returncode == 0
    lab.wait_for(lambda: not signed_in_with(client, client.cookie()))
    answer = client.post("/adfs/ls/", credentials(lab), request_for(FIRST))
    assert is_sign_in_page(answer) and answer.set_cookie is None


# Loops -----------------------------------------------------------------------------------------

def test_the_sixth_token_in_twenty_seconds_is_a_loop(lab, client, make_client):
    """S12"""
    assert is_token_page(sign_in(client, FIRST))
    assert all(is_token_page(client.get("/adfs/ls/", request_for(FIRST))) for _ in range(4))
    answer = client.get("/adfs/ls/", request_for(FIRST))
    assert answer.status == 500 and not is_token_page(answer)
    assert re.search(r"MSIS7042: The same client browser session has made '\d+' requests in the last '\d+' seconds\.",
                     answer.page.text_content())
    assert is_token_page(sign_in(make_client(lab), SECOND)), "another browser is not affected"


def test_loop_detection_can_be_switched_off(make_lab, make_client):
    """S12"""
    lab = make_lab("--no-loop-detection")
    client = make_client(lab)
    sign_in(client, FIRST)
    assert all(is_token_page(client.get("/adfs/ls/", request_for(FIRST))) for _ in range(12))
