"""Where a token may be sent (security.md R1-R5, R7): nowhere but to addresses of the settings."""
import pytest

from conftest import FIRST, SECOND
from support.lab import run
from support.settings import party, write_parties
from support.sign_in import credentials, is_sign_in_page, is_token_page, request_for, sign_in

STRANGERS = ["https://evil.test/", "https://evil.test/wsfed/", "https://second.test/wsfed"]
# second.test/wsfed is configured; each of these begins with it, or looks as if it did.
LOOK_ALIKES = ["https://second.test.evil.test/wsfed", "https://second.test@evil.test/wsfed",
               "https://second.test:443@evil.test/wsfed", "https://second.testevil/wsfed",
               "https://second.test/wsfedevil", "https://second.test/wsfed/../../x", "https://second.test/wsfed/..",
               "https://second.test/wsfed%2f..%2f..%2fx", "https://second.test/wsfed/%2e%2e/x",
               "https://second.test\\@evil.test/wsfed", "https://second.test/wsfed\\..\\x",
               "https://second.test:8443/wsfed", "https://second.test/WSFED", "https://second.test/",
               "https://second.test/wsfed#evil", "https://second.test /wsfed", "https://second.test%40evil.test/wsfed",
               "https://[::1]/wsfed", "https://second.test./wsfed", "https:second.test/wsfed", "https:/second.test/wsfed"]
OTHER_SCHEMES = ["http://second.test/wsfed", "javascript:alert(1)", "JaVaScRiPt:alert(1)//https://second.test/wsfed",
                 "data:text/html,x", "//second.test/wsfed", "//evil.test", "\\\\evil.test", "/wsfed", "wsfed", "?x",
                 "vbscript:x", "ftp://second.test/wsfed", "https://", "https:///wsfed"]


def refuse_reply(client, realm, reply):
    """Neither a GET with a session nor a credentials POST may lead anywhere."""
    query = request_for(realm, wreply=reply)
    for answer in (client.get("/adfs/ls/", query), client.post("/adfs/ls/", credentials(client.lab), query)):
        assert answer.status == 400, (reply, answer.status)
        assert not is_token_page(answer)
        assert answer.header("Location") is None
        assert "evil.test" not in str(answer.page.xpath("//@href | //@action | //@src"))


def test_a_strangers_address_gets_nothing(client):
    """R1"""
    sign_in(client, FIRST)
    for reply in STRANGERS:
        refuse_reply(client, FIRST, reply)


@pytest.mark.parametrize("reply", LOOK_ALIKES)
def test_an_address_that_only_looks_like_the_configured_one_gets_nothing(client, reply):
    """R2"""
    sign_in(client, SECOND)
    refuse_reply(client, SECOND, reply)


@pytest.mark.parametrize("reply", OTHER_SCHEMES)
def test_another_scheme_or_a_relative_address_gets_nothing(client, reply):
    """R3"""
    sign_in(client, SECOND)
    refuse_reply(client, SECOND, reply)


@pytest.mark.parametrize("realm", ["urn:nobody", "", FIRST.upper(), FIRST + "/", FIRST + " ", " " + FIRST,
                                   FIRST.replace("urn", "Urn"), FIRST + "\u200b"])
def test_an_identifier_is_known_only_exactly(client, realm):
    """R4"""
    sign_in(client, FIRST)
    answer = client.get("/adfs/ls/", request_for(realm))
    assert answer.status == 500 and "MSIS7007" in answer.text
    assert not is_token_page(answer) and not is_sign_in_page(answer)


@pytest.mark.parametrize("name, values", [
    ("wtrealm", (FIRST, "urn:evil")), ("wtrealm", (FIRST, FIRST)), ("wa", ("wsignin1.0", "wsignout1.0")),
    ("wreply", ("https://first.test/wsfed/", "https://evil.test/")), ("wctx", ("a", "b")), ("wfresh", ("0", "9999")),
    ("wauth", ("urn:ietf:rfc:2246", "urn:oasis:names:tc:SAML:1.0:am:password"))])
def test_a_repeated_parameter_is_an_error(client, name, values):
    """R4"""
    sign_in(client, FIRST)
    others = [pair for pair in request_for(FIRST).items() if pair[0] != name]
    answer = client.get("/adfs/ls/", others + [(name, value) for value in values])
    assert answer.status == 400
    assert not is_token_page(answer) and not is_sign_in_page(answer)


def test_a_parameter_repeated_in_another_case_does_not_win(client):
    """R4"""
    sign_in(client, FIRST)
    answer = client.get("/adfs/ls/", [*request_for(FIRST).items(), ("WTREALM", "urn:evil"),
                                      ("WREPLY", "https://evil.test/")])
    assert is_token_page(answer) and "evil" not in answer.text


@pytest.mark.parametrize("reply", STRANGERS[:1] + LOOK_ALIKES + OTHER_SCHEMES + ["https://first.test.evil.test/wsfed/"])
def test_sign_out_leads_to_no_strange_address(client, reply):
    """R5"""
    answer = client.get("/adfs/ls/", {"wa": "wsignout1.0", "wreply": reply})
    assert answer.status == 200 and "signed out" in answer.page.text_content().lower()
    assert answer.header("Location") is None
    assert reply not in answer.page.xpath("//@href | //@action | //@src")


def test_sign_out_cleanup_never_leads_anywhere(client):
    """R5"""
    answer = client.get("/adfs/ls/", {"wa": "wsignoutcleanup1.0", "wreply": "https://first.test/wsfed/"})
    assert answer.status == 200 and answer.header("Location") is None


@pytest.mark.parametrize("endpoint", ["javascript:alert(1)", "data:text/html,x", "http://rp.test/", "rp.test",
                                      "https://user@rp.test/", "https://rp.test/#x", "file:///etc/passwd"])
def test_a_relying_party_with_an_unsafe_endpoint_is_refused_when_the_settings_are_read(fresh_lab, endpoint):
    """R7"""
    write_parties(fresh_lab.settings_file, [party("Evil", "urn:evil", endpoint)])
    checked = run("check", "-c", fresh_lab.settings_file)
    assert checked.returncode == 1
    assert "wsfed_endpoint" in checked.stdout + checked.stderr


@pytest.mark.parametrize("endpoint", ["javascript:alert(1)", "data:text/html,x", "http://rp.test/", "rp.test"])
def test_a_relying_party_with_an_unsafe_endpoint_is_refused_on_the_command_line(tmp_path, endpoint):
    """R7"""
    refused = run("up", tmp_path / "lab", "--port", "0", "--certificate-port", "0", "--plain-port", "0",
                  "--rp", f"urn:evil={endpoint}")
    assert refused.returncode in (1, 2)
    assert "--rp" in refused.stderr


def test_a_relying_party_without_an_address_gets_no_token_through_a_browser(make_lab, make_client):
    """It may be one for active clients only; a wreply of a stranger's does not make up for it."""
    lab = make_lab()
    write_parties(lab.settings_file, [party("Active only", "urn:active", None)])
    lab.restart()
    assert next(each for each in lab.ready["relying_parties"] if each["realm"] == "urn:active")["reply"] is None
    client = make_client(lab)
    assert client.get("/").status == 200
    for reply in (None, *STRANGERS):
        answer = client.post("/adfs/ls/", credentials(lab), request_for("urn:active", wreply=reply))
        assert answer.status == 400 and not is_token_page(answer)
