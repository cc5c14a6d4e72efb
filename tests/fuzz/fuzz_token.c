/*
 * Throws bytes at the reader of tokens. The corpus has tokens that were signed with a key that no
 * longer exists (token_signing.der is its certificate): whatever is accepted must be one of them,
 * and whatever is not must have said why.
 */
#include "saml/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW INT64_C(1714641304447) /* when the tokens of the corpus were issued */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* What lives as long as the process. */
struct party {
    struct arena *arena;
    struct bytes certificate;
    const struct keypair *decryption;
};

/* A key of its own, so that what is encrypted for somebody is tried, and found to be for others. */
static const struct keypair *make_key(struct arena *arena, struct error *error)
{
    char folder[] = "/tmp/lanyard-fuzz-XXXXXX";
    struct dice dice = dice_of_system();
    struct lab lab = {.folder = mkdtemp(folder),
                      .host = "localhost",
                      .address = "http://localhost:8080",
                      .now = NOW,
                      .dice = &dice};
    const struct keypair *pair = NULL;

    insist(lab_make(arena, &lab, error)
           && keypair_load(arena, path_join(arena, folder, LAB_SIGNING),
                           path_join(arena, folder, LAB_SIGNING_KEY), NOW, &pair, error));
    insist(system(arena_print(arena, "rm -r %s", folder)) == 0);
    return pair;
}

static const struct party *party(void)
{
    static struct party party;

    if (party.arena == NULL) {
        party.arena = arena_new();
        struct error error = error_in(party.arena);

        insist(saml_start(&error)
               && file_read(party.arena, TESTS_FOLDER "/fuzz/token_signing.der", 10000,
                            &party.certificate, &error));
        party.decryption = make_key(party.arena, &error);
    }
    return &party;
}

static void check_findings(const struct token_seen *seen)
{
    size_t passed = 0;

    for (size_t at = 0; at < seen->finding_count; at++) {
        insist(seen->findings[at].check != NULL && seen->findings[at].why != NULL);
        passed += seen->findings[at].passed;
    }
    insist(seen->finding_count > 0 && seen->accepted == (passed == seen->finding_count));
    insist(seen->claims != NULL);
    insist(seen->signed_by_key || claim_set_count(seen->claims) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct party *us = party();
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct token_seen seen;
    struct token_reader reader = {
        .certificates = &us->certificate,
        .certificate_count = 1,
        .issuer = "http://sts.lab.test/adfs/services/trust",
        .audience = "urn:federation:MicrosoftOnline",
        .now = NOW,
        .skew = 1000,
        .recipient = "https://rp.lab.test/",
        .decryption = us->decryption,
    };
    bool accepted = token_read(arena, (struct bytes){data, size}, &reader, &seen, &error);

    insist(accepted == seen.accepted && accepted == (error.count == 0));
    insist(accepted || error.fault == FAULT_MALFORMED);
    check_findings(&seen);
    if (accepted) {
        insist(seen.signed_by_key && string_is(seen.subject, "ann@lab.test"));
        insist(string_is(seen.issuer, reader.issuer) && string_is(seen.audience, reader.audience));
        insist(claim_set_count(seen.claims) == 6 && seen.valid_until > NOW);
    }
    return 0;
}
