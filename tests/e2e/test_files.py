"""Files: whole or not at all, private where they must be (security.md G3; decisions.md 17, 23)."""
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from conftest import FIRST, copy_lab
from support.lab import FREE_PORTS, IS_SANITIZED, LANYARD, Lab, environment, run
from support.settings import set_setting
from support.sign_in import is_token_page, sign_in

KILLS = 3 if IS_SANITIZED else 6  # of `init`, which takes seconds
COMMAND_KILLS = 10 if IS_SANITIZED else 40


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


# Modes -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["signing.key", "tls.key"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(made, name, mode):
    """G3"""
    (made / "pki" / name).chmod(mode)
    for command in ("check", "serve"):
        refused = run(command, "-c", made / "lanyard.yaml")
        assert refused.returncode == 1
        assert name in refused.stdout + refused.stderr and "chmod" in refused.stdout + refused.stderr


def test_a_key_of_another_owner_is_refused(made):
    """G3"""
    if os.geteuid() != 0:
        pytest.fail("this test gives a file away, which only root can")
    os.chown(made / "pki" / "signing.key", 12345, 12345)
    assert run("check", "-c", made / "lanyard.yaml").returncode == 1


@pytest.mark.parametrize("name", [".", "lanyard.yaml", "users", "users/alice.yaml", "pki", "rules", "rules/permit-everyone.rules"])
def test_what_others_may_write_to_is_refused(made, name):
    """G3: whoever can change the settings, the people or the rules is whoever he likes to be."""
    (made / name).chmod(0o777 if (made / name).is_dir() else 0o666)
    refused = run("check", "-c", made / "lanyard.yaml")
    assert refused.returncode == 1, "others may write to it"
    assert "chmod" in refused.stdout + refused.stderr


def test_what_holds_secrets_is_its_owners_alone_also_under_a_loose_umask(tmp_path):
    """G3"""
    made = subprocess.run(["sh", "-c", 'umask 000; exec "$0" "$@"', LANYARD, "init", str(tmp_path / "lab"), *FREE_PORTS],
                          env=environment(), check=False)
    assert made.returncode == 0
    loose = [path for path in (tmp_path / "lab").rglob("*") if path.stat().st_mode & 0o022]
    assert loose == [], "writable by others"
    secret = [path for path in (tmp_path / "lab").rglob("*")
              if path.suffix in (".key", ".p12") or path.name in ("first-passwords", "pkcs12-password", "api-key")]
    assert len(secret) >= 9
    assert [path for path in secret if path.stat().st_mode & 0o077] == []


def test_the_state_file_is_its_owners_alone(lab, client):
    """G3"""
    sign_in(client, FIRST)
    files = list(Path(lab.ready["lab"]).glob("state*"))
    assert files and [path for path in files if path.stat().st_mode & 0o077] == []


def test_a_state_file_that_is_no_state_file_is_said_and_not_served(made):
    """G5"""
    (made / "state.db").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    (made / "state.db").chmod(0o600)
    refused = run("serve", "-c", made / "lanyard.yaml")
    assert refused.returncode == 1 and "state.db" in refused.stderr


def place_of(settings, key):
    """As check writes the place of that setting's value: FILE:LINE."""
    lines = settings.read_text().splitlines()
    return f"{settings}:{[line.startswith(f'{key}: ') for line in lines].index(True) + 1}:"


@pytest.mark.parametrize("key, value, says", [
    ("cache_folder", "/nowhere/cache", "cannot be made: No such file"), ("cache_folder", "lanyard.yaml/cache", "cannot be made: Not a dir"),
    ("cache_folder", "lanyard.yaml", "is no folder"), ("cache_folder", "loose", "chmod"),
    ("state", "/nowhere/state.db", "cannot be made: No such file")])
def test_check_finds_a_place_the_server_could_not_write_to(made, key, value, says):
    settings = made / "lanyard.yaml"
    (made / "loose").mkdir()
    (made / "loose").chmod(0o777)
    set_setting(settings, key, value)
    before = sorted(made.rglob("*"))
    checked = run("check", "-c", settings)
    assert checked.returncode == 1 and says in checked.stderr, checked.stderr
    assert checked.stderr.startswith(f"lanyard: {place_of(settings, key)}") and f"name another in {key}." in checked.stderr
    assert sorted(made.rglob("*")) == before
    assert run("serve", "-c", settings).returncode == 1, "what check refuses does not start"
    assert run("user", "list", "-c", settings).returncode == 0, "other commands do not need them"


def test_check_makes_neither_state_nor_cache(made):
    set_setting(made / "lanyard.yaml", "cache_folder", "new")
    set_setting(made / "lanyard.yaml", "state", "new.db")
    assert run("check", "-c", made / "lanyard.yaml").returncode == 0
    assert list(made.glob("new*")) == []


def test_check_looks_as_the_user_who_asks(tmp_path, first_made):
    if os.geteuid() != 0:
        pytest.fail("this test becomes another user, which only root can")
    folder = Path(tempfile.mkdtemp(prefix="lanyard-check-"))
    try:
        copy_lab(first_made, folder / "lab")
        folder.chmod(0o755)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, 65534, 65534)
        cache = folder / "lab" / "cache"
        cache.mkdir(mode=0o755)  # root's own
        (program := folder / "lanyard").write_bytes(Path(LANYARD).read_bytes())
        program.chmod(0o755)
        checked = subprocess.run([program, "check", "-c", folder / "lab" / "lanyard.yaml"], env=environment(), user=65534, group=65534,
                                 extra_groups=[], capture_output=True, text=True, check=False)
        assert checked.returncode == 1 and f"{cache}: the cache's folder cannot be read and written: Permission denied" in checked.stderr, checked
    finally:
        shutil.rmtree(folder)


# Whole or not at all ---------------------------------------------------------------------------

def test_init_that_is_killed_at_any_moment_leaves_no_lab_or_a_whole_one(tmp_path):
    """G4: and the next one succeeds, whatever was left behind."""
    began = time.perf_counter()
    assert run("init", tmp_path / "measured", *FREE_PORTS).returncode == 0
    usual = time.perf_counter() - began
    dice = random.Random(20240502)
    for number in range(KILLS):
        folder = tmp_path / f"lab{number}"
        process = subprocess.Popen([LANYARD, "init", str(folder), *FREE_PORTS], env=environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0, usual * 1.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if folder.exists() and any(folder.iterdir()):
            assert run("check", "-c", folder / "lanyard.yaml").returncode == 0, contents(folder).keys()
        assert run("init", folder, *FREE_PORTS).returncode == 0
        assert run("check", "-c", folder / "lanyard.yaml").returncode == 0
    leftovers = [path.name for path in tmp_path.iterdir() if path.name not in
                 {f"lab{number}" for number in range(KILLS)} | {"measured"}]
    assert len(leftovers) <= KILLS


@pytest.fixture
def small_disk(tmp_path):
    """Makes file systems of so many kilobytes."""
    mounted = []

    def make(kilobytes):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], check=True)
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kilobytes", [4, 12, 24, 40, 60])
def test_init_on_a_full_disk_says_so_and_leaves_nothing(small_disk, kilobytes):
    """G4"""
    disk = small_disk(kilobytes)
    refused = run("init", disk / "lab", *FREE_PORTS)
    assert refused.returncode == 1, refused.stderr
    assert "No space left" in refused.stderr
    assert list(disk.iterdir()) == []


def test_a_change_on_a_full_disk_keeps_the_old_file(small_disk):
    """G4, decision 23: one file, one rename."""
    disk = small_disk(2048)
    assert run("init", disk / "lab", *FREE_PORTS).returncode == 0
    with open(disk / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
    before = contents(disk / "lab")
    for words in (["user", "disable", "bob"], ["user", "add", "carol"], ["user", "passwd", "alice"]):
        refused = run(*words, "-c", disk / "lab" / "lanyard.yaml", input="another password\n")
        assert refused.returncode == 1, refused.stderr
    assert contents(disk / "lab") == before


def test_a_user_command_that_is_killed_leaves_the_old_file_or_the_new(made):
    """G4"""
    settings, path = made / "lanyard.yaml", made / "users" / "bob.yaml"
    dice = random.Random(7)
    for number in range(COMMAND_KILLS):
        process = subprocess.Popen([LANYARD, "user", "passwd", "bob", "-c", str(settings)], env=environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process.stdin.write(f"password number {number}\n".encode())
        process.stdin.close()
        time.sleep(dice.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert re.search(r"^password:\s*\S*\$y\$", path.read_text(), re.M)
        assert run("check", "-c", settings).returncode == 0
    assert run("user", "passwd", "bob", "-c", settings, input="the last one\n").returncode == 0


def test_a_server_that_is_killed_again_and_again_keeps_its_sessions(make_lab, make_client):
    """G4"""
    lab = make_lab("--no-loop-detection")
    dice = random.Random(11)
    kept = []
    for number in range(6):
        client = make_client(lab)
        assert is_token_page(sign_in(client, FIRST, name=("alice", "bob")[number % 2]))
        kept.append(client)
        time.sleep(dice.uniform(0, 0.05))
        lab.kill()
        lab.start()
    assert all(is_token_page(each.get("/adfs/ls/", {"wa": "wsignin1.0", "wtrealm": FIRST})) for each in kept)


def test_a_lab_that_was_moved_serves_from_its_new_place(make_lab, make_client, tmp_path):
    lab = make_lab()
    lab.stop()
    moved = tmp_path / "moved"
    shutil.move(lab.folder, moved)
    lab.folder, lab.command = moved, ["serve", "-c", str(moved / "lanyard.yaml")]
    lab.start()
    assert lab.ready["lab"] == str(moved)
    assert is_token_page(sign_in(make_client(lab), FIRST))


def test_a_lab_for_another_host_gets_a_tls_certificate_for_it_and_says_what_is_old(made):
    """decision 17"""
    plain = re.search(r"^plain_port:\s*(\d+)", (made / "lanyard.yaml").read_text(), re.M).group(1)
    process = subprocess.Popen([LANYARD, "up", str(made), "--host", "sts.example.test", "--json"], env=environment(),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "sts.example.test" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 0 and "alice" in said and plain in said
    names = subprocess.run(["openssl", "x509", "-in", str(made / "pki" / "tls.pem"), "-noout", "-ext", "subjectAltName"],
                           check=True, capture_output=True, text=True).stdout
    assert "DNS:sts.example.test" in names and "DNS:certauth.sts.example.test" in names
