"""Whose a certificate is, and what it says: through both trusts into the token of a live sign-in."""
import base64
import hashlib
import re
import subprocess

import pytest

from support.certificates import refusal, show, sign_in_by_certificate
from support.curl import Client
from support.identity import UPN, Authority, openssl
from support.lab import Lab, copy_lab
from support.settings import PERMIT_EVERYONE, party, write_parties
from support.sign_in import TokenPage, is_token_page, sign_in
from support.tokens import Token

FIELD = "http://schemas.microsoft.com/2012/12/certificatecontext/field/"
EXTENSION = "http://schemas.microsoft.com/2012/12/certificatecontext/extension/"
MS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
SID = "1.3.6.1.4.1.311.25.2"
EVERYTHING = "c:[] => issue(claim = c);\n"
OWN = "urn:lanyard:rp"


def der(tag, content):
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def der_hex(content):
    return "DER:" + ":".join(f"{byte:02X}" for byte in content)


def sid_extension(sid):
    """As AD's CA writes it: an otherName around an OCTET STRING."""
    number = bytes.fromhex("060A2B060104018237190201")
    return der_hex(der(0x30, der(0xA0, number + der(0xA0, der(0x04, sid.encode())))))


def told(certificate, *what):
    return openssl("x509", "-in", certificate, "-noout", *what).stdout.decode().strip().partition("=")[2]


def raw(certificate):
    return openssl("x509", "-in", certificate, "-outform", "DER").stdout


def key_digest(certificate):
    key = openssl("x509", "-in", certificate, "-noout", "-pubkey").stdout.decode()
    return hashlib.sha1(base64.b64decode("".join(key.split("\n")[1:-2]))[-65:]).hexdigest()


def ad_serial(certificate):
    issuer = told(certificate, "-issuer", "-nameopt", "sep_comma_plus")
    serial = bytes.fromhex(told(certificate, "-serial"))
    return f"X509:<I>{issuer}<SR>{serial[::-1].hex()}"


def own_serial(certificate):
    issuer = ", ".join(reversed(told(certificate, "-issuer", "-nameopt", "sep_comma_plus").split(",")))
    serial = bytes.fromhex(told(certificate, "-serial"))
    return f"\n    issuer: {issuer}\n    serial: {'00' if serial[0] > 127 else ''}{serial.hex()}"


def key_identifier(certificate):
    shown = openssl("x509", "-in", certificate, "-noout", "-ext", "subjectKeyIdentifier").stdout.decode()
    return re.sub("[^0-9A-F]", "", shown.split("\n")[1])


# How a user's file may name a certificate.
FORMS = {
    "sha256": lambda certificate: "'sha256:" + hashlib.sha256(raw(certificate)).hexdigest() + "'",
    "ad-serial": lambda certificate: "'" + ad_serial(certificate) + "'",
    "own-serial": own_serial,
    "ski": lambda certificate: "'X509:<SKI>" + key_identifier(certificate) + "'",
    "sha1-of-key": lambda certificate: "'X509:<SHA1-PUKEY>" + key_digest(certificate) + "'",
    "thumbprint": lambda certificate: "'X509:<SHA1-PUKEY>" + hashlib.sha1(raw(certificate)).hexdigest() + "'",
}


class Bench:
    """A lab whose parties and rules are told of everything, and whose bob's file names certificates."""

    def __init__(self, made, folder):
        home = copy_lab(made, folder / "lab")
        self.folder, pki = folder, home / "pki"
        self.ca = Authority(pki / "issuing.pem", pki / "issuing.key", [pki / "root.pem"])
        self.named = {form: self.ca.issue(folder / form, "nameless") for form in FORMS}
        with open(home / "users" / "bob.yaml", "a") as file:
            file.write("\ncertificates:\n")
            for form, write in FORMS.items():
                file.write(f"  - {write(self.named[form].certificate).lstrip()}\n")
        self.sids = {name: re.search(r"objectSid: *(\S+)", (home / "users" / f"{name}.yaml").read_text()).group(1)
                     for name in ("alice", "bob")}
        self.rules = (home / "rules" / "active-directory.rules").read_text()
        (home / "rules" / "active-directory.rules").write_text(self.rules + "\n" + EVERYTHING)
        (home / "rules" / "everything.rules").write_text(EVERYTHING)
        write_parties(home / "lanyard.yaml", [
            party(name, f"urn:{name}", "https://rp.test/", token_type=kind, issuance_authorization_rules=PERMIT_EVERYONE,
                  issuance_transform_rules="rules/everything.rules")
            for name, kind in (("everything", "saml11"), ("everything20", "saml20"))])
        self.lab = Lab(home, "--no-loop-detection", ports=())


@pytest.fixture(scope="module")
def bench(first_made, tmp_path_factory):
    bench = Bench(first_made, tmp_path_factory.mktemp("claims"))
    yield bench
    bench.lab.stop()


@pytest.fixture
def visitor(bench):
    client = Client(bench.lab)
    yield client
    client.close()


def claims_of(visitor, identity, realm="urn:everything"):
    answer = sign_in_by_certificate(visitor, realm, identity)
    assert is_token_page(answer), refusal(answer)
    return Token(TokenPage(answer).wresult).claims


def who(visitor, identity):
    """Whose account it was."""
    return claims_of(visitor, identity)[MS + "windowsaccountname"]


# Claims ----------------------------------------------------------------------------------------------

def test_every_claim_of_a_certificate_goes_through_both_trusts(bench, visitor, tmp_path):
    extensions = {"keyUsage": "critical,digitalSignature,keyEncipherment",
                  "extendedKeyUsage": "clientAuth,1.3.6.1.4.1.311.10.3.4", "certificatePolicies": "1.2.3.4",
                  "1.3.6.1.4.1.311.20.2": "ASN1:BMP:User",
                  "1.3.6.1.4.1.311.21.7": der_hex(bytes.fromhex("300B06032A0304020164020103")),
                  "1.3.6.1.4.1.311.21.10": der_hex(bytes.fromhex("3007300506032A0305")),
                  "subjectAltName": f"otherName:{UPN};UTF8:alice@lab.test,email:alice@lab.test"}
    alice = bench.ca.issue(tmp_path, "alice", key="rsa", subject="/O=Lab, \"Inc.\"/CN=alice/emailAddress=alice@lab.test",
                           **extensions)
    claims = claims_of(visitor, alice)
    content = raw(alice.certificate)
    issuer = ", ".join(reversed(told(alice.certificate, "-issuer", "-nameopt", "sep_comma_plus").split(",")))
    serial = bytes.fromhex(told(alice.certificate, "-serial"))
    subject = 'E=alice@lab.test, O="Lab, ""Inc.""", CN=alice'  # the order is that of `openssl ca`
    expected = {
        FIELD + "x509version": ["3"], FIELD + "signaturealgorithm": ["sha256RSA"],
        FIELD + "issuer": [issuer], FIELD + "issuername": [issuer],
        FIELD + "subject": [subject], FIELD + "subjectname": [subject],
        FIELD + "rawdata": [base64.b64encode(content).decode()],
        EXTENSION + "keyusage": ["DigitalSignature", "KeyEncipherment"],
        EXTENSION + "eku": ["1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.10.3.4"],
        EXTENSION + "san": ["Other Name:Principal Name=alice@lab.test, RFC822 Name=alice@lab.test"],
        EXTENSION + "subjectkeyidentifier": [key_identifier(alice.certificate)],
        EXTENSION + "basicconstraints": ["Subject Type=End Entity, Path Length Constraint=None"],
        EXTENSION + "certificatepolicy": ["1.2.3.4"], EXTENSION + "applicationpolicy": ["1.2.3.5"],
        EXTENSION + "certificatetemplatename": ["User"],
        EXTENSION + "certificatetemplateinformation": ["Template=1.2.3.4, Major Version Number=100, Minor Version Number=3"],
        MS + "serialnumber": [("00" if serial[0] > 127 else "") + serial.hex().upper()],
        XMLSOAP + "thumbprint": [base64.b64encode(hashlib.sha1(content).digest()).decode()],
    }
    assert {kind: claims.get(kind) for kind in expected} == expected
    assert re.fullmatch(r"KeyID=[0-9a-f]{2}( [0-9a-f]{2})+", claims[EXTENSION + "authoritykeyidentifier"][0])
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", claims[FIELD + "notbefore"][0])
    assert re.fullmatch(r"<RSAKeyValue><Modulus>[^<]+</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>", claims[XMLSOAP + "rsa"][0])
    about = {kind for kind in claims if kind.startswith((FIELD, EXTENSION))}
    assert about <= set(expected) | {FIELD + "notbefore", FIELD + "notafter", EXTENSION + "authoritykeyidentifier"}


def test_of_a_new_lab_only_three_pass(client, lab, tmp_path):
    """AD FS lets the EKU in by itself; the two that Microsoft 365 wants are rules of the lab"""
    alice = Authority.of_lab(lab).issue(tmp_path, "alice", upn="alice@lab.test")
    claims = claims_of(client, alice, OWN)
    found = {kind for kind in claims if "certificatecontext" in kind} | ({MS + "serialnumber"} & set(claims))
    assert found == {EXTENSION + "eku", FIELD + "issuer", MS + "serialnumber"}
    assert XMLSOAP + "thumbprint" not in claims and XMLSOAP + "rsa" not in claims


def test_without_its_rule_the_serial_number_is_missing(make_lab, make_client, tmp_path):
    lab = make_lab()
    rules = lab.settings_file.parent / "rules" / "active-directory.rules"
    rules.write_text("\n\n".join(rule for rule in rules.read_text().split("\n\n") if "serialnumber" not in rule))
    lab.restart()
    alice = Authority.of_lab(lab).issue(tmp_path, "alice", upn="alice@lab.test")
    claims = claims_of(make_client(lab), alice, "urn:federation:MicrosoftOnline")
    assert MS + "serialnumber" not in claims and FIELD + "issuer" in claims


def test_a_hostile_name_stays_one_value(bench, visitor, tmp_path):
    """C1, C10: what looks like another RDN, a rule, a template or markup is text"""
    hostile = '/CN=alice\\, CN=admin{0}%s${x}<b>&"]]>'
    alice = bench.ca.issue(tmp_path, "alice", upn="alice@lab.test", subject=hostile)
    assert claims_of(visitor, alice)[FIELD + "subject"] == ['CN="alice, CN=admin{0}%s${x}<b>&""]]>"']


def test_somebody_with_a_password_has_no_claim_of_a_certificate(bench, visitor):
    """C15: not even where every rule lets everything through"""
    claims = Token(TokenPage(sign_in(visitor, "urn:everything", "bob")).wresult).claims
    assert not [kind for kind in claims if "certificatecontext" in kind]
    assert MS + "serialnumber" not in claims and XMLSOAP + "thumbprint" not in claims


def test_a_saml20_token_carries_them_too(bench, visitor, tmp_path):
    alice = bench.ca.issue(tmp_path, "alice", upn="alice@lab.test")
    answer = sign_in_by_certificate(visitor, "urn:everything20", alice)
    assert base64.b64encode(raw(alice.certificate)).decode() in TokenPage(answer).wresult


# Whose it is -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", FORMS)
def test_a_users_file_names_a_certificate(bench, visitor, form):
    assert who(visitor, bench.named[form]) == ["LAB\\bob"]


def test_a_sid_finds_its_account_and_no_subject_does(bench, visitor, tmp_path):
    identity = bench.ca.issue(tmp_path, "alice", **{SID: sid_extension(bench.sids["bob"])})
    assert who(visitor, identity) == ["LAB\\bob"]


def test_an_email_address_finds_its_account(bench, visitor, tmp_path):
    assert who(visitor, bench.ca.issue(tmp_path, "x", subjectAltName="email:Alice@lab.test")) == ["LAB\\alice"]


@pytest.mark.parametrize("code, words, extensions", [
    ("account.several", "alice", lambda bench: {"subjectAltName": f"otherName:{UPN};UTF8:alice@lab.test",
                                                SID: sid_extension(bench.sids["bob"])}),
    ("account.several", "bob", lambda bench: {"subjectAltName": f"otherName:{UPN};UTF8:alice@lab.test,email:bob@lab.test"}),
    ("account.none", "alice@lab.test", lambda bench: {"subjectAltName": f"otherName:{UPN};UTF8:alice@lab.test,"
                                                                        f"otherName:{UPN};UTF8:ghost@lab.test"}),
    ("account.none", "S-1-5-21-9-9-9-9", lambda bench: {"subjectAltName": f"otherName:{UPN};UTF8:alice@lab.test",
                                                        SID: sid_extension("S-1-5-21-9-9-9-9")}),
    ("account.none", "", lambda bench: {"subjectAltName": "otherName:1.3.6.1.4.1.311.20.2.4;UTF8:alice@lab.test"}),
    ("account.none", "", lambda bench: {}),
])
def test_whoever_it_might_be_it_is_nobody(bench, visitor, tmp_path, code, words, extensions):
    """C6, C7"""
    answer = show(visitor, "urn:everything", bench.ca.issue(tmp_path, "alice", **extensions(bench)))
    assert answer.status == 200 and refusal(answer) == code and words in answer.text_of("mapping")


@pytest.mark.parametrize("words, extensions", [
    ("a NUL in it", {"subjectAltName": der_hex(der(0x30, der(0x82, b"admin.test\0.evil")))}),
    ("a character that XML does not allow", {"subjectAltName": f"otherName:{UPN};UTF8:alice@lab.test\x01"}),
    ("broken encoding", {"subjectAltName": der_hex(der(0x30, der(0x81, b"\xff@lab.test")))}),
    ("extended key usage holds nothing", {"extendedKeyUsage": "DER:30:00"}),
    ("one SID", {SID: sid_extension("alice")}),
])
def test_what_no_token_could_carry_signs_nobody_in(bench, visitor, tmp_path, words, extensions):
    """C2 to C4: refused, and the log names the field"""
    extensions = {"subjectAltName": f"otherName:{UPN};UTF8:alice@lab.test", **extensions}
    answer = show(visitor, "urn:everything", bench.ca.issue(tmp_path, "alice", **extensions))
    assert answer.status == 200 and refusal(answer) == "certificate.unreadable"
    event = bench.lab.event_where(event="sign-in", activity_id=answer.text_of("activityId"))
    assert event["outcome"] == "refused" and words in event["why"] and words in answer.text_of("tls")
