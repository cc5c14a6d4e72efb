/*
 * Which paths lead from a leaf to somebody we believe. A link is taken where the names chain and
 * the signature is right, and nothing else is judged here. Names and signatures are a stranger's
 * choice, and so is the number of ways through them: every kind of work has a budget.
 */
#include "certs/path.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

/* What one certificate of the pool is to another. */
enum signature { SIGNATURE_UNKNOWN = 0, SIGNATURE_RIGHT, SIGNATURE_WRONG, SIGNATURE_STRANGER };

/* An RSA key that takes long to use, or proves nothing, is not used at all (security K7). */
#define RSA_BITS_LIMIT 8192
#define EXPONENT_BITS_LIMIT 33

struct pool pool_in(struct arena *arena, size_t configured)
{
    size_t limit = configured + POOL_STRANGERS;

    return (struct pool){
        .arena = arena,
        .nodes = arena_array(arena, limit, sizeof(struct node *)),
        .limit = limit,
        .signatures = arena_array(arena, limit, limit),
    };
}

bool pool_add(struct pool *pool, const struct node *node)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (X509_cmp(pool->nodes[i]->x509, node->x509) == 0) {
            return false;
        }
    }
    if (pool->count == pool->limit) {
        return false;
    }
    struct node *copy = arena_alloc(pool->arena, sizeof *copy);

    *copy = *node;
    copy->index = pool->count;
    pool->nodes[pool->count++] = copy;
    return true;
}

/* The kinds of key that people sign with. DSA and Diffie-Hellman are neither used nor cheap. */
static bool is_known_kind(const EVP_PKEY *key)
{
    static const char *const kinds[] = {"RSA", "RSA-PSS", "EC", "ED25519", "ED448"};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (EVP_PKEY_is_a(key, kinds[i])) {
            return true;
        }
    }
    return false;
}

bool key_is_sound(EVP_PKEY *key)
{
    OWNED(drop_bignum) BIGNUM *exponent = NULL;

    if (key == NULL || !is_known_kind(key)) {
        return false;
    }
    if (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "RSA-PSS")) {
        return true;
    }
    return EVP_PKEY_get_bits(key) <= RSA_BITS_LIMIT
           && EVP_PKEY_get_bn_param(key, "e", &exponent) == 1
           && BN_num_bits(exponent) <= EXPONENT_BITS_LIMIT && BN_is_odd(exponent)
           && !BN_is_one(exponent);
}

static bool names_chain(const struct node *child, const struct node *issuer)
{
    return X509_NAME_cmp(X509_get_issuer_name(child->x509), X509_get_subject_name(issuer->x509))
           == 0;
}

static enum signature compare(struct pool *pool, const struct node *child,
                              const struct node *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
    bool is_right = false;

    if (!names_chain(child, issuer)) {
        return SIGNATURE_STRANGER;
    }
    if (pool->signatures_checked < SIGNATURES_LIMIT && key_is_sound(key)) {
        pool->signatures_checked++;
        is_right = X509_verify(child->x509, key) == 1;
    }
    ERR_clear_error();
    return is_right ? SIGNATURE_RIGHT : SIGNATURE_WRONG;
}

/* Each pair is compared once; past the budget everything unknown is wrong. */
static bool has_signed(struct pool *pool, const struct node *child, const struct node *issuer)
{
    unsigned char *known = &pool->signatures[child->index * pool->limit + issuer->index];

    if (*known == SIGNATURE_UNKNOWN) {
        *known = (unsigned char)compare(pool, child, issuer);
    }
    return *known == SIGNATURE_RIGHT;
}

/* The same CA again, in whatever certificate, makes no path better: a path goes on from a name and
 * a key, so what follows could have followed before. */
static bool is_on_path(const struct path *path, const struct node *node)
{
    for (size_t i = 1; i < path->length; i++) {
        const X509 *other = path->nodes[i]->x509;

        if (path->nodes[i] == node
            || (X509_NAME_cmp(X509_get_subject_name(other), X509_get_subject_name(node->x509)) == 0
                && EVP_PKEY_eq(X509_get0_pubkey(other), X509_get0_pubkey(node->x509)) == 1)) {
            return true;
        }
    }
    return path->nodes[0] == node;
}

/* One look for paths of one length. */
struct search {
    struct pool *pool;
    struct paths *paths;
    struct path path;
    size_t length;  /* of the paths looked for */
    size_t steps;   /* taken in all lengths together */
    bool is_deeper; /* there are longer ones */
};

static bool is_over(struct search *search)
{
    if (search->paths->count == PATHS_LIMIT || search->steps == STEPS_LIMIT) {
        search->paths->is_cut = true;
    }
    return search->paths->is_cut;
}

static void keep_partial(struct search *search)
{
    if (search->path.length > search->paths->partial.length) {
        search->paths->partial = search->path;
    }
}

static void keep(struct search *search, const struct node *anchor)
{
    struct path *kept = &search->paths->list[search->paths->count++];

    *kept = search->path;
    kept->nodes[kept->length++] = anchor;
    kept->is_anchored = true;
}

/* Calls itself once for each certificate on the path, `length` at most. */
static void extend(struct search *search)
{
    const struct node *top = search->path.nodes[search->path.length - 1];
    bool is_last = search->path.length + 1 == search->length;

    keep_partial(search);
    search->steps++;
    for (size_t i = 0; i < search->pool->count && !is_over(search); i++) {
        const struct node *issuer = search->pool->nodes[i];

        if (!has_signed(search->pool, top, issuer) || is_on_path(&search->path, issuer)) {
            continue;
        }
        if (issuer->is_anchor && is_last) {
            keep(search, issuer);
        }
        if (!issuer->is_anchor && is_last) {
            search->is_deeper = true;
        }
        if (!issuer->is_anchor && !is_last) {
            search->path.nodes[search->path.length++] = issuer;
            extend(search);
            search->path.length--;
        }
    }
}

void paths_find(struct pool *pool, int depth, struct paths *paths)
{
    size_t longest = (size_t)depth + 2 < PATH_LIMIT ? (size_t)depth + 2 : PATH_LIMIT;
    struct search search = {.pool = pool, .paths = paths, .is_deeper = true};

    *paths = (struct paths){0};
    search.path.nodes[0] = pool->nodes[0];
    search.path.length = 1;
    for (search.length = 2; search.length <= longest && search.is_deeper; search.length++) {
        search.is_deeper = false;
        extend(&search);
    }
}

const struct node *pool_find_impostor(const struct pool *pool, const struct node *node)
{
    for (size_t i = 1; i < pool->count; i++) {
        if (pool->signatures[node->index * pool->limit + i] == SIGNATURE_WRONG) {
            return pool->nodes[i];
        }
    }
    return NULL;
}
