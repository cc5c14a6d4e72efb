/*
 * Accounts: reading their files, finding people by what they type, and changing a file without
 * losing what a person wrote there.
 */
#include "help_files.h"

#include "server/fold.h"

/* A well-formed hash; nobody knows its password. */
#define HASH "$y$j9T$OEfslBImAbF9ghQej2R0T0$QvqLK/IMWd.fzXtz6dtd4yR/tyM.PVnn73vGTfU.d06"
#define OTHER_HASH "$y$j9T$pXXLpYTH6drDIkU8sKNap0$kQ/lCos1XQr2RuZQ.9PzhD.WN/NfeTNjAjurqiPSlw4"

static const char alice[] = "sAMAccountName: alice\n"
                            "userPrincipalName: alice@lab.test\n"
                            "mail: alice@mail.test\n"
                            "memberOf:\n"
                            "  - CN=Staff,DC=lab\n"
                            "  - Admins\n"
                            "department: [R&D]\n"
                            "password: " HASH "\n";

static const struct settings lab = {.netbios_domain = "LAB", .upn_suffix = "lab.test"};

static const struct account_set *loaded(struct place *place)
{
    const struct account_set *accounts = NULL;

    place->error = error_in(place->arena);
    if (!account_set_load(place->arena, path_join(place->arena, place->folder, "users"), &accounts,
                          &place->error)) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return accounts;
}

static void refused(struct place *place)
{
    const struct account_set *accounts = NULL;

    place->error = error_in(place->arena);
    assert_false(account_set_load(place->arena, path_join(place->arena, place->folder, "users"),
                                  &accounts, &place->error));
    assert_null(accounts);
    assert_int_equal(place->error.fault, FAULT_SETTINGS);
    assert_true(place->error.count > 0);
}

static enum account_lookup look_up(const struct account_set *accounts, const char *typed,
                                   const struct account **account)
{
    *account = NULL;
    return account_find(accounts, &lab, typed, account);
}

/* reading -------------------------------------------------------------------------------------- */

static void a_user_is_read_with_all_attributes(void **state)
{
    struct place *place = *state;
    const struct account_set *accounts;
    const struct account *account;
    const char *const *values;
    size_t count = 0;

    put_file(place, "users/alice.yaml", alice);
    accounts = loaded(place);
    assert_int_equal(account_set_count(accounts), 1);
    assert_null(account_set_at(accounts, 1));
    account = account_set_at(accounts, 0);
    assert_string_equal(account->name, "alice");
    assert_string_equal(account->upn, "alice@lab.test");
    assert_string_equal(account->password_hash, HASH);
    assert_true(account->enabled);
    values = account_values(place->arena, account, "MEMBEROF", &count);
    assert_int_equal(count, 2);
    assert_string_equal(values[1], "Admins");
    values = account_values(place->arena, account, "samaccountname", &count);
    assert_int_equal(count, 1);
    assert_string_equal(values[0], "alice");
    values = account_values(place->arena, account, "userprincipalname", &count);
    assert_string_equal(values[0], "alice@lab.test");
    account_values(place->arena, account, "password", &count);
    assert_int_equal(count, 0);
    account_values(place->arena, account, "enabled", &count);
    assert_int_equal(count, 0);
}

static void only_yaml_files_are_users(void **state)
{
    struct place *place = *state;

    put_file(place, "users/alice.yaml", alice);
    put_file(place, "users/.bob.yaml", "not a user: [");
    put_file(place, "users/README", "not a user: [");
    put_file(place, "users/bob.yaml~", "not a user: [");
    assert_int_equal(account_set_count(loaded(place)), 1);
}

static void an_empty_folder_holds_nobody_and_a_missing_one_is_a_problem(void **state)
{
    struct place *place = *state;
    const struct account *account;

    refused(place);
    assert_int_equal(mkdir(path_join(place->arena, place->folder, "users"), 0755), 0);
    assert_int_equal(account_set_count(loaded(place)), 0);
    assert_int_equal(look_up(loaded(place), "alice@lab.test", &account), ACCOUNT_UNKNOWN);
    assert_int_equal(look_up(loaded(place), "LAB\\alice", &account), ACCOUNT_UNKNOWN);
}

static void a_key_without_a_value_says_nothing(void **state)
{
    struct place *place = *state;
    const struct account_set *accounts;
    size_t count = 1;

    put_file(place, "users/a.yaml",
             "sAMAccountName: a\nuserPrincipalName: a@b\nmail:\nsn: ''\nmemberOf: []\npassword:\n"
             "enabled: false\n");
    accounts = loaded(place);
    account_values(place->arena, account_set_at(accounts, 0), "mail", &count);
    assert_int_equal(count, 0);
    account_values(place->arena, account_set_at(accounts, 0), "sn", &count);
    assert_int_equal(count, 0);
    assert_null(account_set_at(accounts, 0)->password_hash);
    assert_false(account_set_at(accounts, 0)->enabled);
}

static void every_problem_of_every_file_is_told_at_once(void **state)
{
    struct place *place = *state;

    put_file(place, "users/a.yaml",
             "samAccountName: a\n"             /* 1: case; then missing */
             "userPrincipalName: no suffix\n"  /* 2 */
             "Mail: a@b\n"                     /* 3: case */
             "objectGUID: 1234\n"              /* 4 */
             "objectSid: S-1-5-x\n"            /* 5 */
             "password: secret-in-the-clear\n" /* 6 */
             "enabled: yes\n"                  /* 7 */
             "memberOf: [[a]]\n"               /* 8 */
             "dep art: x\n"                    /* 9 */
             "<<: x\n"                         /* 10 */
             "info: {a: b}\n"                  /* 11 */
             "title: x\n"                      /* 12 */
             "TITLE: y\n"                      /* 13 */
             "notes: \"\\uFFFE\"\n"            /* 14 */
             "Password: x\n");                 /* 15 */
    put_file(place, "users/b.yaml", "sAMAccountName: ../b\nuserPrincipalName: [b@c]\n");
    put_file(place, "users/c.yaml", "a: *b\n");
    put_file(place, "users/d.yaml", "- x\n");
    refused(place);
    problem_at(&place->error, 1, "expected \"sAMAccountName\"");
    problem_at(&place->error, 1, "a user without sAMAccountName");
    problem_at(&place->error, 2, "such as alice@lab.test");
    problem_at(&place->error, 3, "expected \"mail\"");
    problem_at(&place->error, 4, "a GUID");
    problem_at(&place->error, 5, "a SID");
    problem_at(&place->error, 6, "lanyard user passwd");
    problem_at(&place->error, 7, "true or false");
    problem_at(&place->error, 8, "a value or a list of values");
    problem_at(&place->error, 9, "the name of an attribute");
    problem_at(&place->error, 10, "the name of an attribute");
    problem_at(&place->error, 11, "a value or a list of values");
    problem_at(&place->error, 13, "each attribute once");
    problem_at(&place->error, 14, "XML can carry");
    problem_at(&place->error, 15, "expected \"password\"");
    problem_at(&place->error, 1, "sAMAccountName is \"../b\"");
    problem_at(&place->error, 2, "one value");
    problem_at(&place->error, 1, "an alias");
    problem_at(&place->error, 1, "a list");
    assert_null(strstr(error_sentence(&place->error), "secret-in-the-clear"));
}

static void names_that_are_no_safe_file_names_are_refused(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {
        "..",  ".a",          "-a",
        "a/b", "a\\b",        "a b",
        "a:b", "a@b",         "a\t",
        "a*",  "caf\xc3\xa9", "a%00",
        "$a",  "a;b",         "01234567890123456789012345678901234567890123456789012345678901234"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        put_file(
            place, "users/x.yaml",
            arena_print(place->arena, "sAMAccountName: '%s'\nuserPrincipalName: x@y\n", names[i]));
        refused(place);
    }
}

static void weak_or_foreign_password_hashes_are_refused(void **state)
{
    struct place *place = *state;
    static const char *const hashes[] = {
        "correct horse",
        "x",
        "'*'",
        "'!'",
        "$1$abc$0123456789012345678901",
        "$6$abc$xyz",
        /* yescrypt at another cost: time would tell them apart, and some take gigabytes */
        "$y$j75$OEfslBImAbF9ghQej2R0T0$QvqLK/IMWd.fzXtz6dtd4yR/tyM.PVnn73vGTfU.d06",
        "$y$jFT$OEfslBImAbF9ghQej2R0T0$QvqLK/IMWd.fzXtz6dtd4yR/tyM.PVnn73vGTfU.d06",
        HASH "x",
        "$y$j9T$",
        "[" HASH "]",
    };

    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        put_file(place, "users/x.yaml",
                 arena_print(place->arena,
                             "sAMAccountName: x\nuserPrincipalName: x@y\npassword: %s\n",
                             hashes[i]));
        refused(place);
        problem_at(&place->error, 3, "lanyard user passwd");
    }
}

static void files_that_strangers_may_write_are_refused(void **state)
{
    struct place *place = *state;
    const char *file = put_file(place, "users/alice.yaml", alice);
    const char *folder = path_join(place->arena, place->folder, "users");

    assert_int_equal(chmod(file, 0646), 0);
    refused(place);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(account_set_count(loaded(place)), 1);
    assert_int_equal(chmod(folder, 0777), 0);
    refused(place);
    assert_int_equal(chmod(folder, 0755), 0);
}

static void names_are_unique_whatever_their_case(void **state)
{
    struct place *place = *state;

    put_file(place, "users/a.yaml", "sAMAccountName: alice\nuserPrincipalName: one@lab.test\n");
    put_file(place, "users/b.yaml", "sAMAccountName: ALICE\nuserPrincipalName: two@lab.test\n");
    put_file(place, "users/c.yaml",
             "sAMAccountName: carol\nuserPrincipalName: \xc3\x89VA@lab.test\n");
    put_file(place, "users/d.yaml",
             "sAMAccountName: dave\nuserPrincipalName: \xc3\xa9va@LAB.TEST\n");
    refused(place);
    assert_int_equal(place->error.count, 2);
    problem_at(&place->error, 0, "b.yaml: the sAMAccountName alice is also that of");
    problem_at(&place->error, 0, "d.yaml: the userPrincipalName");
}

/* finding -------------------------------------------------------------------------------------- */

static void people_are_found_by_both_forms_in_any_case(void **state)
{
    struct place *place = *state;
    static const char *const typed[] = {"alice@lab.test", "ALICE@Lab.Test", "LAB\\alice",
                                        "lab\\ALICE"};
    const struct account_set *accounts;
    const struct account *account;

    put_file(place, "users/alice.yaml", alice);
    put_file(place, "users/bob.yaml", "sAMAccountName: bob\nuserPrincipalName: \xc3\x84rger@x\n");
    put_file(place, "users/zoe.yaml",
             "sAMAccountName: zoe\nuserPrincipalName: \xd0\x97\xd0\xbe\xd1\x8f@x\n");
    accounts = loaded(place);
    for (size_t i = 0; i < COUNT_OF(typed); i++) {
        assert_int_equal(look_up(accounts, typed[i], &account), ACCOUNT_FOUND);
        assert_string_equal(account->name, "alice");
    }
    assert_int_equal(look_up(accounts, "\xc3\xa4RGER@X", &account), ACCOUNT_FOUND);
    assert_string_equal(account->name, "bob");
    assert_int_equal(look_up(accounts, "\xd0\xb7\xd0\x9e\xd0\xaf@x", &account), ACCOUNT_FOUND);
    assert_string_equal(account->name, "zoe");
}

static void nobody_is_found_by_anything_else(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *typed;
        enum account_lookup answer;
    } cases[] = {
        {"", ACCOUNT_BAD_FORM},
        {"alice", ACCOUNT_BAD_FORM},
        {"@lab.test", ACCOUNT_BAD_FORM},
        {"alice@", ACCOUNT_BAD_FORM},
        {"\\alice", ACCOUNT_BAD_FORM},
        {"LAB\\", ACCOUNT_BAD_FORM},
        {"\xff@lab.test", ACCOUNT_BAD_FORM},
        {"LAB\\ali\xc0\xbc", ACCOUNT_BAD_FORM},
        {"alice@lab", ACCOUNT_UNKNOWN},
        {"alice@evil.test", ACCOUNT_UNKNOWN},
        {"alice@lab.test@lab.test", ACCOUNT_UNKNOWN},
        {"alice@lab.test ", ACCOUNT_UNKNOWN},
        {" alice@lab.test", ACCOUNT_UNKNOWN},
        {"alice.@lab.test", ACCOUNT_UNKNOWN},
        {"al\xe2\x80\x8bice@lab.test", ACCOUNT_UNKNOWN}, /* zero-width space */
        {"\xd0\xb0lice@lab.test", ACCOUNT_UNKNOWN},      /* a Cyrillic a */
        {"al\xc4\xb0"
         "ce@lab.test",
         ACCOUNT_UNKNOWN},                          /* a dotted capital I */
        {"alice@lab.te\xc5\xbft", ACCOUNT_UNKNOWN}, /* a long s */
        {"LAB\\alice@lab.test", ACCOUNT_UNKNOWN},
        {"LAB\\\\alice", ACCOUNT_UNKNOWN},
        {"LAB\\ALICE ", ACCOUNT_UNKNOWN},
        {"LABX\\alice", ACCOUNT_UNKNOWN},
        {"XYZ\\alice", ACCOUNT_UNKNOWN},
        {"LA\\alice", ACCOUNT_UNKNOWN},
        {".\\alice", ACCOUNT_UNKNOWN},
        {"lab.test\\alice", ACCOUNT_UNKNOWN},
        {"LAB/alice", ACCOUNT_BAD_FORM},
        {"*@lab.test", ACCOUNT_UNKNOWN},
        {"LAB\\*", ACCOUNT_UNKNOWN},
    };
    const struct account_set *accounts;
    const struct account *account;

    put_file(place, "users/alice.yaml", alice);
    accounts = loaded(place);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (look_up(accounts, cases[i].typed, &account) != cases[i].answer) {
            fail_msg("%s", cases[i].typed);
        }
        assert_null(account);
    }
}

static void an_endless_name_is_nobody(void **state)
{
    struct place *place = *state;
    char *typed = arena_alloc(place->arena, 1 << 20);
    const struct account *account;

    put_file(place, "users/alice.yaml", alice);
    memset(typed, 'a', (1 << 20) - 1);
    typed[5] = '@';
    assert_int_equal(look_up(loaded(place), typed, &account), ACCOUNT_UNKNOWN);
    typed[5] = '\\';
    memcpy(typed, "LAB\\", 4);
    assert_int_equal(look_up(loaded(place), typed, &account), ACCOUNT_UNKNOWN);
}

static void among_many_everybody_is_found(void **state)
{
    struct place *place = *state;
    const struct account_set *accounts;
    const struct account *account;

    for (int i = 0; i < 300; i++) {
        put_file(place, arena_print(place->arena, "users/u%d.yaml", i),
                 arena_print(place->arena, "sAMAccountName: u%d\nuserPrincipalName: n%d@x\n", i,
                             i * 7 % 300));
    }
    accounts = loaded(place);
    for (int i = 0; i < 300; i++) {
        const char *name = arena_print(place->arena, "u%d", i);

        assert_int_equal(look_up(accounts, arena_print(place->arena, "LAB\\%s", name), &account),
                         ACCOUNT_FOUND);
        assert_string_equal(account->name, name);
        assert_int_equal(
            look_up(accounts, arena_print(place->arena, "N%d@X", i * 7 % 300), &account),
            ACCOUNT_FOUND);
        assert_string_equal(account->name, name);
    }
}

static void folding_keeps_lengths_and_what_is_no_letter(void **state)
{
    struct place *place = *state;
    static const char *const same[] = {"",         "1@-_.[{",  "\xe2\x84\xaa",     "\xc4\xb0",
                                       "\xc3\x97", "\xc3\xb7", "\xf0\x9d\x94\xb8", "\xe4\xb8\xad"};
    char *text;

    for (size_t i = 0; i < COUNT_OF(same); i++) {
        text = arena_copy(place->arena, same[i]);
        fold_case(text);
        assert_string_equal(text, same[i]);
    }
    text = arena_copy(place->arena, "ABZ \xc3\x80\xc3\x9e\xc4\x80\xc5\xbd\xce\xa9\xd0\x81\xd0\xaf"
                                    "\xd4\xb1\xe1\xba\xa0");
    fold_case(text);
    assert_string_equal(text, "abz \xc3\xa0\xc3\xbe\xc4\x81\xc5\xbe\xcf\x89\xd1\x91\xd1\x8f"
                              "\xd5\xa1\xe1\xba\xa1");
    for (uint32_t c = 0xc0; c < 0x600; c++) { /* folding twice changes nothing more */
        char once[3] = {(char)(0xc0 | (c >> 6)), (char)(0x80 | (c & 0x3f)), '\0'}, twice[3];

        fold_case(once);
        memcpy(twice, once, sizeof(twice));
        fold_case(twice);
        assert_string_equal(once, twice);
    }
}

/* saving --------------------------------------------------------------------------------------- */

static bool save(struct place *place, const struct account *account)
{
    place->error = error_in(place->arena);
    return account_save(place->arena, path_join(place->arena, place->folder, "users"), account,
                        &place->error);
}

static void a_new_user_can_be_read_again(void **state)
{
    struct place *place = *state;
    struct account account = {.name = "carol", .upn = "carol@lab.test", .password_hash = HASH};
    const struct account *again;
    const char *path = path_join(place->arena, place->folder, "users/carol.yaml");
    struct stat status;
    size_t count = 0;

    assert_int_equal(mkdir(path_join(place->arena, place->folder, "users"), 0755), 0);
    fields_add(place->arena, &account.attributes, "displayName", "Carol: \"#1\"\n\\o/ ");
    fields_add(place->arena, &account.attributes, "memberOf", "CN=Staff,DC=lab");
    fields_add(place->arena, &account.attributes, "title", "true");
    fields_add(place->arena, &account.attributes, "memberOf", "- x");
    assert_true(save(place, &account));
    again = account_set_at(loaded(place), 0);
    assert_string_equal(again->name, "carol");
    assert_string_equal(again->upn, "carol@lab.test");
    assert_string_equal(again->password_hash, HASH);
    assert_false(again->enabled);
    assert_string_equal(account_values(place->arena, again, "displayName", &count)[0],
                        "Carol: \"#1\"\n\\o/ ");
    assert_string_equal(account_values(place->arena, again, "title", &count)[0], "true");
    assert_string_equal(account_values(place->arena, again, "memberOf", &count)[1], "- x");
    assert_int_equal(count, 2);
    /* It holds a password hash. */
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_new_user_replaces_nobody_and_leaves_the_folder_never(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"../evil", "", ".", "a/b", ".hidden", "a\nb", "-rf"};
    struct account account = {.upn = "x@y", .enabled = true};
    const char *file = put_file(place, "users/alice.yaml", alice);

    account.name = "alice";
    assert_false(save(place, &account));
    assert_string_equal(get_file(place, file), alice);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        account.name = names[i];
        assert_false(save(place, &account));
        assert_non_null(strstr(error_sentence(&place->error), "is no name for an account"));
    }
    assert_false(file_exists(path_join(place->arena, place->folder, "evil.yaml")));
}

static void only_what_changes_is_written_anew(void **state)
{
    struct place *place = *state;
    const char *file = put_file(place, "users/alice.yaml",
                                "---\n"
                                "# Alice runs the lab.\n"
                                "sAMAccountName:   alice   # never change this\n"
                                "userPrincipalName: 'alice@lab.test'\n"
                                "\n"
                                "# Her groups\n"
                                "memberOf:\n"
                                "    - Staff # all of them\n"
                                "    - Admins\n"
                                "# The certificates the server knows\n"
                                "certificates:\n"
                                "  - issuer: CN=ca, O=lab\n"
                                "    serial: 2B00\n"
                                "title: Boss\n"
                                "sessions_valid_from: 2026-01-01T00:00:00Z\n"
                                "password: " HASH "\n"
                                "mail:\n"
                                "# the end");
    struct account account = *account_set_at(loaded(place), 0);

    assert_true(save(place, &account)); /* nothing changes: nothing is lost */
    assert_non_null(strstr(get_file(place, file), "memberOf:\n    - Staff # all of them\n"));
    account.password_hash = OTHER_HASH;
    account.enabled = false;
    account.attributes = (struct fields){0};
    fields_add(place->arena, &account.attributes, "memberOf", "Staff");
    fields_add(place->arena, &account.attributes, "memberOf", "Admins");
    fields_add(place->arena, &account.attributes, "sn", "Archer");
    assert_true(save(place, &account));
    assert_string_equal(get_file(place, file), "---\n"
                                               "# Alice runs the lab.\n"
                                               "sAMAccountName:   alice   # never change this\n"
                                               "userPrincipalName: 'alice@lab.test'\n"
                                               "\n"
                                               "# Her groups\n"
                                               "memberOf:\n"
                                               "    - Staff # all of them\n"
                                               "    - Admins\n"
                                               "# The certificates the server knows\n"
                                               "certificates:\n"
                                               "  - issuer: CN=ca, O=lab\n"
                                               "    serial: 2B00\n"
                                               "sessions_valid_from: 2026-01-01T00:00:00Z\n"
                                               "password: " OTHER_HASH "\n"
                                               "mail:\n"
                                               "# the end\n"
                                               "sn: Archer\n"
                                               "enabled: false\n");
    account.enabled = true;
    assert_true(save(place, &account));
    assert_true(account_set_at(loaded(place), 0)->enabled);
}

static void a_file_that_cannot_be_changed_line_by_line_stays(void **state)
{
    struct place *place = *state;
    static const char *const texts[] = {
        "{sAMAccountName: a, userPrincipalName: a@b, title: x}\n",
        "{sAMAccountName: a,\nuserPrincipalName: a@b,\ntitle: x}\n",
        "sAMAccountName: a\r\nuserPrincipalName: a@b\r\n",
        "  sAMAccountName: a\n  userPrincipalName: a@b\n",
        "sAMAccountName: a\nuserPrincipalName: a@b\n...\n",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *file = put_file(place, "users/a.yaml", texts[i]);
        struct account account = *account_set_at(loaded(place), 0);

        account.password_hash = HASH;
        assert_false(save(place, &account));
        assert_true(place->error.count > 0);
        assert_string_equal(get_file(place, file), texts[i]);
    }
}

static void an_account_that_could_not_be_read_again_is_never_written(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"Mail", "dep art", "a: b\nenabled", "password", "<<"};
    const char *file = put_file(place, "users/alice.yaml", alice);
    struct account account = *account_set_at(loaded(place), 0);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        account.attributes = (struct fields){0};
        fields_add(place->arena, &account.attributes, names[i], "x");
        assert_false(save(place, &account));
        assert_string_equal(get_file(place, file), alice);
    }
    account.attributes = (struct fields){0};
    account.password_hash = "plain words";
    assert_false(save(place, &account));
    assert_null(strstr(error_sentence(&place->error), "plain words"));
    assert_string_equal(get_file(place, file), alice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_user_is_read_with_all_attributes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_yaml_files_are_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_folder_holds_nobody_and_a_missing_one_is_a_problem,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_without_a_value_says_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_problem_of_every_file_is_told_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_no_safe_file_names_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(weak_or_foreign_password_hashes_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(files_that_strangers_may_write_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_are_unique_whatever_their_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(people_are_found_by_both_forms_in_any_case, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_found_by_anything_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_endless_name_is_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(among_many_everybody_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folding_keeps_lengths_and_what_is_no_letter, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_user_can_be_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_user_replaces_nobody_and_leaves_the_folder_never,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_changes_is_written_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_changed_line_by_line_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_account_that_could_not_be_read_again_is_never_written,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
