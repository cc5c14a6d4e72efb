"""Browser sign-in by WS-Federation, as scripts and browsers see it (protocol.md 1, 2 and 9)."""
import re

import pytest

from conftest import FIRST, FIRST_REPLY, SECOND, SECOND_REPLY
from support.settings import party, write_parties
from support.sign_in import (PASSWORD_METHOD, TokenPage, credentials, is_sign_in_page, is_token_page, request_for,
                             sign_in)
from support.tokens import Token

WRONG_PASSWORD = "Incorrect user ID or password. Type the correct user ID and password, and try again."
ACTIVITY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CERTIFICATE_METHODS = ["urn:ietf:rfc:2246", "urn:oasis:names:tc:SAML:1.0:am:X509-PKI",
                       "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient",
                       "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tlsclient"]
PASSWORD_METHODS = [PASSWORD_METHOD, "urn:oasis:names:tc:SAML:1.0:am:password",
                    "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"]


def activity_id_of(answer):
    return ACTIVITY_ID.search(answer.text_of("errorDetails") or answer.text).group()


# The sign-in page ------------------------------------------------------------------------------

def test_the_sign_in_page_has_the_ids_and_names_that_scripts_look_for(client):
    page = client.get("/adfs/ls/", request_for(FIRST)).page
    form = page.get_element_by_id("loginForm")
    assert form.tag == "form" and form.get("method").lower() == "post"
    for identifier in ("fullPage", "brandingWrapper", "contentWrapper", "content", "header", "workArea", "authArea",
                       "loginArea", "loginMessage", "error", "errorText", "formsAuthenticationArea", "userNameArea",
                       "passwordArea", "submissionArea", "submitButton", "footer", "copyright"):
        assert page.xpath("//*[@id=$id]", id=identifier), identifier
    named = {element.get("id"): (element.get("name"), element.get("type")) for element in form.xpath(".//input")}
    assert named["userNameInput"][0] == "UserName"
    assert named["passwordInput"] == ("Password", "password")
    assert named["optionForms"] == ("AuthMethod", "hidden")
    assert form.xpath("string(.//input[@id='optionForms']/@value)") == "FormsAuthentication"


def test_the_form_goes_back_to_the_same_query_with_a_client_request_id_before_it(client):
    answer = client.get("/adfs/ls/", request_for(FIRST, wctx="a b&c", wfresh="5"))
    action = answer.page.get_element_by_id("loginForm").get("action")
    path, _, query = action.partition("?")
    first, _, rest = query.partition("&")
    assert path.endswith("/adfs/ls/")
    assert first.startswith("client-request-id=") and ACTIVITY_ID.search(first)
    assert rest == answer.address.partition("?")[2]


def test_a_client_request_id_that_came_is_not_given_twice(client):
    mine = "11111111-2222-3333-4444-555555555555"
    answer = client.get("/adfs/ls/", {"client-request-id": mine, **request_for(FIRST)})
    assert answer.page.get_element_by_id("loginForm").get("action").count("client-request-id") == 1


@pytest.mark.parametrize("path", ["/adfs/ls", "/adfs/ls/", "/ADFS/LS/", "/adfs/Ls"])
def test_the_address_is_known_in_any_case_with_or_without_a_slash(client, path):
    assert is_sign_in_page(client.get(path, request_for(FIRST)))


@pytest.mark.parametrize("hints, shown", [
    ({"username": "alice@lab.test"}, "alice@lab.test"),
    ({"login_hint": "bob@lab.test"}, "bob@lab.test"),
    ({"username": "alice@lab.test", "login_hint": "bob@lab.test"}, "alice@lab.test"),
    ({"username": "", "login_hint": "bob@lab.test"}, "bob@lab.test"),
    ({"username": ""}, ""),
])
def test_the_user_name_is_filled_in_from_the_hints(client, hints, shown):
    page = client.get("/adfs/ls/", request_for(FIRST, **hints)).page
    assert (page.get_element_by_id("userNameInput").get("value") or "") == shown


def test_hints_of_a_home_realm_and_unknown_parameters_are_ignored(client):
    answer = sign_in(client, FIRST, whr="", session="false", popupui="1", wct="2024-05-02T09:15:04Z", lc="1033")
    assert is_token_page(answer)
    assert is_token_page(client.get("/adfs/ls/", request_for(FIRST, whr="urn:another:realm")))


# Credentials -----------------------------------------------------------------------------------

def test_credentials_are_answered_by_a_redirect_with_the_session_and_then_the_token(client):
    query = request_for(FIRST, wctx="state")
    shown = client.get("/adfs/ls/", query)
    answer = client.post("/adfs/ls/", credentials(client.lab), query)
    assert answer.status == 302
    assert answer.location == shown.address
    assert answer.set_cookie is not None
    token_page = TokenPage(client.get(answer.location))
    assert token_page.action == FIRST_REPLY
    assert token_page.wctx == "state"


def test_credentials_work_cold_without_a_cookie_or_an_earlier_request(lab, client):
    answer = client.post("/adfs/ls/", credentials(lab), request_for(FIRST), "--no-keepalive")
    assert answer.status == 302 and answer.set_cookie is not None


def test_credentials_without_an_auth_method_work(lab, client):
    form = {"UserName": lab.upn(), "Password": lab.user()["password"]}
    assert client.post("/adfs/ls/", form, request_for(FIRST)).status == 302


@pytest.mark.parametrize("spelling", ["alice@lab.test", "ALICE@LAB.TEST", "LAB\\alice", "lab\\Alice"])
def test_a_user_name_is_taken_in_both_of_ad_fs_forms_and_any_case(lab, client, spelling):
    form = {**credentials(lab), "UserName": spelling}
    assert client.post("/adfs/ls/", form, request_for(FIRST)).status == 302


def test_a_wrong_password_shows_the_page_again_with_status_200_and_says_so(lab, client):
    answer = client.post("/adfs/ls/", credentials(lab, password="not the password"), request_for(FIRST))
    assert is_sign_in_page(answer)
    assert answer.text_of("errorText") == WRONG_PASSWORD
    assert answer.set_cookie is None
    assert answer.page.get_element_by_id("userNameInput").get("value") == lab.upn()
    assert answer.page.get_element_by_id("passwordInput").get("value") in (None, "")


def test_a_wrong_password_is_told_to_the_log_with_its_reason(lab, client):
    client.post("/adfs/ls/", credentials(lab, password="not the password"),
                {"client-request-id": "11111111-aaaa-bbbb-cccc-555555555555", **request_for(FIRST)})
    event = lab.event_where(event="sign-in", outcome="refused", user=lab.upn())
    assert "password" in event["why"] and ACTIVITY_ID.fullmatch(event["activity_id"])


@pytest.mark.parametrize("name", ["alice", "alice@", "@lab.test", ""])
def test_a_user_name_of_no_known_form_is_not_accepted(lab, client, name):
    answer = client.post("/adfs/ls/", {**credentials(lab), "UserName": name}, request_for(FIRST))
    assert is_sign_in_page(answer) and answer.text_of("errorText")
    assert answer.set_cookie is None


# wfresh and prompt -----------------------------------------------------------------------------

def test_wfresh_zero_asks_although_there_is_a_session_and_answers_the_post_directly(lab, client):
    """S10"""
    assert is_token_page(sign_in(client, FIRST))
    query = request_for(FIRST, wfresh="0")
    assert is_sign_in_page(client.get("/adfs/ls/", query))
    answer = client.post("/adfs/ls/", credentials(lab), query)
    assert answer.status == 200 and answer.set_cookie is not None
    assert TokenPage(answer).action == FIRST_REPLY


def test_wfresh_in_minutes_asks_again_when_the_sign_in_is_that_old(make_lab, make_client):
    lab = make_lab()
    client = make_client(lab)
    assert is_token_page(sign_in(client, FIRST))
    assert is_token_page(client.get("/adfs/ls/", request_for(FIRST, wfresh="1")))
    lab.move_clock("+10m")
    assert is_token_page(client.get("/adfs/ls/", request_for(FIRST, wfresh="11")))
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(FIRST, wfresh="10")))
    assert is_token_page(client.get("/adfs/ls/", request_for(FIRST)))


def test_an_empty_wfresh_is_as_if_it_were_absent(client):
    sign_in(client, FIRST)
    assert is_token_page(client.get("/adfs/ls/", request_for(FIRST, wfresh="")))


@pytest.mark.parametrize("malformed", ["-1", "1.5", "now", "0x10", "1e3", " 1", "5m", "+5"])
def test_a_malformed_wfresh_is_refused(client, malformed):
    sign_in(client, FIRST)
    answer = client.get("/adfs/ls/", request_for(FIRST, wfresh=malformed))
    assert answer.status == 400 and not is_token_page(answer)


def test_prompt_login_asks_and_any_other_prompt_does_not(lab, client):
    sign_in(client, FIRST)
    query = request_for(FIRST, prompt="login")
    assert is_sign_in_page(client.get("/adfs/ls/", query))
    assert is_token_page(client.post("/adfs/ls/", credentials(lab), query))
    assert is_token_page(client.get("/adfs/ls/", request_for(FIRST, prompt="none")))


def test_the_instant_in_a_token_is_the_sign_in_not_the_page_view(lab, client):
    """S10"""
    first = Token(TokenPage(sign_in(client, FIRST)).wresult)
    later = Token(TokenPage(client.get("/adfs/ls/", request_for(SECOND))).wresult)
    assert later.authentication_instant == first.authentication_instant
    again = Token(TokenPage(client.post("/adfs/ls/", credentials(lab), request_for(FIRST, wfresh="0"))).wresult)
    assert again.authentication_instant > first.authentication_instant


# wauth -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", PASSWORD_METHODS)
def test_a_wauth_for_passwords_is_served_by_password(lab, client, method):
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(FIRST, wauth=method)))
    assert is_token_page(sign_in(client, FIRST, wauth=method))
    assert is_token_page(client.get("/adfs/ls/", request_for(FIRST, wauth=method)))


@pytest.mark.parametrize("method", CERTIFICATE_METHODS)
def test_a_wauth_for_certificates_is_never_silently_served_by_a_password(lab, client, method):
    """S10: neither by one that is typed, nor by a session that began with one."""
    query = request_for(FIRST, wauth=method)
    sign_in(client, SECOND)
    assert client.get("/adfs/ls/", query).page.xpath("//form[@id='certificateForm']")
    answer = client.post("/adfs/ls/", credentials(lab), query)
    assert answer.status == 500
    assert "MSIS7102: Requested Authentication Method is not supported on the STS." in answer.text
    assert not is_token_page(answer) and answer.set_cookie is None
    assert lab.event_where(activity_id=activity_id_of(answer))["code"] == "MSIS7102"


@pytest.mark.parametrize("method", ["urn:unknown", "password", PASSWORD_METHOD.upper(),
                                    "urn:federation:authentication:windows", "urn:ietf:rfc:1510"])
def test_an_unknown_wauth_is_an_error_page(client, method):
    sign_in(client, FIRST)
    answer = client.get("/adfs/ls/", request_for(FIRST, wauth=method))
    assert answer.status == 500 and not is_token_page(answer)


def test_the_word_for_the_password_uri_is_taken_with_a_warning(lab, client):
    """Entra's documents write usernamepassworduri where a URI is meant, and so do settings made after them."""
    answer = client.get("/adfs/ls/", request_for(FIRST, wauth="usernamepassworduri"))
    assert is_sign_in_page(answer) and not answer.page.xpath("//form[@id='options']")
    assert is_token_page(sign_in(client, FIRST, wauth="usernamepassworduri"))
    event = lab.event_where(event="wauth")
    assert event["outcome"] == "warning" and "usernamepassworduri" in event["why"]


def test_entra_s_translation_of_prompt_login_works(lab, client):
    query = request_for(FIRST, wfresh="0", wauth=PASSWORD_METHOD, username=lab.upn())
    sign_in(client, FIRST)
    assert is_sign_in_page(client.get("/adfs/ls/", query))
    answer = client.post("/adfs/ls/", credentials(lab), query)
    assert is_token_page(answer) and answer.set_cookie is not None


# wctx and wreply -------------------------------------------------------------------------------

def test_without_a_wctx_none_is_sent(client):
    assert TokenPage(sign_in(client, FIRST)).wctx is None


def test_without_a_wreply_the_token_goes_to_the_endpoint_of_the_settings(client):
    assert TokenPage(sign_in(client, SECOND)).action == SECOND_REPLY


@pytest.mark.parametrize("reply", [FIRST_REPLY, FIRST_REPLY + "deeper/still?x=1", "https://FIRST.test/wsfed/",
                                   "https://first.test:443/wsfed/"])
def test_a_wreply_beneath_the_endpoint_is_used_as_it_came(client, reply):
    assert TokenPage(sign_in(client, FIRST, wreply=reply)).action == reply


# Errors ----------------------------------------------------------------------------------------

def test_an_unknown_relying_party_is_msis7007_with_an_activity_id_and_an_event(lab, client):
    answer = client.get("/adfs/ls/", request_for("urn:nobody"))
    assert answer.status == 500
    assert ("MSIS7007: The requested relying party trust 'urn:nobody' is unspecified or unsupported."
            in " ".join(answer.page.text_content().split()))
    event = lab.event_where(activity_id=activity_id_of(answer))
    assert event["code"] == "MSIS7007" and event["outcome"] == "refused" and "urn:nobody" in str(event)
    assert event["adfs_id"] == 364


def test_a_sign_in_for_nobody_in_particular_is_msis7007(client):
    answer = client.get("/adfs/ls/", {"wa": "wsignin1.0"})
    assert answer.status == 500 and "MSIS7007" in answer.text


@pytest.mark.parametrize("query", [{}, {"wa": ""}, {"wa": "WSIGNIN1.0", "wtrealm": FIRST}, {"wa": "wattr1.0"}])
def test_a_missing_or_unknown_wa_is_msis7065(client, query):
    answer = client.get("/adfs/ls/", query)
    assert answer.status == 500
    assert "MSIS7065: There are no registered protocol handlers on path /adfs/ls/" in answer.text


def test_the_activity_id_is_ours_and_the_clients_id_is_logged_beside_it(lab, client):
    theirs = "0f0e0d0c-0b0a-0908-0706-050403020100"
    answer = client.get("/adfs/ls/", {"client-request-id": theirs, **request_for("urn:nobody")})
    assert activity_id_of(answer) != theirs
    assert lab.event_where(activity_id=activity_id_of(answer))["request_id"] == theirs


def test_every_answer_has_an_activity_id_of_its_own(client):
    identifiers = {activity_id_of(client.get("/adfs/ls/", request_for("urn:nobody"))) for _ in range(5)}
    assert len(identifiers) == 5


# Single sign-on and sign-out -------------------------------------------------------------------

def test_a_second_relying_party_gets_its_own_token_without_asking_again(client):
    first = Token(TokenPage(sign_in(client, FIRST)).wresult)
    page = TokenPage(client.get("/adfs/ls/", request_for(SECOND)))
    second = Token(page.wresult)
    assert page.action == SECOND_REPLY
    assert (first.audience, second.audience) == (FIRST, SECOND)
    assert first.id != second.id


def test_the_token_and_the_sign_in_are_told_to_the_log(lab, client):
    token = Token(TokenPage(sign_in(client, FIRST)).wresult)
    event = lab.event_where(event="token", detail=token.id)
    assert (event["user"], event["party"], event["adfs_id"]) == ("alice", FIRST, 299)


@pytest.mark.parametrize("action", ["wsignout1.0", "wsignoutcleanup1.0"])
def test_sign_out_ends_the_session_and_says_so(client, action):
    sign_in(client, FIRST)
    cookie = client.cookie()
    answer = client.get("/adfs/ls/", {"wa": action})
    assert answer.status == 200 and "signed out" in answer.page.text_content().lower()
    value, attributes = answer.set_cookie
    assert value == "" and attributes["max-age"] == "0"
    assert client.cookie() is None
    assert is_sign_in_page(client.get("/adfs/ls/", request_for(FIRST), "--header", f"Cookie: MSISAuth={cookie}"))


def test_sign_out_of_nobody_says_the_same(client):
    answer = client.get("/adfs/ls/", {"wa": "wsignout1.0"})
    assert answer.status == 200 and "signed out" in answer.page.text_content().lower()


def test_sign_out_of_nobody_goes_on_to_a_relying_partys_own_address(client):
    """With a session the relying parties are asked first: test_sign_out.py."""
    answer = client.get("/adfs/ls/", {"wa": "wsignout1.0", "wreply": FIRST_REPLY + "bye"})
    assert answer.status == 302 and answer.location == FIRST_REPLY + "bye"
    assert answer.set_cookie[0] == ""


def test_a_relying_party_that_always_requires_a_sign_in_gets_one(fresh_lab, make_client):
    write_parties(fresh_lab.settings_file, [party("Prompting", "urn:prompting", "https://prompting.test/",
                                                  always_require_authentication=True)])
    fresh_lab.restart()
    client = make_client(fresh_lab)
    sign_in(client, FIRST)
    query = request_for("urn:prompting")
    assert is_sign_in_page(client.get("/adfs/ls/", query))
    assert is_token_page(client.post("/adfs/ls/", credentials(fresh_lab), query))
    assert is_sign_in_page(client.get("/adfs/ls/", query))


def test_a_disabled_relying_party_is_as_good_as_unknown(fresh_lab, make_client):
    write_parties(fresh_lab.settings_file, [party("Closed", "urn:closed", "https://closed.test/", enabled=False)])
    fresh_lab.restart()
    answer = sign_in(make_client(fresh_lab), "urn:closed")
    assert answer.status == 500 and "MSIS7007" in answer.text
