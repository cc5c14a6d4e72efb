/*
 * certs/lab_covers.c: whether the TLS certificate still is good for the name the lab is known by.
 */
#include "certs/lab.h"
#include "certs/pem.h"

bool lab_tls_covers(struct arena *arena, const struct lab *lab)
{
    struct error ignored = error_in(arena);
    struct bytes der;
    X509 *certificate = NULL;
    time_t now = (time_t)(lab->now / 1000);

    if (!pem_load_certificate(arena, lab_file(arena, lab, LAB_TLS), &der, &certificate, &ignored)
        || X509_cmp_time(X509_get0_notBefore(certificate), &now) >= 0
        || X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0) {
        return false;
    }
    if (lab_host_is_address(lab->host)) {
        return X509_check_ip_asc(certificate, lab->host, 0) == 1;
    }
    return X509_check_host(certificate, lab->host, 0, 0, NULL) == 1;
}
