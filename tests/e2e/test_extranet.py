"""Two networks: what each allows, what tokens say of it, and that a sign-in stays in the one it began in."""
import json
import os
import subprocess
import time

import pytest
from selenium.webdriver.common.by import By

from conftest import FIRST
from support.browser import chromium, own, policy_breaches, shown, trust
from support.certificates import CERTIFICATE_FORM, TLS_METHOD, at, certauth, post, show
from support.identity import of_user
from support.lab import free_port
from support.settings import party, set_setting, write_parties
from support.sign_in import (PASSWORD_METHOD, TokenPage, credentials, is_sign_in_page, is_token_page, request_for, sign_in)
from support.tokens import Token
from support.webkit import display

CONTEXT = "http://schemas.microsoft.com/2012/01/requestcontext/claims/"
INSIDE = "http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"
ALL = "urn:test:all"
REFUSED = "Certificate sign-in is not allowed for the extranet"
MSIS7102 = "MSIS7102: Requested Authentication Method is not supported on the STS."
FORMS, CERTIFICATE = "FormsAuthentication", "CertificateAuthentication"


@pytest.fixture
def serve(make_lab):
    """serve(extranet=[…], intranet=[…]): a lab with an extranet, whose lists are those."""
    def make(**lists):
        lab = make_lab("--extranet-port", free_port(), "--no-loop-detection")
        rules = lab.folder / "rules"
        (rules / "all.rules").write_text("c:[] => issue(claim = c);\n")
        write_parties(lab.settings_file, [party("All", ALL, "https://all.test/", issuance_transform_rules="rules/all.rules",
                                                issuance_authorization_rules="rules/permit-everyone.rules")])
        for network, providers in lists.items():
            set_setting(lab.settings_file, f"primary_{network}_authentication_providers", f"[{', '.join(providers)}]")
        lab.restart()
        return lab
    return make


@pytest.fixture
def both(serve):
    return serve()


@pytest.fixture
def guarded(serve):
    """Certificates from inside only, as is usual."""
    return serve(extranet=[FORMS])


def outside(lab, realm=ALL, **more):
    return at(lab, "extranet", realm, **more)


def context(answer):
    """What the token says of the network: (inside, proxy, forwarded address)."""
    claims = Token(TokenPage(answer).wresult).claims
    return tuple(claims.get(name, [None])[0] for name in (INSIDE, CONTEXT + "x-ms-proxy", CONTEXT + "x-ms-forwarded-client-ip"))


def refused_there(answer, status=500):
    return answer.status == status and REFUSED in answer.text and MSIS7102 in answer.text and answer.set_cookie is None


# What tokens say -----------------------------------------------------------------------------------

def test_a_password_from_either_network_is_told_apart_in_the_token(both, make_client):
    inside, client = make_client(both), make_client(both)
    assert context(sign_in(inside, ALL)) == ("true", None, None)
    answer = client.post(outside(both), credentials(both))
    assert answer.status == 302 and answer.location == outside(both)
    network, proxy, address = context(client.get(answer.location))
    assert (network, proxy) == ("false", "localhost") and address in ("127.0.0.1", "::1")


def test_a_session_moves_with_its_browser_and_the_network_is_that_of_the_request(both, make_client):
    client = make_client(both)
    assert context(sign_in(client, ALL))[0] == "true"
    assert context(client.get(outside(both)))[0] == "false"
    assert context(client.get("/adfs/ls/", request_for(ALL)))[0] == "true"


def test_no_header_makes_an_outsider_or_an_insider(both, make_client):
    client = make_client(both)
    answer = client.post("/adfs/ls/", credentials(both), request_for(ALL, wfresh="0"), "-H", "X-MS-Proxy: proxy",
                         "-H", "X-MS-Forwarded-Client-IP: 192.0.2.7")
    assert context(answer) == ("true", None, None)
    answer = client.post(outside(both, wfresh="0"), credentials(both), None, "-H", "X-MS-Forwarded-Client-IP: 10.0.0.1")
    assert context(answer)[0] == "false" and context(answer)[2] != "10.0.0.1"


# A certificate sign-in stays where it began ----------------------------------------------------------

def select_form(client, lab, **more):
    answer = client.post(outside(lab, **more), {"AuthMethod": CERTIFICATE})
    form = answer.page.xpath("//form[@id='certificateForm']")[0]
    policy = answer.header("Content-Security-Policy")
    assert lab.ready["extranet"] in policy and lab.main not in policy.replace(lab.ready["extranet"], "")
    return form.get("action"), {each.get("name"): each.get("value") for each in form.xpath(".//input")}


def test_a_certificate_shown_for_the_extranet_signs_in_there(both, make_client):
    client, alice = make_client(both), of_user(both.user())
    action, fields = select_form(client, both)
    assert action.startswith(both.ready["certificate"])
    answer = client.post(action, fields, None, "-H", f"Origin: {both.ready['extranet']}", *alice.options())
    assert answer.status == 302 and answer.location.startswith(both.ready["extranet"] + "/adfs/ls/?")
    assert context(client.get(answer.location))[:2] == ("false", "localhost")


def test_on_a_name_of_its_own_the_token_says_so_at_once(both, make_client):
    client, alice = make_client(both), of_user(both.user())
    _, fields = select_form(client, both)
    ticket = {"Ticket": fields["Ticket"]}
    assert context(post(client, ALL, alice, form=ticket, origin=certauth(both)))[0] == "false"
    assert context(post(client, ALL, alice, origin=certauth(both)))[0] == "true"


def test_a_retry_is_still_from_the_extranet(both, make_client):
    client, alice = make_client(both), of_user(both.user())
    action, fields = select_form(client, both)
    page = client.post(action, fields).page
    retry = page.xpath("//form[@id='retryForm']")[0]
    assert page.xpath("//a[@id='otherOptions']/@href")[0].startswith(both.ready["extranet"])
    fields = {each.get("name"): each.get("value") for each in retry.xpath(".//input")}
    assert context(client.post(retry.get("action"), fields, None, *alice.options()))[0] == "false"


# What a network does not allow -----------------------------------------------------------------------

def test_the_page_offers_only_what_the_network_allows(guarded, make_client):
    client = make_client(guarded)
    assert client.get("/adfs/ls/", request_for(ALL)).page.xpath("//form[@id='options']")
    answer = client.get(outside(guarded))
    assert is_sign_in_page(answer) and not answer.page.xpath("//form[@id='options']")
    assert client.post(outside(guarded), credentials(guarded)).status == 302


def test_a_certificate_that_the_extranet_does_not_allow_is_refused_in_so_many_words(guarded, make_client):
    client, alice = make_client(guarded), of_user(guarded.user())
    assert refused_there(client.get(outside(guarded, wauth=TLS_METHOD)))
    assert refused_there(client.post(outside(guarded), {"AuthMethod": CERTIFICATE}))
    event = guarded.event_where(event="request", code="MSIS7102")
    assert "certificate sign-in is not allowed for the extranet" in event["why"]
    assert is_token_page(client.get(show(client, ALL, alice).location)), "inside it is allowed"


def test_nor_is_it_taken_where_certificates_are_asked_for(guarded, serve, make_client):
    """A ticket of the extranet, from a time when it allowed them."""
    client, alice = make_client(guarded), of_user(guarded.user())
    set_setting(guarded.settings_file, "primary_extranet_authentication_providers", f"[{FORMS}, {CERTIFICATE}]")
    guarded.restart()
    _, fields = select_form(client, guarded)
    set_setting(guarded.settings_file, "primary_extranet_authentication_providers", f"[{FORMS}]")
    guarded.signal(1)
    guarded.event_where(event="reload", outcome="done")
    for origin in ("certificate", certauth(guarded)):
        assert refused_there(post(client, ALL, alice, form={"Ticket": fields["Ticket"]}, origin=origin), 200)
        assert refused_there(post(client, ALL, alice, form={"Ticket": "0" * 32}, origin=origin), 200), "unknown: no insider"
    assert post(client, ALL, alice).status == 302


def test_where_only_certificates_are_allowed_no_password_is_taken(serve, make_client):
    lab = serve(extranet=[CERTIFICATE], intranet=[FORMS])
    client, alice = make_client(lab), of_user(lab.user())
    answer = client.get(outside(lab))
    assert answer.page.xpath("//form[@id='certificateForm']") and not answer.page.xpath("//a[@id='otherOptions']")
    answer = client.post(outside(lab), credentials(lab))
    assert answer.status == 500 and MSIS7102 in answer.text and answer.set_cookie is None
    answer = show(client, ALL, alice)
    assert answer.status == 200 and MSIS7102 in answer.text and REFUSED not in answer.text
    assert answer.set_cookie is None, "inside it is passwords"
    assert context(sign_in(client, ALL))[0] == "true"


# wauth x wfresh x session x network -------------------------------------------------------------------

TABLE = [  # wauth, wfresh, session, extranet: what comes, from inside and from outside where certificates are not allowed
    (None, None, None, "password", "password"),
    (None, None, "password", "token", "token"),
    (None, None, "certificate", "token", "token"),
    (None, "0", "password", "password", "password"),
    (None, "0", "certificate", "password", "password"),
    (None, "60", "certificate", "token", "token"),
    (PASSWORD_METHOD, None, None, "password", "password"),
    (PASSWORD_METHOD, None, "password", "token", "token"),
    (PASSWORD_METHOD, None, "certificate", "password", "password"),
    (PASSWORD_METHOD, "0", "password", "password", "password"),
    (PASSWORD_METHOD, "0", "certificate", "password", "password"),
    (TLS_METHOD, None, None, "certificate", "refused"),
    (TLS_METHOD, None, "password", "certificate", "refused"),
    (TLS_METHOD, None, "certificate", "token", "refused"),
    (TLS_METHOD, "60", "certificate", "token", "refused"),
    (TLS_METHOD, "0", "certificate", "certificate", "refused"),
    ("urn:federation:authentication:windows", None, "password", "msis7102", "msis7102"),
]


def what_came(answer):
    if is_token_page(answer):
        return "token"
    if is_sign_in_page(answer):
        return "password"
    if refused_there(answer):
        return "refused"
    if answer.status == 500 and MSIS7102 in answer.text:
        return "msis7102"
    return "certificate" if answer.page.xpath("//form[@id='certificateForm']") else answer.text


def test_every_case_of_the_table(guarded, make_client):
    """One lab for all of them, and a line that names the case."""
    alice, wrong = of_user(guarded.user()), []
    sessions = {None: make_client(guarded), "password": make_client(guarded), "certificate": make_client(guarded)}
    assert is_token_page(sign_in(sessions["password"], FIRST))
    assert show(sessions["certificate"], FIRST, alice).status == 302
    for wauth, wfresh, session, *expected in TABLE:
        query = {"wauth": wauth, "wfresh": wfresh}
        found = [what_came(sessions[session].get(at(guarded, origin, ALL, **query))) for origin in ("main", "extranet")]
        if found != expected:
            wrong.append((wauth, wfresh, session, expected, found))
    assert wrong == []


def test_the_deciding_line_is_in_the_journal(guarded, make_client):
    client = make_client(guarded)
    sign_in(client, ALL)
    client.get(outside(guarded, wfresh="0"))
    page = client.get("/lanyard/api/activity").text
    assert "https, of the extranet" in page


# Chromium ---------------------------------------------------------------------------------------------

def extranet_tokens(lab, client):
    """The activities of the extranet's port that ended with a token."""
    listed = json.loads(client.get("/lanyard/api/activity").text)
    return [each for each in listed["activities"] if each["port"] == "https, of the extranet" and each["token_id"]]


def test_chromium_goes_to_the_certificate_port_and_comes_back_to_the_extranet(make_lab, make_client, tmp_path):
    """The form leads to another origin, and from there a redirect to a third: the policies let both pass."""
    lab = make_lab("--extranet-port", free_port())
    home, user = tmp_path / "home", lab.user()
    own(trust(home, lab.root_certificate), user["pkcs12"], user["pkcs12_password"])
    mine = next(each for each in lab.ready["relying_parties"] if each["reply"].startswith(lab.main))
    with display() as name:
        driver = chromium(home, lab.root_certificate, shown_on=name)
        try:
            driver.get(outside(lab, mine["realm"]))
            shown(driver, By.ID, "CertificateAuthentication").click()
            lab.event_where(event="handshake")
            time.sleep(2)  # the browser's own dialogue, which no driver reaches
            subprocess.run(["xdotool", "key", "Return"], env={**os.environ, "DISPLAY": name}, check=True)
            assert shown(driver, By.ID, "verdict").text == f"Signed in as {lab.upn()}"
            assert not policy_breaches(driver)
        finally:
            driver.quit()
    assert extranet_tokens(lab, make_client(lab))


def test_without_the_port_there_is_no_extranet(made, make_lab):
    lab = make_lab()
    assert lab.ready["extranet"] is None
