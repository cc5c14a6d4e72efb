/*
 * Whom we believe: the CAs of the settings, each read once. Refuses what is no CA: a certificate
 * that people sign in with would otherwise vouch for others (RFC 5280, 4.2.1.9).
 */
#include "certs/path.h"

struct trust {
    struct authority *list;
    struct node *nodes; /* of each, read */
    size_t count;
};

static bool read_authority(struct arena *arena, const struct authority *authority,
                           struct node *node, struct error *error)
{
    struct error why = error_in(arena);

    if (!node_read(arena, authority->certificate, node, &why)) {
        return fail(error, FAULT_SETTINGS, "%s: this certificate cannot be read: %s",
                    authority->name, error_sentence(&why));
    }
    if (X509_check_ca(node->x509) == 1) {
        return true;
    }
    return fail_at(
        error, FAULT_SETTINGS,
        &(struct problem){.found = arena_print(arena, "%s is no CA", authority->name),
                          .expected = "a certificate whose basic constraints say that it is a CA"});
}

bool trust_make(struct arena *arena, const struct authority *list, size_t count,
                const struct trust **trust, struct error *error)
{
    struct trust *made = arena_alloc(arena, sizeof *made);

    made->list = arena_array(arena, count + 1, sizeof *made->list);
    made->nodes = arena_array(arena, count + 1, sizeof *made->nodes);
    made->count = count;
    for (size_t i = 0; i < count; i++) {
        if (!read_authority(arena, &list[i], &made->nodes[i], error)) {
            return false;
        }
        made->list[i] = list[i];
    }
    *trust = made;
    return true;
}

size_t trust_count(const struct trust *trust)
{
    return trust->count;
}

const struct authority *trust_at(const struct trust *trust, size_t index)
{
    return &trust->list[index];
}

const struct node *trust_node(const struct trust *trust, size_t index)
{
    return &trust->nodes[index];
}
