/*
 * tests/unit/saml_fixture.h: what the tests of the SAML room share: a lab's signing key, a clock
 * and dice that stand still, and other people's programs that judge what we wrote.
 */
#ifndef LANYARD_SAML_FIXTURE_H
#define LANYARD_SAML_FIXTURE_H

#include "saml/saml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1714641304447) /* 2024-05-02T09:15:04.447Z */
#define HOUR INT64_C(3600000)

#define SPECIALS "<a b=\"c\">&amp;'\r\n\t]]> \xC3\xA9 \xE2\x80\xA8 \xF0\x9F\x98\x80</a>"

struct fixture {
    struct arena *arena;
    char folder[64];
    struct lab lab;
    struct dice dice, system_dice;
    const struct signer *signer;
};

static inline void roll_same(void *state, void *into, size_t length)
{
    (void)state;
    memset(into, 0x5A, length);
}

static inline const char *fixture_path(const struct fixture *fixture, const char *name)
{
    return path_join(fixture->arena, fixture->folder, name);
}

static inline bool load_pair(struct fixture *fixture, const char *certificate, const char *key,
                             const struct keypair **pair, struct error *error)
{
    return keypair_load(fixture->arena, fixture_path(fixture, certificate),
                        fixture_path(fixture, key), NOW, pair, error);
}

static inline int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const struct keypair *pair;

    fixture->arena = arena_new();
    fixture->dice = (struct dice){.roll = roll_same};
    fixture->system_dice = dice_of_system();
    strcpy(fixture->folder, "/tmp/lanyard-saml-XXXXXX");
    fixture->lab = (struct lab){
        .folder = mkdtemp(fixture->folder),
        .host = "localhost",
        .address = "http://localhost:8080",
        .now = NOW,
        .dice = &fixture->system_dice,
    };
    *state = fixture;
    struct error error = error_in(fixture->arena);

    if (!saml_start(&error) || !lab_make(fixture->arena, &fixture->lab, &error)
        || !load_pair(fixture, LAB_SIGNING, LAB_SIGNING_KEY, &pair, &error)
        || !signer_make(fixture->arena, pair, &fixture->signer, &error)) {
        fprintf(stderr, "%s\n", error_sentence(&error));
        return -1;
    }
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    int status = system(arena_print(fixture->arena, "rm -r %s", fixture->folder));

    arena_free(fixture->arena);
    saml_stop();
    free(fixture);
    return status;
}

/* A token request as ordinary as they come; a test changes what it is about. */
static inline struct token_request ask(const struct fixture *fixture,
                                       const struct claim_set *claims)
{
    return (struct token_request){
        .issuer = "http://sts.lab.test/adfs/services/trust",
        .audience = "urn:federation:MicrosoftOnline",
        .claims = claims,
        .method = METHOD_PASSWORD,
        .signed_in_at = NOW - 94,
        .issued_at = NOW,
        .valid_from = NOW - 16,
        .valid_until = NOW - 16 + HOUR,
        .signer = fixture->signer,
        .dice = &fixture->dice,
    };
}

static inline const char *issue(struct arena *arena, const struct token_request *request)
{
    struct error error = error_in(arena);
    struct token token;

    if (!token_issue(arena, request, &token, &error)) {
        fail_msg("%s", error_sentence(&error));
    }
    assert_int_equal(strlen(token.xml), token.length);
    return token.xml;
}

/* True if no token comes of this, but a refusal of that kind, and nothing is left behind. */
static inline bool is_refused(const struct token_request *request, enum fault fault)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct token token = {.id = "left", .xml = "behind", .length = 6};

    return !token_issue(arena, request, &token, &error) && error.fault == fault && error.count > 0
           && token.xml == NULL && token.id == NULL && token.length == 0;
}

static inline size_t times(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

/* Writes `xml` into the fixture's folder and says whether `command`, given the file, is content. */
static inline bool is_content(struct fixture *fixture, const char *command, const char *xml)
{
    const char *path = fixture_path(fixture, "judged.xml");
    struct error error = error_in(fixture->arena);

    assert_true(file_write(fixture->arena, path, xml, strlen(xml), 0600, &error));
    return system(arena_print(fixture->arena, "%s %s >%s 2>&1", command, path,
                              fixture_path(fixture, "judgement")))
           == 0;
}

/* The xmlsec1 command, with the lab's signing certificate pinned and KeyInfo not believed. */
static inline bool verifies(struct fixture *fixture, enum token_format format, const char *xml)
{
    const char *id = format == TOKEN_SAML11
                         ? "--id-attr:AssertionID urn:oasis:names:tc:SAML:1.0:assertion:Assertion"
                         : "--id-attr:ID urn:oasis:names:tc:SAML:2.0:assertion:Assertion";

    return is_content(fixture,
                      arena_print(fixture->arena,
                                  "xmlsec1 --verify --enabled-key-data key-name %s "
                                  "--pubkey-cert-pem %s",
                                  id, fixture_path(fixture, LAB_SIGNING)),
                      xml);
}

#endif
