"""Names of attributes and defaults as AD FS has them, when rules pass claims on (protocol.md 2.4, 2.5): both token kinds."""
import re
from datetime import datetime, timedelta, timezone

import pytest

from support.curl import Client
from support.kinds import BOOLEAN, Assertion, cut_out
from support.lab import Lab
from support.settings import party, write_parties
from support.sign_in import PASSWORD_METHOD, TokenPage, credentials, request_for, sign_in
from support.tokens import ORIGINAL_ISSUER

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
CONTEXT = "http://schemas.microsoft.com/2012/01/requestcontext/claims/"
INSIDE = "http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork"
REFERENCES = "http://schemas.microsoft.com/claims/authnmethodsreferences"
FORMAT = "http://schemas.xmlsoap.org/ws/2005/05/identity/claimproperties/format"
GROUP = "http://schemas.xmlsoap.org/claims/Group"
FORMATS = {
    "unspecified": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
    "email": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "persistent": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "transient": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "windows": "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName",
}
PASS_EVERYTHING = "c:[] => issue(claim = c);\n"
NAME_ID = ('c:[Type == "' + CLAIMS + 'upn"] => issue(Type = "' + CLAIMS + 'nameidentifier", Value = c.Value%s);\n')
DIRECTORY = ('c:[Type == "' + MS + 'windowsaccountname", Issuer == "AD AUTHORITY"] => issue(store = "Active Directory", '
             'types = ("' + CLAIMS + 'emailaddress", "' + GROUP + '"), query = ";mail,tokenGroups;{0}", param = c.Value);\n')
STATEMENT = ('=> issue(Type = "' + MS + 'authenticationmethod", Value = "%s");\n'
             '=> issue(Type = "' + MS + 'authenticationinstant", Value = "%s");\n')
TYPES = ('=> issue(Type = "http://lab.test/flag", Value = "true", ValueType = "http://www.w3.org/2001/XMLSchema#boolean");\n'
         '=> issue(Type = "http://lab.test/count", Value = "7", ValueType = "http://www.w3.org/2001/XMLSchema#integer");\n'
         '=> issue(Type = "http://lab.test/word", Value = "seven");\n'
         '=> issue(Type = "http://lab.test/empty", Value = "");\n')
RULES = {
    "everything": PASS_EVERYTHING,
    "directory": DIRECTORY,
    "values": TYPES,
    "statement": STATEMENT % ("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "2024-05-02T09:15:04.353Z"),
    "x509": STATEMENT % ("http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/x509", "2024-05-02T09:15:04Z"),
    "nothing": "",
    "bare": NAME_ID % "",
    **{f"format-{name}": NAME_ID % f', Properties["{FORMAT}"] = "{uri}"' for name, uri in FORMATS.items()},
}
BOTH = pytest.mark.parametrize("kind", ["saml11", "saml20"])


@pytest.fixture(scope="module")
def rules_lab(tmp_path_factory):
    """A lab with a relying party of both kinds for every set of rules."""
    lab = Lab(tmp_path_factory.mktemp("attributes") / "lab", "--no-loop-detection")
    parties = []
    for name, rules in RULES.items():
        (lab.settings_file.parent / "rules" / f"{name}.rules").write_text(rules)
        parties += [party(f"{name} {kind}", f"urn:{name}:{kind}", "https://rp.test/", token_type=kind,
                          issuance_transform_rules=f"rules/{name}.rules") for kind in ("saml11", "saml20")]
    write_parties(lab.settings_file, parties)
    lab.restart()
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def person(rules_lab):
    """A signed-in browser that says what it is."""
    client = Client(rules_lab)
    sign_in(client, "urn:nothing:saml11")
    yield client
    client.close()


@pytest.fixture
def issue(person, kind, rules_lab, tmp_path):
    """Issues a token by a set of rules; it must be valid and verified whatever is in it."""
    def make(rules, *options, path="/adfs/ls/"):
        page = person.request(f"{path}?wa=wsignin1.0&wtrealm=urn:{rules}:{kind}", *options)
        assertion = Assertion(cut_out(TokenPage(page).wresult))
        assert assertion.kind == kind and assertion.verified_by_xmlsec1(rules_lab.signing_certificate, tmp_path)
        assert assertion.schema_complaints(tmp_path) == ""
        return assertion
    return make


# The name identifier ---------------------------------------------------------------------------

@BOTH
@pytest.mark.parametrize("name", FORMATS)
def test_the_format_of_the_name_identifier_is_the_rules(issue, kind, name):
    found = issue(f"format-{name}").name_identifiers
    assert found == [("alice@lab.test", FORMATS[name])] * len(found) and found


@BOTH
def test_without_the_property_there_is_no_format(issue):
    found = issue("bare").name_identifiers
    assert found and set(found) == {("alice@lab.test", None)}


@BOTH
def test_without_the_claim_there_is_a_subject_without_a_name(issue, kind):
    assertion = issue("nothing")
    assert assertion.name_identifiers == [] and len(assertion.find("//s:SubjectConfirmation")) == 1
    assert assertion.attributes == []


@BOTH
def test_the_name_identifier_is_no_attribute(issue):
    assert [name for name, _ in issue("format-email").attributes] == []


# Attributes ------------------------------------------------------------------------------------

@BOTH
def test_several_values_stand_in_one_attribute(issue):
    assertion = issue("directory")
    assert [name for name, _ in assertion.attributes].count(GROUP) == 1
    assert set(assertion.claims[GROUP]) >= {"Admins", "Staff"} and len(set(assertion.claims[GROUP])) == len(assertion.claims[GROUP])
    assert assertion.claims[CLAIMS + "emailaddress"] == ["alice@lab.test"]


@BOTH
def test_a_claim_type_is_written_in_ad_fss_form(issue, kind):
    attribute = dict(issue("directory").attributes)[CLAIMS + "emailaddress"]
    if kind == "saml11":
        assert dict(attribute.attrib) == {"AttributeName": "emailaddress", "AttributeNamespace": CLAIMS.rstrip("/")}
    else:
        assert dict(attribute.attrib) == {"Name": CLAIMS + "emailaddress"}


@BOTH
def test_values_that_are_no_strings_say_what_they_are(issue):
    values = {name: attribute[0] for name, attribute in issue("values").attributes}
    said = {name.rsplit("/", 1)[1]: value.get(BOOLEAN) for name, value in values.items()}
    assert said == {"flag": "tn:boolean", "count": "tn:integer", "word": None}
    assert {value.nsmap.get("tn") for value in values.values()} == {"http://www.w3.org/2001/XMLSchema", None}


# The statement ---------------------------------------------------------------------------------

@BOTH
def test_the_statement_says_how_and_when_the_user_signed_in(issue, kind):
    """Without any rule for it."""
    assertion = issue("nothing")
    assert assertion.method == {"saml11": "urn:oasis:names:tc:SAML:1.0:am:password",
                                "saml20": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"}[kind]
    assert timedelta(0) <= datetime.now(timezone.utc) - assertion.instant < timedelta(minutes=5)


@BOTH
def test_the_statement_says_what_claims_say(issue):
    """What AD FS has no own word for passes unchanged."""
    assertion = issue("statement")
    assert assertion.method == "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    assert assertion.instant == datetime(2024, 5, 2, 9, 15, 4, 353000, timezone.utc)
    assert assertion.attributes == []


@BOTH
def test_the_statement_translates_the_methods_ad_fs_translates(issue, kind):
    assert issue("x509").method == {"saml11": "urn:oasis:names:tc:SAML:1.0:am:X509-PKI",
                                    "saml20": "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"}[kind]


# What a sign-in brings along -------------------------------------------------------------------

@BOTH
def test_everything_passes_that_a_rule_passes(issue, kind):
    claims = issue("everything").claims
    assert claims[CLAIMS + "upn"] == ["alice@lab.test"] and claims[MS + "windowsaccountname"] == ["LAB\\alice"]
    assert re.fullmatch(r"S-1-5-21(-\d+){4}", claims[MS + "primarysid"][0]) and len(claims[MS + "groupsid"]) >= 2
    assert claims[REFERENCES] == [PASSWORD_METHOD]
    assert MS + "authenticationmethod" not in claims and MS + "authenticationinstant" not in claims


@BOTH
def test_the_request_context_passes_when_a_rule_passes_it(issue, kind):
    assertion = issue("everything", "-A", "agent/1 <&\"'>")
    claims = {name.removeprefix(CONTEXT): values for name, values in assertion.claims.items() if name.startswith(CONTEXT)}
    request_id = claims.pop("client-request-id")
    assert claims == {"x-ms-client-ip": ["127.0.0.1"], "x-ms-endpoint-absolute-path": ["/adfs/ls/"],
                      "x-ms-client-user-agent": ["agent/1 <&\"'>"], "relyingpartytrustid": [f"urn:everything:{kind}"]}
    assert len(request_id) == 1 and re.fullmatch(r"[0-9a-f-]{36}", request_id[0])


@BOTH
def test_the_request_says_itself_where_its_claims_come_from(issue):
    """a:OriginalIssuer on what the request shows, and on nothing else."""
    origins = {name: attribute.get(ORIGINAL_ISSUER) for name, attribute in issue("everything").attributes}
    marked = {name for name, origin in origins.items() if origin == "CLIENT CONTEXT"}
    assert {name for name in origins if name.startswith(CONTEXT)} | {INSIDE} == marked
    assert {origin for name, origin in origins.items() if name not in marked} == {None}


@BOTH
def test_inside_corporate_network_is_a_boolean(issue):
    value = dict(issue("everything").attributes)[INSIDE][0]
    assert value.text == "true" and value.get(BOOLEAN) == "tn:boolean"


@BOTH
def test_nothing_of_it_enters_a_token_without_a_rule(issue):
    assert issue("nothing").claims == {}
    assert not [name for name in issue("directory").claims if name.startswith(CONTEXT) or name == INSIDE]


@BOTH
def test_a_client_cannot_name_claims_for_itself(issue):
    """C15: headers that a proxy would set are not believed."""
    headers = ["-H", "X-MS-Client-IP: 10.0.0.1", "-H", "X-MS-Forwarded-Client-IP: 10.0.0.1", "-H", "X-MS-Proxy: evil",
               "-H", "X-MS-Endpoint-Absolute-Path: /evil", "-H", "client-request-id: 00000000-0000-0000-0000-000000000001"]
    claims = issue("everything", *headers).claims
    assert claims[CONTEXT + "x-ms-client-ip"] == ["127.0.0.1"] and "evil" not in str(claims)
    assert claims[CONTEXT + "client-request-id"] != ["00000000-0000-0000-0000-000000000001"]
    assert CONTEXT + "x-ms-proxy" not in claims and CONTEXT + "x-ms-forwarded-client-ip" not in claims
