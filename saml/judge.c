/*
 * saml/judge.c: whether a token that says what it says is good here and now: from the right
 * issuer, for this relying party, within its time, to be brought by whoever holds it. Every
 * question is asked on its own, so that a page can tell all that is wrong at once.
 */
#include "saml/read.h"

#include <string.h>

static void judge_issuer(struct reading *reading)
{
    const char *said = reading->seen->issuer, *expected = reading->reader->issuer;

    if (string_is(said, expected)) {
        check_passes(reading, CHECK_ISSUER, "The issuer is %s.", said);
    } else {
        check_fails(reading, CHECK_ISSUER, "The issuer is %.200s, and %.200s was expected.", said,
                    expected == NULL ? "none" : expected);
    }
}

/* the audience --------------------------------------------------------------------------- */

/* SAML 1.1 core 2.3.2.1, 2.0 core 2.5.1.4: one of the audiences of each restriction. */
static bool is_for_us(struct reading *reading, const xmlNode *restriction, const char *space)
{
    bool found = false;

    for (const xmlNode *at = xml_first(restriction); at != NULL; at = xml_next(at)) {
        const char *said = xml_content(reading->arena, at);
        bool fits = string_is(said, reading->reader->audience);

        if (!xml_is(at, space, "Audience") || said == NULL) {
            return false;
        }
        if (fits || reading->seen->audience == NULL) {
            reading->seen->audience = said;
        }
        found = found || fits;
    }
    return found;
}

static void judge_audience(struct reading *reading, const struct stated *stated)
{
    const char *space = stated->dialect->space;
    size_t restrictions = 0, fitting = 0;

    for (const xmlNode *at = xml_first(stated->conditions); at != NULL; at = xml_next(at)) {
        if (!xml_is(at, space, stated->dialect->restriction)) {
            /* SAML 1.1 core 2.3.2, 2.0 core 2.5.1: what is not understood is not fulfilled. */
            check_fails(reading, CHECK_AUDIENCE,
                        "The token has a condition that is not known here: %.50s.",
                        (const char *)at->name);
        } else {
            restrictions++;
            fitting += is_for_us(reading, at, space);
        }
    }
    if (restrictions == 0) {
        check_fails(reading, CHECK_AUDIENCE, "The token does not say whom it is for.");
    } else if (fitting != restrictions) {
        check_fails(reading, CHECK_AUDIENCE,
                    "The token is for %.200s, and this is %.200s; look at the relying party's "
                    "identifier.",
                    reading->seen->audience == NULL ? "nobody" : reading->seen->audience,
                    reading->reader->audience == NULL ? "nobody" : reading->reader->audience);
    } else {
        check_passes(reading, CHECK_AUDIENCE, "The token is for %s.", reading->seen->audience);
    }
}

/* the times ------------------------------------------------------------------------------ */

static const char *clocks(struct reading *reading)
{
    return arena_print(reading->arena, "the clock here says %s, with %lld s allowed between clocks",
                       time_write(reading->arena, reading->reader->now),
                       (long long)(reading->reader->skew / 1000));
}

static void judge_times(struct reading *reading)
{
    const struct token_seen *seen = reading->seen;
    const struct token_reader *reader = reading->reader;

    if (seen->valid_from >= seen->valid_until) {
        check_fails(reading, CHECK_TIMES, "The token ends before it begins.");
    } else if (seen->valid_from > reader->now + reader->skew) {
        check_fails(reading, CHECK_TIMES, "The token is not valid before %s; %s.",
                    time_write(reading->arena, seen->valid_from), clocks(reading));
    } else if (seen->valid_until <= reader->now - reader->skew) {
        check_fails(reading, CHECK_TIMES, "The token ended at %s; %s.",
                    time_write(reading->arena, seen->valid_until), clocks(reading));
    } else if (seen->issued_at > reader->now + reader->skew
               || seen->signed_in_at > reader->now + reader->skew) {
        check_fails(reading, CHECK_TIMES, "The token was issued in the future, at %s; %s.",
                    time_write(reading->arena, seen->issued_at), clocks(reading));
    } else {
        check_passes(reading, CHECK_TIMES, "The token is valid from %s to %s; %s.",
                     time_write(reading->arena, seen->valid_from),
                     time_write(reading->arena, seen->valid_until), clocks(reading));
    }
}

/* confirmation --------------------------------------------------------------------------- */

/* The one SubjectConfirmation of a subject, if a bearer's; else NULL. */
static const xmlNode *find_bearer(struct reading *reading, const struct dialect *dialect,
                                  const xmlNode *subject)
{
    const xmlNode *confirmation = xml_only(subject, dialect->space, "SubjectConfirmation");
    const char *method = dialect->format == TOKEN_SAML20
                             ? xml_attribute(reading->arena, confirmation, NULL, "Method")
                             : xml_content(reading->arena, xml_only(confirmation, dialect->space,
                                                                    "ConfirmationMethod"));

    return string_is(method, dialect->bearer) ? confirmation : NULL;
}

/* SAML 2.0 profiles 4.1.4.3: the bearer's own time, and no request that nobody made here. */
static bool check_data(struct reading *reading, const xmlNode *data)
{
    const struct token_reader *reader = reading->reader;
    const char *until = xml_attribute(reading->arena, data, NULL, "NotOnOrAfter");
    int64_t wall;

    if (until == NULL || !time_read(until, &wall) || wall <= reader->now - reader->skew) {
        return check_fails(reading, CHECK_CONFIRMATION,
                           "The token had to be delivered before %.40s; %s.",
                           until == NULL ? "an unknown time" : until, clocks(reading));
    }
    if (xml_attribute(reading->arena, data, NULL, "InResponseTo") != NULL
        || xml_attribute(reading->arena, data, NULL, "NotBefore") != NULL) {
        return check_fails(reading, CHECK_CONFIRMATION,
                           "The token answers a SAML request, or may not be delivered yet; "
                           "WS-Federation has neither.");
    }
    return true;
}

static void judge_recipient(struct reading *reading, const xmlNode *data)
{
    const char *said = xml_attribute(reading->arena, data, NULL, "Recipient");
    const char *here = reading->reader->recipient;

    if (said == NULL) {
        check_passes(reading, CHECK_RECIPIENT, "The token names no address it must arrive at.");
    } else if (string_is(said, here)) {
        check_passes(reading, CHECK_RECIPIENT, "The token arrived where it was sent.");
    } else {
        check_fails(reading, CHECK_RECIPIENT, "The token was sent to %.200s, and this is %.200s.",
                    said, here == NULL ? "another place" : here);
    }
}

static void judge_confirmation(struct reading *reading, const struct stated *stated)
{
    const struct dialect *dialect = stated->dialect;
    const xmlNode *bearer = find_bearer(reading, dialect, stated->subject);
    const xmlNode *other = xml_only(stated->attributes, dialect->space, "Subject");
    const xmlNode *data = xml_only(bearer, dialect->space, "SubjectConfirmationData");

    if (bearer == NULL || (other != NULL && find_bearer(reading, dialect, other) == NULL)) {
        check_fails(reading, CHECK_CONFIRMATION,
                    "The token is not for a bearer: its SubjectConfirmation asks for another "
                    "proof, or there is not exactly one.");
        return;
    }
    if (dialect->format == TOKEN_SAML11) {
        check_passes(reading, CHECK_RECIPIENT, "SAML 1.1 names no recipient.");
    } else {
        judge_recipient(reading, data);
        if (!check_data(reading, data)) {
            return;
        }
    }
    check_passes(reading, CHECK_CONFIRMATION, "Whoever holds the token may bring it (bearer).");
}

void assertion_judge(struct reading *reading, const struct stated *stated)
{
    judge_issuer(reading);
    judge_audience(reading, stated);
    judge_times(reading);
    judge_confirmation(reading, stated);
}
