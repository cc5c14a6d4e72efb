/*
 * Claims made of a certificate: the types that AD FS offers, with its values (protocol.md 4.3 and
 * 4.4). They say what the certificate says. That it is believed has been decided before, and what
 * of them gets through is for the rules to say.
 */
#include "certs/certificate.h"

#include <time.h>

#define FIELD CLAIMS_CERTIFICATE "field/"
#define EXTENSION CLAIMS_CERTIFICATE "extension/"

/* What a certificate does not say is no claim. */
static void say(struct claim_set *claims, const char *type, const char *value)
{
    if (value != NULL && *value != '\0') {
        claim_set_say(claims, type, value, ISSUER_AD);
    }
}

static void say_each(struct claim_set *claims, const char *type, struct strings values)
{
    for (size_t i = 0; i < values.count; i++) {
        say(claims, type, values.list[i]);
    }
}

/* "12/05/2016 20:50:18" in the time zone of this machine, which is what AD FS offers: its metadata
 * says "local time". */
static void say_time(struct claim_set *claims, const char *type, int64_t wall)
{
    time_t seconds = (time_t)(wall / 1000);
    struct tm parts = {0};
    char written[32];

    if (localtime_r(&seconds, &parts) != NULL
        && strftime(written, sizeof(written), "%m/%d/%Y %H:%M:%S", &parts) > 0) {
        say(claims, type, arena_copy(claim_set_arena(claims), written));
    }
}

static void say_raw(struct claim_set *claims, struct bytes der)
{
    struct text text = text_in(claim_set_arena(claims));

    text_add_base64(&text, der.data, der.length);
    say(claims, FIELD "rawdata", text.start);
}

void certificate_claims(const struct certificate *certificate, struct claim_set *claims)
{
    say(claims, FIELD "x509version",
        arena_print(claim_set_arena(claims), "%d", certificate->version));
    say(claims, FIELD "signaturealgorithm", certificate->signature_algorithm);
    say(claims, CLAIM_CERTIFICATE_ISSUER, certificate->issuer);
    say(claims, FIELD "issuername", certificate->issuer);
    say(claims, FIELD "subject", certificate->subject);
    say(claims, FIELD "subjectname", certificate->subject);
    say_time(claims, FIELD "notbefore", certificate->not_before);
    say_time(claims, FIELD "notafter", certificate->not_after);
    say_raw(claims, certificate->der);
    say_each(claims, EXTENSION "keyusage", certificate->key_usage);
    say_each(claims, EXTENSION "eku", certificate->extended_key_usage);
    say(claims, EXTENSION "san", certificate->names);
    say(claims, EXTENSION "subjectkeyidentifier", certificate->subject_key);
    say(claims, EXTENSION "authoritykeyidentifier", certificate->authority_key);
    say(claims, EXTENSION "basicconstraints", certificate->basic_constraints);
    say_each(claims, EXTENSION "certificatepolicy", certificate->policies);
    say_each(claims, EXTENSION "applicationpolicy", certificate->application_policies);
    say(claims, EXTENSION "certificatetemplatename", certificate->template_name);
    say(claims, EXTENSION "certificatetemplateinformation", certificate->template_information);
    say(claims, CLAIM_SERIAL_NUMBER, certificate->serial);
    say(claims, CLAIMS_XMLSOAP "thumbprint", certificate->thumbprint);
    say(claims, CLAIMS_XMLSOAP "rsa", certificate->rsa_key);
}
