"""The real nginx and HAProxy before a lab, each run with exactly what `lanyard proxy recipe` prints."""
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support.lab import free_ports, run

HEADERS = {"nginx": "X-SSL-Client-Cert", "haproxy": "Client-Cert"}
SETTINGS = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}


def command_of(kind, folder):
    settings = folder / SETTINGS[kind]
    if kind == "haproxy":
        return ["haproxy", "-f", settings]
    return ["nginx", "-e", "stderr", "-p", folder, "-c", settings, "-g", "daemon off;"]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Proxy:
    """A context: makes the proxy trusted by the lab, which must be restarted or told, and runs it inside."""

    def __init__(self, kind, settings_file, options=None, header=None):
        self.kind, self.name, self.settings_file = kind, f"the-{kind}", settings_file
        self.ports = free_ports(2)
        self.main, self.certificate = (f"https://localhost:{port}" for port in self.ports)
        # Not the test's own folder: nginx started by root has workers that may not enter it.
        self.folder = Path(tempfile.mkdtemp(prefix=f"{kind}-"))
        self.log = self.folder / "log"
        self.process = None
        if options is None:
            options = ["--client-certificate-header", header or HEADERS[kind], "--certificate-url", self.certificate]
        added = run("proxy", "add", self.name, "--address", "127.0.0.1", "--url", self.main, *options, "-c", settings_file)
        assert added.returncode == 0, added.stderr
        self.awaited = [port for port, where in zip(self.ports, (self.main, self.certificate))
                        if where in (self.main, *options)]

    def recipe(self, *more):
        return run("proxy", "recipe", self.kind, self.name, "-c", self.settings_file, *more)

    def __enter__(self):
        printed = self.recipe()
        assert printed.returncode == 0 and "{{" not in printed.stdout, printed.stderr
        (self.folder / SETTINGS[self.kind]).write_text(printed.stdout)
        self.folder.chmod(0o755)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command_of(self.kind, self.folder), cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not all(map(listens, self.awaited)):
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            shutil.rmtree(self.folder)
