/* What is legal but surely not meant is warned of, and what people rightly write is not. */
#include "claims/claims.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define A CLAIMS_MS
#define B CLAIMS_XMLSOAP
#define ISSUE " => issue(claim = c);"

static const struct store stores[] = {{"Active Directory", STORE_ACTIVE_DIRECTORY}};

static struct error lint(struct arena *arena, struct bytes source)
{
    struct error error = error_in(arena), warnings = error_in(arena);
    const struct rule_set *rules;

    if (!rule_set_read(arena, "a.rules", source, stores, COUNT_OF(stores), &rules, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
    rule_set_lint(rules, &warnings);
    return warnings;
}

static struct error lint_text(struct arena *arena, const char *source)
{
    return lint(arena, (struct bytes){(const void *)source, strlen(source)});
}

/* One rule, its only warning, and where. */
struct warned {
    const char *rule;
    int line, column;
    const char *found;
};

static const struct warned warned[] = {
    /* strings that are compared whole */
    {"c:[Value != \"^alice$\"]" ISSUE, 1, 13, "!= with what looks like a regular expression"},
    {"c:[Value == \"(?i)alice\"]" ISSUE, 1, 13, "== with what looks like a regular expression"},
    {"c:[Type == \"a\",\n Value == \".*@lab\\.test\"]" ISSUE, 2, 11,
     "== with what looks like a regular expression"},
    {"EXISTS([Value != \"S-1-5-.+\"]) => issue(Type = \"a\");", 1, 18,
     "!= with what looks like a regular expression"},
    {"c:[Value == \"*\"]" ISSUE, 1, 13, "an asterisk that stands for itself"},
    {"c:[Value == \"admins \"]" ISSUE, 1, 13, "a blank at the beginning or end of"},
    {"c:[Value == \" admins\"]" ISSUE, 1, 13, "a blank at the beginning or end of"},
    /* claim types */
    {"c:[Type == \"" B "UPN\"]" ISSUE, 1, 12, "the claim type " B "UPN, which nothing"},
    {"c:[Type == \"" B "GroupSID\"]" ISSUE, 1, 12, "the claim type " B "GroupSID, which nothing"},
    {"c:[Type == \"" A "upn\"]" ISSUE, 1, 12, "the claim type " A "upn, which nothing"},
    {"c:[Type == \"HTTP://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn\"]" ISSUE, 1, 12,
     "the claim type HTTP://schemas"},
    {"c:[Type == \"http://lab.test/ claims\"]" ISSUE, 1, 12, "a blank inside a claim type"},
    {"=> issue(Type = \"http://lab.test/a b\");", 1, 17, "a blank inside a claim type"},
    {"c:[] => issue(store = \"Active Directory\", types = (\"http://a b\"), query = "
     "\";mail;{0}\", param = c.Value);",
     1, 52, "a blank inside a claim type"},
    /* https:// for http://, where it is no claim type */
    {"c:[Value == \"https://schemas.microsoft.com/x\"]" ISSUE, 1, 13, "a value that begins with"},
    {"c:[Value =~ \"(?i)^https://schemas\\.xmlsoap\\.org/\"]" ISSUE, 1, 13, "a value that begins"},
    {"=> issue(Type = \"a\", Value = \"https://schemas.xmlsoap.org/x\");", 1, 30, "a value that"},
    {"c:[] => issue(Type = \"a\", Value = RegExReplace(\"https://schemas.xmlsoap.org/x\", c.Value, "
     "\"\"));",
     1, 48, "a value that begins with"},
    /* patterns */
    {"c:[Value =~ \"S-1-5-21-1-2-3-512\"]" ISSUE, 1, 13, "a SID that may go on after its end"},
    {"c:[Value =~ \"^(?i)S-1-5-21-1-2-3-512\"]" ISSUE, 1, 13, "a SID that may go on"},
    {"c:[Value =~ \"(?i)^S-1-5-32\"]" ISSUE, 1, 13, "a SID that may go on"},
    {"c:[Issuer =~ \"AD AUTHORITY\"]" ISSUE, 1, 14, "an issuer that may be any part of"},
    {"c:[Issuer =~ \"(?i)AD AUTHORITY\"]" ISSUE, 1, 14, "an issuer that may be any part of"},
    {"@RuleName = \"Mail begins with a\"\nc:[Value =~ \"(?i)a\"]" ISSUE, 2, 13,
     "a pattern that may match anywhere"},
    {"@RuleName = \"Mail Ends With a\"\nc:[Value =~ \"a\"]" ISSUE, 2, 13,
     "a pattern that may match anywhere"},
    {"c:[] => issue(Type = \"a\", Value = RegExReplace(c.Value, \"^(?<s>.{1,20}).+$\", "
     "\"${s}\"));",
     1, 57, "a pattern that cuts the last character off"},
    {"c:[Value =~ \"^(?i)lab\"] => issue(Type = \"a\", Value = RegExReplace(c.Value, \"^lab\", "
     "\"\"));",
     1, 76, "a replacement that minds letter case"},
    /* what can never be, and what does nothing */
    {"c:[Type == \"a\", Type == \"b\"]" ISSUE, 1, 17, "two values that one part of a claim"},
    {"c:[Properties[\"p\"] == \"a\", Properties[\"p\"] == \"b\"]" ISSUE, 1, 28,
     "two values that one part of a claim"},
    {"c:[] => add(claim = c);", 1, 9, "add(claim = ...), which changes nothing"},
    {"=> issue(Type = \"" CLAIMS_AUTHORIZATION "Permit\");", 1, 17,
     "a claim type that almost is the one that permits"},
    {"=> issue(Type = \"" CLAIMS_AUTHORIZATION "DENY\");", 1, 17,
     "a claim type that almost is the one that denies"},
    /* annotations */
    {"\n@RuleTemplate = \"PassThroughClaims\"\n=> issue(Type = \"a\");", 2, 1,
     "the template PassThroughClaims over a rule of another shape"},
    {"@RuleTemplate = \"LdapClaims\"\nc:[]" ISSUE, 1, 1, "the template LdapClaims over"},
    {"@RuleTemplate = \"Authorization\"\nc:[] => issue(Type = \"a\");", 1, 1,
     "the template Authorization over"},
    {"@RuleTemplate = \"AllowAllAuthzRule\"\nc:[] => issue(Type = \"" CLAIM_PERMIT "\");", 1, 1,
     "the template AllowAllAuthzRule over"},
    {"@RuleTemplate = \"MapClaims\"\nc:[] => add(Type = \"a\");", 1, 1,
     "the template MapClaims over"},
    {"@RuleTemplate = \"PassThroughClaim\"\nc:[]" ISSUE, 1, 1,
     "the template \"PassThroughClaim\", which AD FS does not have"},
    {"@Name = \"x\"\nc:[]" ISSUE, 1, 1, "the annotation @Name, which nobody reads"},
};

static void what_was_surely_not_meant_is_warned_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(warned); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error warnings = lint_text(arena, warned[i].rule);

        if (warnings.count != 1 || !string_starts(warnings.problems[0].found, warned[i].found)
            || warnings.problems[0].line != warned[i].line
            || warnings.problems[0].column != warned[i].column) {
            fail_msg("%s\n  %s", warned[i].rule, error_sentence(&warnings));
        }
        assert_string_equal(warnings.problems[0].kind, "warning");
        assert_string_equal(warnings.problems[0].file, "a.rules");
        assert_non_null(warnings.problems[0].cure);
    }
}

static const char *const right[] = {
    "c:[Type == \"" A "groupsid\", Value == \"S-1-5-32-544\", Issuer == \"AD AUTHORITY\"]" ISSUE,
    "c:[Type == \"http://schemas.xmlsoap.org/claims/UPN\"]" ISSUE,
    "c:[Type == \"" B "upn\", Value =~ \"^(?i)alice@lab\\.test$\"]" ISSUE,
    "c:[Type == \"sub\", Value == \"LAB\\dave\"]" ISSUE,
    "c:[Value == \"pc7$\"]" ISSUE,
    "c:[Value == \"\"]" ISSUE,
    "c:[Value == \"^\"]" ISSUE,
    "c:[Value == \"a b\"]" ISSUE,
    "c:[Type == \"" A "windowsdevicegroup\"]" ISSUE,
    "c:[Type == \"http://lab.test/Claims/UPN\"]" ISSUE,
    "c:[Type =~ \"^http://schemas\\.microsoft\\.com/\"]" ISSUE,
    "c:[Value =~ \"-515$\"]" ISSUE,
    "c:[Value =~ \"^S-1-5-21-[0-9]+\"]" ISSUE,
    "c:[Issuer =~ \"^(AD AUTHORITY|SELF AUTHORITY)$\"]" ISSUE,
    "@RuleName = \"begins with a\"\nc:[Value =~ \"^(?i)a\"]" ISSUE,
    "@RuleName = \"begins with a\"\nc:[Type == \"a\"]" ISSUE,
    "@RuleName = \"ends with a\"\nc:[Value =~ \"a\\z\"]" ISSUE,
    "c:[] => issue(Type = \"a\", Value = RegExReplace(c.Value, \"^(?<s>.{1,20}).*$\", \"${s}\"));",
    "c:[Value =~ \"(?i)a\"] => issue(Type = \"a\", Value = RegExReplace(c.Value, \"(?i)a\", "
    "\"\"));",
    "c:[Value =~ \"(?i)a\"] => issue(Type = \"a\", Value = RegExReplace(c.Value, "
    "\"(?<user>[^\\\\]+)\\\\\\d+\", \"\"));",
    "c:[Value =~ \"a\"] => issue(Type = \"a\", Value = RegExReplace(c.Value, \"a\", \"\"));",
    "c:[Type == \"a\", Type == \"a\"]" ISSUE,
    "c:[Type == \"a\", Type != \"b\"]" ISSUE,
    "c:[Properties[\"p\"] == \"a\", Properties[\"q\"] == \"b\"]" ISSUE,
    "c:[] => issue(Type = \"a\", Value = \" - \" + c.Value);",
    "=> issue(Type = \"" CLAIM_PERMIT "\", Value = \"true\");",
    "@RuleTemplate = \"AllowAllAuthzRule\"\n=> issue(Type = \"" CLAIM_PERMIT
    "\", Value = \"true\");",
    "@RuleTemplate = \"Authorization\"\n@RuleName = \"x\"\nc:[Value =~ \"^(?i)a$\"] => issue(Type "
    "= "
    "\"" CLAIM_DENY "\", Value = \"DenyUsersWithClaim\");",
    "@RuleTemplate = \"EmitGroupClaims\"\nc:[Type == \"" A "groupsid\", Value == \"S-1-5-32-544\"] "
    "=> issue(Type = \"" A "role\", Value = \"admin\");",
    "@RuleTemplate = \"LdapClaims\"\nc:[Type == \"" A "windowsaccountname\"] => issue(store = "
    "\"Active Directory\", types = (\"a\"), query = \";mail;{0}\", param = c.Value);",
};

static void what_people_rightly_write_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        OWNED(arena_drop) struct arena *arena = arena_new();
        struct error warnings = lint_text(arena, right[i]);

        if (warnings.count != 0) {
            fail_msg("%s\n  %s", right[i], error_sentence(&warnings));
        }
    }
}

static void warnings_come_in_the_order_of_the_text(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error warnings =
        lint_text(arena, "@x = \"1\"\nc:[Value == \"*\", Value == \"^a\"] => add(claim = c);\n"
                         "@RuleTemplate = \"none\"\nc:[] => issue(claim = c);");
    (void)state;

    assert_int_equal(warnings.count, 6);
    for (size_t i = 1; i < warnings.count; i++) {
        const struct problem *before = &warnings.problems[i - 1], *here = &warnings.problems[i];

        assert_true(before->line < here->line
                    || (before->line == here->line && before->column <= here->column));
    }
    assert_int_equal(warnings.problems[5].line, 3);
}

static void our_own_rule_files_are_without_warnings(void **state)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    glob_t found;
    (void)state;

    assert_int_equal(glob(TESTS_FOLDER "/../templates/lab/*.rules", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 3);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct error error = error_in(arena), warnings;
        struct bytes source;

        assert_true(file_read(arena, found.gl_pathv[i], 1 << 20, &source, &error));
        warnings = lint(arena, source);
        if (warnings.count != 0) {
            fail_msg("%s: %s", found.gl_pathv[i], error_sentence(&warnings));
        }
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_surely_not_meant_is_warned_of),
        cmocka_unit_test(what_people_rightly_write_is_not),
        cmocka_unit_test(warnings_come_in_the_order_of_the_text),
        cmocka_unit_test(our_own_rule_files_are_without_warnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
