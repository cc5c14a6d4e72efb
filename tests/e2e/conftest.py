"""Fixtures of the end-to-end tests: a real lanyard, real curl, real browsers, loopback only.

The program is the one that LANYARD names (./build/lanyard otherwise). Every server is started in
a folder of its own, stopped by its pid, and must end with 0 and without a sanitizer report.
"""
import itertools

import pytest

from support.curl import Client
from support.lab import LANYARD, Lab, free_port

FIRST = "urn:test:first"
FIRST_REPLY = "https://first.test/wsfed/"
SECOND = "urn:test:second"
SECOND_REPLY = "https://second.test/wsfed"
PASSPORT = "urn:test:passport"


def pytest_sessionstart(session):
    import pathlib
    if not pathlib.Path(LANYARD).exists():
        pytest.exit(f"no lanyard at {LANYARD}; build it, or name one in LANYARD", returncode=2)


def pytest_collection_modifyitems(items):
    """What looks back at the whole run comes last."""
    items.sort(key=lambda item: item.path.name == "test_secrets.py")


@pytest.fixture(scope="session")
def passport_port():
    """Where the relying party will listen; the lab must know before either is started."""
    return free_port()


@pytest.fixture(scope="session")
def parties(passport_port):
    """The arguments that make the test's relying parties known."""
    return ["--rp", f"{FIRST}={FIRST_REPLY}", "--rp", f"{SECOND}={SECOND_REPLY}",
            "--rp", f"{PASSPORT}=https://localhost:{passport_port}/signin-wsfed"]


@pytest.fixture(scope="session")
def lab(tmp_path_factory, parties):
    """One lab for all tests that change nothing in it. Events are JSON lines."""
    lab = Lab(tmp_path_factory.mktemp("session") / "lab", *parties)
    yield lab
    lab.stop()


@pytest.fixture
def make_lab(tmp_path, parties):
    """Makes labs of the test's own: make_lab("--no-loop-detection", log="text")."""
    labs, numbers = [], itertools.count(1)

    def make(*arguments, **options):
        labs.append(Lab(tmp_path / f"lab{next(numbers)}", *parties, *arguments, **options))
        return labs[-1]

    yield make
    for lab in labs:
        lab.stop() if lab.process.poll() is None else lab.wait(1)


@pytest.fixture
def fresh_lab(make_lab):
    """A lab that the test may spoil."""
    return make_lab()


@pytest.fixture
def make_client():
    """Makes users of curl, each with cookies of its own."""
    clients = []

    def make(lab):
        clients.append(Client(lab))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(lab, make_client):
    return make_client(lab)
