"""lanyard rp add, list, remove: what is written, what stays, what is refused; and metadata of relying parties."""
import json
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from support.kinds import Assertion, cut_out, decrypted_by_xmlsec1
from support.lab import IS_SANITIZED, run
from support.party import Server, onelogin_metadata, sign, wif_metadata
from support.relying_party import issue_certificate
from support.sign_in import TokenPage, request_for, sign_in

URL = "https://rp.test/signin"


@pytest.fixture
def made(made):
    """The settings file of a lab that is not being served."""
    return made / "lanyard.yaml"


@pytest.fixture(scope="module")
def recipient(tmp_path_factory):
    """A relying party's own certificate and key, made without lanyard."""
    folder = tmp_path_factory.mktemp("recipient")
    certificate, key = folder / "rp.pem", folder / "rp.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=rp", "-days", "30",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    certificate.chmod(0o644)
    return certificate, key


def rp(command, settings, *arguments, **options):
    return run("rp", command, "-c", settings, *arguments, **options)


def listed(settings):
    """name -> what rp list says of it."""
    told = rp("list", settings, "--json")
    assert told.returncode == 0, told.stderr
    return {party["name"]: party for party in json.loads(told.stdout)["relying_parties"]}


def refuse(settings, *arguments, says, status=(1,), command="add"):
    """The command must say no, say why, and leave the file and its folder alone."""
    before = settings.read_bytes(), sorted(settings.parent.iterdir())
    told = rp(command, settings, *arguments)
    assert told.returncode in status and told.stdout == "", told
    assert says in told.stderr, told.stderr
    assert (settings.read_bytes(), sorted(settings.parent.iterdir())) == before


# Adding and removing ---------------------------------------------------------------------------

def test_a_relying_party_is_added_with_what_it_needs(made):
    told = rp("add", made, "My app", "--realm", "urn:my", "--url", URL)
    assert told.returncode == 0 and "urn:my" in told.stdout and URL in told.stdout
    party = listed(made)["My app"]
    assert party == {"name": "My app", "identifiers": ["urn:my"], "reply_urls": [URL], "token_type": "saml11",
                     "encrypted": False, "enabled": True, "token_lifetime": 60}
    assert run("check", "-c", made).returncode == 0


def test_everything_that_can_be_said_is_written(made, recipient):
    told = rp("add", made, "All", "--realm", "urn:a", "--realm", "urn:b", "--url", URL, "--url", "https://localhost:*/signin",
              "--token-type", "saml20", "--token-lifetime", "10", "--signature-algorithm", "rsa-sha1",
              "--encryption-certificate", recipient[0])
    assert told.returncode == 0, told.stderr
    party = listed(made)["All"]
    assert party["identifiers"] == ["urn:a", "urn:b"] and party["reply_urls"] == [URL, "https://localhost:*/signin"]
    assert (party["token_type"], party["token_lifetime"], party["encrypted"]) == ("saml20", 10, True)
    assert "rsa-sha1" in made.read_text()


def test_what_stands_in_the_file_stays_byte_for_byte(made):
    """Comments, order and blank lines are the operator's."""
    made.write_text(made.read_text().rstrip() + "\n\n# my own words\n")
    before = made.read_bytes()
    mode = stat.S_IMODE(made.stat().st_mode)
    assert rp("add", made, "One", "--realm", "urn:one", "--url", URL).returncode == 0
    with_one = made.read_bytes()
    kept = with_one.decode().splitlines()
    assert [line for line in before.decode().splitlines() if line not in kept] == []
    assert rp("add", made, "Two", "--realm", "urn:two", "--url", URL).returncode == 0
    assert rp("remove", made, "Two").returncode == 0
    assert made.read_bytes() == with_one
    assert rp("remove", made, "One").returncode == 0
    assert made.read_bytes() == before
    assert stat.S_IMODE(made.stat().st_mode) == mode


def test_comments_between_relying_parties_stay_where_they_are(made):
    kept = made.read_text().partition("\nrelying_party_trusts:")[0]
    made.write_text(kept + "\nrelying_party_trusts: # who\n\n  # the first\n  - name: A # really\n    identifiers: [urn:a]\n"
                    "    wsfed_endpoint: https://a.test/\n\n  # the second\n  - {name: B, identifiers: [urn:b],\n"
                    "     wsfed_endpoint: 'https://b.test/'}\n  # behind\nlog: text # last\n".replace("log: text # last\n", ""))
    before = made.read_text()
    assert rp("add", made, "C", "--realm", "urn:c", "--url", URL).returncode == 0
    lines = made.read_text().splitlines()
    at = lines.index("  - name: C")
    assert lines[at - 1] == "     wsfed_endpoint: 'https://b.test/'}" and lines[-1] == "  # behind"
    assert rp("remove", made, "C").returncode == 0 and made.read_text() == before
    assert rp("remove", made, "B").returncode == 0
    assert made.read_text().endswith("    wsfed_endpoint: https://a.test/\n\n  # the second\n  # behind\n")
    assert rp("remove", made, "A").returncode == 0
    assert made.read_text().endswith("\nrelying_party_trusts: # who\n\n  # the first\n\n  # the second\n  # behind\n")
    assert run("check", "-c", made).returncode == 0
    assert rp("add", made, "D", "--realm", "urn:d", "--url", URL).returncode == 0
    assert "D" in listed(made)


@pytest.mark.parametrize("empty", ["", " []", " [ ] # none", " ~", " null"])
def test_an_empty_list_takes_its_first_relying_party(made, empty):
    kept = made.read_text().partition("\nrelying_party_trusts:")[0]
    made.write_text(f"{kept}\nrelying_party_trusts:{empty}\n# behind\n")
    assert rp("add", made, "First", "--realm", "urn:first", "--url", URL).returncode == 0
    assert "First" in listed(made) and made.read_text().endswith("\n# behind\n")


def test_settings_without_the_key_get_it(made):
    made.write_text(made.read_text().partition("\nrelying_party_trusts:")[0].rstrip("\n"))
    assert rp("add", made, "First", "--realm", "urn:first", "--url", URL).returncode == 0
    assert "First" in listed(made)


@pytest.mark.parametrize("name", ["a: b", "#1", "\"quoted\"", "a - b", "yes", "null", "42", "Ünïcode ✓", "it's", "{x}", "a\\b"])
def test_a_name_is_a_name_whatever_it_looks_like(made, name):
    assert rp("add", made, name, "--realm", "urn:odd", "--url", URL).returncode == 0
    assert listed(made)[name]["identifiers"] == ["urn:odd"]
    assert rp("remove", made, name).returncode == 0 and name not in listed(made)


@pytest.mark.parametrize("list_of_settings", ["[{name: A, identifiers: [urn:a]}]", "\n  -\n    name: A\n    identifiers: [urn:a]"])
def test_a_list_that_is_not_written_line_by_line_is_left_alone(made, list_of_settings):
    kept = made.read_text().partition("\nrelying_party_trusts:")[0]
    made.write_text(f"{kept}\nrelying_party_trusts: {list_of_settings}\n")
    refuse(made, "B", "--realm", "urn:b", "--url", URL, says="not written one item after the other")
    refuse(made, "A", says="not written one item after the other", command="remove")


# Refused ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, says", [
    (["A", "--realm", "urn:taken", "--url", URL], "already belongs to"),
    (["Taken", "--realm", "urn:a", "--url", URL], "is the name of two"),
    (["A", "--realm", "urn: a", "--url", URL], "URIs without blanks"),
    (["A", "--realm", "urn:a", "--url", "javascript:alert(1)"], "does not begin with https"),
    (["A", "--realm", "urn:a", "--url", "http://rp.test/"], "is not https"),
    (["A", "--realm", "urn:a", "--url", "https://localhost:*/"], "has the port *"),
    (["A", "--realm", "urn:a", "--url", URL, "--url", "https://user@rp.test/"], "user information"),
    (["A", "--realm", "urn:a", "--url", URL, "--token-type", "jwt"], "saml11 or saml20"),
    (["A", "--realm", "urn:a", "--url", URL, "--token-lifetime", "soon"], "token_lifetime"),
    (["A", "--realm", "urn:a", "--url", URL, "--encryption-certificate", "/nowhere.pem"], "/nowhere.pem"),
    (["A", "--realm", "urn:a", "--url", URL, "--transform-rules", "/nowhere.rules"], "/nowhere.rules"),
    (["A\nevil: true", "--realm", "urn:a", "--url", URL], "a short line of text"),
    (["A", "--realm", "urn:a\nevil: true", "--url", URL], "URIs without blanks"),
    (["", "--realm", "urn:a", "--url", URL], "name"),
])
def test_what_would_not_be_good_settings_is_not_written(made, arguments, says):
    """R7: the same judge as when the server starts."""
    assert rp("add", made, "Taken", "--realm", "urn:taken", "--url", URL).returncode == 0
    refuse(made, *arguments, says=says, status=(1, 2))


@pytest.mark.parametrize("arguments", [[], ["A"], ["A", "--realm", "urn:a"], ["A", "--url", URL], ["--realm", "urn:a", "--url", URL],
                                       ["A", "B", "--realm", "urn:a", "--url", URL]])
def test_a_relying_party_without_what_it_needs_is_a_matter_of_usage(made, arguments):
    refuse(made, *arguments, says="lanyard", status=(2,))


def test_settings_that_are_broken_are_told_and_left_alone(made):
    made.write_text(made.read_text() + "prot: 1\n")
    refuse(made, "A", "--realm", "urn:a", "--url", URL, says="prot")


def test_settings_that_strangers_can_write_are_left_alone(made):
    made.chmod(0o666)
    refuse(made, "A", "--realm", "urn:a", "--url", URL, says="0666")


def test_only_a_relying_party_of_the_file_can_be_removed(made):
    assert rp("add", made, "Portal", "--realm", "urn:portal", "--url", URL).returncode == 0
    refuse(made, "Potral", says="did you mean Portal?", command="remove")
    refuse(made, "portal", says="did you mean Portal?", command="remove")
    refuse(made, says="usage", status=(2,), command="remove")


def test_outside_a_lab_nobody_is_permitted_by_accident(made):
    text = made.read_text().partition("\nrelying_party_trusts:")[0].replace("lab: true", "lab: false")
    made.write_text(text)
    told = rp("add", made, "A", "--realm", "urn:a", "--url", URL)
    assert told.returncode == 0 and "Nobody gets a token" in told.stderr
    assert "permit-everyone" not in made.read_text()[len(text):]


def test_many_at_once_lose_nobody(made):
    with ThreadPoolExecutor(8) as crowd:
        told = list(crowd.map(lambda n: rp("add", made, f"P{n}", "--realm", f"urn:{n}", "--url", URL), range(12)))
    assert [each.returncode for each in told] == [0] * 12
    assert {f"P{n}" for n in range(12)} <= set(listed(made))
    assert [path.name for path in made.parent.iterdir() if "trying" in path.name or path.name.startswith(".")] == []


# A running server ------------------------------------------------------------------------------

def test_a_running_server_knows_it_at_once_and_forgets_it_at_once(fresh_lab, make_client):
    settings, client = fresh_lab.settings_file, make_client(fresh_lab)
    told = rp("add", settings, "My app", "--realm", "urn:my", "--url", URL, "--token-type", "saml20")
    assert told.returncode == 0 and "running server was told" in told.stderr
    fresh_lab.wait_for(lambda: client.get("/adfs/ls/", request_for("urn:my")).status == 200)
    page = TokenPage(sign_in(client, "urn:my"))
    assert page.action == URL and Assertion(cut_out(page.wresult)).kind == "saml20"
    assert "emailaddress" in page.wresult, "in a lab it gets the usual rules"
    assert rp("remove", settings, "My app").returncode == 0
    fresh_lab.wait_for(lambda: client.get("/adfs/ls/", request_for("urn:my")).status == 500)


# Metadata --------------------------------------------------------------------------------------

def test_a_wif_applications_metadata_makes_a_relying_party(fresh_lab, make_client, recipient, tmp_path):
    """Name, realm, addresses and certificate; the token that follows can be read by its owner alone."""
    file = tmp_path / "FederationMetadata.xml"
    file.write_text(wif_metadata("https://rp.test/app/", "https://rp.test/other/", certificate=recipient[0]))
    told = rp("add", fresh_lab.settings_file, "--metadata", file)
    assert told.returncode == 0, told.stderr
    party = listed(fresh_lab.settings_file)["The application"]
    assert party["identifiers"] == ["https://rp.test/app"] and party["encrypted"]
    assert party["reply_urls"] == ["https://rp.test/app/", "https://rp.test/other/"], "no active address among them"
    client = make_client(fresh_lab)
    fresh_lab.wait_for(lambda: client.get("/adfs/ls/", request_for("https://rp.test/app")).status == 200)
    page = TokenPage(sign_in(client, "https://rp.test/app"))
    assert "alice" not in page.wresult
    assert Assertion(decrypted_by_xmlsec1(cut_out(page.wresult), recipient[1], tmp_path)).audience == "https://rp.test/app"
    kept = fresh_lab.settings_file.parent / "relying-parties" / "The-application.pem"
    assert kept.exists()
    assert rp("remove", fresh_lab.settings_file, "The application").returncode == 0 and not kept.exists()


def test_a_saml_service_providers_metadata_by_its_own_toolkit_is_taken(made, tmp_path, recipient):
    file = tmp_path / "sp.xml"
    file.write_text(onelogin_metadata(certificate=recipient[0]))
    told = rp("add", made, "Provider", "--metadata", file)
    assert told.returncode == 0, told.stderr
    assert "SAML's own protocol" in told.stderr
    party = listed(made)["Provider"]
    assert party["identifiers"] == ["https://sp.test/metadata"] and party["reply_urls"] == ["https://sp.test/acs"]
    assert party["encrypted"]


def test_what_is_typed_wins_over_the_metadata(made, tmp_path):
    file = tmp_path / "m.xml"
    file.write_text(wif_metadata("http://intranet.test/app/"))
    refuse(made, "--metadata", file, says="is not https")
    assert rp("add", made, "Mine", "--metadata", file, "--url", URL, "--realm", "urn:mine").returncode == 0
    party = listed(made)["Mine"]
    assert party["identifiers"] == ["urn:mine", "https://rp.test/app"] and party["reply_urls"] == [URL]


def test_signed_metadata_is_checked_and_it_is_said_by_whom(made, tmp_path, recipient):
    file = tmp_path / "signed.xml"
    file.write_text(sign(onelogin_metadata(), recipient[1], recipient[0]))
    told = rp("add", made, "Signed", "--metadata", file)
    assert told.returncode == 0, told.stderr
    fingerprint = subprocess.run(["openssl", "x509", "-in", str(recipient[0]), "-noout", "-fingerprint", "-sha256"],
                                 check=True, capture_output=True, text=True).stdout.split("=")[1].strip().replace(":", "").lower()
    assert fingerprint in told.stderr


@pytest.mark.parametrize("old, new", [("https://sp.test/acs", "https://evil.test/acs"), ("sp.test/metadata", "sp.test/metadatb")])
def test_signed_metadata_that_was_changed_is_refused(made, tmp_path, recipient, old, new):
    file = tmp_path / "signed.xml"
    signed = sign(onelogin_metadata(), recipient[1], recipient[0])
    assert old in signed
    file.write_text(signed.replace(old, new))
    refuse(made, "Signed", "--metadata", file, says="the signature does not fit")


@pytest.mark.parametrize("text, says", [
    ("", "no XML"), ("<a/>", "no metadata"), ("{}", "not well-formed"),
    ('<!DOCTYPE a [<!ENTITY x "y">]>' + wif_metadata().partition("?>")[2], "DOCTYPE"),
    (wif_metadata().replace('entityID="https://rp.test/app"', ""), "no entityID"),
    (wif_metadata().replace("PassiveRequestorEndpoint", "Nothing"), "not that of a relying party"),
    (wif_metadata().replace("<EntityDescriptor ", '<EntityDescriptor validUntil="2020-01-01T00:00:00Z" '), "run out"),
    (wif_metadata().replace("https://rp.test/app/", "javascript:alert(1)"), "does not begin with https"),
    (wif_metadata().replace('entityID="https://rp.test/app"', 'entityID="urn: a"'), "is no identifier"),
    ("x" * 300_000, "262144"),
], ids=range(10))
def test_metadata_that_is_no_good_is_refused(made, tmp_path, text, says):
    file = tmp_path / "bad.xml"
    file.write_text(text)
    refuse(made, "Bad", "--metadata", file, says=says, status=(1, 2))


def test_a_certificate_that_cannot_be_used_never_leads_to_tokens_in_the_clear(made, tmp_path):
    weak = tmp_path / "weak.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-days", "30",
                    "-keyout", "/dev/null", "-out", str(weak)], check=True, capture_output=True)
    file = tmp_path / "weak.xml"
    file.write_text(wif_metadata(certificate=weak))
    refuse(made, "Weak", "--metadata", file, says="RSA key of 2048 bits")


def test_metadata_is_dead_when_the_clock_says_so(made, tmp_path):
    file = tmp_path / "m.xml"
    end = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    file.write_text(wif_metadata().replace("<EntityDescriptor ", f'<EntityDescriptor validUntil="{end}" '))
    refuse(made, "A", "--metadata", file, "--clock", "+2d", says="run out")
    assert rp("add", made, "A", "--metadata", file).returncode == 0


def test_a_file_with_a_byte_order_mark_is_read(made, tmp_path):
    """As .NET writes them."""
    file = tmp_path / "bom.xml"
    file.write_bytes(b"\xef\xbb\xbf" + wif_metadata().encode())
    assert rp("add", made, "--metadata", file).returncode == 0


# Metadata from the network ---------------------------------------------------------------------

def test_metadata_is_fetched_from_the_address_that_is_named(made):
    with Server({"/m.xml": (200, {"Content-Type": "application/xml"}, wif_metadata())}) as server:
        told = rp("add", made, "--metadata", server.address + "/m.xml", env={"http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"})
    assert told.returncode == 0, told.stderr
    assert [path for path, _ in server.seen] == ["/m.xml"] and "Cookie" not in server.seen[0][1]
    assert "The application" in listed(made)


def test_https_is_believed_only_by_a_ca_that_vouches(lab, made, tmp_path):
    certificate, key = issue_certificate(lab, tmp_path)
    with Server({"/m.xml": (200, {}, wif_metadata())}, certificate, key) as server:
        refuse(made, "--metadata", server.address + "/m.xml", says="certificate", status=(2,))
        refuse(made, "--metadata", server.address.replace("localhost", "127.0.0.1") + "/m.xml", "--ca", lab.root_certificate,
               says="certificate", status=(2,))
        assert server.seen == []
        assert rp("add", made, "--metadata", server.address + "/m.xml", "--ca", lab.root_certificate).returncode == 0


def test_a_redirect_is_told_and_not_followed(made):
    """F4"""
    with Server({"/b": (200, {}, wif_metadata())}) as other:
        with Server({"/a": (302, {"Location": other.address + "/b"}, ""), "/f": (301, {"Location": "file:///etc/passwd"}, "")}) as server:
            refuse(made, "--metadata", server.address + "/a", says=other.address + "/b", status=(2,))
            refuse(made, "--metadata", server.address + "/f", says="301", status=(2,))
        assert other.seen == []


@pytest.mark.parametrize("address", ["ftp://localhost/m.xml", "file:///etc/passwd", "https://user:secret@localhost/m.xml",
                                     "http://localhost\\@evil.test/", "http://2130706433/", "http://localhost/ m", "http://"])
def test_another_kind_of_address_is_never_asked(made, address):
    refuse(made, "--metadata", address, says="lanyard:", status=(1, 2))


@pytest.mark.parametrize("status", [204, 401, 404, 500])
def test_an_answer_that_is_none_is_told(made, status):
    with Server({"/m": (status, {}, "" if status == 204 else wif_metadata())}) as server:
        refuse(made, "--metadata", server.address + "/m", says=str(status), status=(2,))


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"<" * 65536)
    except OSError:
        pass


def endless_head(handler):
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X: " + b"x" * 1000 + b"\r\n")
    except OSError:
        pass


def silent(handler):
    time.sleep(30)


def too_long(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100000000000")
    handler.end_headers()


@pytest.mark.parametrize("answer", [endless, endless_head, too_long])
def test_an_answer_without_end_is_ended(made, answer):
    """F5"""
    with Server({"/m": answer}) as server:
        began = time.monotonic()
        refuse(made, "--metadata", server.address + "/m", says="bytes", status=(2,))
        assert time.monotonic() - began < 10


def test_an_answer_that_does_not_come_is_waited_for_fifteen_seconds(made):
    """F5"""
    with Server({"/m": silent}) as server:
        began = time.monotonic()
        refuse(made, "--metadata", server.address + "/m", says="lanyard:", status=(2,))
        assert time.monotonic() - began < (40 if IS_SANITIZED else 20)


# Listing and help ------------------------------------------------------------------------------

def test_the_list_is_for_people_and_for_scripts(made):
    assert rp("add", made, "My app", "--realm", "urn:my", "--url", URL).returncode == 0
    told = rp("list", made)
    assert told.returncode == 0 and told.stderr == ""
    line = next(line for line in told.stdout.splitlines() if line.startswith("My app"))
    assert line.split("  ")[0] == "My app" and "urn:my" in line and URL in line
    assert len(rp("list", made, "--json").stdout.splitlines()) == 1


@pytest.mark.parametrize("command", ["rp add", "rp list", "rp remove"])
def test_the_commands_are_in_the_help_and_have_their_own(command):
    assert f"  {command}" in run("--help").stdout
    told = run(*command.split(), "--help")
    assert told.returncode == 0 and told.stdout.startswith(f"Usage: lanyard {command}")
