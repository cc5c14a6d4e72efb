"""H5: clients that take their time, alone and in crowds; and a reload while everybody works (G9)."""
import contextlib
import os
import resource
import signal
import socket
import threading
import time

import pytest

from conftest import FIRST
from support.lab import Lab
from support.metadata import PATH as METADATA
from support.settings import set_setting
from support.sign_in import is_sign_in_page, request_for
from support.tls import take_pair
from support.wire import HOST, OPEN_PATH, Wire, ask, request, threads_of

DEADLINE = 2


@pytest.fixture(scope="module")
def brisk_lab(tmp_path_factory, parties):
    """One whose patience ends soon."""
    lab = Lab(tmp_path_factory.mktemp("brisk") / "lab", *parties, env={"LANYARD_REQUEST_DEADLINE": str(DEADLINE)})
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def calm_lab(tmp_path_factory, parties):
    """One with all the patience there is by default."""
    lab = Lab(tmp_path_factory.mktemp("calm") / "lab", *parties)
    yield lab
    lab.stop()


# One after the other ------------------------------------------------------------------------------

# What is sent at once, then what is sent every tenth of a second.
DAWDLERS = {
    "says nothing": (b"", None),
    "dribbles a request line": (b"", lambda number: b"GET /"[number:number + 1] or b"a"),
    "dribbles headers": (b"GET / HTTP/1.1\r\nHost: localhost\r\n", lambda number: b"X: a\r\n"),
    "dribbles a header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", lambda number: b"a"),
    "dribbles empty lines": (b"", lambda number: b"\r\n"),
    "dribbles a body": (request("POST", "/adfs/ls", HOST, "Content-Length: 60000"), lambda number: b"a"),
    "dribbles chunks": (request("POST", "/adfs/ls", HOST, "Transfer-Encoding: chunked"), lambda number: b"1\r\na\r\n"),
    "asks first and sends nothing": (request("POST", "/adfs/ls", HOST, "Content-Length: 9", "Expect: 100-continue"), None),
    "asks and then says nothing": (request("GET", "/", HOST), None),
}


def hello(number):
    """A ClientHello that never ends, byte by byte."""
    start = bytes.fromhex("16030105000100 04fc0303".replace(" ", ""))
    return start[number:number + 1] or b"\0"


def all_at_once(actions):
    """Runs them side by side; gives what each gave, by its name."""
    results = {}
    threads = [threading.Thread(target=lambda name=name, action=action: results.update({name: action()}))
               for name, action in actions.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def dawdle(lab, which, first, dribble):
    with Wire(lab, which) as wire:
        return wire.send(first).seconds_until_closed(dribble)


def dawdle_in_handshake(lab, dribble):
    with Wire(lab, "main", socket=lab.connect_plain("main")) as wire:
        return wire.seconds_until_closed(dribble)


def test_whoever_dawdles_is_shut_out_at_the_set_time_whatever_the_step(brisk_lab):
    """H5: line, headers, body, handshake; each byte buys nothing"""
    actions = {f"{name}, {which}": lambda which=which, how=how: dawdle(brisk_lab, which, *how)
               for name, how in DAWDLERS.items() for which in ("main", "plain")}
    actions["says nothing in a handshake"] = lambda: dawdle_in_handshake(brisk_lab, None)
    actions["dribbles a handshake"] = lambda: dawdle_in_handshake(brisk_lab, hello)
    results = all_at_once(actions)
    assert len(results) == len(actions)
    assert {name: seconds for name, seconds in results.items() if not DEADLINE - 0.2 < seconds < DEADLINE + 1.5} == {}


def wire_with_a_small_ear(lab, which, size=4096):
    """A connection whose client takes in little at a time."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", lab.port(which)))
    if which == "main":
        connection = lab.tls_context().wrap_socket(connection, server_hostname="localhost")
    return Wire(lab, which, socket=connection)


def test_whoever_does_not_read_is_shut_out_too(brisk_lab):
    """H5: the answers to all these do not fit on the way"""
    idle = idle_threads(brisk_lab)
    brisk_lab.wait_for(lambda: threads_of(brisk_lab) == idle)
    with wire_with_a_small_ear(brisk_lab, "main") as wire:
        wire.send(request("GET", "/nowhere", HOST) * 2000)
        assert threads_of(brisk_lab) == idle + 1
        brisk_lab.wait_for(lambda: threads_of(brisk_lab) == idle, DEADLINE + 5)
        assert 0 < wire.rest().count(b"HTTP/1.1 404") < 1999


def test_whoever_reads_too_slowly_is_shut_out_too(brisk_lab):
    """H5: though the server can always send a little more, so that libmicrohttpd sees no pause"""
    (brisk_lab.settings_file.parent / "pki" / "issuing.crl").write_bytes(b"0" * 15_000_000)
    idle, taken = idle_threads(brisk_lab), 0
    brisk_lab.wait_for(lambda: threads_of(brisk_lab) == idle)
    with wire_with_a_small_ear(brisk_lab, "plain", 65536) as wire:
        begun = time.monotonic()
        wire.send(request("GET", "/lanyard/pki/issuing.crl", HOST))
        while time.monotonic() - begun < 10 and (taken == 0 or threads_of(brisk_lab) > idle):
            taken += len(wire.socket.recv(20000))
            time.sleep(0.01)
        assert DEADLINE - 0.2 < time.monotonic() - begun < DEADLINE + 1.5
        assert taken + len(wire.rest()) < 15_000_000


def test_nobody_is_shut_out_while_we_are_the_slow_ones(brisk_lab):
    """H5: passwords are weighed a few at a time, and whoever waits for that has done nothing wrong"""
    def post():
        begun = time.monotonic()
        answer = ask(brisk_lab, request("POST", f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", HOST,
                                        "Content-Type: application/x-www-form-urlencoded",
                                        f"Content-Length: {len(body)}", body=body))
        return is_sign_in_page(answer), time.monotonic() - begun

    body, count = b"UserName=alice%40lab.test&Password=wrong", 32
    while True:
        results = all_at_once({number: post for number in range(count)})
        assert [number for number in range(count) if not results[number][0]] == []
        if max(seconds for _, seconds in results.values()) > DEADLINE + 0.5 or count > 100:
            break  # a machine that weighs so many within the deadline keeps nobody waiting
        count *= 2


def idle_threads(lab):
    """main, the watchman, and one for each port on 127.0.0.1 and on ::1."""
    with open("/proc/net/if_inet6") as addresses:
        return 8 if any(line.split()[-1] == "lo" for line in addresses) else 5


def come_back_late(lab, which):
    with Wire(lab, which) as wire:
        data = request("GET", OPEN_PATH[which], HOST)
        first = wire.send(data).answer().status
        time.sleep(DEADLINE * 0.7)
        wire.send(data[:-2])
        time.sleep(DEADLINE * 0.7)
        return first, wire.send(data[-2:]).answer().status


def test_idle_time_between_two_requests_is_not_the_seconds(brisk_lab):
    """H5: a browser that comes back late has as much time as any other"""
    results = all_at_once({which: lambda which=which: come_back_late(brisk_lab, which) for which in OPEN_PATH})
    assert results == {"main": (200, 200), "plain": (200, 200)}


# All together ----------------------------------------------------------------------------------------

@contextlib.contextmanager
def crowd(lab, count, which="main", first=b"\x16", per_address=150):
    """Connections from many addresses that have begun to say something."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 512)), hard))
    with contextlib.ExitStack() as stack:
        connections = []
        for number in range(count):
            connection = stack.enter_context(socket.socket())
            connection.bind((f"127.0.1.{1 + number // per_address}", 0))
            connection.connect(("127.0.0.1", lab.port(which)))
            connection.sendall(first)
            connection.settimeout(0.2)
            connections.append(connection)
        yield connections
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_closed(connection):
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize("first", [b"\x16", b"\x16\x03\x01\x05\x00\x01\x00"])
def test_behind_a_thousand_slow_connections_a_person_is_still_served(calm_lab, make_client, first):
    """H5: as many as there is room for, and each newcomer costs the slowest of them"""
    with crowd(calm_lab, 1100, first=first) as connections:
        calm_lab.wait_for(lambda: threads_of(calm_lab) >= 1000, 20)
        begun = time.monotonic()
        for _ in range(3):
            assert is_sign_in_page(make_client(calm_lab).get("/adfs/ls/", request_for(FIRST)))
            assert make_client(calm_lab).get(METADATA).status == 200  # O9
        assert time.monotonic() - begun < 5
        assert is_closed(connections[0]) and not is_closed(connections[-1])
    calm_lab.wait_for(lambda: threads_of(calm_lab) < 20, 20)


def is_served(lab, source, which="plain"):
    """Whether a new connection from that address gets an answer, or is closed at once."""
    with socket.socket() as late:
        late.bind((source, 0))
        late.settimeout(10)
        late.connect(("127.0.0.1", lab.port(which)))
        try:
            return Wire(lab, which, socket=late).send(request("GET", OPEN_PATH[which], HOST)).answer().status == 200
        except (ConnectionError, AssertionError):
            return False


def test_one_address_cannot_take_all_connections(make_lab):
    """H5: a limit for each source address"""
    lab = make_lab(env={"LANYARD_CONNECTION_LIMIT_PER_ADDRESS": "5"})
    with crowd(lab, 7, "plain", b"G", per_address=7) as connections:
        assert [is_closed(connection) for connection in connections] == [False] * 5 + [True] * 2
        assert ask(lab, request("GET", "/adfs/probe", HOST), "plain").status == 200
        assert not is_served(lab, "127.0.1.1")
        assert is_served(lab, "127.0.1.2"), "its neighbour is somebody else"
        told = lab.event_where(event="connection", outcome="refused")
        assert told["remote"] == "127.0.1.1" and "5 connections" in told["why"] and "connection_limit_per_address" in told["why"]
        connections[0].close()
        # An address is counted down a little after the connection's thread has ended.
        lab.wait_for(lambda: is_served(lab, "127.0.1.1"))
    assert len([event for event in lab.events() if event["event"] == "connection"]) == 1, "once a minute, however many are refused"


def test_a_limit_of_two_still_serves_whoever_speaks(make_lab):
    """H5: the limit for all is of connections that wait, not of people"""
    lab = make_lab(env={"LANYARD_CONNECTION_LIMIT": "2"})
    with crowd(lab, 2, "plain", b"G"):
        for _ in range(5):
            assert ask(lab, request("GET", "/adfs/probe", HOST), "plain").status == 200


def processor_seconds(lab):
    with open(f"/proc/{lab.process.pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_a_stalled_handshake_costs_no_processor_time(calm_lab):
    """engineering 1: with epoll, one byte of a ClientHello kept a processor busy"""
    with contextlib.ExitStack() as stack:
        for first in (b"", b"\x16", b"\x16\x03\x01\x05\x00\x01", hello(0) * 3):
            connection = stack.enter_context(calm_lab.connect_plain("main"))
            connection.sendall(first)
        time.sleep(0.2)
        before = processor_seconds(calm_lab)
        time.sleep(2)
        assert processor_seconds(calm_lab) - before < 0.1


# While everybody works (G9) ---------------------------------------------------------------------------

class Worker(threading.Thread):
    """Asks for the same page again and again, on a connection that it keeps or on new ones."""

    def __init__(self, lab, keeps):
        super().__init__()
        self.lab, self.keeps = lab, keeps
        self.served, self.failures = 0, []
        self.ending = threading.Event()

    def run(self):
        wire = None
        while not self.ending.is_set():
            try:
                wire = wire if wire and self.keeps else Wire(self.lab)
                answer = wire.send(request("GET", f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", HOST)).answer()
                if not is_sign_in_page(answer):
                    self.failures.append(answer.text)
                self.served += 1
            except (OSError, AssertionError) as failure:
                self.failures.append(repr(failure))
                return
            if not self.keeps:
                wire.socket.close()
        if wire:
            wire.socket.close()

    def end(self):
        self.ending.set()
        self.join()
        return self.failures


def reloads(lab, outcome):
    return [event for event in lab.events() if event["event"] == "reload" and event["outcome"] == outcome]


def reload(lab, outcome):
    before = len(reloads(lab, outcome))
    lab.signal(signal.SIGHUP)
    lab.wait_for(lambda: len(reloads(lab, outcome)) > before, 10)


def test_a_reload_under_load_loses_no_request(calm_lab, make_client):
    """G9: good settings and bad ones in turn"""
    good = calm_lab.settings_file.read_text()
    workers = [Worker(calm_lab, keeps) for keeps in (True, True, False)]
    for worker in workers:
        worker.start()
    for number in range(6):
        calm_lab.settings_file.write_text(good)
        set_setting(calm_lab.settings_file, "display_name", f"Version {number}")
        reload(calm_lab, "done")
        calm_lab.settings_file.write_text("display_name: [")
        reload(calm_lab, "refused")
        assert f"Version {number}" in make_client(calm_lab).get("/").text
    calm_lab.settings_file.write_text(good)
    calm_lab.wait_for(lambda: all(worker.served > 6 or worker.failures for worker in workers), 30)
    assert [worker.end() for worker in workers] == [[]] * len(workers)


def test_a_reload_takes_the_new_tls_certificate_and_lets_old_connections_be(calm_lab):
    """G9, decision 20"""
    health = request("GET", "/lanyard/health", HOST)
    with Wire(calm_lab) as old:
        take_pair(calm_lab, "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        reload(calm_lab, "done")
        assert old.send(health).answer().status == 200
        with Wire(calm_lab) as new:
            assert new.send(health).answer().status == 200
            assert new.socket.getpeercert()["serialNumber"] != old.socket.getpeercert()["serialNumber"]
