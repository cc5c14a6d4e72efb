"""Lock-out: strangers who guess are stopped, honest users are not (security.md P1-P5, P9; that nothing of it shows in
the time an answer takes is in test_passwords.py, networks of IPv6 and sixty thousand names are in test_server_lockout.c).

The tests' strangers come from addresses of their own in 127/8, which is all one machine has.
"""
import json
import re
import time

import pytest

from conftest import FIRST
from support.certificates import at
from support.lab import free_port, run
from support.settings import set_setting
from support.sign_in import is_sign_in_page, request_for
from support.wstrust import ask_by_certificate, message, path, post

THRESHOLD = 5
STRANGER = "127.0.0.66"
WRONG = "Incorrect user ID or password. Type the correct user ID and password, and try again."


@pytest.fixture
def make_strict(make_lab):
    """Serves labs with a low threshold and no limit for addresses unless there is one to be tested."""
    def make(*arguments, **more):
        lab = make_lab(*arguments)
        for key, value in {"extranet_lockout_threshold": THRESHOLD, "extranet_lockout_threshold_familiar_location": THRESHOLD,
                           "extranet_lockout_threshold_address": 100000, **more}.items():
            set_setting(lab.settings_file, key, value)
        lab.restart()
        return lab
    return make


def try_password(client, typed, password, address=STRANGER):
    """One attempt from that address, without cookies: what a script of a stranger would do."""
    client.forget()
    form = {"UserName": typed, "Password": password, "AuthMethod": "FormsAuthentication"}
    return client.post("/adfs/ls/", form, request_for(FIRST), "--interface", address)


def signs_in(client, lab, name="alice", address=STRANGER):
    return try_password(client, lab.upn(name), lab.user(name)["password"], address).status == 302


def lock_out(client, lab, name="alice", address=STRANGER):
    for _ in range(THRESHOLD):
        assert is_sign_in_page(try_password(client, lab.upn(name), "wrong", address))


def listed(lab, name="alice"):
    answer = run("user", "list", "--json", "-c", lab.settings_file)
    assert answer.returncode == 0, answer.stderr
    return next(user for user in json.loads(answer.stdout)["users"] if user["name"] == name)


def without_what_must_differ(answer, name):
    text = answer.text.replace(name, "NAME")
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", text)


def test_a_stranger_is_locked_out_and_the_user_is_not(make_strict, make_client):
    """P2: from the address that the user signed in from before, the right password goes on working."""
    lab = make_strict()
    client = make_client(lab)
    assert signs_in(client, lab, address="127.0.0.1")
    lock_out(client, lab)
    assert not signs_in(client, lab) and not signs_in(client, lab, address="127.0.0.67")
    assert signs_in(client, lab, address="127.0.0.1")
    assert signs_in(client, lab, "bob"), "others are not touched"


def test_who_is_locked_out_is_answered_like_a_wrong_password_and_the_log_says_until_when(make_strict, make_client):
    """P1: page, status and headers of the right password, a wrong one, and a user that nobody is."""
    lab = make_strict()
    client = make_client(lab)
    before = try_password(client, lab.upn(), "wrong")
    lock_out(client, lab)
    answers = {"locked": try_password(client, lab.upn(), lab.user()["password"]), "wrong": before,
               "locked and wrong": try_password(client, lab.upn(), "wrong"),
               "nobody": try_password(client, "nobod@lab.test", "wrong")}
    seen = {}
    for case, answer in answers.items():
        assert answer.text_of("errorText") == WRONG and answer.set_cookie is None
        fixed = [(name, value) for name, value in answer.headers if name.lower() not in ("date", "content-length")]
        seen[case] = (answer.status, fixed, without_what_must_differ(answer, "nobod" if case == "nobody" else "alice"))
    assert seen["locked"] == seen["wrong"] == seen["locked and wrong"] == seen["nobody"]
    reasons = [event["why"] for event in lab.events() if event["event"] == "sign-in" and event["adfs_id"] == 1210]
    assert any(re.match(r"wrong password; locked until 20\d\d-\S+Z: too many wrong passwords", why) for why in reasons)
    assert any(re.match(r"locked until 20\d\d-\S+Z: too many wrong passwords", why) for why in reasons)


def test_however_the_name_is_spelt_one_user_is_counted(make_strict, make_client):
    """P5: case, DOMAIN\\user and user@domain; blanks and look-alikes are nobody, and get nowhere."""
    lab = make_strict()
    client = make_client(lab)
    for typed in ("alice@lab.test", "LAB\\alice", "ALICE@LAB.TEST", "lab\\ALICE", "Alice@lab.test"):
        assert is_sign_in_page(try_password(client, typed, "wrong"))
    for typed in ("alice@lab.test", "LAB\\alice", "ALICE@LAB.TEST", " alice@lab.test", "alice@lab.test ", "\u0430lice@lab.test"):
        assert is_sign_in_page(try_password(client, typed, lab.user()["password"])), typed
    assert listed(lab)["failures"] == THRESHOLD


UNICODE = {"j\u00f6rg@lab.test": True, "J\u00d6RG@LAB.TEST": True, "LAB\\jorg": True, "lab\\JORG": True,
           "jo\u0308rg@lab.test": False, "j\uff4frg@lab.test": False, "jorg@lab.test": False, "j\u00f6\u200brg@lab.test": False,
           "j\u00f6rg@lab.test\u00a0": False, "j\u00f6rg@lab.test.": False, "lab.test\\jorg": False, "LAB\\j\u00f6rg": False,
           "LAB\\jorg@lab.test": False, ".\\jorg": False, "j\u00f6rg@\u217c\u1d43\u1d47.test": False}


def test_a_spelling_in_unicode_is_the_users_and_counted_or_nobodys_and_worth_nothing(make_strict, make_client):
    """P5: composed and decomposed, wide, without its marks, with what is not seen; an account name and a UPN that
    differ in more than the domain."""
    lab = make_strict()
    added = run("user", "add", "jorg", "--upn", "j\u00f6rg@lab.test", "--mail", "jorg@lab.test", "-c", lab.settings_file)
    assert added.returncode == 0, added.stderr
    password = added.stdout.split()[-1]
    lab.restart()
    client, is_theirs, counted = make_client(lab), {}, {}
    for typed in UNICODE:
        is_theirs[typed] = try_password(client, typed, password).status == 302
        before = listed(lab, "jorg")["failures"]
        assert is_sign_in_page(try_password(client, typed, "wrong"))
        counted[typed] = listed(lab, "jorg")["failures"] > before
    assert is_theirs == UNICODE and counted == UNICODE
    for typed in [typed for typed in UNICODE if UNICODE[typed]] * 2:
        assert is_sign_in_page(try_password(client, typed, "wrong"))
    assert listed(lab, "jorg")["locked_until"] or listed(lab, "jorg")["familiar_locked_until"]
    assert [typed for typed in UNICODE if try_password(client, typed, password).status == 302] == []


def test_every_place_that_takes_a_password_counts_into_one(make_strict, make_client):
    """P9: one wrong password at each in turn; then none of them takes the right one."""
    lab = make_strict("--extranet-port", free_port())
    client = make_client(lab)
    assert try_password(client, lab.upn("bob"), lab.user("bob")["password"]).status == 302

    def by_form(password, origin="main"):
        client.forget()
        form = {"UserName": lab.upn(), "Password": password, "AuthMethod": "FormsAuthentication"}
        return client.post(at(lab, origin, FIRST), form, None, "--interface", STRANGER).status == 302

    def by_message(password, version):
        body = message(version, FIRST, user={"name": lab.upn(), "password": password})
        return "RequestedSecurityToken" in post(client, path(version), body, options=["--interface", STRANGER]).text

    ways = [by_form, lambda password: by_form(password, "extranet"), lambda password: by_message(password, "2005"),
            lambda password: by_message(password, "13")]
    for n in range(THRESHOLD):
        assert not ways[n % len(ways)]("wrong")
        assert listed(lab)["failures"] == n + 1
    assert [way(lab.user()["password"]) for way in ways] == [False] * len(ways)
    assert run("user", "unlock", "alice", "-c", lab.settings_file).returncode == 0
    assert [way(lab.user()["password"]) for way in ways] == [True] * len(ways), "each does take it otherwise"


def test_the_counters_survive_a_restart_and_a_kill(make_strict, make_client):
    """P5: a few before, a few after."""
    lab = make_strict()
    client = make_client(lab)
    for end in (lab.kill, lab.stop, lab.kill):
        assert is_sign_in_page(try_password(client, lab.upn(), "wrong"))
        end()
        lab.start()
    assert listed(lab)["failures"] == 3
    for _ in range(THRESHOLD - 3):
        try_password(client, lab.upn(), "wrong")
    assert not signs_in(client, lab)
    lab.kill()
    lab.start()
    assert not signs_in(client, lab)


def test_a_lock_out_ends_by_itself(make_strict, make_client):
    lab = make_strict(extranet_observation_window=30)
    client = make_client(lab)
    lock_out(client, lab)
    lab.move_clock("+29m")
    assert not signs_in(client, lab)
    lab.move_clock("+31m")
    assert signs_in(client, lab)


def test_one_password_over_many_users_stops_its_address_and_nobody_else(make_strict, make_client):
    """P4: users behind the same address for whom it is familiar go on, too."""
    limit = 20
    lab = make_strict(extranet_lockout_threshold_address=limit)
    client = make_client(lab)
    assert signs_in(client, lab, "bob")
    for n in range(limit):
        assert is_sign_in_page(try_password(client, f"user{n}@lab.test", "Winter2026"))
    assert not signs_in(client, lab), "alice is new at the sprayer's address"
    assert signs_in(client, lab, "bob") and signs_in(client, lab, address="127.0.0.1")
    why = lab.event_where(event="sign-in", adfs_id=1210)["why"]
    assert "for whatever users, from this address" in why
    assert run("user", "unlock", "--address", STRANGER, "-c", lab.settings_file).returncode == 0
    assert signs_in(client, lab)


def test_a_user_is_unlocked_by_one_command_and_the_list_shows_it(make_strict, make_client):
    lab = make_strict()
    client = make_client(lab)
    assert listed(lab)["last_sign_in"] is None and listed(lab)["locked_until"] is None
    lock_out(client, lab)
    user = listed(lab)
    assert user["failures"] == THRESHOLD and re.fullmatch(r"20\d\d-\d\d-\d\dT.*Z", user["locked_until"])
    assert re.search(rf"^alice .* {THRESHOLD} +20\d\d-", run("user", "list", "-c", lab.settings_file).stdout, re.M)
    assert run("user", "unlock", "alice", "-c", lab.settings_file).returncode == 0
    assert listed(lab)["failures"] == 0 and listed(lab)["locked_until"] is None
    assert signs_in(client, lab)
    assert listed(lab)["last_sign_in"]


def test_a_sign_in_by_certificate_is_a_last_sign_in_too_and_lifts_no_lock_out(make_strict, make_client):
    lab = make_strict()
    client = make_client(lab)
    lock_out(client, lab)
    assert "RequestedSecurityToken" in ask_by_certificate(client, "2005", FIRST).text
    assert listed(lab)["last_sign_in"] and listed(lab)["failures"] == THRESHOLD
    assert not signs_in(client, lab) and signs_in(client, lab, address="127.0.0.1")


@pytest.mark.parametrize("words", [["unlock"], ["unlock", "nobody"], ["unlock", "--address", "here"], ["expire"],
                                   ["expire", "nobody"]], ids=" ".join)
def test_a_command_that_cannot_be_done_is_refused(made, words):
    refused = run("user", *words, "-c", made / "lanyard.yaml")
    assert refused.returncode in (1, 2) and refused.stderr
    assert not (made / "state.db").exists()


@pytest.mark.parametrize("typed", ["alice", "ALICE", "alice@lab.test", "lab\\Alice"])
def test_a_command_takes_the_name_that_its_user_types_to_sign_in(made, typed):
    for word in ("unlock", "expire", "passwd", "disable"):
        done = run("user", word, typed, "-c", made / "lanyard.yaml", input="another one\n")
        assert done.returncode == 0 and "alice" in done.stderr and typed not in done.stderr.replace("alice", ""), done.stderr
    wrong = run("user", "expire", "alicce", "-c", made / "lanyard.yaml")
    assert wrong.returncode == 1 and wrong.stderr == 'lanyard: there is no user "alicce"; did you mean alice?\n'


def test_it_can_be_switched_off(make_strict, make_client):
    lab = make_strict(enable_extranet_lockout="false")
    client = make_client(lab)
    for _ in range(2):
        lock_out(client, lab)
    assert signs_in(client, lab)


def test_a_new_lab_locks_out_and_a_flag_stops_that(make_lab, make_client):
    for arguments, holds in (((), True), (("--no-lockout",), False)):
        lab = make_lab(*arguments)
        client = make_client(lab)
        for _ in range(15):
            try_password(client, lab.upn(), "wrong")
        assert signs_in(client, lab) != holds


def test_honest_users_see_nothing_of_an_attack_on_all_of_them(make_strict, make_client):
    """P3: strangers from a hundred addresses at every account, while its owner signs in from home."""
    lab = make_strict(extranet_lockout_threshold_address=50)
    client, owner = make_client(lab), make_client(lab)
    for name in ("alice", "bob"):
        assert signs_in(owner, lab, name, "127.0.0.1")
    began = time.perf_counter()
    tries = seen = 0
    for n in range(100):
        for name in ("alice", "bob"):
            assert is_sign_in_page(try_password(client, lab.upn(name), f"guess{n}", f"127.0.{1 + n // 10}.{1 + n % 10}"))
            tries += 1
        if n % 10 == 9:
            for name in ("alice", "bob"):
                assert signs_in(owner, lab, name, "127.0.0.1")
                seen += 1
    print(f"{tries} wrong passwords in {time.perf_counter() - began:.1f} s; {seen} honest sign-ins, none refused")
    looked_at = [event for event in lab.events() if event["event"] == "sign-in" and event["outcome"] == "refused"
                 and not event["why"].startswith("locked")]
    assert len(looked_at) == 2 * THRESHOLD, "so many passwords were looked at, and no more"
