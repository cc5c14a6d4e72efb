"""passport-wsfed-saml2, a relying party we did not write, accepts what it should and nothing else."""
import json

import pytest

from conftest import FIRST, PASSPORT
from support.relying_party import RelyingParty
from support.sign_in import PASSWORD_METHOD, TokenPage, credentials, is_sign_in_page, sign_in

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@pytest.fixture(scope="module")
def relying_party(lab, passport_port, tmp_path_factory):
    with RelyingParty(lab, passport_port, PASSPORT, tmp_path_factory.mktemp("passport")) as running:
        yield running


def deliver(client, relying_party, wresult, wctx):
    """Posts a token as the token page would."""
    return client.post(relying_party.address + "/signin-wsfed", {"wa": "wsignin1.0", "wresult": wresult, "wctx": wctx})


def go_and_sign_in(client, relying_party, name="alice", path="/sign-in"):
    """From the relying party to lanyard and back; gives its answer to the token."""
    asked = client.get(relying_party.address + path)
    assert asked.status == 302 and asked.location.startswith(client.lab.main + "/adfs/ls/")
    shown = client.get(asked.location)
    if is_sign_in_page(shown):
        action = shown.page.get_element_by_id("loginForm").get("action")
        shown = client.post(action, credentials(client.lab, name))
        shown = client.get(shown.location) if shown.status == 302 else shown
    page = TokenPage(shown)
    assert page.action == relying_party.address + "/signin-wsfed"
    return deliver(client, relying_party, page.wresult, page.wctx)


@pytest.mark.parametrize("name, group", [("alice", "Admins"), ("bob", "Staff")])
def test_a_user_is_signed_in_end_to_end_and_her_claims_arrive(client, relying_party, name, group):
    answer = go_and_sign_in(client, relying_party, name)
    assert answer.status == 303, answer.text
    claims = json.loads(client.get(relying_party.address + "/").text)["claims"]
    assert claims[CLAIMS + "upn"] == claims[CLAIMS + "nameidentifier"] == f"{name}@lab.test"
    assert claims[CLAIMS + "emailaddress"] == f"{name}@lab.test"
    assert group in json.dumps(claims["http://schemas.xmlsoap.org/claims/Group"])


def test_single_sign_on_gives_a_new_token_each_time(client, relying_party):
    for _ in range(3):
        assert go_and_sign_in(client, relying_party).status == 303


@pytest.mark.parametrize("query", ["wfresh=0", "prompt=login", f"wauth={PASSWORD_METHOD}", "username=alice%40lab.test", "whr="])
def test_what_the_relying_party_asks_for_reaches_lanyard(client, relying_party, query):
    sign_in(client, FIRST)
    assert go_and_sign_in(client, relying_party, path=f"/sign-in?{query}").status == 303


def test_a_token_for_another_relying_party_is_refused_by_this_one(client, relying_party):
    """O2"""
    asked = client.get(relying_party.address + "/sign-in")
    state = TokenPage(sign_in_at(client, asked.location)).wctx
    foreign = TokenPage(sign_in(client, FIRST, wfresh="0")).wresult
    answer = deliver(client, relying_party, foreign, state)
    assert answer.status == 403 and "Audience" in answer.text


def sign_in_at(client, address):
    answer = client.post(address, credentials(client.lab))
    return client.get(answer.location) if answer.status == 302 else answer


def test_a_changed_token_is_refused(client, relying_party):
    asked = client.get(relying_party.address + "/sign-in")
    page = TokenPage(sign_in_at(client, asked.location))
    answer = deliver(client, relying_party, page.wresult.replace("alice@lab.test", "admin@lab.test"), page.wctx)
    assert answer.status == 403 and "ignature" in answer.text


def test_an_answer_to_a_question_it_did_not_ask_is_refused(client, relying_party):
    asked = client.get(relying_party.address + "/sign-in")
    page = TokenPage(sign_in_at(client, asked.location))
    assert deliver(client, relying_party, page.wresult, page.wctx + "x").status == 403
