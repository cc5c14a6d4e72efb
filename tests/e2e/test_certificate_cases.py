"""The security cases of certificates, of their strings and of revocation at the port that serves people
(security.md C, K, L, T): every certificate here is shown in a real handshake, and the answer is a token
or a page. What needs no server stands in the unit tests under the same letters."""
import json
import subprocess
import time

import pytest

from conftest import FIRST
from support.certificates import refusal, show, sign_in_by_certificate
from support.foreign_ca import ForeignCa, Nginx
from support.identity import AUTHORITY, UPN, Authority, Identity, of_user, openssl
from support.lab import Lab, copy_lab, free_port, run
from support.settings import set_setting
from support.sign_in import TokenPage, is_token_page

ALICE = f"otherName:{UPN};UTF8:alice@lab.test"


@pytest.fixture(scope="module")
def ca(lab):
    return Authority.of_lab(lab)


def lanyard(lab, *command):
    finished = run(*command, "-c", lab.settings_file)
    assert finished.returncode == 0, finished.stderr


def root_of(lab):
    """It may have CAs beneath its own; the lab's issuing CA may not."""
    return Authority(lab.folder / "pki" / "root.pem", lab.folder / "pki" / "root.key")


def signs_in(client, identity, **more):
    return is_token_page(sign_in_by_certificate(client, FIRST, identity, **more))


def refused(client, identity, **more):
    """The code of the page, which came with 200 and without a session (T4)."""
    answer = show(client, FIRST, identity, **more)
    assert answer.status == 200 and answer.set_cookie is None and not is_token_page(answer)
    return refusal(answer)


# Strings ---------------------------------------------------------------------------------------------

def der(tag, content):
    size = len(content)
    return bytes([tag, size] if size < 128 else [tag, 0x82, size >> 8, size & 255]) + content


def upn_of(tag, content):
    """A subjectAltName with a UPN of those very bytes."""
    number = bytes.fromhex("060A2B060104018237140203")
    name = der(0xA0, number + der(0xA0, der(tag, content)))
    return "DER:" + der(0x30, name).hex(":")


@pytest.mark.parametrize("upn", [b"alice@lab.test\0.evil.test", b"\0alice@lab.test", b"alice@lab.test\0"])
def test_C2_a_nul_in_a_upn_signs_nobody_in(client, ca, tmp_path, upn):
    assert refused(client, ca.issue(tmp_path, "x", subjectAltName=upn_of(0x0C, upn))) == "certificate.unreadable"


STRINGS = {"UTF8String": (0x0C, b"alice@lab.test"), "IA5String": (0x16, b"alice@lab.test"),
           "PrintableString": (0x13, b"alice"), "BMPString": (0x1E, "alice@lab.test".encode("utf-16-be")),
           "UniversalString": (0x1C, "alice@lab.test".encode("utf-32-be")), "T61String": (0x14, b"alice@lab.test")}


@pytest.mark.parametrize("kind", STRINGS)
def test_C3_a_upn_in_any_kind_of_string_is_the_right_one_or_nobodys(client, ca, tmp_path, kind):
    tag, content = STRINGS[kind]
    answer = sign_in_by_certificate(client, FIRST, ca.issue(tmp_path, "x", subjectAltName=upn_of(tag, content)))
    if is_token_page(answer):
        assert "alice@lab.test" in TokenPage(answer).wresult
    else:
        assert refusal(answer) in ("certificate.unreadable", "account.none") and kind not in ("UTF8String", "BMPString")


@pytest.mark.parametrize("tag, content", [
    (0x0C, b"\xC1\xA1lice@lab.test"), (0x0C, b"alice@lab.test\xff"), (0x0C, b"\xed\xa0\x80alice@lab.test"),
    (0x1E, "alice@lab.test".encode("utf-16-be") + b"\xd8\x00"),
    (0x1C, b"\x00\x11\x00\x00" + "alice@lab.test".encode("utf-32-be")),
], ids=["overlong", "broken", "surrogate in UTF-8", "half a pair", "beyond Unicode"])
def test_C3_a_upn_in_a_broken_encoding_signs_nobody_in(client, ca, tmp_path, tag, content):
    assert refused(client, ca.issue(tmp_path, "x", subjectAltName=upn_of(tag, content))) == "certificate.unreadable"


@pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f", "\x85", "\ufffe", "\uffff"])
def test_C4_what_xml_does_not_allow_never_reaches_a_token(client, ca, tmp_path, character):
    upn = f"alice@lab.test{character}".encode()
    assert refused(client, ca.issue(tmp_path, "x", subjectAltName=upn_of(0x0C, upn))) in ("certificate.unreadable", "account.none")


@pytest.mark.parametrize("upn", ["\u202ealice@lab.test", "al\u200bice@lab.test", "\u0430lice@lab.test", "alice@lab.test "])
def test_C5_what_looks_like_alice_is_not_alice(client, ca, tmp_path, upn):
    assert refused(client, ca.issue(tmp_path, "x", subjectAltName=upn_of(0x0C, upn.encode()))) == "account.none"


# Certificates ------------------------------------------------------------------------------------------

def authority_of_name(folder, subject):
    """A CA that nobody knows, of the same name as another."""
    folder.mkdir(parents=True)
    extensions = [part for each, value in AUTHORITY.items() for part in ("-addext", f"{each}={value}")]
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30, "-subj", subject,
            "-config", "/dev/null", "-keyout", folder / "ca.key", "-out", folder / "ca.pem", *extensions)
    return Authority(folder / "ca.pem", folder / "ca.key")


def subject_of(certificate):
    shown = openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "compat").stdout.decode()
    return shown.strip().partition("=")[2]


@pytest.mark.parametrize("begins, ends, code", [(-3600, -1, "time.expired"), (-3600, 60, None), (-1, 60, None),
                                                (30, 60, "time.not-yet-valid")])
def test_K1_the_time_of_a_certificate_counts_by_the_second(client, ca, tmp_path, begins, ends, code):
    identity = ca.issue(tmp_path, "x", upn="alice@lab.test", days=(f"{begins} seconds 0", f"{ends} seconds 0"))
    if code:
        assert refused(client, identity) == code
    else:
        assert signs_in(client, identity)


def test_K2_the_name_of_a_trusted_ca_is_not_its_key(client, ca, tmp_path):
    """With and without an authority key identifier, and with the impostor sent along."""
    impostor = authority_of_name(tmp_path / "ca", subject_of(ca.certificate))
    for name, more in (("with", {}), ("without", {"authorityKeyIdentifier": None})):
        identity = impostor.issue(tmp_path / name, "x", upn="alice@lab.test", **more)
        for with_chain in (False, True):
            assert refused(client, identity, with_chain=with_chain).startswith("chain.")


def test_K2_an_authority_key_identifier_that_points_elsewhere_is_refused(client, ca, tmp_path):
    elsewhere = "DER:" + der(0x30, der(0x80, bytes(20))).hex(":")
    identity = ca.issue(tmp_path, "x", upn="alice@lab.test", authorityKeyIdentifier=elsewhere)
    assert refused(client, identity, with_chain=True).startswith("chain.")


@pytest.mark.parametrize("identified", [True, False])
@pytest.mark.parametrize("with_right_one", [True, False])
def test_K3_the_right_issuer_is_found_behind_five_of_the_same_name(client, ca, tmp_path, identified, with_right_one):
    more = {} if identified else {"authorityKeyIdentifier": None}
    identity = ca.issue(tmp_path / "leaf", "x", upn="alice@lab.test", **more)
    impostors = [authority_of_name(tmp_path / f"ca{number}", subject_of(ca.certificate)) for number in range(5)]
    sent = [identity.certificate, *(each.certificate for each in impostors), *(ca.above if with_right_one else [])]
    identity.chain.write_text("".join(each.read_text() for each in sent))
    assert signs_in(client, identity, with_chain=True)


def test_K3_an_intermediate_that_was_seen_with_one_person_serves_the_next(make_lab, make_client, tmp_path):
    lab = make_lab(env={"LANYARD_REVOCATION": "none"})
    middle = root_of(lab).issue(tmp_path / "middle", "middle", subject="/CN=Middle CA", authority=True)
    below = Authority(middle.certificate, middle.key)
    alice, bob = (below.issue(tmp_path / name, name, upn=f"{name}@lab.test") for name in ("alice", "bob"))
    assert refused(make_client(lab), bob) == "chain.issuer-missing"
    assert signs_in(make_client(lab), alice, with_chain=True)
    assert signs_in(make_client(lab), bob)


@pytest.mark.parametrize("usage, good", [
    ("clientAuth", True), ("clientAuth,1.3.6.1.4.1.311.20.2.2", True), ("anyExtendedKeyUsage", True), (None, True),
    ("1.3.6.1.4.1.311.20.2.2", False), ("serverAuth", False), ("emailProtection", False), ("DER:30:00", False)])
def test_K4_a_certificate_says_what_it_is_for(client, ca, tmp_path, usage, good):
    identity = ca.issue(tmp_path, "x", upn="alice@lab.test", extendedKeyUsage=usage)
    if good:
        assert signs_in(client, identity)
    else:
        assert refused(client, identity) in ("usage.extended", "usage.empty", "certificate.unreadable")


def test_K4_an_intermediate_for_servers_signs_nobody_in(make_lab, make_client, tmp_path):
    lab = make_lab(env={"LANYARD_REVOCATION": "none"})
    codes = []
    for usage in ("clientAuth", "serverAuth"):
        middle = root_of(lab).issue(tmp_path / usage, "middle", subject=f"/CN=Middle {usage}", authority=True,
                                             extendedKeyUsage=usage)
        leaf = Authority(middle.certificate, middle.key).issue(tmp_path / usage, "x", upn="alice@lab.test")
        answer = show(make_client(lab), FIRST, leaf, with_chain=True)
        codes.append(refusal(answer) if answer.status == 200 else None)
    assert codes[0] is None and codes[1].startswith("usage."), codes


@pytest.mark.parametrize("usage", ["keyAgreement", "nonRepudiation", "dataEncipherment", "keyCertSign"])
def test_K5_a_key_that_may_not_sign_gets_no_session(client, ca, tmp_path, usage):
    """The handshake itself ends where TLS looks at the key usage; otherwise a page says so."""
    identity = ca.issue(tmp_path, "x", upn="alice@lab.test", keyUsage=f"critical,{usage}")
    try:
        assert refused(client, identity).startswith("usage.")
    except subprocess.CalledProcessError:
        event = client.lab.event_where(event="handshake", outcome="refused")
        assert "key usage lacks digitalSignature" in event["why"]


def test_K5_without_a_key_usage_every_use_is_free(client, ca, tmp_path):
    assert signs_in(client, ca.issue(tmp_path, "x", upn="alice@lab.test", keyUsage=None))


def test_T5_a_certificate_of_version_1_is_refused_with_a_page(client, ca, tmp_path):
    identity = Identity(tmp_path, "old")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=alice",
            "-config", "/dev/null", "-keyout", identity.key, "-out", tmp_path / "old.csr")
    openssl("x509", "-req", "-in", tmp_path / "old.csr", "-CA", ca.certificate, "-CAkey", ca.key, "-out", identity.certificate)
    assert "Version: 1" in openssl("x509", "-in", identity.certificate, "-noout", "-text").stdout.decode()
    assert refused(client, identity)


def test_T5_two_hundred_certificates_hold_nobody_up(client, lab, ca, tmp_path, make_client):
    identity = ca.issue(tmp_path / "leaf", "x", upn="alice@lab.test")
    noise = [authority_of_name(tmp_path / f"ca{number}", f"/CN=Noise {number}").certificate.read_text() for number in range(10)]
    identity.chain.write_text(identity.certificate.read_text() + "".join(noise * 20))
    began = time.monotonic()
    try:
        answer = show(client, FIRST, identity, with_chain=True)
        assert answer.status == 302 or refusal(answer)
    except subprocess.CalledProcessError as error:
        assert error.returncode in (35, 55, 56), error  # the handshake has a limit, too
    assert time.monotonic() - began < 5
    assert signs_in(make_client(lab), identity)


# Revocation --------------------------------------------------------------------------------------------

@pytest.fixture
def own(make_lab):
    """A lab whose lists the test may spoil."""
    return make_lab()


@pytest.fixture
def visitor(own, make_client):
    return make_client(own)


def test_L1_who_is_revoked_in_the_delta_alone_is_refused(own, visitor):
    bob = of_user(own.user("bob"))
    assert signs_in(visitor, bob)
    lanyard(own, "cert", "revoke", "bob", "--delta")
    base = openssl("crl", "-inform", "DER", "-in", own.folder / "pki" / "issuing.crl", "-noout", "-text").stdout.decode()
    assert "No Revoked Certificates" in base
    assert refused(visitor, bob) == "revocation.revoked" and signs_in(visitor, of_user(own.user()))


def test_L1_a_hold_refuses_and_ends_in_the_base_and_in_the_delta(own, visitor):
    bob = of_user(own.user("bob"))
    for more in ([], ["--delta"]):
        lanyard(own, "cert", "revoke", "bob", "--reason", "certificateHold", *more)
        assert refused(visitor, bob) == "revocation.revoked"
        lanyard(own, "cert", "revoke", "bob", "--reason", "removeFromCRL", *more)
        assert signs_in(visitor, bob)


def test_L1_nobody_below_a_revoked_intermediate_signs_in(own, visitor):
    """The page says which certificate it is, for it is not the person's own."""
    alice = of_user(own.user())
    lanyard(own, "cert", "revoke", "issuing")
    answer = show(visitor, FIRST, alice)
    assert refusal(answer) == "revocation.revoked" and answer.set_cookie is None
    assert "Issuing CA" in answer.text_of("findings")


def test_L2_a_list_that_somebody_else_signed_is_no_list(own, visitor, tmp_path):
    """Of the right name, in the place of the lab's own: the lab does not start, and says how to mend it."""
    issuing = own.folder / "pki" / "issuing.crl"
    good = issuing.read_bytes()
    name = subject_of(own.folder / "pki" / "issuing.pem")
    forger = authority_of_name(tmp_path / "forger", name)
    settings = tmp_path / "ca.cnf"
    settings.write_text(f"[ca]\ndefault_ca=a\n[a]\ndatabase={tmp_path}/index\ndefault_md=sha256\ndefault_crl_days=7\n")
    (tmp_path / "index").touch()
    openssl("ca", "-config", settings, "-gencrl", "-cert", forger.certificate, "-keyfile", forger.key, "-out", tmp_path / "x")
    openssl("crl", "-in", tmp_path / "x", "-outform", "DER", "-out", tmp_path / "forged.crl")
    for content in ((tmp_path / "forged.crl").read_bytes(), b"nonsense", good[:-1]):
        own.kill()
        issuing.write_bytes(content)
        try:
            own.start()
        except AssertionError as error:
            assert "issuing.crl" in str(error) and "Restore it from a backup" in str(error)
        else:
            pytest.fail("it serves")
    issuing.write_bytes(good)
    own.start()
    assert signs_in(visitor, of_user(own.user()))


def test_L8_lists_that_have_run_out_are_named_with_address_file_and_cure(own, visitor):
    """And `lanyard crl` is enough: nothing is started again."""
    alice = of_user(own.user())
    assert signs_in(visitor, alice)
    lanyard(own, "crl", "--days", "0")
    answer = show(visitor, FIRST, alice)
    assert refusal(answer).startswith("revocation.") and answer.set_cookie is None
    told = answer.text_of("findings") + answer.text_of("lookups")
    assert str(own.folder / "pki" / "issuing.crl") in told and "lanyard crl" in told
    lanyard(own, "crl")
    assert signs_in(visitor, alice)


@pytest.fixture
def foreign(first_made, tmp_path, parties):
    """A lab that trusts a CA of somebody else, whose lists are on a server that is not up yet."""
    ca = ForeignCa(tmp_path / "foreign", f"http://127.0.0.1:{free_port()}")
    folder = copy_lab(first_made, tmp_path / "lab")
    set_setting(folder / "lanyard.yaml", "certificate_authorities",
                json.dumps([{"name": "Foreign", "certificate": str(ca.root), "type": "root", "sign_in": True}]))
    set_setting(folder / "lanyard.yaml", "fetch_allow", json.dumps([f"{ca.address}/"]))
    lab = Lab(folder, *parties, ports=())
    yield lab, ca
    lab.stop()


def test_L8_a_dead_address_is_named_and_what_was_had_once_serves_without_it(foreign, make_client, tmp_path):
    lab, ca = foreign
    user = Identity(ca.folder, "user")
    user.chain.write_text("".join((ca.folder / f"{name}.pem").read_text() for name in ("user", "issuing")))
    client = make_client(lab)
    answer = show(client, FIRST, user, with_chain=True)
    assert refusal(answer) == "revocation.unknown" and answer.set_cookie is None
    assert f"{ca.address}/issuing.crl" in answer.text_of("lookups") and "connect" in answer.text_of("lookups")
    nginx = Nginx(tmp_path / "nginx", int(ca.address.rsplit(":", 1)[1]))
    nginx.start(ca.www)
    lab.restart()  # or a minute's wait
    try:
        assert refused(client, user, with_chain=True) == "account.none"  # good, and nobody's here
    finally:
        nginx.stop()
    lab.restart()
    assert refused(client, user, with_chain=True) == "account.none"
