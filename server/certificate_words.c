/*
 * server/certificate_words.c: what a person is told of a finding. The findings themselves are for
 * those who run things; whoever holds the certificate needs to know what it means for them, and
 * what they can do.
 */
#include "server/certificate_page.h"

#include <string.h>

#define ASK_FOR_NEW "Ask for a new certificate, or sign in in another way."
#define INSTALL                                                                                    \
    "Install your certificate on this device with everything that belongs to it (on a phone: the " \
    "profile with the issuing CA), then try again; or sign in in another way."
#define NOT_YOURS "There is nothing you can do about it: give your help desk the activity ID below."

#define AUTHORITY                                                                                  \
    {                                                                                              \
        "Something is wrong with an authority above your certificate, not with the certificate "   \
        "itself.",                                                                                 \
            NOT_YOURS                                                                              \
    }

/* The first row that is the code, or what stands before its dot, counts. */
static const struct {
    const char *code;
    struct certificate_words words;
} rows[] = {
    {"none",
     {"Your browser showed no certificate: it has none, none that it found fitting, or you chose "
      "not to send one.",
      INSTALL}},
    {"handshake.silent", {"", INSTALL}},
    {"handshake.unreached", {"", "Try again from another network, or sign in in another way."}},
    {"time.expired", {"Your certificate has expired.", ASK_FOR_NEW}},
    {"time.not-yet-valid",
     {"Your certificate is not valid yet.", "Check the clock of your device, or wait."}},
    {"time", {"The dates of your certificate cannot be read.", ASK_FOR_NEW}},
    {"revocation.revoked",
     {"Your certificate was revoked: it can no longer be used.", ASK_FOR_NEW}},
    {"revocation",
     {"It could not be found out whether your certificate is still good.", NOT_YOURS}},
    {"chain.issuer-missing",
     {"Your certificate came without the certificate of the authority that issued it, and this "
      "server does not have that one either.",
      "Install the issuing authority's certificate beside your own (on a phone: the whole profile) "
      "and try again, or give your help desk the activity ID below."}},
    {"chain.not-for-sign-in",
     {"The authority that issued your certificate may not sign people in here.", NOT_YOURS}},
    {"chain",
     {"Your certificate does not lead to an authority this server trusts.",
      "Choose a certificate that was issued for this service, or sign in in another way."}},
    {"usage",
     {"Your certificate was not issued for signing in.",
      "Choose another certificate: this one is for another purpose."}},
    {"leaf",
     {"This is the certificate of an authority, not of a person.", "Choose your own certificate."}},
    {"strength", {"Your certificate's key or signature is too weak to be relied on.", ASK_FOR_NEW}},
    {"authority", AUTHORITY},
    {"constraints",
     {"Your certificate names somebody that its authority may not speak for.", NOT_YOURS}},
    {"extension", {"Your certificate demands something this server does not know.", NOT_YOURS}},
    {"policy",
     {"Your certificate was not issued under the rules that this server asks for.", NOT_YOURS}},
    {"certificate.refused", {"Your certificate was not accepted.", NOT_YOURS}},
    {"certificate", {"Your certificate cannot be read, or is not well-formed.", ASK_FOR_NEW}},
    {"account.none",
     {"Your certificate is good, but it belongs to no account here.",
      "Choose the certificate of your account here, or give your help desk the activity ID "
      "below."}},
    {"account.other",
     {"Your certificate is good, but it belongs to another account than the one whose password you "
      "gave.",
      "Choose the certificate of that account."}},
    {"account.several",
     {"Your certificate is good, but it fits more than one account.", NOT_YOURS}},
    {"account.disabled", {"Your account is switched off.", NOT_YOURS}},
    {"proxy.refused",
     {"The proxy through which you came here did not accept your certificate.",
      "Give your help desk the activity ID below: the authorities of your certificate must be "
      "installed on the proxy, too."}},
};

/* Whether `row` is the code itself, or all that stands before its dot. */
static bool is_about(const char *row, const char *code)
{
    size_t length = strlen(row);

    return strncmp(row, code, length) == 0 && (code[length] == '\0' || code[length] == '.');
}

/* What is found of a CA is not told as if it were the person's own certificate. */
static struct certificate_words words_of_authority(const char *code)
{
    return is_about("revocation.revoked", code)
               ? (struct certificate_words){"An authority above your certificate was revoked: "
                                            "nothing it issued can be used any more.",
                                            ASK_FOR_NEW}
               : (struct certificate_words)AUTHORITY;
}

struct certificate_words certificate_words_of(const char *code, int depth)
{
    bool is_revoked = is_about("revocation.revoked", code);
    bool is_of_path = is_about("chain", code) || (is_about("revocation", code) && !is_revoked);

    if (depth > 0 && !is_of_path) {
        return words_of_authority(code);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (is_about(rows[i].code, code)) {
            return rows[i].words;
        }
    }
    return (struct certificate_words){"Your certificate was not accepted.",
                                      "Choose another certificate, or sign in in another way."};
}
