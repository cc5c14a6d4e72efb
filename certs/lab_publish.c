/*
 * Issues the lab's CRLs: of each CA a base, of the issuing CA a delta as well. Both carry one
 * sequence of numbers (RFC 5280, 5.2.3) and every revocation of those before. One program at a
 * time does so, or the chore of a server could undo what a command has just revoked; and the delta
 * is written first, so that a crash between the two leaves lists that say everything together.
 */
#include "certs/lab.h"

#include "certs/keypair.h"
#include "certs/pem.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define DELTA_LIFE LAB_DAY
#define BASE_MARGIN (2 * LAB_DAY)  /* a base is issued anew this long before it runs out */
#define DELTA_MARGIN (LAB_DAY / 2) /* and a delta */

static void close_folder(const int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor); /* and the lock with it */
    }
}

/* The kernel lets go of it when the holder is gone. */
static bool lock_folder(const struct lab *lab, int *descriptor, struct error *error)
{
    *descriptor = open(lab->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*descriptor < 0 || flock(*descriptor, LOCK_EX) != 0) {
        return openssl_fail_file(error, lab->folder, "is the lab's PKI, and cannot be opened",
                                 "Make it readable for whoever runs this.");
    }
    return true;
}

/* The work on the lists of one CA. */
struct desk {
    struct arena *arena;
    const struct lab *lab;
    const struct lab_authority *authority;
    const struct keypair *pair;
    const struct lab_crls *how;
    struct lab_lists lists;
    const ASN1_INTEGER *number, *reference; /* of what is issued now */
    STACK_OF(X509_REVOKED) * complete, *news;
};

static void free_integer(void *object)
{
    ASN1_INTEGER_free(object);
}

/* The number after `before`; 1 where there is none. */
static const ASN1_INTEGER *number_after(struct arena *arena, const ASN1_INTEGER *before)
{
    OWNED(drop_bignum)
    BIGNUM *value = before == NULL ? BN_new() : ASN1_INTEGER_to_BN(before, NULL);
    ASN1_INTEGER *after = NULL;

    if (value == NULL || BN_add_word(value, 1) != 1
        || (after = BN_to_ASN1_INTEGER(value, NULL)) == NULL) {
        memory_end("no memory for a CRL number");
    }
    arena_adopt(arena, after, free_integer);
    return after;
}

/* RFC 5280, 5.2.3: base and delta have one sequence of numbers. */
static const ASN1_INTEGER *last_number(const struct desk *desk)
{
    const ASN1_INTEGER *base = crl_integer(desk->arena, desk->lists.base, NID_crl_number);
    const ASN1_INTEGER *delta = desk->lists.delta == NULL
                                    ? NULL
                                    : crl_integer(desk->arena, desk->lists.delta, NID_crl_number);

    return delta != NULL && ASN1_INTEGER_cmp(delta, base) > 0 ? delta : base;
}

/* Whether it has less than `margin` left, or none that can be read. */
static bool ends_within(const struct desk *desk, const X509_CRL *crl, int64_t margin)
{
    int64_t end;

    return !asn1_time_read(X509_CRL_get0_nextUpdate(crl), &end) || end - desk->lab->now < margin;
}

/*
 * Whoever holds an older base must be able to use the new delta: it refers to the same base as the
 * last one until the base of today has nearly run out, and with it all that are older.
 */
static const ASN1_INTEGER *find_reference(const struct desk *desk)
{
    const ASN1_INTEGER *base = crl_integer(desk->arena, desk->lists.base, NID_crl_number);
    const ASN1_INTEGER *before = desk->lists.delta == NULL
                                     ? NULL
                                     : crl_integer(desk->arena, desk->lists.delta, NID_delta_crl);

    return before == NULL || ends_within(desk, desk->lists.base, BASE_MARGIN) ? base : before;
}

static bool open_desk(struct desk *desk, struct error *error)
{
    if (!lab_check(desk->lab, error)
        || !lab_load_authority(desk->arena, desk->lab, desk->authority, &desk->pair, error)
        || !lab_read_lists(desk->arena, desk->lab, desk->authority, desk->pair->certificate,
                           &desk->lists, error)) {
        return false;
    }
    desk->number = number_after(desk->arena, last_number(desk));
    desk->reference = find_reference(desk);
    desk->complete = lists_complete(desk->arena, &desk->lists);
    desk->news = lists_news(desk->arena, &desk->lists, desk->reference);
    return true;
}

static bool sign_list(const struct desk *desk, bool is_delta, struct bytes *der,
                      struct error *error)
{
    const struct lab_authority *authority = desk->authority;
    int64_t usual = is_delta ? DELTA_LIFE : authority->crl_life;
    struct crl_draft draft = {
        .issuer = desk->pair,
        .this_update = desk->lab->now - LAB_BACKDATE,
        .next_update = desk->lab->now + (desk->how->has_life ? desk->how->life : usual),
        .number = desk->number,
        .reference = is_delta ? desk->reference : NULL,
        .entries = is_delta ? desk->news : desk->complete,
    };

    if (!is_delta && authority->delta != NULL) {
        draft.delta_url = lab_url(desk->arena, desk->lab, authority->delta_path);
    }
    return lab_sign_crl(desk->arena, &draft, der, error);
}

static bool write_list(const struct desk *desk, const char *name, struct bytes der,
                       struct error *error)
{
    return file_write(desk->arena, lab_file(desk->arena, desk->lab, name), der.data, der.length,
                      0644, error);
}

/* What is signed and not yet written. */
struct signed_lists {
    struct bytes base, delta; /* empty: not issued */
};

static bool sign_lists(const struct desk *desk, struct signed_lists *made, struct error *error)
{
    *made = (struct signed_lists){0};
    return (desk->how->delta_only || sign_list(desk, false, &made->base, error))
           && (desk->authority->delta == NULL || sign_list(desk, true, &made->delta, error));
}

static bool write_lists(const struct desk *desk, const struct signed_lists *made,
                        struct error *error)
{
    return (made->delta.length == 0 || write_list(desk, desk->authority->delta, made->delta, error))
           && (made->base.length == 0 || write_list(desk, desk->authority->crl, made->base, error));
}

bool lab_make_crls(struct arena *arena, const struct lab *lab,
                   const struct lab_authority *authority, const struct keypair *pair,
                   struct error *error)
{
    static const struct lab_crls usual;
    struct desk desk = {
        .arena = arena, .lab = lab, .authority = authority, .pair = pair, .how = &usual};
    struct signed_lists made;

    desk.number = desk.reference = number_after(arena, NULL);
    desk.complete = desk.news = entries_new(arena);
    return sign_lists(&desk, &made, error) && write_lists(&desk, &made, error);
}

/* changes ------------------------------------------------------------------------------------- */

/* RFC 5280, 5.3.1: only a hold is not for good. */
static bool check_change(const struct desk *desk, const struct lab_change *change,
                         struct error *error)
{
    const X509_REVOKED *before = entries_find(desk->complete, change->serial);
    bool is_held = before != NULL && entry_reason(before) == CRL_REASON_CERTIFICATE_HOLD;

    if (change->reason == CRL_REASON_REMOVE_FROM_CRL && !is_held) {
        return fail(error, FAULT_SETTINGS,
                    before == NULL ? "that certificate is not revoked: there is nothing to lift"
                                   : "that certificate is revoked for good: only a "
                                     "certificateHold can be lifted (RFC 5280, 5.3.1)");
    }
    if (before != NULL && !is_held) {
        return fail(error, FAULT_SETTINGS, "that certificate is revoked already, for good");
    }
    if (is_held && change->reason == CRL_REASON_CERTIFICATE_HOLD) {
        return fail(error, FAULT_SETTINGS, "that certificate is on hold already");
    }
    return true;
}

static void drop_entry(X509_REVOKED **entry)
{
    X509_REVOKED_free(*entry);
}

static void drop_enumerated(ASN1_ENUMERATED **value)
{
    ASN1_ENUMERATED_free(*value);
}

/* RFC 5280, 5.3.1: no code at all, rather than "unspecified". */
static bool set_reason(X509_REVOKED *entry, long reason)
{
    OWNED(drop_enumerated) ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

    return reason == CRL_REASON_UNSPECIFIED
           || (ASN1_ENUMERATED_set(code, reason) == 1
               && X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0) == 1);
}

static bool apply(const struct desk *desk, const struct lab_change *change, struct error *error)
{
    OWNED(drop_entry) X509_REVOKED *entry = X509_REVOKED_new();
    OWNED(drop_time) ASN1_TIME *time = ASN1_TIME_new();

    if (!check_change(desk, change, error)) {
        return false;
    }
    if (entry == NULL || !asn1_time_write(time, desk->lab->now)
        || X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)change->serial) != 1
        || X509_REVOKED_set_revocationDate(entry, time) != 1
        || !set_reason(entry, change->reason)) {
        return openssl_fail(error, "a revocation could not be written");
    }
    entries_lay(desk->complete, entry);
    entries_put(desk->news, entry);
    return true;
}

bool lab_publish(struct arena *arena, const struct lab *lab, const struct lab_authority *authority,
                 const struct lab_crls *how, const struct lab_change *change, struct error *error)
{
    OWNED(close_folder) int lock = -1;
    struct desk desk = {.arena = arena, .lab = lab, .authority = authority, .how = how};
    struct signed_lists made;

    return lock_folder(lab, &lock, error) && open_desk(&desk, error)
           && (change == NULL || apply(&desk, change, error)) && sign_lists(&desk, &made, error)
           && write_lists(&desk, &made, error);
}

/* both CAs ------------------------------------------------------------------------------------ */

/* Both are made before either is written: where one cannot be, nothing changes. */
static bool issue_both(struct arena *arena, const struct lab *lab, const struct lab_crls *how,
                       struct error *error)
{
    OWNED(close_folder) int lock = -1;
    struct desk root = {.arena = arena, .lab = lab, .authority = &lab_root, .how = how};
    struct desk issuing = {.arena = arena, .lab = lab, .authority = &lab_issuing, .how = how};
    struct signed_lists of_root, of_issuing;

    return lock_folder(lab, &lock, error) && open_desk(&root, error) && open_desk(&issuing, error)
           && sign_lists(&root, &of_root, error) && sign_lists(&issuing, &of_issuing, error)
           && write_lists(&root, &of_root, error) && write_lists(&issuing, &of_issuing, error);
}

bool lab_issue_crls_as(struct arena *arena, const struct lab *lab, const struct lab_crls *how,
                       struct error *error)
{
    return how->delta_only ? lab_publish(arena, lab, &lab_issuing, how, NULL, error)
                           : issue_both(arena, lab, how, error);
}

bool lab_issue_crls(struct arena *arena, const struct lab *lab, struct error *error)
{
    static const struct lab_crls usual;

    return lab_issue_crls_as(arena, lab, &usual, error);
}

/* when they run out --------------------------------------------------------------------------- */

static bool read_lists(struct arena *arena, const struct lab *lab,
                       const struct lab_authority *authority, struct lab_lists *lists,
                       struct error *error)
{
    struct bytes der;
    X509 *issuer;

    return pem_load_certificate(arena, lab_file(arena, lab, authority->certificate), &der, &issuer,
                                error)
           && lab_read_lists(arena, lab, authority, issuer, lists, error);
}

static bool find_end(struct arena *arena, const struct lab *lab,
                     const struct lab_authority *authority, int64_t *end, struct error *error)
{
    struct lab_lists lists;

    if (!read_lists(arena, lab, authority, &lists, error)) {
        return false;
    }
    return asn1_time_read(X509_CRL_get0_nextUpdate(lists.base), end)
           || openssl_fail_file(error, lab_file(arena, lab, authority->crl), "has no nextUpdate",
                                "Restore it from a backup.");
}

bool lab_crls_expire_at(struct arena *arena, const struct lab *lab, int64_t *expires_at,
                        struct error *error)
{
    int64_t root, issuing;

    if (!find_end(arena, lab, &lab_root, &root, error)
        || !find_end(arena, lab, &lab_issuing, &issuing, error)) {
        return false;
    }
    *expires_at = root < issuing ? root : issuing;
    return true;
}

/* A delta alone where that is all that is due: then nobody needs another base. */
bool lab_keep_crls(struct arena *arena, const struct lab *lab, struct error *error)
{
    static const struct lab_crls delta_only = {.delta_only = true};
    const struct desk desk = {.lab = lab};
    struct lab_lists lists;
    int64_t end;

    if (!lab_crls_expire_at(arena, lab, &end, error)
        || !read_lists(arena, lab, &lab_issuing, &lists, error)) {
        return false;
    }
    if (end - lab->now <= BASE_MARGIN) {
        return lab_issue_crls(arena, lab, error);
    }
    return (lists.delta != NULL && !ends_within(&desk, lists.delta, DELTA_MARGIN))
           || lab_issue_crls_as(arena, lab, &delta_only, error);
}
