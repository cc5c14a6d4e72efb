"""Bare connections: bytes out as they are, answers in one by one."""
import re
import time

from support.curl import Answer

# A path of each port that anybody may fetch.
OPEN_PATH = {"main": "/lanyard/health", "plain": "/adfs/probe"}
HOST = "Host: localhost"


def request(method, target, *lines, body=b""):
    """The bytes of a request; the Host header is for the caller to give."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("latin-1") + body


class Wire:
    """One connection to a port of the lab."""

    def __init__(self, lab, which="main", socket=None):
        self.address = lab.ready[which]
        self.socket = socket or (lab.connect_plain("plain") if which == "plain" else lab.connect())
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def receive(self):
        """More bytes, or b"" at the end; how a connection ends is not the point here."""
        try:
            piece = self.socket.recv(65536)
        except ConnectionError:
            piece = b""
        self.received += piece
        return piece

    def until(self, length):
        while len(self.received) < length:
            assert self.receive(), f"ended after {self.received[:2000]!r}"
        taken, self.received = self.received[:length], self.received[length:]
        return taken

    def answer(self, to_head=False):
        """The next answer; `to_head`: it is one to HEAD, and has no body."""
        while b"\r\n\r\n" not in self.received:
            assert self.receive(), f"ended after {self.received[:2000]!r}"
        head = self.until(self.received.index(b"\r\n\r\n") + 4).strip()
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        without_body = to_head or head.split()[1].startswith(b"1") or not length
        return Answer(self.address, head, b"" if without_body else self.until(int(length.group(1))))

    def rest(self):
        """Everything until the server closes."""
        while self.receive():
            pass
        taken, self.received = self.received, b""
        return taken

    def is_open(self):
        """Whether the server has neither closed nor said anything more."""
        patience = self.socket.gettimeout()
        self.socket.settimeout(0.01)
        try:
            self.receive()
            return False
        except TimeoutError:
            return not self.received
        finally:
            self.socket.settimeout(patience)

    def seconds_until_closed(self, dribble=None, pause=0.1):
        """How long the server bears it, while `dribble(number)` is sent piece by piece."""
        begun, number = time.monotonic(), 0
        self.socket.settimeout(pause)
        while time.monotonic() - begun < 20:
            try:
                if not self.socket.recv(65536):
                    break
            except TimeoutError:
                if dribble and not self.dribbled(dribble(number)):
                    break
                number += 1
            except OSError:
                break
        return time.monotonic() - begun

    def dribbled(self, piece):
        try:
            self.socket.sendall(piece)
        except OSError:
            return False
        return True


def ask(lab, data, which="main"):
    """One request on a connection of its own, and its answer."""
    with Wire(lab, which) as wire:
        return wire.send(data).answer()


def threads_of(lab):
    with open(f"/proc/{lab.process.pid}/status") as status:
        return int(re.search(r"Threads:\s+(\d+)", status.read()).group(1))
