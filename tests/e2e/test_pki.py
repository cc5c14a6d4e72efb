"""The lab's own PKI, judged by openssl and by the tools that import it."""
import base64
import re
import subprocess
import time
from pathlib import Path

import pytest

from support.browser import trust


def openssl(*arguments, check=True, binary=False):
    finished = subprocess.run(["openssl", *map(str, arguments)], check=False, capture_output=True)
    output = finished.stdout if binary else (finished.stdout + finished.stderr).decode(errors="replace")
    assert not check or finished.returncode == 0, (arguments, finished.stderr.decode(errors="replace"))
    return output


def text_of(certificate):
    return openssl("x509", "-in", certificate, "-noout", "-text", "-nameopt", "RFC2253")


def der_of(certificate):
    pem = Path(certificate).read_text()
    return base64.b64decode(re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", pem, re.S).group(1))


@pytest.fixture(scope="module")
def pki(lab):
    return Path(lab.ready["root_certificate"]).parent


@pytest.fixture
def crls(pki, tmp_path):
    """Both CRLs as one PEM file, as openssl wants them."""
    path = tmp_path / "crls.pem"
    path.write_text("".join(openssl("crl", "-inform", "DER", "-in", pki / f"{name}.crl") for name in ("root", "issuing")))
    return path


def verify(lab, certificate, *options):
    return openssl("verify", "-x509_strict", "-trusted", lab.root_certificate, "-untrusted",
                   lab.ready["issuing_certificate"], *options, certificate)


def test_openssl_accepts_the_whole_chain_of_the_server_strictly(lab, pki, crls):
    assert "OK" in verify(lab, pki / "tls.pem", "-purpose", "sslserver", "-verify_hostname", "localhost",
                          "-crl_check_all", "-CRLfile", crls)


@pytest.mark.parametrize("name", ["localhost", "certauth.localhost", "anything.certauth.localhost"])
def test_the_server_may_be_called_by_all_its_names(lab, pki, name):
    assert "OK" in verify(lab, pki / "tls.pem", "-verify_hostname", name)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_server_may_be_called_by_its_addresses(lab, pki, address):
    assert "OK" in verify(lab, pki / "tls.pem", "-verify_ip", address)


def test_openssl_accepts_every_users_certificate_strictly_for_signing_in(lab, crls):
    for user in lab.ready["users"]:
        assert "OK" in verify(lab, user["certificate"], "-purpose", "sslclient", "-crl_check_all", "-CRLfile", crls)


def test_a_users_certificate_is_of_nobody_elses_ca(lab, pki):
    said = openssl("verify", "-trusted", pki / "signing.pem", lab.user()["certificate"], check=False)
    assert "unable to get local issuer certificate" in said


def test_a_user_is_named_by_upn_and_mail_and_may_log_on_by_smart_card(lab):
    for user in lab.ready["users"]:
        text = text_of(user["certificate"])
        assert f"email:{user['name']}" in text
        assert "TLS Web Client Authentication" in text and "Microsoft Smartcard Login" in text
        assert "CA:FALSE" in text and "Digital Signature" in text
        parsed = openssl("asn1parse", "-in", user["certificate"], "-strparse", san_offset(user["certificate"]))
        assert "Microsoft User Principal Name" in parsed and f":{user['name']}" in parsed


def san_offset(certificate):
    lines = openssl("asn1parse", "-in", certificate).splitlines()
    at = next(number for number, line in enumerate(lines) if "X509v3 Subject Alternative Name" in line)
    return next(line.split(":")[0].strip() for line in lines[at:] if "OCTET STRING" in line)


def test_every_issued_certificate_says_where_its_issuer_and_its_crl_are_and_they_are_there(lab, client, pki):
    for certificate in [pki / "tls.pem", pki / "issuing.pem"] + [user["certificate"] for user in lab.ready["users"]]:
        text = text_of(certificate)
        issuer, = re.findall(r"CA Issuers - URI:(\S+)", text)
        crl, = re.findall(r"CRL Distribution Points:.*?URI:(\S+)", text, re.S)
        assert issuer.startswith(lab.plain + "/") and crl.startswith(lab.plain + "/")
        assert client.request(issuer).body == der_of(pki / Path(issuer).with_suffix(".pem").name)
        assert client.request(crl).body == (pki / Path(crl).name).read_bytes()


def test_crls_and_ca_certificates_are_served_as_what_they_are(lab, client):
    for name, kind in (("root.crl", "application/pkix-crl"), ("issuing.crl", "application/pkix-crl"),
                       ("issuing-delta.crl", "application/pkix-crl"),
                       ("root.crt", "application/pkix-cert"), ("issuing.crt", "application/pkix-cert")):
        answer = client.request(f"{lab.plain}/lanyard/pki/{name}")
        assert (answer.status, answer.header("Content-Type")) == (200, kind)


@pytest.mark.parametrize("name", ["root", "issuing", "issuing-delta"])
def test_openssl_verifies_each_crl_with_its_ca(pki, name):
    authority = pki / f"{name.removesuffix('-delta')}.pem"
    said = openssl("crl", "-inform", "DER", "-in", pki / f"{name}.crl", "-CAfile", authority, "-noout", "-text")
    assert "verify OK" in said and "X509v3 CRL Number" in said and "X509v3 Authority Key Identifier" in said


def test_the_keys_are_of_the_kinds_promised(lab, pki):
    assert "ASN1 OID: prime256v1" in text_of(pki / "tls.pem")
    assert "Public-Key: (2048 bit)" in text_of(pki / "signing.pem")
    assert all("Public-Key: (2048 bit)" in text_of(user["certificate"]) for user in lab.ready["users"])


def test_every_private_key_is_its_owners_alone(lab, pki):
    keys = list(Path(lab.ready["lab"]).rglob("*.key")) + list(Path(lab.ready["lab"]).rglob("*.p12"))
    assert len(keys) >= 4 + 2 * len(lab.ready["users"])
    assert [path for path in keys if path.stat().st_mode & 0o777 != 0o600] == []


def test_serial_numbers_are_positive_and_every_one_is_its_own(lab, pki):
    certificates = [pki / f"{name}.pem" for name in ("root", "issuing", "tls", "signing")]
    certificates += [user["certificate"] for user in lab.ready["users"]]
    serials = [openssl("x509", "-in", path, "-noout", "-serial").strip().removeprefix("serial=") for path in certificates]
    assert len(set(serials)) == len(serials)
    assert all(len(serial) >= 16 and not serial.startswith("-") for serial in serials)


def test_what_is_issued_is_backdated_by_an_hour_and_does_not_outlive_its_issuer(pki):
    def seconds(path, which):
        line = openssl("x509", "-in", path, "-noout", f"-{which}", "-dateopt", "iso_8601").strip().partition("=")[2]
        return subprocess.run(["date", "-d", line, "+%s"], check=True, capture_output=True, text=True).stdout

    made = (pki / "tls.pem").stat().st_mtime
    assert abs(made - 3600 - int(seconds(pki / "tls.pem", "startdate"))) < 120
    assert int(seconds(pki / "tls.pem", "enddate")) - made <= 825 * 86400
    for inner, outer in (("tls", "issuing"), ("issuing", "root")):
        assert int(seconds(pki / f"{inner}.pem", "enddate")) <= int(seconds(pki / f"{outer}.pem", "enddate"))


def test_a_users_p12_is_of_the_kind_that_apple_takes_and_opens_with_its_password(lab):
    for user in lab.ready["users"]:
        said = openssl("pkcs12", "-legacy", "-in", user["pkcs12"], "-info", "-nodes", "-passin",
                       f"pass:{user['pkcs12_password']}")
        assert "pbeWithSHA1And3-KeyTripleDES-CBC" in said and "MAC: sha1" in said
        assert said.count("BEGIN CERTIFICATE") == 3 and said.count("PRIVATE KEY-----") == 2
        refused = openssl("pkcs12", "-legacy", "-in", user["pkcs12"], "-noout", "-passin", "pass:wrong", check=False)
        assert "Mac verify error" in refused


def test_a_users_p12_goes_into_a_browsers_store(lab, tmp_path):
    database = trust(tmp_path, lab.root_certificate)
    user = lab.user()
    subprocess.run(["pk12util", "-d", f"sql:{database}", "-i", user["pkcs12"], "-W", user["pkcs12_password"]],
                   check=True, capture_output=True)
    listed = subprocess.run(["certutil", "-d", f"sql:{database}", "-L"], check=True, capture_output=True, text=True).stdout
    assert re.search(r"^alice\s+u,u,u", listed, re.M)
    subprocess.run(["certutil", "-d", f"sql:{database}", "-V", "-n", "alice", "-u", "C"], check=True, capture_output=True)


def test_the_files_of_the_ready_line_are_there_and_are_what_they_are_called(lab):
    ready = lab.ready
    for name in ("root_certificate", "issuing_certificate", "signing_certificate"):
        assert "BEGIN CERTIFICATE" in Path(ready[name]).read_text()
    assert Path(ready["chain"]).read_text().count("BEGIN CERTIFICATE") == 2
    for user in ready["users"]:
        public = openssl("x509", "-in", user["certificate"], "-noout", "-pubkey")
        assert public == openssl("pkey", "-in", user["key"], "-pubout")


def test_the_crls_are_issued_anew_before_they_run_out(make_lab):
    """decision 16: by a server that holds the lab CA's key; numbers only grow."""
    lab = make_lab()
    pki = Path(lab.root_certificate).parent

    def number():
        text = openssl("crl", "-inform", "DER", "-in", pki / "issuing.crl", "-noout", "-crlnumber")
        return int(text.strip().partition("=")[2], 16)

    before = number()
    lab.move_clock("+30d")
    until = openssl("crl", "-inform", "DER", "-in", pki / "issuing.crl", "-noout", "-nextupdate").strip().partition("=")[2]
    days = subprocess.run(["date", "-d", until, "+%s"], check=True, capture_output=True, text=True).stdout
    assert number() > before and int(days) > time.time() + 30 * 86400
