/*
 * The accounts as the attribute store "Active Directory" (claimrules 8.1): queries, filters, and
 * what a hostile claim value can do in them, which is nothing (security C12).
 */
#include "help_files.h"

#include "server/ldap_filter.h"

static const char alice[] = "sAMAccountName: alice\n"
                            "userPrincipalName: alice@lab.test\n"
                            "mail: alice@mail.test\n"
                            "displayName: 'Archer, Alice'\n"
                            "title: Boss*\n"
                            "employeeID: 0042\n"
                            "telephoneNumber: ['+1 (555) 1', '+1 (555) 2']\n"
                            "objectGUID: 33221100-5544-7766-8899-aabbccddeeff\n"
                            "objectSid: S-1-5-21-1-2-3-1104\n"
                            "memberOf:\n"
                            "  - CN=Staff,CN=Users,DC=lab,DC=test\n"
                            "  - 'CN=Chiefs\\, All \\C3\\A9,DC=lab'\n"
                            "  - Domain Admins\n"
                            "password: $y$j9T$OEfslBImAbF9ghQej2R0T0$QvqLK/IMWd."
                            "fzXtz6dtd4yR/tyM.PVnn73vGTfU.d06\n";
static const char bob[] = "sAMAccountName: bob\n"
                          "userPrincipalName: bob@lab.test\n"
                          "mail: bob@mail.test\n"
                          "enabled: false\n"
                          "objectSid: S-1-5-21-9-8-7-1105\n"
                          "objectGUID: 44434241-4645-4847-494a-4b4c4d4e4f50\n" /* "ABC…P" */
                          "memberOf: CN=Staff,CN=Users,DC=lab,DC=test\n";

static const struct settings lab = {.netbios_domain = "LAB", .upn_suffix = "lab.test"};

/* A lab with alice and bob. */
static const struct directory *people(struct place *place)
{
    struct directory *directory = arena_alloc(place->arena, sizeof(*directory));

    put_file(place, "users/alice.yaml", alice);
    put_file(place, "users/bob.yaml", bob);
    directory->settings = &lab;
    if (!account_set_load(place->arena, path_join(place->arena, place->folder, "users"),
                          &directory->accounts, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return directory;
}

static bool ask(struct place *place, const struct directory *directory, const char *query,
                size_t columns, const char *const *parameters, struct answer *answer)
{
    struct attribute_source source = directory_source(directory);
    struct store_query asked = {
        .store = "active DIRECTORY", .query = query, .parameters = parameters, .columns = columns};

    while (parameters != NULL && parameters[asked.parameter_count] != NULL) {
        asked.parameter_count++;
    }
    place->error = error_in(place->arena);
    *answer = (struct answer){0};
    return source.ask(source.world, place->arena, &asked, answer, &place->error);
}

/* The values of the first column, all rows, joined by "|". */
static const char *values_of(struct place *place, const char *query, const char *parameter)
{
    const char *const parameters[] = {parameter, NULL};
    struct text text = text_in(place->arena);
    struct answer answer;

    if (!ask(place, people(place), query, 1, parameters, &answer)) {
        return error_sentence(&place->error);
    }
    for (size_t i = 0; i < answer.count; i++) {
        for (size_t j = 0; j < answer.rows[i].cells[0].count; j++) {
            text_print(&text, "%s%s", text.length == 0 ? "" : "|",
                       answer.rows[i].cells[0].values[j]);
        }
    }
    return text.start;
}

/* queries -------------------------------------------------------------------------------------- */

static void an_empty_filter_means_the_user_of_the_third_part(void **state)
{
    assert_string_equal(values_of(*state, ";mail;{0}", "LAB\\alice"), "alice@mail.test");
    assert_string_equal(values_of(*state, ";MAIL;{0}", "lab\\ALICE"), "alice@mail.test");
    assert_string_equal(values_of(*state, ";mail;{0}", "lab.test\\bob"), "bob@mail.test");
    assert_string_equal(values_of(*state, " ; mail ;LAB\\bob", NULL), "bob@mail.test");
    assert_string_equal(values_of(*state, ";mail;{0}", "LAB\\nobody"), "");
}

static void each_type_gets_the_attribute_in_its_place(void **state)
{
    struct place *place = *state;
    const char *const parameters[] = {"LAB\\alice", NULL};
    struct answer answer;

    assert_true(
        ask(place, people(place), ";sn, mail ,telephoneNumber,mail;{0}", 4, parameters, &answer));
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.issuer, ISSUER_AD);
    assert_int_equal(answer.rows[0].cells[0].count, 0); /* no value: no claim */
    assert_string_equal(answer.rows[0].cells[1].values[0], "alice@mail.test");
    assert_int_equal(answer.rows[0].cells[2].count, 2);
    assert_string_equal(answer.rows[0].cells[2].values[1], "+1 (555) 2");
    assert_string_equal(answer.rows[0].cells[3].values[0], "alice@mail.test");
}

static void attributes_and_types_must_be_as_many(void **state)
{
    struct place *place = *state;
    static const char *const lists[] = {"mail", "mail,sn,title", "mail,",    ",mail",   "mail,,sn",
                                        "",     "mail,s n",      "mail,s'n", "mail,sn,"};
    const char *const parameters[] = {"LAB\\alice", NULL};
    struct answer answer;

    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (ask(place, people(place), arena_print(place->arena, ";%s;{0}", lists[i]), 2, parameters,
                &answer)) {
            fail_msg("was taken: %s", lists[i]);
        }
        assert_int_equal(place->error.fault, FAULT_CLAIMS);
        assert_string_equal(place->error.problems[0].code, "POLICY0018");
    }
}

static void a_third_part_that_is_no_account_name_fails_with_policy3826(void **state)
{
    static const char *const names[] = {"alice",     "alice@lab.test", "\\alice", "LAB\\",
                                        "LAB\\a\\b", "LAB/alice",      ""};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *said = values_of(*state, ";mail;{0}", names[i]);

        assert_non_null(strstr(said, "POLICY0018: "));
        assert_non_null(strstr(said, "POLICY3826: "));
        assert_non_null(strstr(values_of(*state, "mail=a;mail;{0}", names[i]), "POLICY3826: "));
    }
    assert_non_null(strstr(values_of(*state, ";mail;OTHER\\alice", NULL), "another domain"));
}

static void queries_of_another_shape_fail(void **state)
{
    static const char *const queries[] = {"",
                                          ";",
                                          "mail",
                                          ";mail",
                                          ";mail;",
                                          "a;b;c;d",
                                          "samAccountName={0};mail",
                                          ";mail;LAB\\alice;"};

    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        assert_true(string_starts(values_of(*state, queries[i], "LAB\\alice"), "POLICY0018: "));
    }
}

static void a_parameter_that_is_missing_or_no_text_fails(void **state)
{
    assert_non_null(strstr(values_of(*state, ";mail;{1}", "LAB\\alice"), "has no param"));
    assert_non_null(strstr(values_of(*state, ";mail;{0}", NULL), "has no param"));
    assert_non_null(strstr(values_of(*state, "sn={9999};mail;LAB\\a", "x"), "has no param"));
    assert_non_null(strstr(values_of(*state, "sn={0};mail;LAB\\a", "\xff"), "has no param"));
    /* What is no {n} is text. */
    assert_string_equal(values_of(*state, "(|(sn={x})(sn={})(sn={00000}));mail;LAB\\a", "x"), "");
}

static void another_store_is_not_answered_for(void **state)
{
    struct place *place = *state;
    struct attribute_source source = directory_source(people(place));
    struct store_query query = {.store = "SQL", .query = ";mail;LAB\\alice", .columns = 1};
    struct answer answer = {0};

    assert_false(source.ask(source.world, place->arena, &query, &answer, &place->error));
    assert_int_equal(place->error.fault, FAULT_CLAIMS);
}

/* attributes ----------------------------------------------------------------------------------- */

static void guids_come_in_windows_byte_order(void **state)
{
    /* 00 11 22 … ff */
    assert_string_equal(values_of(*state, ";objectGUID;LAB\\alice", NULL),
                        "ABEiM0RVZneImaq7zN3u/w==");
    assert_string_equal(values_of(*state, ";objectSid;LAB\\alice", NULL), "S-1-5-21-1-2-3-1104");
}

static void groups_come_in_every_form(void **state)
{
    struct place *place = *state;
    const char *sids, *others;

    assert_string_equal(values_of(place, ";tokenGroups;LAB\\alice", NULL),
                        "Staff|Chiefs, All \xc3\xa9|Domain Admins");
    assert_string_equal(values_of(place, ";tokengroups(domainQualifiedName);LAB\\alice", NULL),
                        "LAB\\Staff|LAB\\Chiefs, All \xc3\xa9|LAB\\Domain Admins");
    assert_string_equal(values_of(place, ";tokenGroups(longDomainQualifiedName);LAB\\bob", NULL),
                        "lab.test\\Staff");
    assert_string_equal(values_of(place, ";tokenGroups(fullDomainQualifiedName);LAB\\bob", NULL),
                        "lab.test\\Staff");
    sids = values_of(place, ";tokenGroups(SID);LAB\\alice", NULL);
    others = values_of(place, ";tokenGroups(SID);LAB\\bob", NULL);
    assert_true(string_starts(sids, "S-1-5-21-"));
    assert_true(string_ends(sids, "-512"));
    /* One group, one SID, whoever is in it. */
    assert_true(string_starts(sids, others));
    assert_string_equal(values_of(place, ";tokenGroups(other);LAB\\bob", NULL), "");
}

static void what_active_directory_keeps_for_everybody_is_there(void **state)
{
    assert_string_equal(values_of(*state, ";distinguishedName;LAB\\alice", NULL),
                        "CN=Archer\\, Alice,CN=Users,DC=lab,DC=test");
    assert_string_equal(values_of(*state, ";cn;LAB\\bob", NULL), "bob");
    assert_string_equal(values_of(*state, ";objectClass;LAB\\bob", NULL),
                        "top|person|organizationalPerson|user");
    assert_string_equal(values_of(*state, ";userAccountControl;LAB\\alice", NULL), "512");
    assert_string_equal(values_of(*state, ";userAccountControl;LAB\\bob", NULL), "514");
}

static void nothing_secret_is_an_attribute(void **state)
{
    static const char *const names[] = {"password",     "enabled",      "unicodePwd",
                                        "userPassword", "certificates", "sessions_valid_from",
                                        "file"};
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *said =
            values_of(place, arena_print(place->arena, ";%s;LAB\\alice", names[i]), NULL);

        assert_true(*said == '\0' || string_starts(said, "POLICY0018: "));
        assert_null(strstr(said, "$y$"));
    }
    assert_string_equal(values_of(place, "(&(sAMAccountName=alice)(password=*));mail;LAB\\x", NULL),
                        "");
}

/* filters -------------------------------------------------------------------------------------- */

static void filters_fit_whom_they_mean(void **state)
{
    static const char *const alices[] = {
        "samAccountName=alice",
        "(samAccountName=ALICE)",
        "(&(objectClass=user)(samAccountName=alice))",
        "&(objectClass=user)(samAccountName=alice)",
        "( & ( objectCategory=person) (mail=alice@mail.test) )",
        "(|(samAccountName=alice)(samAccountName=nobody))",
        "(&(objectClass=user)(!(samAccountName=bob)))",
        "(title=*)",
        "(&(title=B*)(title=*s*)(title=*\\2a))",
        "(title=boss\\2A)",
        "(mail=a*@*.te*)",
        "(mail=*alice*)",
        "(mail~=alice@mail.test)",
        "(mail:=alice@mail.test)",
        "(employeeID>=42)",
        "(employeeID<=42)",
        "(&(employeeID>=9)(employeeID<=100))",
        "(telephoneNumber=+1 \\28555\\29 2)",
        "(objectGUID=\\00\\11\\22\\33\\44\\55\\66\\77\\88\\99\\aa\\bb\\cc\\dd\\ee\\ff)",
        "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
        "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.804:=3)))",
        "(&(objectClass=user)(memberOf=CN=Chiefs\\5c, All \\5cC3\\5cA9,DC=lab))",
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(alices); i++) {
        const char *said = values_of(
            place, arena_print(place->arena, "%s;sAMAccountName;LAB\\x", alices[i]), NULL);

        if (strcmp(said, "alice") != 0) {
            fail_msg("%s: %s", alices[i], said);
        }
    }
}

static void filters_do_not_fit_others(void **state)
{
    static const char *const nobody[] = {
        "(samAccountName=alic)",
        "(samAccountName=alice )",
        "(samAccountName=)",
        "(title=Boss)",
        "(title=*x*)",
        "(title=Boss\\2a*Boss\\2a)",
        "(mail=alice*alice@mail.test)",
        "(employeeID>=43)",
        "(&(mail=alice@mail.test)(mail=bob@mail.test))",
        "(samAccountName=alice\\00)",
        "(samAccountName=alice\\00*)",
        "(mail=\\ff*)",
        "(objectGUID=33221100-5544-7766-8899-aabbccddeeff)",
        /* one bit of case in a GUID is another GUID */
        "(objectGUID=\\00\\11\\22\\33\\64\\55\\66\\77\\88\\99\\aa\\bb\\cc\\dd\\ee\\ff)",
        "(nothing=*)",
        "(!(objectClass=*))",
        "(userAccountControl:1.2.840.113556.1.4.803:=x)",
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(nobody); i++) {
        const char *said = values_of(
            place, arena_print(place->arena, "%s;sAMAccountName;LAB\\x", nobody[i]), NULL);

        if (*said != '\0') {
            fail_msg("%s: %s", nobody[i], said);
        }
    }
}

static void bytes_of_a_guid_have_no_case(void **state)
{
    assert_string_equal(values_of(*state, "(objectGUID=ABCDEFGHIJKLMNOP);mail;LAB\\x", NULL),
                        "bob@mail.test");
    assert_string_equal(values_of(*state, "(objectGUID=abcdefghijklmnop);mail;LAB\\x", NULL), "");
    assert_string_equal(values_of(*state, "(objectGUID=ABCDEFGHIJKLMNOp);mail;LAB\\x", NULL), "");
}

static void what_is_no_filter_fails(void **state)
{
    static const char *const texts[] = {
        "(",
        ")",
        "()",
        "(mail)",
        "(=x)",
        "(mail=x",
        "mail=x)",
        "(mail=x))",
        "(mail=(x))",
        "(mail=x)(sn=y)",
        "(&)",
        "(|)",
        "(!)",
        "(!(a=b)(c=d))",
        "(&(a=b)",
        "(&a=b)",
        "(mail=\\)",
        "(mail=\\2)",
        "(mail=\\zz)",
        "(mail>=*)",
        "(mail<x)",
        "(mail:dn:=x)",
        "(mail:1.2.3:=x)",
        "(mail:x)",
        "(m ail=x)",
        "(m@il=x)",
        "(mail==",
        "(mail=\xff)",
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *said =
            values_of(place, arena_print(place->arena, "%s;mail;LAB\\x", texts[i]), NULL);

        if (strstr(said, "the LDAP filter is wrong at character ") == NULL) {
            fail_msg("%s: %s", texts[i], said);
        }
    }
}

static void a_filter_nested_too_deeply_fails(void **state)
{
    struct place *place = *state;
    struct text text = text_in(place->arena);
    const struct filter *filter;

    for (int i = 0; i < 100000; i++) {
        text_add_literal(&text, "(!");
    }
    assert_false(filter_read(place->arena, text.start, &filter, &place->error));
    assert_non_null(strstr(place->error.problems[0].found, "nested too deeply"));
}

static void two_people_are_one_too_many(void **state)
{
    assert_non_null(strstr(values_of(*state, "(objectClass=user);mail;LAB\\x", NULL), "2 people"));
    assert_non_null(strstr(values_of(*state, "(mail=*);mail;LAB\\x", NULL), "2 people"));
}

static void groups_are_found_by_their_members(void **state)
{
    struct place *place = *state;
    const char *dn = values_of(place, ";distinguishedName;LAB\\alice", NULL);

    assert_string_equal(values_of(place, "(member:1.2.840.113556.1.4.1941:={0});cn;LAB\\alice", dn),
                        "Staff|Chiefs, All \xc3\xa9|Domain Admins");
    assert_string_equal(values_of(place, "(&(objectClass=group)(member={0}));cn;LAB\\bob",
                                  values_of(place, ";distinguishedName;LAB\\bob", NULL)),
                        "Staff");
    assert_string_equal(
        values_of(place, "(&(objectClass=group)(cn=staff));objectSid;LAB\\bob", NULL),
        values_of(place, ";tokenGroups(SID);LAB\\bob", NULL));
}

/* injection ------------------------------------------------------------------------------------ */

static void a_parameter_is_never_more_than_a_value(void **state)
{
    static const char *const values[] = {
        "*",
        "a*",
        "*)(uid=*",
        "*)(|(mail=*",
        "alice)(mail=*",
        "alice))(|(a=b",
        "x)(!(a=b)",
        "alice\\",
        "\\61lice",
        "a\\29",
        "\\00",
        "alice\\00",
        "alice;mail;LAB\\bob",
        "{0}",
        "{1}",
        "(samAccountName=alice)",
        "%s%n",
        "",
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const char *said = values_of(place, "samAccountName={0};mail;LAB\\x", values[i]);

        if (*said != '\0') {
            fail_msg("%s: %s", values[i], said);
        }
        assert_string_equal(
            values_of(place, "(&(objectClass=user)(samAccountName={0}));mail;LAB\\x", values[i]),
            "");
    }
    /* And a value that has such characters is found by them. */
    assert_string_equal(values_of(place, "title={0};mail;LAB\\x", "Boss*"), "alice@mail.test");
    assert_string_equal(values_of(place, "(telephoneNumber={0});mail;LAB\\x", "+1 (555) 1"),
                        "alice@mail.test");
    assert_string_equal(values_of(place, "(displayName={0});mail;LAB\\x", "archer, alice"),
                        "alice@mail.test");
}

static void a_parameter_adds_no_part_and_no_second_pass(void **state)
{
    struct place *place = *state;
    const char *const parameters[] = {"{1}", "alice", NULL};
    const char *const third[] = {"LAB\\x;y", NULL};
    struct answer answer;

    assert_true(
        ask(place, people(place), "samAccountName={0};mail;LAB\\x", 1, parameters, &answer));
    assert_int_equal(answer.count, 0); /* {1} in a value stays what it is */
    assert_true(ask(place, people(place), ";mail;{0}", 1, third, &answer));
    assert_int_equal(answer.count, 0);
    assert_false(ask(place, people(place), ";{0};LAB\\alice", 1,
                     (const char *const[]){"mail,sn", NULL}, &answer));
}

static void an_escaped_value_is_read_back_as_it_was(void **state)
{
    struct place *place = *state;
    struct text text = text_in(place->arena);

    text_add_filter_value(&text, "a*(b)\\c\xc3\xa9");
    assert_string_equal(text.start, "a\\2a\\28b\\29\\5cc\xc3\xa9");
}

/* claims --------------------------------------------------------------------------------------- */

static const struct account *named(const struct directory *directory, const char *name)
{
    const struct account *account = NULL;

    account_find(directory->accounts, directory->settings, name, &account);
    assert_non_null(account);
    return account;
}

static size_t count_of(const struct claim_set *claims, const char *type, const char *value)
{
    size_t count = 0;

    for (size_t i = 0; i < claim_set_count(claims); i++) {
        const struct claim *claim = claim_set_at(claims, i);

        assert_string_equal(claim->issuer, ISSUER_AD);
        count += string_is(claim->type, type) && (value == NULL || string_is(claim->value, value));
    }
    return count;
}

static void the_claims_provider_says_who_somebody_is(void **state)
{
    struct place *place = *state;
    const struct directory *directory = people(place);
    struct claim_set *claims = claim_set_new(place->arena);

    directory_claims(directory, named(directory, "LAB\\alice"), claims);
    assert_int_equal(count_of(claims, CLAIM_ACCOUNT_NAME, "LAB\\alice"), 1);
    assert_int_equal(count_of(claims, CLAIM_NAME, "LAB\\alice"), 1);
    assert_int_equal(count_of(claims, CLAIM_UPN, "alice@lab.test"), 1);
    assert_int_equal(count_of(claims, CLAIM_PRIMARY_SID, "S-1-5-21-1-2-3-1104"), 1);
    assert_int_equal(count_of(claims, CLAIM_GROUP_SID, NULL), 4); /* Domain Users, too */
    assert_int_equal(claim_set_count(claims), 8); /* and nothing else (decision 24) */
}

static const struct rule_set *embedded_rules(struct place *place, const char *name)
{
    static const struct store stores[] = {{"Active Directory", STORE_ACTIVE_DIRECTORY}};
    const struct rule_set *rules = NULL;

    for (size_t i = 0; i < embedded_count; i++) {
        struct bytes text = {(const unsigned char *)embedded_files[i].text,
                             embedded_files[i].length};

        if (string_is(embedded_files[i].name, name)
            && !rule_set_read(place->arena, name, text, stores, 1, &rules, &place->error)) {
            fail_msg("%s", error_sentence(&place->error));
        }
    }
    assert_non_null(rules);
    return rules;
}

static struct claim_set *run(struct place *place, const struct directory *directory,
                             const char *rules, const struct claim_set *incoming)
{
    struct attribute_source source = directory_source(directory);
    struct rule_run rule_run = {.arena = place->arena, .source = &source};
    struct claim_set *issued = claim_set_new(place->arena);

    if (!rule_set_apply(embedded_rules(place, rules), &rule_run, incoming, issued, &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return issued;
}

static void the_rules_of_a_new_lab_make_the_claims_they_promise(void **state)
{
    struct place *place = *state;
    const struct directory *directory = people(place);
    struct claim_set *incoming = claim_set_new(place->arena);
    const struct claim_set *accepted, *issued;

    directory_claims(directory, named(directory, "LAB\\alice"), incoming);
    claim_set_say(incoming, CLAIM_METHOD, AUTHENTICATION_METHODS "password", ISSUER_AD);
    claim_set_say(incoming, CLAIM_SERIAL_NUMBER, "1B", ISSUER_AD);
    claim_set_say(incoming, CLAIM_CERTIFICATE_ISSUER, "CN=CA", ISSUER_AD);
    claim_set_say(incoming, CLAIMS_CERTIFICATE "extension/eku", "1.3.6.1.5.5.7.3.2", ISSUER_AD);
    claim_set_say(incoming, CLAIMS_CERTIFICATE "field/subject", "CN=alice", ISSUER_AD);
    claim_set_say(incoming, CLAIM_UPN, "admin@lab.test", "a partner");
    accepted = run(place, directory, "lab/active-directory.rules", incoming);
    assert_int_equal(claim_set_count(accepted), 12); /* all but the subject and the partner's */
    assert_int_equal(count_of(accepted, CLAIM_UPN, "admin@lab.test"), 0);
    issued = run(place, directory, "lab/rp.issuance.rules", accepted);
    assert_int_equal(count_of(issued, CLAIM_UPN, "alice@lab.test"), 1);
    assert_int_equal(count_of(issued, CLAIM_NAME_IDENTIFIER, "alice@lab.test"), 1);
    assert_int_equal(count_of(issued, CLAIM_NAME, "Archer, Alice"), 1);
    assert_int_equal(count_of(issued, CLAIMS_XMLSOAP "emailaddress", "alice@mail.test"), 1);
    assert_int_equal(count_of(issued, CLAIMS_XMLSOAP "surname", NULL), 0);
    assert_int_equal(count_of(issued, "http://schemas.xmlsoap.org/claims/Group", NULL), 3);
    assert_int_equal(count_of(issued, CLAIM_ACCOUNT_NAME, "LAB\\alice"), 1);
    assert_int_equal(count_of(issued, CLAIM_METHOD, NULL), 1);
    assert_int_equal(count_of(issued, CLAIM_SERIAL_NUMBER, "1B"), 1);
    assert_int_equal(count_of(issued, CLAIM_CERTIFICATE_ISSUER, "CN=CA"), 1);
    assert_int_equal(count_of(issued, CLAIMS_CERTIFICATE "extension/eku", NULL), 1);
    assert_int_equal(count_of(issued, CLAIM_PRIMARY_SID, NULL), 0);
}

static void the_rule_that_permits_everyone_permits(void **state)
{
    struct place *place = *state;
    struct claim_set *nothing = claim_set_new(place->arena);
    const struct claim_set *issued =
        run(place, people(place), "lab/permit-everyone.rules", nothing);

    assert_non_null(claim_set_find(issued, CLAIM_PERMIT));
    assert_int_equal(claim_set_count(issued), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_filter_means_the_user_of_the_third_part, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_type_gets_the_attribute_in_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(attributes_and_types_must_be_as_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_third_part_that_is_no_account_name_fails_with_policy3826,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(queries_of_another_shape_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_parameter_that_is_missing_or_no_text_fails, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_store_is_not_answered_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(guids_come_in_windows_byte_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(groups_come_in_every_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_active_directory_keeps_for_everybody_is_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_secret_is_an_attribute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(filters_fit_whom_they_mean, set_up, tear_down),
        cmocka_unit_test_setup_teardown(filters_do_not_fit_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_of_a_guid_have_no_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_filter_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_filter_nested_too_deeply_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_people_are_one_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(groups_are_found_by_their_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_parameter_is_never_more_than_a_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_parameter_adds_no_part_and_no_second_pass, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_escaped_value_is_read_back_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_claims_provider_says_who_somebody_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_rules_of_a_new_lab_make_the_claims_they_promise, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_rule_that_permits_everyone_permits, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
