"""Fixtures of the end-to-end tests: a real lanyard, real curl, real browsers, loopback only.

The program is the one that LANYARD names (./build/lanyard otherwise). Every server is started in
a folder of its own, stopped by its pid, and must end with 0 and without a sanitizer report.
"""
from pathlib import Path

import pytest

from support.curl import Client
from support.lab import FREE_PORTS, LANYARD, Lab, copy_lab, free_port, run
from support.webkit import display

FIRST = "urn:test:first"
FIRST_REPLY = "https://first.test/wsfed/"
SECOND = "urn:test:second"
SECOND_REPLY = "https://second.test/wsfed"
PASSPORT = "urn:test:passport"


def pytest_sessionstart(session):
    if not Path(LANYARD).exists():
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
    """One lab for all tests that change nothing in it. Events are JSON lines. All come from one
    address, so nobody is locked out for the wrong passwords of the others."""
    lab = Lab(tmp_path_factory.mktemp("session") / "lab", *parties, "--no-lockout")
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def first_made(tmp_path_factory):
    """A lab made once, to be copied: making its keys takes seconds."""
    folder = tmp_path_factory.mktemp("first") / "lab"
    finished = run("init", folder, *FREE_PORTS)
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.fixture
def made(first_made, tmp_path):
    """The folder of a lab that is not being served."""
    return copy_lab(first_made, tmp_path / "lab")


@pytest.fixture
def make_lab(first_made, tmp_path, parties):
    """Serves labs of the test's own: make_lab("--no-loop-detection", log="text")."""
    labs = []

    def make(*arguments, **options):
        folder = copy_lab(first_made, tmp_path / f"lab{len(labs) + 1}")
        labs.append(Lab(folder, *parties, *arguments, ports=(), **options))
        return labs[-1]

    yield make
    for lab in labs:
        lab.stop() if lab.process.poll() is None else lab.wait(1)


@pytest.fixture
def fresh_lab(make_lab):
    """A lab that the test may spoil."""
    return make_lab()


@pytest.fixture(scope="module")
def shown_on():
    """A display for browsers whose own dialogues are to be seen."""
    with display() as name:
        yield name


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
