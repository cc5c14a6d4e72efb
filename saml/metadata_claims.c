/*
 * saml/metadata_claims.c: the claim types that the metadata offers: those that come with every
 * sign-in, those that a certificate brings, and those that the rules AD FS's wizards write make of
 * the directory. A type that nothing here can be the source of is not in it. Display names are AD
 * FS's, since readers show them to people who compare.
 */
#include "saml/metadata.h"

#define CLAIMS_PLAIN "http://schemas.xmlsoap.org/claims/"
#define CERTIFICATE_FIELD CLAIMS_CERTIFICATE "field/"
#define CERTIFICATE_EXTENSION CLAIMS_CERTIFICATE "extension/"

const struct offered_claim offered_claims[] = {
    {CLAIMS_XMLSOAP "emailaddress", "E-Mail Address", "Where the user's mail goes"},
    {CLAIMS_XMLSOAP "givenname", "Given Name", "The user's first name"},
    {CLAIM_NAME, "Name", "The user's name, unique at this service"},
    {CLAIM_UPN, "UPN", "The user principal name, as in user@domain"},
    {CLAIMS_PLAIN "CommonName", "Common Name", "The user's common name"},
    {CLAIMS_PLAIN "EmailAddress", "AD FS 1.x E-Mail Address",
     "Where the user's mail goes, by the type that AD FS 1.x used"},
    {CLAIMS_PLAIN "Group", "Group", "A group that the user belongs to"},
    {CLAIMS_PLAIN "UPN", "AD FS 1.x UPN",
     "The user principal name, by the type that AD FS 1.x used"},
    {CLAIMS_MS "role", "Role", "A role that the user has"},
    {CLAIMS_XMLSOAP "surname", "Surname", "The user's last name"},
    {CLAIM_NAME_IDENTIFIER, "Name ID", "The SAML name identifier of the user"},
    {CLAIM_INSTANT, "Authentication time stamp", "When the user signed in"},
    {CLAIM_METHOD, "Authentication method", "How the user signed in"},
    {CLAIM_PRIMARY_SID, "Primary SID", "The user's own security identifier"},
    {CLAIM_GROUP_SID, "Group SID", "The security identifier of a group of the user's"},
    {CLAIM_ACCOUNT_NAME, "Windows account name", "The account, as in DOMAIN\\user"},
    {CLAIMS_CONTEXT "x-ms-client-ip", "Client IP", "The address that the user came from"},
    {CLAIMS_CONTEXT "x-ms-client-user-agent", "Client User Agent",
     "What the user's program calls itself"},
    {CLAIMS_CONTEXT "x-ms-endpoint-absolute-path", "Endpoint Path",
     "The endpoint that the user came to"},
    {CLAIMS_CONTEXT "relyingpartytrustid", "Relying Party Trust",
     "The relying party that the token is for"},
    {CLAIMS_CONTEXT "client-request-id", "Client Request ID",
     "The identifier of the request, as the server's log has it"},
    {CLAIM_INSIDE_NETWORK, "Inside Corporate Network",
     "Whether the request came from inside the network"},
    {CLAIM_METHOD_REFERENCES, "Authentication Methods References",
     "Every method that the user signed in by"},
    {CERTIFICATE_FIELD "x509version", "X.509 Version", "The version of the certificate's format"},
    {CERTIFICATE_FIELD "signaturealgorithm", "Signature Algorithm",
     "The algorithm that the certificate was signed by"},
    {CLAIM_CERTIFICATE_ISSUER, "Issuer", "The name of the CA that issued the certificate"},
    {CERTIFICATE_FIELD "issuername", "Issuer Name", "The name of the CA that issued it, once more"},
    {CERTIFICATE_FIELD "subject", "Subject", "The name of the certificate's owner"},
    {CERTIFICATE_FIELD "subjectname", "Subject Name", "The name of its owner, once more"},
    {CERTIFICATE_FIELD "notbefore", "Not Before", "From when the certificate is good, local time"},
    {CERTIFICATE_FIELD "notafter", "Not After", "Until when the certificate is good, local time"},
    {CERTIFICATE_FIELD "rawdata", "Certificate Raw Data", "The certificate itself, in base64"},
    {CERTIFICATE_EXTENSION "keyusage", "Key Usage", "One use that the key may be put to"},
    {CERTIFICATE_EXTENSION "eku", "Enhanced Key Usage", "One purpose of the certificate"},
    {CERTIFICATE_EXTENSION "san", "Subject Alternative Name", "Other names of its owner"},
    {CERTIFICATE_EXTENSION "subjectkeyidentifier", "Subject Key Identifier",
     "Which key the certificate is for"},
    {CERTIFICATE_EXTENSION "authoritykeyidentifier", "Authority Key Identifier",
     "Which key the certificate was signed by"},
    {CERTIFICATE_EXTENSION "basicconstraints", "Basic Constraint",
     "Whether the certificate is a CA's, and how far its chain may reach"},
    {CERTIFICATE_EXTENSION "certificatepolicy", "Certificate Policies",
     "One policy that the certificate was issued under"},
    {CERTIFICATE_EXTENSION "applicationpolicy", "Application policies",
     "One purpose of the certificate, as Windows has it beside the EKU"},
    {CERTIFICATE_EXTENSION "certificatetemplatename", "V1 Template Name",
     "The template of version 1 that the certificate was made from"},
    {CERTIFICATE_EXTENSION "certificatetemplateinformation", "V2 Template Name",
     "The template of version 2 that the certificate was made from"},
    {CLAIM_SERIAL_NUMBER, "Serial Number", "The certificate's number at the CA that issued it"},
    {CLAIMS_XMLSOAP "thumbprint", "Thumbprint", "The SHA-1 of the certificate, in base64"},
    {CLAIMS_XMLSOAP "rsa", "Public Key", "The certificate's RSA key, as XML"},
};
const size_t offered_claim_count = COUNT_OF(offered_claims);
