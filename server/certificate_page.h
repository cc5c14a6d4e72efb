/*
 * server/certificate_page.h: private to the server room. The page that explains why a certificate
 * sign-in did not come about: for the person what to do, in a lab every link of the chain.
 */
#ifndef LANYARD_SERVER_CERTIFICATE_PAGE_H
#define LANYARD_SERVER_CERTIFICATE_PAGE_H

#include "server/handlers.h"

/* What a person is told of one kind of finding. */
struct certificate_words {
    const char *reason, *advice;
};

/* certificate_words.c: by the finding's code, or the part before its dot, and whether it is about
 * the person's certificate (depth 0) or a CA above it; never NULL strings. */
struct certificate_words certificate_words_of(const char *code, int depth);

/* Why there is no sign-in. */
struct certificate_story {
    const char *code;             /* of the finding that decided */
    const char *party_name;       /* NULL where it is not known any more */
    const char *query;            /* of the sign-in; NULL: nowhere to go back to */
    const unsigned char *session; /* key of the session that wants a second factor, or NULL */
    const struct certificate_sign_in *seen; /* NULL: nothing was shown at all */
    int64_t seconds;                        /* for which a browser was silent */
    bool has_issuer;                        /* it fetched the issuing CA's certificate meanwhile */
    const char *origin;                     /* that it never reached */
};

/* Writes the page, with status 200: to anything else some browsers answer by asking again. */
void certificate_page_write(struct lanyard *lanyard, const struct request *request,
                            const struct certificate_story *story, struct response *response);

#endif
