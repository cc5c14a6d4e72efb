"""Who is asked for a certificate inside TLS and never answers: no page can reach them there, so the
log, the activity pages and the page they came from tell it."""
import socket
import ssl
import subprocess
import time

import pytest

from conftest import FIRST
from support.certificates import at
from support.identity import Authority
from support.sign_in import request_for

DEADLINE = 2


@pytest.fixture(scope="module")
def impatient(tmp_path_factory, first_made):
    """A lab that waits for a certificate for two seconds."""
    from support.lab import Lab, copy_lab
    lab = Lab(copy_lab(first_made, tmp_path_factory.mktemp("silence") / "lab"), "--rp", f"{FIRST}=https://first.test/wsfed/",
              ports=(), env={"LANYARD_HANDSHAKE_DEADLINE": str(DEADLINE)})
    yield lab
    lab.stop()


class Silent:
    """A TLS client that reads what the server asks, and says no more."""

    def __init__(self, lab, which="certificate", name="localhost"):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = lab.tls_context().wrap_bio(incoming, outgoing, server_hostname=name)
        self.socket = lab.connect_plain(which)
        with pytest.raises(ssl.SSLWantReadError):
            session.do_handshake()
        self.socket.sendall(outgoing.read())
        assert self.socket.recv(65536)

    def wait_for_end(self, seconds):
        """The seconds until the server closes."""
        begun = time.monotonic()
        self.socket.settimeout(seconds)
        while self.socket.recv(65536):
            pass
        return time.monotonic() - begun

    def close(self):
        self.socket.close()


def select_page(client):
    """The addresses at which the open page asks how it stands, and where it then goes."""
    page = client.post("/adfs/ls/", {"AuthMethod": "CertificateAuthentication"}, request_for(FIRST)).page
    waiting = page.xpath("//*[@id='waiting']")[0]
    refresh = page.xpath("//noscript/meta[@http-equiv='refresh']/@content")[0]
    assert refresh == f"{DEADLINE + 2};url={waiting.get('data-story')}"
    return waiting.get("data-ask"), waiting.get("data-story")


def test_a_phone_that_stalls_is_told_on_the_page_it_left_open(impatient, make_client):
    """Within two seconds of the deadline"""
    client = make_client(impatient)
    ask, story = select_page(client)
    assert client.get(ask).text == "early"
    phone = Silent(impatient)
    impatient.wait_for(lambda: client.get(ask).text == "asked")
    assert DEADLINE - 1 < phone.wait_for_end(DEADLINE + 3) < DEADLINE + 1
    ended = time.monotonic()
    impatient.wait_for(lambda: client.get(ask).text == "gone")
    assert time.monotonic() - ended < 2
    answer = client.get(story)
    assert answer.status == 200 and answer.text_of("code") == "handshake.silent"
    assert answer.text_of("reason").startswith("Your browser was asked for a certificate, sent none, and the connection "
                                               f"ended after {DEADLINE} seconds.")
    assert "It did not look for the issuing authority's certificate" in answer.text_of("reason")
    assert answer.page.xpath("//form[@id='retryForm']") and answer.page.xpath("//a[@id='otherOptions']")
    assert client.get(answer.page.xpath("//a[@id='otherOptions']/@href")[0]).page.xpath("//form[@id='loginForm']")


def handshake_events(lab):
    return [event for event in lab.events() if event["event"] == "handshake"]


def test_the_operator_reads_who_fell_silent_and_for_how_long(impatient, make_client):
    before = len(handshake_events(impatient))
    Silent(impatient).wait_for_end(DEADLINE + 3)
    event = impatient.wait_for(lambda: handshake_events(impatient)[before:])[-1]
    assert event["outcome"] == "refused" and event["remote"] == "127.0.0.1"
    assert event["why"] == (f"127.0.0.1 was asked for a certificate, sent none, and was still silent after {DEADLINE} s; it "
                            "never fetched the issuing CA's address")
    assert event["why"] in make_client(impatient).get(f"/lanyard/activity?id={event['activity_id']}").text.replace("&#39;", "'")


def test_who_fetched_the_issuing_ca_meanwhile_is_said_to_have_done_so(impatient, make_client):
    client = make_client(impatient)
    _, story = select_page(client)
    before = len(handshake_events(impatient))
    phone = Silent(impatient)
    assert client.get(f"{impatient.plain}/lanyard/pki/issuing.crt").status == 200
    phone.wait_for_end(DEADLINE + 3)
    event = impatient.wait_for(lambda: handshake_events(impatient)[before:])[-1]
    assert event["why"].endswith("it had fetched the certificate at the issuing CA's address")
    assert "did not look" not in client.get(story).text_of("reason")


def test_the_name_on_the_main_port_waits_as_long(impatient):
    assert DEADLINE - 1 < Silent(impatient, "main", "certauth.localhost").wait_for_end(DEADLINE + 3) < DEADLINE + 1


def test_a_client_that_gives_up_before_is_told_apart(make_lab):
    lab = make_lab(env={"LANYARD_HANDSHAKE_DEADLINE": "30"})
    phone = Silent(lab)
    time.sleep(3.2)
    phone.close()
    event = lab.wait_for(lambda: handshake_events(lab))[-1]
    assert "sent none, and gave up after 3 s" in event["why"] and event["outcome"] == "refused"


def test_a_browser_that_shows_a_choice_has_not_failed(impatient, make_client):
    """It closes the connection at once, and opens another when somebody has chosen."""
    client = make_client(impatient)
    ask, _ = select_page(client)
    before = len(handshake_events(impatient))
    Silent(impatient).close()
    event = impatient.wait_for(lambda: handshake_events(impatient)[before:])[-1]
    assert event["outcome"] == "note" and "closed the connection at once" in event["why"]
    assert client.get(ask).text == "choosing"


def test_a_key_that_may_not_sign_is_named(impatient, make_client, tmp_path):
    """K5: TLS itself refuses it inside the handshake (engineering 2)"""
    identity = Authority.of_lab(impatient).issue(tmp_path, "mute", key="rsa", upn="alice@lab.test",
                                                 keyUsage="critical,keyEncipherment")
    before = len(handshake_events(impatient))
    with pytest.raises(subprocess.CalledProcessError):
        make_client(impatient).request(at(impatient, "certificate", FIRST), *identity.options())
    event = impatient.wait_for(lambda: handshake_events(impatient)[before:])[-1]
    assert "the certificate of CN=mute, whose key usage lacks digitalSignature" in event["why"]
    assert event["outcome"] == "refused"


def test_a_ticket_that_nobody_has_says_nothing(impatient, make_client):
    client = make_client(impatient)
    for ticket in ("", "0" * 32, "x" * 5000, "%00"):
        answer = client.get(f"/lanyard/api/certificate?ticket={ticket}")
        assert answer.status == 400 or answer.text == "unknown"
    answer = client.get("/lanyard/certificate")
    assert answer.status == 200 and not answer.page.xpath("//form[@id='retryForm']")


def test_while_a_crowd_stalls_others_sign_in(impatient, make_client, tmp_path):
    crowd = [Silent(impatient) for _ in range(40)]
    identity = Authority.of_lab(impatient).issue(tmp_path, "alice", upn="alice@lab.test")
    begun = time.monotonic()
    answer = make_client(impatient).request(at(impatient, "certificate", FIRST), *identity.options())
    assert answer.status == 302 and time.monotonic() - begun < 1.5
    for phone in crowd:
        phone.close()
