"""quickstart, with stand-ins for the programs it calls that write down how they were called. (The
real thing is tried on a fresh machine; it needs root, a network and minutes.)"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "quickstart"
CALLS = 'echo "$(basename "$0") $*" >>"$CALLS"\n'
STAND_INS = {
    "dpkg-query": 'for name in "$@"; do case $name in lib*|cmake|make|gcc|pkg-config|curl) '
                  'grep -qx "$name" "$MISSING" || echo "$name ii ";; esac; done\n',
    "apt-get": '[ "$APT" = fails ] && { echo "E: no such mirror"; exit 100; }\nexit 0\n',
    "sudo": '"$@"\n',
    "id": 'echo "$USER_ID"\n',
    "cmake": 'case $1 in\n'
             '-S) [ "$CMAKE" != no-configure ] || { echo "CMake Error: no compiler"; exit 1; }\n'
             '    echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >build/CMakeCache.txt;;\n'
             '--build) [ "$CMAKE" != no-build ] || { echo "x.c:1: error: broken"; exit 2; }\n'
             '    printf \'#!/bin/sh\\necho "serving: $*"\\n\' >build/lanyard; chmod +x build/lanyard;;\n'
             'esac\n',
}


class Machine:
    """A checkout with nothing but quickstart in it, and the programs it may call."""

    def __init__(self, folder):
        self.checkout = folder / "check out"  # a blank in its name is nobody's fault
        self.checkout.mkdir()
        shutil.copy(QUICKSTART, self.checkout)
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name, text in STAND_INS.items():
            path = self.programs / name
            path.write_text(f"#!/bin/bash\n{CALLS}{text}")
            path.chmod(0o755)
        self.calls, self.missing = folder / "calls", folder / "missing"
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()

    def run(self, *arguments, missing=(), user_id="0", apt="", cmake=""):
        self.calls.write_text("")
        self.missing.write_text("".join(f"{name}\n" for name in missing))
        self.finished = subprocess.run(
            [self.checkout / "quickstart", *arguments], cwd=self.elsewhere, capture_output=True, text=True, timeout=30,
            check=False, env={"PATH": f"{self.programs}:{os.environ['PATH']}", "CALLS": str(self.calls), "USER_ID": user_id,
                              "MISSING": str(self.missing), "APT": apt, "CMAKE": cmake})
        return self.finished

    def called(self, program):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(program + " ")]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_it_builds_and_hands_its_arguments_to_lanyard_up_from_any_folder(machine):
    done = machine.run("--no-serve", "--rp", "urn:a=https://a b/")
    assert (done.returncode, done.stdout) == (0, "serving: up ./lab --no-serve --rp urn:a=https://a b/\n")
    assert machine.called("apt-get") == []
    assert len(machine.called("cmake")) == 2 and "-DCMAKE_BUILD_TYPE=Release" in machine.called("cmake")[0]
    assert list(machine.elsewhere.iterdir()) == []


def test_the_second_run_installs_and_configures_nothing(machine):
    machine.run()
    assert machine.run().stdout == "serving: up ./lab\n"
    assert machine.called("apt-get") == [] and [line.split()[1] for line in machine.called("cmake")] == ["--build"]


def test_only_what_is_missing_is_installed(machine):
    assert machine.run(missing=["libyaml-dev", "cmake"]).returncode == 0
    update, install = machine.called("apt-get")
    assert update.endswith("update") and install.endswith("install cmake libyaml-dev")
    assert machine.called("sudo") == []


def test_whoever_is_not_root_installs_through_sudo_or_is_told_what_to_ask_for(machine):
    assert machine.run(missing=["make"], user_id="1000").returncode == 0
    assert len(machine.called("sudo")) == 2
    (machine.programs / "sudo").unlink()
    done = machine.run(missing=["make"], user_id="1000")
    if shutil.which("sudo") is None:
        assert done.returncode == 1 and "apt-get install make" in done.stderr


def test_every_package_it_asks_for_is_one_that_debian_has(machine):
    machine.run()
    names = re.search(r"packages=\((.*?)\)", (machine.checkout / "quickstart").read_text(), re.S).group(1).split()
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\n", *names], capture_output=True, text=True, check=False)
    assert sorted(asked.stdout.split()) == sorted(names), asked.stderr


@pytest.mark.parametrize("broken, words", [({"apt": "fails", "missing": ["gcc"]}, "no such mirror"),
                                           ({"cmake": "no-configure"}, "no compiler"),
                                           ({"cmake": "no-build"}, "x.c:1: error: broken")])
def test_what_goes_wrong_is_said_and_no_half_build_is_left(machine, broken, words):
    done = machine.run(**broken)
    assert done.returncode == 1 and words in done.stderr and "quickstart: " in done.stderr
    assert done.stdout == "" and not (machine.checkout / "build" / "lanyard").exists()
    assert machine.run().stdout == "serving: up ./lab\n", "and it can be tried again"


def test_a_build_that_was_cut_off_or_moved_is_begun_anew(machine):
    machine.run()
    (machine.checkout / "build" / ".unfinished").touch()
    (machine.checkout / "build" / "half.o").touch()
    assert machine.run().returncode == 0
    assert not (machine.checkout / "build" / "half.o").exists()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    assert machine.run().returncode == 0 and len(machine.called("cmake")) == 2


def test_help_explains_and_does_nothing(machine):
    done = machine.run("--help")
    assert done.returncode == 0 and "--no-serve" in done.stdout and "lanyard up" in done.stdout
    assert machine.calls.read_text() == "" and not (machine.checkout / "build").exists()
