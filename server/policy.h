/*
 * server/policy.h: a part of the server room's door: the one decision of a sign-in (habit 11). The
 * rest of it is server/server.h, which includes this.
 */
#ifndef LANYARD_SERVER_POLICY_H
#define LANYARD_SERVER_POLICY_H

#include "server/settings.h"

/* What any protocol's front door boils down to. */
struct sign_in_request {
    const struct relying_party *party;
    const char *reply, *context;
    const char *asked_method; /* the URI as it was asked, or NULL */
    long fresh_minutes;       /* FRESH_ANY, or ask again at this age */
    bool prompt_login;        /* prompt=login */
    const char *reading;      /* what wauth came to, for people; NULL: what it says */
    bool second_factor;       /* wauth asks for two methods */
    bool second_shown;        /* the second factor was shown for this very request */
    long second_seconds;      /* FRESH_ANY, or ask for the second factor again at this age */
    bool party_asks_always;   /* the party's own always_require_authentication */
    bool names_format;        /* the request says which kind of token it wants (decision 29) … */
    enum token_format format; /* … this one; otherwise the party's own */
};

enum step { STEP_REFUSE = 0, STEP_ASK_PASSWORD, STEP_ASK_CERTIFICATE, STEP_ISSUE };

/* Which ways of signing in are offered where the request came from. */
struct methods_offered {
    bool password, certificate;
    bool extranet; /* it came from there */
    bool second;   /* a second factor can be given after a password */
};

struct decision {
    enum step step;
    const char *why;  /* the line that decided, for people */
    enum fault fault; /* where refused */
};

/* What the URI in `wauth` means: METHOD_NONE for one nobody here knows. */
enum sign_in_method method_of_uri(const char *uri);
/*
 * What `wauth` comes to in that network: wiaormultiauthn is any way of signing in from inside the
 * company (NULL) and multipleauthn from the extranet, and `*reading` says which. Every other URI is
 * itself, and so is NULL.
 */
const char *method_resolve(const char *uri, bool extranet, const char **reading);
/* Whether that asks for a second factor; the first is then a password. */
bool method_is_multiple(const char *uri);
/* The URIs of a method, by number from 0; NULL after the last. */
const char *method_uri_at(enum sign_in_method method, size_t number);
/* Whether that is "usernamepassworduri": no URI at all, taken for the password's all the same. */
bool method_is_shorthand(const char *uri);
/* `known` is NULL where nobody has signed in. A pure function of its arguments. */
struct decision policy_next_step(const struct sign_in_request *asked, const struct principal *known,
                                 const struct methods_offered *offered, int64_t now);
/*
 * The same for somebody who has signed in well enough, where a second factor is demanded: a token
 * where it was shown and is not too old, a certificate where one can be given, else a refusal.
 */
struct decision policy_second_step(const struct sign_in_request *asked,
                                   const struct principal *known,
                                   const struct methods_offered *offered, int64_t now);
/* The refusal of a certificate where none is taken. */
struct decision policy_refuse_certificate(const struct methods_offered *offered);

#endif
