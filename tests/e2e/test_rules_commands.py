"""`lanyard rules eval|check|format` and `lanyard show`: the contract scripts depend on, and what people read."""
import json
import re
import subprocess

import pytest

from support.lab import LANYARD, environment, run
from support.settings import set_setting

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
PERMIT = "http://schemas.microsoft.com/authorization/claims/permit"
DENY = "http://schemas.microsoft.com/authorization/claims/deny"
STRING = "http://www.w3.org/2001/XMLSchema#string"
MAIL = {"type": "mail", "value": "alice@lab.test"}
ACCOUNT = {"type": MS + "windowsaccountname", "value": "LAB\\alice", "issuer": "AD AUTHORITY"}
ASK = ('c:[Type == "%swindowsaccountname"] => issue(store = "%%s", types = ("m", "g"), query = "%%s", '
       'param = RegExReplace(c.Value, "(?<d>[^\\\\]+)\\\\(?<u>.+)", "${u}"), param = c.Value);' % MS)
DIRECTORY = ASK % ("Active Directory", "samAccountName={0};mail,memberOf;{1}")
QUERY = "samAccountName=alice;mail,memberOf;LAB\\alice"


@pytest.fixture
def evaluate(tmp_path):
    """Runs `rules eval --json` on rules and claims; gives (exit status, the object it printed)."""
    def run_it(rules, claims=(), stores=None, *options):
        (tmp_path / "a.rules").write_bytes(rules if isinstance(rules, bytes) else rules.encode())
        given = {"claims": list(claims)} if stores is None else {"claims": list(claims), "stores": stores}
        (tmp_path / "claims.json").write_text(json.dumps(given))
        finished = run("rules", "eval", "--rules", tmp_path / "a.rules", "--claims", tmp_path / "claims.json", "--json",
                       *options, cwd=tmp_path)
        assert finished.stdout.count("\n") == 1, finished.stderr
        return finished.returncode, json.loads(finished.stdout)
    return run_it


def output_of(result):
    status, answer = result
    assert status == 0, answer
    return [(claim["type"], claim["value"]) for claim in answer["output"]]


def error_of(result):
    """The error's kind, line and column; it is the first of all."""
    status, answer = result
    assert status == 1 and set(answer) == {"error", "errors"}, answer
    assert answer["error"] == answer["errors"][0]
    for each in answer["errors"]:
        assert set(each) >= {"kind", "line", "column", "message"} and each["message"]
    return answer["error"]["kind"], answer["error"]["line"], answer["error"]["column"]


# eval: what comes out ----------------------------------------------------------------------------

def test_a_claim_that_comes_out_has_all_six_fields_with_the_defaults(evaluate):
    status, answer = evaluate('=> issue(Type = "a");')
    assert status == 0
    assert answer["output"] == [{"type": "a", "value": "", "value_type": STRING, "issuer": "LOCAL AUTHORITY",
                                 "original_issuer": "LOCAL AUTHORITY", "properties": {}}]


def test_a_claim_that_comes_in_keeps_what_it_has_and_gets_the_defaults_for_the_rest(evaluate):
    full = {"type": "a", "value": "1", "value_type": "urn:t", "issuer": "I", "original_issuer": "O", "properties": {"p": "q", "é": "ß"}}
    status, answer = evaluate("c:[] => issue(claim = c);", [full, {"type": "b", "value": "2", "issuer": "I"}, MAIL])
    assert status == 0 and answer["output"][0] == full
    assert [(claim["issuer"], claim["original_issuer"]) for claim in answer["output"][1:]] \
        == [("I", "I"), ("LOCAL AUTHORITY", "LOCAL AUTHORITY")]


def test_only_what_is_issued_comes_out(evaluate):
    rules = '=> add(Type = "b"); c:[Type == "b"] => issue(Type = "c", Value = c.Type);'
    assert output_of(evaluate(rules, [MAIL])) == [("c", "b")]
    assert output_of(evaluate("", [MAIL])) == []


@pytest.mark.parametrize("rules, decision", [
    ("", "deny"),
    (f'=> issue(Type = "{PERMIT}", Value = "true");', "permit"),
    (f'=> add(Type = "{PERMIT}", Value = "true");', "deny"),
    (f'=> issue(Type = "{PERMIT}"); => issue(Type = "{DENY}", Value = "false");', "deny"),
    (f'=> issue(Type = "{DENY}"); => issue(Type = "{PERMIT}");', "deny"),
    (f'=> issue(Type = "{PERMIT[:-6]}Permit");', "deny"),
])
def test_the_decision_is_a_permit_and_no_deny(evaluate, rules, decision):
    assert evaluate(rules)[1]["authorization"] == decision


def test_the_trace_says_of_every_rule_what_it_did_and_why_not(evaluate):
    rules = ('@RuleName = "flag"\n=> add(Type = "flag");\n'
             'c:[Type == "mail"] && f:[Type == "flag"] => issue(Type = "m", Value = c.Value);\n'
             'c:[Type == "mail", Value == "ALICE@lab.test"] => issue(claim = c);')
    status, answer = evaluate(rules, [MAIL])
    first, second, third = answer["trace"]
    assert status == 0
    assert (first["rule"], first["name"], first["line"], first["runs"], first["made"], first["why"]) == (1, "flag", 1, 1, 1, None)
    assert first["claims"] == [] and second["name"] is None and second["line"] == 3
    assert [made["output"] for made in second["claims"]] == [0]
    assert [(claim["type"], claim["value"]) for claim in second["claims"][0]["matched"]] == [("mail", "alice@lab.test"), ("flag", "")]
    assert (third["runs"], third["made"]) == (0, 0) and "letter case counts" in third["why"]


# eval: stores ------------------------------------------------------------------------------------

def test_a_store_of_the_file_answers_by_the_text_of_the_query(evaluate):
    stores = {"Active Directory": {QUERY: [["a@b", ["Staff", "Admins"]], ["", []]], "other": [["x", "y"]]}}
    result = evaluate(DIRECTORY, [ACCOUNT], stores)
    assert output_of(result) == [("m", "a@b"), ("g", "Staff"), ("g", "Admins")]
    assert {claim["issuer"] for claim in result[1]["output"]} == {"AD AUTHORITY"}


def test_parameters_stand_in_the_query_as_they_are(evaluate):
    hostile = {**ACCOUNT, "value": "LAB\\*)(a;{0}"}
    stores = {"active directory": {"samAccountName=*)(a;{0};mail,memberOf;LAB\\*)(a;{0}": [["m", "g"]]}}
    assert output_of(evaluate(DIRECTORY, [hostile], stores)) == [("m", "m"), ("g", "g")]


def test_a_store_that_only_the_file_knows_may_be_asked(evaluate):
    rules = '=> issue(store = "SQL", types = ("a"), query = "select 1");'
    result = evaluate(rules, stores={"SQL": {"select 1": [["1"], [["2", "3"]]]}})
    assert output_of(result) == [("a", "1"), ("a", "2"), ("a", "3")]
    assert result[1]["output"][0]["issuer"] == "SQL"
    assert output_of(evaluate(rules, stores={"SQL": {"select 1": []}})) == []
    assert error_of(evaluate(rules))[0] == "syntax"


@pytest.mark.parametrize("stores", [
    {"Active Directory": {}},
    {"Active Directory": {QUERY.upper(): [["a", "b"]]}},
    {"Active Directory": {QUERY: [["a"]]}},
    {"Active Directory": {QUERY: [["a", "b", "c"]]}},
    None,
])
def test_what_a_store_cannot_answer_is_a_store_error(evaluate, stores):
    status, answer = evaluate(DIRECTORY, [ACCOUNT], stores)
    assert (status, answer["error"]["kind"], answer["error"]["code"]) == (1, "store", "POLICY0018")
    assert len(answer["errors"]) == 1 and answer["error"]["line"] == 1


def test_what_the_file_does_not_answer_a_lab_does(evaluate, made):
    options = ["-c", made / "lanyard.yaml"]
    rules = DIRECTORY + '=> issue(store = "_OpaqueIdStore", types = ("id"), query = "{0};{1};{2}", param = "ppid", param = "u", param = "i");'
    claims = output_of(evaluate(rules, [ACCOUNT], None, *options))
    assert claims[0] == ("m", "alice@lab.test") and claims[1][0] == "g" and len(claims[-1][1]) == 44
    given = {"Active Directory": {QUERY: [["given", "given"]]}}
    assert output_of(evaluate(DIRECTORY, [ACCOUNT], given, *options)) == [("m", "given"), ("g", "given")]
    # Another relying party, another name; the lab is found where it lies, too.
    party = {"type": "http://schemas.microsoft.com/2012/01/requestcontext/claims/relyingpartytrustid", "value": "urn:app"}
    assert output_of(evaluate(rules, [ACCOUNT, party], None, *options))[-1][1] != claims[-1][1]


def test_the_lab_here_is_asked_and_one_that_is_broken_is_not(made):
    (made / "r.rules").write_text(DIRECTORY)
    (made / "c.json").write_text(json.dumps({"claims": [ACCOUNT]}))
    arguments = ["rules", "eval", "--rules", "r.rules", "--claims", "c.json"]
    assert "m = alice@lab.test" in run(*arguments, cwd=made).stdout
    with open(made / "rules" / "rp.issuance.rules", "a") as file:
        file.write("broken")
    finished = run(*arguments, cwd=made)
    assert finished.returncode == 1 and "is not asked" in finished.stderr and "POLICY0018" in finished.stderr
    assert run(*arguments, "-c", "lanyard.yaml", cwd=made).returncode == 2


def test_password_expiry_has_nothing_to_say(evaluate, made):
    rules = '=> issue(store = "_PasswordExpiryStore", types = ("a", "b", "c"), query = "{0};", param = "x");'
    assert output_of(evaluate(rules, [], None, "-c", made / "lanyard.yaml")) == []


# eval: errors ------------------------------------------------------------------------------------

@pytest.mark.parametrize("rules, error", [
    ('c:[Type = "a"] => issue(claim = c);', ("syntax", 1, 9)),
    ('c:[Type == "a"]\n => issue(claim = d);', ("unbound", 2, 19)),
    ('c:[Type == d.Value] && d:[] => issue(claim = c);', ("unbound", 1, 12)),
    ('c:[Value =~ "["] => issue(claim = c);', ("regex", 1, 13)),
    ('=> issue(Type = "ä", Valu = "a");', ("syntax", 1, 22)),
    ('\ufeff=> issue(Value = "a");', ("syntax", 1, 4)),
    (b'=> issue(Type = "\xff");', ("syntax", 1, 18)),
    ('=> issue(store = "SQLite", types = ("a"), query = "q");', ("syntax", 1, 18)),
    ('c:[Type == "https://schemas.xmlsoap.org/x"] => issue(claim = c);', ("syntax", 1, 12)),
])
def test_what_is_wrong_with_rules_has_a_kind_and_a_place(evaluate, rules, error):
    assert error_of(evaluate(rules)) == error


def test_every_error_is_told_not_only_the_first(evaluate):
    status, answer = evaluate('c:[Type = "a"] => issue(claim = d);\n=> issue(Type = "a" Value = "b");\nc:[Value =~ "("] => issue(claim = c);')
    assert status == 1
    assert [(each["kind"], each["line"]) for each in answer["errors"]] == [("syntax", 1), ("unbound", 1), ("syntax", 2), ("regex", 3)]


@pytest.mark.parametrize("rules, kind", [
    ('c:[] => issue(Type = "a", Value = RegExReplace("a", "(" + c.Value, ""));', "regex"),
    ('=> issue(Type = "a", Value = RegExReplace("%sb", "^(a+)+$", ""));' % ("a" * 40), "limit"),
    ("".join('a%d:[] && ' % i for i in range(6))[:-4] + ' => issue(Type = "x");', "limit"),
    ('c:[] => add(Type = "x", Value = c.Value + c.Value);' * 40, "limit"),
])
def test_what_fails_while_running_has_a_kind_and_nothing_comes_out(evaluate, rules, kind):
    assert error_of(evaluate(rules, [{"type": "t", "value": f"v{i}"} for i in range(20)]))[0] == kind


def test_more_claims_than_a_run_takes_are_a_limit(evaluate):
    assert error_of(evaluate("", [{"type": "t", "value": str(i)} for i in range(100_001)]))[0] == "limit"


@pytest.mark.parametrize("claims", [
    "", "{", "[]", '"x"', "{} {}", '{"claims":{}}', '{"claims":["x"]}', '{"claims":[{"type":"a"}]}', '{"claims":[{"value":"a"}]}',
    '{"claims":[{"type":"a","value":1}]}', '{"claims":[{"type":"a","value":"b","properties":[]}]}',
    '{"claims":[{"type":"a","value":"b","properties":{"p":1}}]}', '{"claims":[{"type":"a","type":"b","value":"c"}]}',
    '{"claims":[{"type":"a","value":"\\u0000"}]}', '{"stores":[]}', '{"stores":{"S":[]}}', '{"stores":{"S":{"q":{}}}}',
    '{"stores":{"S":{"q":["x"]}}}', '{"stores":{"S":{"q":[[1]]}}}', '{"stores":{"S":{"q":[[["a",1]]]}}}',
])
def test_a_claims_file_of_another_shape_is_unreadable_input(tmp_path, claims):
    (tmp_path / "a.rules").write_text("")
    finished = run("rules", "eval", "--rules", tmp_path / "a.rules", "--claims", "-", "--json", input=claims, cwd=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("lanyard: (standard input)")


def test_a_key_that_means_nothing_is_pointed_out(tmp_path):
    (tmp_path / "a.rules").write_text("")
    finished = run("rules", "eval", "--rules", tmp_path / "a.rules", "--claims", "-", cwd=tmp_path,
                   input='{"claims":[{"type":"a","value":"b","valuetype":"c"}],"store":{}}')
    assert finished.returncode == 0
    assert 'the key "valuetype"' in finished.stderr and "Did you mean value_type?" in finished.stderr
    assert 'the key "store"' in finished.stderr


@pytest.mark.parametrize("arguments", [
    [], ["--rules", "none.rules", "--claims", "none.json"], ["--rules", "none.rules"], ["--claims", "-"],
    ["--rules", ".", "--claims", "-"], ["--rules", "-", "--claims", "/dev/null", "-c", "none.yaml"], ["extra"],
])
def test_usage_and_files_that_are_not_there(tmp_path, arguments):
    finished = run("rules", "eval", *arguments, "--json", cwd=tmp_path, input='{"claims":[]}')
    assert (finished.returncode, finished.stdout) == (2, "") and finished.stderr


# eval: for people --------------------------------------------------------------------------------

def test_people_read_what_came_out_from_what_and_why_not(tmp_path):
    (tmp_path / "a.rules").write_text(
        '@RuleName = "Flag"\n=> add(Type = "flag", Value = "on");\n'
        '@RuleName = "Mail"\nc:[Type == "mail"] && f:[Type == "flag"] => issue(Type = "m", Value = c.Value, Properties["p"] = "q");\n'
        '@RuleName = "Phone"\nc:[Type == "phone"] => issue(claim = c);\n'
        f'=> issue(Type = "{PERMIT}", Value = "true");\n')
    finished = run("rules", "eval", "--rules", tmp_path / "a.rules", "--claims", "-", cwd=tmp_path,
                   input=json.dumps({"claims": [{**MAIL, "issuer": "I\u001b[2J"}]}))
    assert finished.returncode == 0
    for words in ["2 claims come out", "m = alice@lab.test", "property p = q", 'by rule 2 "Mail" (line 3)',
                  "from mail = alice@lab.test", 'added by rule 1 "Flag" (line 1)', "Rules that made nothing",
                  'rule 3 "Phone" (line 5)', 'no claim fits c:[Type == "phone"]', "As authorization rules: permit"]:
        assert words in finished.stdout, finished.stdout
    assert "\x1b" not in finished.stdout
    nothing = run("rules", "eval", "--rules", "/dev/null", "--claims", "-", cwd=tmp_path, input="{}")
    assert nothing.stdout == "No claim comes out.\n"


def test_people_read_every_problem_and_the_summary(tmp_path):
    (tmp_path / "a.rules").write_text('c:[Type = "a"] => issue(claim = d);')
    finished = run("rules", "eval", "--rules", "a.rules", "--claims", "-", cwd=tmp_path, input="{}")
    lines = finished.stderr.splitlines()
    assert finished.returncode == 1 and finished.stdout == ""
    assert lines[0].startswith('a.rules:1:9: POLICY0030: unexpected =; expected "=="')
    assert lines[1].startswith("a.rules:1:33: POLICY0011: ")
    assert lines[2] == "lanyard: POLICY0002: the rules of a.rules cannot be used: 2 problems"


# check -------------------------------------------------------------------------------------------

def check(*arguments, **options):
    finished = run("rules", "check", *arguments, "--json", **options)
    return finished.returncode, json.loads(finished.stdout)


def test_good_rules_have_no_error(made):
    for file in sorted((made / "rules").iterdir()):
        assert check(file) == (0, {"errors": [], "warnings": []}), file


def test_warnings_do_not_make_rules_wrong(tmp_path):
    rules = f'c:[Type == "{CLAIMS}UPN", Value != "^(?i)alice"] => issue(claim = c);'
    (tmp_path / "a.rules").write_text(rules)
    status, answer = check("a.rules", cwd=tmp_path)
    assert status == 0 and answer["errors"] == [] and "error" not in answer
    assert [(each["file"], each["line"], each["column"]) for each in answer["warnings"]] == [("a.rules", 1, 12), ("a.rules", 1, rules.index('"^') + 1)]
    assert f"write {CLAIMS}upn" in answer["warnings"][0]["message"]
    finished = run("rules", "check", "a.rules", cwd=tmp_path)
    assert finished.returncode == 0 and finished.stdout == "a.rules: 1 rule, with warnings\n"
    assert finished.stderr.startswith("a.rules:1:12: warning: the claim type")


def test_null_in_a_claims_file_is_what_is_not_there(evaluate):
    claim = {"type": "t", "value": "v", "value_type": None, "issuer": None, "original_issuer": None, "properties": None}
    plain = evaluate("c:[] => issue(claim = c);", [{"type": "t", "value": "v"}])
    assert evaluate("c:[] => issue(claim = c);", [claim]) == plain
    rules = '=> issue(store = "sql", types = ("a", "b"), query = "q");'
    status, answer = evaluate(rules, [], {"SQL": {"q": [[None, "x"], [["y", "z"], None]]}})
    assert [(each["type"], each["value"], each["issuer"]) for each in answer["output"]] == [
        ("b", "x", "SQL"), ("a", "y", "SQL"), ("a", "z", "SQL")]


NAMED = '@RuleName = "Pass it on"\nc:[Type = "a"] => issue(claim = c);\n=> issue(Value = "a");'


def test_what_is_wrong_names_its_rule(evaluate, tmp_path):
    """issue 4, 2: file, rule name, line, column"""
    assert [each["rule"] for each in evaluate(NAMED)[1]["errors"]] == ["Pass it on", None]
    assert [each["rule"] for each in check(tmp_path / "a.rules")[1]["errors"]] == ["Pass it on", None]
    for command in (["check"], ["format"], ["eval", "--claims", "claims.json", "--rules"]):
        first, second = run("rules", *command, "a.rules", cwd=tmp_path).stderr.splitlines()[:2]
        assert first.startswith('a.rules:2:9: POLICY0030: in rule "Pass it on": unexpected =; expected "=="')
        assert second.startswith("a.rules:3:4: POLICY0002: a new claim without a type")


def test_a_warning_and_a_failing_run_name_the_rule_too(evaluate, tmp_path):
    rules = '@RuleName = "Pick" c:[Value == "^x"] => issue(store = "SQL", types = ("a"), query = "q");'
    status, answer = evaluate(rules, [{"type": "t", "value": "^x"}], {"SQL": {}})
    assert (status, answer["error"]["kind"], answer["error"]["rule"]) == (1, "store", "Pick")
    (tmp_path / "a.rules").write_text('@RuleName = "Pick" c:[Value == "^x"] => issue(claim = c);')
    assert [each["rule"] for each in check(tmp_path / "a.rules")[1]["warnings"]] == ["Pick"]
    assert 'warning: in rule "Pick": ==' in run("rules", "check", tmp_path / "a.rules").stderr


def test_several_files_are_checked_at_once(tmp_path):
    for name, rules in {"a": '=> issue(Type = "a");', "b": "c:[] => issue(claim = d);", "c": 'c:[Value =~ "("] => issue(claim = c);'}.items():
        (tmp_path / f"{name}.rules").write_text(rules)
    status, answer = check("a.rules", "b.rules", "c.rules", cwd=tmp_path)
    assert status == 1 and answer["error"] == answer["errors"][0]
    assert [(each["file"], each["kind"]) for each in answer["errors"]] == [("b.rules", "unbound"), ("c.rules", "regex")]
    finished = run("rules", "check", "a.rules", "b.rules", cwd=tmp_path)
    assert finished.returncode == 1 and finished.stdout == "a.rules: 1 rule\n" and "1 problem\n" in finished.stderr
    assert run("rules", "check", "a.rules", "none.rules", cwd=tmp_path).returncode == 2
    assert run("rules", "check", cwd=tmp_path).returncode == 2
    assert run("rules", "check", "-", cwd=tmp_path, input="=> issue(Type = \"a\");").stdout == "(standard input): 1 rule\n"


def test_the_settings_check_warns_too(made):
    with open(made / "rules" / "rp.issuance.rules", "a") as file:
        file.write('\nc:[Value == "*"] => issue(claim = c);\n')
    finished = run("check", "-c", made / "lanyard.yaml")
    assert finished.returncode == 0 and finished.stderr.count("an asterisk that stands for itself") == 1  # two parties use the file
    finished = run("check", "-c", made / "lanyard.yaml", "--json")
    assert json.loads(finished.stdout) == {"problems": []} and "an asterisk" in finished.stderr


def test_the_settings_check_takes_relying_parties(made):
    assert run("check", "-c", made / "lanyard.yaml", "--rp", "urn:a=https://a.test/").returncode == 0
    finished = run("check", "-c", made / "lanyard.yaml", "--rp", "urn:a=http://a.test/")
    assert finished.returncode == 2 and "--rp" in finished.stderr


# format and show ---------------------------------------------------------------------------------

def test_rules_are_printed_as_adfs_lays_them_out_and_stay_so(tmp_path):
    (tmp_path / "a.rules").write_text('@RuleName="x" C:[type=="a",VALUE=~"b"]&&not exists([Type=="c"])=>ISSUE(claim=C);=>add(Type="d")')
    finished = run("rules", "format", "a.rules", cwd=tmp_path)
    assert finished.returncode == 0
    assert finished.stdout == ('@RuleName = "x"\nC:[Type == "a", Value =~ "b"]\n && NOT EXISTS([Type == "c"])\n => issue(claim = C);\n\n'
                               '=> add(Type = "d");\n')
    assert run("rules", "format", "-", input=finished.stdout).stdout == finished.stdout
    (tmp_path / "a.rules").write_text("broken")
    broken = run("rules", "format", "a.rules", cwd=tmp_path)
    assert (broken.returncode, broken.stdout) == (1, "") and "POLICY0002" in broken.stderr
    assert run("rules", "format", "none.rules", cwd=tmp_path).returncode == 2


def test_trusts_are_shown_under_adfs_names(made):
    settings = made / "lanyard.yaml"
    rules = (made / "rules" / "office365.issuance.rules").read_text().rstrip()
    shown = run("show", "relying-party-trust", "-c", settings, "--json")
    trusts = {trust["Name"]: trust for trust in json.loads(shown.stdout)}
    office = trusts["Microsoft Office 365 Identity Platform"]
    assert office["Identifier"] == ["urn:federation:MicrosoftOnline", "https://login.microsoftonline.com/extSTS.srf"]
    assert office["WSFedEndpoint"] == "https://login.microsoftonline.com/login.srf"
    assert office["SignatureAlgorithm"].endswith("#rsa-sha256") and office["Enabled"] is True and office["TokenLifetime"] == 60
    assert office["IssuanceTransformRules"] == rules and "permit" in office["IssuanceAuthorizationRules"]
    assert office["AdditionalAuthenticationRules"] == "" and office["EncryptionCertificate"] is None
    assert len(trusts) == 3
    people = run("show", "relying-party-trust", "urn:federation:MicrosoftOnline", "-c", settings).stdout
    assert "\nName                          : Microsoft Office 365 Identity Platform\n" in people
    assert "\nEnabled                       : True\n" in people and people.count("\nName ") == 1
    indent = " " * 32
    assert rules.replace("\n", "\n" + indent).replace(indent + "\n", "\n") in people
    assert run("show", "relying-party-trust", "MICROSOFT office 365 identity platform", "-c", settings).stdout == people


def test_the_claims_provider_trust_is_active_directory(made):
    settings = made / "lanyard.yaml"
    trust, = json.loads(run("show", "claims-provider-trust", "-c", settings, "--json").stdout)
    assert (trust["Name"], trust["Identifier"], trust["IsLocal"]) == ("Active Directory", "AD AUTHORITY", True)
    assert trust["AcceptanceTransformRules"] == (made / "rules" / "active-directory.rules").read_text().rstrip()
    assert "Name                     : Active Directory\n" in run("show", "claims-provider-trust", "active directory", "-c", settings).stdout


def test_a_trust_that_is_not_there_is_a_no(made):
    for kind, name in [("relying-party-trust", "Microsoft Office 366 Identity Platform"), ("claims-provider-trust", "Active Direktory")]:
        finished = run("show", kind, name, "-c", made / "lanyard.yaml")
        assert finished.returncode == 1 and finished.stdout == "" and "Did you mean" in finished.stderr
    assert run("show", "relying-party-trust", "-c", "none.yaml").returncode == 2


def test_providers_are_shown_with_every_uri_that_asks_for_them(made):
    settings = made / "lanyard.yaml"
    certificate, forms = json.loads(run("show", "authentication-provider", "-c", settings, "--json").stdout)
    assert (certificate["Name"], forms["Name"]) == ("CertificateAuthentication", "FormsAuthentication")
    assert (len(certificate["AuthenticationMethods"]), len(forms["AuthenticationMethods"])) == (6, 4)
    assert "urn:ietf:rfc:2246" in certificate["AuthenticationMethods"] and certificate["AllowedForPrimaryExtranet"] is True
    assert all(":" in uri for uri in forms["AuthenticationMethods"]), "usernamepassworduri is no URI"
    people = run("show", "authentication-provider", "forms authentication", "-c", settings).stdout
    assert "\nName                               : FormsAuthentication\n" in people and "rfc:2246" not in people
    refused = run("show", "authentication-provider", "FormAuthentication", "-c", settings)
    assert refused.returncode == 1 and refused.stdout == "" and 'Did you mean "FormsAuthentication"?' in refused.stderr


def test_the_policy_of_each_network_is_shown(made):
    settings = made / "lanyard.yaml"
    set_setting(settings, "primary_extranet_authentication_providers", "[FormsAuthentication]")
    policy, = json.loads(run("show", "global-authentication-policy", "-c", settings, "--json").stdout)
    assert policy["PrimaryIntranetAuthenticationProvider"] == ["FormsAuthentication", "CertificateAuthentication"]
    assert policy["PrimaryExtranetAuthenticationProvider"] == ["FormsAuthentication"]
    assert policy["AdditionalAuthenticationProvider"] == []
    assert run("show", "global-authentication-policy", "extra", "-c", settings).returncode == 2


def test_listeners_are_shown_as_netsh_does(made):
    settings = made / "lanyard.yaml"
    port, certificate, plain = (re.search(rf"^{key}:\s*(\d+)", settings.read_text(), re.M).group(1)
                                for key in ("port", "certificate_port", "plain_port"))
    shown = json.loads(run("show", "listeners", "-c", settings, "--json").stdout)
    asks = {each["Hostname:port"]: each.get("Negotiate Client Certificate") for each in shown}
    assert asks == {f"localhost:{port}": "Disabled", f"certauth.localhost:{port}": "Enabled",
                    f"localhost:{certificate}": "Enabled", f"localhost:{plain}": None}
    assert f"https://+:{certificate}/adfs/" in shown[2]["Reserved URL"] and shown[0]["Network"] == "intranet"
    first = subprocess.run(["openssl", "x509", "-in", made / "pki" / "tls.pem", "-noout", "-fingerprint", "-sha256"],
                           capture_output=True, text=True, check=True).stdout
    assert shown[0]["Certificate Hash (SHA-256)"] == first.strip().rpartition("=")[2].replace(":", "")
    outside = json.loads(run("show", "listeners", "-c", settings, "--json", env={"LANYARD_EXTRANET_PORT": "8445"}).stdout)
    assert [each["Network"] for each in outside if each["Hostname:port"].endswith(":8445")] == ["extranet"] * 2
    set_setting(settings, "port", "443")
    set_setting(settings, "host", "'::1'")
    people = run("show", "listeners", "-c", settings).stdout
    assert "\nHostname:port                        : [::1]:443\n" in people and "certauth" not in people


def test_what_is_printed_can_be_piped_away(made):
    """A reader that goes away early is no crash."""
    finished = subprocess.run(f"'{LANYARD}' show relying-party-trust -c '{made}/lanyard.yaml' | head -n 1", shell=True,
                              capture_output=True, text=True, env=environment(), check=False)
    assert "Sanitizer" not in finished.stderr
