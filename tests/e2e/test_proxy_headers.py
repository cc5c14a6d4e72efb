"""What a proxy says of its client's request (security.md V1-V4; protocol.md 8.1): a trusted one's word counts in one
reading only, anybody else's is passed over and told. curl plays the proxies, each from an address of its own."""
import base64
import itertools
import json
import ssl
import subprocess

import pytest

from conftest import FIRST
from support.certificates import CERTIFICATE_FORM, TLS_METHOD, at, certauth, refusal
from support.forwarding import CLIENT, Forwarder, escaped, headers, in_header, put_behind
from support.identity import Authority, of_user
from support.lab import Lab, copy_lab, run
from support.settings import set_setting
from support.sign_in import TokenPage, credentials, is_sign_in_page, is_token_page, request_for
from support.tokens import Token
from support.wstrust import TYPE, Reply, message, path

ALL = "urn:test:all"
CONTEXT = "http://schemas.microsoft.com/2012/01/requestcontext/claims/"
INSIDE = "http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
OUR_HEADER = "X-SSL-Client-Cert"
ADFS_HEADER = "X-MS-Forwarded-Client-IP"
URL, CERTIFICATE_URL = "https://localhost", "https://localhost:49443"
EDGE, RFC, OLD, BARE, BALANCER, PASSES, WAP, MUTE = (f"127.0.0.{number}" for number in range(2, 10))
SIX = "::1"
NUMBERS = itertools.count(1)


def trusted(made):
    """Those that the lab trusts; MUTE is its own word for nobody: it is no proxy's address."""
    def proxy(name, address, **more):
        return {"name": name, "addresses": [address], "client_address_header": "X-Forwarded-For", **more}

    def known(name, address, **more):
        return proxy(name, address, certificate=str(made[name].certificate), **more)
    return [known("edge", EDGE, client_certificate_header=OUR_HEADER, url=URL, certificate_url=CERTIFICATE_URL),
            known("rfc", RFC, client_certificate_header="Client-Cert"),
            known("old", OLD, client_certificate_header=OUR_HEADER),
            proxy("bare", BARE, client_certificate_header=OUR_HEADER),
            known("balancer", BALANCER, network="intranet", client_certificate_header=OUR_HEADER),
            proxy("passes", PASSES),
            {**known("wap", WAP), "client_address_header": ADFS_HEADER},
            known("six", SIX, client_certificate_header=OUR_HEADER)]


class Behind:
    """A lab behind those, and the certificates they show."""

    def __init__(self, first_made, folder, parties, *arguments, **settings):
        authority = Authority.stranger(folder / "proxies")
        self.authority = authority
        self.made = {name: authority.issue(folder / "proxies", name, days=(-3, -1) if name == "old" else (-1, 30))
                     for name in ("edge", "rfc", "old", "balancer", "wap", "six", "other")}
        lab = copy_lab(first_made, folder / "lab")
        put_behind(lab, ALL, trusted(self.made), settings)
        self.lab = Lab(lab, *parties, "--no-loop-detection", *arguments, ports=())

    def forwarder(self, client, name="edge", address=EDGE, **more):
        return Forwarder(client, address, self.made.get(name), **more)


@pytest.fixture(scope="module")
def behind(first_made, tmp_path_factory, parties):
    behind = Behind(first_made, tmp_path_factory.mktemp("behind"), parties, "--no-lockout")
    yield behind
    behind.lab.stop()


@pytest.fixture
def make_behind(first_made, tmp_path, parties):
    made = []

    def make(*arguments, **settings):
        made.append(Behind(first_made, tmp_path / str(len(made)), parties, *arguments, **settings))
        return made[-1]
    yield make
    for each in made:
        each.lab.stop()


@pytest.fixture
def lab(behind):
    return behind.lab


@pytest.fixture
def client(lab, make_client):
    return make_client(lab)


@pytest.fixture
def edge(behind, client):
    return behind.forwarder(client)


@pytest.fixture
def rfc(behind, client):
    return behind.forwarder(client, "rfc", RFC)


@pytest.fixture
def alice(lab):
    return of_user(lab.user())


@pytest.fixture
def stranger(client):
    """From an address that no other test of this file uses, so that its events are its own."""
    return Forwarder(client, f"127.0.7.{next(NUMBERS)}")


def told(lab, **fields):
    return lab.event_where(event="proxy", **fields)


def der(identity):
    return ssl.PEM_cert_to_DER_cert(identity.certificate.read_text())


def sequence(identity):
    return f":{base64.b64encode(der(identity)).decode()}:"


def claims(answer):
    return Token(TokenPage(answer).wresult).claims


def signed_in(answer):
    return answer.set_cookie is not None and (answer.status == 302 or is_token_page(answer))


def nobody(answer):
    """The explaining page of somebody who showed nothing, and no session."""
    return refusal(answer) == "none" and answer.set_cookie is None


def malformed(answer, status=400):
    """Refused, and the connection with it."""
    return (answer.status, answer.header("Connection"), answer.set_cookie) == (status, "close", None) \
        and answer.text_of("openingMessage") == "An error occurred"


def malformed_there(answer):
    """The same where certificates are asked for: every page there comes with 200 (decision 6)."""
    return malformed(answer, 200)


# V1: strangers ---------------------------------------------------------------------------------------

WORDS = {"X-SSL-Client-Cert": in_header, "X-ARR-ClientCert": lambda who: base64.b64encode(der(who)).decode(),
         "X-Forwarded-Client-Cert": in_header, "SSL_CLIENT_CERT": in_header, "X-Client-Verify": lambda who: "SUCCESS",
         "X-Client-Cert": in_header, "Client-Cert": sequence, "Client-Cert-Chain": sequence,
         "X_SSL_Client_Cert": in_header, "x-ssl-client-cert": in_header,
         "X-MS-Proxy": lambda who: "wap", "X-MS-Forwarded-Client-IP": lambda who: "203.0.113.9",
         "X-MS-Endpoint-Absolute-Path": lambda who: "/adfs/ls/"}


@pytest.mark.parametrize("name", WORDS)
def test_v1_a_strangers_word_counts_nothing_and_is_told(lab, stranger, alice, name):
    answer = stranger.hand_over(ALL, f"{name}: {WORDS[name](alice)}", client=None)
    assert nobody(answer)
    event = told(lab, outcome="warning", remote=stranger.address)
    assert name in event["why"] and stranger.address in event["why"]
    assert sum(each["event"] == "proxy" and each["remote"] == stranger.address for each in lab.events()) == 1


def test_v1_all_at_once_are_one_event(lab, stranger, alice):
    assert nobody(stranger.hand_over(ALL, *(f"{name}: {word(alice)}" for name, word in WORDS.items()), client=None))
    assert [each["outcome"] for each in lab.events() if each["event"] == "proxy" and each["remote"] == stranger.address] == ["warning"]


def test_v1_x_forwarded_for_is_too_ordinary_to_be_told(lab, stranger, alice):
    assert is_sign_in_page(stranger.begin(ALL, client="203.0.113.9, 10.0.0.1"))
    assert not [each for each in lab.events() if each["event"] == "proxy" and each["remote"] == stranger.address]


def test_v1_a_stranger_with_the_proxys_headers_is_inside_and_no_proxys_client(lab, stranger):
    answer = stranger.password(ALL, credentials(lab), "X-MS-Proxy: wap", f"{ADFS_HEADER}: 203.0.113.9", wfresh="0")
    found = claims(answer)
    assert found[INSIDE] == ["true"] and found[CONTEXT + "x-ms-client-ip"] == [stranger.address]
    assert CONTEXT + "x-ms-proxy" not in found and CONTEXT + "x-ms-forwarded-client-ip" not in found


def test_v1_her_own_certificate_counts_beside_a_header_that_names_another(lab, client, alice):
    answer = client.request(at(lab, "certificate", ALL, wfresh="0"), "--interface", "127.0.0.1", *alice.options(),
                            *headers(f"{OUR_HEADER}: {in_header(of_user(lab.user('bob')))}"))
    assert signed_in(answer)
    assert claims(client.get(at(lab, "main", ALL)))[UPN] == [lab.upn("alice")]


# V2: who a trusted proxy is --------------------------------------------------------------------------

def test_v2_the_right_address_with_another_certificate_or_none_is_a_stranger(behind, client, alice):
    for shown in ("other", None):
        forwarder = behind.forwarder(client, shown)
        answer = forwarder.password(ALL, credentials(behind.lab), f"{OUR_HEADER}: {in_header(alice)}", wfresh="0")
        assert claims(answer)[CONTEXT + "x-ms-client-ip"] == [EDGE] and claims(answer)[INSIDE] == ["true"]
        event = told(behind.lab, remote=EDGE, outcome="warning")
        assert "the proxy edge is at this address, but" in event["why"]


def test_v2_the_right_certificate_from_another_address_is_a_stranger(behind, client, alice):
    forwarder = behind.forwarder(client, "edge", MUTE)
    assert nobody(forwarder.hand_over(ALL, f"{OUR_HEADER}: {in_header(alice)}"))
    assert "the certificate of the proxy edge came from there" in told(behind.lab, remote=MUTE)["why"]


def test_v2_a_proxy_whose_certificate_has_expired_is_a_stranger_and_the_log_says_why(behind, client, alice):
    forwarder = behind.forwarder(client, "old", OLD)
    assert is_sign_in_page(forwarder.begin(ALL))
    assert "the proxy old is at this address, but its certificate has expired" in told(behind.lab, remote=OLD)["why"]
    assert nobody(forwarder.hand_over(ALL, f"{OUR_HEADER}: {in_header(alice)}"))


def test_v2_the_proxys_own_certificate_signs_nobody_in(make_behind, make_client, tmp_path):
    """Not even one that a CA we believe issued to somebody we know."""
    behind = make_behind("--no-lockout")
    lab, client = behind.lab, make_client(behind.lab)
    mine = Authority.of_lab(lab).issue(tmp_path / "mine", "mine", upn=lab.upn("alice"))
    assert signed_in(Forwarder(client, MUTE, mine).hand_over(ALL, client=None)), "it is hers until it is a proxy's"
    client.forget()
    set_setting(lab.settings_file, "trusted_proxies", json.dumps([
        {"name": "mine", "addresses": [EDGE], "certificate": str(mine.certificate), "client_address_header": "X-Forwarded-For"}]))
    lab.restart()
    for address in (EDGE, MUTE):
        assert nobody(Forwarder(client, address, mine).hand_over(ALL))
        form = Forwarder(client, address, mine).post(at(lab, "certificate", ALL), CERTIFICATE_FORM)
        assert nobody(form)


def test_v2_a_proxy_whose_certificate_may_not_sign_is_told_of(make_behind, make_client, tmp_path):
    """GnuTLS ends the handshake: nothing else could tell why the proxy gets no answer."""
    behind = make_behind("--no-lockout")
    lab, client = behind.lab, make_client(behind.lab)
    mute = behind.authority.issue(tmp_path / "mute", "mute", keyUsage="critical,keyEncipherment")
    with pytest.raises(subprocess.CalledProcessError):
        Forwarder(client, EDGE, mute).begin(ALL)
    event = lab.event_where(event="handshake", outcome="refused", remote=EDGE)
    assert "CN=mute" in event["why"] and "digitalSignature" in event["why"]


# V2: one certificate, one form -----------------------------------------------------------------------

def test_v2_one_escaped_certificate_signs_its_owner_in(lab, edge, alice):
    answer = edge.hand_over(ALL, f"{OUR_HEADER}: {in_header(alice)}")
    assert signed_in(answer) and answer.header("Location").startswith(URL + "/adfs/ls/?")
    event = told(lab, outcome="note", remote=CLIENT)
    assert event["why"] == f"through the proxy edge ({EDGE}), for {CLIENT}, with a certificate"
    assert claims(edge.begin(ALL))[UPN] == [lab.upn()]


def test_v2_a_structured_certificate_signs_its_owner_in(lab, rfc, alice):
    assert signed_in(rfc.hand_over(ALL, f"Client-Cert: {sequence(alice)}"))
    event = lab.event_where(event="sign-in", outcome="done", method="certificate")
    assert event["remote"] == CLIENT


def test_v2_a_chain_comes_along_in_one_line_or_two(behind, rfc):
    above = behind.authority.issue(behind.lab.folder / "above", "above", authority=True)
    leaf = Authority(above.certificate, above.key, [behind.authority.certificate]).issue(behind.lab.folder / "leaf", "leaf")
    root = base64.b64encode(ssl.PEM_cert_to_DER_cert(behind.authority.certificate.read_text())).decode()
    for lines in ([f"Client-Cert-Chain: {sequence(above)}, :{root}:"],
                  [f"Client-Cert-Chain: {sequence(above)}", f"Client-Cert-Chain: :{root}:"]):
        answer = rfc.hand_over(ALL, f"Client-Cert: {sequence(leaf)}", *lines)
        shown = dict(zip(answer.page.xpath("//*[@id='tls']/dt/text()"), answer.page.xpath("//*[@id='tls']/dd/bdi/text()")))
        assert refusal(answer) and shown["Certificates received: "] == "3" and shown["Handed over in: "] == "Client-Cert"
        assert shown["Came through the proxy: "] == f"rfc ({RFC})" and "Version: " not in shown


def test_v2_none_and_an_empty_header_are_no_certificate(edge, rfc):
    for answer in (edge.hand_over(ALL), edge.hand_over(ALL, f"{OUR_HEADER}:"), rfc.hand_over(ALL, "Client-Cert:")):
        assert nobody(answer)


ODD = {"twice": lambda who: [f"{OUR_HEADER}: {in_header(who)}"] * 2,
       "base64 of the DER": lambda who: [f"{OUR_HEADER}: {base64.b64encode(der(who)).decode()}"],
       "another form's": lambda who: [f"{OUR_HEADER}: {sequence(who)}"],
       "a whole chain": lambda who: [f"{OUR_HEADER}: {escaped(who.chain.read_text())}"],
       "garbage": lambda who: [f"{OUR_HEADER}: %ff%fe"],
       "a bad escape": lambda who: [f"{OUR_HEADER}: {in_header(who)}%zz"],
       "half of it": lambda who: [f"{OUR_HEADER}: {in_header(who)[:400]}"],
       "a spelling with '_'": lambda who: [f"X_SSL_Client_Cert: {in_header(who)}"],
       "a spelling beside it": lambda who: [f"{OUR_HEADER}: {in_header(who)}", "X-SSL_Client-Cert: x"]}
STRUCTURED = {"twice": lambda who: [f"Client-Cert: {sequence(who)}"] * 2,
              "a list": lambda who: [f"Client-Cert: {sequence(who)}, {sequence(who)}"],
              "escaped PEM": lambda who: [f"Client-Cert: {in_header(who)}"],
              "bare base64": lambda who: [f"Client-Cert: {sequence(who).strip(':')}"],
              "with a blank": lambda who: [f"Client-Cert: {sequence(who)[:60]} {sequence(who)[60:]}"],
              "a parameter": lambda who: [f"Client-Cert: {sequence(who)};a=1"],
              "a chain alone": lambda who: [f"Client-Cert-Chain: {sequence(who)}"],
              "a chain of nothing": lambda who: [f"Client-Cert: {sequence(who)}", "Client-Cert-Chain: , "],
              "a spelling with '_'": lambda who: [f"Client_Cert: {sequence(who)}"]}


@pytest.mark.parametrize("name", ODD)
def test_v2_any_other_form_is_refused(lab, edge, alice, name):
    answer = edge.hand_over(ALL, *ODD[name](alice))
    assert malformed_there(answer)
    assert OUR_HEADER in lab.event_where(event="request", outcome="refused", remote=EDGE)["why"]


@pytest.mark.parametrize("name", STRUCTURED)
def test_v2_any_other_form_of_client_cert_is_refused(rfc, alice, name):
    assert malformed_there(rfc.hand_over(ALL, *STRUCTURED[name](alice)))


def test_v2_a_header_of_100_kb_is_refused(lab, edge, alice, tmp_path):
    """curl is given it in a file: it is longer than an argument may be."""
    file = tmp_path / "header"
    file.write_text(f"{OUR_HEADER}: {in_header(alice)}{'%0A' * 33000}\n")
    answer = edge.client.request(at(lab, "certificate", ALL), *edge.options, *headers(f"X-Forwarded-For: {CLIENT}"), "-H", f"@{file}")
    assert answer.status == 431 and answer.set_cookie is None


def test_v2_on_the_main_port_no_certificate_is_handed_over(lab, edge, alice):
    answer = edge.begin(ALL, f"{OUR_HEADER}: {in_header(alice)}", client="203.0.113.21")
    assert is_sign_in_page(answer)
    event = told(lab, outcome="note", remote="203.0.113.21")
    assert event["detail"] == f"passed over: {OUR_HEADER}" and "certificate" not in event["why"]


def test_v2_on_a_certauth_name_it_is(lab, edge, alice):
    answer = edge.get(at(lab, certauth(lab), ALL), f"{OUR_HEADER}: {in_header(alice)}")
    assert claims(answer)[UPN] == [lab.upn()] and claims(answer)[INSIDE] == ["false"]


# V2: judged again -------------------------------------------------------------------------------------

def test_v2_what_is_handed_over_is_judged_like_any_other(make_behind, make_client, tmp_path):
    behind = make_behind("--no-lockout")
    lab, edge = behind.lab, behind.forwarder(make_client(behind.lab))
    ca, bob = Authority.of_lab(lab), of_user(lab.user("bob"))
    assert signed_in(edge.hand_over(ALL, f"{OUR_HEADER}: {in_header(bob)}", wfresh="0"))
    assert run("cert", "revoke", "bob", "-c", lab.settings_file).returncode == 0
    cases = {"revocation.revoked": bob, "time.expired": ca.issue(tmp_path / "a", "late", upn=lab.upn(), days=(-9, -1)),
             "chain.issuer-missing": behind.authority.issue(tmp_path / "b", "false", upn=lab.upn())}
    found = {}
    for code, identity in cases.items():
        answer = edge.hand_over(ALL, f"{OUR_HEADER}: {in_header(identity)}", wfresh="0")
        assert answer.status == 200 and answer.set_cookie is None and not is_token_page(answer)
        assert answer.text_of("openingMessage") == "Your certificate was not accepted"
        found[code] = refusal(answer)
    assert found == {code: code for code in cases}


# V2: TLS that is passed on ---------------------------------------------------------------------------

def test_v2_through_a_proxy_that_passes_tls_on_the_client_shows_it_herself(lab, client, alice):
    answer = client.request(at(lab, "certificate", ALL, wfresh="0"), "--interface", PASSES, *alice.options())
    assert signed_in(answer)
    assert "passes TLS on" in told(lab, remote=PASSES, outcome="note")["why"]


def test_v2_a_proxy_with_a_header_for_certificates_cannot_pass_tls_on_as_well(lab, client, alice):
    """Whoever shows none in TLS could write any into the header: it must not seem to work for those who do."""
    answer = client.request(at(lab, "certificate", ALL, wfresh="0"), "--interface", BARE, *alice.options())
    assert malformed_there(answer)
    assert "can forge that header" in lab.event_where(event="request", outcome="refused", remote=BARE)["why"]


def test_v2_through_a_proxy_that_passes_tls_on_nobody_says_whose_request_it_is(lab, client):
    for line in (f"X-Forwarded-For: {CLIENT}", f"X_Forwarded_For: {CLIENT}"):
        assert malformed_there(client.request(at(lab, "certificate", ALL), "--interface", PASSES, *headers(line)))


def test_v2_a_certificate_in_tls_and_one_in_a_header_are_refused(lab, client, alice):
    for address, line in ((BARE, f"{OUR_HEADER}: {in_header(alice)}"), (BARE, f"X-Forwarded-For: {CLIENT}"),
                          (PASSES, f"X-Forwarded-For: {CLIENT}")):
        assert malformed_there(client.request(at(lab, "certificate", ALL), "--interface", address, *alice.options(), *headers(line)))


def test_v2_a_proxy_known_by_its_address_hands_over_too(lab, client, alice):
    bare = Forwarder(client, BARE)
    assert signed_in(bare.hand_over(ALL, f"{OUR_HEADER}: {in_header(alice)}"))


# V3 and V4: whose request it is ------------------------------------------------------------------------

@pytest.mark.parametrize("lines", [["X_Forwarded_For: 203.0.113.9"], ["X-Forwarded-For: 203.0.113.9", "X_Forwarded_For: 1.2.3.4"],
                                   ["X-Forwarded-For: 203.0.113.9", "x-forwarded-for: 1.2.3.4"]])
def test_v3_two_channels_are_refused(edge, lines):
    assert malformed(edge.begin(ALL, *lines, client=None))


def test_v3_case_is_no_spelling_and_a_trailing_blank_is_no_name(lab, edge):
    assert is_sign_in_page(edge.begin(ALL, "X-FORWARDED-for: 203.0.113.22", client=None))
    assert told(lab, outcome="note", remote="203.0.113.22")
    assert malformed(edge.begin(ALL, "X-Forwarded-For : 203.0.113.22", client=None))


@pytest.mark.parametrize("value", [None, "", "unknown", "203.0.113.9,", "203.0.113.9, _hidden", "203.0.113.999", "fe80::1%eth0"])
def test_v4_a_proxy_that_does_not_say_whose_request_it_is_is_refused(lab, edge, value):
    answer = edge.begin(ALL, *([] if value is None else [f"X-Forwarded-For:{' ' * bool(value)}{value}"]), client=None)
    assert malformed(answer)
    event = lab.event_where(event="request", outcome="refused", remote=EDGE)
    assert "the proxy edge does not say whose request it is" in event["why"] and "configuration" in event["why"]


@pytest.mark.parametrize("value,meant", [("198.51.100.1, 203.0.113.31", "203.0.113.31"), ("203.0.113.32:5060", "203.0.113.32"),
                                         ("2001:DB8:0::31", "2001:db8::31"), ("[2001:db8::32]:443", "2001:db8::32"),
                                         ("::ffff:203.0.113.33", "203.0.113.33")])
def test_v4_only_the_last_hop_counts_in_either_family(lab, edge, value, meant):
    assert is_sign_in_page(edge.begin(ALL, client=value))
    assert told(lab, outcome="note", remote=meant)["why"] == f"through the proxy edge ({EDGE}), for {meant}"


def test_v4_a_proxy_may_come_by_ipv6(behind, client, alice):
    six = behind.forwarder(client, "six", SIX)
    assert signed_in(six.hand_over(ALL, f"{OUR_HEADER}: {in_header(alice)}", client="2001:db8::66"))
    assert told(behind.lab, remote="2001:db8::66")["why"].startswith(f"through the proxy six ({SIX}), for 2001:db8::66")


def test_v4_wrong_passwords_are_counted_for_whose_they_are(make_behind, make_client):
    behind = make_behind(extranet_lockout_threshold=100, extranet_lockout_threshold_familiar_location=100,
                         extranet_lockout_threshold_address=3)
    lab, edge = behind.lab, behind.forwarder(make_client(behind.lab))
    stranger = Forwarder(edge.client, "127.0.7.250")

    def guess(forwarder, client, password="wrong"):
        forwarder.client.forget()
        return signed_in(forwarder.password(FIRST, credentials(lab, password=password), client=client))
    for number in range(3):
        assert not guess(stranger, f"203.0.113.{100 + number}")
    assert not guess(stranger, "203.0.113.110", None), "his own address is counted, whatever he says"
    for _ in range(3):
        assert not guess(edge, "203.0.113.50")
    assert not guess(edge, "203.0.113.50", None) and not guess(edge, "198.51.100.7, 203.0.113.50", None)
    assert guess(edge, "203.0.113.51", None), "others behind the same proxy are not touched"
    event = lab.event_where(event="sign-in", outcome="refused", remote="203.0.113.50")
    assert event["method"] == "password"


# What it comes to --------------------------------------------------------------------------------------

def test_tokens_say_that_it_came_from_outside(lab, edge):
    found = claims(edge.password(ALL, credentials(lab), "X-MS-Proxy: forged", "X-MS-Endpoint-Absolute-Path: /forged",
                                 "X-MS-Client-Application: a program", wfresh="0"))
    assert found[INSIDE] == ["false"] and found[CONTEXT + "x-ms-proxy"] == ["edge"]
    assert found[CONTEXT + "x-ms-forwarded-client-ip"] == [CLIENT] and found[CONTEXT + "x-ms-client-ip"] == [CLIENT]
    assert found[CONTEXT + "x-ms-endpoint-absolute-path"] == ["/adfs/ls/"]
    assert found[CONTEXT + "x-ms-client-application"] == ["a program"]


def test_a_proxy_that_speaks_as_ad_fs_does_is_quoted(behind, client):
    wap = behind.forwarder(client, "wap", WAP, header=ADFS_HEADER)
    found = claims(wap.password(ALL, credentials(behind.lab), "X-MS-Proxy: WAP7", "X-MS-Endpoint-Absolute-Path: /adfs/ls/x",
                                wfresh="0"))
    assert found[CONTEXT + "x-ms-proxy"] == ["WAP7"] and found[CONTEXT + "x-ms-endpoint-absolute-path"] == ["/adfs/ls/x"]
    assert malformed(wap.begin(ALL, "X-MS-Proxy: a", "X-MS-Proxy: b"))


def test_a_program_is_not_quoted_where_no_proxy_is(lab, stranger):
    found = claims(stranger.password(ALL, credentials(lab), "X-MS-Client-Application: a program", wfresh="0"))
    assert CONTEXT + "x-ms-client-application" not in found


def test_behind_a_load_balancer_everybody_is_inside(behind, client):
    balancer = behind.forwarder(client, "balancer", BALANCER)
    found = claims(balancer.password(ALL, credentials(behind.lab), wfresh="0"))
    assert found[INSIDE] == ["true"] and found[CONTEXT + "x-ms-client-ip"] == [CLIENT]
    assert CONTEXT + "x-ms-proxy" not in found and CONTEXT + "x-ms-forwarded-client-ip" not in found


def test_wstrust_tokens_say_the_same(lab, edge):
    body = message("2005", ALL, user=lab.user())
    answer = edge.post(lab.main + path("2005"), body.encode(), TYPE)
    found = Reply(answer).token.claims
    assert found[INSIDE] == ["false"] and found[CONTEXT + "x-ms-proxy"] == ["edge"]
    assert found[CONTEXT + "x-ms-forwarded-client-ip"] == [CLIENT]


def test_the_extranets_list_holds_for_them(make_behind, make_client, tmp_path):
    behind = make_behind("--no-lockout", primary_extranet_authentication_providers="[FormsAuthentication]")
    lab, client = behind.lab, make_client(behind.lab)
    edge, balancer = behind.forwarder(client), behind.forwarder(client, "balancer", BALANCER)
    alice = of_user(lab.user())
    assert not edge.begin(ALL).page.xpath("//form[@id='options']")
    assert balancer.begin(ALL).page.xpath("//form[@id='options']")
    answer = edge.hand_over(ALL, f"{OUR_HEADER}: {in_header(alice)}", wauth=TLS_METHOD)
    assert answer.status == 200 and "MSIS7102" in answer.text and answer.set_cookie is None
    assert signed_in(balancer.hand_over(ALL, f"{OUR_HEADER}: {in_header(alice)}"))


def test_the_page_leads_to_the_proxys_own_ports_and_watches_nothing(edge, lab):
    answer = edge.password(ALL, {"AuthMethod": "CertificateAuthentication"})
    form = answer.page.xpath("//form[@id='certificateForm']")[0]
    assert form.get("action").startswith(CERTIFICATE_URL + "/adfs/ls/?")
    policy = answer.header("Content-Security-Policy")
    assert f"form-action 'self' {CERTIFICATE_URL} {URL};" in policy + ";"
    assert not answer.page.xpath("//*[@id='waiting']") and not answer.page.xpath("//noscript")
    direct = Forwarder(edge.client, MUTE).password(ALL, {"AuthMethod": "CertificateAuthentication"}, client=None)
    assert direct.page.xpath("//*[@id='waiting']") and len(direct.page.xpath("//noscript")) == 2


def test_a_post_from_the_proxys_own_origin_is_ours(edge, lab):
    assert signed_in(edge.password(FIRST, credentials(lab), f"Origin: {URL}"))
    edge.client.forget()
    assert edge.password(FIRST, credentials(lab), "Origin: https://evil.test").status == 400


def test_the_activity_tells_it(lab, client, edge):
    edge.begin(ALL, client="203.0.113.77")
    listed = json.loads(client.get("/lanyard/api/activity").text)
    found = [each for each in listed["activities"] if each["remote"] == "203.0.113.77"]
    assert len(found) == 1
    story = client.get("/lanyard/activity", {"id": found[0]["id"]})
    assert f"through the proxy edge ({EDGE}), for 203.0.113.77" in story.text_of("events")


# Who is asked for a certificate on the main port (decision 15) ------------------------------------------

def shake_hands(lab, address, *options):
    """Whether a certificate was asked for, the names that were sent, and whether a ticket came."""
    end = f"[::1]:{lab.port()}" if address == SIX else f"127.0.0.1:{lab.port()}"
    bind = [] if address == SIX else ["-bind", address]
    request = b"GET /lanyard/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    said = subprocess.run(["openssl", "s_client", "-connect", end, *bind, "-servername", "localhost", "-msg", "-CAfile",
                           lab.root_certificate, "-ign_eof", *options], input=request, capture_output=True, timeout=20)
    text = said.stdout.decode(errors="replace")
    named = text.partition("Acceptable client certificate CA names\n")[2].partition("\n---")[0]
    names = [line for line in named.splitlines() if " = " in line]
    return "CertificateRequest" in text, names, "NewSessionTicket" in text


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_only_where_a_proxy_is_does_the_main_port_ask(lab, version):
    named = {f"CN = {name}" for name in ("edge", "rfc", "old", "balancer", "wap", "six")}
    for address in (EDGE, RFC, SIX):
        asks, names, ticket = shake_hands(lab, address, version)
        assert (asks, set(names), ticket) == (True, named, False), names
    for address in ("127.0.0.1", MUTE, BARE, PASSES):
        asks, names, ticket = shake_hands(lab, address, version)
        assert not asks and names == [] and ticket


def test_a_proxys_handshake_is_nobodys_who_waits(lab, client, edge, alice):
    """The client's address is its own, and the proxy's is nobody's: neither is told that its browser was asked."""
    for address in (CLIENT, EDGE):
        answer = edge.password(ALL, {"AuthMethod": "CertificateAuthentication"}, client=address)
        ticket = answer.page.xpath("//input[@name='Ticket']/@value")[0]
        assert nobody(edge.hand_over(ALL, client=address))
        assert edge.get(f"/lanyard/api/certificate?ticket={ticket}", client=address).text == "early"
