"""A certificate as the second factor after a password: by rules, by wauth, and whatever must not pass for it."""
import json
from datetime import timedelta

import pytest
from selenium.webdriver.common.by import By

from support.browser import chromium, own, policy_breaches, shown, trust
from support.certificates import at, certauth, refusal, show
from support.identity import Authority, of_user
from support.lab import free_port, run
from support.settings import party, set_setting, write_parties
from support.sign_in import TokenPage, credentials, is_sign_in_page, is_token_page, request_for, sign_in
from support.tokens import Token, time_of
from support.webkit import display
from support.wstrust import ask
from test_certificate_browsers import PASSWORD as PKCS12_PASSWORD
from test_certificate_browsers import asked, choose, wait_for_refusal

MS = "http://schemas.microsoft.com/ws/2008/06/identity/"
REFERENCES = "http://schemas.microsoft.com/claims/authnmethodsreferences"
MULTIPLE = "http://schemas.microsoft.com/claims/multipleauthn"
EITHER = "http://schemas.microsoft.com/claims/wiaormultiauthn"
INSTANT = "http://schemas.microsoft.com/ws/2017/04/identity/claims/multifactorauthenticationinstant"
PASSWORD, TLS = MS + "authenticationmethod/password", MS + "authenticationmethod/tlsclient"
SERIAL = MS + "claims/serialnumber"
STRICT, FREE = "urn:test:strict", "urn:test:free"
DEMAND = f'=> issue(Type = "{MS}claims/authenticationmethod", Value = "{MULTIPLE}");\n'
GREETING = "For security reasons, we require additional information to verify your account."


@pytest.fixture
def serve(make_lab):
    def make(providers="[CertificateAuthentication]", **more):
        lab = make_lab("--no-loop-detection", "--extranet-port", free_port())
        for name, text in (("all", "c:[] => issue(claim = c);\n"), ("strict", DEMAND)):
            (lab.folder / "rules" / f"{name}.rules").write_text(text)
        write_parties(lab.settings_file, [
            party("Strict", STRICT, "https://strict.test/", issuance_transform_rules="rules/all.rules",
                  additional_authentication_rules="rules/strict.rules"),
            party("Free", FREE, "https://free.test/", issuance_transform_rules="rules/all.rules")])
        for key, value in {"additional_authentication_providers": providers, **more}.items():
            set_setting(lab.settings_file, key, value)
        lab.restart()
        return lab
    return make


@pytest.fixture
def lab(serve):
    return serve()


@pytest.fixture
def client(lab, make_client):
    return make_client(lab)


@pytest.fixture
def alice(lab):
    return of_user(lab.user())


def asked_for_more(answer):
    """Where the page that asks for a second factor leads, and what it posts there."""
    assert answer.status == 200 and answer.text_of("mfaGreeting") == GREETING, answer.text
    assert not answer.page.xpath("//a[@id='otherOptions']")
    form = answer.page.xpath("//form[@id='certificateForm']")[0]
    return form.get("action"), {each.get("name"): each.get("value") for each in form.xpath(".//input")}


def give(client, answer, identity):
    """What comes of it: the code is brought to where the session is, in place of the cookies that curl would send."""
    action, fields = asked_for_more(answer)
    answer = client.post(action, fields, None, *(identity.options() if identity else []))
    assert answer.set_cookie is None
    return client.get(answer.location) if answer.status == 302 else answer


def retry(answer):
    """Where the page of a refusal lets another certificate be tried, and what it posts there."""
    form = answer.page.xpath("//form[@id='retryForm']")[0]
    return form.get("action"), {each.get("name"): each.get("value") for each in form.xpath(".//input")}


@pytest.fixture(params=["port", "name"])
def asked_at(request, lab):
    """asked_at(answer): the same at the certificate port, or under a name whose requests bring no cookie."""
    def ask_at(answer):
        action, fields = asked_for_more(answer)
        return action if request.param == "port" else action.replace(lab.ready["certificate"], f"https://{certauth(lab)}"), fields
    return ask_at


def references(answer):
    return Token(TokenPage(answer).wresult).claims.get(REFERENCES)


def told(lab, answer):
    """That no token came, and MSIS7102 did."""
    return "MSIS7102" in answer.text and not is_token_page(answer) and answer.set_cookie is None


def test_rules_ask_for_a_certificate_after_the_password_and_the_token_tells_both(lab, client, alice):
    answer = give(client, sign_in(client, STRICT), alice)
    assert references(answer) == [PASSWORD, TLS, MULTIPLE] and answer.set_cookie
    token = Token(TokenPage(answer).wresult)
    assert token.claims[SERIAL]
    assert token.one("//saml:AuthenticationStatement").get("AuthenticationMethod") == "urn:oasis:names:tc:SAML:1.0:am:password"
    assert lab.event_where(event="second-factor")["outcome"] == "done"


def test_the_session_remembers_it_and_the_old_one_is_gone(lab, client, alice):
    answer = sign_in(client, STRICT)
    before = client.cookie()
    give(client, answer, alice)
    assert client.cookie() != before
    assert references(client.get("/adfs/ls/", request_for(STRICT))) == [PASSWORD, TLS, MULTIPLE]
    assert is_token_page(client.get("/adfs/ls/", request_for(FREE, wauth=MULTIPLE)))
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(STRICT, wfresh="0")))
    stale = client.request(lab.main + "/adfs/ls/?wa=wsignin1.0&wtrealm=" + FREE, "--cookie", f"MSISAuth={before}", cookies=False)
    assert is_sign_in_page(stale)


def test_what_the_relying_party_keeps_in_its_context_may_be_long(lab, client, alice):
    context = "x" * 5000
    answer = give(client, sign_in(client, STRICT, wctx=context), alice)
    assert references(answer) == [PASSWORD, TLS, MULTIPLE] and TokenPage(answer).wctx == context


def test_wauth_asks_for_it_where_no_rule_does(lab, client, alice):
    assert references(sign_in(client, FREE)) == [PASSWORD]
    client.forget()
    query = {"wauth": MULTIPLE}
    page = client.get("/adfs/ls/", request_for(FREE, **query))
    assert is_sign_in_page(page) and not page.page.xpath("//form[@id='options']"), "the password comes first"
    assert references(give(client, sign_in(client, FREE, **query), alice)) == [PASSWORD, TLS, MULTIPLE]


def test_with_wfresh_the_password_comes_first_each_time_and_the_token_at_once(lab, client, alice):
    query = request_for(STRICT, wfresh="0")
    answer = client.post("/adfs/ls/", credentials(lab), query)
    assert references(give(client, answer, alice)) == [PASSWORD, TLS, MULTIPLE]
    asked_for_more(client.post("/adfs/ls/", credentials(lab), query))


def test_a_factor_does_not_make_the_password_any_younger(lab, client, alice):
    first = Token(TokenPage(sign_in(client, FREE)).wresult).authentication_instant
    token = Token(TokenPage(give(client, client.get("/adfs/ls/", request_for(STRICT)), alice)).wresult)
    assert token.authentication_instant == first


def test_the_token_tells_when_the_second_factor_was_shown(lab, client, alice):
    first = Token(TokenPage(sign_in(client, FREE)).wresult)
    assert INSTANT not in first.claims
    lab.move_clock("+5m")
    token = Token(TokenPage(give(client, client.get("/adfs/ls/", request_for(STRICT)), alice)).wresult)
    assert timedelta(minutes=5) <= time_of(token.claims[INSTANT][0]) - first.authentication_instant < timedelta(minutes=6)
    again = Token(TokenPage(client.get("/adfs/ls/", request_for(FREE))).wresult)
    assert again.claims[INSTANT] == token.claims[INSTANT]


def lifetimes(lab):
    """When the only session there is began, and when it ends."""
    sessions = json.loads(run("session", "list", "--json", "-c", lab.settings_file).stdout)["sessions"]
    assert len(sessions) == 1
    return tuple(sessions[0][name] for name in ("signed_in_at", "expires_at"))


@pytest.mark.parametrize("ticked", [True, False])
def test_the_session_ends_when_it_would_have_in_a_cookie_of_the_same_kind(serve, make_client, ticked):
    lab = serve(kmsi_enabled="true", kmsi_lifetime=1440, sso_lifetime=60)
    client = make_client(lab)
    form = {**credentials(lab), **({"Kmsi": "true"} if ticked else {})}
    assert ("max-age" in client.post("/adfs/ls/", form, request_for(FREE)).set_cookie[1]) == ticked
    before = lifetimes(lab)
    lab.move_clock("+30m")
    attributes = give(client, client.get("/adfs/ls/", request_for(STRICT)), of_user(lab.user())).set_cookie[1]
    assert lifetimes(lab) == before
    assert ("max-age" in attributes) == ticked
    if ticked:
        assert (1440 - 31) * 60 < int(attributes["max-age"]) <= (1440 - 30) * 60
    lab.move_clock("+61m")
    assert is_token_page(client.get("/adfs/ls/", request_for(STRICT))) == ticked
    lab.move_clock("+1441m")
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(STRICT)))


def test_the_operator_sees_that_it_was_shown(lab, client, alice):
    def listed(*words):
        return run("session", "list", "-c", lab.settings_file, *words).stdout

    sign_in(client, FREE)
    assert json.loads(listed("--json"))["sessions"][0]["second_factor_at"] is None and "password " in listed()
    give(client, client.get("/adfs/ls/", request_for(STRICT)), alice)
    session, = json.loads(listed("--json"))["sessions"]
    assert session["method"] == "password" and session["second_factor_at"] > session["signed_in_at"]
    assert " password+certificate 20" in listed()


def test_signing_out_reaches_whoever_was_visited_before_the_second_factor(lab, client, alice):
    sign_in(client, FREE)
    give(client, client.get("/adfs/ls/", request_for(STRICT)), alice)
    frames = client.get("/adfs/ls/", {"wa": "wsignout1.0"}).page.xpath("//iframe/@src")
    assert sorted(each.split("?")[0] for each in frames) == ["https://free.test/", "https://strict.test/"]


# Where it is asked for --------------------------------------------------------------------------------

def test_it_follows_the_alternate_binding_and_the_session_remembers_it(serve, make_client):
    lab = serve(alternate_tls_client_binding="true")
    client, alice = make_client(lab), of_user(lab.user())
    answer = sign_in(client, STRICT, wctx="a&b")
    assert asked_for_more(answer)[0].startswith(f"https://{certauth(lab)}/adfs/ls/?")
    answer = give(client, answer, alice)
    assert references(answer) == [PASSWORD, TLS, MULTIPLE] and TokenPage(answer).wctx == "a&b" and answer.set_cookie
    assert is_token_page(client.get("/adfs/ls/", request_for(STRICT)))
    assert is_token_page(client.get("/adfs/ls/", request_for(FREE, wauth=MULTIPLE)))


@pytest.mark.parametrize("fresh", [{"wfresh": "0"}, {"prompt": "login"}])
def test_with_everything_asked_anew_the_token_comes_all_the_same(lab, client, alice, asked_at, fresh):
    query = request_for(STRICT, mfa_max_age="0", **fresh)
    action, fields = asked_at(client.post("/adfs/ls/", credentials(lab), query))
    assert is_token_page(client.get(client.post(action, fields, None, *alice.options()).location))


def test_what_was_shown_counts_once_and_with_its_session_alone(lab, client, make_client, alice, asked_at):
    """Whoever lures somebody to a ticket of theirs has that person's browser bring the code, and not their own."""
    action, fields = asked_at(sign_in(client, STRICT))
    lured = make_client(lab)
    sign_in(lured, FREE)
    address = lured.post(action, fields, None, *alice.options()).location
    answer = lured.get(address)
    assert answer.status == 302 and address.startswith(answer.location + "&") and answer.set_cookie is None
    asked_for_more(lured.get(answer.location))
    assert client.get(address).status == 302, "it is spent"
    asked_for_more(client.get("/adfs/ls/", request_for(STRICT)))
    answer = client.post(action, fields, None, *alice.options())
    assert answer.status == 302 and "lanyard-second-factor" not in answer.location, "and so is its ticket"
    asked_for_more(client.get(answer.location))
    assert lab.event_where(event="second-factor", outcome="refused")


def test_the_code_is_of_its_request_alone(lab, client, alice, asked_at):
    for change in (lambda url: url.replace(STRICT.replace(":", "%3A"), FREE.replace(":", "%3A")),
                   lambda url: url.replace("&lanyard", "&wctx=1&lanyard"), lambda url: url[:-1], lambda url: url + "0"):
        action, fields = asked_at(sign_in(client, STRICT, wfresh="5"))
        answer = client.get(change(client.post(action, fields, None, *alice.options()).location))
        assert answer.status == 302 and answer.set_cookie is None and "lanyard-second-factor" not in answer.location
    asked_for_more(client.get("/adfs/ls/", request_for(STRICT)))


@pytest.mark.parametrize("before, behind", [("lanyard-second-factor=x&", ""), ("", "&lanyard-second-factor=x&wctx=y")])
def test_a_code_s_name_before_the_end_is_one_like_any_other(lab, client, alice, before, behind):
    address = f"/adfs/ls/?{before}wa=wsignin1.0&wtrealm={STRICT}{behind}"
    answer = client.get(client.post(address, credentials(lab)).location)
    assert references(give(client, answer, alice)) == [PASSWORD, TLS, MULTIPLE]


def test_without_the_session_what_was_shown_is_worth_nothing(lab, client, make_client, alice, asked_at):
    action, fields = asked_at(sign_in(client, STRICT))
    address = client.post(action, fields, None, *alice.options()).location
    nobody = make_client(lab)
    assert is_sign_in_page(nobody.get(nobody.get(address).location))
    action, fields = asked_at(client.get("/adfs/ls/", request_for(STRICT)))
    address = client.post(action, fields, None, *alice.options()).location
    kept = json.loads(run("session", "list", "--json", "-c", lab.settings_file).stdout)["sessions"]
    assert run("session", "end", kept[0]["id"], "-c", lab.settings_file).returncode == 0
    assert is_sign_in_page(client.get(client.get(address).location)), "it was ended meanwhile"
    answer = client.post(action, fields, None, *alice.options())
    assert answer.status == 302 and is_sign_in_page(client.get(answer.location))


@pytest.mark.parametrize("wrong, code", [("bob", "account.other"), (None, "none")])
def test_a_refusal_lets_another_certificate_be_tried_for_the_same_errand(lab, client, alice, wrong, code):
    answer = give(client, sign_in(client, STRICT, wctx="kept"), of_user(lab.user(wrong)) if wrong else None)
    assert refusal(answer) == code and not answer.page.xpath("//a[@id='otherOptions']")
    again = answer.page.xpath("//a[@id='startAgain']/@href")[0]
    assert again.startswith(lab.main) and asked_for_more(client.get(again))
    action, fields = retry(answer)
    assert "certauth.localhost" in action
    assert refusal(client.post(action, fields, None, *of_user(lab.user("bob")).options())) == "account.other"
    answer = client.get(client.post(action, fields, None, *alice.options()).location)
    assert references(answer) == [PASSWORD, TLS, MULTIPLE] and TokenPage(answer).wctx == "kept"


def test_without_fresh_names_a_refusal_leads_back_to_where_it_is_asked_for(serve, make_client):
    lab = serve(certificate_retry_names="false")
    client = make_client(lab)
    answer = give(client, sign_in(client, STRICT), None)
    assert refusal(answer) == "none" and not answer.page.xpath("//form[@id='retryForm']") and answer.text_of("retryAdvice")
    again = client.get(answer.page.xpath("//a[@id='startAgain']/@href")[0])
    assert references(give(client, again, of_user(lab.user()))) == [PASSWORD, TLS, MULTIPLE]


def test_the_page_of_a_browser_that_never_arrived_is_of_the_same_errand(lab, client, alice):
    page = sign_in(client, STRICT).page
    story = client.get(page.xpath("//*[@id='waiting']/@data-story")[0])
    action, fields = retry(story)
    assert is_token_page(client.get(client.post(action, fields, None, *alice.options()).location))


# How old it may be ------------------------------------------------------------------------------------

def test_mfa_max_age_asks_for_the_second_factor_again_and_not_for_the_password(lab, client, alice):
    give(client, sign_in(client, STRICT), alice)
    lab.move_clock("+10m")
    assert is_token_page(client.get("/adfs/ls/", request_for(STRICT, mfa_max_age="660")))
    query = request_for(STRICT, mfa_max_age="600")
    first = Token(TokenPage(client.get("/adfs/ls/", request_for(STRICT))).wresult)
    token = Token(TokenPage(give(client, client.get("/adfs/ls/", query), alice)).wresult)
    assert token.authentication_instant == first.authentication_instant
    assert time_of(token.claims[INSTANT][0]) - time_of(first.claims[INSTANT][0]) > timedelta(minutes=9)
    assert is_token_page(client.get("/adfs/ls/", query)), "the session remembers that it is young again"


def test_with_mfa_max_age_0_it_is_asked_for_each_time_and_each_time_once(lab, client, alice):
    query = request_for(FREE, wauth=MULTIPLE, mfa_max_age="0")
    assert references(give(client, sign_in(client, FREE, wauth=MULTIPLE, mfa_max_age="0"), alice)) == [PASSWORD, TLS, MULTIPLE]
    for _ in range(2):
        assert is_token_page(give(client, client.get("/adfs/ls/", query), alice))
    assert is_token_page(client.get("/adfs/ls/", request_for(FREE, wauth=MULTIPLE)))
    both = request_for(STRICT, mfa_max_age="0", wfresh="0")
    assert is_sign_in_page(client.get("/adfs/ls/", both)), "the password first"
    assert is_token_page(give(client, client.post("/adfs/ls/", credentials(lab), both), alice))


def test_mfa_max_age_demands_nothing_by_itself(lab, client, alice):
    assert references(sign_in(client, FREE, mfa_max_age="0")) == [PASSWORD]
    client.forget()
    assert show(client, FREE, alice, mfa_max_age="0").status == 302
    assert is_token_page(client.get("/adfs/ls/", request_for(FREE, mfa_max_age="0")))


@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "+1", "0x1"])
def test_an_mfa_max_age_that_is_no_number_is_refused_as_wfresh_is(lab, client, value):
    assert client.get("/adfs/ls/", request_for(FREE, mfa_max_age=value)).status == 400
    assert client.get("/adfs/ls/", request_for(FREE, mfa_max_age="")).status == 200
    assert client.get("/adfs/ls/?wa=wsignin1.0&wtrealm=" + FREE + "&mfa_max_age=1&mfa_max_age=2").status == 400


# wiaormultiauthn ---------------------------------------------------------------------------------------

def read_as(lab, client, answer):
    """What the newest decision says of wauth."""
    listed = json.loads(client.get("/lanyard/api/activity").text)["activities"]
    stories = (json.loads(client.get(f"/lanyard/api/activity/{each['id']}").text) for each in listed)
    return next(event["detail"] for story in stories for event in story["events"] if event["event"] == "decision")


def test_wiaormultiauthn_is_any_way_of_signing_in_inside(lab, client, make_client, alice):
    query = request_for(FREE, wauth=EITHER)
    page = client.get("/adfs/ls/", query)
    assert is_sign_in_page(page) and page.page.xpath("//form[@id='options']"), "certificates as well"
    assert references(sign_in(client, FREE, wauth=EITHER)) == [PASSWORD]
    assert "wiaormultiauthn is any way of signing in" in read_as(lab, client, page)
    other = make_client(lab)
    assert references(other.get(show(other, FREE, alice, wauth=EITHER).location)) == [TLS]


def test_wiaormultiauthn_is_two_factors_from_the_extranet(lab, client, alice):
    sign_in(client, FREE, wauth=EITHER)
    answer = client.get(at(lab, "extranet", FREE, wauth=EITHER))
    asked_for_more(answer)
    assert "wiaormultiauthn is multipleauthn" in read_as(lab, client, answer)
    assert references(give(client, answer, alice)) == [PASSWORD, TLS, MULTIPLE]
    client.forget()
    assert not client.get(at(lab, "extranet", FREE, wauth=EITHER)).page.xpath("//form[@id='options']"), "the password first"
    show(client, FREE, alice)
    assert is_sign_in_page(client.get(at(lab, "extranet", FREE, wauth=EITHER))), "a certificate alone is not enough"


def test_wiaormultiauthn_from_the_extranet_without_a_second_factor_is_refused(serve, make_client):
    lab = serve(providers="[]")
    client = make_client(lab)
    assert told(lab, client.get(at(lab, "extranet", FREE, wauth=EITHER)))
    assert is_token_page(sign_in(client, FREE, wauth=EITHER))


# What must not pass -----------------------------------------------------------------------------------

def test_another_person_s_certificate_is_no_second_factor(lab, client):
    answer = give(client, sign_in(client, STRICT), of_user(lab.user("bob")))
    assert refusal(answer) == "account.other" and answer.set_cookie is None and not is_token_page(answer)
    asked_for_more(client.get("/adfs/ls/", request_for(STRICT)))


def test_no_certificate_is_no_second_factor(lab, client):
    answer = give(client, sign_in(client, STRICT), None)
    assert refusal(answer) == "none" and not is_token_page(answer)


def test_a_certificate_that_came_first_is_not_the_second_as_well(lab, client, alice):
    answer = show(client, STRICT, alice)
    assert told(lab, client.get(answer.location))
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(FREE, wauth=MULTIPLE)))


def test_without_the_ticket_it_is_another_first_factor(lab, client, alice):
    action, fields = asked_for_more(sign_in(client, STRICT))
    del fields["Ticket"]
    answer = client.post(action, fields, None, *alice.options())
    assert answer.status == 302 and told(lab, client.get(answer.location))


def test_the_ticket_is_of_its_request_alone(lab, client, alice):
    action, fields = asked_for_more(sign_in(client, STRICT))
    assert told(lab, client.post(action + "&wfresh=0", fields, None, *alice.options())), "an older password for a fresh one"
    assert told(lab, client.post(action.replace("strict", "free"), fields, None, *alice.options()))
    assert is_token_page(client.get(client.post(action, fields, None, *alice.options()).location)), "it was good all along"


def test_a_certificate_that_is_revoked_takes_its_session_with_it(lab, client, alice):
    """S10: also where it was the second factor."""
    give(client, sign_in(client, STRICT), alice)
    assert is_token_page(client.get("/adfs/ls/", request_for(STRICT)))
    assert run("cert", "revoke", "alice", "-c", lab.settings_file).returncode == 0
    lab.wait_for(lambda: is_sign_in_page(client.get("/adfs/ls/", request_for(STRICT))))


@pytest.mark.parametrize("providers", ["[]", None], ids=["empty", "absent"])
def test_without_a_provider_a_demand_is_refused(serve, make_client, providers):
    lab = serve(providers="null" if providers is None else providers)
    client = make_client(lab)
    assert told(lab, sign_in(client, STRICT)) and is_token_page(client.get("/adfs/ls/", request_for(FREE)))
    assert told(lab, client.get("/adfs/ls/", request_for(FREE, wauth=MULTIPLE)))


def test_ws_trust_knows_no_second_factor(lab, client):
    reply = ask(client, "2005", STRICT)
    assert reply.status == 500 and "RequestedSecurityToken" not in reply.text
    assert ask(client, "2005", FREE).status == 200


def test_it_is_allowed_where_the_network_allows_certificates_no_first_place(serve, make_client):
    lab = serve(primary_extranet_authentication_providers="[FormsAuthentication]")
    client, alice = make_client(lab), of_user(lab.user())
    answer = client.post(at(lab, "extranet", STRICT), credentials(lab))
    answer = give(client, client.get(answer.location), alice)
    claims = Token(TokenPage(answer).wresult).claims
    assert claims[REFERENCES] == [PASSWORD, TLS, MULTIPLE]
    assert claims["http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"] == ["false"]


@pytest.mark.parametrize("value", ["[FormsAuthentication]", "CertificateAuthentication", "[[CertificateAuthentication]]"])
def test_a_list_that_names_anything_else_is_refused(made, value):
    set_setting(made / "lanyard.yaml", "additional_authentication_providers", value)
    finished = run("check", "-c", made / "lanyard.yaml")
    assert finished.returncode == 1 and "additional_authentication_providers" in finished.stderr


# Chromium ---------------------------------------------------------------------------------------------

ROWS = {"bob": 0, "alice": 1}  # as Chromium lists them: the longest life first


def shown_factors(lab):
    return [event for event in lab.events() if event["event"] == "second-factor"]


@pytest.mark.parametrize("alternate", ["false", "true"], ids=["port", "name"])
def test_in_chromium_a_wrong_certificate_is_followed_by_the_right_one_and_the_token(serve, tmp_path, alternate):
    """By its own dialogue; the first is asked for on the port or under the name, the second under a fresh name, and
    the code brings it back to the session, through the policies of both pages."""
    lab = serve(alternate_tls_client_binding=alternate)
    write_parties(lab.settings_file, [party("Own", STRICT, f"{lab.main}/lanyard/rp", issuance_transform_rules="rules/all.rules",
                                            additional_authentication_rules="rules/strict.rules")])
    lab.restart()
    database = trust(tmp_path, lab.root_certificate)
    for name, days in (("bob", 800), ("alice", 600)):
        identity = Authority.of_lab(lab).issue(tmp_path / name, name, upn=lab.upn(name), days=(-1, days))
        own(database, identity.pkcs12(PKCS12_PASSWORD), PKCS12_PASSWORD)
    with display() as name:
        driver = chromium(tmp_path, lab.root_certificate, shown_on=name)
        try:
            driver.get(at(lab, "main", STRICT))
            shown(driver, By.ID, "userNameInput").send_keys(lab.upn())
            driver.find_element(By.ID, "passwordInput").send_keys(lab.user()["password"])
            before = asked(lab)
            driver.find_element(By.ID, "submitButton").click()
            choose(lab, name, ROWS["bob"], before, shown_factors)
            assert wait_for_refusal(driver)[0] == "account.other"
            before = asked(lab)
            driver.find_element(By.ID, "retryButton").click()
            choose(lab, name, ROWS["alice"], before, shown_factors)
            assert shown(driver, By.ID, "verdict").text == "Signed in"
            assert lab.upn() in driver.page_source and MULTIPLE in driver.page_source and not policy_breaches(driver)
            driver.get(at(lab, "main", STRICT))
            assert shown(driver, By.ID, "verdict") and len(shown_factors(lab)) == 3, "the session remembers it"
        finally:
            driver.quit()
    assert [event["outcome"] for event in shown_factors(lab)] == ["refused", "note", "done"]
