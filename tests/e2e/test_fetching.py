"""CRLs and issuing CAs out of certificates: what is fetched from a real CA's web server, what is kept, and what is
never asked (security F1, F5, F9, L7, L8, K3)."""
import json
import shutil
import signal
import subprocess
import time

import pytest

from conftest import FIRST
from support.certificates import at
from support.foreign_ca import ForeignCa, Nginx, openssl
from support.lab import Lab, copy_lab, free_port, run
from support.settings import set_setting

PATHS = ["/issuing.crt", "/issuing.crl", "/root.crl"]


@pytest.fixture(scope="module")
def first_ca(tmp_path_factory):
    """A CA made once, to be copied."""
    folder = tmp_path_factory.mktemp("foreign") / "ca"
    return ForeignCa(folder, f"http://127.0.0.1:{free_port()}")


class Scene:
    """A lab that trusts the foreign root, and nginx that serves what the foreign CA publishes."""

    def __init__(self, folder, ca, tmp_path):
        self.ca, self.settings = ca, folder / "lanyard.yaml"
        self.cache = folder / "cache"
        self.www = tmp_path / "www"
        shutil.copytree(ca.www, self.www)
        self.nginx = Nginx(tmp_path / "nginx", int(ca.address.rsplit(":", 1)[1]))
        self.set("certificate_authorities", [{"name": "Foreign", "certificate": str(ca.root), "type": "root",
                                              "sign_in": True}])
        self.set("aia_allow", [f"{ca.address}/"])

    def set(self, key, value):
        set_setting(self.settings, key, json.dumps(value))

    def serve(self, more=""):
        self.nginx.stop()
        self.nginx.start(self.www, more)
        self.nginx.take_requests()

    def verify(self, leaf=None, *arguments, **options):
        finished = run("cert", "verify", "-c", self.settings, "--json", *arguments, leaf or self.ca.user, **options)
        assert finished.stdout, finished.stderr
        answer = json.loads(finished.stdout)
        assert finished.returncode == (0 if answer["valid"] else 1), finished.stderr
        return answer

    def accepted(self, *arguments, **options):
        answer = self.verify(None, *arguments, **options)
        assert answer["valid"], answer["findings"]
        return answer

    def refused(self, code, *arguments, leaf=None, **options):
        answer = self.verify(leaf, *arguments, **options)
        assert not answer["valid"] and answer["findings"][0]["code"] == code, answer["findings"]
        return answer

    def empty_cache(self):
        shutil.rmtree(self.cache)


@pytest.fixture
def scene(first_made, first_ca, tmp_path):
    scene = Scene(copy_lab(first_made, tmp_path / "lab"), first_ca, tmp_path)
    scene.serve()
    yield scene
    scene.nginx.stop()


def why(answer, address):
    """What was said of the last attempt at that address."""
    return [lookup["why"] for lookup in answer["lookups"] if lookup["address"].endswith(address)][-1]


def test_a_missing_issuing_ca_and_both_crls_are_fetched_once_and_kept(scene):
    answer = scene.accepted()
    assert [link["origin"] for link in answer["path"]] == ["sent", "fetched", "configured"]
    assert sorted(scene.nginx.take_requests()) == sorted(PATHS)
    answer = scene.accepted()
    assert [link["origin"] for link in answer["path"]] == ["sent", "seen", "configured"]
    assert {lookup["source"] for lookup in answer["lookups"]} == {"cache"}
    assert scene.nginx.take_requests() == []


def test_the_last_crl_serves_while_the_server_is_down_and_no_longer_than_it_says(scene):
    """L8"""
    scene.accepted()
    scene.nginx.stop()
    later = int(time.time()) + 6 * 86400
    scene.accepted("--time", str(later))
    answer = scene.refused("revocation.unknown", "--time", str(later + 2 * 86400))
    assert "connect" in why(answer, "/issuing.crl")


def test_a_revoked_certificate_is_refused_once_its_crl_is_had(scene, tmp_path):
    folder = tmp_path / "ca"
    shutil.copytree(scene.ca.folder, folder)
    (folder / "ca.cnf").write_text((folder / "ca.cnf").read_text().replace(str(scene.ca.folder), str(folder)))
    openssl("ca", "-config", folder / "ca.cnf", "-name", "issuing", "-revoke", scene.ca.user)
    openssl("ca", "-config", folder / "ca.cnf", "-name", "issuing", "-gencrl", "-out", folder / "new.crl")
    openssl("crl", "-in", folder / "new.crl", "-outform", "der", "-out", scene.www / "issuing.crl")
    answer = scene.refused("revocation.revoked")
    assert "CRL number 2" in why(answer, "/issuing.crl") and "1 entry" in why(answer, "/issuing.crl")
    # L7: somebody on the way serves the older list, in which nobody is revoked.
    shutil.copy(scene.ca.www / "issuing.crl", scene.www / "issuing.crl")
    scene.refused("revocation.revoked")
    later = str(int(time.time()) + 8 * 86400)
    assert "not in force" in str(scene.refused("revocation.unknown", "--time", later)["lookups"])


def test_nobody_s_certificate_causes_no_connection(scene, tmp_path):
    """F1: who is not anchored is not asked about, whatever the certificate names."""
    scene.set("aia_allow", [])
    scene.set("fetch_allow", [f"{scene.ca.address}/"])
    stranger = ForeignCa(tmp_path / "stranger", scene.ca.address)
    chain = tmp_path / "chain.pem"
    chain.write_text("".join((stranger.folder / f"{name}.pem").read_text() for name in ("user", "issuing", "root")))
    assert scene.nginx.take_requests() == []
    scene.refused("chain.issuer-missing")
    scene.refused("chain.issuer-missing", leaf=stranger.user)
    assert not scene.verify(chain)["valid"]
    assert scene.nginx.take_requests() == []


def test_a_root_that_was_fetched_is_no_anchor(scene, tmp_path):
    """F8: a whole PKI of a stranger's, down to a root that looks like the trusted one, put where it may be fetched."""
    stranger = ForeignCa(tmp_path / "stranger", scene.ca.address)
    for name in ("root.crt", "issuing.crt", "root.crl", "issuing.crl"):
        shutil.copy(stranger.www / name, scene.www / name)
    answer = scene.verify(stranger.user)
    assert not answer["valid"] and len(answer["findings"]) > 0
    asked = scene.nginx.take_requests()
    assert "/issuing.crt" in asked and not [path for path in asked if path.endswith(".crl")]  # anchored first
    assert list(scene.cache.glob("issuers/*")) == []


def test_a_private_address_that_no_list_names_is_not_asked(scene, tmp_path):
    scene.set("aia_allow", [])
    chain = tmp_path / "chain.pem"
    chain.write_text("".join((scene.ca.folder / f"{name}.pem").read_text() for name in ("user", "issuing")))
    answer = scene.refused("revocation.unknown", leaf=chain)
    assert "not asked" in why(answer, "/issuing.crl") and "fetch_allow" in why(answer, "/issuing.crl")
    assert scene.nginx.take_requests() == []
    scene.set("fetch_allow", [f"{scene.ca.address}/"])
    assert scene.verify(chain)["valid"]


def test_the_environment_s_proxy_is_ignored(scene):
    """F9"""
    nowhere = f"http://127.0.0.1:{free_port()}"
    scene.accepted(env={"http_proxy": nowhere, "HTTP_PROXY": nowhere, "ALL_PROXY": nowhere})


@pytest.mark.parametrize("more, words", [
    ("location /issuing.crl { return 302 http://127.0.0.1:1/; }", "the answer was 302"),
    ("location /issuing.crl { return 200 '<html>Please sign in</html>'; }", "is a page"),
    ("location /issuing.crl { return 200 ''; }", "is empty"),
    ("location /issuing.crl { return 404; }", "the answer was 404"),
    ("location /issuing.crl { rewrite .* /issuing.crt break; }", "is no CRL in DER"),
    ("location /issuing.crl { rewrite .* /root.crl break; }", "not signed with the key"),
], ids=["redirect", "page", "empty", "missing", "certificate", "another's"])
def test_what_is_not_the_crl_is_named_and_refused(scene, more, words):
    """F4, F5"""
    scene.serve(more)
    answer = scene.refused("revocation.unknown")
    assert words in why(answer, "/issuing.crl"), answer["lookups"]


def test_a_server_that_drips_holds_nobody_up_for_more_than_twenty_seconds(scene):
    """F5: one byte a second, for every list of the path."""
    scene.accepted()
    for file in scene.cache.glob("*.crl"):
        file.unlink()
    scene.serve("limit_rate 1;")
    began = time.monotonic()
    answer = scene.refused("revocation.unknown")
    assert time.monotonic() - began < 22
    assert "no whole answer came within 15.0 s" in why(answer, "/issuing.crl")
    took = [finding["took"] for finding in answer["findings"] if finding["code"] == "revocation.unknown"]
    assert took[0] >= 14000, took


def test_a_spoilt_cache_is_noticed_and_mended(scene):
    """G5"""
    scene.accepted()
    for file in scene.cache.glob("*.crl"):
        file.write_bytes(file.read_bytes()[:-1])
    for file in scene.cache.glob("issuers/*"):
        file.write_bytes(b"nonsense")
    scene.nginx.take_requests()
    scene.accepted()
    assert sorted(scene.nginx.take_requests()) == sorted(PATHS)
    scene.accepted()
    assert scene.nginx.take_requests() == []


# The server ----------------------------------------------------------------------------------------


@pytest.fixture
def serving(scene, parties):
    """The lab of the scene, served."""
    lab = Lab(scene.settings.parent, *parties, ports=())
    yield lab
    lab.stop()


def show_certificate(lab, ca, times=1):
    """Signs in by the foreign user's certificate, so many at once; gives the pages."""
    line = ["curl", "-sk", "--max-time", "60", "--cert", ca.user, "--key", ca.folder / "user.key",
            at(lab, "certificate", FIRST)]
    shown = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(times)]
    return [each.communicate()[0] for each in shown]


def codes(lab):
    """What was decided on certificates so far: the foreign user has no account here, so that is the good end."""
    return [event["code"] for event in lab.events() if event.get("event") == "sign-in" and "code" in event]


def test_many_who_sign_in_at_once_cause_one_request_for_each_address(scene, serving):
    """F7"""
    scene.serve("location / { limit_rate 400; }")
    show_certificate(serving, scene.ca, 30)
    assert codes(serving) == ["account.none"] * 30
    assert sorted(scene.nginx.take_requests()) == sorted(PATHS)


def test_new_lists_of_what_may_be_asked_hold_after_a_reload(scene, serving):
    scene.set("aia_allow", [])
    serving.signal(signal.SIGHUP)
    serving.event_where(event="reload", outcome="done")
    show_certificate(serving, scene.ca)
    assert codes(serving) == ["chain.issuer-missing"] and scene.nginx.take_requests() == []
    scene.set("aia_allow", [f"{scene.ca.address}/"])
    serving.signal(signal.SIGHUP)
    serving.wait_for(lambda: sum(event.get("event") == "reload" for event in serving.events()) == 2)
    show_certificate(serving, scene.ca)
    assert codes(serving) == ["chain.issuer-missing", "account.none"]


def test_one_who_waits_for_a_slow_list_holds_up_nobody_else(scene, serving, make_client):
    """F5"""
    scene.serve("limit_rate 1;")
    line = ["curl", "-sk", "--cert", scene.ca.user, "--key", scene.ca.folder / "user.key", at(serving, "certificate", FIRST)]
    waiting = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    serving.wait_for(lambda: scene.nginx.is_connected())
    began = time.monotonic()
    assert make_client(serving).get(at(serving, "main", FIRST)).status == 200
    assert time.monotonic() - began < 3 and waiting.poll() is None
    began = time.monotonic()
    serving.stop()  # it does not wait for that list, either
    assert time.monotonic() - began < 8
    waiting.wait(10)
