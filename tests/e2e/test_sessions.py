"""Sessions, cookies and forged posts (security.md S1-S4, S6-S13, as decisions.md 4, 5, 8 read them).

S5 is gone: decision 5 puts a random id in place of a sealed cookie, so there is no key to rotate. S13 is in
test_server_session.c and test_base_dice.c. S10 for a second factor is in test_second_factor.py, wauth and wfresh are in
test_sign_in.py.
"""
import hashlib
import json
import random
import re
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import FIRST, SECOND
from support.certificates import at, sign_in_by_certificate
from support.identity import Identity, of_user
from support.lab import run
from support.settings import set_setting
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


def answers_to(lab, cookies):
    """What a request for a token is answered with each of these cookies: bytes over one connection, less the
    ids drawn for each answer."""
    answers = []
    with lab.connect() as connection:
        for cookie in cookies:
            connection.sendall(b"GET /adfs/ls/?wa=wsignin1.0&wtrealm=%s HTTP/1.1\r\nHost: localhost:%d\r\nCookie: MSISAuth=%s\r\n\r\n"
                               % (FIRST.encode(), lab.port(), cookie))
            received = b""
            while b"</html>" not in received:
                piece = connection.recv(65536)
                assert piece, (cookie, received)
                received += piece
            answers.append(re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\r\nDate: [^\r]*", b"", received))
    return answers


def test_a_cookie_with_any_bit_flipped_is_answered_like_one_that_was_never_given_out(lab, client):
    """S4: by the same bytes, so that nobody learns how near a guess is. What cannot stand in a cookie is left to
    test_server_session.c: the head would say something else."""
    sign_in(client, FIRST)
    mine = client.cookie().encode()
    flipped = [mine[:at] + bytes([mine[at] ^ 1 << bit]) + mine[at + 1:] for at in range(len(mine)) for bit in range(8)]
    fitting = [cookie for cookie in flipped if re.fullmatch(rb"[!#-+\--:<-\[\]-~]+", cookie)]
    assert len(fitting) > 300
    never, *others = answers_to(lab, [b"0" * 64, *fitting, mine[:-1], mine + b"0", mine[32:] + mine[:32], b"x"])
    assert b'id="loginForm"' in never and b"Set-Cookie" not in never and set(others) == {never}
    assert signed_in_with(client, mine.decode())


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
    assert not signed_in_with(client, copied)
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
    """S7: eight hours by default; a clock that is ten minutes slow again is no ordinary drift. Set back by less, it
    finds the record gone, also where nobody came with the cookie meanwhile. There is no idle end, as AD FS has none."""
    lab = make_lab()
    lab.move_clock("+20h")
    client, away = make_client(lab), make_client(lab)
    sign_in(client, FIRST)
    sign_in(away, FIRST, name="bob")
    for offset, holds in (("+1190m", False), ("+1h", False), ("+27h", True), ("+1679m", True), ("+1682m", False), ("+30d", False),
                          ("+21h", False)):
        lab.move_clock(offset)
        assert signed_in_with(client, client.cookie()) == holds, offset
    assert not signed_in_with(away, away.cookie())


def test_a_planted_cookie_is_never_adopted(lab, client):
    """S8: no session id is there before somebody signs in, and whatever was there is not the one after it."""
    planted = "0123456789abcdef" * 4
    assert client.get("/adfs/ls/", request_for(FIRST)).set_cookie is None
    answer = client.request(f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", "--header", f"Cookie: MSISAuth={planted}",
                            "--data-urlencode", f"UserName={lab.upn()}", "--data-urlencode",
                            f"Password={lab.user()['password']}", cookies=False)
    assert answer.status == 302 and answer.set_cookie[0] != planted
    assert not signed_in_with(client, planted)


def test_a_planted_cookie_is_not_adopted_by_a_certificate_either(lab, client):
    """S8"""
    planted = "0123456789abcdef" * 4
    answer = client.request(at(lab, "certificate", FIRST), *of_user(lab.user()).options(), "--header", f"Cookie: MSISAuth={planted}",
                            cookies=False)
    assert answer.status == 302 and answer.set_cookie[0] != planted
    assert not signed_in_with(client, planted) and signed_in_with(client, answer.set_cookie[0])


def test_a_new_sign_in_ends_the_session_it_began_with(client):
    """S8: also where the cookie that was planted is a stranger's own, good session."""
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


def test_a_session_of_a_disabled_user_does_not_come_back_with_the_user(make_lab, make_client):
    """S9: the request that met the disabled user ended it."""
    lab = make_lab()
    client = make_client(lab)
    sign_in(client, FIRST)
    assert run("user", "disable", "alice", "-c", lab.settings_file).returncode == 0
    lab.wait_for(lambda: not signed_in_with(client, client.cookie()))
    file = lab.settings_file.parent / "users" / "alice.yaml"
    file.write_text(file.read_text().replace("enabled: false", "enabled: true"))
    lab.restart()
    assert not signed_in_with(client, client.cookie())
    sign_in(client, FIRST)
    assert signed_in_with(client, client.cookie())


@pytest.mark.parametrize("how", ["expired", "new password", "removed"])
def test_what_an_operator_does_ends_every_session_begun_before_and_none_begun_after(make_lab, make_client, how):
    """S9: at the next request, also after a restart and a kill."""
    lab = make_lab()
    here, there, other = make_client(lab), make_client(lab), make_client(lab)
    sign_in(here, FIRST)
    sign_in(there, SECOND)
    sign_in(other, FIRST, name="bob")
    file = lab.settings_file.parent / "users" / "alice.yaml"
    kept = file.read_text()
    if how == "expired":
        assert run("user", "expire", "alice", "-c", lab.settings_file).returncode == 0
    elif how == "new password":
        assert run("user", "passwd", "alice", "-c", lab.settings_file, input="another one\n").returncode == 0
    else:
        file.unlink()
        lab.restart()
    lab.wait_for(lambda: not signed_in_with(here, here.cookie()))
    lab.kill()
    lab.start()
    assert not signed_in_with(there, there.cookie()) and signed_in_with(other, other.cookie())
    if how == "removed":
        file.write_text(kept)
        file.chmod(0o600)
        lab.restart()
    password = "another one" if how == "new password" else None
    assert here.post("/adfs/ls/", credentials(lab, password=password), request_for(FIRST)).status == 302
    assert signed_in_with(here, here.cookie())


def test_a_time_in_a_users_file_ends_what_began_before_it_and_must_be_one(make_lab, make_client):
    """S9: written by hand, as by `lanyard user expire`."""
    lab = make_lab()
    client = make_client(lab)
    sign_in(client, FIRST)
    file = lab.settings_file.parent / "users" / "alice.yaml"
    kept = file.read_text()
    for when, holds in (("2020-01-01T00:00:00Z", True), ("2020-01-01T00:00:00+02:00", True), ("2099-12-31T00:00:00Z", False)):
        file.write_text(f"{kept}sessions_valid_from: {when}\n")
        assert run("check", "-c", lab.settings_file).returncode == 0
        lab.restart()
        assert signed_in_with(client, client.cookie()) == holds, when
    file.write_text(f"{kept}sessions_valid_from: yesterday\n")
    refused = run("check", "-c", lab.settings_file)
    assert refused.returncode == 1 and "sessions_valid_from" in refused.stderr


def test_a_session_that_began_with_a_certificate_lasts_as_long_as_that_is_good(make_lab, make_client):
    """S10, K12: on hold, good again, revoked, while a session of the same user by password goes on."""
    lab = make_lab("--no-loop-detection")
    by_certificate, by_password = make_client(lab), make_client(lab)
    assert is_token_page(sign_in_by_certificate(by_certificate, FIRST, of_user(lab.user())))
    sign_in(by_password, FIRST)
    cookie = by_certificate.cookie()
    assert signed_in_with(by_certificate, cookie)
    for reason, holds in (("certificateHold", False), ("removeFromCRL", True), ("keyCompromise", False)):
        revoked = run("cert", "revoke", "alice", "--reason", reason, "-c", lab.settings_file)
        assert revoked.returncode == 0, revoked.stderr
        lab.wait_for(lambda: signed_in_with(by_certificate, cookie) == holds, seconds=10)
        assert signed_in_with(by_password, by_password.cookie())
    lab.kill()
    lab.start()
    assert not signed_in_with(by_certificate, cookie) and signed_in_with(by_password, by_password.cookie())


@pytest.mark.parametrize("then", ["nobody", "another"])
def test_a_session_that_began_with_a_certificate_lasts_as_long_as_that_is_theirs(make_lab, make_client, then):
    """S10: the user's file named it; now it does not any more, or another one's does."""
    lab = make_lab("--no-loop-detection")
    client = make_client(lab)
    made = run("cert", "issue", "zoe", "--no-san", "--json", "-c", lab.settings_file)
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(Path(json.loads(made.stdout)["certificate"]).read_text())).hexdigest()
    files = {name: lab.settings_file.parent / "users" / f"{name}.yaml" for name in ("alice", "bob")}
    kept = {name: file.read_text() for name, file in files.items()}
    named = f"\ncertificates: ['sha256:{digest}']\n"
    files["alice"].write_text(kept["alice"] + named)
    lab.restart()
    assert is_token_page(sign_in_by_certificate(client, FIRST, Identity(lab.settings_file.parent / "certificates", "zoe")))
    assert signed_in_with(client, client.cookie())
    files["alice"].write_text(kept["alice"])
    if then == "another":
        files["bob"].write_text(kept["bob"] + named)
    lab.restart()
    assert not signed_in_with(client, client.cookie())


def test_a_cookie_of_another_lanyard_is_nobodys(make_lab, make_client):
    """S11: not even where both have the same users, keys and certificates, and one knows the other's cookies."""
    ours, other = make_lab(), make_lab()
    client, there = make_client(ours), make_client(other)
    sign_in(there, FIRST)
    sign_in(client, FIRST)
    assert signed_in_with(there, there.cookie()) and not signed_in_with(client, there.cookie())
    assert signed_in_with(client, client.cookie()) and not signed_in_with(there, client.cookie())
    assert [each["id"] for each in sessions(ours)] == [hashlib.sha256(client.cookie().encode()).hexdigest()]


# Keep me signed in -----------------------------------------------------------------------------

def kept_signed_in(client, lab, ticked=True):
    form = {**credentials(lab), **({"Kmsi": "true"} if ticked else {})}
    return client.post("/adfs/ls/", form, request_for(FIRST)).set_cookie[1]


def test_keep_me_signed_in_is_offered_and_believed_only_where_it_is_on(make_lab, make_client):
    lab = make_lab()
    client = make_client(lab)
    box = "//*[@id='kmsiArea'][not(@hidden)]//input[@id='kmsiInput'][@name='Kmsi'][@value='true'][@type='checkbox']"
    assert client.get("/adfs/ls/", request_for(FIRST)).page.xpath(box) == []
    assert "max-age" not in kept_signed_in(client, lab)
    set_setting(lab.settings_file, "kmsi_enabled", "true")
    set_setting(lab.settings_file, "kmsi_lifetime", 1440)
    lab.restart()
    client.forget()
    assert len(client.get("/adfs/ls/", request_for(FIRST)).page.xpath(box)) == 1
    assert "max-age" not in kept_signed_in(client, lab, ticked=False)
    attributes = kept_signed_in(client, lab)
    assert attributes == {"path": "/", "secure": True, "httponly": True, "samesite": "None", "max-age": str(1440 * 60)}


def test_whoever_is_kept_signed_in_is_so_for_that_setting_and_others_for_theirs(make_lab, make_client):
    """S7 for both lifetimes."""
    lab = make_lab()
    set_setting(lab.settings_file, "kmsi_enabled", "true")
    lab.restart()
    kept, plain = make_client(lab), make_client(lab)
    kept_signed_in(kept, lab)
    kept_signed_in(plain, lab, ticked=False)
    for offset, holds in (("+7h", (True, True)), ("+9h", (True, False)), ("+1438m", (True, False)), ("+1441m", (False, False))):
        lab.move_clock(offset)
        # curl's own jar forgets what has run out, too, by the machine's clock: the cookies are sent by hand
        assert (signed_in_with(kept, kept.cookie()), signed_in_with(plain, plain.cookie())) == holds, offset


# The operator's view ---------------------------------------------------------------------------

def sessions(lab):
    answer = run("session", "list", "--json", "-c", lab.settings_file)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)["sessions"]


def test_sessions_are_listed_with_whose_they_are_and_for_whom(make_lab, make_client):
    lab = make_lab()
    client, other = make_client(lab), make_client(lab)
    assert sessions(lab) == []
    sign_in(client, FIRST)
    assert is_token_page(client.get("/adfs/ls/", request_for(SECOND)))
    sign_in(other, SECOND, name="bob")
    first, second = sessions(lab)
    assert (first["user"], first["method"], first["relying_parties"]) == ("alice", "password", [FIRST, SECOND])
    assert (second["user"], second["relying_parties"]) == ("bob", [SECOND])
    assert re.fullmatch(r"[0-9a-f]{64}", first["id"]) and client.cookie() not in (first["id"], second["id"])
    assert first["signed_in_at"] < first["expires_at"]
    shown = run("session", "list", "-c", lab.settings_file).stdout
    assert re.search(rf"^{first['id'][:12]}  alice +password +20\S+Z 20\S+Z {FIRST}, {SECOND}$", shown, re.M), shown


def test_a_session_is_ended_by_its_id_while_the_server_runs(make_lab, make_client):
    lab = make_lab()
    client, other = make_client(lab), make_client(lab)
    sign_in(client, FIRST)
    sign_in(other, FIRST)
    before = {each["id"] for each in sessions(lab)}
    assert run("session", "end", sorted(before)[0][:8], "-c", lab.settings_file).returncode == 0
    assert {each["id"] for each in sessions(lab)} == {sorted(before)[1]}
    assert [signed_in_with(each, each.cookie()) for each in (client, other)].count(True) == 1


def test_all_sessions_of_a_user_and_all_there_are_can_be_ended(make_lab, make_client):
    lab = make_lab()
    clients = {name: make_client(lab) for name in ("alice", "bob")}
    for name, client in clients.items():
        sign_in(client, FIRST, name=name)
    assert run("session", "end", "--user", "ALICE@lab.test", "-c", lab.settings_file).returncode == 0
    assert [each["user"] for each in sessions(lab)] == ["bob"]
    assert not signed_in_with(clients["alice"], clients["alice"].cookie())
    assert signed_in_with(clients["bob"], clients["bob"].cookie())
    assert run("session", "end", "--all", "-c", lab.settings_file).returncode == 0
    assert sessions(lab) == [] and not signed_in_with(clients["bob"], clients["bob"].cookie())


@pytest.mark.parametrize("words", [[], ["12345"], ["1234567"], ["123456", "--all"], ["--all", "--user", "alice"],
                                   ["--user", "alicce"]], ids=" ".join)
def test_an_unclear_end_of_a_session_is_refused_and_ends_none(make_lab, make_client, words):
    lab = make_lab()
    client = make_client(lab)
    sign_in(client, FIRST)
    refused = run("session", "end", *words, "-c", lab.settings_file)
    assert refused.returncode in (1, 2) and refused.stderr
    assert signed_in_with(client, client.cookie())


def test_a_lab_that_was_never_served_has_no_sessions_and_gets_no_state_file(made):
    listed = run("session", "list", "-c", made / "lanyard.yaml")
    assert listed.returncode == 0 and listed.stdout == "" and listed.stderr == "Nobody is signed in.\n"
    assert run("session", "end", "--all", "-c", made / "lanyard.yaml").returncode == 0
    assert not (made / "state.db").exists()


# Kills -----------------------------------------------------------------------------------------

SERVER_KILLS = 20


class Visitor(threading.Thread):
    """Signs in and out until the server is gone, and knows what it was told last."""

    def __init__(self, client, name):
        super().__init__()
        self.client, self.name_of_user = client, name
        self.open, self.ended = [], []
        self.stopping = threading.Event()

    def run(self):
        try:
            while not self.stopping.is_set():
                self.client.forget()
                answer = self.client.post("/adfs/ls/", credentials(self.client.lab, self.name_of_user), request_for(FIRST))
                cookie = answer.set_cookie[0]
                self.open.append(cookie)
                if random.random() < 0.6:
                    self.open.remove(cookie)  # from now on either is right, until the answer has come
                    self.client.get("/adfs/ls/", {"wa": "wsignout1.0"})
                    self.ended.append(cookie)
        except subprocess.CalledProcessError:
            pass  # the server was killed in the middle of it


def test_kills_while_sessions_begin_and_end_lose_no_session_and_bring_none_back(make_lab, make_client):
    """S6, G4: what the browser was told is true after every kill. (Two hundred more kills, of the state file's
    writer, are in test_server_state.c.)"""
    lab = make_lab("--no-loop-detection")
    checked = {True: 0, False: 0}
    for _ in range(SERVER_KILLS):
        visitors = [Visitor(make_client(lab), name) for name in ("alice", "bob")]
        for visitor in visitors:
            visitor.start()
        time.sleep(random.uniform(0.05, 0.6))
        lab.kill()
        for visitor in visitors:
            visitor.stopping.set()
            visitor.join()
        lab.start()
        for visitor in visitors:
            for cookies, holds in ((visitor.open, True), (visitor.ended, False)):
                for cookie in cookies[-3:]:
                    assert signed_in_with(visitor.client, cookie) == holds
                    checked[holds] += 1
    assert min(checked.values()) > 5, checked


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
