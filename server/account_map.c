/*
 * Whose certificate is it? Asked only of certificates that are believed already. All ways are
 * tried, the strong ones first, and all must agree: an explicit mapping in a user's file, the SID
 * that AD's CA puts in, the user principal name, the e-mail address. Names are compared letter by
 * letter, without case (security C5), and never by their last or first that fits (C6). Nobody is
 * found by a subject: two CAs may give the same one (C7). Two accounts are nobody.
 */
#include "server/account_map.h"

#include "server/explicit_mapping.h"
#include "server/fold.h"

#include <string.h>

/* No name that is longer can be an account's. */
#define NAME_LIMIT ((size_t)512)

/* Everything that is looked for, and what was found so far. */
struct search {
    struct arena *arena;
    const struct account_set *accounts;
    struct mapping *mapping;
    const struct account *found; /* the first */
    const char *found_how;
    bool is_refused; /* mapping->why says it */
    size_t room;     /* of the steps */
};

/* What one way of looking compares with. */
struct wanted {
    const char *value;        /* as it is shown; NULL: the certificate has none */
    enum explicit_form form;  /* of an explicit mapping */
    const char *issuer;       /* in the form of distinguished_name_form, for a serial number */
    const char *hex, *others; /* what the mapping's value must be: one or the other */
};

typedef bool account_test(const struct wanted *wanted, const struct account *account);

/* comparing -------------------------------------------------------------------------------- */

static char small(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* Most names differ in a plain letter: that is seen without folding them. */
static bool differ_plainly(const char *left, const char *right, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (((left[i] | right[i]) & 0x80) == 0 && small(left[i]) != small(right[i])) {
            return true;
        }
    }
    return false;
}

static bool same_name(const char *left, const char *right)
{
    char folded[2][NAME_LIMIT + 1];
    size_t length = strlen(left);

    if (length > NAME_LIMIT || strlen(right) != length || differ_plainly(left, right, length)) {
        return false; /* folding keeps the size */
    }
    memcpy(folded[0], left, length + 1);
    memcpy(folded[1], right, length + 1);
    fold_case(folded[0]);
    fold_case(folded[1]);
    return memcmp(folded[0], folded[1], length) == 0;
}

static bool has_upn(const struct wanted *wanted, const struct account *account)
{
    return same_name(account->upn, wanted->value);
}

static bool has_value(const struct account *account, const char *attribute, const char *value)
{
    for (size_t i = 0; i < account->attributes.count; i++) {
        const struct field *field = &account->attributes.list[i];

        if (string_is(field->name, attribute) && same_name(field->value, value)) {
            return true;
        }
    }
    return false;
}

static bool has_mail(const struct wanted *wanted, const struct account *account)
{
    return has_value(account, "mail", wanted->value);
}

static bool has_sid(const struct wanted *wanted, const struct account *account)
{
    return has_value(account, "objectSid", wanted->value);
}

/* K8: the octets are compared, never the number. Windows drops a first octet of 00 before it
 * writes a serial number down, so in that form it may lack. */
static bool same_serial(const struct explicit_mapping *mapping, const char *serial)
{
    return string_is(mapping->value, serial)
           || (mapping->lost_sign && string_starts(serial, "00") && strlen(serial) > 2
               && string_is(mapping->value, serial + 2));
}

static bool is_mapped(const struct wanted *wanted, const struct account *account)
{
    for (size_t i = 0; i < account->mapping_count; i++) {
        const struct explicit_mapping *mapping = &account->mappings[i];
        bool is_serial = mapping->form == EXPLICIT_ISSUER_SERIAL;

        if (mapping->form != wanted->form) {
            continue;
        }
        if (is_serial
                ? string_is(mapping->issuer, wanted->issuer) && same_serial(mapping, wanted->hex)
                : string_is(mapping->value, wanted->hex)
                      || string_is(mapping->value, wanted->others)) {
            return true;
        }
    }
    return false;
}

/* one step --------------------------------------------------------------------------------- */

/* Says no, if nobody said it before. */
static void refuse(struct search *search, const char *why, const char *cure)
{
    if (!search->is_refused) {
        search->is_refused = true;
        search->mapping->why = why;
        search->mapping->cure = cure;
    }
}

static void add_step(struct search *search, const char *how, const char *value, const char *what)
{
    struct mapping *mapping = search->mapping;

    mapping->steps = arena_grow(search->arena, mapping->steps, mapping->count, &search->room,
                                sizeof(*mapping->steps));
    mapping->steps[mapping->count++] =
        (struct mapping_step){.how = how, .value = value, .what = what};
}

static void take(struct search *search, const char *how, const struct account *account)
{
    if (search->found == NULL) {
        search->found = account;
        search->found_how = how;
    } else if (search->found != account) {
        search->mapping->is_ambiguous = true;
        refuse(search,
               arena_print(search->arena,
                           "the certificate leads to two accounts: %s by %s, %s by %s",
                           search->found->name, search->found_how, account->name, how),
               "Correct one of the two users' files, or issue the certificate again.");
    }
}

/* Looks through all accounts by one way. True if it found exactly one. */
static bool look(struct search *search, const char *how, const struct wanted *wanted,
                 account_test *fits)
{
    const struct account *found = NULL;
    struct text names = text_in(search->arena);
    size_t count = 0;

    for (size_t i = 0; i < account_set_count(search->accounts); i++) {
        const struct account *account = account_set_at(search->accounts, i);

        if (fits(wanted, account)) {
            found = account;
            text_print(&names, "%s%s%s", count++ == 0 ? "" : ", ", account->name,
                       account->enabled ? "" : " (disabled)");
        }
    }
    if (count == 1) {
        add_step(search, how, wanted->value, names.start);
        take(search, how, found);
        return true;
    }
    add_step(search, how, wanted->value,
             count == 0
                 ? "no account has it"
                 : arena_print(search->arena, "%zu accounts have it: %s", count, names.start));
    if (count > 1) {
        search->mapping->is_ambiguous = true;
        refuse(search,
               arena_print(search->arena, "%s %s is that of %zu accounts: %s", how, wanted->value,
                           count, names.start),
               "Leave it in the file of one of them.");
    }
    return false;
}

static bool try(struct search *search, const char *how, const struct wanted *wanted,
                account_test *fits)
{
    if (wanted->value == NULL) {
        add_step(search, how, NULL, "the certificate has none");
        return false;
    }
    return look(search, how, wanted, fits);
}

/* the ways --------------------------------------------------------------------------------- */

/* The certificate's own SHA-1 in hex; claims have it in base64. */
static const char *thumbprint_hex(struct arena *arena, const struct certificate *certificate)
{
    struct text text = text_in(arena);
    struct bytes sha1;

    if (!base64_read(arena, certificate->thumbprint, strlen(certificate->thumbprint), &sha1)) {
        return NULL;
    }
    for (size_t i = 0; i < sha1.length; i++) {
        text_print(&text, "%02X", sha1.data[i]);
    }
    return text.start;
}

static void try_explicit(struct search *search, const struct certificate *certificate)
{
    const char *thumbprint = thumbprint_hex(search->arena, certificate);
    const struct {
        const char *how;
        struct wanted wanted;
    } ways[] = {
        {"explicit: issuer and serial number",
         {.form = EXPLICIT_ISSUER_SERIAL,
          .value = arena_print(search->arena, "%s; %s", certificate->issuer, certificate->serial),
          .issuer = distinguished_name_form(search->arena, certificate->issuer, false),
          .hex = certificate->serial}},
        {"explicit: subject key identifier",
         {.form = EXPLICIT_KEY_IDENTIFIER,
          .value = certificate->subject_key,
          .hex = certificate->subject_key}},
        {"explicit: SHA-1 of the public key or the certificate",
         {.form = EXPLICIT_SHA1,
          .value = certificate->key_sha1,
          .hex = certificate->key_sha1,
          .others = thumbprint}},
        {"explicit: SHA-256 of the certificate",
         {.form = EXPLICIT_SHA256, .value = certificate->sha256, .hex = certificate->sha256}},
    };

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        try(search, ways[i].how, &ways[i].wanted, is_mapped);
    }
}

/* Two different ones are two people's, whoever of them has an account (C6). */
static void try_upns(struct search *search, const struct certificate *certificate)
{
    struct strings upns = certificate->upns;

    for (size_t i = 1; i < upns.count; i++) {
        if (!same_name(upns.list[0], upns.list[i])) {
            add_step(search, "UPN", upns.list[i], "another one than the first");
            refuse(search,
                   arena_print(search->arena,
                               "the certificate has two user principal names: %s, %s", upns.list[0],
                               upns.list[i]),
                   "Issue it again with one.");
        }
    }
    try(search, "UPN", &(struct wanted){.value = upns.count == 0 ? NULL : upns.list[0]}, has_upn);
}

/* A person may have several addresses; those that are somebody's must all be one's. */
static void try_emails(struct search *search, const struct certificate *certificate)
{
    for (size_t i = 0; i < certificate->emails.count || i == 0; i++) {
        const char *email = certificate->emails.count == 0 ? NULL : certificate->emails.list[i];

        try(search, "RFC822 name", &(struct wanted){.value = email}, has_mail);
    }
}

/*
 * A name may be given to somebody else one day; a SID never is. So a SID that is nobody's speaks
 * against an account found by its names alone, as it does for AD's own domain controllers.
 */
static void mind_stray_sid(struct search *search, const char *sid, bool sid_fits)
{
    bool is_explicit = search->found_how != NULL && string_starts(search->found_how, "explicit");

    if (sid != NULL && !sid_fits && search->found != NULL && !is_explicit) {
        refuse(search,
               arena_print(search->arena,
                           "the certificate is %s's by its %s, but its SID %s is not",
                           search->found->name, search->found_how, sid),
               "Issue it again, correct objectSid in the user's file, or name the certificate "
               "there.");
    }
}

/* What to say where nobody was found, or somebody who must not come in. */
static void conclude(struct search *search, const struct certificate *certificate)
{
    struct mapping *mapping = search->mapping;

    if (search->is_refused) {
        return;
    }
    mapping->account = search->found;
    mapping->how = search->found_how;
    if (search->found == NULL) {
        mapping->why = "the certificate is no account's";
        mapping->cure = arena_print(search->arena,
                                    "Put \"sha256:%s\" under certificates in the file of the user "
                                    "whose it is, or issue it with that user's UPN.",
                                    certificate->sha256);
    } else if (!search->found->enabled) {
        mapping->why =
            arena_print(search->arena, "the account %s is disabled", search->found->name);
        mapping->cure = "Set enabled: true in the user's file.";
    }
}

void account_map(struct arena *arena, const struct account_set *accounts,
                 const struct certificate *certificate, struct mapping *mapping)
{
    struct search search = {.arena = arena, .accounts = accounts, .mapping = mapping};
    bool sid_fits;

    *mapping = (struct mapping){0};
    try_explicit(&search, certificate);
    sid_fits = try(&search, "SID", &(struct wanted){.value = certificate->sid}, has_sid);
    try_upns(&search, certificate);
    try_emails(&search, certificate);
    mind_stray_sid(&search, certificate->sid, sid_fits);
    conclude(&search, certificate);
}
