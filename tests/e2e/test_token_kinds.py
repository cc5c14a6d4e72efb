"""Every kind of token, by every verifier (issue: verifiers x token kinds; O4, O8)."""
import subprocess

import pytest
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils as OneLogin

from support.curl import Client
from support.kinds import NAMESPACES, Assertion, cut_out, decrypted_by_xmlsec1
from support.lab import Lab, free_port
from support.metadata import verified_by_xml_crypto
from support.relying_party import RelyingParty
from support.settings import party, write_parties
from support.sign_in import TokenPage, credentials, is_sign_in_page, request_for, sign_in

TOKEN_TYPES = {"saml11": "urn:oasis:names:tc:SAML:1.0:assertion", "saml20": "urn:oasis:names:tc:SAML:2.0:assertion"}
RULES = {"issuance_transform_rules": "rules/rp.issuance.rules"}
CLEAR = {
    "SAML 1.1": ("saml11", {}),
    "SAML 1.1, rsa-sha1": ("saml11", {"signature_algorithm": "rsa-sha1"}),
    "SAML 2.0": ("saml20", {}),
    "SAML 2.0, rsa-sha1": ("saml20", {"signature_algorithm": "rsa-sha1"}),
}
ENCRYPTED = {
    "SAML 1.1, AES-256-CBC": ("saml11", {}),
    "SAML 1.1, AES-256-GCM": ("saml11", {"encryption_algorithm": "aes256-gcm"}),
    "SAML 2.0, AES-256-CBC": ("saml20", {}),
    "SAML 2.0, AES-256-GCM": ("saml20", {"encryption_algorithm": "aes256-gcm"}),
}
EVERY_CLEAR = pytest.mark.parametrize("kind", CLEAR)
EVERY_ENCRYPTED = pytest.mark.parametrize("kind", ENCRYPTED)


def realm_of(kind):
    return "urn:kind:" + "-".join(kind.lower().replace(",", "").split())


@pytest.fixture(scope="module")
def recipient(tmp_path_factory):
    """The relying party's own key and certificate, made without lanyard: (certificate, key)."""
    folder = tmp_path_factory.mktemp("recipient")
    certificate, key = folder / "rp.pem", folder / "rp.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=RP, Inc./CN=rp.test", "-days",
                    "30", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    certificate.chmod(0o644)
    return certificate, key


@pytest.fixture(scope="module")
def kinds_lab(tmp_path_factory, recipient):
    """A lab with one relying party of every kind."""
    lab = Lab(tmp_path_factory.mktemp("kinds") / "lab", "--no-loop-detection")
    encryption = {"encryption_certificate": str(recipient[0])}
    parties = [party(kind, realm_of(kind), "https://rp.test/", token_type=format, **RULES, **more)
               for kind, (format, more) in CLEAR.items()]
    parties += [party(kind, realm_of(kind), "https://rp.test/", token_type=format, **RULES, **more, **encryption)
                for kind, (format, more) in ENCRYPTED.items()]
    parties.append(party("not encrypted", "urn:kind:not", "https://rp.test/", encrypt_claims=False, **encryption))
    write_parties(lab.settings_file, parties)
    lab.restart()
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def tokens(kinds_lab):
    """kind -> (wresult, token as text), all for one signed-in user."""
    client = Client(kinds_lab)
    sign_in(client, realm_of("SAML 1.1"))
    wresults = {kind: TokenPage(client.get("/adfs/ls/", request_for(realm_of(kind)))).wresult for kind in [*CLEAR, *ENCRYPTED]}
    client.close()
    return {kind: (wresult, cut_out(wresult)) for kind, wresult in wresults.items()}


@pytest.fixture
def assertion(kind, tokens, recipient, tmp_path):
    """The assertion of that kind, decrypted by xmlsec1 where it was encrypted."""
    xml = tokens[kind][1]
    return Assertion(xml if kind in CLEAR else decrypted_by_xmlsec1(xml, recipient[1], tmp_path))


# Verified --------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", [*CLEAR, *ENCRYPTED])
def test_xmlsec1_verifies_it(kinds_lab, assertion, tmp_path):
    assert assertion.verified_by_xmlsec1(kinds_lab.signing_certificate, tmp_path)
    assert not assertion.verified_by_xmlsec1(kinds_lab.ready["issuing_certificate"], tmp_path)


@EVERY_CLEAR
def test_npms_xml_crypto_verifies_it(kinds_lab, assertion, tmp_path):
    assert assertion.verified_by_xml_crypto(kinds_lab.signing_certificate, tmp_path)
    assert not assertion.verified_by_xml_crypto(kinds_lab.ready["issuing_certificate"], tmp_path)


@EVERY_ENCRYPTED
def test_npms_xml_encryption_and_xml_crypto_decrypt_and_verify_it(kinds_lab, tokens, kind, recipient, tmp_path):
    signed = verified_by_xml_crypto(tokens[kind][1], kinds_lab.signing_certificate, tmp_path, recipient[1])
    assert etree.QName(etree.fromstring(signed)).namespace == NAMESPACES[ENCRYPTED[kind][0]]
    assert "alice@lab.test" in signed
    other = kinds_lab.user()["key"]
    assert verified_by_xml_crypto(tokens[kind][1], kinds_lab.signing_certificate, tmp_path, other) is None


@pytest.mark.parametrize("kind", ["SAML 2.0", "SAML 2.0, AES-256-CBC"])
def test_no_recipient_is_named_outside_the_saml_protocol(assertion):
    """.NET's relying parties refuse a SAML 2.0 token of WS-Federation that names one (ID4157)."""
    assert "SubjectConfirmationData" in assertion.xml and "Recipient" not in assertion.xml


@pytest.mark.parametrize("kind", ["SAML 2.0", "SAML 2.0, AES-256-CBC", "SAML 2.0, AES-256-GCM"])
def test_onelogins_toolkit_verifies_saml_20(kinds_lab, assertion):
    certificate = open(kinds_lab.signing_certificate).read()
    place = "/saml:Assertion/ds:Signature"
    assert OneLogin.validate_sign(assertion.xml, cert=certificate, xpath=place)
    assert not OneLogin.validate_sign(assertion.xml.replace("alice@", "admin@"), cert=certificate, xpath=place)


@pytest.mark.parametrize("kind", ["SAML 1.1", "SAML 2.0"])
@pytest.mark.parametrize("old, new", [("alice@lab.test", "admin@lab.test"), ("urn:kind:", "urn:other:"),
                                      ('NotOnOrAfter="20', 'NotOnOrAfter="21')])
def test_a_changed_token_is_refused_by_each(kinds_lab, assertion, tmp_path, old, new):
    assert old in assertion.xml
    changed = Assertion(assertion.xml.replace(old, new, 1))
    assert not changed.verified_by_xmlsec1(kinds_lab.signing_certificate, tmp_path)
    assert not changed.verified_by_xml_crypto(kinds_lab.signing_certificate, tmp_path)


@pytest.mark.parametrize("kind", [*CLEAR, *ENCRYPTED])
def test_it_is_valid_by_its_schema(assertion, tmp_path):
    """O8"""
    assert assertion.schema_complaints(tmp_path) == ""


@EVERY_CLEAR
def test_it_says_who_and_for_whom(assertion, kind):
    assert assertion.kind == CLEAR[kind][0] and assertion.audience == realm_of(kind)
    assert {value for value, _ in assertion.name_identifiers} == {"alice@lab.test"}


# As a relying party takes it -------------------------------------------------------------------

@pytest.mark.parametrize("suffix, format", [("", "saml11"), (",saml11", "saml11"), (",saml20", "saml20")])
def test_passport_wsfed_saml2_takes_what_rp_asks_for(make_lab, make_client, tmp_path, suffix, format):
    port, realm = free_port(), f"urn:passport:{format}"
    lab = make_lab("--rp", f"{realm}=https://localhost:{port}/signin-wsfed{suffix}")
    client = make_client(lab)
    with RelyingParty(lab, port, realm, tmp_path) as running:
        shown = client.get(client.get(running.address + "/sign-in").location)
        assert is_sign_in_page(shown)
        shown = client.post(shown.page.get_element_by_id("loginForm").get("action"), credentials(lab))
        page = TokenPage(client.get(shown.location) if shown.status == 302 else shown)
        assert Assertion(cut_out(page.wresult)).kind == format
        answer = client.post(page.action, {"wa": "wsignin1.0", "wresult": page.wresult, "wctx": page.wctx})
        assert answer.status == 303, answer.text
        assert "alice@lab.test" in client.get(running.address + "/").text
        answer = client.post(page.action, {"wa": "wsignin1.0", "wctx": page.wctx,
                                           "wresult": page.wresult.replace("alice@", "admin@")})
        assert answer.status == 403


# Encrypted -------------------------------------------------------------------------------------

@EVERY_ENCRYPTED
def test_an_encrypted_token_says_nothing_in_the_clear(tokens, kind):
    wresult, xml = tokens[kind]
    assert "alice" not in wresult and "Assertion " not in xml.replace("EncryptedAssertion ", "")
    tree = etree.fromstring(xml.encode())
    assert etree.QName(tree).localname == ("EncryptedData" if ENCRYPTED[kind][0] == "saml11" else "EncryptedAssertion")
    assert ("aes256-gcm" if "GCM" in kind else "aes256-cbc") in xml and "rsa-oaep-mgf1p" in xml


@EVERY_ENCRYPTED
def test_the_response_around_it_still_says_what_kind_it_is(tokens, kind):
    response = etree.fromstring(tokens[kind][0].encode())
    said = response.findtext("t:TokenType", namespaces={"t": "http://schemas.xmlsoap.org/ws/2005/02/trust"})
    assert said == TOKEN_TYPES[ENCRYPTED[kind][0]]


@EVERY_ENCRYPTED
def test_nobody_else_can_decrypt_it(kinds_lab, tokens, kind, tmp_path):
    assert decrypted_by_xmlsec1(tokens[kind][1], kinds_lab.user()["key"], tmp_path) is None


def test_where_encryption_is_switched_off_the_token_goes_in_the_clear(kinds_lab, make_client):
    page = TokenPage(sign_in(make_client(kinds_lab), "urn:kind:not"))
    assert Assertion(cut_out(page.wresult)).audience == "urn:kind:not"


# Several addresses, several names --------------------------------------------------------------

def test_a_party_has_several_identifiers_and_the_token_is_for_the_one_that_asked(fresh_lab, make_client):
    several = party("Several", "urn:one", "https://rp.test/")
    several["identifiers"] = ["urn:one", "https://rp.test/app", "urn:three"]
    write_parties(fresh_lab.settings_file, [several])
    fresh_lab.restart()
    client = make_client(fresh_lab)
    for realm in several["identifiers"]:
        page = TokenPage(sign_in(client, realm, wfresh="0"))
        assert Assertion(cut_out(page.wresult)).audience == realm and page.action == "https://rp.test/"


def test_a_developers_address_may_have_any_port(make_lab, make_client):
    lab = make_lab("--no-loop-detection")
    write_parties(lab.settings_file, [
        party("App", "urn:app", "https://app.test/signin",
              additional_wsfed_endpoints=["https://localhost:*/signin", "https://staging.test/signin"])])
    lab.restart()
    client = make_client(lab)
    sign_in(client, "urn:app")
    for reply in ("https://localhost:5001/signin", "https://localhost/signin", "https://localhost:65535/signin/more",
                  "https://staging.test/signin", "https://app.test/signin"):
        assert TokenPage(client.get("/adfs/ls/", request_for("urn:app", wreply=reply))).action == reply
    for reply in ("http://localhost:5001/signin", "https://localhost:5001/other", "https://localhost:5001/signing",
                  "https://localhost.evil.test:5001/signin", "https://app.test:5001/signin", "https://127.0.0.1:5001/signin",
                  "https://localhost:*/signin"):
        assert client.get("/adfs/ls/", request_for("urn:app", wreply=reply)).status == 400, reply
    assert TokenPage(client.get("/adfs/ls/", request_for("urn:app"))).action == "https://app.test/signin"
