"""What a Web Application Proxy hands over (MS-ADFSPIP 3.10.5.1; protocol.md 8.2): a user's request with the certificate
that the proxy saw is answered as if both had come to the certificate port; nobody else is heard."""
import base64
import json
import re
from urllib.parse import urlencode

import pytest

from conftest import FIRST
from support.certificates import CERTIFICATE_FORM, TLS_METHOD, refusal
from support.curl import Client
from support.forwarding import put_behind
from support.identity import Authority, of_user, openssl
from support.lab import Lab, copy_lab, run
from support.sign_in import TokenPage, is_token_page, request_for
from support.tokens import Token
from support.wap import NO_CERTIFICATE, PATH, USER, Wap, der, identities, wrap
from support.wstrust import FAILED, TYPE, Reply, message, path

ALL = "urn:test:all"
CONTEXT = "http://schemas.microsoft.com/2012/01/requestcontext/claims/"
ISSUER = "http://schemas.microsoft.com/2012/12/certificatecontext/field/issuer"
SERIAL = "http://schemas.microsoft.com/ws/2008/06/identity/claims/serialnumber"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
INSIDE = "http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"
SOAP = TYPE.partition(": ")[2]
URL, CERTIFICATE_URL = "https://localhost", "https://localhost:49443"
GOOD, OVER, BARE, ANY, STRANGER = (f"127.0.0.{number}" for number in (2, 3, 4, 5, 1))


def trusted(made):
    """Each at an address of its own; the last is known by that alone."""
    more = {"client_address_header": "X-MS-Forwarded-Client-IP", "url": URL, "certificate_url": CERTIFICATE_URL}
    wap = {"web_application_proxy": True, **more}
    return [{"name": "wap", "addresses": [GOOD], "certificate": str(made["good"].certificate), **wap},
            {"name": "old", "addresses": [OVER], "certificate": str(made["over"].certificate), **wap},
            {"name": "bare", "addresses": [BARE], **more},
            {"name": "any", "addresses": [ANY], "certificate": str(made["other"].certificate), **more}]


class Behind:
    """A lab behind such proxies, and the proxies' certificates."""

    def __init__(self, first_made, folder, parties, *arguments, **settings):
        self.made = identities(folder / "proxies")
        lab = copy_lab(first_made, folder / "lab")
        put_behind(lab, ALL, trusted(self.made), settings)
        self.lab = Lab(lab, *parties, "--no-lockout", "--no-loop-detection", *arguments, ports=())

    def wap(self, client, identity="good", address=GOOD):
        return Wap(client, self.made.get(identity), address)


@pytest.fixture(scope="module")
def behind(first_made, tmp_path_factory, parties):
    behind = Behind(first_made, tmp_path_factory.mktemp("behind"), parties)
    yield behind
    behind.lab.stop()


@pytest.fixture
def client(behind, make_client):
    return make_client(behind.lab)


@pytest.fixture
def wap(behind, client):
    return behind.wap(client)


@pytest.fixture
def alice(behind):
    return of_user(behind.lab.user())


def at(origin=CERTIFICATE_URL, realm=ALL, **more):
    return f"{origin}/adfs/ls/?{urlencode(request_for(realm, **more))}"


def claims(answer):
    return Token(TokenPage(answer).wresult).claims


def serial_of(identity):
    return int(openssl("x509", "-in", identity.certificate, "-noout", "-serial").stdout.decode().partition("=")[2], 16)


# Signing in ------------------------------------------------------------------------------------------

def expect_claims(found, identity):
    assert int(found[SERIAL][0], 16) == serial_of(identity) and "Issuing CA" in found[ISSUER][0]
    assert found[UPN] == ["alice@lab.test"]
    assert found[INSIDE] == ["false"]
    assert found[CONTEXT + "x-ms-proxy"] == ["wap1"]
    assert found[CONTEXT + "x-ms-forwarded-client-ip"] == [USER]


def test_a_certificate_the_proxy_saw_signs_in_from_outside(behind, wap, alice):
    """To a session, by which the token follows on the proxy's other port."""
    answer = wap.hand_over(at(), alice)
    cookie, attributes = answer.set_cookie
    assert answer.status == 302 and answer.header("Location") == at(URL)
    assert {"secure", "httponly"} <= attributes.keys() and answer.header("X-Content-Type-Options") == "nosniff"
    wap.client.forget()
    answer = wap.forward(behind.lab.main + at(""), "-H", f"Cookie: MSISAuth={cookie}")
    expect_claims(claims(answer), alice)


def test_the_form_of_the_select_page_brings_the_token_at_once_where_it_must_be_fresh(wap, alice):
    answer = wap.hand_over(at(wauth=TLS_METHOD, wfresh="0"), alice, method="POST", content=CERTIFICATE_FORM,
                           headers=[("Origin", URL)])
    expect_claims(claims(answer), alice)


def test_under_a_name_of_its_own_the_token_comes_at_once(wap, alice):
    answer = wap.hand_over(at("https://certauth.localhost"), alice)
    assert answer.set_cookie is None
    expect_claims(claims(answer), alice)


def test_a_post_from_another_site_is_refused(wap, alice):
    answer = wap.hand_over(at(), alice, method="POST", content=CERTIFICATE_FORM,
                           headers=[("Origin", "https://evil.test"), ("Sec-Fetch-Site", "cross-site")])
    assert answer.set_cookie is None and "Another website sent this form" in answer.text


def test_the_users_cookie_counts_and_the_proxys_does_not(wap, alice):
    cookie = wap.hand_over(at(), alice).set_cookie[0]
    assert wap.client.cookie() == cookie, "curl sends it with what follows, as the proxy's own"
    assert refusal(wap.hand_over(at(wauth=TLS_METHOD))) == "none"
    assert is_token_page(wap.hand_over(at(), cookie=cookie))
    body = wap.message(at())
    body["Request"]["Cookies"] = [{"Name": "MSISAuth", "Value": cookie, "Path": "/", "Domain": "", "Expires": "", "Version": 0}]
    assert is_token_page(wap.send(body)), "from the list, where there is no header"


def test_json_as_it_is_is_read_too_and_a_path_and_a_slash(wap, alice):
    """Each is what one proxy or another sends."""
    body = wap.message(at(), alice)
    body["Request"]["RequestUri"] = at("")
    answer = wap.client.post(PATH + "/", json.dumps(body).encode(), None, *wap.options())
    assert answer.status == 302 and answer.set_cookie


@pytest.mark.parametrize("version", ["2005", "13"])
def test_ws_trust_is_answered_with_a_token(wap, alice, version):
    uri = CERTIFICATE_URL + path(version, "certificatetransport")
    content = message(version, ALL).encode()
    reply = Reply(wap.hand_over(uri, alice, method="POST", content=content, media=SOAP))
    found = reply.token.claims
    assert found[UPN] == ["alice@lab.test"]
    assert found[INSIDE] == ["false"]
    reply = Reply(wap.hand_over(uri, method="POST", content=content, media=SOAP, **NO_CERTIFICATE))
    assert reply.status == 500 and reply.fault == FAILED


# Who is heard ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("identity, address", [
    ("none", GOOD), ("other", GOOD), ("over", GOOD), ("over", OVER), ("good", OVER), ("good", BARE), ("none", BARE), ("other", ANY),
    ("good", STRANGER), ("none", STRANGER)])
def test_nobody_but_a_proxy_that_shows_its_certificate_is_heard(behind, client, alice, identity, address):
    answer = behind.wap(client, identity, address).hand_over(at(), alice)
    assert answer.status == 401 and answer.set_cookie is None
    assert "for a trusted proxy" in answer.text and len(answer.body) < 200
    told = behind.lab.event_where(event="request", outcome="refused", code="proxy.untrusted")
    assert "hands over" in told["why"]


def test_nor_is_a_user_who_is_in_the_lab(behind, client, alice):
    """By a certificate that signs in, and from the address of the proxy."""
    wap = Wap(client, alice, GOOD)
    assert wap.hand_over(at(), alice).status == 401
    assert wap.send(b"nonsense").status == 401, "without a look at what was sent"


def test_on_no_other_port_and_name(behind, wap, alice):
    body = wrap(wap.message(at(), alice))
    for origin in (behind.lab.ready["certificate"], behind.lab.plain, f"https://certauth.localhost:{behind.lab.port()}"):
        assert wap.client.post(origin + PATH, body, None, *wap.options("Content-Type: text/plain")).status in (404, 415, 421)


def test_only_post_is_answered(wap):
    for method in ("GET", "PUT", "DELETE"):
        answer = wap.forward(PATH, "-X", method)
        assert answer.status == 405 and answer.header("Allow") == "POST"


# What is refused, as it would be without a proxy ---------------------------------------------------------

def test_without_a_certificate_the_page_says_so(wap):
    for more in (NO_CERTIFICATE, {}, {"SerializedClientCertificate": ""}, {"SerializedClientCertificate": None}):
        answer = wap.hand_over(at(wauth=TLS_METHOD), **more)
        assert answer.status == 200 and answer.set_cookie is None and refusal(answer) == "none"


def test_what_the_proxy_refused_is_refused_and_judged_all_the_same(behind, wap, alice):
    """Untrusted root, as an HRESULT; with and without the certificate, which the specification leaves out."""
    for shown in (alice, None):
        for code in ("-2146762487", "2148204809", 2148204809):
            answer = wap.hand_over(at(), shown, ErrorType="1", ErrorCode=code)
            assert answer.status == 200 and answer.set_cookie is None and refusal(answer) == "proxy.refused"
            assert "The proxy through which you came here did not accept your certificate." in answer.text
            assert "(0x800B0109)" in answer.text
    uri = CERTIFICATE_URL + path("13", "certificatetransport")
    reply = Reply(wap.hand_over(uri, alice, method="POST", content=message("13", ALL).encode(), media=SOAP,
                                ErrorType=1, ErrorCode=5))
    assert reply.fault == FAILED
    assert "error 5 (0x5)" in behind.lab.event_where(event="sign-in", code="proxy.refused")["why"]


def test_a_revoked_certificate_is_refused_whatever_the_proxy_thinks(behind, wap):
    bob = of_user(behind.lab.user("bob"))
    assert wap.hand_over(at(), bob).status == 302
    assert run("cert", "revoke", "bob", "-c", behind.lab.settings_file).returncode == 0
    for more in ({}, {"ErrorType": 1, "ErrorCode": -2146885616}):
        answer = wap.hand_over(at(wfresh="0", wauth=TLS_METHOD), bob, **more)
        assert answer.status == 200 and answer.set_cookie is None and refusal(answer) == "revocation.revoked"


def test_a_strangers_certificate_is_refused(behind, wap, tmp_path):
    stranger = Authority.stranger(tmp_path).issue(tmp_path, "x", upn="alice@lab.test")
    assert refusal(wap.hand_over(at(), stranger)).startswith("chain.")
    assert refusal(wap.hand_over(at(), behind.made["good"])).startswith("chain."), "the proxy's own signs nobody in"


@pytest.mark.parametrize("sent", [b"nonsense", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_certificate_is_refused_with_the_page(wap, sent):
    body = wap.message(at(), SerializedClientCertificate=base64.b64encode(sent).decode())
    assert refusal(wap.send(body)) == "certificate.unreadable"


def test_two_certificates_in_one_are_none(wap, alice):
    body = wap.message(at(), SerializedClientCertificate=base64.b64encode(der(alice) * 2).decode())
    assert refusal(wap.send(body)) == "certificate.unreadable"


def test_an_endpoint_that_is_not_on_the_certificate_port_is_not_there(wap, alice):
    """Itself among them: nothing is handed over twice."""
    inside = json.dumps(wap.message(at(), alice)).encode()
    for where in (PATH, "/lanyard/activity", "/lanyard/health", "/adfs/nothing", path("2005")):
        answer = wap.hand_over(CERTIFICATE_URL + where, alice, method="POST", content=inside, media="application/json")
        assert answer.status in (404, 415) and answer.set_cookie is None
    assert wap.hand_over(CERTIFICATE_URL + PATH, alice, method="POST", content=inside).status == 404
    answer = wap.hand_over(at(), alice, method="PUT")
    assert answer.header("Allow") == "GET, HEAD, POST" and answer.set_cookie is None


def test_another_host_is_not_ours(wap, alice):
    assert wap.hand_over(at("https://evil.test"), alice).status == 421
    body = wap.message(at(), alice)
    body["Request"]["Headers"][0]["Value"] = "evil.test"
    assert wap.send(body).status == 400


# What stands inside ----------------------------------------------------------------------------------------

def test_what_a_user_says_of_himself_in_a_proxys_words_counts_nothing(wap, alice):
    forged = [("X-MS-Proxy", "evil"), ("X-MS-Forwarded-Client-IP", "10.9.9.9"), ("X-Forwarded-For", "10.9.9.9"),
              ("X-MS-Endpoint-Absolute-Path", "/evil"), ("X-MS-ADFS-Proxy-Client-IP", "10.9.9.9")]
    answer = wap.hand_over(at(wfresh="0", wauth=TLS_METHOD), alice, headers=forged)
    found = claims(answer)
    expect_claims(found, alice)
    assert "10.9.9.9" not in str(found) and "evil" not in str(found)


def test_a_certificate_in_a_header_inside_is_nobodys(wap, alice):
    forged = [("Client-Cert", f":{base64.b64encode(der(alice)).decode()}:")]
    assert refusal(wap.hand_over(at(), headers=forged, **NO_CERTIFICATE)) == "none"


def test_a_devices_certificate_is_refused_in_so_many_words(wap, alice):
    for usage in (2, "2"):
        answer = wap.hand_over(at(), alice, CertificateUsage=usage)
        assert answer.status == 400 and answer.set_cookie is None and "no devices are registered here" in answer.text


WRONG = {
    "not base64url": b"?", "base64": b"e30+", "no JSON": wrap(b"{"), "no object": wrap(b"[]"), "empty": wrap(b"{}"),
    "tower": wrap(b'{"Request":' + b"[" * 100000), "twice": wrap('{"Request":{},"Request":{}}'), "more": wrap(b"{}{}"),
    "NUL": wrap(r'{"Request":{"HttpMethod":"GET\u0000","RequestUri":"/"}}'), "nothing": b"",
    "no UTF-8": wrap(b'{"Request":{"HttpMethod":"GET","RequestUri":"\xc0\xaf"}}'),
    "bytes": bytes(range(256)), "array of objects": wrap(b'{"Request":' + b'{"a":' * 50000), "commas": wrap(b"{" + b"," * 300000),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_body_that_cannot_be_read_is_400_and_the_server_goes_on(behind, wap, alice, name):
    answer = wap.client.post(PATH, WRONG[name], None, *wap.options("Content-Type: text/plain"))
    assert answer.status == 400 and answer.set_cookie is None
    assert wap.hand_over(at(), alice).status == 302


def changes():
    """(what is changed, the key that the refusal names)"""
    for key, value in (("HttpMethod", 1), ("HttpMethod", None), ("RequestUri", []), ("RequestUri", "adfs/ls"), ("Headers", {}),
                       ("Headers", [1]), ("Headers", [{"Value": ""}]), ("Cookies", "a=b"), ("Content", "a"), ("Content", [256]),
                       ("Content", [-1]), ("Content", [1.5]), ("Content", ["1"]), ("ContentLength", 1), ("ContentType", 1)):
        yield ("Request", key, value), key
    for key, value in (("SerializedClientCertificate", 1), ("SerializedClientCertificate", "?"), ("CertificateUsage", "User"),
                       ("CertificateUsage", 3), ("ErrorType", 2), ("ErrorType", True)):
        yield (key, value), key
    yield ("Request", None), "Request"


@pytest.mark.parametrize("change, key", changes(), ids=str)
def test_a_value_of_another_kind_is_refused_by_its_name(wap, alice, change, key):
    body = wap.message(at(), alice)
    *way, last, value = change
    (body[way[0]] if way else body)[last] = value
    answer = wap.send(body)
    assert answer.status == 400 and re.search(rf"in the body, (Request\.)?{key}\b", answer.text), "the page of a lab tells"


def test_nothing_is_smuggled_inside(wap, alice):
    """Each would be refused of a client that came by itself. Only what is malformed outside the request is no page."""
    for headers in ([("Transfer-Encoding", "chunked"), ("Content-Length", "0")], [("Content-Length", "5")],
                    [("X", "a\r\nHost: evil.test")], [("Host", "localhost")], [("Cookie", "a=1"), ("Cookie", "b=2")], [("A B", "c")]):
        answer = wap.hand_over(at(), alice, headers=headers)
        assert answer.set_cookie is None and answer.status in (200, 400) and not is_token_page(answer)
        assert "breaks the rules of its protocol" in answer.text


def test_a_body_may_be_as_large_as_a_form_and_no_larger(wap, alice):
    form = urlencode(CERTIFICATE_FORM).encode() + b"&x="
    for size, came in ((65536, True), (65537, False)):
        answer = wap.hand_over(at(), alice, method="POST", content=form + b"x" * (size - len(form)))
        assert (answer.status == 302) == came
    answer = wap.client.post(PATH, b"A" * (512 * 1024 + 1), None, *wap.options("Content-Type: text/plain"))
    assert answer.status == 413


def test_the_activity_of_the_proxys_request_tells_of_the_users(behind, wap, alice, make_client):
    answer = wap.hand_over(at(), alice, ErrorType=1, ErrorCode=5)
    identifier = answer.text_of("activityId") or answer.page.xpath("//a[@id='activityLink']/@href")[0].partition("id=")[2]
    identifier = identifier.split()[-1]
    told = make_client(behind.lab).get(f"/lanyard/api/activity/{identifier}").text
    assert "backendproxytls" in told and "the proxy wap hands over GET /adfs/ls of " + USER in told
    assert "error 5" in told


# What a network allows -------------------------------------------------------------------------------------

def test_the_extranet_decides_whether_certificates_are_taken(first_made, tmp_path, parties, make_client):
    """And a proxy of the intranet is inside."""
    behind = Behind(first_made, tmp_path, parties, primary_extranet_authentication_providers="[FormsAuthentication]")
    try:
        answer = behind.wap(make_client(behind.lab)).hand_over(at(), of_user(behind.lab.user()))
        assert answer.set_cookie is None and "Certificate sign-in is not allowed for the extranet" in answer.text
    finally:
        behind.lab.stop()
