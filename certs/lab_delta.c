/*
 * What the base CRL and the delta CRL of the issuing CA say together (RFC 5280, 5.2.4), and what
 * the next delta has to say. Trusts both: their signatures were checked when they were read.
 */
#include "certs/lab.h"

#include <openssl/err.h>

static void free_entries(void *entries)
{
    sk_X509_REVOKED_pop_free(entries, X509_REVOKED_free);
}

STACK_OF(X509_REVOKED) * entries_new(struct arena *arena)
{
    STACK_OF(X509_REVOKED) *entries = sk_X509_REVOKED_new_null();

    if (entries == NULL) {
        memory_end("no memory for a list of revocations");
    }
    arena_adopt(arena, entries, free_entries);
    return entries;
}

static int find_at(const STACK_OF(X509_REVOKED) * entries, const ASN1_INTEGER *serial)
{
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)),
                             serial)
            == 0) {
            return i;
        }
    }
    return -1;
}

const X509_REVOKED *entries_find(const STACK_OF(X509_REVOKED) * entries, const ASN1_INTEGER *serial)
{
    int at = find_at(entries, serial);

    return at < 0 ? NULL : sk_X509_REVOKED_value(entries, at);
}

static void add(STACK_OF(X509_REVOKED) * entries, const X509_REVOKED *entry)
{
    X509_REVOKED *copy = X509_REVOKED_dup(entry);

    if (copy == NULL || sk_X509_REVOKED_push(entries, copy) <= 0) {
        memory_end("no memory for a revocation");
    }
}

static void take_off(STACK_OF(X509_REVOKED) * entries, const ASN1_INTEGER *serial)
{
    int at = find_at(entries, serial);

    if (at >= 0) {
        X509_REVOKED_free(sk_X509_REVOKED_delete(entries, at));
    }
}

void entries_put(STACK_OF(X509_REVOKED) * entries, const X509_REVOKED *entry)
{
    take_off(entries, X509_REVOKED_get0_serialNumber(entry));
    add(entries, entry);
}

void entries_lay(STACK_OF(X509_REVOKED) * entries, const X509_REVOKED *entry)
{
    if (entry_reason(entry) == CRL_REASON_REMOVE_FROM_CRL) {
        take_off(entries, X509_REVOKED_get0_serialNumber(entry));
        return;
    }
    entries_put(entries, entry);
}

long entry_reason(const X509_REVOKED *entry)
{
    ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    long reason = code == NULL ? CRL_REASON_UNSPECIFIED : ASN1_ENUMERATED_get(code);

    ASN1_ENUMERATED_free(code);
    ERR_clear_error();
    return reason;
}

/* (c) and (d) of RFC 5280, 5.2.4: the base is not older than the one the delta refers to, and the
 * delta is newer than the base. */
static bool fits(struct arena *arena, const struct lab_lists *lists)
{
    const ASN1_INTEGER *held, *number, *reference;

    if (lists->delta == NULL) {
        return false;
    }
    held = crl_integer(arena, lists->base, NID_crl_number);
    number = crl_integer(arena, lists->delta, NID_crl_number);
    reference = crl_integer(arena, lists->delta, NID_delta_crl);
    return reference != NULL && ASN1_INTEGER_cmp(held, reference) >= 0
           && ASN1_INTEGER_cmp(number, held) > 0;
}

static STACK_OF(X509_REVOKED) * entries_of(X509_CRL *crl)
{
    return crl == NULL ? NULL : X509_CRL_get_REVOKED(crl);
}

STACK_OF(X509_REVOKED) * lists_complete(struct arena *arena, const struct lab_lists *lists)
{
    STACK_OF(X509_REVOKED) *complete = entries_new(arena);
    const STACK_OF(X509_REVOKED) *base = entries_of(lists->base);
    const STACK_OF(X509_REVOKED) *delta = entries_of(lists->delta);

    for (int i = 0; i < sk_X509_REVOKED_num(base); i++) {
        add(complete, sk_X509_REVOKED_value(base, i));
    }
    for (int i = 0; fits(arena, lists) && i < sk_X509_REVOKED_num(delta); i++) {
        entries_lay(complete, sk_X509_REVOKED_value(delta, i));
    }
    return complete;
}

/* Whether a delta's entry says anything that the base does not. */
static bool is_news(X509_CRL *base, const X509_REVOKED *entry)
{
    X509_REVOKED *known = NULL;
    long reason = entry_reason(entry);

    if (X509_CRL_get0_by_serial(base, &known, (ASN1_INTEGER *)X509_REVOKED_get0_serialNumber(entry))
        == 0) {
        return reason != CRL_REASON_REMOVE_FROM_CRL;
    }
    return entry_reason(known) != reason;
}

/*
 * A delta that goes on referring to the same base keeps all it says. One that refers to the base of
 * today says only what that does not.
 */
STACK_OF(X509_REVOKED)
*lists_news(struct arena *arena, const struct lab_lists *lists, const ASN1_INTEGER *reference)
{
    STACK_OF(X509_REVOKED) *news = entries_new(arena);
    const STACK_OF(X509_REVOKED) *delta = entries_of(lists->delta);
    const ASN1_INTEGER *before =
        lists->delta == NULL ? NULL : crl_integer(arena, lists->delta, NID_delta_crl);
    bool stays = before != NULL && ASN1_INTEGER_cmp(before, reference) == 0;

    for (int i = 0; (stays || fits(arena, lists)) && i < sk_X509_REVOKED_num(delta); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(delta, i);

        if (stays || is_news(lists->base, entry)) {
            add(news, entry);
        }
    }
    return news;
}
