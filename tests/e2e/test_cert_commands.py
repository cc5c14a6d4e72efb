"""lanyard cert issue, revoke, list and crl: what openssl says of what they make, and what a server makes of it."""
import json
import random
import re
import stat
import subprocess
import time
from pathlib import Path

import pytest

from conftest import FIRST
from support.certificates import refusal, show, sign_in_by_certificate
from support.identity import Identity
from support.lab import LANYARD, environment, run
from support.settings import set_setting
from support.sign_in import is_token_page
from test_pki import openssl, text_of

COMMANDS = ["cert issue", "cert revoke", "cert list", "crl"]
FILES = ("certificate", "key", "chain", "pkcs12")


def settings_of(folder):
    return Path(folder) / "lanyard.yaml"


def cert(folder, command, *arguments, **options):
    return run("cert", command, "-c", settings_of(folder), *arguments, **options)


def issue(folder, name, *arguments):
    told = cert(folder, "issue", name, "--json", *arguments)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def revoke(folder, *arguments):
    told = cert(folder, "revoke", *arguments)
    assert told.returncode == 0, told.stderr
    return told


def crl(folder, *arguments):
    told = run("crl", "-c", settings_of(folder), *arguments)
    assert told.returncode == 0, told.stderr
    return told.stdout.splitlines()


def listed(folder, *arguments):
    told = cert(folder, "list", "--json", *arguments)
    assert told.returncode == 0 and told.stdout.count("\n") == 1, told.stderr
    return json.loads(told.stdout)["certificates"]


def of(folder, name):
    """The certificates of that name, the older first."""
    return [each for each in listed(folder) if each["name"] == name]


def crl_text(folder, name):
    return openssl("crl", "-inform", "DER", "-in", Path(folder) / "pki" / name, "-noout", "-text")


def number(folder, name):
    return int(re.search(r"CRL Number: *\n +(\d+)", crl_text(folder, name)).group(1))


def reference(folder):
    return int(re.search(r"Delta CRL Indicator: critical *\n +(\d+)", crl_text(folder, "issuing-delta.crl")).group(1))


def verdict(folder, certificate, tmp_path, deltas=True):
    """What `openssl verify` says, with both CAs' CRLs, and the delta CRL if asked."""
    pki, lists = Path(folder) / "pki", tmp_path / "lists.pem"
    names = ["root.crl", "issuing.crl"] + ["issuing-delta.crl"] * deltas
    lists.write_text("".join(openssl("crl", "-inform", "DER", "-in", pki / name) for name in names))
    return openssl("verify", "-x509_strict", "-trusted", pki / "root.pem", "-untrusted", pki / "issuing.pem", "-crl_check_all",
                   *(["-use_deltas", "-extended_crl"] if deltas else []), "-CRLfile", lists, certificate, check=False)


def identity(made):
    return Identity(Path(made["certificate"]).parent, made["name"])


# Help ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_stands_in_the_overview(command):
    told = run(*command.split(), "--help")
    assert told.returncode == 0 and told.stdout.startswith(f"Usage: lanyard {command}")
    assert f"  {command}" in run("--help").stdout


@pytest.mark.parametrize("words", [["issue"], ["issue", "a", "b"], ["revoke"], ["list", "x"], ["issue", "x", "--key", "rsa1024"],
                                   ["issue", "x", "--days", "0"], ["issue", "x", "--days", "ten"],
                                   ["issue", "x", "--no-san", "--upn", "a@b.test"],
                                   ["issue", "x", "--expired", "--not-before", "+1d"],
                                   ["issue", "x", "--not-before", "soon"]], ids=" ".join)
def test_a_command_line_that_makes_no_sense_is_two_and_issues_nothing(made, words):
    before = listed(made)
    told = cert(made, *words)
    assert told.returncode == 2 and told.stderr and told.stdout == "", told.stderr
    assert listed(made) == before


def test_a_time_that_is_none_is_told_with_its_option(made):
    told = cert(made, "issue", "x", "--not-before", "soon")
    assert told.returncode == 2 and told.stderr.startswith('lanyard: --not-before: "soon" is no time')


# Issuing ---------------------------------------------------------------------------------------

def test_a_users_certificate_has_what_stands_in_the_users_file(made):
    issued = issue(made, "alice")
    sid = re.search(r"objectSid: *(\S+)", (made / "users" / "alice.yaml").read_text()).group(1).strip("'\"")
    text = text_of(issued["certificate"])
    assert "othername: UPN::alice@lab.test, email:alice@lab.test" in text
    assert sid in text and "1.3.6.1.4.1.311.25.2" in text
    assert issued["serial"] in text.replace(":", "").upper()


def test_every_user_of_a_lab_has_a_certificate_that_carries_the_users_sid(made):
    """C7: as AD's own CA writes since 2022, so that the certificate is the user's under any name"""
    assert run("user", "add", "-c", settings_of(made), "erin").returncode == 0
    sids = {name: re.search(r"objectSid: *(\S+)", (made / "users" / f"{name}.yaml").read_text()).group(1) for name in ("alice", "bob", "erin")}
    assert len(set(sids.values())) == 3
    for name, sid in sids.items():
        text = text_of(made / "certificates" / f"{name}.pem")
        assert "1.3.6.1.4.1.311.25.2" in text and re.search(rf"{sid}(?!\d)", text), name


def test_the_files_are_the_ones_it_names_and_secret_ones_are_private(made):
    issued = issue(made, "carol")
    for kind in FILES:
        path = Path(issued[kind])
        assert path.is_absolute() and path.parent == made / "certificates"
        private = kind in ("key", "pkcs12")
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if private else 0o644)
    assert "OK" in openssl("verify", "-trusted", made / "pki" / "root.pem", "-untrusted", issued["chain"], issued["certificate"])
    said = openssl("pkcs12", "-legacy", "-in", issued["pkcs12"], "-nodes", "-passin", f"pass:{issued['pkcs12_password']}")
    assert said.count("BEGIN CERTIFICATE") == 3


def test_a_p12_without_the_chain_has_the_leaf_alone(made):
    issued = issue(made, "carol", "--without-chain")
    said = openssl("pkcs12", "-legacy", "-in", issued["pkcs12"], "-nodes", "-passin", f"pass:{issued['pkcs12_password']}")
    assert said.count("BEGIN CERTIFICATE") == 1 and said.count("PRIVATE KEY-----") == 2


def test_people_are_told_where_it_is_whose_it_is_and_what_to_do(made):
    told = cert(made, "issue", "alice")
    assert told.returncode == 0
    for ending in (".pem", ".key", "-chain.pem", ".p12"):
        assert str(made / "certificates" / f"alice{ending}") in told.stdout
    assert (made / "pkcs12-password").read_text().strip() in told.stdout
    assert "It is alice@lab.test's." in told.stderr and "Import the .p12" in told.stderr


@pytest.mark.parametrize("arguments, owner", [
    (["carol"], None), (["alice"], "alice@lab.test"), (["alice", "--no-san"], None), (["alice", "--upn", "bob@lab.test"],
    "bob@lab.test"), (["carol", "--upn", "alice@lab.test"], "alice@lab.test"), (["carol", "--sid", "S-1-5-21-1-2-3-4"], None)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_it_says_whose_the_certificate_is_or_that_it_is_nobodys(made, arguments, owner):
    told = cert(made, "issue", *arguments)
    assert told.returncode == 0
    assert ("Nobody of this lab is mapped to it" in told.stderr) == (owner is None)
    assert owner is None or f"It is {owner}'s." in told.stderr


def test_without_a_san_there_are_no_names_at_all(made):
    text = text_of(issue(made, "alice", "--no-san")["certificate"])
    assert "Subject Alternative Name" not in text and "311.25.2" not in text
    text = text_of(issue(made, "alice", "--no-san", "--sid", "S-1-5-21-1-2-3-4")["certificate"])
    assert "Subject Alternative Name" not in text and "S-1-5-21-1-2-3-4" in text


@pytest.mark.parametrize("key, said", [("rsa2048", "(2048 bit)"), ("rsa3072", "(3072 bit)"), ("p256", "P-256"),
                                       ("p384", "P-384"), ("p521", "P-521"), ("ed25519", "ED25519")])
def test_every_kind_of_key_is_made_and_verified_by_openssl(made, tmp_path, key, said):
    issued = issue(made, "carol", "--key", key)
    assert said in text_of(issued["certificate"])
    assert "OK" in verdict(made, issued["certificate"], tmp_path)
    public = openssl("x509", "-in", issued["certificate"], "-noout", "-pubkey")
    assert public == openssl("pkey", "-in", issued["key"], "-pubout")


@pytest.mark.parametrize("usages, said", [([], "TLS Web Client Authentication, Microsoft Smartcard Login"),
                                          (["--eku", "serverAuth"], "TLS Web Server Authentication"),
                                          (["--eku", "clientAuth,1.2.3.4"], "TLS Web Client Authentication, 1.2.3.4"),
                                          (["--eku", "clientAuth", "--eku", "codeSigning"],
                                           "TLS Web Client Authentication, Code Signing"),
                                          (["--eku", "none"], None)])
def test_usages_are_those_asked_for(made, usages, said):
    text = text_of(issue(made, "carol", *usages)["certificate"])
    found = re.search(r"Extended Key Usage: *\n +(.*)", text)
    assert (found.group(1).strip() if found else None) == said


@pytest.mark.parametrize("wrong", [["--eku", "client"], ["--eku", ""], ["--sid", "S-1-x"], ["--upn", "alice"], ["--email", "a b"]],
                         ids=" ".join)
def test_what_cannot_stand_in_a_certificate_is_refused(made, wrong):
    before = listed(made)
    told = cert(made, "issue", "carol", *wrong)
    assert told.returncode == 2 and f'"{wrong[1]}"' in told.stderr
    assert listed(made) == before and not (made / "certificates" / "carol.pem").exists()


@pytest.mark.parametrize("name, status", [("../evil", 2), ("a/b", 2), (".x", 2), ("a b", 2), ("", 2), ("tls", 2), ("alice-chain", 1)])
def test_names_that_would_reach_elsewhere_are_refused(made, name, status):
    before = sorted(made.rglob("*"))
    told = cert(made, "issue", name)
    assert told.returncode == status and told.stderr
    assert sorted(made.rglob("*")) == before


def test_an_expired_one_and_one_of_the_future_are_made_at_will(made, tmp_path):
    assert "certificate has expired" in verdict(made, issue(made, "old", "--expired")["certificate"], tmp_path)
    assert "not yet valid" in verdict(made, issue(made, "new", "--not-before", "+2d")["certificate"], tmp_path)
    dated = issue(made, "dated", "--not-before", "2030-01-01T00:00:00Z", "--days", "10")
    assert dated["not_before"] == "2030-01-01T00:00:00.000Z" and dated["not_after"] == "2030-01-11T00:00:00.000Z"


def test_the_clock_counts(made):
    issued = issue(made, "carol", "--clock", "2027-03-01T12:00:00Z", "--days", "30")
    assert issued["not_before"].startswith("2027-03-01T11:00:") and issued["not_after"].startswith("2027-03-31T12:00:")


def test_a_renewal_replaces_the_files_and_says_that_the_old_one_is_still_good(made, tmp_path):
    before = issue(made, "alice")
    kept = tmp_path / "before.pem"
    kept.write_bytes(Path(before["certificate"]).read_bytes())
    told = cert(made, "issue", "alice")
    assert "still good until it is" in told.stderr and f"lanyard cert revoke {before['serial']}" in told.stderr
    assert Path(before["certificate"]).read_bytes() != kept.read_bytes()
    assert "OK" in verdict(made, kept, tmp_path)
    revoke(made, before["serial"])
    assert "certificate revoked" in verdict(made, kept, tmp_path)
    assert "OK" in verdict(made, before["certificate"], tmp_path)
    assert not list((made / "certificates").glob(".*"))


def test_a_first_certificate_says_nothing_of_one_before(made):
    assert "still good" not in cert(made, "issue", "carol").stderr


def test_a_lab_without_its_ca_key_issues_nothing_and_says_why(made):
    (made / "pki" / "issuing.key").unlink()
    for words in (["issue", "carol"], ["revoke", "alice"]):
        told = cert(made, *words)
        assert told.returncode == 1 and "issuing.key" in told.stderr
    assert cert(made, "list").returncode == 0


# Listing ---------------------------------------------------------------------------------------

def test_everything_the_lab_has_issued_is_listed(made):
    entries = {each["name"]: each for each in listed(made)}
    assert set(entries) == {"alice", "bob", "issuing", "tls"}
    for name, entry in entries.items():
        serial = openssl("x509", "-in", entry["file"], "-noout", "-serial").strip().removeprefix("serial=")
        assert serial == entry["serial"] and entry["revoked"] is None
        assert set(entry) == {"name", "serial", "subject", "not_before", "not_after", "revoked", "file"}
    assert entries["alice"]["file"] == str(made / "certificates" / "alice.pem")
    assert entries["alice"]["subject"] == "CN=alice, OU=People, O=lanyard lab"


def test_the_list_for_people_says_what_each_is_worth(made):
    issue(made, "old", "--expired")
    issue(made, "new", "--not-before", "+2d")
    revoke(made, "bob", "--reason", "superseded")
    states = {line.split()[0]: line.split(None, 3)[3] for line in cert(made, "list").stdout.splitlines()[1:]}
    assert states == {"alice": "good", "bob": "revoked: superseded", "issuing": "good", "new": "not yet valid",
                      "old": "expired", "tls": "good"}


def test_a_renewed_one_is_found_in_the_register(made):
    issue(made, "alice")
    old, new = of(made, "alice")
    assert new["file"] == str(made / "certificates" / "alice.pem")
    assert old["file"] == str(made / "pki" / "issued" / f"{old['serial']}.pem")


def test_a_new_user_is_in_the_register(made):
    assert run("user", "add", "-c", settings_of(made), "erin").returncode == 0
    assert len(of(made, "erin")) == 1


# Revoking --------------------------------------------------------------------------------------

@pytest.mark.parametrize("reason, said", [("keyCompromise", "Key Compromise"), ("affiliationChanged", "Affiliation Changed"),
                                          ("superseded", "Superseded"), ("cessationOfOperation", "Cessation Of Operation"),
                                          ("certificateHold", "Certificate Hold"), ("unspecified", None)])
def test_a_revoked_certificate_is_revoked_for_openssl_with_its_reason(made, tmp_path, reason, said):
    alice = made / "certificates" / "alice.pem"
    assert "OK" in verdict(made, alice, tmp_path)
    revoke(made, "alice", "--reason", reason)
    for deltas in (False, True):
        assert "certificate revoked" in verdict(made, alice, tmp_path, deltas)
    for name in ("issuing.crl", "issuing-delta.crl"):
        found = re.search(r"Reason Code: *\n +(.*)", crl_text(made, name))
        assert (found.group(1) if found else None) == said
    assert of(made, "alice")[0]["revoked"]["reason"] == reason
    assert "OK" in verdict(made, made / "certificates" / "bob.pem", tmp_path)


def test_one_is_revoked_in_the_delta_alone_until_a_base_is_issued(made, tmp_path):
    alice = made / "certificates" / "alice.pem"
    told = revoke(made, "alice", "--delta")
    assert "delta CRL only" in told.stderr
    assert "OK" in verdict(made, alice, tmp_path, deltas=False)
    assert "certificate revoked" in verdict(made, alice, tmp_path)
    crl(made)
    assert "certificate revoked" in verdict(made, alice, tmp_path, deltas=False)


def test_a_hold_is_lifted_in_a_delta(made, tmp_path):
    alice = made / "certificates" / "alice.pem"
    revoke(made, "alice", "--reason", "certificateHold")
    told = revoke(made, "alice", "--reason", "removeFromCRL", "--delta")
    assert "It is good again" in told.stderr and of(made, "alice")[0]["revoked"] is None
    assert "Remove From CRL" in crl_text(made, "issuing-delta.crl")
    assert "certificate revoked" in verdict(made, alice, tmp_path, deltas=False)
    assert "OK" in verdict(made, alice, tmp_path)
    crl(made)
    assert "No Revoked Certificates" in crl_text(made, "issuing.crl")


def test_a_name_with_several_certificates_is_asked_about(made):
    issue(made, "alice")
    old, new = of(made, "alice")
    told = cert(made, "revoke", "alice")
    assert told.returncode == 1 and old["serial"] in told.stderr and new["serial"] in told.stderr
    revoke(made, old["serial"].lower())
    revoke(made, "alice")  # one is left
    assert [each["revoked"]["reason"] for each in of(made, "alice")] == ["unspecified"] * 2


def test_of_a_name_an_expired_one_is_not_meant_but_may_be_named(made):
    issue(made, "alice", "--expired")
    expired, good = of(made, "alice")
    revoke(made, "alice")
    assert [each["revoked"] is None for each in of(made, "alice")] == [True, False]
    assert "or expired" in cert(made, "revoke", "alice").stderr
    revoke(made, expired["serial"])
    assert of(made, "alice")[0]["revoked"]["reason"] == "unspecified"


@pytest.mark.parametrize("words, says, status", [(["nobody"], "has issued nothing", 1),
                                                 (["alice", "--reason", "bored"], "is no reason", 2),
                                                 (["0123456789ABCDEF"], "has issued nothing", 1),
                                                 (["alice", "--reason", "removeFromCRL"], "is on hold", 1)])
def test_what_cannot_be_revoked_is_refused_and_nothing_changes(made, words, says, status):
    before = {name: crl_text(made, name) for name in ("root.crl", "issuing.crl", "issuing-delta.crl")}
    told = cert(made, "revoke", *words)
    assert told.returncode == status and says in told.stderr
    assert before == {name: crl_text(made, name) for name in before}


def test_what_is_revoked_for_good_stays_so(made):
    revoke(made, "alice")
    serial = of(made, "alice")[0]["serial"]
    for words, says in (([serial], "already, for good"), (["alice"], "revoked already"),
                        ([serial, "--reason", "removeFromCRL"], "only a certificateHold can be lifted")):
        told = cert(made, "revoke", *words)
        assert told.returncode == 1 and says in told.stderr
    assert of(made, "alice")[0]["revoked"]["reason"] == "unspecified"


def test_the_root_revokes_the_issuing_ca(made, tmp_path):
    told = revoke(made, "issuing", "--reason", "cACompromise")
    assert "Nothing that this CA has issued" in told.stderr
    assert "CA Compromise" in crl_text(made, "root.crl")
    assert "certificate revoked" in verdict(made, made / "certificates" / "alice.pem", tmp_path)


def test_a_revocation_killed_at_any_moment_is_there_or_not_and_no_other_is_lost(made, tmp_path):
    """Every kill leaves lists that can be read and built upon; what was told as done is done."""
    dice = random.Random(5)
    done = set()
    for turn in range(12):
        issued = issue(made, f"user{turn}", "--key", "p256")
        line = [LANYARD, "cert", "revoke", "-c", str(settings_of(made)), issued["serial"]]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment())
        time.sleep(dice.uniform(0.0, 0.04))
        process.kill()
        told, _ = process.communicate()
        if told:
            done.add(issued["serial"])
        revoked = {each["serial"] for each in listed(made) if each["revoked"]}
        assert done <= revoked
        done |= revoked
    crl(made)
    assert done == {each["serial"] for each in listed(made) if each["revoked"]}
    for turn in range(12):
        path = made / "certificates" / f"user{turn}.pem"
        serial = openssl("x509", "-in", path, "-noout", "-serial").strip().removeprefix("serial=")
        assert ("certificate revoked" in verdict(made, path, tmp_path, deltas=False)) == (serial in done)


# CRLs ------------------------------------------------------------------------------------------

def test_numbers_only_grow_and_a_delta_refers_to_a_base_that_was(made):
    before = number(made, "issuing.crl")
    assert len(crl(made)) == 3
    assert number(made, "issuing.crl") == number(made, "issuing-delta.crl") == before + 1
    assert crl(made, "--delta") == [str(made / "pki" / "issuing-delta.crl")]
    assert (number(made, "issuing.crl"), number(made, "issuing-delta.crl")) == (before + 1, before + 2)
    assert reference(made) <= before + 1
    crl(made)
    assert number(made, "issuing.crl") == number(made, "issuing-delta.crl") == before + 3
    assert number(made, "root.crl") == 3


def test_the_base_names_the_deltas_address_and_the_certificates_do_not(made):
    """As AD CS has it: the freshest CRL stands in the base CRL (RFC 5280, 5.2.6)."""
    plain = re.search(r"URI:(\S+)/lanyard/pki/issuing-delta.crl", crl_text(made, "issuing.crl")).group(1)
    assert plain.startswith("http://localhost:")
    assert "Freshest" not in crl_text(made, "root.crl") + crl_text(made, "issuing-delta.crl")
    assert "Freshest" not in text_of(issue(made, "carol")["certificate"])


def test_days_say_how_long_lists_last(made, tmp_path):
    alice = made / "certificates" / "alice.pem"
    crl(made, "--days", "3")
    assert "OK" in verdict(made, alice, tmp_path)
    crl(made, "--days", "0")
    assert "CRL has expired" in verdict(made, alice, tmp_path, deltas=False)
    for wrong in ("-1", "x", ""):
        assert run("crl", "-c", settings_of(made), "--days", wrong).returncode == 2


def test_a_lost_delta_is_an_error_not_an_empty_list(made):
    revoke(made, "alice", "--delta")
    (made / "pki" / "issuing-delta.crl").unlink()
    for told in (run("crl", "-c", settings_of(made)), cert(made, "revoke", "bob"), cert(made, "list")):
        assert told.returncode == 1 and "issuing-delta.crl" in told.stderr and "backup" in told.stderr


# A server that runs ----------------------------------------------------------------------------

def test_a_running_server_serves_every_list_and_certificate_at_the_addresses_inside(fresh_lab, make_client):
    folder, client = fresh_lab.folder, make_client(fresh_lab)
    issued = issue(folder, "alice")
    text = text_of(issued["certificate"])
    pki = folder / "pki"
    addresses = {"issuing.crl": re.search(r"Distribution Points:.*?URI:(\S+)", text, re.S).group(1),
                 "issuing.pem": re.search(r"CA Issuers - URI:(\S+)", text).group(1),
                 "issuing-delta.crl": re.search(r"URI:(\S+)", crl_text(folder, "issuing.crl")).group(1)}
    for name, address in addresses.items():
        answer = client.request(address)
        is_list = name.endswith(".crl")
        assert (answer.status, answer.header("Content-Type")) == (200, "application/pkix-crl" if is_list else "application/pkix-cert")
        assert not is_list or answer.body == (pki / name).read_bytes()
    revoke(folder, issued["serial"])
    assert client.request(addresses["issuing-delta.crl"]).body == (pki / "issuing-delta.crl").read_bytes()


def test_a_running_server_believes_what_was_issued_and_refuses_what_was_revoked_at_once(fresh_lab, make_client):
    """L1"""
    folder = fresh_lab.folder
    issued = issue(folder, "bob", "--key", "p256")
    bob = identity(issued)
    assert is_token_page(sign_in_by_certificate(make_client(fresh_lab), FIRST, bob))
    told = revoke(folder, issued["serial"], "--reason", "certificateHold")
    assert "The running server was told." in told.stderr
    assert refusal(show(make_client(fresh_lab), FIRST, bob)) == "revocation.revoked"
    revoke(folder, issued["serial"], "--reason", "removeFromCRL")
    assert is_token_page(sign_in_by_certificate(make_client(fresh_lab), FIRST, bob))
    revoke(folder, issued["serial"], "--delta")
    assert refusal(show(make_client(fresh_lab), FIRST, bob)) == "revocation.revoked"


def test_a_running_server_refuses_everybody_once_the_issuing_ca_is_revoked(fresh_lab, make_client):
    alice = Identity(fresh_lab.folder / "certificates", "alice")
    assert is_token_page(sign_in_by_certificate(make_client(fresh_lab), FIRST, alice))
    revoke(fresh_lab.folder, "issuing")
    assert refusal(show(make_client(fresh_lab), FIRST, alice)) == "revocation.revoked"


def test_a_running_server_refuses_while_the_lists_have_run_out_and_not_after(fresh_lab, make_client):
    alice = Identity(fresh_lab.folder / "certificates", "alice")
    crl(fresh_lab.folder, "--days", "0")
    assert refusal(show(make_client(fresh_lab), FIRST, alice)).startswith("revocation.")
    crl(fresh_lab.folder)
    assert is_token_page(sign_in_by_certificate(make_client(fresh_lab), FIRST, alice))


def test_a_new_start_keeps_what_was_revoked_in_the_delta_alone(fresh_lab, make_client, tmp_path):
    folder = fresh_lab.folder
    before = number(folder, "issuing-delta.crl")
    revoke(folder, "bob", "--delta")
    fresh_lab.restart()
    assert number(folder, "issuing.crl") == number(folder, "issuing-delta.crl") > before
    bob = folder / "certificates" / "bob.pem"
    assert "certificate revoked" in verdict(folder, bob, tmp_path, deltas=False)
    assert refusal(show(make_client(fresh_lab), FIRST, Identity(folder / "certificates", "bob"))) == "revocation.revoked"


def test_another_host_renews_tls_and_names_the_identities_that_carry_old_addresses(made):
    """decision 17: `cert issue` renews them."""
    set_setting(settings_of(made), "host", "sts.lab.test")
    told = run("init", made)
    assert told.returncode == 0 and "TLS certificate is issued anew for sts.lab.test" in told.stderr
    for name in ("alice", "bob"):
        assert f"the certificate of {name} names the CRL address http://localhost:" in told.stderr
        assert f"cert issue {name} -c {settings_of(made)}" in told.stderr
    issue(made, "alice")
    told = run("init", made)
    assert "the certificate of alice" not in told.stderr and "the certificate of bob" in told.stderr
    assert "URI:http://sts.lab.test:" in text_of(made / "certificates" / "alice.pem")
    assert len(of(made, "tls")) == 2
