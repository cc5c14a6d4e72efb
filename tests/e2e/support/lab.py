"""Starting lanyard from a folder of its own, talking to it, and stopping it."""
import json
import os
import selectors
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from support.secrets import ledger
from support.settings import set_setting

LANYARD = os.environ.get("LANYARD") or str(Path(__file__).parents[3] / "build" / "lanyard")
FREE_PORTS = ["--port", "0", "--certificate-port", "0", "--plain-port", "0"]
SANITIZER_WORDS = ("Sanitizer", "runtime error:")
IS_SANITIZED = b"__asan_init" in Path(LANYARD).read_bytes() if Path(LANYARD).exists() else False


def environment(**extra):
    """The environment for the program: nothing of ours but what a test asks for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LANYARD")}
    return {**kept, **extra}


def run(*arguments, **options):
    """Runs a lanyard command to its end; gives the finished process, output as text."""
    extra = options.pop("env", {})
    options = {"capture_output": True, "text": True, "timeout": 60, "env": environment(**extra), **options}
    finished = subprocess.run([LANYARD, *map(str, arguments)], **options)
    refuse_reports(finished.stderr)
    return finished


def refuse_reports(stderr):
    text = stderr if isinstance(stderr, str) else stderr.decode(errors="replace")
    reported = [line for line in text.splitlines() if any(word in line for word in SANITIZER_WORDS)]
    assert not reported, text[-6000:]


class Lab:
    """A lanyard that serves; `ready` is its ready line."""

    def __init__(self, folder, *arguments, ports=FREE_PORTS, command=None, env=None, log="json"):
        self.folder = Path(folder)
        self.arguments = list(map(str, arguments))
        self.command = command or ["up", str(folder)]
        self.env = env or {}
        self.clock = []
        self.log = log
        self.process = None
        self.ready = None
        self.stderr_path = self.folder.with_name(f"{self.folder.name}.stderr")
        self.start(ports)

    def start(self, ports=()):
        line = [LANYARD, *self.command, "--json", "--log", self.log, *ports, *self.clock, *self.arguments]
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=stderr, stdin=subprocess.DEVNULL,
                                            env=environment(**self.env))
        ledger.logs.add(self.stderr_path)
        ledger.labs.add(self.folder)
        self.ready = self.read_ready_line(seconds=60)
        self.note_secrets()

    def read_ready_line(self, seconds):
        line, deadline = b"", time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0, deadline - time.monotonic())):
                    self.process.kill()
                    raise AssertionError(f"no ready line within {seconds} s\n{self.stderr()[-4000:]}")
                piece = os.read(self.process.stdout.fileno(), 65536)
                if not piece:
                    raise AssertionError(f"ended with {self.process.wait()} before it was ready\n{self.stderr()[-4000:]}")
                line += piece
        return json.loads(line)

    def note_secrets(self):
        ledger.note_private_keys(self.ready["lab"])
        ledger.note_secret("api key", self.ready.get("api_key") or "")
        for user in self.ready["users"]:
            ledger.note_secret(f"password of {user['name']}", user["password"] or "")

    def stop(self):
        """SIGTERM; the server must end well, and its sanitizers must have nothing to say."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.wait(30)
        refuse_reports(self.stderr())
        assert status == 0, f"ended with {status}\n{self.stderr()[-4000:]}"

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end within {seconds} s\n{self.stderr()[-4000:]}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        """Stops and starts the same lab, on the ports it has."""
        self.stop()
        self.start()

    def move_clock(self, setting):
        """Stops, and starts the same lab at another time. (Its certificates stay those of today.)"""
        self.clock = ["--clock", setting]
        self.restart()

    def signal(self, number):
        self.process.send_signal(number)

    # What it says ------------------------------------------------------------------------------

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def events(self):
        """The events so far, where the log is JSON; lines that are no JSON are left out."""
        lines = self.stderr_path.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for(self, condition, seconds=5):
        """Waits until `condition()` gives something true, and gives that."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited {seconds} s in vain\n{self.stderr()[-4000:]}"
            time.sleep(0.02)
        return found

    def event_where(self, **fields):
        """Waits for an event with these fields, and gives the newest."""
        def search():
            fitting = [event for event in self.events()
                       if all(event.get(name) == value for name, value in fields.items())]
            return fitting[-1] if fitting else None
        return self.wait_for(search)

    # Who and where -----------------------------------------------------------------------------

    @property
    def main(self):
        return self.ready["main"]

    @property
    def plain(self):
        return self.ready["plain"]

    @property
    def root_certificate(self):
        return self.ready["root_certificate"]

    @property
    def signing_certificate(self):
        return self.ready["signing_certificate"]

    @property
    def settings_file(self):
        return Path(self.ready["lab"]) / "lanyard.yaml"

    def user(self, name="alice"):
        return next(user for user in self.ready["users"] if user["name"] == self.upn(name))

    def upn(self, name="alice"):
        return f"{name}@lab.test"

    def port(self, which="main"):
        return int(self.ready[which].rsplit(":", 1)[1])

    # Bare sockets ------------------------------------------------------------------------------

    def connect_plain(self, which="main", seconds=10):
        """As curl and browsers do it, without Nagle's delay of the request that follows a handshake."""
        connection = socket.create_connection(("127.0.0.1", self.port(which)), timeout=seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def tls_context(self):
        return ssl.create_default_context(cafile=self.root_certificate)

    def connect(self, context=None, server_name="localhost", which="main", seconds=10):
        """A TLS connection that trusts the lab's root and checks the name."""
        return (context or self.tls_context()).wrap_socket(self.connect_plain(which, seconds),
                                                           server_hostname=server_name)

    def exchange(self, data, which="main", seconds=10):
        """Sends bytes as they are, and reads until the server closes or says no more."""
        connection = self.connect_plain(which, seconds) if which == "plain" else self.connect(seconds=seconds)
        with connection:
            connection.sendall(data)
            return read_all(connection)


def read_all(connection):
    """What comes until the end, an error or the connection's time-out."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except (TimeoutError, ConnectionError, ssl.SSLError):
        pass
    return received


def free_ports(count):
    """Ports that nobody listens on now, no two alike."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def free_port():
    return free_ports(1)[0]


def copy_lab(made, folder):
    """Copies a lab that is not being served; the copy gets ports of its own. Its certificates name
    the addresses of the lab it was copied from, which matters to nobody here."""
    shutil.copytree(made, folder)
    for key, port in zip(("port", "certificate_port", "plain_port"), free_ports(3)):
        set_setting(folder / "lanyard.yaml", key, port)
    return folder
