"""Sign-in through the real nginx and the real HAProxy, run with what `lanyard proxy recipe` prints
(protocol.md 8; security.md V1-V4, T4-T6). They are the lab's extranet."""
import os
import re
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest
from selenium.webdriver.common.by import By

from conftest import FIRST
from support.browser import chromium, own, policy_breaches, shown, trust
from support.certificates import CERTIFICATE_FORM, TLS_METHOD, refusal
from support.curl import Client
from support.identity import Authority, Identity, of_user
from support.lab import Lab, copy_lab, run
from support.proxies import HEADERS, Proxy
from support.settings import party, set_setting, write_parties
from support.sign_in import TokenPage, credentials, is_sign_in_page, is_token_page, request_for
from support.tokens import Token
from support.wap import PATH, Wap, wrap
from support.webkit import display
from support.wstrust import Reply, certificate_of, message, path
from support.wstrust import post as post_message

CONTEXT = "http://schemas.microsoft.com/2012/01/requestcontext/claims/"
INSIDE = "http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"
SERIAL = "http://schemas.microsoft.com/ws/2008/06/identity/claims/serialnumber"
ISSUER = "http://schemas.microsoft.com/2012/12/certificatecontext/field/issuer"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
ALL = "urn:test:all"
KINDS = ("nginx", "haproxy")


def prepare(folder, **settings):
    """A lab whose relying party gets every claim."""
    (folder / "rules" / "all.rules").write_text("c:[] => issue(claim = c);\n")
    write_parties(folder / "lanyard.yaml", [
        party("All", ALL, "https://all.test/", issuance_transform_rules="rules/all.rules"),
        party("First", FIRST, "https://first.test/wsfed/", issuance_transform_rules="rules/all.rules")])
    for key, value in settings.items():
        set_setting(folder / "lanyard.yaml", key, value)
    return folder


@pytest.fixture(scope="module")
def house(first_made, tmp_path_factory):
    """(a lab, {kind: its running proxy}); nothing of it is changed by the tests."""
    folder = prepare(copy_lab(first_made, tmp_path_factory.mktemp("proxies") / "lab"))
    proxies = {kind: Proxy(kind, folder / "lanyard.yaml") for kind in KINDS}
    lab = Lab(folder, "--no-loop-detection", "--no-lockout", ports=())
    try:
        with ExitStack() as stack:
            yield lab, {kind: stack.enter_context(proxy) for kind, proxy in proxies.items()}
    finally:
        lab.stop()


@pytest.fixture
def behind(house):
    return house[0]


@pytest.fixture(params=KINDS)
def proxy(request, house):
    return house[1][request.param]


@pytest.fixture
def client(behind):
    made = Client(behind)
    yield made
    made.close()


@pytest.fixture(scope="module")
def identities(house, tmp_path_factory):
    """Of each kind that is to be refused, and what the page says of it."""
    lab, folder = house[0], tmp_path_factory.mktemp("identities")
    ca, stranger = Authority.of_lab(lab), Authority.stranger(folder / "ca")
    for command in (["issue", "revoked", "--upn", "alice@lab.test"], ["revoke", "revoked"]):
        finished = run("cert", *command, "-c", lab.settings_file)
        assert finished.returncode == 0, finished.stderr
    alice = {"upn": "alice@lab.test"}
    return [("revocation.revoked", Identity(lab.settings_file.parent / "certificates", "revoked")),
            ("time.expired", ca.issue(folder / "expired", "expired", **alice, days=(-30, -1))),
            ("time.not-yet-valid", ca.issue(folder / "early", "early", **alice, days=(10, 30))),
            ("chain.issuer-missing", stranger.issue(folder / "stranger", "stranger", **alice)),
            ("chain.issuer-missing", stranger.issue(folder / "both", "both", **alice, days=(-30, -1))),
            ("chain.self-signed", Identity(folder / "ca", "ca")),
            ("usage.extended", ca.issue(folder / "server", "server", **alice, extendedKeyUsage="serverAuth"))]


# Steps ------------------------------------------------------------------------------------------------

def sign_in_at(client, proxy, *options, name="alice", realm=ALL, **more):
    """By password, through the proxy's main port; gives the answer that carries the token."""
    query = request_for(realm, **more)
    answer = client.post(f"{proxy.main}/adfs/ls/", credentials(client.lab, name), query, *options)
    if answer.status != 302:
        return answer
    assert answer.location.startswith(f"{proxy.main}/adfs/ls/"), answer.location
    return client.get(answer.location, None, *options)


def select_form(client, proxy, **more):
    answer = client.post(f"{proxy.main}/adfs/ls/", {"AuthMethod": "CertificateAuthentication"}, request_for(ALL, **more))
    form = answer.page.xpath("//form[@id='certificateForm']")[0]
    return form.get("action"), {each.get("name"): each.get("value") for each in form.xpath(".//input")}


def show_at(client, proxy, identity, *options, form=None, **more):
    """Posts the Select page's form to the proxy's certificate port."""
    shown = [] if identity is None else identity.options()
    return client.post(f"{proxy.certificate}/adfs/ls/", {**CERTIFICATE_FORM, **(form or {})}, request_for(ALL, **more),
                       *shown, *options)


def claims_of(answer):
    return Token(TokenPage(answer).wresult).claims


def one(claims, name):
    return claims.get(name, [None])[0]


def context(claims):
    return tuple(one(claims, CONTEXT + name) for name in ("x-ms-proxy", "x-ms-forwarded-client-ip", "x-ms-endpoint-absolute-path"))


# By password ------------------------------------------------------------------------------------------

def test_a_password_signs_in_and_the_token_says_that_it_came_through_the_proxy(proxy, client):
    claims = claims_of(sign_in_at(client, proxy, "--interface", "127.0.0.9"))
    assert one(claims, INSIDE) == "false" and one(claims, UPN) == "alice@lab.test"
    assert context(claims) == (proxy.name, "127.0.0.9", "/adfs/ls/")


def test_a_browser_that_posts_from_the_proxys_page_is_no_stranger(proxy, client):
    answer = client.get(f"{proxy.main}/adfs/ls/", request_for(ALL))
    assert is_sign_in_page(answer)
    assert is_token_page(sign_in_at(client, proxy, "-H", f"Origin: {proxy.main}", "-H", "Sec-Fetch-Site: same-origin"))


def test_without_a_proxy_the_same_lab_is_the_intranet(behind, client):
    answer = client.post("/adfs/ls/", credentials(behind), request_for(ALL))
    claims = claims_of(client.get(answer.location))
    assert one(claims, INSIDE) == "true" and context(claims) == (None, None, one(claims, CONTEXT + "x-ms-endpoint-absolute-path"))


# By certificate ---------------------------------------------------------------------------------------

def test_the_select_page_leads_to_the_proxys_certificate_port_and_from_there_back(proxy, behind, client):
    action, fields = select_form(client, proxy)
    assert action.startswith(f"{proxy.certificate}/adfs/ls/")
    answer = client.post(action, fields, None, "-H", f"Origin: {proxy.main}", *of_user(behind.user()).options())
    assert answer.status == 302 and answer.location.startswith(f"{proxy.main}/adfs/ls/?"), answer.text[:2000]
    claims = claims_of(client.get(answer.location))
    assert one(claims, INSIDE) == "false" and context(claims)[0] == proxy.name
    assert one(claims, SERIAL) and "lanyard lab Issuing CA" in one(claims, ISSUER)


def test_no_certificate_gets_the_explaining_page(proxy, client):
    answer = show_at(client, proxy, None)
    assert answer.status == 200 and refusal(answer) == "none"


def test_every_certificate_that_is_refused_is_refused_by_lanyard(proxy, client, identities):
    """Not by a page of the proxy's own, and not by an alert; and the form's body came along."""
    for expected, identity in identities:
        for with_chain in (False, True):
            shown_there = identity.options(with_chain and identity.chain.exists())
            answer = client.post(f"{proxy.certificate}/adfs/ls/", CERTIFICATE_FORM, request_for(ALL), *shown_there)
            assert (answer.status, refusal(answer)) == (200, expected), answer.text[:500]
            assert answer.set_cookie is None


def test_another_certificate_is_tried_under_a_fresh_name_on_the_proxys_port(proxy, behind, client):
    page = show_at(client, proxy, None).page
    retry = page.xpath("//form[@id='retryForm']")[0]
    assert re.match(rf"https://r[0-9a-f]+\.certauth\.localhost:{proxy.ports[1]}/adfs/ls/\?", retry.get("action"))
    assert page.xpath("//a[@id='otherOptions']/@href")[0].startswith(proxy.main)
    fields = {each.get("name"): each.get("value") for each in retry.xpath(".//input")}
    claims = claims_of(client.post(retry.get("action"), fields, None, *of_user(behind.user()).options()))
    assert one(claims, INSIDE) == "false" and one(claims, UPN) == "alice@lab.test"


def test_each_connection_chooses_anew_and_the_next_request_is_its_own(proxy, behind, client):
    """T6: the proxy's connections to lanyard are shared by everybody."""
    for name in ("alice", "bob", "alice", "bob"):
        client.forget()
        answer = show_at(client, proxy, of_user(behind.user(name)))
        assert one(claims_of(client.get(answer.location)), UPN) == behind.upn(name)
    client.forget()
    assert refusal(show_at(client, proxy, None)) == "none"


def test_sessions_of_tls_are_not_resumed_where_a_certificate_is_asked_for(proxy, behind):
    alice = of_user(behind.user())
    for version in ("-tls1_2", "-tls1_3"):
        kept = proxy.folder / f"session{version}"
        start = ["openssl", "s_client", "-connect", proxy.certificate.removeprefix("https://"), "-servername", "localhost",
                 "-CAfile", behind.root_certificate, version]
        request = b"GET /adfs/probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        first = subprocess.run([*start, "-cert", alice.certificate, "-key", alice.key, "-ign_eof", "-sess_out", kept],
                               input=request, capture_output=True, timeout=20, check=False)
        assert b"No client certificate CA names sent" in first.stdout and b"HTTP/1.1" in first.stdout, first.stdout
        if kept.exists():
            again = subprocess.run([*start, "-ign_eof", "-sess_in", kept], input=request, capture_output=True, timeout=20, check=False)
            assert b"Reused" not in again.stdout and b"New, TLS" in again.stdout, again.stdout


def test_nginx_leaves_even_what_it_cannot_read_in_full_to_lanyard(house, client, tmp_path):
    """A critical extension that nobody knows. (HAProxy 2.6 ends that handshake, whatever it is told to ignore.)"""
    lab, proxies = house
    odd = Authority.of_lab(lab).issue(tmp_path, "odd", upn="alice@lab.test", **{"1.2.3.4": "critical,DER:0500"})
    answer = show_at(client, proxies["nginx"], odd)
    assert (answer.status, refusal(answer)) == (200, "extension.unknown"), answer.text[:500]


# What clients say in the proxy's words ------------------------------------------------------------------

LIES = [("X-MS-Proxy", "evil"), ("X-MS-Forwarded-Client-IP", "192.0.2.66"), ("X-MS-Endpoint-Absolute-Path", "/evil"),
        ("X-MS-Client-Application", "evil"), ("X-MS-ADFS-Proxy-Client-IP", "192.0.2.66"), ("X-MS-Target-Role", "PrimaryComputer"),
        ("X-Forwarded-For", "192.0.2.66"), ("Forwarded", "for=192.0.2.66")]


def lies(identity, with_underscores=True):
    """Headers that name somebody else's certificate in every form, and another address."""
    pem = identity.certificate.read_text()
    base64 = "".join(line for line in pem.splitlines() if "-----" not in line)
    escaped = pem.replace("\n", "%0A").replace("+", "%2B").replace("/", "%2F").replace("=", "%3D").replace(" ", "%20")
    said = [*LIES, ("Client-Cert", f":{base64}:"), ("Client-Cert-Chain", f":{base64}:"), ("X-SSL-Client-Cert", escaped)]
    if with_underscores:
        said += [(name.replace("-", "_"), value) for name, value in said]
        said += [(name.lower(), value) for name, value in said[:11]]
    return [part for name, value in said for part in ("-H", f"{name}: {value}")]


def test_a_client_that_speaks_as_the_proxy_is_not_believed_on_the_main_port(proxy, behind, client):
    answer = sign_in_at(client, proxy, *lies(of_user(behind.user("bob"))), "--interface", "127.0.0.9")
    claims = claims_of(answer)
    assert context(claims) == (proxy.name, "127.0.0.9", "/adfs/ls/") and one(claims, UPN) == "alice@lab.test"
    assert not [value for values in claims.values() for value in values if "evil" in value or "192.0.2.66" in value]
    answer = client.post(f"{proxy.main}/adfs/ls/", CERTIFICATE_FORM, request_for(ALL, wfresh="0", wauth=TLS_METHOD),
                         *lies(of_user(behind.user("bob"))))
    assert not is_token_page(answer) and answer.set_cookie is None


def test_nor_on_the_certificate_port_with_a_certificate_or_without(proxy, behind, client):
    said = lies(of_user(behind.user("bob")))
    answer = show_at(client, proxy, None, *said)
    assert refusal(answer) == "none" and answer.set_cookie is None
    answer = show_at(client, proxy, of_user(behind.user("alice")), *said, "--interface", "127.0.0.9")
    claims = claims_of(client.get(answer.location, None, "--interface", "127.0.0.9"))
    assert one(claims, UPN) == "alice@lab.test" and context(claims)[:2] == (proxy.name, "127.0.0.9")


def test_nor_when_it_calls_them_hop_by_hop(proxy, client):
    """RFC 9110, 7.6.1: a proxy that took it at its word would take its own headers away."""
    names = "close, X-MS-Proxy, X-MS-Forwarded-Client-IP, X-SSL-Client-Cert, Client-Cert"
    claims = claims_of(sign_in_at(client, proxy, "-H", f"Connection: {names}"))
    assert one(claims, INSIDE) == "false" and context(claims)[:2] == (proxy.name, "127.0.0.1")


def test_past_the_proxy_nobody_is_believed(behind, client):
    """From the proxy's own address, but without its certificate."""
    said = lies(of_user(behind.user("bob")), with_underscores=False)
    answer = client.post("/adfs/ls/", credentials(behind), request_for(ALL), *said)
    claims = claims_of(client.get(answer.location, None, *said))
    assert one(claims, INSIDE) == "true" and context(claims)[:2] == (None, None)
    answer = client.post(f"{behind.ready['certificate']}/adfs/ls/", CERTIFICATE_FORM, request_for(ALL), *said)
    assert refusal(answer) == "none" and answer.set_cookie is None


def test_haproxy_writes_pem_too(make_house, make_client):
    lab, proxy = make_house("haproxy", header="X-SSL-Client-Cert")
    client, said = make_client(lab), lies(of_user(lab.user("bob")))
    answer = show_at(client, proxy, of_user(lab.user("alice")), *said)
    assert one(claims_of(client.get(answer.location)), UPN) == "alice@lab.test"
    client.forget()
    assert refusal(show_at(client, proxy, None, *said)) == "none"


# Addresses --------------------------------------------------------------------------------------------

@pytest.fixture
def make_house(first_made, tmp_path):
    """make_house(kind, **settings): (lab, proxy) of the test's own; with parties=False, its parties are those it
    came with, with options=…, the proxy is added with these."""
    with ExitStack() as stack:
        def make(kind, parties=True, options=None, header=None, **settings):
            folder = copy_lab(first_made, tmp_path / "lab")
            if parties:
                prepare(folder, **settings)
            proxy = Proxy(kind, folder / "lanyard.yaml", options, header)
            lab = Lab(folder, "--no-loop-detection", ports=())
            stack.callback(lab.stop)
            return lab, stack.enter_context(proxy)
        yield make


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_out_counts_each_clients_address(kind, make_house, make_client):
    lab, proxy = make_house(kind, extranet_lockout_threshold=4, extranet_lockout_threshold_familiar_location=4)
    client = make_client(lab)

    def try_password(password, address):
        client.forget()
        form = {"UserName": lab.upn(), "Password": password, "AuthMethod": "FormsAuthentication"}
        return client.post(f"{proxy.main}/adfs/ls/", form, request_for(ALL), "--interface", address,
                           "-H", "X-MS-Forwarded-Client-IP: 127.0.0.70")

    right = lab.user()["password"]
    assert try_password(right, "127.0.0.70").status == 302
    for _ in range(4):
        assert is_sign_in_page(try_password("wrong", "127.0.0.66"))
    assert is_sign_in_page(try_password(right, "127.0.0.66")), "locked out, whatever it says of itself"
    assert try_password(right, "127.0.0.70").status == 302, "a familiar address is another counter"


def half_a_request(lab, port, source):
    """A post whose body never comes."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))
    connection = lab.tls_context().wrap_socket(plain, server_hostname="localhost")
    connection.sendall(f"POST /adfs/ls/?{urlencode(request_for(ALL))} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
                       "Content-Type: application/x-www-form-urlencoded\r\n\r\na".encode())
    return connection


@pytest.mark.parametrize("kind", KINDS)
def test_no_client_has_all_connections_and_lanyard_does_not_count_the_proxys(kind, make_house, make_client):
    lab, proxy = make_house(kind, connection_limit_per_address=5)
    client = make_client(lab)

    def is_served(source):
        try:
            return client.get(f"{proxy.main}/adfs/ls/", request_for(ALL), "--interface", source).status == 200
        except subprocess.CalledProcessError:
            return False

    with ExitStack() as held:
        for source in ("127.0.0.66", "127.0.0.67", "127.0.0.68"):
            for _ in range(5 if source == "127.0.0.66" else 4):
                held.enter_context(half_a_request(lab, proxy.ports[0], source))
        time.sleep(0.2)  # until the last has been read
        assert not is_served("127.0.0.66") and is_served("127.0.0.67")
        for _ in range(6):
            held.enter_context(half_a_request(lab, lab.port(), "127.0.0.1"))
        assert client.get("/adfs/ls/", request_for(ALL), "--interface", "127.0.0.1").status == 200
    assert not [event for event in lab.events() if event["event"] == "connection"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_extranets_lists_apply(kind, make_house, make_client):
    lab, proxy = make_house(kind, primary_extranet_authentication_providers="[FormsAuthentication]")
    client, alice = make_client(lab), of_user(lab.user())
    page = client.get(f"{proxy.main}/adfs/ls/", request_for(ALL))
    assert is_sign_in_page(page) and not page.page.xpath("//form[@id='options']")
    answer = show_at(client, proxy, alice)
    assert "Certificate sign-in is not allowed for the extranet" in answer.text and answer.set_cookie is None
    assert client.get("/adfs/ls/", request_for(ALL)).page.xpath("//form[@id='options']"), "inside it is allowed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_factor_is_asked_for_on_the_proxys_port_and_brought_back(kind, make_house, make_client):
    lab, proxy = make_house(kind, additional_authentication_providers="[CertificateAuthentication]")
    client = make_client(lab)
    answer = sign_in_at(client, proxy, wauth="http://schemas.microsoft.com/claims/multipleauthn")
    form = answer.page.xpath("//form[@id='certificateForm']")[0]
    assert form.get("action").startswith(f"{proxy.certificate}/adfs/ls/")
    fields = {each.get("name"): each.get("value") for each in form.xpath(".//input")}
    assert refusal(client.post(form.get("action"), fields)) == "none"
    answer = client.post(form.get("action"), fields, None, *of_user(lab.user()).options())
    assert answer.status == 302 and answer.location.startswith(f"{proxy.main}/adfs/ls/"), answer.text[:2000]
    claims = claims_of(client.get(answer.location))
    assert len(claims["http://schemas.microsoft.com/claims/authnmethodsreferences"]) == 3 and one(claims, INSIDE) == "false"


# The rest of the house --------------------------------------------------------------------------------

def test_signing_out_through_the_proxy_ends_the_session(proxy, client):
    assert is_token_page(sign_in_at(client, proxy))
    answer = client.get(f"{proxy.main}/adfs/ls/", {"wa": "wsignout1.0"})
    assert answer.page.xpath("//iframe/@src") == ["https://all.test/?wa=wsignoutcleanup1.0"]
    assert is_sign_in_page(client.get(f"{proxy.main}/adfs/ls/", request_for(ALL)))


def test_a_token_by_ws_trust_comes_by_password_and_by_certificate(proxy, behind, client):
    user = behind.user()
    by_password = Reply(post_message(client, proxy.main + path("2005"), message("2005", ALL, user=user)))
    assert by_password.status == 200 and by_password.token
    where = proxy.certificate + path("2005", "certificatetransport")
    by_certificate = Reply(post_message(client, where, message("2005", ALL), options=certificate_of(behind)))
    assert by_certificate.status == 200 and by_certificate.token
    assert Reply(post_message(client, where, message("2005", ALL))).status == 500


def follow(client, answer):
    """curl 7.88 never ends a request whose address leaves no room for a cookie within 8 KB; given as a header it does."""
    return client.request(answer.location, "-H", f"Cookie: MSISAuth={client.cookie()}", cookies=False)


def test_long_addresses_pass(proxy, behind, client):
    wctx = "x" * 8192
    answer = client.post(f"{proxy.main}/adfs/ls/", credentials(behind), request_for(ALL, wctx=wctx))
    assert answer.status == 302 and TokenPage(follow(client, answer)).wctx == wctx
    client.forget()
    answer = show_at(client, proxy, of_user(behind.user()), wctx=wctx)
    assert answer.status == 302 and TokenPage(follow(client, answer)).wctx == wctx
    for length in (30000, 40000, 100000):
        answer = client.request(f"{proxy.main}/adfs/ls/?{urlencode(request_for(ALL, wctx='x' * length))}", cookies=False)
        assert answer.status in (400, 414, 431) and answer.text, length


def test_a_long_chain_passes_or_fails_in_words(proxy, behind, client, tmp_path):
    """The proxy hands over the leaf; lanyard knows the CAs."""
    alice = of_user(behind.user())
    many = tmp_path / "many.pem"
    many.write_text(alice.certificate.read_text() + (behind.settings_file.parent / "pki" / "chain.pem").read_text() * 20)
    answer = client.post(f"{proxy.certificate}/adfs/ls/", CERTIFICATE_FORM, request_for(ALL), "--cert", many, "--key", alice.key)
    assert answer.status == 302


def test_a_certificate_that_fits_into_no_head_is_refused_in_words(proxy, behind, client, tmp_path):
    huge = Authority.of_lab(behind).issue(tmp_path, "huge", upn="alice@lab.test", **{"1.2.3.4": "DER:04824e20" + "41" * 20000})
    answer = show_at(client, proxy, huge)
    assert answer.status == 431 and answer.text and answer.set_cookie is None


def test_a_page_that_is_not_there_and_a_name_that_is_not_ours_are_answered_by_lanyard(proxy, client):
    assert client.get(f"{proxy.main}/adfs/nothing").status == 404
    answer = client.request(f"{proxy.main}/adfs/ls/", "-H", "Host: evil.test")
    assert answer.status == 421


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_with_another_key_is_a_stranger_and_the_log_says_why(kind, first_made, tmp_path, make_client):
    folder = prepare(copy_lab(first_made, tmp_path / "lab"))
    proxy = Proxy(kind, folder / "lanyard.yaml")
    lab = Lab(folder, "--no-loop-detection", ports=())
    certificate, key = own_files(proxy)
    other = Authority.stranger(tmp_path / "ca").issue(tmp_path, "other")
    certificate.write_text(other.certificate.read_text())
    key.write_text(other.key.read_text())
    try:
        with proxy:
            client = make_client(lab)
            answer = client.post(f"{proxy.main}/adfs/ls/", credentials(lab), request_for(ALL))
            claims = claims_of(client.get(answer.location))
            assert one(claims, INSIDE) == "true" and context(claims)[:2] == (None, None)
            assert not is_token_page(show_at(client, proxy, of_user(lab.user())))
            assert "the certificate it showed is another one than the settings have" in lab.stderr()
    finally:
        lab.stop()


def own_files(proxy):
    """The proxy's certificate and its key, as the recipe names them."""
    text = proxy.recipe().stdout
    named = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#     /")]
    files = [each for each in named if "/tls." not in each and not each.endswith("/root.pem")]
    return [Path(each) for each in files]


# Chromium ---------------------------------------------------------------------------------------------

def test_chromium_signs_in_through_nginx_with_a_certificate(make_house, tmp_path):
    """Its dialogue is answered by a key; while it is there, the driver answers nothing."""
    lab, proxy = make_house("nginx", parties=False)
    home, user = tmp_path / "home", lab.user()
    mine = next(each for each in lab.ready["relying_parties"] if each["reply"].startswith(lab.main))
    own(trust(home, lab.root_certificate), user["pkcs12"], user["pkcs12_password"])
    with display() as name:
        driver = chromium(home, lab.root_certificate, shown_on=name)
        try:
            driver.get(f"{proxy.main}/adfs/ls/?{urlencode(request_for(mine['realm']))}")
            shown(driver, By.ID, "CertificateAuthentication").click()
            press_until(lab, name, lambda: [each for each in lab.events() if each["event"] == "sign-in"])
            assert shown(driver, By.ID, "verdict").text == f"Signed in as {lab.upn()}"
            assert not policy_breaches(driver)
        finally:
            driver.quit()


def press_until(lab, shown_on, condition):
    for _ in range(15):
        time.sleep(2)
        if condition():
            return
        subprocess.run(["xdotool", "key", "Return"], env={**os.environ, "DISPLAY": shown_on}, check=True)
    raise AssertionError(f"no certificate was chosen\n{lab.stderr()[-4000:]}")


# The command ------------------------------------------------------------------------------------------

def add(made, *arguments, name="front"):
    added = run("proxy", "add", name, *arguments, "-c", made / "lanyard.yaml")
    assert added.returncode == 0, added.stderr


def recipe(made, *arguments):
    return run("proxy", "recipe", *arguments, "-c", made / "lanyard.yaml")


def test_what_cannot_work_is_refused_with_its_cure(made):
    here = ["--address", "127.0.0.1"]
    add(made, *here, "--client-certificate-header", "Client-Cert", "--url", "https://localhost:19443",
        "--certificate-url", "https://localhost:19449")
    add(made, *here, name="same-port")
    add(made, *here, "--url", "https://localhost:19443", "--client-certificate-header", "X-SSL-Client-Cert",
        "--certificate-url", "https://localhost:19443", name="one-port")
    add(made, "--address", "192.0.2.7", "--url", "https://localhost:19443", name="far")
    add(made, *here, "--url", "https://sts.test:19443", name="other")
    add(made, *here, "--url", "https://localhost:19443", name="quoted")
    settings = made / "lanyard.yaml"
    settings.write_text(re.sub(r"name: [\"']?quoted[\"']?", "name: 'say \"no\"; $x'", settings.read_text()))
    add(made, *here, "--url", "https://localhost:19443", name="keyless")
    (made / "proxies" / "keyless.key").unlink()
    add(made, *here, "--url", "https://localhost:19443", "--certificate-url", "https://localhost:19449",
        "--client-certificate-header", "X.Cert", name="dotted")
    for arguments, status, words in (
            (["apache", "front"], 2, 'there is no recipe for "apache"; there is nginx and haproxy'),
            (["nginx", "fron"], 2, 'did you mean "front"?'),
            (["nginx", "front", "--listen", "everywhere"], 2, "--listen wants an IP address"),
            (["nginx", "front"], 1, "which nginx cannot write. Give it the client_certificate_header X-SSL-Client-Cert, or take HAProxy."),
            (["haproxy", "same-port"], 1, "on which lanyard itself listens on this machine. Give it an address with a port of its own."),
            (["haproxy", "one-port"], 1, "has the same port as its url"),
            (["haproxy", 'say "no"; $x'], 1, "which holds a character that it reads as something else; rename it"),
            (["nginx", "keyless"], 1, "keyless.key: it is not there. Put the key of the proxy's certificate there"),
            (["haproxy", "dotted"], 1, "holds something other than letters, digits and hyphens"),
            (["nginx", "other"], 1, 'names "sts.test", and lanyard is "localhost"'),
            (["nginx", "far"], 1, "is on another machine, and lanyard listens on loopback only. Set listen")):
        answer = recipe(made, *arguments)
        assert answer.returncode == status and words in answer.stderr and answer.stdout == "", (arguments, answer.stderr)


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_elsewhere_is_told_the_labs_name_and_listens_for_everybody(kind, made):
    set_setting(made / "lanyard.yaml", "listen", "0.0.0.0")
    add(made, "--address", "192.0.2.7", "--client-certificate-header", HEADERS[kind])
    printed = recipe(made, kind, "front")
    settings = (made / "lanyard.yaml").read_text()
    port = re.search(r"^port: (\d+)", settings, re.M).group(1)
    assert printed.returncode == 0 and f"localhost:{port}" in printed.stdout and f"0.0.0.0:{port}" in printed.stdout
    assert f"[::1]:{port}" in recipe(made, kind, "front", "--listen", "::1").stdout


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_known_by_its_address_and_hands_over_no_certificates(kind, make_house, make_client):
    """It asks for none: browsers are sent to lanyard's own port. It says whose request it is in a header of another name."""
    lab, proxy = make_house(kind, options=["--no-certificate", "--client-address-header", "X-Forwarded-For"])
    client = make_client(lab)
    said = ["-H", "X-Forwarded-For: 192.0.2.66", "-H", "X_Forwarded_For: 192.0.2.66", "--interface", "127.0.0.9"]
    claims = claims_of(sign_in_at(client, proxy, *said))
    assert one(claims, INSIDE) == "false" and context(claims)[:2] == (proxy.name, "127.0.0.9")
    assert select_form(client, proxy)[0].startswith(lab.ready["certificate"])


def test_haproxys_links_to_the_keys_are_made_once(made):
    add(made, "--address", "127.0.0.1", "--url", "https://localhost:19443")
    first, second = recipe(made, "haproxy", "front"), recipe(made, "haproxy", "front")
    assert first.stderr.count("where HAProxy looks for the key") == 2 and second.stderr == ""
    assert first.stdout == second.stdout and os.readlink(made / "pki" / "tls.pem.key") == "tls.key"
    assert (made / "proxies" / "front.pem.key").samefile(made / "proxies" / "front.key")
    assert recipe(made, "nginx", "front").stderr == ""


# Whole requests ---------------------------------------------------------------------------------------

def test_no_client_hands_over_a_request_of_its_own_making_through_a_proxy(proxy, client, behind):
    """What a Web Application Proxy says of a user's certificate, /adfs/backendproxytls takes from that one alone."""
    body = Wap(client, None, None).message(f"https://localhost/adfs/ls/?{urlencode(request_for(ALL))}", of_user(behind.user()))
    for spelling in (PATH, PATH.upper(), PATH + "/"):
        answer = client.post(proxy.main + spelling, wrap(body), None, "-H", "Content-Type: application/json")
        assert answer.status == 401 and answer.set_cookie is None, spelling
