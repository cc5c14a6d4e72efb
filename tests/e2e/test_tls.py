"""The TLS of the main port, as openssl and GnuTLS see it: T1, T2 and T7 of the security cases."""
import signal
import socket
import ssl
import subprocess

import pytest

from conftest import FIRST
from support.lab import read_all
from support.tls import gnutls_cli, s_client, take_pair
from support.wire import HOST, Wire, request, threads_of

HEALTH = request("GET", "/lanyard/health", HOST, "Connection: close")
EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


def handshake(lab, adjust, server_name="localhost"):
    """What Python's OpenSSL agrees on with the server after `adjust(context)`, or None."""
    context = lab.tls_context()
    adjust(context)
    try:
        with lab.connect(context, server_name=server_name) as connection:
            return connection.version(), connection.cipher()[0]
    except (ssl.SSLError, ConnectionError):
        return None


# T1 ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version,name", [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_tls_1_2_and_1_3_are_spoken(lab, version, name):
    """T1"""
    through, said = s_client(lab, version, "-ign_eof", send=HEALTH)
    assert through and f"New, {name}" in said and "HTTP/1.1 200" in said


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_older_versions_are_refused(lab, version):
    """T1"""
    through, said = s_client(lab, version, "-cipher", EVERYTHING)
    assert not through and "Cipher is (NONE)" in said


@pytest.mark.parametrize("version", ["VERS-SSL3.0", "VERS-TLS1.0", "VERS-TLS1.1"])
def test_older_versions_are_refused_by_gnutls_too(lab, version):
    """T1"""
    through, said = gnutls_cli(lab, "--priority", f"NORMAL:-VERS-ALL:+{version}:%COMPAT")
    assert not through and "Handshake was completed" not in said
    assert gnutls_cli(lab, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")[0]


@pytest.mark.parametrize("version", [b"\x02\x00", b"\x03\x00", b"\x03\x01", b"\x03\x02"])
def test_a_hello_of_an_old_version_gets_no_hello_back(lab, version):
    """T1: as SSLv3 and its like look on the wire, with a suite that only they know"""
    body = version + b"\x5a" * 32 + b"\x00" + b"\x00\x04\x00\x0a\x00\x2f" + b"\x01\x00"
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    with lab.connect_plain() as connection:
        connection.sendall(b"\x16\x03\x00" + len(hello).to_bytes(2, "big") + hello)
        assert b"\x16" not in read_all(connection)[:1]


def suites_for(version):
    """Every suite that openssl knows at all."""
    listed = subprocess.run(["openssl", "ciphers", "-s", f"-{version}", EVERYTHING], check=True, capture_output=True, text=True)
    return [suite for suite in listed.stdout.strip().split(":") if not suite.startswith("TLS_")]


def accepted_suites(lab):
    def only(suite):
        def adjust(context):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(f"{suite}:@SECLEVEL=0")
        return adjust

    tried = suites_for("tls1_2")
    assert len(tried) > 60
    return {suite for suite in tried if handshake(lab, only(suite))}


def is_modern(suite, key):
    return suite.startswith(f"ECDHE-{key}-") and any(aead in suite for aead in ("GCM", "CCM", "CHACHA20-POLY1305"))


def test_under_tls_1_2_only_ecdhe_with_aead_is_agreed_on(lab):
    """T1, decision 14: each suite alone"""
    accepted = accepted_suites(lab)
    assert {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"} <= accepted
    assert [suite for suite in accepted if not is_modern(suite, "ECDSA")] == []


def test_with_an_rsa_certificate_too(fresh_lab):
    """T1: where RSA key exchange and CBC would be to be had; and a reload takes the new certificate"""
    take_pair(fresh_lab, "rsa:2048")
    fresh_lab.signal(signal.SIGHUP)
    fresh_lab.event_where(event="reload", outcome="done")
    accepted = accepted_suites(fresh_lab)
    assert {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"} <= accepted
    assert [suite for suite in accepted if not is_modern(suite, "RSA")] == []


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_under_tls_1_3_each_suite_works(lab, suite):
    """T1"""
    through, said = s_client(lab, "-tls1_3", "-ciphersuites", suite)
    assert through and f"Cipher is {suite}" in said


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_the_handshake_is_never_signed_with_sha_1(lab, version):
    """T1, decision 14"""
    through, _ = s_client(lab, version, "-sigalgs", "ECDSA+SHA1:RSA+SHA1", "-cipher", EVERYTHING)
    assert not through
    through, said = s_client(lab, version, "-sigalgs", "ECDSA+SHA256")
    assert through and "Peer signing digest: SHA256" in said


# T2 ----------------------------------------------------------------------------------------------

def test_a_renegotiation_that_a_client_asks_for_ends_the_connection(lab):
    """T2: openssl s_client renegotiates on a line that begins with R"""
    _, said = s_client(lab, "-tls1_2", send=b"R\n" + HEALTH)
    assert "RENEGOTIATING" in said and "HTTP/1.1" not in said
    assert "Secure Renegotiation IS supported" in said


def test_nothing_is_compressed(lab):
    """T2"""
    through, said = s_client(lab, "-tls1_2", "-comp")
    assert through and "Compression: NONE" in said


def test_a_session_is_resumed_by_a_ticket_but_not_after_a_restart(fresh_lab, tmp_path):
    """T2: the key behind tickets is drawn at start and lies nowhere"""
    tickets = {version: tmp_path / version for version in ("-tls1_2", "-tls1_3")}
    for version, ticket in tickets.items():
        said = s_client(fresh_lab, version, "-sess_out", ticket, "-ign_eof", send=HEALTH)[1]
        assert "New, TLS" in said and ("Max Early Data: 0" in said or version == "-tls1_2")
        assert "Reused, TLS" in s_client(fresh_lab, version, "-sess_in", ticket)[1]
    fresh_lab.restart()
    for version, ticket in tickets.items():
        through, said = s_client(fresh_lab, version, "-sess_in", ticket)
        assert through and "New, TLS" in said


def test_http_1_1_is_the_only_protocol_agreed_on(lab):
    """H9: h2 by ALPN"""
    assert "ALPN protocol: http/1.1" in s_client(lab, "-alpn", "h2,http/1.1")[1]
    assert "No ALPN negotiated" in s_client(lab, "-alpn", "h2")[1]


# Names: T7, decision 15 ----------------------------------------------------------------------------

@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("name", ["localhost", None])
def test_the_main_port_asks_nobody_for_a_certificate(lab, version, name):
    """T3, decision 15: not even one who has one and asks for the other host"""
    user = lab.user()
    options = ["-servername", name] if name else ["-noservername"]
    through, said = s_client(lab, version, "-cert", user["certificate"], "-key", user["key"], "-msg", *options)
    assert through and "ServerHello" in said
    assert "CertificateRequest" not in said


@pytest.mark.parametrize("name", ["localhost", "certauth.localhost", "alice.certauth.localhost", "127.0.0.1", "::1"])
def test_the_certificate_covers_every_name_of_a_lab(lab, name):
    """issue 2, item 3: with names checked as browsers check them"""
    context = lab.tls_context()
    assert context.check_hostname
    where = (name, lab.port()) if name == "::1" else ("127.0.0.1", lab.port())
    with context.wrap_socket(socket.create_connection(where, timeout=10), server_hostname=name) as connection:
        connection.sendall(request("GET", "/lanyard/health", "Host: " + (f"[{name}]" if ":" in name else name)))
        assert connection.recv(12) == (b"HTTP/1.1 404" if "certauth" in name else b"HTTP/1.1 200")


def test_the_certificate_covers_no_other_name(lab):
    with pytest.raises(ssl.SSLCertVerificationError):
        lab.connect(server_name="evil.test")


@pytest.mark.parametrize("server_name,host,status", [
    ("localhost", "localhost", 200),
    ("LOCALHOST", "localhost:1", 200),
    (None, "127.0.0.1", 200),
    (None, "localhost", 200),
    ("localhost", "127.0.0.1", 421),
    ("certauth.localhost", "localhost", 421),
    ("certauth.localhost", "certauth.localhost", 404),
    ("localhost", "certauth.localhost", 421),
    ("evil.test", "localhost", 421),
    ("evil.test", "evil.test", 421)])
def test_tls_and_http_must_name_the_same_host_and_it_must_be_this_one(lab, server_name, host, status):
    """T7"""
    context = lab.tls_context()
    context.check_hostname = False
    with Wire(lab, socket=lab.connect(context, server_name=server_name)) as wire:
        answer = wire.send(request("GET", "/lanyard/health", f"Host: {host}")).answer()
        assert (answer.status, answer.header("Connection")) == (status, "close" if status == 421 else None)


def test_https_is_pinned_only_where_that_is_set_and_the_host_has_a_name_of_its_own(make_lab, make_client):
    """decision 9: and never for localhost, whose other ports are other people's"""
    def pinned(address):
        named = ["--resolve", f"sts.test:{lab.port()}:127.0.0.1", "--resolve", f"sts.test:{lab.port('plain')}:127.0.0.1"]
        answer = client.request(f"{address}/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", *named)
        return answer.status, answer.header("Strict-Transport-Security")

    lab = make_lab("--host", "sts.test")
    client, named = make_client(lab), f"https://sts.test:{lab.port()}"
    assert pinned(named) == (200, None)
    lab.stop()
    lab.env = {"LANYARD_HSTS_MAX_AGE": "31536000"}
    lab.start()
    assert pinned(named) == (200, "max-age=31536000")
    assert pinned(f"{named}/x") == (404, "max-age=31536000")
    assert pinned(f"http://sts.test:{lab.port('plain')}") == (404, None)
    said = said_to_localhost(lab)
    assert b"HTTP/1.1 200" in said and b"Strict-Transport-Security" not in said


def said_to_localhost(lab):
    context = lab.tls_context()
    context.check_hostname = False
    with lab.connect(context, server_name="localhost") as connection:
        connection.sendall(HEALTH)
        return read_all(connection)


# Handshakes that come to nothing --------------------------------------------------------------------

def test_handshakes_cut_off_anywhere_leave_nothing_behind(lab):
    """T: the sanitized build would tell of a leak when it ends"""
    client, server = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = lab.tls_context().wrap_bio(server, client, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    data, before = client.read(), threads_of(lab)
    for length in range(0, len(data), 7):
        with lab.connect_plain() as connection:
            connection.sendall(data[:length])
    for at in range(0, len(data), 11):  # and a byte of each is not what it was
        with lab.connect_plain() as connection:
            connection.sendall(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:])
    lab.wait_for(lambda: threads_of(lab) <= before)
    with Wire(lab) as wire:
        assert wire.send(HEALTH).answer().status == 200
