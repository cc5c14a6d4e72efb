"""`lanyard cert verify`: the verdict on chains that openssl made, and on the lab's own."""
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.lab import FREE_PORTS, Lab, copy_lab, run
from support.settings import set_setting

ROOT = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
BELOW = "authorityKeyIdentifier=keyid:always\nsubjectKeyIdentifier=hash\n"
ISSUING = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n" + BELOW
PERSON = "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n" + BELOW


def openssl(*arguments, **options):
    finished = subprocess.run(["openssl", *map(str, arguments)], check=False, capture_output=True, text=True, **options)
    assert finished.returncode == 0, (arguments, finished.stderr)
    return finished.stdout


class Authority:
    """A CA in a folder of its own, as openssl keeps one."""

    def __init__(self, folder, name, issuer=None, extensions=None):
        self.folder, self.name = folder, name
        self.certificate, self.key, self.crl = (folder / f"{name}.{end}" for end in ("pem", "key", "crl"))
        folder.mkdir(exist_ok=True)
        for file, text in (("index", ""), ("serial", "1000\n"), ("number", "01\n")):
            (folder / f"{name}.{file}").write_text(text)
        (folder / f"{name}.cnf").write_text(f"""
[ca]
default_ca = one
[one]
database = {folder}/{name}.index
serial = {folder}/{name}.serial
crlnumber = {folder}/{name}.number
new_certs_dir = {folder}
default_md = sha256
policy = any
default_days = 30
default_crl_days = 3
unique_subject = no
crl_extensions = crl
[any]
commonName = supplied
[crl]
authorityKeyIdentifier = keyid:always
""")
        if issuer is None:
            extensions = extensions or ROOT
            (folder / f"{name}.ext").write_text(f"[req]\ndistinguished_name=dn\n[dn]\n[all]\n{extensions}")
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={name}", "-keyout", self.key, "-out", self.certificate, "-days", "30", "-config",
                    folder / f"{name}.ext", "-extensions", "all")
        else:
            issuer.issue(name, extensions or ISSUING, folder)

    def issue(self, name, extensions=PERSON, folder=None):
        """Issues a certificate; gives its file. The key lies beside it."""
        folder = folder or self.folder
        certificate = folder / f"{name}.pem"
        (folder / f"{name}.ext").write_text(extensions)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        openssl("ca", "-batch", "-notext", "-config", self.folder / f"{self.name}.cnf", "-cert", self.certificate,
                "-keyfile", self.key, "-in", folder / f"{name}.csr", "-out", certificate, "-extfile",
                folder / f"{name}.ext")
        return certificate

    def revoke(self, certificate, reason="keyCompromise"):
        openssl("ca", "-config", self.folder / f"{self.name}.cnf", "-cert", self.certificate, "-keyfile", self.key,
                "-revoke", certificate, "-crl_reason", reason)

    def publish(self):
        """Makes a new CRL; gives its file (PEM)."""
        openssl("ca", "-config", self.folder / f"{self.name}.cnf", "-cert", self.certificate, "-keyfile", self.key,
                "-gencrl", "-out", self.crl)
        return self.crl


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    root = Authority(folder, "Root")
    return root, Authority(folder, "Issuing", root)


@pytest.fixture(scope="module")
def alice(pki):
    return pki[1].issue("alice")


def offline(pki, leaf, *options, untrusted=True):
    root, issuing = pki
    chain = ["--untrusted", issuing.certificate] if untrusted else []
    return run("cert", "verify", "--offline", "--trust", root.certificate, *chain, *options, leaf)


def codes(finished):
    """The codes of what was found, by --json."""
    return [(finding["code"], finding["depth"]) for finding in json.loads(finished.stdout)["findings"]]


# offline -----------------------------------------------------------------------------------------

def test_a_good_chain_is_valid_and_shown(pki, alice):
    finished = offline(pki, alice)
    assert (finished.returncode, finished.stderr) == (0, "")
    first, *path = finished.stdout.splitlines()
    assert first == "valid: CN=alice"
    assert path == ["  0  CN=alice (sent)", "  1  CN=Issuing (sent)", "  2  CN=Root (configured as --trust 1)"]


def test_a_refusal_is_one_line_of_code_depth_and_reason_and_then_the_findings(pki, alice):
    finished = offline(pki, alice, untrusted=False)
    assert finished.returncode == 1
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("refused: chain.issuer-missing at depth 0: its issuer is missing: CN=Issuing, key ")
    assert lines[1:3] == ["  0  CN=alice (sent)", "  1  CN=Issuing (missing)"]
    assert lines[3] == "refused: chain.issuer-missing, certificate 0: CN=alice"
    assert [line.split()[0] for line in lines[4:]] == ["found", "expected", "cure"]


def test_certificates_behind_the_leaf_count_as_sent_along(pki, alice, tmp_path):
    chain = tmp_path / "chain.pem"
    chain.write_text(alice.read_text() + pki[1].certificate.read_text())
    assert offline(pki, chain, untrusted=False).returncode == 0


def test_der_is_read_as_well(pki, alice, tmp_path):
    openssl("x509", "-in", alice, "-outform", "DER", "-out", tmp_path / "alice.crt")
    assert offline(pki, tmp_path / "alice.crt").returncode == 0


def test_another_time_is_another_verdict(pki, alice):
    late = offline(pki, alice, "--time", "4102444800")
    assert late.returncode == 1 and "refused: time.expired at depth 0" in late.stdout
    early = offline(pki, alice, "--time", "2020-01-01T00:00:00Z")
    assert early.returncode == 1 and "refused: time.not-yet-valid at depth 0" in early.stdout


def test_the_json_form_says_all_there_is_to_say(pki, alice):
    finished = offline(pki, alice, "--json", "--revocation", "chain-exclude-root")
    assert finished.returncode == 1 and finished.stdout.count("\n") == 1
    answer = json.loads(finished.stdout)
    assert set(answer) == {"valid", "path", "findings", "lookups"} and answer["valid"] is False
    assert [link["subject"] for link in answer["path"]] == ["CN=alice", "CN=Issuing", "CN=Root"]
    assert [link["origin"] for link in answer["path"]] == ["sent", "sent", "configured"]
    for finding in answer["findings"]:
        assert set(finding) == {"severity", "code", "depth", "certificate", "found", "expected", "cure", "address", "took"}
    assert codes(finished) == [("revocation.unknown", 0), ("revocation.unknown", 1)]


def test_revocation_is_told_by_the_crls_that_are_given(pki):
    root, issuing = pki
    bob = issuing.issue("bob")
    crls = ["--revocation", "chain", "--crl", root.publish(), "--crl"]
    assert offline(pki, bob, *crls, issuing.publish()).returncode == 0
    issuing.revoke(bob)
    finished = offline(pki, bob, *crls, issuing.publish())
    assert finished.returncode == 1
    assert "refused: revocation.revoked at depth 0: it was revoked on" in finished.stdout
    assert "its key was stolen" in finished.stdout


def test_a_purpose_is_asked_for(pki):
    server = pki[1].issue("server", PERSON.replace("clientAuth", "serverAuth"))
    assert offline(pki, server).returncode == 0
    assert offline(pki, server, "--purpose", "serverAuth").returncode == 0
    finished = offline(pki, server, "--purpose", "clientAuth", "--json")
    assert finished.returncode == 1 and codes(finished) == [("usage.extended", 0)]


def test_the_depth_is_limited(pki, alice):
    assert offline(pki, alice, "--depth", "1").returncode == 0
    finished = offline(pki, alice, "--depth", "0", "--json")
    assert finished.returncode == 1 and codes(finished) == [("chain.too-long", 2)]


def test_without_anybody_to_trust_nobody_is_valid(pki, alice):
    assert run("cert", "verify", "--offline", "--untrusted", pki[0].certificate, alice).returncode == 1


def test_an_unreadable_leaf_is_refused_and_a_missing_file_is_not(pki, tmp_path):
    (tmp_path / "rubbish.pem").write_text("rubbish")
    finished = offline(pki, tmp_path / "rubbish.pem")
    assert finished.returncode == 1 and finished.stdout.startswith("refused: certificate.unreadable at depth 0: ")
    assert offline(pki, tmp_path / "missing.pem").returncode == 2
    assert offline(pki, tmp_path).returncode == 2, "a folder cannot be read as a certificate"


def test_other_unreadable_input_is_no_verdict(pki, alice, tmp_path):
    (tmp_path / "rubbish").write_text("rubbish")
    for option in ("--trust", "--untrusted", "--crl"):
        finished = offline(pki, alice, option, tmp_path / "rubbish")
        assert finished.returncode == 2 and finished.stdout == "" and "rubbish" in finished.stderr


def test_who_is_no_ca_cannot_be_trusted(pki, alice):
    finished = run("cert", "verify", "--offline", "--trust", alice, alice)
    assert finished.returncode == 1 and finished.stdout.startswith("refused: trust.not-a-ca")


@pytest.mark.parametrize("options", [["--purpose", "people"], ["--revocation", "all"], ["--depth", "-1"],
                                     ["--time", "noon"], ["--urlfetch"], ["--unheard-of"]])
def test_what_makes_no_sense_is_said_and_is_no_verdict(pki, alice, options):
    finished = offline(pki, alice, *options)
    assert finished.returncode == 2 and finished.stdout == "" and finished.stderr


def test_trusted_files_are_for_offline_alone(pki, alice):
    finished = run("cert", "verify", "--trust", pki[0].certificate, alice)
    assert finished.returncode == 2 and "--offline" in finished.stderr


def test_what_a_certificate_says_cannot_steer_the_terminal(pki, tmp_path):
    root = pki[0]
    evil = tmp_path / "evil.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-subj",
            "/CN=a\x1b[2Jb\u202ec", "-keyout", tmp_path / "evil.key", "-out", evil)
    finished = run("cert", "verify", "--offline", "--trust", root.certificate, evil)
    assert finished.returncode == 1
    assert "\x1b" not in finished.stdout and "\u202e" not in finished.stdout


# with a lab --------------------------------------------------------------------------------------

def in_lab(lab, leaf, *options, **more):
    return run("cert", "verify", "-c", lab.folder / "lanyard.yaml", *options, leaf, **more)


def test_the_labs_people_are_valid_and_its_servers_are_nobody(lab):
    finished = in_lab(lab, lab.folder / "certificates" / "alice.pem", "--json")
    answer = json.loads(finished.stdout)
    assert finished.returncode == 0, answer
    assert answer["path"][1]["origin"] == "configured"
    assert "crl" in {lookup["kind"] for lookup in answer["lookups"]}
    assert all(lookup["found"] for lookup in answer["lookups"])
    finished = in_lab(lab, lab.folder / "pki" / "tls.pem", "--json")
    assert finished.returncode == 1 and ("usage.extended", 0) in codes(finished)


def test_a_stranger_is_refused_by_the_lab(lab, alice):
    finished = in_lab(lab, alice, "--json")
    assert finished.returncode == 1 and codes(finished)[0] == ("chain.issuer-missing", 0)


def test_urlfetch_asks_every_address_and_says_what_came(lab):
    finished = in_lab(lab, lab.folder / "certificates" / "alice.pem", "--urlfetch")
    assert finished.returncode == 0, finished.stdout
    alice_part = finished.stdout.partition("Certificate 0: ")[2].partition("Certificate 1: ")[0]
    for title in ("Certificate AIA", "Certificate CDP", "Base CRL CDP"):
        assert f"----------------  {title}  ----------------" in alice_part
    aia, _, cdp = alice_part.partition("Base CRL CDP")[0].partition("Certificate CDP")
    assert "Verified" in aia and "/lanyard/pki/issuing.crt" in aia and "Failed" not in aia
    assert "Verified" in cdp and "/lanyard/pki/issuing.crl" in cdp and "Failed" not in cdp


class Server:
    """A CA's web server, that counts what it was asked for."""

    def __init__(self):
        self.files, self.asked = {}, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                body = outer.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def world(tmp_path, first_made, server):
    """A lab that trusts a root of ours, whose CAs publish on a server of ours."""
    folder = copy_lab(first_made, tmp_path / "lab")
    root = Authority(tmp_path / "ca", "Root")
    points = f"authorityInfoAccess=caIssuers;URI:{server.url}/ROOT.crt\ncrlDistributionPoints=URI:{server.url}/root.crl\n"
    issuing = Authority(tmp_path / "ca", "Issuing", root, ISSUING + points)
    points = f"authorityInfoAccess=caIssuers;URI:{server.url}/issuing.crt\ncrlDistributionPoints=URI:{server.url}/issuing.crl\n"
    carol = issuing.issue("carol", PERSON + points)
    added = run("ca", "add", "our-root", root.certificate, "-c", folder / "lanyard.yaml", "--sign-in")
    assert added.returncode == 0, added.stderr
    set_setting(folder / "lanyard.yaml", "fetch_allow", json.dumps([server.url + "/"]))
    for authority, name in ((root, "root"), (issuing, "issuing")):
        server.files[f"/{name}.crl"] = openssl_der("crl", authority.publish())
        server.files[f"/{name}.crt"] = openssl_der("x509", authority.certificate)

    class World:
        pass

    world = World()
    world.folder, world.root, world.issuing, world.carol, world.server = folder, root, issuing, carol, server
    world.chain = tmp_path / "carol-chain.pem"
    world.chain.write_text(carol.read_text() + issuing.certificate.read_text())
    world.verify = lambda leaf, *options: run("cert", "verify", "-c", folder / "lanyard.yaml", "--json", *options, leaf)
    return world


def openssl_der(kind, path):
    return subprocess.run(["openssl", kind, "-in", path, "-outform", "DER"], check=True, capture_output=True).stdout


def test_crls_are_fetched_for_a_path_that_is_trusted(world):
    finished = world.verify(world.chain)
    answer = json.loads(finished.stdout)
    assert finished.returncode == 0, answer
    assert sorted(world.server.asked) == ["/issuing.crl", "/root.crl"]
    assert [lookup["address"] for lookup in answer["lookups"]] == [f"{world.server.url}/{name}.crl" for name in ("issuing", "root")]


def test_a_crl_that_cannot_be_had_is_told_with_its_address(world):
    world.server.files.clear()
    finished = world.verify(world.chain)
    assert finished.returncode == 1
    finding = json.loads(finished.stdout)["findings"][0]
    assert (finding["code"], finding["depth"]) == ("revocation.unknown", 0)
    assert finding["address"] == f"{world.server.url}/issuing.crl" and finding["took"] >= 0
    assert "lanyard ca add FILE --crl URL" in finding["cure"]


def test_urlfetch_asks_even_where_a_list_in_force_is_cached(world):
    assert world.verify(world.chain).returncode == 0
    del world.server.files["/issuing.crl"]
    finished = world.verify(world.chain, "--urlfetch")
    assert finished.returncode == 0 and world.server.asked.count("/issuing.crl") == 2
    asked = finished.stderr.partition("Certificate CDP")[2].partition("Base CRL CDP")[0]
    assert "Verified" in asked and "(cache)" in asked and "Failed" in asked and "(network)" in asked


def test_a_stranger_causes_no_connection(world, tmp_path):
    stranger = Authority(tmp_path / "other", "Root", extensions=ROOT)
    points = f"authorityInfoAccess=caIssuers;URI:{world.server.url}/issuing.crt\ncrlDistributionPoints=URI:{world.server.url}/root.crl\n"
    assert world.verify(stranger.issue("mallory", PERSON + points)).returncode == 1
    assert world.verify(stranger.issue("mallory", PERSON + points), "--urlfetch").returncode == 1
    assert world.server.asked == []


def test_a_missing_issuer_is_fetched_only_from_an_address_that_is_allowed(world):
    finished = world.verify(world.carol)
    assert finished.returncode == 1 and codes(finished)[0] == ("chain.issuer-missing", 0)
    assert world.server.asked == []
    set_setting(world.folder / "lanyard.yaml", "aia_allow", json.dumps([world.server.url + "/"]))
    finished = world.verify(world.carol)
    answer = json.loads(finished.stdout)
    assert finished.returncode == 0, answer
    assert answer["path"][1]["origin"] == "fetched"
    assert ("chain.fetched", 1) in codes(finished)
    finished = world.verify(world.carol)
    assert finished.returncode == 0 and json.loads(finished.stdout)["path"][1]["origin"] == "seen"


def test_a_ca_that_is_not_for_people_signs_nobody_in(world):
    changed = run("ca", "set", "our-root", "--no-sign-in", "-c", world.folder / "lanyard.yaml")
    assert changed.returncode == 0, changed.stderr
    finished = world.verify(world.chain, "--revocation", "none")
    assert finished.returncode == 1 and codes(finished) == [("chain.not-for-sign-in", 2)]
    assert 'lanyard ca set "our-root" --sign-in' in json.loads(finished.stdout)["findings"][0]["cure"]
    assert world.verify(world.chain, "--revocation", "none", "--purpose", "any").returncode == 0
