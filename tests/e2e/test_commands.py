"""Every command, its exit status (0 yes, 1 no, 2 usage or unreadable), and what signals do."""
import json
import os
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import FIRST, FIRST_REPLY, SECOND
from support.lab import FREE_PORTS, IS_SANITIZED, LANYARD, Lab, environment, free_port, run
from support.settings import party, set_setting, write_parties
from support.sign_in import TokenPage, credentials, is_sign_in_page, is_token_page, request_for, sign_in
from support.tokens import Token

COMMANDS = ["up", "init", "serve", "check", "user add", "user passwd", "user list", "user disable"]


# Help and usage --------------------------------------------------------------------------------

def test_help_names_every_command_and_exits_well():
    told = run("--help")
    assert told.returncode == 0 and told.stderr == ""
    assert [command for command in COMMANDS if f"  {command}" not in told.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_its_options(command):
    told = run(*command.split(), "--help")
    assert told.returncode == 0 and told.stdout.startswith(f"Usage: lanyard {command}")


def test_the_flags_of_the_contract_are_in_the_help():
    addresses = ["--host", "--listen", "--port", "--certificate-port", "--plain-port", "--adfs-ports", "--clock"]
    serving = ["--rp", "--json", "--log", "--no-loop-detection"]
    for command, flags in (("init", addresses), ("up", addresses + serving), ("serve", addresses + serving)):
        text = run(command, "--help").stdout
        assert [flag for flag in flags if not re.search(rf"{flag}\b", text)] == [], command


def test_the_version_is_one_line():
    told = run("--version")
    assert told.returncode == 0 and re.fullmatch(r"lanyard \d+\.\d+\.\d+\n", told.stdout)


@pytest.mark.parametrize("words", [[], ["sing"], ["user"], ["user", "dance"], ["init"], ["init", "a", "b"], ["up", "--prot", "1"],
                                   ["up", "--port"], ["serve", "-c", "/nowhere/lanyard.yaml"],
                                   ["check", "-c", "/nowhere/lanyard.yaml"], ["user", "add", "-c", "/nowhere/lanyard.yaml"],
                                   ["up", "--json=yes"], ["--nonsense"]], ids=" ".join)
def test_a_command_line_that_makes_no_sense_is_two(words, tmp_path):
    told = run(*words, cwd=tmp_path)
    assert told.returncode == 2, told.stderr
    assert told.stderr and told.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("typed, meant", [(["chekc"], "check"), (["up", "--prot", "1"], "--port"), (["user", "ad"], "user add")])
def test_a_typing_error_is_met_with_the_nearest_word(typed, meant):
    assert f"did you mean" in run(*typed).stderr and meant in run(*typed).stderr


@pytest.mark.parametrize("typed", [["cert"], ["cert", "frobnicate"]])
def test_a_noun_alone_is_met_with_its_verbs(typed):
    first = run(*typed).stderr.partition("\n")[0]
    assert '"cert issue", "cert revoke", "cert list", "cert verify"' in first and "crl" not in first


@pytest.mark.parametrize("noun", sorted({command.split()[0] for command in COMMANDS if " " in command} | {"ca", "cert", "rules", "show"}))
def test_the_help_of_a_noun_is_its_verbs(noun):
    told = run(noun, "--help")
    assert told.returncode == 0 and told.stderr == ""
    lines = told.stdout.splitlines()
    assert len(lines) > 1 and [line for line in lines if not line.startswith(f"  {noun} ")] == []


@pytest.mark.parametrize("words", [["frobnicate", "--help"], ["cert", "frobnicate", "--help"]], ids=" ".join)
def test_there_is_no_help_for_what_is_no_command(words):
    told = run(*words)
    assert told.returncode == 2 and f'there is no command "{" ".join(words[:-1])}"' in told.stderr and told.stdout == ""


@pytest.mark.parametrize("command", ["cert issue", "proxy add"])
def test_meanings_stand_in_one_column(command):
    """An option too long for its column has a line of its own."""
    options = run(*command.split(), "--help").stdout.partition("Options:\n")[2].splitlines()
    assert {len(re.match(r"  (-\S+( \S+)?)? +", line)[0]) for line in options if not re.fullmatch(r"  (-\S+ \S+)", line)} == {27}


def test_a_upn_that_is_no_mail_address_needs_one_beside_it(made):
    told = run("user", "add", "joerg", "--upn", "jörg@lab.test", "-c", made / "lanyard.yaml")
    assert told.returncode == 2 and "--mail" in told.stderr and not (made / "users" / "joerg.yaml").exists()
    assert run("user", "add", "joerg", "--upn", "jörg@lab.test", "--mail", "joerg@lab.test", "-c", made / "lanyard.yaml").returncode == 0


NEW_PARTY = ["rp", "add", "X", "--realm", "urn:x", "--url", "https://x.test/"]
NONSENSE = [["ca", "add", "X", "nowhere.pem"], ["ca", "add", "X", "rubbish"], ["ca", "add", "X", "."], ["ca", "add", "", "lab/pki/root.pem"],
            ["ca", "add", "X", "lab/pki/root.pem", "--type", "leaf"], ["ca", "set", "lanyard lab root CA", "--crl", "word"],
            ["rp", "add", "X", "--metadata", "nowhere.xml"], ["rp", "add", "X", "--metadata", "."],
            [*NEW_PARTY, "--token-type", "saml3"], [*NEW_PARTY, "--token-lifetime", "soon"], [*NEW_PARTY, "--signature-algorithm", "md5"],
            [*NEW_PARTY, "--encryption-certificate", "nowhere.pem"],
            [*NEW_PARTY, "--encryption-certificate", "."], [*NEW_PARTY, "--authorization-rules", "."], ["cert", "verify", "."], [*NEW_PARTY, "--transform-rules", "nowhere.rules"],
            ["rp", "add", "X", "--realm", "a b", "--url", "https://x.test/"], ["rp", "add", "X", "--realm", "urn:x", "--url", "x.test"],
            ["rp", "add", "", "--realm", "urn:x", "--url", "https://x.test/"],
            ["user", "add", "zoe", "--upn", "zoe"], ["user", "add", "zoe", "--mail", "a b"], ["user", "list", "-c", "."],
            ["cert", "revoke", "alice", "--reason", "bored"], ["serve", "--port", "many"], ["serve", "--log", "loud"],
            ["check", "--rp", "word"], ["init", "new", "--listen", "word"], ["init", "new", "--host", "a b"], ["up", "new", "--log", "loud"],
            ["init", ""]]


@pytest.mark.parametrize("words", NONSENSE, ids=" ".join)
def test_a_value_that_makes_no_sense_is_two_and_leaves_nothing_behind(made, tmp_path, words):
    (tmp_path / "rubbish").write_text("rubbish\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    told = run(*words, cwd=tmp_path, env={} if "-c" in words else {"LANYARD_CONFIG": str(made / "lanyard.yaml")})
    assert told.returncode == 2 and told.stderr and told.stdout == "", told
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_bad_flag_beside_a_bad_file_is_one(made):
    settings = made / "lanyard.yaml"
    assert run("check", "-c", settings, "--rp", "word").returncode == 2
    set_setting(settings, "sso_lifetime", "soon")
    assert run("check", "-c", settings, "--rp", "word").returncode == 1


# init and up -----------------------------------------------------------------------------------

def test_init_makes_a_lab_that_check_finds_good(made):
    checked = run("check", "-c", made / "lanyard.yaml")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(run("check", "-c", made / "lanyard.yaml", "--json").stdout) == {"problems": []}


def test_init_keeps_a_lab_that_is_there(made):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    again = run("init", made, *FREE_PORTS)
    assert again.returncode == 0
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_init_takes_an_empty_folder_and_leaves_a_strangers_alone(tmp_path):
    (tmp_path / "empty").mkdir()
    assert run("init", tmp_path / "empty", *FREE_PORTS).returncode == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("mine")
    refused = run("init", tmp_path / "full", *FREE_PORTS)
    assert refused.returncode in (1, 2) and "full" in refused.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter"]


def test_init_writes_down_the_ports_it_drew(first_made):
    text = (first_made / "lanyard.yaml").read_text()
    ports = [int(re.search(rf"^{key}:\s*(\d+)", text, re.M).group(1)) for key in ("port", "certificate_port", "plain_port")]
    assert len(set(ports)) == 3 and all(port >= 1024 for port in ports)


def test_up_without_serving_makes_the_lab_says_what_it_holds_and_ends(tmp_path):
    made = run("up", tmp_path / "lab", "--no-serve", *FREE_PORTS)
    assert made.returncode == 0, made.stderr
    said = made.stdout + made.stderr
    port = re.search(r"^port:\s*(\d+)", (tmp_path / "lab" / "lanyard.yaml").read_text(), re.M).group(1)
    passwords = dict(line.split() for line in (tmp_path / "lab" / "first-passwords").read_text().splitlines())
    assert set(passwords) == {"alice", "bob"}
    for part in (f"https://localhost:{port}", "alice@lab.test", "bob@lab.test", "root.pem", *passwords.values()):
        assert part in said, part
    assert run("up", tmp_path / "lab", "--no-serve").returncode == 0


@pytest.mark.parametrize("parties", [[], ["--rp", f"{FIRST}={FIRST_REPLY}"]], ids=["alone", "with a relying party"])
def test_up_tells_people_where_who_and_what_to_try_and_its_curl_line_works(made, parties):
    """The line is pasted into a shell as it stands; with a relying party it brings a token."""
    process = subprocess.Popen([LANYARD, "up", str(made), *parties], stderr=subprocess.PIPE, text=True,
                               stdout=subprocess.DEVNULL, env=environment())
    said = ""
    try:
        while "Ctrl-C" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        passwords = dict(line.split() for line in (made / "first-passwords").read_text().splitlines())
        for part in ("https://localhost:", "alice@lab.test", "bob@lab.test", *passwords.values(), "root.pem", "try"):
            assert part in said, part
        command = re.search(r"^ *(curl .*?[^\\])$", said, re.M | re.S)
        assert command, said
        pasted = subprocess.run(["sh", "-c", command.group(1)], capture_output=True, text=True, timeout=30,
                                cwd=made.parent, check=False)
        assert pasted.returncode == 0 and pasted.stdout, pasted.stderr
        assert not parties or "wresult" in pasted.stdout and "alice" in pasted.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=20)[1]
    assert process.returncode == 0, rest


def test_two_servers_of_one_lab_are_one_too_many(fresh_lab):
    second = run("serve", "-c", fresh_lab.settings_file)
    assert second.returncode == 1 and str(fresh_lab.process.pid) in second.stderr


def test_a_port_that_is_taken_is_named(made):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run("serve", "-c", made / "lanyard.yaml", "--port", port)
    assert refused.returncode == 1 and str(port) in refused.stderr


# The ready line --------------------------------------------------------------------------------

def test_the_ready_line_has_the_names_that_scripts_depend_on(lab):
    assert {"ready", "pid", "main", "certificate", "plain", "issuer", "lab", "root_certificate", "issuing_certificate",
            "chain", "signing_certificate", "api_key", "users", "relying_parties"} <= set(lab.ready)
    assert lab.ready["ready"] is True and lab.ready["pid"] == lab.process.pid
    assert re.fullmatch(r"https://localhost:\d+", lab.main) and re.fullmatch(r"http://localhost:\d+", lab.plain)
    for user in lab.ready["users"]:
        assert set(user) == {"name", "password", "certificate", "key", "pkcs12", "pkcs12_password"}
    assert {"alice@lab.test", "bob@lab.test"} == {user["name"] for user in lab.ready["users"]}
    parties = {each["realm"]: each for each in lab.ready["relying_parties"]}
    assert {"name", "realm", "reply"} <= set(parties[FIRST]) and parties[FIRST]["reply"] == "https://first.test/wsfed/"
    files = [lab.ready[name] for name in ("lab", "root_certificate", "chain")] + [user["key"] for user in lab.ready["users"]]
    assert all(os.path.isabs(path) and os.path.exists(path) for path in files)


def test_an_existing_lab_is_ready_in_well_under_a_hundred_milliseconds(fresh_lab):
    times = []
    for _ in range(5):
        fresh_lab.stop()
        began = time.perf_counter()
        fresh_lab.start()
        times.append(time.perf_counter() - began)
    if not IS_SANITIZED:
        assert min(times) < 0.1, times


def test_a_changed_password_is_null_in_the_ready_line(fresh_lab):
    """decision 32"""
    assert fresh_lab.user("bob")["password"]
    assert run("user", "passwd", "bob", "-c", fresh_lab.settings_file, input="another password\n").returncode == 0
    fresh_lab.restart()
    assert fresh_lab.user("bob")["password"] is None and fresh_lab.user("alice")["password"]


# check -----------------------------------------------------------------------------------------

def test_check_names_every_problem_at_once_with_file_line_column_and_cure(made):
    settings = made / "lanyard.yaml"
    lines = settings.read_text().partition("\nrelying_party_trusts:")[0].splitlines()
    lines += ["prot: 8443", "sso_lifetime: soon", "log: xml", "relying_party_trusts:",
              "  - name: One", "    identifiers: [urn:one]", "    wsfed_endpoint: nowhere", "    token_lifetim: 5"]
    settings.write_text("\n".join(line for line in lines if not line.startswith("sso_lifetime: 480")) + "\n")
    checked = run("check", "-c", settings, "--json")
    assert checked.returncode == 1
    problems = json.loads(checked.stdout)["problems"]
    found = {json.dumps(problem): problem for problem in problems}
    numbers = {word: number for number, line in enumerate(settings.read_text().splitlines(), 1)
               for word in ("prot:", "sso_lifetime: soon", "log: xml", "nowhere", "token_lifetim:") if word in line}
    for word, expected in (("prot", "prot:"), ("soon", "sso_lifetime: soon"), ("xml", "log: xml"), ("nowhere", "nowhere"),
                           ("token_lifetim", "token_lifetim:")):
        fitting = [problem for text, problem in found.items() if word in problem["found"]]
        assert len(fitting) == 1, (word, problems)
        problem = fitting[0]
        assert problem["file"] == str(settings) and problem["line"] == numbers[expected] and problem["column"] >= 1
        assert set(problem) == {"file", "line", "column", "found", "expected", "cure"}
    assert any("port" in (problem["cure"] or "") for problem in problems), "the nearest known key"
    assert any("token_lifetime" in (problem["cure"] or "") for problem in problems)
    plain = run("check", "-c", settings)
    assert plain.returncode == 1
    assert all(f"lanyard.yaml:{number}" in plain.stdout + plain.stderr for number in numbers.values())


@pytest.mark.parametrize("rule, word", [
    ('c:[Type == "x"] issue(claim = c);', "=>"),
    ('=> issue(store = "Nowhere", types = ("x"), query = "y");', "Nowhere"),
    ('=> issue(Type = "a", Value = Frobnicate("b"));', "Frobnicate")])
def test_a_rule_that_is_not_understood_is_a_clear_error_at_start(made, rule, word):
    (made / "rules" / "broken.rules").write_text(f"\n{rule}\n")
    write_parties(made / "lanyard.yaml", [party("Own", "urn:own", "https://own.test/",
                                                issuance_transform_rules="rules/broken.rules")])
    for command in ("check", "serve"):
        refused = run(command, "-c", made / "lanyard.yaml")
        assert refused.returncode == 1
        said = refused.stdout + refused.stderr
        assert "broken.rules:2" in said and word in said, said


def test_check_finds_a_broken_user_file_and_a_missing_key_in_one_go(made):
    (made / "users" / "eve.yaml").write_text("sAMAccountName: [eve]\nenabled: perhaps\n")
    (made / "pki" / "signing.key").unlink()
    checked = run("check", "-c", made / "lanyard.yaml")
    said = checked.stdout + checked.stderr
    assert checked.returncode == 1 and "eve.yaml" in said


@pytest.mark.parametrize("text", ["lab: [", "\t- x: 1\n", "- 1\n- 2\n", "port: 1\nport: 2\n", "a: &a [*a]\n", "\x00", "\xff"])
def test_a_file_that_is_no_settings_file_is_refused_without_a_crash(made, text):
    (made / "lanyard.yaml").write_bytes(text.encode("latin-1"))
    checked = run("check", "-c", made / "lanyard.yaml")
    assert checked.returncode in (1, 2) and "lanyard.yaml" in checked.stderr


# Settings: flags, then the environment, then the file -------------------------------------------

def test_a_flag_wins_over_the_environment_and_that_over_the_file(make_lab):
    lab = make_lab()
    lab.stop()
    in_file, in_environment, as_flag = lab.port(), free_port(), free_port()
    lab.start()
    assert lab.port() == in_file
    lab.stop()
    lab.env = {"LANYARD_PORT": str(in_environment)}
    lab.start()
    assert lab.port() == in_environment
    lab.stop()
    lab.start(["--port", str(as_flag)])
    assert lab.port() == as_flag


def test_a_bad_value_in_the_environment_is_named_by_its_variable(made):
    refused = run("serve", "-c", made / "lanyard.yaml", env={"LANYARD_SSO_LIFETIME": "soon"})
    assert refused.returncode == 2 and "LANYARD_SSO_LIFETIME" in refused.stderr


def test_adfs_ports_are_ad_fs_s_ports(made):
    """They may be taken on this machine: then it is those that are named."""
    process = subprocess.Popen([LANYARD, "serve", "-c", str(made / "lanyard.yaml"), "--adfs-ports", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=20)[1]
    if line:
        ready = json.loads(line)
        assert (ready["main"], ready["plain"]) == ("https://localhost", "http://localhost")
    else:
        assert process.returncode == 1 and re.search(r"\b(443|80|49443)\b", said)


def test_the_clock_can_be_set_by_flag_or_environment(make_lab, make_client):
    lab = make_lab()
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 100 * 86400))
    lab.move_clock(f"{day}T07:08:09Z")
    assert Token(TokenPage(sign_in(make_client(lab), FIRST)).wresult).valid_from.isoformat().startswith(f"{day}T07:08")
    lab.clock, lab.env = [], {"LANYARD_CLOCK": "+40d"}
    lab.restart()
    token = Token(TokenPage(sign_in(make_client(lab), FIRST)).wresult)
    assert token.valid_from.timestamp() - time.time() > 39 * 86400


def test_a_clock_that_makes_no_sense_is_refused(made):
    for setting in ("tomorrow", "+5", "5d", "2031-13-01T00:00:00Z", ""):
        assert run("serve", "-c", made / "lanyard.yaml", "--clock", setting).returncode in (1, 2), setting


# Users -----------------------------------------------------------------------------------------

def test_a_user_is_added_with_a_password_and_an_identity_and_can_sign_in(fresh_lab, make_client):
    added = run("user", "add", "carol", "-c", fresh_lab.settings_file)
    assert added.returncode == 0, added.stderr
    folder = Path(fresh_lab.ready["lab"])
    password = dict(line.split() for line in (folder / "first-passwords").read_text().splitlines())["carol"]
    assert password in added.stdout + added.stderr
    assert (folder / "users" / "carol.yaml").exists() and (folder / "certificates" / "carol.p12").exists()
    client = make_client(fresh_lab)
    fresh_lab.wait_for(lambda: client.post("/adfs/ls/", credentials(fresh_lab, "carol", password), request_for(FIRST)).status == 302)


def test_a_user_is_listed_and_disabled(fresh_lab, make_client):
    listed = run("user", "list", "-c", fresh_lab.settings_file)
    assert listed.returncode == 0 and "alice" in listed.stdout and "bob" in listed.stdout
    assert run("user", "disable", "bob", "-c", fresh_lab.settings_file).returncode == 0
    assert re.search(r"bob.*disabled", run("user", "list", "-c", fresh_lab.settings_file).stdout)
    client = make_client(fresh_lab)
    fresh_lab.wait_for(lambda: is_sign_in_page(
        client.post("/adfs/ls/", credentials(fresh_lab, "bob"), request_for(FIRST))))


def test_a_new_password_is_in_force_at_once_and_the_old_one_is_not(fresh_lab, make_client):
    old = fresh_lab.user()["password"]
    assert run("user", "passwd", "alice", "-c", fresh_lab.settings_file, input="a new one, please\n").returncode == 0
    client = make_client(fresh_lab)
    fresh_lab.wait_for(lambda: client.post("/adfs/ls/", credentials(fresh_lab, password="a new one, please"),
                                           request_for(FIRST)).status == 302)
    assert is_sign_in_page(client.post("/adfs/ls/", credentials(fresh_lab, password=old), request_for(FIRST)))
    assert old not in (Path(fresh_lab.ready["lab"]) / "first-passwords").read_text()


@pytest.mark.parametrize("words", [["user", "add", "alice"], ["user", "add", "../evil"], ["user", "add", "-x"], ["user", "add", ""],
                                   ["user", "disable", "nobody"], ["user", "passwd", "nobody"]], ids=" ".join)
def test_a_user_command_that_cannot_be_done_is_refused_and_changes_nothing(made, words):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    refused = run(*words, "-c", made / "lanyard.yaml", input="a password\n")
    assert refused.returncode in (1, 2) and refused.stderr
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


# Signals ---------------------------------------------------------------------------------------

def test_sighup_swaps_the_settings(fresh_lab, make_client):
    client = make_client(fresh_lab)
    assert client.get("/adfs/ls/", request_for("urn:new")).status == 500
    write_parties(fresh_lab.settings_file, [party("New", "urn:new", "https://new.test/")])
    fresh_lab.signal(signal.SIGHUP)
    fresh_lab.wait_for(lambda: is_sign_in_page(client.get("/adfs/ls/", request_for("urn:new"))))
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(FIRST))), "--rp is kept"
    assert fresh_lab.event_where(event="reload")["outcome"] == "done"


def test_sighup_with_broken_settings_keeps_the_old_ones_and_says_why(fresh_lab, make_client):
    client = make_client(fresh_lab)
    sign_in(client, FIRST)
    set_setting(fresh_lab.settings_file, "sso_lifetime", "soon")
    fresh_lab.signal(signal.SIGHUP)
    event = fresh_lab.event_where(event="reload", outcome="refused")
    assert "soon" in json.dumps(event) and "lanyard.yaml" in json.dumps(event)
    assert is_token_page(client.get("/adfs/ls/", request_for(SECOND)))


def test_a_reload_loses_no_request(fresh_lab, make_client):
    """Sign-in pages are fetched over one connection each while the files are read again and again."""
    def fetch_many(_):
        with fresh_lab.connect() as connection:
            return [fetch(connection, fresh_lab) for _ in range(40)]

    with ThreadPoolExecutor(4) as pool:
        fetching = [pool.submit(fetch_many, number) for number in range(4)]
        while not all(each.done() for each in fetching):
            fresh_lab.signal(signal.SIGHUP)
            time.sleep(0.05)
        assert all(status == b"200" for each in fetching for status in each.result())
    assert is_token_page(sign_in(make_client(fresh_lab), FIRST))


def fetch(connection, lab):
    """One sign-in page over a kept connection; gives the status."""
    connection.sendall(f"GET /adfs/ls/?wa=wsignin1.0&wtrealm={FIRST} HTTP/1.1\r\nHost: localhost:{lab.port()}\r\n\r\n".encode())
    received = b""
    while b"</html>" not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received.split(b" ", 2)[1]


def test_sigterm_finishes_what_is_running_and_exits_well(make_lab, make_client):
    """Sign-ins that are being hashed when the signal comes still get their answer."""
    lab = make_lab()
    clients = [make_client(lab) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(each.post, "/adfs/ls/", credentials(lab), request_for(FIRST)) for each in clients]
        lab.wait_for(lambda: sum(1 for event in lab.events() if event["event"] == "sign-in") >= 1)
        lab.signal(signal.SIGTERM)
        finished = [getattr(each.exception(), "returncode", None) or each.result().status for each in running]
    assert lab.wait(20) == 0
    signed_in = sum(1 for event in lab.events() if event["event"] == "sign-in" and event["outcome"] == "done")
    assert finished.count(302) == signed_in >= 1, "whoever was signed in was told so"
    turned_away = {7, 35, 52, 56}  # curl: refused, or closed before its request was read
    assert all(status == 302 or status in turned_away for status in finished), finished


def test_a_kept_connection_does_not_hold_up_the_end(make_lab):
    lab = make_lab()
    with lab.connect() as connection:
        assert fetch(connection, lab) == b"200"
        began = time.monotonic()
        lab.stop()
        assert time.monotonic() - began < 8


# The events ------------------------------------------------------------------------------------

def test_events_are_lines_for_people_unless_json_is_asked_for(make_lab, make_client):
    lab = make_lab(log="text")
    answer = make_client(lab).get("/adfs/ls/", request_for("urn:nobody"))
    line = lab.wait_for(lambda: next((line for line in lab.stderr().splitlines() if "urn:nobody" in line), None))
    assert "refused" in line and "MSIS7007" in line and "127.0.0.1" in line
    assert any(word in answer.text for word in re.findall(r"[0-9a-f-]{36}", line)), "the activity id of the page"


@pytest.mark.parametrize("name", ["x\r\n2024-05-02T09:15:04Z sign-in done admin", "\x1b[31mred\x1b[0m", "a" * 60000, "é\u202e\u2028x"])
def test_what_a_stranger_sends_makes_one_line_that_is_escaped_and_cut(make_lab, make_client, name):
    """G1"""
    lab = make_lab(log="text")
    before = len(lab.stderr().splitlines())
    make_client(lab).post("/adfs/ls/", {"UserName": f"{name}@lab.test", "Password": "x", "AuthMethod": "FormsAuthentication"},
                          request_for(FIRST))
    lines = lab.wait_for(lambda: lab.stderr_path.read_bytes().split(b"\n")[before:-1])
    assert len(lines) == 1 and len(lines[0]) < 4096
    assert b"\x1b" not in lines[0] and b"\r" not in lines[0] and "\u202e".encode() not in lines[0]


@pytest.mark.parametrize("header", ["User-Agent", "Referer", "client-request-id", "X-Forwarded-For"])
def test_a_long_header_does_not_grow_a_line_of_the_log(lab, client, header):
    """G1"""
    client.get("/adfs/ls/", request_for("urn:nobody"), "--header", f"{header}: {'h' * 20000}")
    assert max(len(line) for line in lab.stderr_path.read_bytes().split(b"\n")) < 8192
