"""AD FS's pipeline of rules over a live sign-in: acceptance, additional authentication, authorization, issuance (claimrules 8 to 11)."""
import base64
import json
import uuid

import pytest

from support.curl import Client
from support.kinds import Assertion, cut_out
from support.lab import Lab, copy_lab
from support.settings import party, set_setting, write_parties
from support.sign_in import TokenPage, is_token_page, request_for, sign_in

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
CONTEXT = "http://schemas.microsoft.com/2012/01/requestcontext/claims/"
PERMIT = '=> issue(Type = "http://schemas.microsoft.com/authorization/claims/permit", Value = "%s");\n'
DENY = '=> issue(Type = "http://schemas.microsoft.com/authorization/claims/deny", Value = "%s");\n'
FORMAT = "http://schemas.xmlsoap.org/ws/2005/05/identity/claimproperties/format"
SECOND_FACTOR = ('c:[Type == "' + CLAIMS + 'upn", Value =~ "^(?i)bob@"] => issue(Type = "' + MS + 'authenticationmethod", '
                 'Value = "http://schemas.microsoft.com/claims/multipleauthn");\n')
OPAQUE = ('c:[Type == "' + MS + 'windowsaccountname"] && i:[Type == "' + MS + 'authenticationinstant"] => issue(store = "_OpaqueIdStore", '
          'types = ("http://lab.test/%s"), query = "%s", param = "%s", param = c.Value, param = c.OriginalIssuer%s);\n')
OPAQUE_IDS = (OPAQUE % ("ppid", "{0};{1};{2}", "ppid", "")
              + OPAQUE % ("session", "{0};{1};{2};{3};{4}", "useEntropy", ', param = "", param = i.Value'))
SAY = 'c:[Type == "%s"] => issue(Type = "http://lab.test/%s", Value = c.%s);\n'

# Rules of the acceptance stage, added to those of a new lab.
ACCEPTANCE = ('@RuleName = "Derived at acceptance"\nc:[Type == "' + CLAIMS + 'upn"] => issue(Type = "http://lab.test/accepted", Value = c.Value);\n'
              '@RuleName = "Only added"\n=> add(Type = "http://lab.test/added", Value = "1");\n'
              '@RuleName = "No context yet"\nEXISTS([Type =~ "requestcontext"]) => issue(Type = "http://lab.test/context", Value = "1");\n')
EVERYTHING = "c:[] => issue(claim = c);\n"

# name -> (authorization rules, issuance rules, more settings); None: the setting is left out
PARTIES = {
    "everything": (PERMIT % "true", EVERYTHING, {}),
    "no-rules": (None, EVERYTHING, {}),
    "empty-rules": ("", EVERYTHING, {}),
    "no-permit": ('=> add(Type = "http://schemas.microsoft.com/authorization/claims/permit", Value = "true");', EVERYTHING, {}),
    "any-value": (PERMIT % "false", EVERYTHING, {}),
    "permit-then-deny": (PERMIT % "true" + DENY % "x", EVERYTHING, {}),
    "deny-then-permit": (DENY % "x" + PERMIT % "true", EVERYTHING, {}),
    "staff-only": ('c:[Type == "' + CLAIMS + 'upn", Value == "alice@lab.test"] ' + PERMIT % "PermitUsersWithClaim", EVERYTHING, {}),
    "private-stages": ('=> issue(Type = "http://lab.test/authorization", Value = "1");\n' + PERMIT % "true", EVERYTHING, {}),
    "no-issuance": (PERMIT % "true", None, {}),
    "issuers": (PERMIT % "true",
                SAY % (CLAIMS + "upn", "upn-issuer", "Issuer")
                + SAY % ("http://lab.test/accepted", "accepted-issuer", "Issuer")
                + SAY % ("http://lab.test/accepted", "accepted-original", "OriginalIssuer")
                + SAY % (CONTEXT + "x-ms-client-ip", "context-issuer", "Issuer")
                + 'c:[Type == "' + CLAIMS + 'upn"] => add(Type = "forged", Issuer = "AD AUTHORITY", OriginalIssuer = "O");\n'
                + SAY % ("forged", "forged-issuer", "Issuer") + SAY % ("forged", "forged-original", "OriginalIssuer"), {}),
    "properties": (PERMIT % "true",
                   'c:[Type == "' + CLAIMS + 'upn"] => add(Type = "http://lab.test/id", Value = c.Value, '
                   'Properties["' + FORMAT + '"] = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", Properties["note"] = "n");\n'
                   'c:[Type == "http://lab.test/id", Properties["note"] == "n"] => issue(Type = "' + CLAIMS + 'nameidentifier", '
                   'Value = c.Value, Properties["' + FORMAT + '"] = c.Properties["' + FORMAT + '"]);\n'
                   'c:[Type == "http://lab.test/id", Properties["none"] == ""] => issue(Type = "http://lab.test/none", Value = "empty");\n', {}),
    "failing": (PERMIT % "true", '@RuleName = "another domain"\n=> issue(store = "Active Directory", types = ("a"), '
                                 'query = ";mail;OTHER\\x");\n', {}),
    "opaque": (PERMIT % "true", OPAQUE_IDS, {}),
    "opaque-too": (PERMIT % "true", OPAQUE_IDS, {}),
    "second-factor": (PERMIT % "true", EVERYTHING, {"additional_authentication_rules": "rules/second-factor.rules"}),
}


def write_rules(folder, name, text):
    path = folder / "rules" / f"{name}.rules"
    path.write_text(text)
    return f"rules/{path.name}"


def entries(folder):
    for name, (authorization, issuance, more) in PARTIES.items():
        for kind in ("saml11", "saml20"):
            yield party(f"{name} {kind}", f"urn:{name}:{kind}", "https://rp.test/", token_type=kind,
                        issuance_authorization_rules=authorization if authorization is None
                        else write_rules(folder, f"{name}.authorization", authorization),
                        issuance_transform_rules=issuance if issuance is None else write_rules(folder, f"{name}.issuance", issuance),
                        **more)


@pytest.fixture(scope="module")
def pipeline(first_made, tmp_path_factory):
    folder = copy_lab(first_made, tmp_path_factory.mktemp("pipeline") / "lab")
    with open(folder / "rules" / "active-directory.rules", "a") as file:
        file.write("\n" + ACCEPTANCE)
    write_rules(folder, "second-factor", SECOND_FACTOR)
    write_parties(folder / "lanyard.yaml", list(entries(folder)))
    lab = Lab(folder, "--no-loop-detection", ports=())
    yield lab
    lab.stop()


@pytest.fixture(params=["saml11", "saml20"])
def kind(request):
    return request.param


@pytest.fixture
def ask(pipeline, kind):
    """Signs in afresh; gives the answer."""
    clients = []

    def make(name, person="alice", client=None):
        if client is None:
            clients.append(client := Client(pipeline))
        return sign_in(client, f"urn:{name}:{kind}", person)

    yield make
    for client in clients:
        client.close()


def assertion_of(answer):
    return Assertion(cut_out(TokenPage(answer).wresult))


def refused(answer):
    return answer.status == 500 and not is_token_page(answer)


# Stages --------------------------------------------------------------------------------------

def test_what_acceptance_issues_reaches_the_token_and_what_it_adds_does_not(ask):
    claims = assertion_of(ask("everything")).claims
    assert claims["http://lab.test/accepted"] == ["alice@lab.test"]
    assert "http://lab.test/added" not in claims
    assert claims[CLAIMS + "upn"] == ["alice@lab.test"]


def test_the_request_is_context_for_the_relying_partys_rules_only(ask):
    claims = assertion_of(ask("everything")).claims
    assert "http://lab.test/context" not in claims
    assert claims[CONTEXT + "x-ms-client-ip"][0] in ("127.0.0.1", "::1")
    assert claims[CONTEXT + "relyingpartytrustid"][0].startswith("urn:everything:")


@pytest.mark.parametrize("name", ["no-rules", "empty-rules", "no-permit", "permit-then-deny", "deny-then-permit"])
def test_without_a_permit_or_with_a_deny_there_is_no_token(ask, name, pipeline):
    answer = ask(name)
    assert refused(answer) and "MSIS5007" in answer.text
    assert pipeline.event_where(event="request", outcome="refused", code="MSIS5007")["party"].startswith("urn:")


def test_the_value_of_a_permit_does_not_matter(ask):
    assert is_token_page(ask("any-value"))


def test_a_permit_may_depend_on_who_it_is(ask):
    assert is_token_page(ask("staff-only")) and refused(ask("staff-only", "bob"))


def test_what_authorization_makes_is_for_authorization_alone(ask):
    claims = assertion_of(ask("private-stages")).claims
    assert not any("authorization" in name for name in claims)


def test_without_issuance_rules_a_token_carries_no_claims(ask):
    assert assertion_of(ask("no-issuance")).claims == {}


def test_every_claim_is_stamped_with_its_issuer(ask):
    claims = assertion_of(ask("issuers")).claims
    assert {name.rpartition("/")[2]: values for name, values in claims.items()} == {
        "upn-issuer": ["AD AUTHORITY"], "accepted-issuer": ["LOCAL AUTHORITY"], "accepted-original": ["LOCAL AUTHORITY"],
        "context-issuer": ["CLIENT CONTEXT"], "forged-issuer": ["AD AUTHORITY"], "forged-original": ["O"]}


def test_properties_go_through_rules_and_shape_the_name_identifier(ask):
    assertion = assertion_of(ask("properties"))
    assert set(assertion.name_identifiers) == {("alice@lab.test", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")}
    assert assertion.claims == {"http://lab.test/none": ["empty"]}


def test_a_store_that_fails_fails_the_request(ask, pipeline):
    assert refused(ask("failing"))
    why = pipeline.event_where(event="request", outcome="refused", detail="claims")["why"]
    assert 'POLICY0018: in rule "another domain": rule 1 of the issuance transform rules failed' in why


# Additional authentication --------------------------------------------------------------------

def test_who_needs_a_second_factor_is_refused_and_told_so(ask, pipeline, kind):
    answer = ask("second-factor", "bob")
    assert refused(answer) and "MSIS7102" in answer.text
    assert f"No strong authentication method found for the request from urn:second-factor:{kind}." in answer.text
    event = pipeline.event_where(event="additional-authentication", outcome="refused", party=f"second-factor {kind}")
    assert event["user"] == "bob" and "second factor" in event["why"]


def test_who_needs_none_gets_a_token_and_the_verdict_is_told(ask, pipeline, kind):
    assert is_token_page(ask("second-factor", "alice"))
    event = pipeline.event_where(event="additional-authentication", outcome="note", party=f"second-factor {kind}")
    assert event["user"] == "alice"


def test_rules_for_all_add_to_those_of_a_relying_party(made):
    write_rules(made, "second-factor", SECOND_FACTOR)
    write_rules(made, "nobody", 'c:[Type == "none"] => issue(claim = c);')
    write_parties(made / "lanyard.yaml", [
        party("own", "urn:own", "https://rp.test/", additional_authentication_rules="rules/nobody.rules"),
        party("bare", "urn:bare", "https://rp.test/")])
    set_setting(made / "lanyard.yaml", "additional_authentication_rules", "rules/second-factor.rules")
    lab = Lab(made, ports=())
    client = Client(lab)
    try:
        for realm in ("urn:own", "urn:bare"):
            client.forget()
            assert refused(sign_in(client, realm, "bob"))
            client.forget()
            assert is_token_page(sign_in(client, realm, "alice"))
    finally:
        client.close()
        lab.stop()


def test_what_else_such_rules_issue_asks_for_nothing(made):
    write_rules(made, "other", '=> issue(Type = "' + MS + 'authenticationmethod", Value = "http://schemas.microsoft.com/claims/multipleAuthn");\n'
                               '=> add(Type = "' + MS + 'authenticationmethod", Value = "http://schemas.microsoft.com/claims/multipleauthn");\n'
                               '=> issue(Type = "x", Value = "http://schemas.microsoft.com/claims/multipleauthn");\n')
    write_parties(made / "lanyard.yaml", [party("own", "urn:own", "https://rp.test/", additional_authentication_rules="rules/other.rules")])
    lab = Lab(made, ports=())
    client = Client(lab)
    try:
        assert is_token_page(sign_in(client, "urn:own"))
    finally:
        client.close()
        lab.stop()


# Opaque ids ------------------------------------------------------------------------------------

def test_a_pairwise_name_is_the_same_every_time_and_at_no_other_relying_party(ask, pipeline):
    first, again, other, bob = (assertion_of(ask(*who)).claims for who in
                                [("opaque",), ("opaque",), ("opaque-too",), ("opaque", "bob")])
    ppid, session = "http://lab.test/ppid", "http://lab.test/session"
    assert first[ppid] == again[ppid] and len(base64.b64decode(first[ppid][0])) == 32
    assert len({claims[ppid][0] for claims in (first, other, bob)}) == 3
    assert len({claims[session][0] for claims in (first, again, other, bob)}) == 4
    secret = (pipeline.settings_file.parent / "opaque-id-key")
    assert secret.stat().st_mode & 0o077 == 0
    assert secret.read_text().strip() not in pipeline.stderr()


# Explained ------------------------------------------------------------------------------------

def test_the_journal_says_which_rules_made_nothing_and_why(made):
    with open(made / "rules" / "rp.issuance.rules", "a") as file:
        file.write('\n@RuleName = "Nobody"\nc:[Type == "' + CLAIMS + 'upn", Value == "ALICE@lab.test"] => issue(claim = c);\n')
    lab = Lab(made, ports=())
    client = Client(lab)
    try:
        assert is_token_page(sign_in(client, "urn:lanyard:rp"))
        event = lab.event_where(event="token", outcome="done")
        shown = client.get(f"/lanyard/api/activity?id={event['activity_id']}")
        told = json.loads(shown.text)
        why = [each["why"] for each in told["events"] if each["event"] == "rule"]
        assert any('"Nobody" made nothing: no claim fits' in each and "letter case counts" in each for each in why), told
        assert not any("Nobody" in line for line in lab.stderr().splitlines())  # the journal's alone
    finally:
        client.close()
        lab.stop()


# The relying party of Microsoft 365 -----------------------------------------------------------------

def test_a_new_lab_knows_microsoft_365(lab, make_client):
    client = make_client(lab)
    page = TokenPage(sign_in(client, "urn:federation:MicrosoftOnline", wctx="estsredirect=2&x=1"))
    assertion = Assertion(cut_out(page.wresult))
    user = (lab.settings_file.parent / "users" / "alice.yaml").read_text()
    guid = uuid.UUID(next(line.split()[1].strip("'\"") for line in user.splitlines() if line.startswith("objectGUID:")))
    immutable = base64.b64encode(guid.bytes_le).decode()
    assert page.action == "https://login.microsoftonline.com/login.srf"
    assert assertion.is_saml11 and assertion.audience == "urn:federation:MicrosoftOnline"
    assert assertion.claims["http://schemas.xmlsoap.org/claims/UPN"] == ["alice@lab.test"]
    assert assertion.claims["http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID"] == [immutable]
    assert set(assertion.name_identifiers) == {(immutable, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")}
    assert assertion.claims["http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"] == ["true"]
    assert "http://schemas.microsoft.com/claims/authnmethodsreferences" in assertion.claims
    # It has a second name.
    assert is_token_page(client.get("/adfs/ls/", request_for("https://login.microsoftonline.com/extSTS.srf")))
