"""What comes over the wire before any protocol of ours: H1-H4 and H6-H10 of the security cases.

Everything is sent over bare sockets, to the TLS port and to the plain one alike: they have the
same parser behind them, and the same first look at what it makes of a request.
"""
import gzip
import html
import subprocess
import time

import pytest

from conftest import FIRST
from support.lab import IS_SANITIZED, read_all
from support.sign_in import credentials, is_sign_in_page, request_for, sign_in
from support.curl import with_query
from support.wire import HOST, OPEN_PATH, Wire, ask, request

FORM = "Content-Type: application/x-www-form-urlencoded"
PORTS = pytest.mark.parametrize("which", ["main", "plain"])
SECOND_REQUEST = "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"


# H1: one request, two readings -----------------------------------------------------------------

# Everything up to the body; {path} is one that would be served. Below each stands a second request
# that must never be run.
SMUGGLING = {
    "two lengths": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\nContent-Length: 0\r\n\r\n",
    "two lengths that agree": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "length and chunks": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": "POST {path} HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-First: a\r\n b\r\n\r\n",
    "a header folded by a tab": "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-First: a\r\n\tb\r\nX-Second: c\r\n\r\n",
    "a folded header with a colon": "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-First: a\r\n b: c\r\n\r\n",
    "a folded coding": "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a first header that is folded": "GET {path} HTTP/1.1\r\n X-First: a\r\nHost: localhost\r\n\r\n",
    "bare line feeds": "GET {path} HTTP/1.1\nHost: localhost\n\n",
    "one bare line feed": "GET {path} HTTP/1.1\r\nHost: localhost\nX-First: a\r\n\r\n",
    "a bare line feed after the headers": "GET {path} HTTP/1.1\r\nHost: localhost\r\n\n",
    "a bare carriage return": "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-First: a\rX-Second: b\r\n\r\n",
    "a NUL in a value": "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-First: a\0b\r\n\r\n",
    "a NUL in a value before others": "GET {path} HTTP/1.1\r\nX-First: a\0b\r\nHost: localhost\r\n\r\n",
    "a NUL in a name": "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-\0First: a\r\n\r\n",
    "a NUL in the host": "GET {path} HTTP/1.1\r\nHost: localhost\0.evil.test\r\n\r\n",
    "a NUL in the path": "GET {path}\0x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a NUL in the query": "GET {path}?a=\0b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a NUL in the method": "GET\0 {path} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a NUL in the version": "GET {path} HTTP/1.1\0x\r\nHost: localhost\r\n\r\n",
    "a line of a NUL": "GET {path} HTTP/1.1\r\nHost: localhost\r\n\0X-First: a\r\n\r\n",
    "two hosts": "GET {path} HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "no host": "GET {path} HTTP/1.1\r\nX-First: a\r\n\r\n",
    "no header at all": "GET {path} HTTP/1.1\r\n\r\n",
    "no host in HTTP/1.0": "GET {path} HTTP/1.0\r\nX-First: a\r\n\r\n",
    "a list of lengths": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 0\r\n\r\n",
    "a length with a sign": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: +0\r\n\r\n",
    "a negative length": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "a hexadecimal length": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x0\r\n\r\n",
    "an empty length": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length:\r\n\r\n",
    "a hexadecimal chunk size": "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a header without a colon": "GET {path} HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
    "a header without a name": "GET {path} HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n",
    "two types": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
    "two cookie headers": "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: a=1\r\nCookie: a=2\r\n\r\n",
    "two blanks in the request line": "GET  {path} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a third word in the request line": "GET {path} x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an address with a scheme": "GET https://localhost{path} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an address that is a host": "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an address that is a star": "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method that is none": "G<b>ET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no version": "GET {path}\r\nHost: localhost\r\n\r\n",
}
TOO_LARGE = {
    "a length beyond all numbers": "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "a chunk beyond all numbers": "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "fffffffffffffffffffffff\r\n",
}


def only_answer(lab, which, head):
    """The one answer to the request and what is put below it; the connection must close after it."""
    with Wire(lab, which) as wire:
        wire.send((head + SECOND_REQUEST).format(path=OPEN_PATH[which]).encode("latin-1"))
        answer = wire.answer()
        rest = wire.rest()
    assert answer.header("Connection") == "close"
    assert b"HTTP/1.1 2" not in rest and b"HTTP/1.1 4" not in rest, rest
    return answer


@PORTS
def test_two_good_requests_on_one_connection_are_answered_both(lab, which):
    """H1: what the tests below would see if they were let through"""
    first = f"POST {OPEN_PATH[which]} HTTP/1.1\r\n{HOST}\r\nContent-Length: 3\r\n{FORM}\r\n\r\na=b"
    with Wire(lab, which) as wire:
        wire.send((first + SECOND_REQUEST.format(path=OPEN_PATH[which])).encode())
        assert (wire.answer().status, wire.answer().status) == (405, 200)
        assert wire.is_open()


@PORTS
@pytest.mark.parametrize("name", SMUGGLING)
def test_a_request_that_may_be_read_in_two_ways_is_refused_and_nothing_follows_it(lab, which, name):
    """H1, line by line"""
    assert only_answer(lab, which, SMUGGLING[name]).status == 400


@PORTS
@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_length_that_no_number_holds_is_refused(lab, which, name):
    """H1: overflow"""
    assert only_answer(lab, which, TOO_LARGE[name]).status == 413


@PORTS
def test_nothing_follows_a_body_in_chunks(lab, which):
    """H1: a bare LF ends a chunk for libmicrohttpd, so what it takes for the end may not be one"""
    head = "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n"
    assert only_answer(lab, which, head).status == 405


def test_a_tab_in_the_request_line_ends_the_connection(lab):
    """H1: libmicrohttpd finds no request in it, and has no words for that"""
    assert lab.exchange(b"GET\t/adfs/probe\tHTTP/1.1\r\nHost: localhost\r\n\r\n", "plain") == b""


def test_a_refused_request_is_told_with_the_reason(lab):
    """H1, O: an operator must see what was wrong, where AD FS would stay silent"""
    refused = ask(lab, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n")
    activity = refused.text_of("activityId")
    told = lab.event_where(event="request", outcome="refused", activity_id=activity)
    assert told["detail"] == "malformed" and "NUL" in told["why"]


# H2: long heads ----------------------------------------------------------------------------------

LONG_HEADS = {
    "a request line of 64 KB": (414, "a" * 65536, []),
    "a request line of 60 KB": (431, "a" * 60000, []),
    "a header of 64 KB": (431, "", ["X-Long: " + "a" * 65536]),
    "a header of 30 KB": (431, "", ["X-Long: " + "a" * 30000]),
    "a header name of 64 KB": (431, "", ["X" * 65536 + ": a"]),
    "1,000 headers": (431, "", ["X-Many: a"] * 1000),
}


@PORTS
@pytest.mark.parametrize("name", LONG_HEADS)
def test_a_long_head_is_refused(lab, which, name):
    """H2"""
    status, query, lines = LONG_HEADS[name]
    answer = ask(lab, request("GET", f"{OPEN_PATH[which]}?{query}", HOST, *lines), which)
    assert (answer.status, answer.header("Connection")) == (status, "close")


@pytest.mark.parametrize("size", [1, 700, 100_000])
def test_a_head_of_20_kb_is_served_however_it_arrives(lab, size):
    """H2: and its redirect leads back to an address as long"""
    body = "&".join(f"{name}={value}" for name, value in credentials(lab, password="wrong").items()).encode()
    data = request("POST", f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}&wctx={'x' * 20000}", HOST, FORM,
                   f"Content-Length: {len(body)}", body=body)
    with Wire(lab) as wire:
        for at in range(0, len(data), size if size > 1 else 5000):
            wire.send(data[at:at + (size if size > 1 else 5000)])
            if size == 1:
                time.sleep(0.05)
        assert is_sign_in_page(wire.answer())


def test_long_heads_leave_no_memory_behind(lab):
    """H2: bounded memory"""
    def resident():
        with open(f"/proc/{lab.process.pid}/statm") as file:
            return int(file.read().split()[1]) * 4096

    def send_all():
        for status, query, lines in LONG_HEADS.values():
            data = request("GET", f"/adfs/probe?{query}", HOST, *lines)
            assert ask(lab, data, "plain").status == status

    for _ in range(5):
        send_all()
    before = resident()
    for _ in range(40):
        send_all()
    assert resident() - before < (100_000_000 if IS_SANITIZED else 2_000_000)  # sanitizers keep freed memory back


# H3, H4: large and odd bodies ----------------------------------------------------------------------

@PORTS
def test_a_body_announced_over_64_kb_is_refused_before_it_comes(lab, which):
    """H3"""
    answer = ask(lab, request("POST", OPEN_PATH[which], HOST, FORM, "Content-Length: 65537"), which)
    assert (answer.status, answer.header("Connection")) == (413, "close")


@PORTS
def test_whoever_sends_too_long_a_body_all_the_same_reads_the_answer(lab, which):
    """H3: a connection closed upon unread bytes is reset, and the answer is lost with it"""
    for _ in range(5):
        with Wire(lab, which) as wire:
            wire.send(request("POST", OPEN_PATH[which], HOST, FORM, "Content-Length: 10000000"))
            for _ in range(100):
                wire.send(b"a" * 100_000)
            answer = wire.answer()
            assert (answer.status, answer.header("Connection")) == (413, "close") and wire.rest() == b""


@PORTS
def test_whoever_asks_before_sending_too_long_a_body_gets_a_page(lab, which):
    """H3; RFC 9110, 10.1.1: no 100 comes first"""
    expect = request("POST", OPEN_PATH[which], HOST, FORM, "Content-Length: 65537", "Expect: 100-continue")
    answer = ask(lab, expect, which)
    assert answer.status == 413 and answer.text_of("openingMessage") == "An error occurred"


@PORTS
def test_a_body_in_chunks_is_refused_where_it_passes_64_kb(lab, which):
    """H3: without Content-Length, and long before its end"""
    sent, piece = 0, b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    with Wire(lab, which) as wire:
        wire.send(request("POST", OPEN_PATH[which], HOST, FORM, "Transfer-Encoding: chunked"))
        while wire.is_open() and sent < 100_000_000:
            wire.send(piece)
            sent += len(piece)
            time.sleep(0.001)
        assert wire.answer().status == 413
    assert 64 * 1024 < sent < 1_000_000
    assert lab.event_where(event="request", outcome="refused", detail="too-large")


@PORTS
def test_a_client_that_sends_chunks_without_end_is_cut_off(lab, which):
    """H3"""
    sent, piece = 0, b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    with Wire(lab, which) as wire:
        wire.send(request("POST", OPEN_PATH[which], HOST, FORM, "Transfer-Encoding: chunked"))
        with pytest.raises(OSError):
            while sent < 100_000_000:
                wire.send(piece)
                sent += len(piece)
    assert sent < 64_000_000


@pytest.mark.parametrize("how", ["announced", "announced without asking", "in chunks", "without asking"])
def test_curl_is_told_413(lab, tmp_path, how):
    """H3"""
    path = tmp_path / "body"
    path.write_bytes(b"a" * 5_000_000)
    options = {"announced": ["--data-binary", f"@{path}"],
               "announced without asking": ["--data-binary", f"@{path}", "--header", "Expect:"],
               "in chunks": ["--upload-file", path, "--request", "POST", "--header", "Transfer-Encoding: chunked"],
               "without asking": ["--upload-file", path, "--request", "POST", "--header", "Expect:",
                                  "--header", "Transfer-Encoding: chunked"]}[how]
    said = subprocess.run(["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert",
                           lab.root_certificate, *options, f"{lab.main}/adfs/ls/"], capture_output=True, text=True)
    assert said.stdout == "413"


def test_a_form_of_just_64_kb_is_read(lab):
    """H3"""
    body = b"UserName=alice&Password=wrong&Filler=".ljust(65536, b"a")
    lines = [HOST, FORM]
    query = f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}"
    assert is_sign_in_page(ask(lab, request("POST", query, *lines, "Content-Length: 65536", body=body)))
    chunks = b"".join(b"1000\r\n" + body[at:at + 4096] + b"\r\n" for at in range(0, 65536, 4096)) + b"0\r\n\r\n"
    assert is_sign_in_page(ask(lab, request("POST", query, *lines, "Transfer-Encoding: chunked", body=chunks)))


ODD_FORMS = {
    "10,000 fields": (400, "&".join(["a=b"] * 10000)),
    "a bad escape": (400, "a=%zz"),
    "half an escape": (400, "a=%4"),
    "a NUL": (400, "a=b\0c"),
    "an escaped NUL": (400, "a=%00"),
    "what is no UTF-8": (400, "a=%ff%fe"),
    "an overlong slash": (400, "a=%c0%af"),
}


@pytest.mark.parametrize("name", ODD_FORMS)
def test_an_odd_form_is_refused_in_a_body_and_in_a_query(lab, name):
    """H4"""
    status, form = ODD_FORMS[name]
    body = form.encode()
    answer = ask(lab, request("POST", "/adfs/ls/", HOST, FORM, f"Content-Length: {len(body)}", body=body))
    assert (answer.status, answer.header("Connection")) == (status, "close")
    if len(form) < 100 and "\0" not in form:
        assert ask(lab, request("GET", f"/adfs/ls/?{form}", HOST)).status == status


def test_ten_thousand_layers_of_escapes_are_only_text(lab):
    """H4: decoded once, and no more"""
    body = b"Password=wrong&UserName=" + b"%25" * 10000
    answer = ask(lab, request("POST", f"/adfs/ls/?wa=wsignin1.0&wtrealm={FIRST}", HOST, FORM,
                              f"Content-Length: {len(body)}", body=body))
    assert answer.status == 200
    assert "%" * 10000 in answer.text and "%25" not in answer.text


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/json", None])
def test_only_a_form_is_read_where_a_form_is_expected(lab, kind):
    """H4, decision 6"""
    lines = [HOST, "Content-Length: 3"] + ([f"Content-Type: {kind}"] if kind else [])
    answer = ask(lab, request("POST", "/adfs/ls/", *lines, body=b"a=b"))
    assert (answer.status, answer.header("Connection")) == (415, "close")


# H6: methods ----------------------------------------------------------------------------------------

ALLOWED = {"main": {"/": "GET, HEAD", "/adfs/ls": "GET, HEAD, POST", "/lanyard/health": "GET, HEAD"},
           "plain": {"/adfs/probe": "GET, HEAD", "/lanyard/pki/root.crt": "GET, HEAD",
                     "/lanyard/pki/issuing.crl": "GET, HEAD"}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "POST", "PROPFIND"])
@PORTS
def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_takes(lab, which, method):
    """H6"""
    with Wire(lab, which) as wire:
        for path, allow in ALLOWED[which].items():
            if method not in allow.split(", "):
                answer = wire.send(request(method, path, HOST, "Content-Length: 0")).answer()
                assert (answer.status, answer.header("Allow")) == (405, allow), path


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS"])
def test_nothing_of_a_request_is_echoed(lab, method):
    """H6"""
    answer = ask(lab, request(method, "/adfs/ls", HOST, "X-Marked: cb3f6a", "Cookie: a=cb3f6a"))
    assert b"cb3f6a" not in answer.head + answer.body


@PORTS
def test_head_is_get_without_the_body(lab, which):
    """H6"""
    def but_the_date(answer):
        return [line for line in answer.headers if line[0] != "Date"]

    with Wire(lab, which) as wire:
        for path in ALLOWED[which]:
            got = wire.send(request("GET", path, HOST)).answer()
            headed = wire.send(request("HEAD", path, HOST)).answer(to_head=True)
            assert headed.status == got.status and wire.is_open()
            if path != "/adfs/ls":  # an error page, whose activity id varies but not in length
                assert got.status == 200
            assert but_the_date(headed) == but_the_date(got)


# H7: paths -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/adfs/ls", "/adfs/ls/", "/ADFS/LS/", "/Adfs/ls"])
def test_a_path_may_be_written_in_any_case_and_with_one_slash_at_its_end(lab, path):
    """H7, decision 7"""
    assert is_sign_in_page(ask(lab, request("GET", with_query(path, request_for(FIRST)), HOST)))


@pytest.mark.parametrize("path", [
    "/adfs/ls/%2e%2e/x", "//adfs/ls", "/adfs//ls", "/adfs/ls//", "/adfs/ls;x", "/adfs/ls%00", "/adfs/ls%00.html",
    "/adfs/%6cs", "/adfs/ls/..", "/adfs/./ls", "/adfs/x/../ls", "/adfs/ls/%c0%ae%c0%ae/x", "/adfs%2fls", "/adfs\\ls",
    "/adfs/ls%20", "/adfs/ls#x", "/adfs/lsx", "/adfs/l", "/adfs/ls.", "/adfs", "/..", "/.", "/%2e", "/adfs/ls:8443"])
def test_no_other_spelling_of_a_path_reaches_anything(lab, path):
    """H7"""
    assert ask(lab, request("GET", with_query(path, request_for(FIRST)), HOST)).status == 404


@pytest.mark.parametrize("target", ["/adfs/ls/\xff", "/adfs/ls/\xc0\xae", "/adfs/ls/?wa=\xe9", "/adfs/ls/\x7f", "adfs/ls"])
def test_bytes_that_belong_in_no_address_are_refused(lab, target):
    """H7: overlong UTF-8 among them"""
    assert ask(lab, request("GET", target, HOST)).status == 400


# H8: names ---------------------------------------------------------------------------------------------

STRANGERS = ["evil.test", "localhost.evil.test", "localhost.", "evil@localhost", "localhost@evil.test", "", "[localhost]",
             "localhost:8443:1", "localhost,evil.test", "127.0.0.1.nip.io", "0.0.0.0", "[::ffff:127.0.0.1]", "loc\xe1lhost"]


@PORTS
@pytest.mark.parametrize("host", STRANGERS)
def test_a_host_that_is_not_ours_is_answered_421(lab, which, host):
    """H8"""
    answer = ask(lab, request("GET", OPEN_PATH[which], f"Host: {host}"), which)
    assert (answer.status, answer.header("Connection")) == (421, "close")


@PORTS
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost:1", "127.0.0.1", "[::1]:9", " localhost \t"])
def test_our_own_names_are_answered_on_any_port(lab, which, host):
    """H8: a port may have been mapped on the way"""
    with Wire(lab, which, socket=lab.connect_plain("plain") if which == "plain" else connect_nameless(lab)) as wire:
        assert wire.send(request("GET", OPEN_PATH[which], f"Host: {host}")).answer().status == 200


def connect_nameless(lab):
    """TLS without a server name, as for an address."""
    context = lab.tls_context()
    context.check_hostname = False
    return lab.connect(context, server_name=None)


def test_no_address_is_made_of_what_a_request_says(lab, client):
    """H8: Host and X-Forwarded-* never reach a page or a redirect"""
    lies = ["--header", "X-Forwarded-Host: evil.test", "--header", "X-Forwarded-Proto: http",
            "--header", "Forwarded: host=evil.test", "--header", "X-Original-URL: /evil", "--header", "Host: localhost:1"]
    page = client.get("/adfs/ls/", request_for(FIRST), *lies)
    front = client.get("/", None, *lies)
    answer = client.post("/adfs/ls/", credentials(lab), request_for(FIRST), *lies)
    for each in (page, front, answer):
        assert b"evil" not in each.head + each.body and b"localhost:1/" not in each.head + each.body
    assert answer.status == 302 and is_sign_in_page(page)
    if "://" in answer.header("Location"):
        assert answer.header("Location").startswith(f"{lab.main}/")


# H9: what HTTP can also do -----------------------------------------------------------------------------

@PORTS
def test_a_client_that_asks_first_is_told_to_go_on(lab, which):
    """H9: Expect: 100-continue"""
    with Wire(lab, which) as wire:
        wire.send(request("POST", OPEN_PATH[which], HOST, FORM, "Content-Length: 3", "Expect: 100-continue"))
        assert wire.answer().status == 100
        assert wire.send(b"a=b").answer().status == 405


@PORTS
def test_a_client_that_asks_first_and_is_refused_sends_nothing(lab, which):
    """H9, H3"""
    answer = ask(lab, request("POST", OPEN_PATH[which], HOST, FORM, "Content-Length: 65537", "Expect: 100-continue"), which)
    assert (answer.status, answer.header("Connection")) == (413, "close")


@PORTS
def test_an_upgrade_to_http_2_is_not_taken(lab, which):
    """H9: Upgrade: h2c"""
    answer = ask(lab, request("GET", OPEN_PATH[which], HOST, "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings",
                              "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"), which)
    assert (answer.status, answer.header("Upgrade")) == (200, None)


@PORTS
def test_http_2_without_asking_is_refused(lab, which):
    """H9"""
    with Wire(lab, which) as wire:
        wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert wire.answer().status == 505
        assert b"HTTP/" not in wire.rest()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "compress"])
def test_an_encoded_body_is_refused_and_nothing_is_expanded(lab, coding):
    """H9: a bomb"""
    bomb = gzip.compress(b"a" * 10_000_000)
    answer = ask(lab, request("POST", "/adfs/ls/", HOST, FORM, f"Content-Encoding: {coding}",
                              f"Content-Length: {len(bomb)}", body=bomb))
    assert (answer.status, answer.header("Connection")) == (415, "close")


# H10: pipelining ----------------------------------------------------------------------------------------

def test_requests_of_two_people_on_one_connection_are_answered_in_order_and_never_mixed(lab, make_client):
    """H10"""
    cookies, asked = {}, []
    for name in ("alice", "bob"):
        person = make_client(lab)
        assert sign_in(person, FIRST, name).status == 200
        cookies[name] = person.cookie()
    for number in range(3):
        for name in ("alice", "bob", None):
            line = [f"Cookie: MSISAuth={cookies[name]}"] if name else []
            target = with_query("/adfs/ls/", request_for(FIRST, wctx=f"{name}-{number}"))
            asked.append((name, number, request("GET", target, HOST, *line)))
    with Wire(lab) as wire:
        wire.send(b"".join(data for *_, data in asked))
        for name, number, _ in asked:
            answer = wire.answer()
            if name:
                token = html.unescape(answer.text)
                assert f'name="wctx" value="{name}-{number}"' in token
                assert [other for other in cookies if f"{other}@lab.test" in token] == [name]
            else:
                assert is_sign_in_page(answer) and not answer.set_cookie


def test_a_sign_in_and_the_request_behind_it_do_not_share_anything(lab):
    """H10: who posts a password on a connection has signed in nobody else on it"""
    body = "&".join(f"{name}={value}" for name, value in credentials(lab).items()).encode()
    target = with_query("/adfs/ls/", request_for(FIRST))
    with Wire(lab) as wire:
        wire.send(request("POST", target, HOST, FORM, f"Content-Length: {len(body)}", body=body)
                  + request("GET", target, HOST))
        assert wire.answer().set_cookie
        assert is_sign_in_page(wire.answer())


# The plain port ---------------------------------------------------------------------------------------------

def test_the_plain_port_has_the_probe_the_cas_and_their_crls_and_nothing_else(lab):
    """issue 2, item 5"""
    for path in [*ALLOWED["main"], "/adfs/ls/?wa=wsignin1.0", "/lanyard", "/lanyard/pki", "/lanyard/pki/",
                 "/lanyard/pki/root.key", "/lanyard/pki/signing.crt", "/lanyard/pki/../lanyard.yaml", "/lanyard.yaml"]:
        assert ask(lab, request("GET", path, HOST), "plain").status == 404, path
    for path in ALLOWED["plain"]:
        assert ask(lab, request("GET", path, HOST)).status == 404, path


def test_the_probe_is_200_and_empty(lab, client):
    """protocol.md: what load balancers ask"""
    answer = client.request(f"{lab.plain}/adfs/probe")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("name,command", [("root.crt", "x509"), ("issuing.crt", "x509"), ("root.crl", "crl"), ("issuing.crl", "crl")])
def test_openssl_reads_what_the_plain_port_publishes(lab, client, tmp_path, name, command):
    """issue 2, item 5: DER"""
    path = tmp_path / name
    path.write_bytes(client.request(f"{lab.plain}/lanyard/pki/{name}").body)
    subprocess.run(["openssl", command, "-inform", "DER", "-in", path, "-noout"], check=True)


def test_what_is_not_there_to_be_published_is_not_found(lab, client):
    """publish.c: a missing file is no reason to say more than that"""
    path = lab.settings_file.parent / "pki" / "root.crl"
    path.rename(path.with_suffix(".away"))
    try:
        assert client.request(f"{lab.plain}/lanyard/pki/root.crl").status == 404
    finally:
        path.with_suffix(".away").rename(path)
    assert client.request(f"{lab.plain}/lanyard/pki/root.crl").status == 200


def test_tls_at_the_plain_port_and_plain_http_at_the_tls_port_come_to_nothing(lab):
    """T: neither port takes the other's language"""
    hello = bytes.fromhex("160301002f010000" "2b0303") + b"\0" * 32 + bytes.fromhex("00000213010100")
    said = lab.exchange(hello + b"\r\n\r\n", "plain")
    assert b"HTTP/1.1 200" not in said
    with lab.connect_plain("main") as connection:
        connection.sendall(request("GET", "/lanyard/health", HOST))
        assert b"HTTP" not in read_all(connection)
