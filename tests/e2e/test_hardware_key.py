"""Signing in with a key that cannot be copied: SoftHSM2 keeps it, as a smart card would, and curl signs
with it through PKCS #11. What reaches the server is the certificate and a signature; the key was made in
the token and never leaves it.
"""
import subprocess
from pathlib import Path

import pytest

from conftest import FIRST
from support.certificates import TLS_METHOD, refusal, show
from support.identity import Authority, openssl
from support.sign_in import TokenPage
from support.tokens import Token

MODULE = next(path for path in map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/libsofthsm2.so")) if path.exists())
PIN = "271828"
KEY_TYPES = {"p256": "EC:prime256v1", "p384": "EC:secp384r1", "rsa": "rsa:2048"}


class Hsm:
    """A token of SoftHSM2 in a folder of its own; the environment must lead to it."""

    def __init__(self, folder, label="lanyard-test"):
        self.folder, self.label = folder, label
        (folder / "tokens").mkdir()
        self.settings = folder / "softhsm2.conf"
        self.settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")

    def initialise(self):
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", self.label, "--so-pin", "31415926",
                        "--pin", PIN], check=True, capture_output=True)

    def tool(self, *arguments):
        return subprocess.run(["pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin", PIN,
                               *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    def address(self, name, kind, pin=PIN):
        return f"pkcs11:token={self.label};object={name};type={kind};pin-value={pin}"

    def make_key(self, name, kind):
        said = self.tool("--keypairgen", "--key-type", KEY_TYPES[kind], "--label", name, "--id", name.encode().hex(),
                         "--usage-sign")
        assert "never extractable" in said

    def keep(self, name, certificate):
        """Puts the certificate beside its key."""
        der = self.folder / f"{name}.der"
        openssl("x509", "-in", certificate, "-outform", "DER", "-out", der)
        self.tool("--write-object", der, "--type", "cert", "--label", name, "--id", name.encode().hex())

    def issue(self, ca, name, kind, **more):
        """Makes a key in the token, and has the CA issue a certificate for it."""
        self.make_key(name, kind)
        options = ["-engine", "pkcs11", "-keyform", "engine", "-key", self.address(name, "private")]
        identity = ca.issue(self.folder / name, name, key=options, **more)
        assert not identity.key.exists()
        self.keep(name, identity.certificate)
        return Card(self, name, identity.certificate)


class Card:
    """An identity whose key is in the token."""

    def __init__(self, hsm, name, certificate):
        self.hsm, self.name, self.certificate, self.pin = hsm, name, certificate, PIN

    def options(self, with_chain=False):
        """What curl is to be told; `with_chain`: the certificate comes out of the token, too."""
        key = ["--engine", "pkcs11", "--key-type", "ENG", "--key", self.hsm.address(self.name, "private", self.pin)]
        stored = ["--cert-type", "ENG", "--cert", self.hsm.address(self.name, "cert", self.pin)]
        return [*key, *(stored if with_chain else ["--cert", str(self.certificate)])]


@pytest.fixture
def hsm(tmp_path, monkeypatch):
    made = Hsm(tmp_path)
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.settings))
    monkeypatch.setenv("PKCS11_MODULE_PATH", str(MODULE))
    made.initialise()
    return made


@pytest.fixture
def ca(lab):
    return Authority.of_lab(lab)


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_a_key_in_a_token_signs_in(client, ca, hsm, kind):
    answer = show(client, FIRST, hsm.issue(ca, "alice", kind, upn="alice@lab.test"))
    assert answer.status == 302 and answer.set_cookie
    token = Token(TokenPage(client.get(answer.location)).wresult)
    assert token.one("//saml:AuthenticationStatement").get("AuthenticationMethod") == TLS_METHOD


def test_a_token_that_holds_the_certificate_too_signs_in(client, ca, hsm):
    answer = show(client, FIRST, hsm.issue(ca, "alice", "p256", upn="alice@lab.test"), with_chain=True)
    assert answer.status == 302 and answer.set_cookie


def test_two_people_on_one_token_are_told_apart(client, ca, hsm):
    for name in ("alice", "bob"):
        card = hsm.issue(ca, name, "p256", upn=f"{name}@lab.test")
        client.forget()
        page = TokenPage(client.get(show(client, FIRST, card).location))
        assert f"{name}@lab.test" in page.wresult


def test_a_token_of_a_stranger_is_refused_with_a_page(client, hsm, tmp_path):
    stranger = Authority.stranger(tmp_path / "stranger")
    answer = show(client, FIRST, hsm.issue(stranger, "alice", "p256", upn="alice@lab.test"))
    assert answer.status == 200 and refusal(answer) == "chain.issuer-missing" and answer.set_cookie is None


def test_with_the_wrong_pin_nothing_is_signed(client, ca, hsm):
    card = hsm.issue(ca, "alice", "p256", upn="alice@lab.test")
    card.pin = "000000"
    with pytest.raises(subprocess.CalledProcessError):
        show(client, FIRST, card)


def test_another_s_certificate_is_of_no_use_to_the_key_of_a_token(client, ca, hsm):
    alice, bob = (hsm.issue(ca, name, "p256", upn=f"{name}@lab.test") for name in ("alice", "bob"))
    bob.certificate = alice.certificate
    with pytest.raises(subprocess.CalledProcessError):
        show(client, FIRST, bob)
