/*
 * What is written in a certificate that a stranger showed. Refuses what is not one certificate in
 * DER, what two readers could read in two ways, and text that could not stand in a token whole and
 * true. It judges nothing else: who signed it, whether it is still good and whose it is are
 * questions of others. Trusts OpenSSL with the decoding, once the form has been looked at.
 */
#include "certs/certificate_read.h"

#include "certs/certificate_text.h"
#include "certs/certs.h"
#include "certs/name.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

/* The messages of a handshake are shorter. */
#define CERTIFICATE_LIMIT ((size_t)256 * 1024)

#define SHA1_LENGTH 20

void string_list_add(struct arena *arena, struct string_list *strings, const char *string)
{
    strings->list =
        arena_grow(arena, strings->list, strings->count, &strings->room, sizeof(*strings->list));
    strings->list[strings->count++] = string;
}

struct strings string_list_done(const struct string_list *strings)
{
    return (struct strings){.list = strings->list, .count = strings->count};
}

bool reading_refuse(const struct reading *reading, const char *what)
{
    ERR_clear_error();
    return fail(reading->error, FAULT_CERTIFICATE, "the certificate's %s holds %s", reading->field,
                what);
}

/* opening it ------------------------------------------------------------------------------- */

/* "subject" of "Field=subject, Type=X509_CINF", which is how OpenSSL says where it stopped. */
static const char *field_of(struct arena *arena, const char *data)
{
    static const char label[] = "Field=";

    return string_starts(data, label) ? arena_copy_range(arena, data + sizeof(label) - 1,
                                                         strcspn(data + sizeof(label) - 1, ","))
                                      : NULL;
}

/* The first reason and the first place are the deepest: what follows only says that something was
 * inside something. */
static bool refuse_unread(const struct reading *reading)
{
    const char *reason = NULL, *field = NULL, *data = "";
    unsigned long code;

    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, NULL)) != 0) {
        reason = reason == NULL ? ERR_reason_error_string(code) : reason;
        field = field == NULL ? field_of(reading->arena, data) : field;
    }
    return fail(reading->error, FAULT_CERTIFICATE, "the certificate's %s cannot be read: %s",
                field == NULL ? "form" : field, reason == NULL ? "no reason given" : reason);
}

static bool open_certificate(const struct reading *reading, struct bytes der, X509 **x509)
{
    const unsigned char *cursor = der.data;

    if (der.length == 0 || der.length > CERTIFICATE_LIMIT || !der_is_strict(der)) {
        return fail(reading->error, FAULT_CERTIFICATE,
                    "this is no certificate in DER with nothing behind it");
    }
    ERR_clear_error();
    *x509 = d2i_X509(NULL, &cursor, (long)der.length);
    return (*x509 != NULL && cursor == der.data + der.length) || refuse_unread(reading);
}

/* RFC 5280, 4.1.1.2: the algorithm that is signed is the one that is used. */
static bool check_algorithms(const struct reading *reading, const X509 *x509)
{
    const X509_ALGOR *outer = NULL;

    X509_get0_signature(NULL, &outer, x509);
    return X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(x509)) == 0
           || fail(reading->error, FAULT_CERTIFICATE,
                   "the certificate names two different signature algorithms");
}

/* RFC 5280, 4.1.2.1: a version there is, and extensions only in the third. */
static bool read_version(const struct reading *reading, const X509 *x509)
{
    long version = X509_get_version(x509);

    if (version < X509_VERSION_1 || version > X509_VERSION_3
        || (version != X509_VERSION_3 && X509_get_ext_count(x509) > 0)) {
        return fail(reading->error, FAULT_CERTIFICATE,
                    "the certificate is of version %ld, which has no extensions or does not exist",
                    version + 1);
    }
    reading->certificate->version = (int)version + 1;
    return true;
}

/* fields ----------------------------------------------------------------------------------- */

static bool read_name(struct reading *reading, const char *field, const X509_NAME *name,
                      const char **rendered)
{
    struct error unread = error_in(reading->arena);

    return name_render(reading->arena, name, rendered, &unread)
           || fail(reading->error, FAULT_CERTIFICATE, "the certificate's %s cannot be shown: %s",
                   field, error_sentence(&unread));
}

/*
 * The content octets as they stand in the DER, sign octet and all (decision 28). OpenSSL refuses
 * padded integers, so what it writes again is what it read.
 */
static bool read_serial(struct reading *reading, const X509 *x509)
{
    OWNED(drop_openssl) unsigned char *der = NULL;
    int length = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &der);
    const unsigned char *content = der;
    long size;
    int tag, class;

    reading->field = "serial number";
    if (length <= 0 || (ASN1_get_object(&content, &size, &tag, &class, length) & 0x80) != 0) {
        return reading_refuse(reading, "something that is no number");
    }
    reading->certificate->serial = hex_upper(reading->arena, content, (size_t)size);
    return true;
}

/* RFC 5280, 4.1.2.5.1 and 4.1.2.5.2: Zulu time with seconds and without fractions. */
static bool read_time(struct reading *reading, const char *field, const ASN1_TIME *time,
                      int64_t *wall)
{
    int wanted = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15;

    reading->field = field;
    if (ASN1_STRING_length(time) != wanted || ASN1_STRING_get0_data(time)[wanted - 1] != 'Z'
        || !asn1_time_read(time, wall)) {
        return reading_refuse(reading, "a time that is not in RFC 5280's form");
    }
    return true;
}

/* Windows' names; algorithms that have none there go by their number. */
static bool read_signature_algorithm(struct reading *reading, const X509 *x509)
{
    static const struct {
        int nid;
        const char *name;
    } names[] = {
        {NID_sha256WithRSAEncryption, "sha256RSA"},
        {NID_sha384WithRSAEncryption, "sha384RSA"},
        {NID_sha512WithRSAEncryption, "sha512RSA"},
        {NID_sha1WithRSAEncryption, "sha1RSA"},
        {NID_md5WithRSAEncryption, "md5RSA"},
        {NID_rsassaPss, "RSASSA-PSS"},
        {NID_ecdsa_with_SHA1, "sha1ECDSA"},
        {NID_ecdsa_with_SHA256, "sha256ECDSA"},
        {NID_ecdsa_with_SHA384, "sha384ECDSA"},
        {NID_ecdsa_with_SHA512, "sha512ECDSA"},
        {NID_dsaWithSHA1, "sha1DSA"},
    };
    const ASN1_OBJECT *object = NULL;
    struct certificate *certificate = reading->certificate;

    X509_ALGOR_get0(&object, NULL, NULL, X509_get0_tbs_sigalg(x509));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i].nid == OBJ_obj2nid(object)) {
            certificate->signature_algorithm = names[i].name;
            return true;
        }
    }
    reading->field = "signature algorithm";
    certificate->signature_algorithm = asn1_number(reading->arena, object);
    return certificate->signature_algorithm != NULL
           || reading_refuse(reading, "a number that cannot be shown");
}

/* SHA-1 only to find what was written down before, as Windows does; nothing is trusted by it. */
static bool read_digests(const struct reading *reading, struct bytes der, const X509 *x509)
{
    unsigned char sha1[SHA1_LENGTH], sha256[DIGEST_LENGTH], key[SHA1_LENGTH];
    struct text thumbprint = text_in(reading->arena);
    unsigned size = 0;

    if (EVP_Digest(der.data, der.length, sha1, &size, EVP_sha1(), NULL) != 1
        || X509_pubkey_digest(x509, EVP_sha1(), key, &size) != 1) {
        return openssl_fail(reading->error, "a digest of the certificate could not be made");
    }
    digest_sha256(der.data, der.length, sha256);
    text_add_base64(&thumbprint, sha1, sizeof(sha1));
    reading->certificate->thumbprint = thumbprint.start;
    reading->certificate->sha256 = hex_upper(reading->arena, sha256, sizeof(sha256));
    reading->certificate->key_sha1 = hex_upper(reading->arena, key, sizeof(key));
    return true;
}

/* One number of a key in base64, without a sign octet (XML Signature, 4.5.2.2); NULL for none. */
static const char *key_number(struct arena *arena, const EVP_PKEY *key, const char *which)
{
    OWNED(drop_bignum) BIGNUM *number = NULL;
    struct text text = text_in(arena);
    unsigned char *octets;
    int size;

    if (EVP_PKEY_get_bn_param(key, which, &number) != 1) {
        return NULL;
    }
    size = BN_num_bytes(number);
    octets = arena_alloc(arena, (size_t)size + 1);
    BN_bn2bin(number, octets);
    text_add_base64(&text, octets, (size_t)size);
    return text.start;
}

/* As .NET's RSA.ToXmlString(false) has it. A key that cannot be read is no reason to refuse here:
 * nobody could have shown that it is theirs. */
static void read_rsa_key(const struct reading *reading, const X509 *x509)
{
    const EVP_PKEY *key = X509_get0_pubkey(x509);
    const char *modulus, *exponent;

    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        modulus = key_number(reading->arena, key, OSSL_PKEY_PARAM_RSA_N);
        exponent = key_number(reading->arena, key, OSSL_PKEY_PARAM_RSA_E);
        if (modulus != NULL && exponent != NULL) {
            reading->certificate->rsa_key =
                arena_print(reading->arena,
                            "<RSAKeyValue><Modulus>%s</Modulus><Exponent>%s</Exponent>"
                            "</RSAKeyValue>",
                            modulus, exponent);
        }
    }
    ERR_clear_error();
}

static bool read_fields(struct reading *reading, struct bytes der, const X509 *x509)
{
    struct certificate *certificate = reading->certificate;

    read_rsa_key(reading, x509);
    return check_algorithms(reading, x509) && read_version(reading, x509)
           && read_name(reading, "subject", X509_get_subject_name(x509), &certificate->subject)
           && read_name(reading, "issuer", X509_get_issuer_name(x509), &certificate->issuer)
           && read_serial(reading, x509)
           && read_time(reading, "begin of validity", X509_get0_notBefore(x509),
                        &certificate->not_before)
           && read_time(reading, "end of validity", X509_get0_notAfter(x509),
                        &certificate->not_after)
           && read_signature_algorithm(reading, x509) && read_digests(reading, der, x509)
           && read_extensions(reading, x509);
}

bool certificate_read(struct arena *arena, struct bytes der, struct certificate *certificate,
                      struct error *error)
{
    struct reading reading = {.arena = arena, .certificate = certificate, .error = error};
    OWNED(drop_x509) X509 *x509 = NULL;

    *certificate = (struct certificate){.der = der};
    if (!open_certificate(&reading, der, &x509) || !read_fields(&reading, der, x509)) {
        *certificate = (struct certificate){0}; /* half of one is none */
        return false;
    }
    return true;
}
