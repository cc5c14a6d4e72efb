/*
 * saml/wstrust_words.c: the active endpoints there are, and what is called differently in the two
 * versions of WS-Trust. Nothing else is served: no windows, kerberos, issuedtoken or
 * certificatemixed endpoint.
 */
#include "saml/soap.h"

const struct active_facts active_facts[ACTIVE_COUNT] = {
    [ACTIVE_2005_CERTIFICATE] = {WSTRUST_2005, true, ACTIVE_PATH_2005 "certificatetransport"},
    [ACTIVE_2005_USERNAME] = {WSTRUST_2005, false, ACTIVE_PATH_2005 "usernamemixed"},
    [ACTIVE_13_CERTIFICATE] = {WSTRUST_13, true, ACTIVE_PATH_13 "certificatetransport"},
    [ACTIVE_13_USERNAME] = {WSTRUST_13, false, ACTIVE_PATH_13 "usernamemixed"},
};

const char *trust_namespace(enum wstrust_version version)
{
    return version == WSTRUST_2005 ? NAMESPACE_TRUST_2005 : NAMESPACE_TRUST_13;
}
