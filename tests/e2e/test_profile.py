"""lanyard profile: configuration profiles for Apple devices, whole, and broken in the way that makes phones fail."""
import json
import shutil
import ssl
import stat
import subprocess

import pytest

from conftest import FIRST
from support.certificates import at
from support.lab import FREE_PORTS, run
from support.profile import Bad, check_profile, payloads_of
from support.sign_in import is_token_page

ROOT, ISSUING, IDENTITY, EXCHANGE = ("com.apple.security.root", "com.apple.security.pkcs1", "com.apple.security.pkcs12",
                                     "com.apple.eas.account")


def profile(lab, *arguments, name="alice"):
    return run("profile", name, "-c", lab / "lanyard.yaml", *arguments)


def written(lab, *arguments, name="alice"):
    """What the command said, and the profile it wrote, judged."""
    told = profile(lab, "--json", *arguments, name=name)
    assert told.returncode == 0, told.stderr
    answer = json.loads(told.stdout)
    with open(answer["profile"], "rb") as file:
        return answer, check_profile(file.read())


def der_of(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def openssl_pkcs12(pkcs12, password, folder, *options):
    """openssl's reading of it; fails where the password is wrong."""
    file = folder / "identity.p12"
    file.write_bytes(pkcs12)
    return subprocess.run(["openssl", "pkcs12", "-in", str(file), "-passin", f"pass:{password}", "-nodes", "-legacy", *options],
                          capture_output=True, text=True)


def refuse(lab, *arguments, says, status=(1, 2), name="alice"):
    before = {path: path.stat().st_mtime_ns for path in lab.rglob("*")}
    told = profile(lab, *arguments, name=name)
    assert told.returncode in status and told.stdout == "" and says in told.stderr, told
    assert {path: path.stat().st_mtime_ns for path in lab.rglob("*")} == before


# The whole profile -----------------------------------------------------------------------------

def test_root_issuing_ca_and_identity_are_in_it(made, tmp_path):
    answer, found = written(made)
    payloads = payloads_of(found)
    assert set(payloads) == {ROOT, ISSUING, IDENTITY} and len(found["PayloadContent"]) == 3
    assert answer["profile"] == str(made / "certificates" / "alice.mobileconfig")
    assert answer["media_type"] == "application/x-apple-aspen-config"
    assert payloads[ROOT]["PayloadContent"] == der_of(made / "pki" / "root.pem")
    assert payloads[ISSUING]["PayloadContent"] == der_of(made / "pki" / "issuing.pem")
    read = openssl_pkcs12(payloads[IDENTITY]["PayloadContent"], answer["password"], tmp_path)
    assert read.returncode == 0, read.stderr
    assert ssl.PEM_cert_to_DER_cert(read.stdout[read.stdout.index("-----BEGIN CERT"):read.stdout.index("-----END CERT") + 26].strip()) \
        == der_of(made / "certificates" / "alice.pem")
    assert read.stdout.count("BEGIN CERTIFICATE") == 1, "Apple's payload may hold one certificate only"
    assert read.stdout.count("BEGIN PRIVATE KEY") == 1 and "friendlyName: alice" in read.stdout


def test_the_key_in_it_is_the_one_of_the_certificate(made, tmp_path):
    answer, found = written(made)
    pkcs12 = payloads_of(found)[IDENTITY]["PayloadContent"]
    (tmp_path / "all.pem").write_text(openssl_pkcs12(pkcs12, answer["password"], tmp_path).stdout)

    def openssl(*arguments):
        return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    inside = openssl("pkey", "-in", tmp_path / "all.pem", "-pubout")
    assert "BEGIN PUBLIC KEY" in inside
    assert inside == openssl("x509", "-in", tmp_path / "all.pem", "-noout", "-pubkey")
    assert inside == openssl("pkey", "-in", made / "certificates" / "alice.key", "-pubout")


def test_what_is_in_it_is_what_old_devices_import(made, tmp_path):
    answer, found = written(made)
    told = openssl_pkcs12(payloads_of(found)[IDENTITY]["PayloadContent"], answer["password"], tmp_path, "-info", "-noout").stderr
    assert "MAC: sha1" in told and "pbeWithSHA1And3-KeyTripleDES-CBC" in told


def test_the_device_asks_for_a_password_that_is_nowhere_in_the_file(made, tmp_path):
    answer, found = written(made)
    assert "Password" not in payloads_of(found)[IDENTITY]
    assert len(answer["password"]) >= 12
    text = open(answer["profile"]).read()
    assert answer["password"] not in text
    for path in made.rglob("*"):
        assert not path.is_file() or answer["password"].encode() not in path.read_bytes()
    pkcs12 = payloads_of(found)[IDENTITY]["PayloadContent"]
    for wrong in ("", "x", answer["password"][:-1], (made / "pkcs12-password").read_text().strip()):
        assert openssl_pkcs12(pkcs12, wrong, tmp_path).returncode != 0
    again, _ = written(made)
    assert again["password"] != answer["password"], "it is drawn afresh"
    told = profile(made)
    assert "The device will ask for the password" in told.stdout


def test_with_password_nobody_is_asked_and_that_is_said(made, tmp_path):
    answer, found = written(made, "--with-password")
    password = payloads_of(found)[IDENTITY]["Password"]
    assert password == answer["password"]
    assert openssl_pkcs12(payloads_of(found)[IDENTITY]["PayloadContent"], password, tmp_path).returncode == 0
    told = profile(made, "--with-password")
    assert "whoever has the file has the key" in told.stderr and password not in told.stdout + told.stderr


@pytest.mark.parametrize("options", [[], ["--with-password"], ["--root-only"], ["--identity-only"]])
def test_the_file_is_for_its_owner_alone(made, tmp_path, options):
    answer, _ = written(made, *options)
    assert stat.S_IMODE((made / "certificates" / answer["profile"]).stat().st_mode) == 0o600
    target = tmp_path / "out.mobileconfig"
    target.write_text("there before")
    target.chmod(0o644)
    assert profile(made, *options, "--output", target).returncode == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    check_profile(target.read_bytes())


def test_standard_output_gets_the_profile_and_nothing_else(made):
    told = profile(made, "--output", "-")
    assert told.returncode == 0 and "The device will ask" in told.stderr
    assert set(payloads_of(check_profile(told.stdout.encode()))) == {ROOT, ISSUING, IDENTITY}
    assert not (made / "certificates" / "alice.mobileconfig").exists()


# Installed again -------------------------------------------------------------------------------

def ids(found):
    return [(entry["PayloadIdentifier"], entry["PayloadUUID"]) for entry in [found, *found["PayloadContent"]]]


def test_the_same_certificates_installed_again_replace_what_is_there(made):
    _, first = written(made)
    _, second = written(made)
    assert ids(first) == ids(second)


def test_another_certificate_is_another_edition_of_the_same_profile(made):
    _, first = written(made)
    for ending in (".pem", ".key"):
        shutil.copy(made / "certificates" / f"bob{ending}", made / "certificates" / f"alice{ending}")
    _, second = written(made)
    assert first["PayloadIdentifier"] == second["PayloadIdentifier"] and first["PayloadUUID"] != second["PayloadUUID"]
    before, after = payloads_of(first), payloads_of(second)
    assert before[ROOT]["PayloadUUID"] == after[ROOT]["PayloadUUID"]
    assert before[IDENTITY]["PayloadUUID"] != after[IDENTITY]["PayloadUUID"]


def test_people_and_labs_do_not_replace_each_other(made, tmp_path):
    _, alice = written(made)
    _, bob = written(made, name="bob")
    assert not {entry[0] for entry in ids(alice)} & {entry[0] for entry in ids(bob)}
    other = tmp_path / "other"
    assert run("init", other, *FREE_PORTS).returncode == 0
    _, stranger = written(other)
    assert not {entry[0] for entry in ids(alice)} & {entry[0] for entry in ids(stranger)}
    assert not {entry[1] for entry in ids(alice)} & {entry[1] for entry in ids(stranger)}


# The failure -----------------------------------------------------------------------------------

def test_without_the_issuing_ca_a_phone_cannot_tell_that_root_and_identity_belong_together(made, tmp_path):
    answer, found = written(made, "--without-issuing-ca")
    payloads = payloads_of(found)
    assert set(payloads) == {ROOT, IDENTITY}
    assert der_of(made / "pki" / "issuing.pem") not in openssl_pkcs12(payloads[IDENTITY]["PayloadContent"], answer["password"],
                                                                      tmp_path).stdout.encode()
    (tmp_path / "leaf.pem").write_text(openssl_pkcs12(payloads[IDENTITY]["PayloadContent"], answer["password"], tmp_path, "-nokeys").stdout)
    (tmp_path / "root.pem").write_text(ssl.DER_cert_to_PEM_cert(payloads[ROOT]["PayloadContent"]))
    verify = ["openssl", "verify", "-CAfile", str(tmp_path / "root.pem")]
    broken = subprocess.run([*verify, str(tmp_path / "leaf.pem")], capture_output=True, text=True)
    assert broken.returncode != 0 and "unable to get local issuer" in broken.stderr + broken.stdout
    whole = subprocess.run([*verify, "-untrusted", str(made / "pki" / "issuing.pem"), str(tmp_path / "leaf.pem")], capture_output=True)
    assert whole.returncode == 0


def test_the_broken_profile_takes_the_place_of_the_whole_one(made):
    """Else a phone that was healed would stay so, and show nothing."""
    _, whole = written(made)
    _, broken = written(made, "--without-issuing-ca")
    assert whole["PayloadIdentifier"] == broken["PayloadIdentifier"] and whole["PayloadUUID"] != broken["PayloadUUID"]
    assert payloads_of(whole)[IDENTITY]["PayloadUUID"] == payloads_of(broken)[IDENTITY]["PayloadUUID"]


def test_as_mdm_and_scep_do_it_takes_two_profiles(made):
    root_answer, root = written(made, "--root-only")
    identity_answer, identity = written(made, "--identity-only")
    assert set(payloads_of(root)) == {ROOT} and set(payloads_of(identity)) == {IDENTITY}
    assert root_answer["password"] is None and identity_answer["password"]
    assert root_answer["profile"] != identity_answer["profile"]
    assert root["PayloadIdentifier"] != identity["PayloadIdentifier"]
    assert written(made, "--root-only", name="bob")[1]["PayloadIdentifier"] == root["PayloadIdentifier"], "the root is nobody's own"


# Exchange --------------------------------------------------------------------------------------

def test_an_exchange_account_signs_in_with_the_identity(made):
    _, found = written(made, "--exchange", "mail.lab.test")
    payloads = payloads_of(found)
    account = payloads[EXCHANGE]
    assert set(payloads) == {ROOT, ISSUING, IDENTITY, EXCHANGE}
    assert account["Host"] == "mail.lab.test" and account["SSL"] is True
    assert account["EmailAddress"] == account["UserName"] == "alice@lab.test"
    assert account["PayloadCertificateUUID"] == payloads[IDENTITY]["PayloadUUID"]
    assert "Password" not in account


# What is refused -------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["../pki/root", "a/b", ".alice", "", "a b", "a&b", "a\nb"])
def test_a_name_that_could_be_a_path_is_refused(made, name):
    refuse(made, name=name, says="an identity's name", status=(2,))


def test_who_has_no_identity_is_told(made):
    refuse(made, name="carol", says="there is no identity")
    (made / "certificates" / "alice.key").unlink()
    refuse(made, says="alice.key")


def test_a_key_that_others_may_read_or_of_somebody_else_is_refused(made):
    key = made / "certificates" / "alice.key"
    key.chmod(0o644)
    refuse(made, says="alice.key")
    key.chmod(0o600)
    shutil.copy(made / "certificates" / "bob.key", key)
    refuse(made, says="is not the key of the certificate")


@pytest.mark.parametrize("options, says", [(["--root-only", "--identity-only"], "--identity-only"), (["--root-only", "--exchange", "h"], "--exchange"),
                                           (["--root-only", "--with-password"], "--with-password"),
                                           (["--exchange", "https://mail.test/"], "host name"), (["--exchange", "a b"], "host name"),
                                           (["--exchange", "a</string>"], "host name")])
def test_what_makes_no_sense_is_refused(made, options, says):
    refuse(made, *options, says=says, status=(2,))


def test_it_cannot_be_fetched_from_the_server(lab):
    """A profile holds a key: the server gives it to nobody."""
    assert profile(lab.settings_file.parent, "--root-only").returncode == 0
    for path in ("/alice.mobileconfig", "/lanyard/pki/alice.mobileconfig", "/certificates/alice.mobileconfig", "/lanyard/profile/alice"):
        for scheme, base in (("main", lab.main), ("plain", lab.plain)):
            told = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", lab.root_certificate, base + path],
                                  capture_output=True, text=True)
            assert told.stdout == "404", (scheme, path)


def test_the_help_tells_the_media_type():
    assert "application/x-apple-aspen-config" in run("profile", "--help").stdout
    assert "  profile NAME" in run("--help").stdout


# The judge of this file ------------------------------------------------------------------------

@pytest.mark.parametrize("old, new, says", [
    ("<key>PayloadVersion</key><integer>1</integer>", "", "PayloadVersion is missing"),
    ("<integer>1</integer>", "<string>1</string>", "PayloadVersion is str"),
    ("<integer>1</integer>", "<integer>2</integer>", "PayloadVersion"),
    ("com.apple.security.pkcs1<", "com.apple.security.pkcs7<", "no payload"),
    ("<key>PayloadCertificateFileName</key>", "<key>FileName</key>", "no key FileName"),
    ("PayloadCertificateUUID</key><string>", "PayloadCertificateUUID</key><string>0", "names no identity"),
    ("<key>SSL</key><true/>", "<key>SSL</key><true/><key>SSL</key><false/>", "stands twice"),
    ("<data>", "<string>", "no property list"),
    (".alice.issuing<", ".alice.root<", "stands twice"),
    ("-//Apple//DTD PLIST", "-//Pear//DTD PLIST", "DOCTYPE"),
    ("Configuration", "Konfiguration", "PayloadType of the profile"),
])
def test_the_checker_refuses_what_apple_does_not_know(made, old, new, says):
    answer, _ = written(made, "--exchange", "mail.lab.test")
    text = open(answer["profile"]).read()
    assert old in text
    with pytest.raises(Bad, match=says):
        check_profile(text.replace(old, new, 1).encode())


# On a device -----------------------------------------------------------------------------------

def test_the_identity_out_of_a_profile_signs_in(lab, client, tmp_path):
    target = tmp_path / "alice.mobileconfig"
    told = profile(lab.settings_file.parent, "--with-password", "--output", target)
    assert told.returncode == 0, told.stderr
    payload = payloads_of(check_profile(target.read_bytes()))[IDENTITY]
    pem = tmp_path / "alice.pem"
    pem.write_text(openssl_pkcs12(payload["PayloadContent"], payload["Password"], tmp_path).stdout)
    answer = client.request(at(lab, "certificate", FIRST), "--cert", str(pem))
    assert answer.status == 302 and is_token_page(client.get(answer.location))
