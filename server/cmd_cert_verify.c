/*
 * server/cmd_cert_verify.c: `lanyard cert verify`: the verdict that the server gives on a
 * certificate, from the command line; or, with --offline, on nothing but the files that are named.
 * Exit status: 0 valid, 1 refused (an unreadable leaf is a refusal), 2 usage or unreadable input.
 */
#include "server/command.h"
#include "server/verdict_print.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is asked for, being put together. */
struct asked {
    const struct arguments *arguments;
    struct arena *arena;
    struct verdict_question question;
    const struct settings *settings; /* NULL when offline */
    struct evidence evidence;
    struct evidence_store *store;
    const char *refused; /* before a verdict was asked for: the code of what is wrong */
};

static bool is_given(const struct asked *asked, const char *option)
{
    return argument_of(asked->arguments, option) != NULL;
}

/* A word of a fixed list; the default where the option is absent. */
struct word {
    const char *word;
    int value;
};

static bool read_word(const struct asked *asked, const char *option, const struct word *words,
                      size_t count, int *value, struct error *error)
{
    const char *given = argument_of(asked->arguments, option);
    struct text list = text_in(asked->arena);

    for (size_t i = 0; given != NULL && i < count; i++) {
        if (string_is(given, words[i].word)) {
            *value = words[i].value;
            return true;
        }
        text_print(&list, "%s%s", i == 0 ? "" : ", ", words[i].word);
    }
    return given == NULL
           || fail(error, FAULT_USAGE, "%s wants one of %s, not \"%s\"", option, list.start, given);
}

static bool read_revocation(struct asked *asked, struct error *error)
{
    static const struct word words[] = {
        {"none", REVOCATION_NONE},
        {"end-cert", REVOCATION_END_CERT},
        {"chain-exclude-root", REVOCATION_CHAIN_EXCLUDE_ROOT},
        {"chain", REVOCATION_CHAIN},
    };
    int value = (int)asked->question.revocation;
    bool is_read = read_word(asked, "--revocation", words, COUNT_OF(words), &value, error);

    asked->question.revocation = (enum revocation_scope)value;
    return is_read;
}

static bool read_purpose(struct asked *asked, struct error *error)
{
    static const struct word words[] = {
        {"clientAuth", PURPOSE_CLIENT},
        {"serverAuth", PURPOSE_SERVER},
        {"any", PURPOSE_ANY},
        {"anyExtendedKeyUsage", PURPOSE_ANY},
    };
    int value = (int)asked->question.purpose;
    bool is_read = read_word(asked, "--purpose", words, COUNT_OF(words), &value, error);

    asked->question.purpose = (enum purpose)value;
    return is_read;
}

static bool read_number(const char *string, int64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoll(string, &end, 10);
    return errno == 0 && end != string && *end == '\0';
}

/* Seconds since 1970, or a time as RFC 3339 has it. */
static bool read_time(struct asked *asked, struct error *error)
{
    const char *given = argument_of(asked->arguments, "--time");
    struct clock clock = {0};
    int64_t number;

    if (given == NULL) {
        bool is_read = command_clock(asked->arguments, &clock, error);

        asked->question.now = clock_read(&clock).wall;
        return is_read;
    }
    if (read_number(given, &number) && llabs(number) < INT64_MAX / 2000) {
        asked->question.now = number * 1000;
        return true;
    }
    return time_read(given, &asked->question.now)
           || fail(error, FAULT_USAGE,
                   "--time wants seconds since 1970 or a time such as 2026-05-02T09:15:04Z");
}

static bool read_depth(struct asked *asked, struct error *error)
{
    const char *given = argument_of(asked->arguments, "--depth");
    int64_t number;

    if (given == NULL) {
        return true;
    }
    if (!read_number(given, &number) || number < 0 || number > 1000) {
        return fail(error, FAULT_USAGE, "--depth wants a number from 0 to 1000, not \"%s\"", given);
    }
    asked->question.depth = number == 0 ? -1 : (int)number;
    return true;
}

static struct strings values_of(const struct asked *asked, const char *option)
{
    const struct fields *options = &asked->arguments->options;
    const char **list = arena_array(asked->arena, options->count + 1, sizeof *list);
    size_t count = 0;

    for (size_t i = 0; i < options->count; i++) {
        if (string_is(options->list[i].name, option)) {
            list[count++] = options->list[i].value;
        }
    }
    return (struct strings){.list = list, .count = count};
}

/* files ---------------------------------------------------------------------------------- */

/* DER of certificates or CRLs, out of several files. */
struct ders {
    struct bytes *list;
    size_t count, room;
};

static void add_ders(struct arena *arena, struct ders *ders, const struct bytes *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ders->list = arena_grow(arena, ders->list, ders->count, &ders->room, sizeof *ders->list);
        ders->list[ders->count++] = list[i];
    }
}

/* Both kinds of file are loaded by functions of one form. */
static bool load_all(struct asked *asked, const char *option,
                     bool (*load)(struct arena *arena, const char *path, const struct bytes **list,
                                  size_t *count, struct error *error),
                     struct ders *ders, struct error *error)
{
    struct strings files = values_of(asked, option);

    for (size_t i = 0; i < files.count; i++) {
        const struct bytes *list;
        size_t count;

        if (!load(asked->arena, files.list[i], &list, &count, error)) {
            return false;
        }
        add_ders(asked->arena, ders, list, count);
    }
    return true;
}

static bool can_be_read(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, R_OK) == 0;
}

/* What is no certificate is a refusal; a file that is not there, or closed to us, is not. */
static bool load_leaf(struct asked *asked, struct ders *sent, struct error *error)
{
    const char *path = asked->arguments->words[0];
    const struct bytes *list;
    size_t count;

    if (!certificates_load(asked->arena, path, &list, &count, error)) {
        asked->refused = can_be_read(path) ? "certificate.unreadable" : NULL;
        return false;
    }
    asked->question.leaf = list[0];
    add_ders(asked->arena, sent, list + 1, count - 1);
    return true;
}

static bool load_files(struct asked *asked, struct error *error)
{
    struct ders sent = {0}, crls = {0};

    if (!load_leaf(asked, &sent, error)
        || !load_all(asked, "--untrusted", certificates_load, &sent, error)
        || !load_all(asked, "--crl", crls_load, &crls, error)) {
        return false;
    }
    asked->question.sent = sent.list;
    asked->question.sent_count = sent.count;
    asked->question.crls = crls.list;
    asked->question.crl_count = crls.count;
    return true;
}

/* trust ---------------------------------------------------------------------------------- */

static bool make_trust(struct asked *asked, const struct authority *list, size_t count,
                       struct error *error)
{
    bool is_made = trust_make(asked->arena, list, count, &asked->question.trust, error);

    asked->refused = is_made ? NULL : "trust.not-a-ca";
    return is_made;
}

static bool trust_files(struct asked *asked, struct error *error)
{
    struct ders roots = {0};

    if (!load_all(asked, "--trust", certificates_load, &roots, error)) {
        return false;
    }
    struct authority *list = arena_array(asked->arena, roots.count + 1, sizeof *list);

    for (size_t i = 0; i < roots.count; i++) {
        list[i] = (struct authority){
            .name = arena_print(asked->arena, "--trust %zu", i + 1),
            .certificate = roots.list[i],
            .may_sign_in = true,
        };
    }
    return make_trust(asked, list, roots.count, error);
}

static bool use_settings(struct asked *asked, struct error *error)
{
    struct overrides overrides = {0};
    const char *file = NULL;

    if (!command_settings_file(asked->arguments, &file, error)
        || !settings_load(asked->arena, file, &overrides, &asked->settings, error)) {
        return false;
    }
    const struct settings *settings = asked->settings;
    struct store_settings store = {
        .folder = settings->cache_folder,
        .aia_allow = settings->aia_allow,
        .fetch_allow = settings->fetch_allow,
        .fetch_proxy = settings->fetch_proxy,
    };

    asked->question.revocation = settings->revocation;
    asked->question.cache_only = settings->revocation_cache_only;
    if (!make_trust(asked, settings->authorities, settings->authority_count, error)
        || !store_open(asked->arena, &store, &asked->store, error)) {
        return false;
    }
    asked->evidence = store_evidence(asked->store);
    asked->question.evidence = &asked->evidence;
    return true;
}

/* Nothing is trusted, asked or remembered but what the command line names. */
static bool stay_offline(struct asked *asked, struct error *error)
{
    asked->question.revocation = REVOCATION_NONE;
    asked->question.purpose = PURPOSE_ANY;
    asked->question.cache_only = true;
    return trust_files(asked, error);
}

static bool check_use(const struct asked *asked, struct error *error)
{
    if (!is_given(asked, "--offline") && is_given(asked, "--trust")) {
        return fail(error, FAULT_USAGE,
                    "--trust is for --offline; without it the trusted CAs are "
                    "those of the settings");
    }
    if (is_given(asked, "--offline") && (is_given(asked, "--urlfetch") || is_given(asked, "-c"))) {
        return fail(error, FAULT_USAGE, "--offline neither fetches nor reads settings");
    }
    return true;
}

static bool put_together(struct asked *asked, struct error *error)
{
    struct verdict_question *question = &asked->question;
    bool is_offline = is_given(asked, "--offline");

    if (!check_use(asked, error)
        || !(is_offline ? stay_offline(asked, error) : use_settings(asked, error))) {
        return false;
    }
    question->policies = values_of(asked, "--policy");
    question->explicit_policy = is_given(asked, "--explicit-policy");
    question->inhibit_policy_mapping = is_given(asked, "--inhibit-policy-mapping");
    question->inhibit_any_policy = is_given(asked, "--inhibit-any-policy");
    if (!read_revocation(asked, error) || !read_purpose(asked, error) || !read_time(asked, error)
        || !read_depth(asked, error)) {
        return false;
    }
    question->sign_in = !is_offline && question->purpose == PURPOSE_CLIENT;
    return load_files(asked, error);
}

/* the command ---------------------------------------------------------------------------- */

static void print_verdict(const struct asked *asked, const struct verdict *verdict)
{
    if (is_given(asked, "--json")) {
        verdict_print_json(verdict, stdout);
    } else {
        verdict_print(asked->arena, verdict, stdout);
    }
}

static enum status refuse_early(const struct asked *asked, const struct error *error)
{
    struct finding finding = {.code = asked->refused, .found = error_sentence(error), .took = -1};
    struct verdict verdict = {.findings = &finding, .finding_count = 1};

    if (asked->refused == NULL) {
        command_failed(error);
        return STATUS_USAGE;
    }
    print_verdict(asked, &verdict);
    return STATUS_NO;
}

static enum status answer(const struct asked *asked)
{
    struct verdict verdict;

    verdict_give(asked->arena, &asked->question, &verdict);
    print_verdict(asked, &verdict);
    if (is_given(asked, "--urlfetch")) {
        verdict_print_fetches(asked->arena, &asked->question, &verdict,
                              is_given(asked, "--json") ? stderr : stdout);
    }
    return verdict.accepted ? STATUS_YES : STATUS_NO;
}

static enum status run_verify(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct asked asked = {.arguments = arguments, .arena = arguments->arena};
    enum status status =
        put_together(&asked, &error) ? answer(&asked) : refuse_early(&asked, &error);

    if (asked.store != NULL) {
        store_close(asked.store);
    }
    return status;
}

static const struct option verify_options[] = {
    OPTION_SETTINGS,
    {"--urlfetch", NULL, NULL, "ask every address the certificates name, and say what came"},
    {"--revocation", "SCOPE", NULL,
     "none, end-cert, chain-exclude-root or chain; default the settings', offline none"},
    {"--purpose", "USE", NULL, "clientAuth, serverAuth or any; default clientAuth, offline any"},
    {"--offline", NULL, NULL, "believe and ask nothing but the files that are named"},
    {"--trust", "FILE", NULL, "trusted CAs (PEM or DER), with --offline; may be repeated"},
    {"--untrusted", "FILE", NULL, "certificates that came along; may be repeated"},
    {"--crl", "FILE", NULL, "CRLs (PEM or DER), before all others; may be repeated"},
    {"--time", "TIME", NULL, "judge as of then: seconds since 1970, or RFC 3339"},
    {"--depth", "N", NULL, "intermediate CAs at most; default 10"},
    {"--policy", "OID", NULL, "a certificate policy that is wanted; may be repeated"},
    {"--explicit-policy", NULL, NULL, "a policy must be valid for the whole path"},
    {"--inhibit-policy-mapping", NULL, NULL, "policies are not mapped to others"},
    {"--inhibit-any-policy", NULL, NULL, "anyPolicy matches nothing"},
    {"--clock", "TIME", NULL, "an RFC 3339 time to start from, or +90d, -2h, +30m, +10s"},
    OPTION_JSON,
};

const struct command command_cert_verify = {
    .words = "cert verify",
    .arguments = "LEAF",
    .summary = "says whether a certificate is believed, and why not",
    .help =
        "Gives the verdict that the server would give on the certificate in LEAF (PEM or DER;\n"
        "further certificates in that file count as sent along): the path, and everything\n"
        "that is wrong with it, with its cure. Trusted CAs, revocation and what may be fetched\n"
        "are those of the settings; with --offline, of the command line alone.\n"
        "Exit status: 0 valid, 1 refused, 2 usage or unreadable input.",
    .options = verify_options,
    .option_count = COUNT_OF(verify_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_verify,
};
