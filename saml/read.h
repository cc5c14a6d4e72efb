/*
 * saml/read.h: private to the SAML room. How a stranger's token is taken apart: each step notes
 * what it found, and none believes the one before it.
 */
#ifndef LANYARD_SAML_READ_H
#define LANYARD_SAML_READ_H

#include "saml/saml.h"
#include "saml/xml.h"

/* reading.c ------------------------------------------------------------------------------ */

/* The checks, in the order in which they are told. */
enum check {
    CHECK_WELL_FORMED = 0,
    CHECK_RESPONSE,       /* one RSTR with one token */
    CHECK_DECRYPTION,     /* passes where nothing is encrypted */
    CHECK_IDS,            /* no id twice */
    CHECK_SIGNATURE_FORM, /* one signature, in its place, over this assertion, of a known form */
    CHECK_SIGNATURE,      /* made by a key that is known */
    CHECK_ASSERTION,      /* all parts there, each once, and no other */
    CHECK_ISSUER,
    CHECK_AUDIENCE,
    CHECK_TIMES,
    CHECK_CONFIRMATION, /* a bearer may bring it */
    CHECK_RECIPIENT,
    CHECK_COUNT
};

/* One token being read. */
struct reading {
    struct arena *arena;
    const struct token_reader *reader;
    struct token_seen *seen;
    struct token_finding findings[CHECK_COUNT];
};

void reading_begin(struct reading *reading);
/* Notes how a check went, once; the first no stands. They return true and false. */
bool check_passes(struct reading *reading, enum check check, const char *format, ...)
    PRINTF_LIKE(3, 4);
bool check_fails(struct reading *reading, enum check check, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Whether all passed. */
bool reading_passed(const struct reading *reading);

/* response.c ----------------------------------------------------------------------------- */

/* What the two SAML versions call the same things. */
struct dialect {
    enum token_format format;
    const char *name;  /* for people */
    const char *space; /* the namespace */
    const char *id, *restriction, *statement, *instant, *name_id, *bearer;
};

/* The dialect of an assertion element, or NULL for any other element. */
const struct dialect *dialect_of(const xmlNode *element);

/* Finds the one token in a response: an assertion, or what holds an encrypted one. */
MUST_CHECK bool response_find_token(struct reading *reading, const xmlDoc *document,
                                    const xmlNode **token);

/* Whether `root` is an assertion without another one, seen or encrypted, inside. */
bool response_is_one_assertion(const xmlNode *root);

/* ids.c ---------------------------------------------------------------------------------- */

/* M9: no two elements with the same id, whatever the attribute is called. */
MUST_CHECK bool ids_check(struct reading *reading, const xmlDoc *document);

/* verify.c, verify_form.c ---------------------------------------------------------------- */

/* The algorithms that a signature's form says it was made with. */
struct signature_form {
    const xmlNode *signature;
    enum signature_algorithm algorithm;
};

/* The profile of engineering.md 6: all that can be known of a signature without a key. */
MUST_CHECK bool signature_form_check(struct reading *reading, const xmlNode *assertion,
                                     const struct dialect *dialect, struct signature_form *form);
/* The same but for its place: `form->signature` was found where it belongs. */
MUST_CHECK bool signature_parts_check(struct reading *reading, const xmlNode *signed_element,
                                      const struct dialect *dialect, struct signature_form *form);

/*
 * Verifies the signature of `assertion` with the reader's keys and gives the bytes that were
 * digested: the assertion in canonical form, without its signature. Nothing else is to be read.
 */
MUST_CHECK bool signature_verify(struct reading *reading, const xmlNode *assertion,
                                 const struct dialect *dialect, const struct signature_form *form,
                                 struct bytes *digested);

/* assertion_read.c ----------------------------------------------------------------------- */

/* The parts of an assertion, found where they belong. They live with its document. */
struct stated {
    const struct dialect *dialect;
    const xmlNode *assertion, *conditions, *statement, *attributes; /* the last may be NULL */
    const xmlNode *subject; /* SAML 1.1: of the authentication statement */
};

/* Finds the parts and fills `seen`, except for the claims. */
MUST_CHECK bool assertion_read(struct reading *reading, const xmlNode *assertion,
                               struct stated *stated);
/* Makes claims of the name identifier and the attributes; false where one cannot be read. */
MUST_CHECK bool assertion_read_claims(struct reading *reading, const struct stated *stated);

/* judge.c -------------------------------------------------------------------------------- */

/* Issuer, audience, times, confirmation and recipient against what the reader knows. */
void assertion_judge(struct reading *reading, const struct stated *stated);

#endif
