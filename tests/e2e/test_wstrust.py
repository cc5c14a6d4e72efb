"""WS-Trust's active endpoints (protocol.md 5): requests as every client sends them, answers as they
read them, who gets none, and where the endpoints are."""
import http.client
import subprocess

import pytest
from msal.wstrust_request import send_request
from msal.wstrust_response import parse_response

from conftest import FIRST
from support.kinds import Assertion
from support.lab import run
from support.settings import party, set_setting, write_parties
from support.sign_in import TokenPage, sign_in
from support.tokens import Token, time_of
from support.wstrust import (ANSWER, BEARER, CLIENTS, FAILED, NAMES, PROFILE, SAML11, SAML20, TRUST, TYPE, VERSIONS, WSA, WSSE, WSU,
                             Reply, ask, ask_by_certificate, certificate_of, message, path, post, trust_fault)

OFFICE = "urn:federation:MicrosoftOnline"
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@pytest.fixture
def alice(lab):
    return lab.user("alice")


# Clients ---------------------------------------------------------------------------------------

class Browserless:
    """An HTTP client for MSAL: what it sends goes out by curl."""

    def __init__(self, client):
        self.client = client

    def post(self, url, data=None, headers=None, **_):
        answer = post(self.client, url, data, *(f"{name}: {value}" for name, value in headers.items()))
        self.text = answer.text
        return type("Response", (), {"status_code": answer.status, "text": answer.text, "headers": dict(answer.headers)})


@pytest.mark.parametrize("version", VERSIONS)
def test_msal_for_python_gets_a_token(lab, client, alice, version, tmp_path):
    browserless = Browserless(client)
    result = send_request(alice["name"], alice["password"], OFFICE, lab.main + path(version), f"{TRUST[version]}/RST/Issue", browserless)
    assert result["type"] == SAML11
    token = Assertion(result["token"].decode())
    assert token.kind == "saml11" and token.audience == OFFICE
    assert token.verified_by_xmlsec1(lab.signing_certificate, tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_msal_for_python_is_told_of_a_wrong_password(lab, client, alice, version):
    with pytest.raises(RuntimeError, match="ID3242: The security token could not be authenticated or authorized"):
        send_request(alice["name"], "wrong password", OFFICE, lab.main + path(version), f"{TRUST[version]}/RST/Issue", Browserless(client))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_message_is_taken_as_each_client_writes_it(lab, client, alice, name, version, tmp_path):
    body, headers = CLIENTS[name](version, FIRST, alice, lab.main + path(version))
    reply = Reply(post(client, path(version), body, *headers))
    token = reply.token
    assert token.audience == FIRST and token.claims[CLAIMS + "upn"] == ["alice@lab.test"]
    assert token.verified_by_xmlsec1(lab.signing_certificate, tmp_path)
    assert token.schema_complaints(tmp_path) == ""
    assert parse_response(reply.text)["type"] == reply.token_type


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["alice", "bob"])
def test_curl_gets_a_token_for_a_client_certificate(lab, client, name, version, tmp_path):
    reply = ask_by_certificate(client, version, FIRST, options=certificate_of(lab, name))
    assert reply.token.claims[CLAIMS + "upn"] == [f"{name}@lab.test"]
    assert reply.token.method == "urn:ietf:rfc:2246"
    assert reply.token.verified_by_xmlsec1(lab.signing_certificate, tmp_path)
    assert reply.token.schema_complaints(tmp_path) == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_is_also_taken_at_certauth(lab, client, version):
    """protocol.md 4.1: the other binding, on the main port."""
    assert ask_by_certificate(client, version, FIRST, where=f"https://certauth.localhost:{lab.port()}").token.audience == FIRST


def test_both_paths_meet_in_the_same_rules(lab, client):
    """What a person gets by password is what the page gives them; by certificate the
    same, and what the certificate says."""
    page = Token(TokenPage(sign_in(client, FIRST, wfresh="0")).wresult).claims
    by_password, by_certificate = ask(client, "13", FIRST).token, ask_by_certificate(client, "13", FIRST).token
    assert by_password.claims == page
    more = set(by_certificate.claims) - set(page)
    assert {name: values for name, values in by_certificate.claims.items() if name not in more} == page
    assert all("certificatecontext" in name or name.endswith("/serialnumber") for name in more), more
    assert (by_password.method, by_certificate.method) == ("urn:oasis:names:tc:SAML:1.0:am:password", "urn:ietf:rfc:2246")


# Which token, for whom ---------------------------------------------------------------------------

@pytest.mark.parametrize("asked, kind, written", [
    (None, "saml11", SAML11), (SAML11, "saml11", SAML11), (PROFILE + "SAMLV1.1", "saml11", SAML11),
    (SAML20, "saml20", SAML20), (PROFILE + "SAMLV2.0", "saml20", SAML20)])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_kind_of_token_is_the_one_that_was_asked_for(lab, client, version, asked, kind, written, tmp_path):
    """Decision 29."""
    reply = ask(client, version, FIRST, *([f"<t:TokenType>{asked}</t:TokenType>"] if asked else []))
    assert (reply.token.kind, reply.token_type) == (kind, written)
    assert reply.token.verified_by_xmlsec1(lab.signing_certificate, tmp_path)
    assert reply.token.schema_complaints(tmp_path) == ""


def test_without_a_type_it_is_the_relying_partys_own(make_lab, make_client):
    """Decision 29."""
    lab = make_lab("--rp", "urn:new=https://new.test/,saml20")
    assert ask(make_client(lab), "13", "urn:new").token.kind == "saml20"
    assert ask(make_client(lab), "13", "urn:new", f"<t:TokenType>{SAML11}</t:TokenType>").token.kind == "saml11"


@pytest.mark.parametrize("identifier", [OFFICE, "https://login.microsoftonline.com/extSTS.srf"])
def test_applies_to_may_be_any_identifier_of_the_relying_party(client, identifier):
    reply = ask(client, "2005", identifier)
    assert reply.token.audience == identifier
    assert reply.one("//wsp:AppliesTo/a:EndpointReference/a:Address").text == identifier


def test_each_token_is_a_new_one(client):
    first, second = ask(client, "13", FIRST).token, ask(client, "13", FIRST).token
    assert first.tree.get("AssertionID") != second.tree.get("AssertionID")


# How an answer is written ------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_is_one_response_in_the_shape_of_its_version(client, version):
    reply = ask(client, version, FIRST)
    inside = "/s:Envelope/s:Body" + ("/t:RequestSecurityTokenResponseCollection" if version == "13" else "")
    response = reply.one(f"{inside}/t:RequestSecurityTokenResponse", t=TRUST[version])
    assert reply.action == ANSWER[version]
    assert [child.tag.split("}")[1] for child in response] == [
        "Lifetime", "AppliesTo", "RequestedSecurityToken", "RequestedAttachedReference", "RequestedUnattachedReference",
        "TokenType", "RequestType", "KeyType"]
    assert reply.one("//t:KeyType", t=TRUST[version]).text == BEARER[version]
    assert reply.one("//t:RequestType", t=TRUST[version]).text == TRUST[version] + "/Issue"
    assert not reply.text.startswith("<?xml") and "\n" not in reply.text and "> <" not in reply.text


@pytest.mark.parametrize("version, token_type, profile, value_type", [
    ("2005", SAML11, "SAMLV1.1", "1.0#SAMLAssertionID"), ("13", SAML20, "SAMLV2.0", "1.1#SAMLID")])
def test_both_references_name_the_assertion(client, version, token_type, profile, value_type):
    reply = ask(client, version, FIRST, f"<t:TokenType>{token_type}</t:TokenType>")
    identifiers = reply.find("//o:SecurityTokenReference/o:KeyIdentifier")
    assert len(identifiers) == 2
    for identifier in identifiers:
        assert identifier.text in (reply.token.tree.get("AssertionID"), reply.token.tree.get("ID"))
        assert identifier.get("ValueType").endswith(f"saml-token-profile-{value_type}")
        assert identifier.getparent().get(f"{{{NAMES['k']}}}TokenType") == PROFILE + profile


def test_the_lifetime_of_the_answer_is_the_assertions(client):
    reply = ask(client, "13", FIRST)
    conditions = reply.token.one("s:Conditions")
    assert reply.one("//t:Lifetime/u:Created", t=TRUST["13"]).text == conditions.get("NotBefore")
    assert reply.one("//t:Lifetime/u:Expires", t=TRUST["13"]).text == conditions.get("NotOnOrAfter")


def test_relates_to_is_there_only_if_asked_for(client):
    assert ask(client, "13", FIRST).relates_to is None
    assert ask(client, "13", FIRST, header="<a:MessageID>urn:uuid:<!-- x -->1&amp;2</a:MessageID>").relates_to == "urn:uuid:1&2"


def test_a_mixed_endpoint_answers_with_a_time_and_the_other_without(client):
    stamp = ask(client, "2005", FIRST).one("/s:Envelope/s:Header/o:Security/u:Timestamp")
    made, ends = (time_of(stamp.find(f"{{{WSU}}}{name}").text) for name in ("Created", "Expires"))
    assert (ends - made).total_seconds() == 300
    assert ask_by_certificate(client, "2005", FIRST).find("//o:Security") == []


def test_a_context_goes_back(client):
    body = message("13", FIRST, user=client.lab.user())
    body = body.replace("<t:RequestSecurityToken ", '<t:RequestSecurityToken Context="urn:c&quot;1" ')
    assert Reply(post(client, path("13"), body)).one("//t:RequestSecurityTokenResponse", t=TRUST["13"]).get("Context") == 'urn:c"1'


def test_a_token_for_an_encryption_certificate_is_encrypted(make_lab, make_client):
    lab = make_lab()
    lab.stop()
    write_parties(lab.settings_file, [party("Secret", "urn:secret", "https://secret.test/",
                                            encryption_certificate=lab.ready["signing_certificate"])])
    lab.start()
    reply = ask(make_client(lab), "13", "urn:secret")
    assert reply.status == 200 and "EncryptedData" in reply.text and "<saml:Assertion" not in reply.text
    assert reply.token_type == SAML11


# Where they are ----------------------------------------------------------------------------------

@pytest.mark.parametrize("spelling", ["/adfs/services/Trust/2005/UserNameMixed/", "/ADFS/SERVICES/TRUST/2005/USERNAMEMIXED"])
def test_a_path_is_found_however_it_is_spelled(client, alice, spelling):
    assert Reply(post(client, spelling, message("2005", FIRST, user=alice))).token.audience == FIRST


@pytest.mark.parametrize("version", VERSIONS)
def test_a_look_at_an_endpoint_says_at_once_that_it_listens(lab, client, version):
    for address in (path(version), path(version) + "/", lab.ready["certificate"] + path(version, "certificatetransport")):
        answer = client.get(address)
        assert answer.status == 405 and answer.header("Allow") == "POST"
        assert answer.header("Content-Type").startswith("text/plain") and answer.text.count("\n") == 1
        assert "is listening and expects a POST" in answer.text
    assert client.request(path(version), "--head").status == 405
    refused = client.request(path(version), "-X", "PUT", "--data", "x", "-H", TYPE)
    assert refused.status == 405 and refused.header("Allow") == "POST"


@pytest.mark.parametrize("version", VERSIONS)
def test_each_endpoint_is_where_its_credential_is_and_nowhere_else(lab, client, alice, version):
    body = message(version, FIRST, user=alice)
    wrong = [path(version, "certificatetransport"), lab.ready["certificate"] + path(version),
             f"https://certauth.localhost:{lab.port()}{path(version)}", lab.plain + path(version),
             lab.plain + path(version, "certificatetransport")]
    for address in wrong:
        assert post(client, address, body).status == 404, address
        assert client.get(address).status == 404, address


@pytest.mark.parametrize("name", ["certificatemixed", "windowstransport", "windowsmixed", "kerberosmixed", "windows", "username",
                                  "issuedtokenmixedasymmetricbasic256", "issuedtokenmixedsymmetricbasic256", ""])
def test_what_is_not_built_is_not_there(lab, client, alice, name):
    for version in VERSIONS:
        for where in (lab.main, lab.ready["certificate"]):
            assert post(client, where + path(version, name), message(version, FIRST, user=alice)).status == 404
            assert client.get(where + path(version, name)).status == 404


ENDPOINTS = [(version, credential) for version in VERSIONS for credential in ("usernamemixed", "certificatetransport")]


def reach(client, version, credential):
    """The status of a good request to that endpoint."""
    lab = client.lab
    if credential == "usernamemixed":
        return post(client, path(version), message(version, FIRST, user=lab.user())).status
    address = lab.ready["certificate"] + path(version, credential)
    return post(client, address, message(version, FIRST), options=certificate_of(lab)).status


@pytest.mark.parametrize("off", ENDPOINTS)
def test_a_disabled_endpoint_is_not_there(make_lab, make_client, off):
    """M19: and the others are."""
    lab = make_lab()
    lab.stop()
    set_setting(lab.settings_file, f"enable_{off[0]}_{off[1]}", "false")
    lab.start()
    client = make_client(lab)
    assert {each: reach(client, *each) for each in ENDPOINTS} == {each: 404 if each == off else 200 for each in ENDPOINTS}
    where = lab.main if off[1] == "usernamemixed" else lab.ready["certificate"]
    assert client.get(where + path(*off)).status == 404
    assert f"/{off[0]}/{off[1]}" not in client.get("/adfs/services/trust/mex").text


def test_certificatetransport_of_1_3_is_off_unless_somebody_enables_it(make_lab, make_client):
    """protocol.md 5.2: AD FS's default; a new lab has it on, and its settings say so."""
    lab = make_lab()
    assert "\nenable_13_certificatetransport: true\n" in lab.settings_file.read_text()
    lab.stop()
    lab.settings_file.write_text(lab.settings_file.read_text().replace("\nenable_13_certificatetransport: true\n", "\n"))
    lab.start()
    client = make_client(lab)
    assert {each: reach(client, *each) for each in ENDPOINTS} == {each: 404 if each == ("13", "certificatetransport") else 200
                                                                  for each in ENDPOINTS}


# Credentials that are not ------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name, password", [("alice@lab.test", "wrong password"), ("nobody@lab.test", "wrong password"),
                                            ("alice@lab.test", ""), ("alice", "wrong password"), ("", "wrong password"),
                                            ("alice@lab.test", "x" * 200)])
def test_a_wrong_password_and_an_unknown_user_get_the_same_fault(client, version, name, password):
    """P1, P6: an empty password and an over-long one, too; nothing more is said, not even in a lab."""
    body = message(version, FIRST, user={"name": name, "password": password}, header="<a:MessageID>urn:1</a:MessageID>")
    reply = Reply(post(client, path(version), body))
    assert (reply.status, reply.fault, reply.relates_to) == (500, FAILED, "urn:1")
    assert reply.action == WSA + "/soap/fault"
    assert reply.find("//s:Detail") == [] and reply.find("//s:Header/o:Security/u:Timestamp") != []


def test_a_domain_user_signs_in_too(client, alice):
    user = {"name": "LAB\\alice", "password": alice["password"]}
    assert Reply(post(client, path("13"), message("13", FIRST, user=user))).token.audience == FIRST


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_certificate_there_is_a_fault(lab, client, version):
    """Decision 6."""
    reply = ask_by_certificate(client, version, FIRST, options=[])
    assert (reply.status, reply.fault) == (500, FAILED)
    assert lab.event_where(event="request", adfs_id=360)["party"] == FIRST


def test_a_strangers_certificate_gets_a_fault(lab, client, tmp_path):
    """T4: TLS lets it in; the verdict does not."""
    key, certificate = tmp_path / "stranger.key", tmp_path / "stranger.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=alice", "-days", "2", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True)
    reply = ask_by_certificate(client, "2005", FIRST, options=["--cert", certificate, "--key", key])
    assert (reply.status, reply.fault) == (500, FAILED)


def test_a_certificate_past_its_end_gets_a_fault(fresh_lab, make_client):
    client = make_client(fresh_lab)
    assert ask_by_certificate(client, "13", FIRST).status == 200
    fresh_lab.move_clock("+900d")
    assert ask_by_certificate(client, "13", FIRST, options=certificate_of(fresh_lab) + ["--insecure"]).fault == FAILED


def test_a_disabled_users_certificate_gets_a_fault(fresh_lab, make_client):
    client = make_client(fresh_lab)
    shown = certificate_of(fresh_lab)
    assert run("user", "disable", "alice", "-c", fresh_lab.settings_file).returncode == 0
    fresh_lab.restart()
    assert ask_by_certificate(client, "13", FIRST, options=shown).fault == FAILED


def test_a_certificate_is_no_password_and_a_password_no_certificate(lab, client, alice):
    """C15: each endpoint takes its own credential and no other."""
    assert ask_by_certificate(client, "13", FIRST, options=[], user=alice).fault[1] == (WSSE, "UnsupportedSecurityToken")
    answer = Reply(post(client, path("13"), message("13", FIRST), options=certificate_of(lab)))
    assert answer.fault[1] == (WSSE, "InvalidSecurity")


def test_usernamemixed_counts_into_the_lockout_of_the_sign_in_page(make_lab, make_client):
    """P9: no endpoint bypasses it; P1: who is locked out gets the same fault."""
    lab = make_lab()
    client, guess = make_client(lab), {"name": "bob@lab.test", "password": "a wrong guess"}
    for _ in range(60):
        post(client, path("2005"), message("2005", FIRST, user=guess))
        if any("locked" in (event.get("why") or "") for event in lab.events()):
            break
    else:
        raise AssertionError("sixty wrong passwords lock nobody out")
    assert ask(client, "13", FIRST, name="bob").fault == FAILED
    assert sign_in(client, FIRST, name="bob").status == 200 and client.cookie() is None


# For whom there is none --------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
def test_m19_an_unknown_party_and_a_disabled_one_get_the_same_fault(make_lab, make_client, version):
    lab = make_lab()
    lab.stop()
    write_parties(lab.settings_file, [party("Off", "urn:off", "https://off.test/", enabled=False)])
    lab.start()
    client = make_client(lab)
    faults = [ask(client, version, identifier).fault for identifier in ("urn:off", "urn:nobody", "urn:OFF", "")]
    assert faults[0][:2] == ("s:Sender", trust_fault(version, "InvalidScope"))
    assert faults[0][2].startswith("MSIS7007: The requested relying party trust is unspecified or unsupported.")
    assert all(fault == faults[0] for fault in faults)


def test_m19_who_has_not_signed_in_learns_of_no_relying_party(client):
    stranger = {"name": "alice@lab.test", "password": "wrong password"}
    answers = {Reply(post(client, path("13"), message("13", identifier, user=stranger))).fault for identifier in (FIRST, "urn:nobody")}
    assert answers == {FAILED}


@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_not_permitted_is_told_so(make_lab, make_client, version):
    lab = make_lab()
    lab.stop()
    write_parties(lab.settings_file, [party("Closed", "urn:closed", "https://closed.test/", issuance_authorization_rules=None)])
    lab.start()
    reply = ask(make_client(lab), version, "urn:closed")
    assert (reply.status, reply.fault) == (500, ("s:Sender", trust_fault(version, "FailedAuthentication"), "MSIS7068: Access denied."))


# What strangers learn ----------------------------------------------------------------------------

def test_outside_a_lab_a_fault_says_nothing_of_what_goes_on(make_lab, make_client):
    """Decision 25."""
    lab = make_lab()
    client = make_client(lab)
    assert ask(client, "13", "urn:nobody").find("//s:Detail") != []
    lab.stop()
    set_setting(lab.settings_file, "lab", "false")
    write_parties(lab.settings_file, [])
    lab.command = ["serve", "-c", str(lab.settings_file)]
    user = lab.user()
    lab.start()
    reply = Reply(post(client, path("13"), message("13", "urn:nobody", user=user)))
    assert reply.status == 500 and reply.find("//s:Detail") == []


def test_the_log_tells_who_got_which_token_and_why_not(make_lab, make_client):
    lab = make_lab()
    client = make_client(lab)
    token = ask(client, "13", FIRST).token
    assert lab.event_where(event="token", party=FIRST, user="alice")["detail"] == token.tree.get("AssertionID")
    ask(client, "13", "urn:nobody")
    assert "urn:nobody" in lab.event_where(event="request", party="urn:nobody")["why"]
    assert lab.user()["password"] not in lab.stderr()
    activity = client.get("/lanyard/api/activity").text
    assert path("13") in activity and lab.user()["password"] not in activity


def test_requests_follow_each_other_on_one_connection(lab, alice):
    """H10, T6: each is answered for itself."""
    bob = lab.user("bob")
    connection = http.client.HTTPSConnection("localhost", lab.port(), context=lab.tls_context())
    for user in (alice, bob, alice, {**bob, "password": "wrong password"}, bob):
        connection.request("POST", path("13"), message("13", FIRST, user=user), {"Content-Type": "application/soap+xml"})
        answer = connection.getresponse()
        text = answer.read().decode()
        if user["password"] == "wrong password":
            assert answer.status == 500
        else:
            assert f">{user['name']}<" in text
