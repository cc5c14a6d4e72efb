/*
 * Judges what came as a CRL: DER and nothing behind it, of the wanted kind, signed with the key of
 * the CA it should be of, in force, and no older than the one that is held (security L2, L7). What
 * is held is as good as judged: the verdict takes it without looking at half a million entries
 * once more. Whether it covers a certificate (its scope) the verdict judges each time.
 */
#include "certs/revocation.h"
#include "certs/store.h"

#include <openssl/err.h>
#include <string.h>

/* held ------------------------------------------------------------------------------------- */

static struct bytes copy_bytes(struct arena *arena, struct bytes bytes)
{
    return (struct bytes){
        (const unsigned char *)arena_copy_range(arena, (const char *)bytes.data, bytes.length),
        bytes.length};
}

struct held *held_new(const struct errand *errand, struct bytes content)
{
    struct arena *arena = arena_new();
    struct held *held = arena_alloc(arena, sizeof(*held));

    held->arena = arena;
    held->kind = errand->kind;
    held->address = arena_copy(arena, errand->address);
    held->content = copy_bytes(arena, content);
    held->issuer = copy_bytes(arena, errand->issuer);
    held->came_at = monotonic_now();
    atomic_init(&held->users, 1);
    return held;
}

struct held *held_take(struct held *held)
{
    atomic_fetch_add(&held->users, 1);
    return held;
}

void held_release(struct held *held)
{
    if (held != NULL && atomic_fetch_sub(&held->users, 1) == 1) {
        arena_free(held->arena);
    }
}

static void release_object(void *object)
{
    held_release(object);
}

void held_keep(struct arena *arena, struct held *held)
{
    arena_adopt(arena, held, release_object);
}

bool held_is_in_force(const struct held *held, int64_t now)
{
    if (held->kind == LOOKUP_ISSUER) {
        return monotonic_now() - held->came_at < STORE_QUIET_MS;
    }
    return held->this_update <= now && now < held->next_update;
}

/* reading ---------------------------------------------------------------------------------- */

/* Says no, and empties OpenSSL's list of errors. */
static bool refuse(struct error *error, const char *found)
{
    ERR_clear_error();
    return fail(error, FAULT_NOT_FOUND, "%s", found);
}

static bool begins(struct bytes content, const char *words)
{
    return content.length >= strlen(words) && memcmp(content.data, words, strlen(words)) == 0;
}

/* What it plainly is instead, by its first bytes; or NULL. */
static const char *describe_other(struct bytes content)
{
    if (content.length == 0) {
        return "what came is empty";
    }
    if (begins(content, "<")) {
        return "what came is a page (HTML or XML), not a CRL";
    }
    if (begins(content, "-----BEGIN")) {
        return "what came is PEM; a CRL is published as DER (RFC 5280, 4.2.1.13)";
    }
    return NULL;
}

/* As the verdict reads one that is given by hand; here it is done once for all verdicts. */
static bool parse(struct held *held, struct error *error)
{
    const char *other = describe_other(held->content);
    const char *why = NULL;

    if (other != NULL) {
        return refuse(error, other);
    }
    held->crl = crl_vet(held->arena, held->content, &why);
    return held->crl != NULL || fail(error, FAULT_NOT_FOUND, "what came is not used: %s", why);
}

static bool check_kind(const struct held *held, struct error *error)
{
    bool is_delta = X509_CRL_get_ext_by_NID(held->crl, NID_delta_crl, -1) >= 0;

    if (is_delta == (held->kind == LOOKUP_DELTA_CRL)) {
        return true;
    }
    return refuse(error, is_delta ? "what came is a delta CRL, where a base CRL should be"
                                  : "what came is a base CRL, where a delta CRL should be");
}

static bool check_signature(const struct held *held, struct error *error)
{
    const unsigned char *cursor = held->issuer.data;
    OWNED(drop_x509) X509 *issuer = d2i_X509(NULL, &cursor, (long)held->issuer.length);

    if (issuer == NULL || X509_get0_pubkey(issuer) == NULL
        || X509_CRL_verify(held->crl, X509_get0_pubkey(issuer)) != 1) {
        return refuse(error, "what came is not signed with the key of the CA it should be of");
    }
    return true;
}

static bool read_times(struct held *held, struct error *error)
{
    if (!asn1_time_read(X509_CRL_get0_lastUpdate(held->crl), &held->this_update)
        || !asn1_time_read(X509_CRL_get0_nextUpdate(held->crl), &held->next_update)) {
        return refuse(error, "what came has no nextUpdate, or a time that cannot be read");
    }
    return true;
}

static bool check_times(const struct held *held, int64_t now, struct error *error)
{
    if (held->this_update > now) {
        return fail(error, FAULT_NOT_FOUND, "what came is in force only from %s",
                    time_write(error->arena, held->this_update));
    }
    if (held->next_update <= now) {
        return fail(error, FAULT_NOT_FOUND,
                    "what came ran out at %s: the CA has not published the next one",
                    time_write(error->arena, held->next_update));
    }
    return true;
}

/* Sorts the entries now: OpenSSL would at the first look-up, while others wait. */
static void sort_entries(X509_CRL *crl)
{
    OWNED(drop_integer) ASN1_INTEGER *any = ASN1_INTEGER_new();
    X509_REVOKED *entry;

    if (any != NULL) {
        X509_CRL_get0_by_serial(crl, &entry, any);
    }
}

bool crl_read(const struct errand *errand, struct bytes content, struct held **held,
              struct error *error)
{
    struct held *read = held_new(errand, content);

    if (!parse(read, error) || !check_kind(read, error) || !check_signature(read, error)
        || !read_times(read, error)) {
        held_release(read);
        return false;
    }
    sort_entries(read->crl);
    *held = read;
    return true;
}

/* newer ------------------------------------------------------------------------------------ */

static ASN1_INTEGER *number_of(const struct held *held)
{
    return X509_CRL_get_ext_d2i(held->crl, NID_crl_number, NULL, NULL);
}

bool crl_check_newer(const struct held *held, const struct held *before, int64_t now,
                     struct error *error)
{
    OWNED(drop_integer) ASN1_INTEGER *number = number_of(held);
    OWNED(drop_integer) ASN1_INTEGER *old = before == NULL ? NULL : number_of(before);
    int order = number == NULL || old == NULL ? (number != NULL) - (old != NULL)
                                              : ASN1_INTEGER_cmp(number, old);

    if (!check_times(held, now, error)) {
        return false;
    }
    /* One from the future was kept while our clock was wrong: it holds nothing back. */
    if (before == NULL || before->this_update > now) {
        return true;
    }
    if (order < 0 || (order == 0 && held->this_update < before->this_update)) {
        return fail(error, FAULT_NOT_FOUND,
                    "what came is older than the one that was had before: somebody on the way may "
                    "want a revocation to be forgotten");
    }
    return true;
}

static const char *print_number(struct arena *arena, const struct held *held)
{
    OWNED(drop_integer) ASN1_INTEGER *number = number_of(held);
    OWNED(drop_bignum) BIGNUM *value = number == NULL ? NULL : ASN1_INTEGER_to_BN(number, NULL);
    OWNED(drop_openssl)
    unsigned char *digits =
        value == NULL || BN_num_bits(value) > 64 ? NULL : (unsigned char *)BN_bn2dec(value);

    if (digits != NULL) {
        return arena_print(arena, "number %s", (const char *)digits);
    }
    return number == NULL ? "without a number"
                          : arena_print(arena, "number 0x%s",
                                        hex_upper(arena, number->data, (size_t)number->length));
}

const char *crl_describe(struct arena *arena, const struct held *held)
{
    int count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(held->crl));

    return arena_print(arena, "%s %s of %s, next update %s, %d %s",
                       held->kind == LOOKUP_DELTA_CRL ? "delta CRL" : "CRL",
                       print_number(arena, held), time_write(arena, held->this_update),
                       time_write(arena, held->next_update), count < 0 ? 0 : count,
                       count == 1 ? "entry" : "entries");
}
