"""The token, looked at by programs and schemas that are not ours (security.md O1, O3, O4, O6)."""
import base64
import re
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from lxml import etree

from conftest import FIRST, PASSPORT, SECOND
from support.lab import run
from support.settings import party, write_parties
from support.sign_in import TokenPage, credentials, is_token_page, request_for, sign_in
from support.tokens import NAMES, SAML, Token, schema_complaints, time_of, verified_by_xmlsec1

ALGORITHMS = {"//ds:CanonicalizationMethod": "http://www.w3.org/2001/10/xml-exc-c14n#",
              "//ds:SignatureMethod": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
              "//ds:DigestMethod": "http://www.w3.org/2001/04/xmlenc#sha256"}
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@pytest.fixture
def token(client):
    return Token(TokenPage(sign_in(client, FIRST)).wresult)


@pytest.fixture
def response(token):
    """The RequestSecurityTokenResponse around the token."""
    return token.response


# What others say of it -------------------------------------------------------------------------

@pytest.mark.parametrize("realm", [FIRST, SECOND, PASSPORT])
@pytest.mark.parametrize("name", ["alice", "bob"])
def test_xmlsec1_verifies_every_token_with_the_labs_certificate(lab, client, tmp_path, realm, name):
    """O4"""
    token = Token(TokenPage(sign_in(client, realm, name=name)).wresult)
    fine, said = verified_by_xmlsec1(token.xml, lab.signing_certificate, tmp_path)
    assert fine, said


def test_xmlsec1_refuses_a_token_that_was_changed(lab, token, tmp_path):
    """O4: the check above can fail."""
    for old, new in ((token.audience, "urn:evil"), ("alice", "admin"), ('MinorVersion="1"', 'MinorVersion="2"')):
        assert old in token.xml
        assert not verified_by_xmlsec1(token.xml.replace(old, new, 1), lab.signing_certificate, tmp_path)[0]


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_the_assertion_is_valid_by_its_schema(client, tmp_path, name):
    """decision 10"""
    token = Token(TokenPage(sign_in(client, FIRST, name=name)).wresult)
    assert schema_complaints(token.xml, tmp_path) == ""


def test_the_schema_refuses_an_assertion_that_is_out_of_order(token, tmp_path):
    """decision 10: the check above can fail."""
    tree = etree.fromstring(token.xml.encode())
    tree.append(tree.find(f"{{{SAML}}}Conditions"))
    assert "Conditions" in schema_complaints(etree.tostring(tree).decode(), tmp_path)


# How it is laid out ----------------------------------------------------------------------------

def test_the_response_is_laid_out_as_ad_fs_does(response, token):
    names = [etree.QName(child).localname for child in response]
    assert names == ["Lifetime", "AppliesTo", "RequestedSecurityToken", "TokenType", "RequestType", "KeyType"]
    assert response.findtext("t:TokenType", namespaces=NAMES) == "urn:oasis:names:tc:SAML:1.0:assertion"
    assert response.findtext("t:RequestType", namespaces=NAMES) == "http://schemas.xmlsoap.org/ws/2005/02/trust/Issue"
    assert response.findtext("t:KeyType", namespaces=NAMES) == "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey"
    assert response.findtext("wsp:AppliesTo//wsa:Address", namespaces=NAMES) == token.audience
    assert time_of(response.findtext("t:Lifetime/wsu:Expires", namespaces=NAMES)) == token.valid_until


def test_the_assertion_is_laid_out_as_ad_fs_does(lab, token):
    assert [etree.QName(child).localname for child in token.assertion] == [
        "Conditions", "AttributeStatement", "AuthenticationStatement", "Signature"]
    assert (token.assertion.get("MajorVersion"), token.assertion.get("MinorVersion")) == ("1", "1")
    assert token.assertion.get("Issuer") == lab.ready["issuer"] == "http://localhost/adfs/services/trust"
    subjects = [etree.tostring(subject, method="c14n") for subject in token.find("//saml:Subject")]
    assert len(subjects) == 2 and subjects[0] == subjects[1]
    assert token.find("//saml:ConfirmationMethod/text()") == ["urn:oasis:names:tc:SAML:1.0:cm:bearer"] * 2
    statement = token.one("//saml:AuthenticationStatement")
    assert statement.get("AuthenticationMethod") == "urn:oasis:names:tc:SAML:1.0:am:password"
    assert not re.search(r">\s+<", token.xml), "no white space between elements"


def test_the_token_stands_alone_when_it_is_cut_out_by_text(token):
    """Clients take the text between two tags: every prefix must be declared inside."""
    assert etree.fromstring(token.xml.encode()).tag == f"{{{SAML}}}Assertion"


def test_the_claims_are_those_of_the_signed_in_user(client):
    for name in ("alice", "bob"):
        claims = Token(TokenPage(sign_in(client, FIRST, name=name)).wresult).claims
        assert claims[CLAIMS + "upn"] == [f"{name}@lab.test"]
        assert [name in value for value in claims[CLAIMS + "emailaddress"]] == [True]


# Times, audience, ids --------------------------------------------------------------------------

def test_a_token_is_valid_from_now_for_an_hour_and_for_one_audience(token):
    """O1"""
    now = datetime.now(timezone.utc)
    assert now - timedelta(seconds=30) < token.valid_from <= now
    assert token.valid_until - token.valid_from == timedelta(minutes=60)
    assert token.authentication_instant <= token.valid_from + timedelta(seconds=1)
    assert token.audience == FIRST


@pytest.mark.parametrize("offset, minutes", [("+5m", 5), ("-5m", -5), ("+3d", 3 * 24 * 60)])
def test_a_token_carries_the_time_of_the_labs_clock(make_lab, make_client, offset, minutes):
    """O1: all times come from one clock."""
    lab = make_lab()
    lab.move_clock(offset)
    token = Token(TokenPage(sign_in(make_client(lab), FIRST)).wresult)
    expected = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    for time in (token.valid_from, token.authentication_instant, time_of(token.assertion.get("IssueInstant"))):
        assert abs(time - expected) < timedelta(seconds=30)


def test_every_assertion_has_an_id_of_its_own_from_the_dice(make_lab, make_client):
    """O3: an NCName of 128 bits in the shape of a GUID; single sign-on gives a new one each time."""
    client = make_client(make_lab("--no-loop-detection"))
    pages = [sign_in(client, FIRST)] + [client.get("/adfs/ls/", request_for(FIRST)) for _ in range(40)]
    ids = [Token(TokenPage(page).wresult).id for page in pages]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"_[0-9a-f]{8}-[0-9a-f]{4}(-[0-9a-f]{4}){2}-[0-9a-f]{12}", each) for each in ids)
    shared = sum(left[1:9] == right[1:9] for left, right in zip(ids, ids[1:]))
    assert shared == 0, "no counter and no time in front"


# The signature ---------------------------------------------------------------------------------

def test_the_signature_covers_the_assertion_by_its_id_with_the_default_algorithms(lab, token):
    """O4"""
    for path, algorithm in ALGORITHMS.items():
        assert token.one(path).get("Algorithm") == algorithm
    assert token.one("//ds:Reference").get("URI") == f"#{token.id}"
    assert [each.get("Algorithm") for each in token.find("//ds:Transform")] == [
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#"]
    pem = Path(lab.signing_certificate).read_text()
    own = base64.b64decode(re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", pem, re.S).group(1))
    assert base64.b64decode(token.one("//ds:X509Certificate").text) == own
    assert "\n" not in token.one("//ds:X509Certificate").text


def relying_party_with(lab, **settings):
    """Adds a relying party to the settings of a lab and restarts it."""
    write_parties(lab.settings_file, [party("Own", "urn:own", "https://own.test/", **settings)])
    lab.restart()


def test_sha1_is_used_only_for_the_relying_party_whose_setting_names_it(make_lab, make_client, tmp_path):
    """O4"""
    lab = make_lab()
    relying_party_with(lab, signature_algorithm="rsa-sha1")
    client = make_client(lab)
    weak = Token(TokenPage(sign_in(client, "urn:own")).wresult)
    assert weak.one("//ds:SignatureMethod").get("Algorithm") == "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    assert verified_by_xmlsec1(weak.xml, lab.signing_certificate, tmp_path)[0]
    strong = Token(TokenPage(client.get("/adfs/ls/", request_for(FIRST))).wresult)
    assert strong.one("//ds:SignatureMethod").get("Algorithm") == ALGORITHMS["//ds:SignatureMethod"]


def test_lifetime_and_skew_are_the_relying_partys(make_lab, make_client):
    """O1"""
    lab = make_lab()
    relying_party_with(lab, token_lifetime=10, not_before_skew=5)
    token = Token(TokenPage(sign_in(make_client(lab), "urn:own")).wresult)
    issued = time_of(token.assertion.get("IssueInstant"))
    assert abs((issued - token.valid_from) - timedelta(minutes=5)) < timedelta(seconds=1)
    assert abs((token.valid_until - issued) - timedelta(minutes=10)) < timedelta(seconds=1)


def test_a_relying_party_without_a_permit_gets_no_token(make_lab, make_client):
    """AD FS's own default: no authorization rules, nobody."""
    lab = make_lab()
    relying_party_with(lab, issuance_authorization_rules=None)
    answer = sign_in(make_client(lab), "urn:own")
    assert answer.status == 500 and "MSIS5007" in answer.text and not is_token_page(answer)


def start_with(lab, *arguments):
    """Tries to serve; gives the exit status and what it said."""
    finished = run("serve", "-c", lab.settings_file, *arguments)
    return finished.returncode, finished.stderr


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


SPOILED = {
    "empty": lambda pki: (pki / "signing.key").write_text(""),
    "no key at all": lambda pki: (pki / "signing.key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    "missing": lambda pki: (pki / "signing.key").unlink(),
    "another's": lambda pki: (pki / "signing.key").write_text((pki / "issuing.key").read_text()),
    "not matching": lambda pki: openssl("genrsa", "-out", pki / "signing.key", "2048"),
    "weak": lambda pki: openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-days", "30",
                                "-keyout", pki / "signing.key", "-out", pki / "signing.pem"),
    "no certificate": lambda pki: (pki / "signing.pem").write_text("not a certificate"),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_with_a_signing_key_that_is_no_good_nothing_is_served(fresh_lab, spoil):
    """O6"""
    fresh_lab.stop()
    pki = fresh_lab.settings_file.parent / "pki"
    spoil(pki)
    for path in pki.glob("*.key"):
        path.chmod(0o600)
    status, said = start_with(fresh_lab)
    assert status == 1, said
    assert "signing" in said


def test_with_an_expired_signing_certificate_nothing_is_served(fresh_lab):
    """O6"""
    fresh_lab.stop()
    pki = fresh_lab.settings_file.parent / "pki"
    openssl("req", "-x509", "-key", pki / "signing.key", "-subj", "/CN=short", "-days", "1", "-out", pki / "signing.pem")
    status, said = start_with(fresh_lab, "--clock", "+2d")
    assert status == 1
    assert "signing.pem" in said and "expired" in said
