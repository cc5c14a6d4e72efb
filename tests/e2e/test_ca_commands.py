"""lanyard ca add, list, set, remove: which CAs are trusted, what stays in the file, what is refused."""
import hashlib
import json
import shutil
import ssl
import subprocess

import pytest

from conftest import FIRST
from support.certificates import at, refusal
from support.foreign_ca import ForeignCa, Nginx
from support.lab import run

CRL = "http://pki.test/crl/ca.crl"
DELTA = "http://pki.test/crl/ca+.crl"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def made(made):
    """The settings file of a lab that is not being served."""
    return made / "lanyard.yaml"


@pytest.fixture(scope="module")
def contoso(tmp_path_factory):
    """A PKI made without lanyard: root, issuing CA, a leaf, and a chain file of all three."""
    folder = tmp_path_factory.mktemp("contoso")
    extensions = folder / "ext.cnf"
    extensions.write_text("[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                          "subjectKeyIdentifier=hash\n[leaf]\nbasicConstraints=critical,CA:FALSE\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/O=Contoso/CN=Contoso Root", "-keyout", folder / "root.key", "-out", folder / "root.pem",
            "-config", "/dev/null", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for name, subject, issuer, section in (("issuing", "/O=Contoso/CN=Contoso Issuing", "root", "ca"),
                                           ("leaf", "/CN=leaf", "issuing", "leaf")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-config", "/dev/null",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer}.key",
                "-days", "20", "-out", folder / f"{name}.pem", "-extfile", extensions, "-extensions", section)
        openssl("x509", "-in", folder / f"{name}.pem", "-outform", "der", "-out", folder / f"{name}.cer")
    chain = "".join((folder / f"{name}.pem").read_text() for name in ("leaf", "issuing", "root"))
    (folder / "chain.pem").write_text("Bag Attributes\n" + chain)
    return folder


def ca(command, settings, *arguments, **options):
    return run("ca", command, "-c", settings, *arguments, **options)


def listed(settings):
    """name -> what ca list says of it."""
    told = ca("list", settings, "--json")
    assert told.returncode == 0, told.stderr
    assert len(told.stdout.splitlines()) == 1 and told.stderr == ""
    return {entry["name"]: entry for entry in json.loads(told.stdout)["certificate_authorities"]}


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refuse(settings, command, *arguments, says, status=(1,)):
    """The command must say no, say why, and leave every file of the lab alone."""
    before = everything(settings.parent)
    told = ca(command, settings, *arguments)
    assert told.returncode in status and told.stdout == "", told
    assert says in told.stderr, told.stderr
    assert everything(settings.parent) == before
    return told


def der_of(path):
    text = path.read_text()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN"):])


# Adding ----------------------------------------------------------------------------------------

def test_a_new_lab_trusts_its_own_two_and_nobody_else(made):
    both = listed(made)
    assert list(both) == ["lanyard lab root CA", "lanyard lab issuing CA"]
    root, issuing = both.values()
    assert (root["type"], issuing["type"]) == ("root", "intermediate")
    assert root["sign_in"] is True and issuing["sign_in"] is True
    assert root["crl_file"] == str(made.parent / "pki" / "root.crl")
    assert issuing["crl_file"] == str(made.parent / "pki" / "issuing.crl")
    der = der_of(made.parent / "pki" / "root.pem")
    assert root["sha1"] == hashlib.sha1(der).hexdigest()
    assert root["sha256"].lower() == hashlib.sha256(der).hexdigest()
    assert root["subject"] == root["issuer"] == issuing["issuer"]


def test_a_ca_is_added_with_all_that_can_be_said(made, contoso):
    told = ca("add", made, "Contoso", contoso / "root.pem", "--type", "root", "--crl", CRL, "--delta-crl", DELTA, "--sign-in")
    assert told.returncode == 0 and "added Contoso" in told.stdout and told.stderr == "", told
    entry = listed(made)["Contoso"]
    assert entry["certificate"] == str(made.parent / "authorities" / "Contoso.pem")
    assert der_of(made.parent / "authorities" / "Contoso.pem") == der_of(contoso / "root.pem")
    assert (entry["type"], entry["sign_in"]) == ("root", True)
    assert (entry["crl_distribution_point"], entry["delta_crl_distribution_point"]) == (CRL, DELTA)
    assert entry["crl_file"] is None
    assert entry["subject"] == "CN=Contoso Root, O=Contoso"
    assert run("check", "-c", made).returncode == 0


def test_it_is_what_its_certificate_says_and_may_sign_nobody_in_unless_told(made, contoso):
    told = ca("add", made, "Root", contoso / "root.pem")
    assert told.returncode == 0 and "Nobody signs in by it" in told.stderr
    assert ca("add", made, "Issuing", contoso / "issuing.cer").returncode == 0
    both = listed(made)
    assert (both["Root"]["type"], both["Issuing"]["type"]) == ("root", "intermediate")
    assert not both["Root"]["sign_in"] and not both["Issuing"]["sign_in"]
    assert "type: root" in made.read_text().rpartition("name: Root")[2]


def test_what_stands_in_the_file_stays_byte_for_byte(made, contoso):
    made.write_text(made.read_text().replace("certificate_authorities:", "certificate_authorities: # mine"))
    before = made.read_bytes()
    assert ca("add", made, "Contoso", contoso / "root.pem").returncode == 0
    assert before != made.read_bytes() and (made.parent / "authorities").is_dir()
    kept = made.read_text().splitlines()
    assert [line for line in before.decode().splitlines() if line not in kept] == []
    assert ca("remove", made, "Contoso").returncode == 0
    assert made.read_bytes() == before and not (made.parent / "authorities").exists()


@pytest.mark.parametrize("file, says", [("leaf.pem", "CA"), ("leaf.cer", "CA"), ("leaf.key", "holds no certificate"), ("none.pem", "none.pem")])
def test_what_is_no_ca_is_refused(made, contoso, file, says):
    refuse(made, "add", "A", contoso / file, says=says, status=(1,) if says == "CA" else (2,))


@pytest.mark.parametrize("more, says", [(["--type", "2"], "root or intermediate"), (["--crl", "ldap:///CN=CA"], "by http only"),
                                        (["--delta-crl", "file:///etc/passwd"], "by http only"), (["--crl", "http://a b/"], "by http only"),
                                        (["--crl", "https://pki.test/a.crl"], "a revocation check of its own"),
                                        (["--delta-crl", "https://pki.test/a.crl"], "a revocation check of its own")])
def test_what_would_be_no_good_is_refused_and_leaves_nothing_behind(made, contoso, more, says):
    refuse(made, "add", "A", contoso / "root.pem", *more, says=says, status=(2,))
    if "--type" not in more:
        refuse(made, "set", "lanyard lab root CA", *more, says=says, status=(2,))


def test_no_name_and_no_certificate_stands_there_twice(made, contoso):
    assert ca("add", made, "A", contoso / "root.pem").returncode == 0
    refuse(made, "add", "A", contoso / "issuing.pem", says="is the name of two")
    refuse(made, "add", "B", contoso / "root.pem", says="is that of A already")


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", ".hidden", "-x", "Ünïcode & more", "x" * 180])
def test_a_name_for_people_is_no_path(made, contoso, name):
    before = set(everything(made.parent.parent))
    told = run("ca", "add", "-c", made, name, contoso / "root.pem") if name[0] != "-" else ca("add", made, " -x", contoso / "root.pem")
    assert told.returncode == 0, told.stderr
    added = set(everything(made.parent.parent)) - before
    assert {path.parent.name for path in added} == {"lab", "authorities"} and len(added) == 2


# Files with several ----------------------------------------------------------------------------

def test_of_a_chain_each_certificate_is_offered(made, contoso):
    told = refuse(made, "add", "C", contoso / "chain.pem", says="--certificate N", status=(2,))
    lines = told.stderr.splitlines()
    assert any("1" in line and "CN=leaf (no CA)" in line for line in lines)
    assert any("2" in line and "Contoso Issuing" in line and "(intermediate)" in line for line in lines)
    assert any("3" in line and "Contoso Root" in line and "(root)" in line for line in lines)
    assert ca("add", made, "C", contoso / "chain.pem", "--certificate", "3").returncode == 0
    assert listed(made)["C"]["subject"] == "CN=Contoso Root, O=Contoso"


@pytest.mark.parametrize("number", ["0", "4", "x", "", "-1", "99999999999999999999"])
def test_a_number_that_is_none_of_them_is_refused(made, contoso, number):
    refuse(made, "add", "C", contoso / "chain.pem", f"--certificate={number}", says="none of 1 to 3", status=(2,))


def test_of_a_chain_all_cas_are_added_at_once_and_the_leaf_is_not(made, contoso):
    told = ca("add", made, "Contoso", contoso / "chain.pem", "--all", "--sign-in")
    assert told.returncode == 0 and "CN=leaf is no CA" in told.stderr, told
    both = listed(made)
    assert both["Contoso 1"]["type"] == "intermediate" and both["Contoso 2"]["type"] == "root"
    assert both["Contoso 2"]["sign_in"] and len(both) == 4
    refuse(made, "add", "C", contoso / "chain.pem", "--all", says="already")
    refuse(made, "add", "C", contoso / "chain.pem", "--all", "--crl", CRL, says="is about one CA", status=(2,))
    refuse(made, "add", "C", contoso / "leaf.pem", "--all", says="CA")


# Changing and removing -------------------------------------------------------------------------

def test_exactly_what_was_named_is_changed(made, contoso):
    assert ca("add", made, "C", contoso / "root.pem", "--crl", CRL).returncode == 0
    made.write_text(made.read_text().replace(f"crl_distribution_point: {CRL}", f"crl_distribution_point: {CRL} # by the window")
                    .replace(f'crl_distribution_point: "{CRL}"', f'crl_distribution_point: "{CRL}" # by the window'))
    assert "# by the window" in made.read_text()
    before = made.read_text().splitlines()
    assert ca("set", made, "C", "--crl", DELTA, "--sign-in").returncode == 0
    after = made.read_text().splitlines()
    changed = [line for line in after if line not in before]
    assert len(after) == len(before) + 1 and after.count("    sign_in: true") == before.count("    sign_in: true") + 1
    assert len(changed) == 1 and DELTA in changed[0] and changed[0].endswith(" # by the window")
    entry = listed(made)["C"]
    assert (entry["crl_distribution_point"], entry["sign_in"], entry["type"]) == (DELTA, True, "root")
    assert ca("set", made, "C", "--crl", "none", "--no-sign-in", "--type", "intermediate").returncode == 0
    entry = listed(made)["C"]
    assert (entry["crl_distribution_point"], entry["sign_in"], entry["type"]) == (None, False, "intermediate")


def test_the_labs_own_can_be_changed_and_removed_but_keep_their_files(made):
    assert ca("set", made, "lanyard lab root CA", "--no-sign-in").returncode == 0
    assert not listed(made)["lanyard lab root CA"]["sign_in"]
    assert ca("remove", made, "lanyard lab root CA").returncode == 0
    assert "lanyard lab root CA" not in listed(made)
    assert (made.parent / "pki" / "root.pem").exists()
    assert ca("add", made, "again", made.parent / "pki" / "root.pem").returncode == 0
    assert listed(made)["again"]["crl_file"] == str(made.parent / "pki" / "root.crl"), "a copy of it is the same CA"


def test_who_is_not_there_is_told_who_is_near(made):
    refuse(made, "set", "lanyard lab rot CA", "--sign-in", says="did you mean lanyard lab root CA?")
    refuse(made, "remove", "nobody at all", says="no certification authority")
    refuse(made, "set", "lanyard lab root CA", says="say what to change", status=(2,))
    refuse(made, "set", "lanyard lab root CA", "--sign-in", "--no-sign-in", says="the contrary of", status=(2,))
    refuse(made, "set", "lanyard lab root CA", "--type", "3", says="root or intermediate", status=(2,))


def test_a_list_in_braces_is_left_to_its_author(made):
    made.write_text(made.read_text().replace("    certificate: pki/root.pem\n    type: root\n    sign_in: true\n", "")
                    .replace("  - name: lanyard lab root CA", "  - {name: R, certificate: pki/root.pem}"))
    assert "R" in listed(made)
    refuse(made, "set", "R", "--sign-in", says="written in braces")


def test_a_running_server_is_told(fresh_lab, contoso):
    told = ca("add", fresh_lab.settings_file, "C", contoso / "root.pem")
    assert told.returncode == 0 and "running server was told" in told.stderr
    assert fresh_lab.event_where(event="reload")["outcome"] == "done"


# Settings --------------------------------------------------------------------------------------

def test_check_names_every_problem_with_its_line(made, contoso):
    shutil.copy(contoso / "leaf.pem", made.parent)
    made.write_text(made.read_text().replace("certificate: pki/root.pem", "certificate: leaf.pem")
                    .replace("type: intermediate", "type: middle"))
    told = run("check", "-c", made)
    lines = made.read_text().splitlines()
    assert told.returncode == 1
    for words in ("certificate: leaf.pem", "type: middle"):
        number = next(at for at, line in enumerate(lines, 1) if words in line)
        assert f"{made}:{number}:" in told.stderr


# Listing and help ------------------------------------------------------------------------------

def test_the_list_for_people_names_each(made):
    told = ca("list", made)
    assert told.returncode == 0 and told.stderr == ""
    assert [line for line in told.stdout.splitlines() if line.startswith("lanyard lab issuing CA") and "intermediate" in line and "yes" in line]


@pytest.mark.parametrize("command", ["ca add", "ca list", "ca set", "ca remove"])
def test_the_commands_are_in_the_help_and_have_their_own(command):
    assert f"  {command}" in run("--help").stdout
    told = run(*command.split(), "--help")
    assert told.returncode == 0 and told.stdout.startswith(f"Usage: lanyard {command}")


# Verifying -------------------------------------------------------------------------------------

def test_a_new_labs_cas_are_good(made):
    told = ca("list", made, "--verify")
    assert told.returncode == 0, told
    assert "2 of 2 certification authorities are good." in told.stdout
    both = listed(made)
    for entry in both.values():
        for words in (entry["serial"], entry["subject"], entry["sha1"], entry["crl_file"]):
            assert words in told.stdout
    assert told.stdout.count("It is good.") == 2
    assert "refused:" not in told.stdout and "warning:" not in told.stdout and "not found" not in told.stdout


def verified(settings, *arguments):
    told = ca("list", settings, "--verify", "--json", *arguments)
    answer = json.loads(told.stdout)
    assert told.returncode == (0 if answer["good"] else 1)
    return {entry["name"]: entry for entry in answer["certificate_authorities"]}


def codes(entry):
    return [finding["code"] for finding in entry["findings"] if finding["severity"] == "refusal"]


def test_an_intermediate_without_its_root_is_refused_and_the_missing_one_named(made, contoso):
    assert ca("add", made, "I", contoso / "issuing.pem").returncode == 0
    entry = verified(made)["I"]
    assert not entry["good"] and "chain.issuer-missing" in codes(entry)
    assert "Contoso Root" in json.dumps(entry["findings"])
    told = ca("list", made, "--verify")
    assert told.returncode == 1 and "2 of 3" in told.stdout and "It is refused." in told.stdout


def test_an_authority_of_type_root_is_an_anchor_whatever_stands_above_it(made, contoso):
    assert ca("add", made, "I", contoso / "issuing.pem", "--type", "root").returncode == 0
    assert verified(made)["I"]["good"]


def test_a_root_that_is_called_an_intermediate_leads_nowhere(made, contoso):
    assert ca("add", made, "R", contoso / "root.pem", "--type", "intermediate").returncode == 0
    assert not verified(made)["R"]["good"]


def test_a_ca_that_ran_out_is_refused_anchor_or_not(made, contoso):
    assert ca("add", made, "R", contoso / "root.pem").returncode == 0
    assert verified(made)["R"]["good"]
    later = verified(made, "--clock", "+40d")
    assert not later["R"]["good"] and any(code.startswith("time.") for code in codes(later["R"])), later["R"]


def test_a_list_that_ran_out_or_is_gone_is_told(made):
    entry = verified(made, "--clock", "+9d")["lanyard lab issuing CA"]
    assert not entry["good"] and not entry["crl"]
    (made.parent / "pki" / "root.crl").unlink()
    both = verified(made)
    assert not both["lanyard lab root CA"]["crl"] and not both["lanyard lab root CA"]["good"]
    assert not both["lanyard lab issuing CA"]["accepted"], "whether it was revoked cannot be known"


def test_a_list_that_cannot_be_fetched_is_told_with_its_address(made, contoso):
    assert ca("add", made, "R", contoso / "root.pem", "--crl", "http://127.0.0.1:9/none.crl").returncode == 0
    assert not verified(made)["R"]["good"]
    told = ca("list", made, "--verify")
    assert "http://127.0.0.1:9/none.crl" in told.stdout and "cannot be had" in told.stdout


# Names -----------------------------------------------------------------------------------------

def test_without_a_name_it_is_called_as_it_calls_itself(made, contoso):
    assert run("ca", "add", "-c", made, contoso / "chain.pem", "--all").returncode == 0
    assert {"Contoso Root", "Contoso Issuing"} <= set(listed(made))


# At a sign-in ----------------------------------------------------------------------------------

@pytest.fixture
def foreign(tmp_path):
    """A CA of somebody else, with its revocation lists on the network."""
    server = Nginx(tmp_path / "nginx")
    ca_of_others = ForeignCa(tmp_path / "foreign", server.address)
    server.start(ca_of_others.www)
    yield ca_of_others
    server.stop()


def test_whom_the_settings_believe_changes_at_once(fresh_lab, make_client, foreign, tmp_path):
    settings, chain = fresh_lab.settings_file, tmp_path / "chain.pem"
    chain.write_text(foreign.user.read_text() + (foreign.folder / "issuing.pem").read_text())
    cas = tmp_path / "cas.pem"
    cas.write_text((foreign.folder / "issuing.pem").read_text() + foreign.root.read_text())

    def page():
        return make_client(fresh_lab).request(at(fresh_lab, "certificate", FIRST), "--cert", str(chain), "--key",
                                              str(foreign.folder / "user.key"))

    def answer():
        return refusal(page())

    assert answer().startswith("chain.")
    assert run("ca", "add", "-c", settings, cas, "--all").returncode == 0
    fresh_lab.wait_for(lambda: answer() == "chain.not-for-sign-in")
    assert "may not sign people in here" in page().text_of("reason")
    assert ca("set", settings, "Foreign Issuing", "--sign-in", "--crl", f"{foreign.address}/issuing.crl").returncode == 0
    assert ca("set", settings, "Foreign Root", "--crl", f"{foreign.address}/root.crl").returncode == 0
    fresh_lab.wait_for(lambda: answer() == "account.none")
    assert ca("remove", settings, "Foreign Root").returncode == 0
    fresh_lab.wait_for(lambda: answer().startswith("chain."))


def test_lists_on_the_network_are_fetched_to_verify(made, foreign):
    assert run("ca", "add", "-c", made, foreign.root, "--crl", f"{foreign.address}/root.crl").returncode == 0
    assert verified(made)["Foreign Root"]["good"]
    told = ca("list", made, "--verify")
    assert f"found: {foreign.address}/root.crl" in told.stdout
