"""After everything else has run: no secret the tests came across lies where it must not (G2)."""
from pathlib import Path

import pytest

from conftest import FIRST
from support.secrets import ledger
from support.sign_in import sign_in

# Where a kind of secret belongs; everything else in a lab's folder is searched for it.
HOMES = {"password of": {"first-passwords"}, "private key": {"*.key", "*.p12"}, "api key": {"api-key"}}


def belongs(kind, path):
    return any(kind.startswith(what) and any(path.match(home) for home in homes) for what, homes in HOMES.items())


@pytest.fixture(autouse=True)
def something_to_look_for(client):
    """A sign-in of its own, so that each of these shows something even when it runs alone."""
    sign_in(client, FIRST)
    kinds = " ".join(ledger.secrets.values())
    assert all(kind in kinds for kind in ("password of alice@", "private key signing.key", "cookie", "token"))
    assert ledger.logs and ledger.labs


def test_no_log_holds_a_password_a_cookie_a_token_or_a_key():
    found = {str(path): ledger.found_in(path.read_bytes()) for path in ledger.logs if path.exists()}
    assert {path: kinds for path, kinds in found.items() if kinds} == {}


def test_no_file_of_a_lab_holds_a_secret_that_does_not_belong_there():
    """Settings, user files, certificates and the state file with its journals."""
    files = [path for lab in ledger.labs for path in Path(lab).rglob("*") if path.is_file()]
    found = [(str(path), kind) for path in files for kind in ledger.found_in(path.read_bytes()) if not belongs(kind, path)]
    assert files and found == []


def test_no_page_but_the_token_page_and_its_receivers_holds_a_secret():
    """The lab's own relying party shows the token it got to whoever brought it."""
    found = [(address, [kind for kind in ledger.found_in(body) if kind != "token" or "/lanyard/rp" not in address])
             for address, body in ledger.pages]
    assert [(address, kinds) for address, kinds in found if kinds] == []


def test_the_search_finds_a_secret_that_is_there(tmp_path):
    secret, kind = next(iter(ledger.secrets.items()))
    assert ledger.found_in(b"before" + secret + b"after") == [kind]
