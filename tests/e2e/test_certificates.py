"""Signing in by X.509 certificate: the port, the names beneath certauth.localhost, what comes of it."""
import re
import ssl
import subprocess

import pytest

from conftest import FIRST, FIRST_REPLY, SECOND
from support.certificates import (CERTIFICATE_FORM, TLS_METHOD, at, certauth, post, refusal, show,
                                  sign_in_by_certificate)
from support.curl import Client
from support.identity import Authority, of_user
from support.lab import FREE_PORTS, Lab, run
from support.settings import set_setting
from support.sign_in import PASSWORD_METHOD, TokenPage, credentials, is_sign_in_page, is_token_page, request_for, sign_in
from support.tokens import Token

SERIAL = "http://schemas.microsoft.com/ws/2008/06/identity/claims/serialnumber"
ISSUER = "http://schemas.microsoft.com/2012/12/certificatecontext/field/issuer"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
EKU = "http://schemas.microsoft.com/2012/12/certificatecontext/extension/eku"
REFERENCES = "http://schemas.microsoft.com/claims/authnmethodsreferences"
SENTENCE = ("No valid client certificate found in the request. No valid certificates found in the user's certificate "
            "store. Please try again choosing a different authentication method.")


@pytest.fixture(scope="module")
def ca(lab):
    return Authority.of_lab(lab)


@pytest.fixture
def alice(lab):
    return of_user(lab.user())


# The pages on the way ----------------------------------------------------------------------------

def test_the_sign_in_page_offers_it(client):
    answer = client.get("/adfs/ls/", request_for(FIRST))
    option = answer.page.xpath("//form[@id='options']")[0]
    assert option.xpath(".//*[@id='CertificateAuthentication']")[0].text_content() == "Sign in using an X.509 certificate"
    assert option.get("action").endswith(f"wa=wsignin1.0&wtrealm={FIRST.replace(':', '%3A')}")
    assert option.xpath(".//input[@name='AuthMethod']/@value") == ["CertificateAuthentication"]


def test_the_option_leads_to_a_page_that_sends_the_browser_away(client, lab):
    query = request_for(FIRST, wctx="a&b")
    answer = client.post("/adfs/ls/", {"AuthMethod": "CertificateAuthentication"}, query)
    assert answer.status == 200
    assert answer.text_of("instruction") == ("Select a certificate that you want to use for authentication. If you cancel "
                                             "the operation, please close your browser and try again.")
    form = answer.page.xpath("//form[@id='certificateForm']")[0]
    start, _, rest = form.get("action").partition("/adfs/ls/?client-request-id=")
    assert start == lab.ready["certificate"] and "wctx=a%26b" in rest
    fields = {each.get("name"): each.get("value") for each in form.xpath(".//input")}
    assert fields.pop("Ticket") and fields == CERTIFICATE_FORM
    other = answer.page.xpath("//a[@id='otherOptions']")[0]
    assert other.text_content() == "Sign-in with other options" and is_sign_in_page(client.get(other.get("href")))
    assert f"form-action 'self' {lab.ready['certificate']}" in answer.header("Content-Security-Policy")


def test_wauth_for_a_certificate_leads_there_at_once(client):
    answer = client.get("/adfs/ls/", request_for(FIRST, wauth=TLS_METHOD))
    assert answer.page.xpath("//form[@id='certificateForm']") and not answer.page.xpath("//a[@id='otherOptions']")


def test_prompt_login_as_entra_translates_it_offers_no_certificate(client, alice):
    """PromptLoginBehavior: wauth=password and wfresh=0 shut certificates out, and nothing takes one then"""
    asked = {"wauth": PASSWORD_METHOD, "wfresh": "0"}
    assert not client.get("/adfs/ls/", request_for(FIRST, **asked)).page.xpath("//form[@id='options']")
    answer = client.post("/adfs/ls/", {"AuthMethod": "CertificateAuthentication"}, request_for(FIRST, **asked))
    assert answer.status == 500 and "MSIS7102" in answer.text
    answer = show(client, FIRST, alice, **asked)
    assert "MSIS7102" in answer.text and answer.set_cookie is None


# Signing in ----------------------------------------------------------------------------------------

def test_a_certificate_signs_in_and_the_main_port_knows(client, alice, lab):
    answer = post(client, FIRST, alice, wctx="state")
    assert answer.status == 302 and answer.location.startswith(lab.main + "/adfs/ls/?")
    value, attributes = answer.set_cookie
    assert value and attributes["httponly"] and "domain" not in attributes
    page = TokenPage(client.get(answer.location))
    assert page.action == FIRST_REPLY and page.wctx == "state"
    token = Token(page.wresult)
    assert token.one("//saml:AuthenticationStatement").get("AuthenticationMethod") == TLS_METHOD


def test_the_same_address_can_be_opened_there_directly(client, alice):
    answer = show(client, FIRST, alice)
    assert answer.status == 302 and is_token_page(client.get(answer.location))


def test_a_session_by_certificate_serves_other_parties_and_is_not_one_by_password(client, alice):
    sign_in_by_certificate(client, FIRST, alice)
    assert is_token_page(client.get("/adfs/ls/", request_for(SECOND)))
    assert is_token_page(client.get("/adfs/ls/", request_for(SECOND, wauth=TLS_METHOD)))
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(SECOND, wauth=PASSWORD_METHOD)))


def test_wfresh_asks_again_and_the_answer_is_the_token(client, alice):
    sign_in_by_certificate(client, FIRST, alice)
    answer = show(client, FIRST, alice, wfresh="0")
    assert answer.status == 200 and is_token_page(answer) and answer.set_cookie


def test_the_name_on_the_main_port_gives_the_token_at_once_and_no_cookie(client, alice, lab):
    """Its cookies are not the main name's."""
    answer = show(client, FIRST, alice, origin=certauth(lab))
    assert is_token_page(answer) and answer.set_cookie is None


def test_serial_number_and_issuer_arrive_in_the_token(client, alice, lab):
    answer = sign_in_by_certificate(client, "urn:federation:MicrosoftOnline", alice)
    claims = Token(TokenPage(answer).wresult).claims
    serial = subprocess.run(["openssl", "x509", "-in", alice.certificate, "-noout", "-serial"], check=True,
                            capture_output=True, text=True).stdout.strip().partition("=")[2]
    assert [value.lstrip("0") for value in claims[SERIAL]] == [serial.lstrip("0")]
    assert len(claims[ISSUER]) == 1 and re.fullmatch(r"CN=lanyard lab Issuing CA \w+, O=lanyard lab", claims[ISSUER][0])


def test_who_got_another_name_keeps_the_certificate(fresh_lab, make_client):
    """C7: the SID says whose it is; the name in it is nobody's now"""
    client, identity = make_client(fresh_lab), of_user(fresh_lab.user())
    file = fresh_lab.folder / "users" / "alice.yaml"
    file.write_text(file.read_text().replace("alice@lab.test", "alice.married@lab.test"))
    fresh_lab.stop()
    fresh_lab.start([])
    answer = sign_in_by_certificate(client, FIRST, identity)
    assert Token(TokenPage(answer).wresult).claims[UPN] == ["alice.married@lab.test"]


def test_certificate_claims_are_for_those_who_showed_one(client, lab):
    """C15: no header or form makes a password a certificate"""
    forged = ["-H", "X-SSL-Client-Cert: x", "-H", "Client-Cert: :eA==:", "-H", "X-ARR-ClientCert: x"]
    form = {**credentials(lab), "thumbprint": "x", "RetrieveCertificate": "1"}
    answer = client.post("/adfs/ls/", form, request_for("urn:federation:MicrosoftOnline"), *forged)
    claims = Token(TokenPage(client.get(answer.location)).wresult).claims
    assert SERIAL not in claims and ISSUER not in claims and EKU not in claims


@pytest.mark.parametrize("with_chain", [False, True])
@pytest.mark.parametrize("key", ["rsa", "p256", "p384", "ed25519"])
def test_keys_of_every_kind_sign_in(client, ca, tmp_path, key, with_chain):
    identity = ca.issue(tmp_path, key, key=key, upn="bob@lab.test")
    assert is_token_page(sign_in_by_certificate(client, FIRST, identity, with_chain=with_chain))


# Refused ---------------------------------------------------------------------------------------------

def refused(answer, code):
    assert answer.status == 200 and refusal(answer) == code, (answer.status, refusal(answer))
    assert answer.set_cookie is None and answer.text_of("errorText") == SENTENCE
    return answer


def test_without_a_certificate_a_page_says_so(client):
    """T4"""
    answer = refused(show(client, FIRST, None), "none")
    assert answer.text_of("openingMessage") == "No certificate came"
    assert "showed no certificate" in answer.text_of("reason") and answer.text_of("activityId")
    assert answer.page.xpath("//form[@id='retryForm']") and answer.page.xpath("//a[@id='otherOptions']")


def test_a_stranger_is_told_that_nobody_knows_the_authority(client, lab, tmp_path):
    """K2: with the name of a CA that is known, too"""
    for name in ("Nobody's CA", "lanyard lab Issuing CA"):
        identity = Authority.stranger(tmp_path / name, name).issue(tmp_path / "leaf", "eve", upn="alice@lab.test")
        answer = show(client, FIRST, identity, with_chain=True)
        assert answer.status == 200 and refusal(answer).startswith("chain.") and answer.set_cookie is None


@pytest.mark.parametrize("days, code", [((-30, -1), "time.expired"), ((1, 30), "time.not-yet-valid")])
def test_a_certificate_out_of_its_time_is_refused(client, ca, tmp_path, days, code):
    """K1, T4"""
    refused(show(client, FIRST, ca.issue(tmp_path, "late", upn="alice@lab.test", days=days)), code)


@pytest.mark.parametrize("eku", ["serverAuth", "codeSigning"])
def test_a_certificate_for_another_purpose_is_refused(client, ca, tmp_path, eku):
    """K4"""
    answer = show(client, FIRST, ca.issue(tmp_path, "other", upn="alice@lab.test", extendedKeyUsage=eku))
    assert refusal(answer).startswith("usage.") and answer.set_cookie is None


def test_an_authority_is_no_person(client, ca, tmp_path):
    """K5"""
    identity = ca.issue(tmp_path, "ca", upn="alice@lab.test", basicConstraints="critical,CA:TRUE",
                        keyUsage="critical,digitalSignature,keyCertSign")
    assert show(client, FIRST, identity).set_cookie is None


def test_a_good_certificate_of_nobody_is_told_apart(client, ca, tmp_path):
    answer = refused(show(client, FIRST, ca.issue(tmp_path, "zoe", upn="zoe@lab.test")), "account.none")
    assert answer.text_of("openingMessage") == "Your certificate was not accepted"
    assert "belongs to no account" in answer.text_of("reason")
    assert "zoe@lab.test" in answer.text_of("mapping")
    assert re.search('Put "sha256:[0-9A-F]{64}" under certificates in the file of the user', answer.text_of("mappingCure"))


def test_the_page_draws_the_path_and_names_what_is_missing(client, ca, tmp_path):
    """K3: an intermediate that nobody sent, and the server does not have"""
    middle = ca.issue(tmp_path / "middle", "middle", subject="/CN=Middle CA", authority=True)
    leaf = Authority(middle.certificate, middle.key).issue(tmp_path / "leaf", "alice", upn="alice@lab.test")
    answer = refused(show(client, FIRST, leaf), "chain.issuer-missing")
    links = answer.page.xpath("//ol[@id='path']/li")
    assert [link.get("class") for link in links] == [None, "failed"]
    assert "CN=alice" in links[0].text_content() and "CN=Middle CA" in links[1].text_content()
    assert "did not" not in answer.text_of("reason") and "issuing authority" in answer.text_of("advice")
    assert "Certificates received" in answer.text_of("tls")


def test_what_was_noticed_is_in_the_log_and_in_the_activity(client, lab, ca, tmp_path):
    answer = show(client, FIRST, ca.issue(tmp_path, "late", upn="alice@lab.test", days=(-30, -1)))
    event = lab.event_where(event="sign-in", activity_id=answer.text_of("activityId"))
    assert event["code"] == "time.expired" and event["user"] == "CN=late" and event["outcome"] == "refused"
    story = client.get(f"/lanyard/activity?id={answer.text_of('activityId')}").text
    assert "time.expired" in story and "CN=late" in story


@pytest.mark.parametrize("origin", ["certificate", "certauth"])
def test_whatever_goes_wrong_there_is_a_page_with_status_200(client, alice, lab, origin):
    """Decision 6: Safari answers an error by asking again and again"""
    where = lab.ready["certificate"] if origin == "certificate" else f"https://{certauth(lab)}"
    for query in ("", "?wa=wsignin1.0&wtrealm=urn:nobody", "?wa=wsignin1.0&wtrealm=urn:nobody&wtrealm=b"):
        assert client.request(f"{where}/adfs/ls/{query}", *alice.options()).status == 200


def test_nothing_else_answers_there(client, alice, lab):
    for where in (lab.ready["certificate"], f"https://{certauth(lab)}"):
        for path in ("/", "/lanyard/rp", "/lanyard/activity", "/adfs/probe", "/lanyard/health"):
            assert client.request(where + path, *alice.options()).status == 404


# Another try -------------------------------------------------------------------------------------------

def retry_form(answer):
    form = answer.page.xpath("//form[@id='retryForm']")[0]
    return form.get("action"), {each.get("name"): each.get("value") for each in form.xpath(".//input")}


def test_each_further_try_has_a_name_that_is_fresh(client, alice):
    first, second = (retry_form(show(client, FIRST, None))[0] for _ in range(2))
    assert first.split("/")[2] != second.split("/")[2]
    assert re.fullmatch(r"https://r[0-9a-f]{16}\.certauth\.localhost:\d+/adfs/ls/\?.*", first)


def test_a_further_try_signs_in(client, alice):
    address, form = retry_form(show(client, FIRST, None))
    browser = ["-H", "Sec-Fetch-Site: cross-site", "-H", f"Origin: {client.lab.ready['certificate']}"]
    assert is_token_page(client.post(address, form, None, *alice.options(), *browser))


# Who may post there ---------------------------------------------------------------------------------------

EVIL = ["-H", "Origin: https://evil.test", "-H", "Sec-Fetch-Site: cross-site"]


@pytest.mark.parametrize("origin", ["certificate", "certauth"])
def test_a_post_from_another_site_signs_nobody_in(client, alice, lab, origin):
    """S2"""
    where = "certificate" if origin == "certificate" else certauth(lab)
    answer = post(client, FIRST, alice, *EVIL, origin=where)
    assert "Another website" in answer.text and answer.set_cookie is None and not is_token_page(answer)


def test_the_ticket_of_the_page_lets_one_post_through(client, alice, lab):
    """Decision 4: browsers call certauth.localhost another site than localhost"""
    page = client.post("/adfs/ls/", {"AuthMethod": "CertificateAuthentication"}, request_for(FIRST)).page
    ticket = {"Ticket": page.xpath("//input[@name='Ticket']/@value")[0]}
    cross = ["-H", f"Origin: {lab.main}x", "-H", "Sec-Fetch-Site: cross-site"]
    assert not is_token_page(post(client, FIRST, alice, *cross, form={"Ticket": "0" * 32}, origin=certauth(lab)))
    assert is_token_page(post(client, FIRST, alice, *cross, form=ticket, origin=certauth(lab)))
    assert not is_token_page(post(client, FIRST, alice, *cross, form=ticket, origin=certauth(lab)))


def test_a_password_is_taken_on_the_main_port_alone(client, lab):
    answer = client.request(at(lab, "certificate", FIRST), "--data", "UserName=alice%40lab.test&Password=x")
    assert "MSIS7102" in answer.text and answer.set_cookie is None


# TLS ------------------------------------------------------------------------------------------------------

def s_client(lab, port, name, *options):
    finished = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-CAfile",
                               lab.root_certificate, *options], input=b"", capture_output=True, timeout=20)
    return finished.stdout.decode(errors="replace") + finished.stderr.decode(errors="replace")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_only_the_certificate_port_and_its_names_ask(lab, version):
    """T3"""
    def asks(port, name):
        return "CertificateRequest" in s_client(lab, port, name, version, "-msg")

    assert not asks(lab.port(), "localhost")
    assert asks(lab.port("certificate"), "localhost")
    assert asks(lab.port(), "certauth.localhost") and asks(lab.port(), "rabc.certauth.localhost")
    assert not asks(lab.port(), "xcertauth.localhost") and not asks(lab.port(), "certauth.localhost.evil.test")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_no_ticket_lets_a_certificate_session_be_resumed(lab, version, tmp_path):
    """T2: the next connection is asked again"""
    for port, name, resumes in ((lab.port(), "localhost", True), (lab.port("certificate"), "localhost", False),
                                (lab.port(), "certauth.localhost", False)):
        said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, version,
                               "-CAfile", lab.root_certificate, "-ign_eof"],
                              input=f"GET /adfs/probe HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode(),
                              capture_output=True, timeout=20).stdout.decode(errors="replace")
        assert ("TLS session ticket:" in said) == resumes, (port, name)


def test_the_names_of_no_ca_are_sent_unless_they_are_wanted(make_lab):
    lab = make_lab()
    assert "No client certificate CA names sent" in s_client(lab, lab.port("certificate"), "localhost")
    wanted = {"roots": ({"Root"}, {"Issuing"}), "issuing": ({"Issuing"}, {"Root"}), "all": ({"Root", "Issuing"}, set())}
    for setting, (there, not_there) in wanted.items():
        set_setting(lab.settings_file, "ca_names", setting)
        lab.signal(1)
        lab.event_where(event="reload", outcome="done")
        lab.wait_for(lambda: all(f"lanyard lab {name} CA" in (said := s_client(lab, lab.port("certificate"), "localhost"))
                                 for name in there) and not any(f"lanyard lab {name} CA" in
                                                                said.partition("Acceptable")[2].partition("---")[0]
                                                                for name in not_there))


def test_the_name_of_the_handshake_is_the_name_of_the_request(client, alice, lab):
    """T7"""
    answer = client.request(at(lab, "certificate", FIRST), "-H", "Host: certauth.localhost", *alice.options())
    assert answer.status == 421


def test_a_kept_connection_is_its_certificates(client, lab, alice, tmp_path):
    """T6: bob's cookie on alice's connection changes nothing about whose certificate it is"""
    other = Client(lab)
    sign_in(other, FIRST, "bob")
    address = at(lab, "certificate", FIRST, wfresh="0")
    answers = subprocess.run(["curl", "-sS", "--cacert", lab.root_certificate, *alice.options(), address, "--next", "-sS",
                              "--cacert", lab.root_certificate, *alice.options(), "-H", f"Cookie: MSISAuth={other.cookie()}",
                              address], check=True, capture_output=True, text=True).stdout
    other.close()
    names = re.findall(r"alice@lab\.test|bob@lab\.test", answers)
    assert names and set(names) == {"alice@lab.test"}


def test_a_long_chain_in_any_order_is_no_trouble(client, lab, ca, tmp_path):
    """T5"""
    identity = ca.issue(tmp_path / "leaf", "alice", upn="alice@lab.test")
    stranger = Authority.stranger(tmp_path / "x")
    noise = [stranger.issue(tmp_path / f"n{i}", f"n{i}").certificate.read_text() for i in range(12)]
    above = [each.read_text() for each in reversed(ca.above)]
    identity.chain.write_text("".join([identity.certificate.read_text(), *noise[:6], *above, *noise[6:]] + noise * 4))
    assert is_token_page(sign_in_by_certificate(client, FIRST, identity, with_chain=True))


def test_a_large_certificate_is_read_or_refused_in_time(client, ca, tmp_path):
    """T5: 60 kB"""
    identity = ca.issue(tmp_path, "big", upn="alice@lab.test", nsComment="x" * 45000)
    assert show(client, FIRST, identity).status in (200, 302)


def test_who_does_not_hold_the_key_gets_nowhere(lab, tmp_path, ca, alice):
    """The certificate is public; TLS asks for a signature by its key."""
    context = lab.tls_context()
    stranger = ca.issue(tmp_path, "eve")
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(alice.certificate, stranger.key)


def test_the_line_on_the_terminal_works_when_it_is_pasted(tmp_path):
    finished = run("init", tmp_path / "lab", *FREE_PORTS)
    line = finished.stderr.partition("And by certificate\n")[2].partition("\n\n")[0]
    lab = Lab(tmp_path / "lab", ports=())
    try:
        answer = subprocess.run(["bash", "-c", line], check=True, capture_output=True, text=True).stdout
        assert 'name="wresult"' in answer and lab.event_where(event="sign-in", method="certificate")["user"] == "alice"
    finally:
        lab.stop()
