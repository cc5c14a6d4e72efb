/*
 * The table of faults: one row for each, and the only place where a refusal gets its status and
 * the words for strangers. What went wrong in detail is for the log; libraries' words never get
 * here. Where AD FS has a text that scripts match, it is kept to the letter (protocol.md 1.8).
 */
#include "server/refusal.h"

#include <string.h>

#define EVENT_PASSIVE 364 /* "Encountered error during federation passive request." */

#define ASK_ADMINISTRATOR "Give your administrator the activity ID below."
#define TRY_AGAIN "Go back to the application and start again."
#define PROGRAM_ADVICE "The program that sent this must be corrected."

static const struct refusal refusals[] = {
    [FAULT_INTERNAL] = {"internal", 500, NULL, "Something went wrong on the server.",
                        ASK_ADMINISTRATOR, EVENT_PASSIVE},
    [FAULT_SETTINGS] = {"settings", 500, NULL, "The server's settings do not allow an answer.",
                        ASK_ADMINISTRATOR, EVENT_PASSIVE},
    [FAULT_USAGE] = {"usage", 400, NULL, "This command makes no sense.", "See `lanyard --help`.",
                     0},
    [FAULT_MALFORMED] = {"malformed", 400, NULL, "The request breaks the rules of its protocol.",
                         TRY_AGAIN, EVENT_PASSIVE},
    [FAULT_TOO_LARGE] = {"too-large", 413, NULL, "The request is larger than this server takes.",
                         TRY_AGAIN, 0},
    [FAULT_MEDIA_TYPE] = {"media-type", 415, NULL,
                          "The request is written in a form this address does not read.",
                          PROGRAM_ADVICE, 0},
    [FAULT_WRONG_HOST] = {"wrong-host", 421, NULL, "The name in this address is not this server's.",
                          "Check the address.", 0},
    [FAULT_CROSS_SITE] = {"cross-site", 400, NULL, "Another website sent this form.",
                          "If you did want to sign in, go to the application and start there.",
                          EVENT_PASSIVE},
    [FAULT_NOT_FOUND] = {"not-found", 404, NULL, "There is nothing at this address.",
                         "Check the address.", 0},
    [FAULT_HTTP_METHOD] = {"http-method", 405, NULL,
                           "This address does not answer that kind of request.", PROGRAM_ADVICE, 0},
    [FAULT_UNKNOWN_ACTION] = {"unknown-action", 500, "MSIS7065",
                              "There are no registered protocol handlers on path {path} to process "
                              "the incoming request.",
                              "Sign-in begins at the application; go there and start again.",
                              EVENT_PASSIVE},
    [FAULT_UNKNOWN_PARTY] = {"unknown-party", 500, "MSIS7007",
                             "The requested relying party trust '{party}' is unspecified or "
                             "unsupported. If a relying party trust was specified, it is possible "
                             "that you do not have permission to access the trust relying party. "
                             "Contact your administrator for details.",
                             "This server does not know the application you came from, or it is "
                             "switched off here. " ASK_ADMINISTRATOR,
                             EVENT_PASSIVE},
    [FAULT_REPLY_ADDRESS] = {"reply-address", 400, NULL,
                             "The application asked for the answer to go to an address that is not "
                             "its own.",
                             "Nothing was sent there. " ASK_ADMINISTRATOR, EVENT_PASSIVE},
    [FAULT_METHOD] = {"method", 500, "MSIS7102",
                      "Requested Authentication Method is not supported on the STS.",
                      "The application asks for a way of signing in that is not offered "
                      "here. " ASK_ADMINISTRATOR,
                      EVENT_PASSIVE},
    [FAULT_EXTRANET] = {"extranet", 500, "MSIS7102",
                        "Requested Authentication Method is not supported on the STS.",
                        "Certificate sign-in is not allowed for the extranet, that is from outside "
                        "the company's network. Go back and sign in in another way, or sign in "
                        "from inside.",
                        EVENT_PASSIVE},
    [FAULT_SECOND_FACTOR] = {"second-factor", 500, "MSIS7102",
                             "Requested Authentication Method is not supported on the STS.",
                             "The application asks for a way of signing in that is not offered "
                             "here. " ASK_ADMINISTRATOR,
                             EVENT_PASSIVE},
    [FAULT_PASSWORD] = {"password", 200, NULL,
                        "Incorrect user ID or password. Type the correct user ID and password, and "
                        "try again.",
                        "Type them again.", 0},
    [FAULT_CERTIFICATE] = {"certificate", 200, NULL,
                           "No valid client certificate found in the request. No valid "
                           "certificates found in the user's certificate store. Please try again "
                           "choosing a different authentication method.",
                           "Choose another certificate, or sign in in another way.", EVENT_PASSIVE},
    [FAULT_LOOP] = {"loop", 500, "MSIS7042",
                    "The same client browser session has made '{requests}' requests in the last "
                    "'{seconds}' seconds. Contact your administrator for details.",
                    "The application and this server send your browser back and forth. Close the "
                    "browser, wait a moment and try once more.",
                    EVENT_PASSIVE},
    [FAULT_NOT_AUTHORIZED] = {"not-authorized", 500, "MSIS5007",
                              "The caller authorization failed for the relying party trust "
                              "'{party}'.",
                              "You are signed in, but may not use this application. Ask its owner "
                              "for access.",
                              EVENT_PASSIVE},
    [FAULT_CLAIMS] = {"claims", 500, NULL, "Your details could not be put together.",
                      ASK_ADMINISTRATOR, EVENT_PASSIVE},
    [FAULT_TOKEN] = {"token", 500, NULL, "The proof of your sign-in could not be written.",
                     ASK_ADMINISTRATOR, EVENT_PASSIVE},
    [FAULT_BUSY] = {"busy", 503, NULL, "The server has too much to do right now.",
                    "Wait a moment and try again.", 0},
};
_Static_assert(COUNT_OF(refusals) == FAULT_COUNT, "the last fault has its row");

const struct refusal *refusal_of(enum fault fault)
{
    bool is_known = (size_t)fault < COUNT_OF(refusals) && refusals[fault].audit != NULL;

    return &refusals[is_known ? fault : FAULT_INTERNAL];
}

/* Adds what stands at "{", the value of the name in braces; gives where the text goes on. */
static const char *add_named(struct arena *arena, struct text *text, const char *at,
                             const struct fields *about)
{
    const char *end = strchr(at, '}');

    if (end == NULL) {
        text_add_plain(text, at);
        return at + strlen(at);
    }
    text_add_plain(text,
                   fields_find(about, arena_copy_range(arena, at + 1, (size_t)(end - at - 1))));
    return end + 1;
}

const char *refusal_sentence(struct arena *arena, enum fault fault, const struct fields *about)
{
    const struct refusal *refusal = refusal_of(fault);
    const char *at = refusal->sentence;
    struct text text = text_in(arena);

    if (refusal->code != NULL) {
        text_print(&text, "%s: ", refusal->code);
    }
    while (*at != '\0') {
        size_t plain = strcspn(at, "{");

        text_add_unescaped(&text, at, plain);
        at += plain;
        if (*at == '{') {
            at = add_named(arena, &text, at, about);
        }
    }
    return text.start;
}

void refusal_describe(struct arena *arena, enum fault fault, const struct fields *about,
                      struct fields *values)
{
    const struct refusal *refusal = refusal_of(fault);
    bool has_code = refusal->code != NULL;

    fields_add(arena, values, has_code ? "error_details" : "message",
               refusal_sentence(arena, fault, about));
    fields_add(arena, values, "advice", refusal->advice);
}
