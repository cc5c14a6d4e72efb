"""lanyard proxy add, list, remove: who is trusted, which files are made, what is refused."""
import json
import os
import shutil
import stat
import subprocess

import pytest

from support.lab import run


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def made(made):
    """The settings file of a lab that is not being served."""
    return made / "lanyard.yaml"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A proxy's certificate that was made without lanyard, with its key."""
    folder = tmp_path_factory.mktemp("foreign")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=wap.contoso.test", "-keyout", folder / "wap.key", "-out", folder / "wap.pem", "-config", "/dev/null")
    openssl("x509", "-in", folder / "wap.pem", "-outform", "der", "-out", folder / "wap.cer")
    return folder


def proxy(command, settings, *arguments, **options):
    return run("proxy", command, "-c", settings, *arguments, **options)


def listed(settings):
    """name -> what proxy list says of it."""
    told = proxy("list", settings, "--json")
    assert told.returncode == 0 and told.stderr == "", told
    assert len(told.stdout.splitlines()) == 1
    return {entry["name"]: entry for entry in json.loads(told.stdout)["trusted_proxies"]}


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refuse(settings, command, *arguments, says, status):
    """The command must say no, say why, and leave every file of the lab alone."""
    before = everything(settings.parent)
    told = proxy(command, settings, *arguments)
    assert told.returncode == status and told.stdout == "", told
    assert says in told.stderr, told.stderr
    assert everything(settings.parent) == before


def add(settings, *arguments):
    told = proxy("add", settings, *arguments)
    assert told.returncode == 0 and f"added {arguments[0]} to {settings}" in told.stdout, told
    return told


# Adding ----------------------------------------------------------------------------------------

def test_a_new_lab_trusts_no_proxy(made):
    assert listed(made) == {}


def test_a_proxy_gets_a_key_and_a_certificate_of_its_own(made):
    told = add(made, "front", "--address", "127.0.0.1")
    certificate, key = made.parent / "proxies" / "front.pem", made.parent / "proxies" / "front.key"
    assert str(certificate) in told.stderr and str(key) in told.stderr and "lanyard proxy recipe nginx front" in told.stderr
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    text = openssl("x509", "-in", certificate, "-noout", "-subject", "-issuer", "-ext", "keyUsage,extendedKeyUsage,basicConstraints")
    assert "subject=CN = ADFS ProxyTrust - front" in text and "issuer=CN = ADFS ProxyTrust - front" in text
    assert "Digital Signature\n" in text and "TLS Web Client Authentication\n" in text and "CA:FALSE" in text
    assert openssl("x509", "-in", certificate, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")
    assert listed(made)["front"]["certificate"] == str(certificate)
    told = run("check", "-c", made)
    assert told.returncode == 0 and told.stderr == "", told


def test_the_certificate_is_backdated_by_an_hour_and_ends_after_a_year(made):
    add(made, "front", "--address", "127.0.0.1", "--clock", "2026-05-02T09:00:00Z")
    dates = openssl("x509", "-in", made.parent / "proxies" / "front.pem", "-noout", "-dates")
    assert dates == "notBefore=May  2 08:00:00 2026 GMT\nnotAfter=May  2 09:00:00 2027 GMT\n"
    assert listed(made)["front"]["not_after"] == "2027-05-02T09:00:00.000Z"


def test_everything_that_can_be_said_is_kept(made):
    add(made, "front", "--address", "10.1.0.0/16", "--address", "2001:db8::7", "--client-certificate-header", "Client-Cert",
        "--client-address-header", "X-Forwarded-For", "--network", "intranet", "--url", "https://STS.lab.test:443/",
        "--certificate-url", "https://sts.lab.test:49443")
    assert listed(made)["front"] == {
        "name": "front", "addresses": ["10.1.0.0/16", "2001:db8::7"], "network": "intranet",
        "certificate": str(made.parent / "proxies" / "front.pem"), "not_after": listed(made)["front"]["not_after"],
        "client_certificate_header": "Client-Cert", "client_address_header": "X-Forwarded-For", "web_application_proxy": False,
        "url": "https://sts.lab.test", "certificate_url": "https://sts.lab.test:49443"}


def test_what_is_not_said_is_as_the_settings_have_it(made):
    before = made.read_text()
    add(made, "front", "--address", "192.0.2.7", "--no-certificate")
    assert made.read_text() == before + "\ntrusted_proxies:\n  - name: front\n    addresses:\n      - 192.0.2.7\n"
    assert not (made.parent / "proxies").exists()
    front = listed(made)["front"]
    assert (front["network"], front["client_address_header"]) == ("extranet", "X-MS-Forwarded-Client-IP")
    assert front["certificate"] is front["not_after"] is front["client_certificate_header"] is front["url"] is None


@pytest.mark.parametrize("file", ["wap.pem", "wap.cer"])
def test_a_certificate_that_the_proxy_has_already_is_copied(made, foreign, file):
    told = add(made, "wap", "--address", "192.0.2.7", "--certificate", foreign / file)
    copy = made.parent / "proxies" / "wap.pem"
    assert copy.read_text() == (foreign / "wap.pem").read_text()
    assert os.listdir(copy.parent) == ["wap.pem"] and "wap.key" not in told.stderr


def test_the_list_is_for_people_too(made):
    add(made, "front", "--address", "192.0.2.7", "--no-certificate")
    add(made, "other", "--address", "192.0.2.8", "--client-certificate-header", "X-SSL-Client-Cert", "--clock", "2026-05-02T09:00:00Z")
    told = proxy("list", made)
    assert told.returncode == 0 and told.stderr == ""
    assert [line.split() for line in told.stdout.splitlines()] == [
        ["NAME", "ADDRESSES", "NETWORK", "UNTIL", "CLIENT", "CERTIFICATES"],
        ["front", "192.0.2.7", "extranet", "no", "certificate", "-"],
        ["other", "192.0.2.8", "extranet", "2027-05-02", "X-SSL-Client-Cert"]]


def test_only_what_is_said_to_be_a_web_application_proxy_hands_over_requests(made):
    add(made, "front", "--address", "192.0.2.7")
    told = add(made, "wap", "--address", "192.0.2.8", "--web-application-proxy")
    assert "recipe" not in told.stderr and "--client-certificate-header" not in told.stderr
    assert [listed(made)[name]["web_application_proxy"] for name in ("front", "wap")] == [False, True]
    assert proxy("list", made).stdout.splitlines()[2].endswith("  whole requests")
    for program in ("nginx", "haproxy"):
        refused = proxy("recipe", made, program, "wap")
        assert refused.returncode == 1 and refused.stdout == "" and "is a Web Application Proxy" in refused.stderr


def test_check_warns_of_a_proxy_that_is_any_program_or_has_expired(made):
    add(made, "front", "--address", "192.0.2.7", "--clock", "2020-05-02T09:00:00Z")
    add(made, "here", "--address", "127.0.0.1", "--no-certificate")
    told = run("check", "-c", made)
    assert told.returncode == 0, told
    assert '"front": its certificate ended at 2021-05-02' in told.stderr
    assert '"here": every program of this machine' in told.stderr


def test_the_listeners_name_the_proxies_that_come_to_them(made):
    def shown():
        told = run("show", "listeners", "-c", made, "--json")
        assert told.returncode == 0, told
        return [(entry["Reserved URL"][0].split(":")[0], entry.get("Trusted Proxies")) for entry in json.loads(told.stdout)]

    assert {proxies for _, proxies in shown()} == {None}
    add(made, "front", "--address", "192.0.2.7")
    add(made, "inner", "--address", "192.0.2.8", "--network", "intranet")
    assert shown() == [("https", ["front (extranet)", "inner (intranet)"])] * 3 + [("http", None)]


# Refusals --------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["../evil", "a/b", "/etc/x", ".hidden", "..", "", "a b", "a\nb", "x" * 47, "ä"])
def test_a_name_that_can_be_no_file_is_refused(made, name):
    refuse(made, "add", name, "--address", "192.0.2.7", says="is no name for a proxy", status=2)


@pytest.mark.parametrize("arguments, says", [
    ([], "--address ADDRESS"),
    (["--address", "proxy.lab.test"], "is no IP address"),
    (["--address", "0.0.0.0/0"], "is no IP address"),
    (["--address", "192.0.2.7", "--address", "10.1.2.3/8"], '"10.1.2.3/8" is no IP address'),
    (["--address", "192.0.2.7", "--client-certificate-header", "Cookie"], "--client-certificate-header"),
    (["--address", "192.0.2.7", "--client-address-header", "X Y"], "--client-address-header"),
    (["--address", "192.0.2.7", "--network", "moon"], "expected extranet or intranet"),
    (["--address", "192.0.2.7", "--url", "http://sts.lab.test"], "--url"),
    (["--address", "192.0.2.7", "--certificate-url", "https://sts.lab.test/adfs"], "--certificate-url"),
    (["--address", "192.0.2.7", "--certificate", "a.pem", "--no-certificate"], "contrary"),
])
def test_what_makes_no_sense_is_refused_before_a_file_is_touched(made, arguments, says):
    refuse(made, "add", "front", *arguments, says=says, status=2)


def test_no_file_is_ever_written_over(made):
    for ending in ("key", "pem"):
        kept = made.parent / "proxies" / f"front.{ending}"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("mine")
        refuse(made, "add", "front", "--address", "192.0.2.7", says="is there already", status=1)
        kept.unlink()


@pytest.mark.parametrize("options, says", [
    (["--no-certificate"], "without a certificate"),
    (["--client-certificate-header", "Client-Cert"], "one of the two"),
])
def test_what_lets_its_clients_post_anything_is_no_web_application_proxy(made, options, says):
    refuse(made, "add", "wap", "--address", "192.0.2.7", "--web-application-proxy", *options, says=says, status=1)


def test_what_the_settings_refuse_leaves_nothing_behind(made, foreign):
    add(made, "front", "--address", "192.0.2.0/24", "--no-certificate")
    refuse(made, "add", "other", "--address", "192.0.2.7", says="front is there, too", status=1)
    refuse(made, "add", "other", "--address", "192.0.2.7", "--certificate", foreign / "wap.pem", says="front is there, too", status=1)
    refuse(made, "add", "front", "--address", "192.0.3.7", says="already", status=1)
    add(made, "wap", "--address", "192.0.3.7", "--certificate", foreign / "wap.pem")
    refuse(made, "add", "again", "--address", "192.0.4.7", "--certificate", foreign / "wap.cer", says="is that of wap already", status=1)


def test_outside_a_lab_a_program_of_this_machine_needs_a_certificate(made):
    made.write_text("display_name: no lab\n")
    refuse(made, "add", "front", "--address", "127.0.0.1", "--no-certificate", says="every program of this machine", status=1)
    add(made, "front", "--address", "127.0.0.1")


def test_a_file_that_is_not_one_certificate_is_refused(made, foreign, tmp_path):
    refuse(made, "add", "wap", "--address", "192.0.2.7", "--certificate", foreign / "wap.key", says="no certificate", status=1)
    refuse(made, "add", "wap", "--address", "192.0.2.7", "--certificate", tmp_path / "none.pem", says="none.pem", status=1)
    refuse(made, "add", "wap", "--address", "192.0.2.7", "--certificate", made.parent / "pki" / "chain.pem",
           says="holds 2 certificates", status=1)


# Removing --------------------------------------------------------------------------------------

def test_what_was_made_goes_with_its_proxy(made):
    add(made, "front", "--address", "192.0.2.7")
    add(made, "other", "--address", "192.0.2.8")
    assert proxy("remove", made, "front").stdout == f"removed front from {made}\n"
    assert list(listed(made)) == ["other"]
    assert sorted(os.listdir(made.parent / "proxies")) == ["other.key", "other.pem"]
    assert proxy("remove", made, "other").returncode == 0
    assert not (made.parent / "proxies").exists()
    add(made, "front", "--address", "192.0.2.7")


def test_a_key_that_was_not_made_here_stays(made, foreign):
    add(made, "wap", "--address", "192.0.2.7", "--certificate", foreign / "wap.pem")
    shutil.copy(foreign / "wap.key", made.parent / "proxies" / "wap.key")
    assert proxy("remove", made, "wap").returncode == 0
    assert os.listdir(made.parent / "proxies") == ["wap.key"]


def test_a_certificate_that_lies_elsewhere_stays(made, foreign):
    shutil.copy(foreign / "wap.pem", made.parent / "wap.pem")
    made.write_text(made.read_text() + "\ntrusted_proxies:\n  - {name: wap, addresses: [192.0.2.7], certificate: wap.pem}\n")
    assert proxy("remove", made, "wap").returncode == 0
    assert listed(made) == {} and (made.parent / "wap.pem").exists()


def test_who_is_not_there_cannot_be_removed(made):
    add(made, "front", "--address", "192.0.2.7")
    refuse(made, "remove", "frnot", says="did you mean front?", status=1)


# The running server ----------------------------------------------------------------------------

def test_a_running_server_is_told(lab):
    settings = lab.folder / "lanyard.yaml"
    told = add(settings, "elsewhere", "--address", "192.0.2.7")
    assert "The running server was told." in told.stderr
    told = proxy("remove", settings, "elsewhere")
    assert told.returncode == 0 and "The running server was told." in told.stderr
