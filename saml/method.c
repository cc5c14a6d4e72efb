/*
 * saml/method.c: how somebody signed in, in the words of the two SAML versions (protocol.md 2.4).
 * A value that the table does not know is written as it is, as AD FS does: rules may name their
 * own.
 */
#include "saml/assertion.h"

#include <string.h>

#define SAML10 "urn:oasis:names:tc:SAML:1.0:am:"
#define SAML20 "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#define WINDOWS "urn:federation:authentication:windows"

static const struct method {
    const char *name;            /* after AUTHENTICATION_METHODS */
    const char *saml11, *saml20; /* NULL: that version has no word for it */
} methods[] = {
    {"password", SAML10 "password", SAML20 "Password"},
    {"tlsclient", "urn:ietf:rfc:2246", SAML20 "TLSClient"},
    {"x509", SAML10 "X509-PKI", SAML20 "X509"},
    {"windows", WINDOWS, WINDOWS},
    {"kerberos", "urn:ietf:rfc:1510", SAML20 "Kerberos"},
    {"hardwaretoken", "URI:" SAML10 "HardwareToken", NULL}, /* the misspelling is on the wire */
    {"pgp", SAML10 "PGP", SAML20 "PGP"},
    {"secureremotepassword", "urn:ietf:rfc:2945", SAML20 "SecureRemotePassword"},
    {"signature", "urn:ietf:rfc:3075", SAML20 "XMLDSig"},
    {"spki", SAML10 "SPKI", SAML20 "SPKI"},
    {"xkms", SAML10 "XKMS", NULL},
    {"smartcard", NULL, SAML20 "Smartcard"},
    {"smartcardpki", NULL, SAML20 "SmartcardPKI"},
    {"unspecified", SAML10 "unspecified", SAML20 "unspecified"},
};

static const struct method *find(const char *claim_value)
{
    if (!string_starts(claim_value, AUTHENTICATION_METHODS)) {
        return NULL;
    }
    for (size_t at = 0; at < COUNT_OF(methods); at++) {
        if (string_is(claim_value + strlen(AUTHENTICATION_METHODS), methods[at].name)) {
            return &methods[at];
        }
    }
    return NULL;
}

const char *method_uri_saml11(const char *claim_value)
{
    const struct method *method = find(claim_value);

    return method == NULL || method->saml11 == NULL ? claim_value : method->saml11;
}

const char *method_uri_saml20(const char *claim_value)
{
    const struct method *method = find(claim_value);

    return method == NULL || method->saml20 == NULL ? claim_value : method->saml20;
}
