/*
 * What a certificate says, read from its DER: every field and extension that claims are made of,
 * and everything that is refused because two readers could read it in two ways, or because it
 * could stand in no token (security C1-C4, C6, K1, K8, K10).
 */
#include "tests/unit/help_certs_draft.h"

#define CN "2.5.4.3"

static bool read_der(struct draft *draft, struct bytes der, struct certificate *certificate)
{
    draft->bench->error = error_in(draft->bench->arena);
    return certificate_read(draft->bench->arena, der, certificate, &draft->bench->error);
}

static struct certificate read_draft(struct draft *draft)
{
    struct certificate certificate;

    if (!read_der(draft, draft_der(draft), &certificate)) {
        fail_msg("%s", error_sentence(&draft->bench->error));
    }
    return certificate;
}

/* Refused with a sentence that says this, and nothing left behind. */
static void der_is_refused(struct draft *draft, struct bytes der, const char *words)
{
    struct certificate certificate;

    assert_false(read_der(draft, der, &certificate));
    assert_int_equal(draft->bench->error.fault, FAULT_CERTIFICATE);
    if (strstr(error_sentence(&draft->bench->error), words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error_sentence(&draft->bench->error), words);
    }
    assert_null(certificate.subject);
    assert_null(certificate.der.data);
}

/* Refuses what the draft has become, and begins a new one. */
static void refused(struct draft *draft, const char *words)
{
    der_is_refused(draft, draft_der(draft), words);
    draft_again(draft);
}

static void strings_are(struct strings strings, const char *const *expected, size_t count)
{
    assert_int_equal(strings.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(strings.list[i], expected[i]);
    }
}

/* names and text --------------------------------------------------------------------------- */

/* One value of a rendered name: its type, and the value without its quotes. */
struct pair {
    char type[32], value[64];
};

/* A reader of .NET's rendering that knows nothing of ours. */
static size_t read_back(const char *name, struct pair *pairs)
{
    size_t count = 0;

    while (*name != '\0') {
        struct pair *pair = &pairs[count++];
        const char *equals = strchr(name, '=');
        size_t length = 0;
        bool quoted = equals[1] == '"';

        memset(pair, 0, sizeof(*pair));
        memcpy(pair->type, name, (size_t)(equals - name));
        name = equals + 1 + quoted;
        while (quoted ? *name != '"' || name[1] == '"'
                      : *name != '\0' && *name != ',' && *name != '+') {
            name += quoted && *name == '"';
            pair->value[length++] = *name++;
        }
        name += quoted;
        if (!quoted && *name == '+') { /* " + " belongs to nobody */
            pair->value[--length] = '\0';
        }
        name += strspn(name, " ,+");
    }
    return count;
}

static void C1_every_special_character_of_a_name_reads_back_the_same(void **state)
{
    static const char *const values[] = {"\"",         ",",     "+",     "=",  ";",    "<",
                                         ">",          "#",     " a",    "a ", "\\",   "a, b=c",
                                         "\"quoted\"", "a + b", "#04AB", "'",  "a\\,b"};

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct draft *draft = *state;
        const struct attribute subject[] = {
            {"2.5.4.10", V_ASN1_UTF8STRING, values[i], -1, false},
            {"1.2.3.4", V_ASN1_UTF8STRING, values[i], -1, false},
            {CN, V_ASN1_UTF8STRING, values[i], -1, false},
            {"2.5.4.11", V_ASN1_UTF8STRING, "People", -1, true},
        };
        struct pair pairs[8];
        struct certificate certificate;

        draft_subject(draft, subject, COUNT_OF(subject));
        certificate = read_draft(draft);
        assert_int_equal(read_back(certificate.subject, pairs), 4);
        /* Inside one RDN the order is that of the DER, which sorts a SET. */
        if (string_is(pairs[0].type, "OU")) {
            struct pair first = pairs[0];

            pairs[0] = pairs[1];
            pairs[1] = first;
        }
        assert_string_equal(pairs[0].type, "CN");
        assert_string_equal(pairs[0].value, values[i]);
        assert_string_equal(pairs[1].value, "People");
        assert_string_equal(pairs[2].type, "OID.1.2.3.4");
        assert_string_equal(pairs[2].value, values[i]);
        assert_string_equal(pairs[3].type, "O");
        assert_string_equal(pairs[3].value, values[i]);
    }
}

static void C2_a_nul_anywhere_refuses_the_certificate_and_names_the_field(void **state)
{
    static const struct attribute subject = {CN, V_ASN1_UTF8STRING, "admin\0.evil", 11, false};
    static const unsigned char tags[] = {0x81 /* e-mail */, 0x82 /* DNS */, 0x86 /* URI */};
    struct draft *draft = *state;

    draft_subject(draft, &subject, 1);
    refused(draft, "the certificate's subject cannot be shown: a name holds text with a NUL");
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        draft_names(draft, der_value(draft->bench, tags[i], "admin@a.test\0.evil", 18));
        refused(draft, "the certificate's subject alternative name holds text with a NUL in it");
    }
    draft_upn(draft, V_ASN1_UTF8STRING, "admin@a.test\0.evil", 18);
    refused(draft, "the certificate's subject alternative name holds text with a NUL in it");
    draft_upn(draft, V_ASN1_UTF8STRING, "admin@a.test\0", 13);
    refused(draft, "a NUL in it");
    draft_sid(draft, "S-1-5-21-1\0-2", 13);
    refused(draft, "the certificate's security identifier holds something other than one SID");
    draft_raw(draft, "1.3.6.1.4.1.311.20.2", "\x1e\x04\0a\0\0", 6);
    refused(draft, "the certificate's template name holds text with a NUL in it");
}

static void C3_every_kind_of_string_is_read_by_its_own_type(void **state)
{
    static const struct {
        int type;
        const char *value;
        size_t length;
        const char *read;
    } cases[] = {
        {V_ASN1_UTF8STRING, "J\xc3\xbcrgen@a", 9, "J\xc3\xbcrgen@a"},
        {V_ASN1_IA5STRING, "alice@a", 7, "alice@a"},
        {V_ASN1_PRINTABLESTRING, "alice@a", 7, "alice@a"}, /* "@" is not allowed, but harmless */
        {V_ASN1_T61STRING, "J\xfcrgen", 6, "J\xc3\xbcrgen"},
        {V_ASN1_BMPSTRING, "\x20\xac\0a", 4,
         "\xe2\x82\xac"
         "a"},
        {V_ASN1_BMPSTRING, "\xd8\x3d\xde\x00", 4, "\xf0\x9f\x98\x80"}, /* a pair is one character */
        {V_ASN1_UNIVERSALSTRING, "\0\x01\xf6\0", 4, "\xf0\x9f\x98\x80"},
    };
    struct draft *draft = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct certificate certificate;

        draft_upn(draft, cases[i].type, cases[i].value, cases[i].length);
        certificate = read_draft(draft);
        strings_are(certificate.upns, &cases[i].read, 1);
        draft_again(draft);
    }
}

static void C3_text_in_a_broken_encoding_refuses_the_certificate(void **state)
{
    static const struct {
        int type;
        const char *value;
        size_t length;
    } cases[] = {
        {V_ASN1_UTF8STRING, "a\xc3", 2},           {V_ASN1_UTF8STRING, "\xc0\xaf", 2},
        {V_ASN1_UTF8STRING, "\xed\xa0\x80", 3},    {V_ASN1_UTF8STRING, "\xf4\x90\x80\x80", 4},
        {V_ASN1_IA5STRING, "J\xfcrgen", 6},        {V_ASN1_PRINTABLESTRING, "J\xfcrgen", 6},
        {V_ASN1_BMPSTRING, "\xd8\x3d", 2},         {V_ASN1_BMPSTRING, "\xde\x00\xd8\x3d", 4},
        {V_ASN1_BMPSTRING, "\xd8\x3d\0a", 4},      {V_ASN1_BMPSTRING, "\0a\0", 3},
        {V_ASN1_UNIVERSALSTRING, "\0\0\xd8\0", 4}, {V_ASN1_UNIVERSALSTRING, "\0\x11\0\0", 4},
    };
    struct draft *draft = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        draft_upn(draft, cases[i].type, cases[i].value, cases[i].length);
        refused(draft, cases[i].length % 2 == 1 && cases[i].type == V_ASN1_BMPSTRING
                           ? "subject alternative name holds bytes"
                           : "subject alternative name holds text in a broken encoding");
    }
    draft_upn(draft, V_ASN1_INTEGER, "\x05", 1);
    refused(draft, "a user principal name that is no text");
    draft_names(draft, der_value(draft->bench, 0x82, "b\xc3\xbc.test", 8));
    refused(draft, "broken encoding");
}

/* Changes the last "test" of the DER, which is the subject's. */
static struct bytes with_subject(struct draft *draft, int type, const char *four)
{
    struct attribute subject = {CN, type, "test", 4, false};
    unsigned char *found = NULL;
    struct bytes der;

    draft_subject(draft, &subject, 1);
    der = draft_der(draft);
    for (size_t i = 0; i + 4 < der.length; i++) {
        found = memcmp(der.data + i, "test", 4) == 0 ? (unsigned char *)der.data + i : found;
    }
    memcpy(found, four, 4);
    return der;
}

static void C3_broken_text_in_a_name_is_refused_with_the_fields_name(void **state)
{
    struct draft *draft = *state;

    der_is_refused(draft,
                   with_subject(draft, V_ASN1_UTF8STRING,
                                "a\xff"
                                "bc"),
                   "the certificate's subject cannot be read");
    der_is_refused(draft, with_subject(draft, V_ASN1_BMPSTRING, "\xd8\x3d\0a"),
                   "the certificate's subject cannot be read");
    der_is_refused(draft,
                   with_subject(draft, V_ASN1_IA5STRING,
                                "a\xff"
                                "bc"),
                   "the certificate's subject cannot be shown: a name holds text in a broken");
    der_is_refused(draft,
                   with_subject(draft, V_ASN1_PRINTABLESTRING,
                                "a\xff"
                                "bc"),
                   "the certificate's subject cannot be shown: a name holds text in a broken");
    der_is_refused(draft, with_subject(draft, V_ASN1_T61STRING, "a\0bc"), "a NUL in it");
}

static void C4_characters_that_xml_does_not_allow_refuse_the_certificate(void **state)
{
    static const char *const values[] = {"a\x01", "\x1f", "a\x0b", "\xef\xbf\xbe", "\xef\xbf\xbf"};
    struct draft *draft = *state;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct attribute subject = {CN, V_ASN1_UTF8STRING, values[i], -1, false};

        draft_subject(draft, &subject, 1);
        refused(draft, "the certificate's subject cannot be shown: a name holds text with a "
                       "character that XML does not allow");
        draft_upn(draft, V_ASN1_UTF8STRING, values[i], strlen(values[i]));
        refused(draft, "a character that XML does not allow");
    }
}

static void C6_names_of_a_person_are_all_told_in_their_order(void **state)
{
    static const char *const upns[] = {"a@lab.test", "b@lab.test"};
    static const char *const emails[] = {"a@mail.test", "b@mail.test"};
    struct draft *draft = *state;
    struct certificate certificate;

    draft_extension(draft, NID_subject_alt_name,
                    "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@lab.test,email:a@mail.test,"
                    "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:b@lab.test,email:b@mail.test,"
                    "otherName:1.3.6.1.4.1.311.20.2.4;UTF8:c@lab.test");
    certificate = read_draft(draft);
    strings_are(certificate.upns, upns, 2);
    strings_are(certificate.emails, emails, 2);
    /* The look-alike under another number is shown as bytes, and is nobody's name. */
    assert_string_equal(certificate.names,
                        "Other Name:Principal Name=a@lab.test, RFC822 Name=a@mail.test, "
                        "Other Name:Principal Name=b@lab.test, RFC822 Name=b@mail.test, "
                        "Other Name:1.3.6.1.4.1.311.20.2.4=0c 0a 63 40 6c 61 62 2e 74 65 73 74");
}

static void every_kind_of_alternative_name_is_shown(void **state)
{
    struct draft *draft = *state;
    struct certificate certificate;

    draft_extension(draft, NID_subject_alt_name,
                    "DNS:a.test,URI:http://a.test/,IP:192.0.2.1,IP:2001:db8::1,RID:1.2.3");
    certificate = read_draft(draft);
    assert_string_equal(certificate.names, "DNS Name=a.test, URL=http://a.test/, IP "
                                           "Address=192.0.2.1, IP Address=2001:db8::1, "
                                           "Registered ID=1.2.3");
    assert_int_equal(certificate.upns.count, 0);
    assert_int_equal(certificate.emails.count, 0);
    draft_again(draft);
    draft_names(draft, der_value(draft->bench, 0xa4,
                                 "\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03"
                                 "\x0c\x03"
                                 "a,b",
                                 16));
    assert_string_equal(read_draft(draft).names, "Directory Address:CN=\"a,b\"");
    draft_again(draft);
    draft_names(draft, der_value(draft->bench, 0x87, "\x7f\0\0", 3));
    refused(draft, "an IP address that is none");
}

/* fields ----------------------------------------------------------------------------------- */

static void K8_serials_of_every_length_are_their_der_octets(void **state)
{
    static const struct {
        const char *number, *read;
    } cases[] = {
        {"0", "00"},
        {"-1", "FF"},
        {"80", "0080"},
        {"0123456789ABCDEF0123456789ABCDEF01234567", "0123456789ABCDEF0123456789ABCDEF01234567"},
        {"E123456789ABCDEF0123456789ABCDEF01234567", "00E123456789ABCDEF0123456789ABCDEF01234567"},
    };
    struct draft *draft = *state;
    char long_one[401];
    BIGNUM *number = NULL;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(BN_hex2bn(&number, cases[i].number) > 0);
        assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(draft->certificate)));
        assert_string_equal(read_draft(draft).serial, cases[i].read);
    }
    memset(long_one, '7', 400);
    long_one[400] = '\0';
    assert_true(BN_hex2bn(&number, long_one) > 0);
    assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(draft->certificate)));
    assert_string_equal(read_draft(draft).serial, long_one);
    BN_free(number);
}

static void set_time(ASN1_TIME *time, const char *written)
{
    time->type = strlen(written) > 13 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
    assert_int_equal(ASN1_STRING_set(time, written, -1), 1);
}

static void K1_times_are_right_by_the_second_in_every_century(void **state)
{
    static const struct {
        const char *written, *read;
    } cases[] = {
        {"491231235959Z", "2049-12-31T23:59:59.000Z"},
        {"500101000000Z", "1950-01-01T00:00:00.000Z"},
        {"20491231235959Z", "2049-12-31T23:59:59.000Z"},
        {"20500101000000Z", "2050-01-01T00:00:00.000Z"},
        {"000229120000Z", "2000-02-29T12:00:00.000Z"},
        {"99991231235959Z", "9999-12-31T23:59:59.000Z"},
    };
    struct draft *draft = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        set_time(X509_getm_notAfter(draft->certificate), cases[i].written);
        assert_string_equal(time_write(draft->bench->arena, read_draft(draft).not_after),
                            cases[i].read);
    }
}

static void K1_times_in_another_form_are_refused(void **state)
{
    static const char *const times[] = {
        "2605021200Z",    "260502120000+0200", "20260502120000.5Z", "20260502120000+0200",
        "20260502120000", "20260231120000Z",   "260502126000Z",
    };
    struct draft *draft = *state;

    for (size_t i = 0; i < COUNT_OF(times); i++) {
        ASN1_TIME *time = X509_getm_notBefore(draft->certificate);

        set_time(time, times[i]);
        time->type = string_starts(times[i], "2026") ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
        refused(draft, "the certificate's begin of validity holds a time that is not in RFC 5280");
    }
}

static void algorithms_have_windows_names(void **state)
{
    struct draft *draft = *state;
    struct certificate certificate = read_draft(draft);
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    assert_string_equal(certificate.signature_algorithm, "sha256ECDSA");
    assert_null(certificate.rsa_key);
    EVP_PKEY_free(draft->key);
    draft->key = other;
    draft_again(draft);
    sign_certificate(draft->certificate, draft->key, NULL);
    assert_string_equal(X509_get0_tbs_sigalg(draft->certificate) == NULL ? "" : "signed", "signed");
    {
        unsigned char *der = NULL;
        int length = i2d_X509(draft->certificate, &der);

        assert_true(read_der(draft, (struct bytes){der, (size_t)length}, &certificate));
        assert_string_equal(certificate.signature_algorithm, "1.3.101.112");
        OPENSSL_free(der);
    }
}

static void an_rsa_key_is_told_as_dotnet_writes_it(void **state)
{
    struct draft *draft = *state;
    struct certificate certificate;

    EVP_PKEY_free(draft->key);
    draft->key = EVP_RSA_gen(2048);
    draft_again(draft);
    certificate = read_draft(draft);
    assert_string_equal(certificate.signature_algorithm, "sha256RSA");
    assert_true(string_starts(certificate.rsa_key, "<RSAKeyValue><Modulus>"));
    assert_true(
        string_ends(certificate.rsa_key, "==</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"));
    assert_int_equal(strlen(certificate.rsa_key), 22 + 344 + 49);
}

static void digests_are_those_of_the_certificate_and_of_its_key(void **state)
{
    struct draft *draft = *state;
    struct certificate certificate = read_draft(draft);
    struct text sha1 = text_in(draft->bench->arena), key = text_in(draft->bench->arena);
    unsigned char digest[64];
    unsigned size;

    assert_int_equal(X509_digest(draft->certificate, EVP_sha1(), digest, &size), 1);
    text_add_base64(&sha1, digest, size);
    assert_string_equal(certificate.thumbprint, sha1.start);
    assert_int_equal(X509_pubkey_digest(draft->certificate, EVP_sha1(), digest, &size), 1);
    text_add_hex(&key, digest, size);
    assert_true(string_is_any_case(certificate.key_sha1, key.start));
    assert_int_equal(strlen(certificate.sha256), 64);
}

/* extensions ------------------------------------------------------------------------------- */

static void add_all_extensions(struct draft *draft)
{
    draft_extension(draft, NID_key_usage, "critical,digitalSignature,keyEncipherment,decipherOnly");
    draft_extension(draft, NID_ext_key_usage, "clientAuth,1.3.6.1.4.1.311.20.2.2");
    draft_extension(draft, NID_basic_constraints, "critical,CA:TRUE,pathlen:3");
    draft_raw(draft, "2.5.29.32",
              "\x30\x0e\x30\x05\x06\x03\x2a\x03\x04\x30\x05\x06\x03\x2a\x03\x05", 16);
    draft_extension(draft, NID_info_access,
                    "caIssuers;URI:ldap:///CN=ca,caIssuers;URI:http://a.test/ca.crt,"
                    "OCSP;URI:http://ocsp.test/");
    draft_extension(draft, NID_crl_distribution_points,
                    "URI:ldap:///CN=crl,URI:http://a.test/a.crl");
    draft_extension(draft, NID_freshest_crl, "URI:http://a.test/delta.crl");
    draft_raw(draft, "2.5.29.14", "\x04\x04\x9d\x11\x94\x1e", 6);
    draft_raw(draft, "2.5.29.35", "\x30\x06\x80\x04\xd6\x13\xe3\x6b", 8);
    draft_raw(draft, "1.3.6.1.4.1.311.20.2", "\x1e\x08\0U\0s\0e\0r", 10);
    draft_raw(draft, "1.3.6.1.4.1.311.21.7", "\x30\x0b\x06\x03\x2a\x03\x04\x02\x01\x64\x02\x01\x03",
              13);
    draft_raw(draft, "1.3.6.1.4.1.311.21.10", "\x30\x07\x30\x05\x06\x03\x2a\x03\x05", 9);
    draft_sid(draft, "S-1-5-21-1-2-3-1104", 19);
}

static void every_extension_is_read(void **state)
{
    static const char *const usage[] = {"DigitalSignature", "KeyEncipherment", "DecipherOnly"};
    static const char *const purposes[] = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"};
    static const char *const policies[] = {"1.2.3.4", "1.2.3.5"};
    static const char *const applications[] = {"1.2.3.5"};
    static const char *const issuers[] = {"ldap:///CN=ca", "http://a.test/ca.crt"};
    static const char *const responders[] = {"http://ocsp.test/"};
    static const char *const crls[] = {"ldap:///CN=crl", "http://a.test/a.crl"};
    static const char *const deltas[] = {"http://a.test/delta.crl"};
    struct draft *draft = *state;
    struct certificate certificate;

    add_all_extensions(draft);
    certificate = read_draft(draft);
    assert_int_equal(certificate.version, 3);
    strings_are(certificate.key_usage, usage, 3);
    strings_are(certificate.extended_key_usage, purposes, 2);
    strings_are(certificate.policies, policies, 2);
    strings_are(certificate.application_policies, applications, 1);
    strings_are(certificate.issuer_urls, issuers, 2);
    strings_are(certificate.ocsp_urls, responders, 1);
    strings_are(certificate.crl_urls, crls, 2);
    strings_are(certificate.delta_crl_urls, deltas, 1);
    assert_true(certificate.is_authority);
    assert_string_equal(certificate.basic_constraints, "Subject Type=CA, Path Length Constraint=3");
    assert_string_equal(certificate.subject_key, "9D11941E");
    assert_string_equal(certificate.authority_key, "KeyID=d6 13 e3 6b");
    assert_string_equal(certificate.template_name, "User");
    assert_string_equal(certificate.template_information,
                        "Template=1.2.3.4, Major Version Number=100, Minor Version Number=3");
    assert_string_equal(certificate.sid, "S-1-5-21-1-2-3-1104");
}

static void a_sid_may_stand_in_an_address_and_must_be_the_same(void **state)
{
    struct draft *draft = *state;

    draft_names(draft, der_join(draft->bench, der_value(draft->bench, 0x86, "http://a.test/", 14),
                                der_value(draft->bench, 0x86,
                                          "tag:microsoft.com,2022-09-14:sid:S-1-5-21-7", 43)));
    assert_string_equal(read_draft(draft).sid, "S-1-5-21-7");
    draft_sid(draft, "S-1-5-21-7", 10);
    assert_string_equal(read_draft(draft).sid, "S-1-5-21-7");
    draft_again(draft);
    draft_sid(draft, "S-1-5-21-8", 10);
    draft_names(draft,
                der_value(draft->bench, 0x86, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-7", 43));
    refused(draft, "subject alternative name holds something other than one SID");
    draft_names(draft, der_value(draft->bench, 0x86, "tag:microsoft.com,2022-09-14:sid:x", 34));
    refused(draft, "something other than one SID");
}

static void what_a_certificate_does_not_say_is_not_there(void **state)
{
    struct certificate certificate = read_draft(*state);

    assert_int_equal(certificate.key_usage.count + certificate.extended_key_usage.count, 0);
    assert_null(certificate.names);
    assert_null(certificate.sid);
    assert_null(certificate.basic_constraints);
    assert_null(certificate.subject_key);
    assert_null(certificate.authority_key);
    assert_null(certificate.template_name);
    assert_null(certificate.template_information);
    assert_false(certificate.is_authority);
}

static void extensions_that_cannot_be_read_are_refused_by_name(void **state)
{
    static const struct {
        const char *oid, *value;
        size_t length;
        const char *words;
    } cases[] = {
        {"2.5.29.15", "\x04\x01\0", 3, "key usage holds bytes that cannot be read"},
        {"2.5.29.37", "\x30\0", 2, "extended key usage holds nothing"},
        {"2.5.29.32", "\x30\0", 2, "list of policies holds nothing"},
        {"2.5.29.17", "\x30\0", 2, "subject alternative name holds nothing"},
        {"2.5.29.17", "\x30\x03\x82\x01", 4, "subject alternative name holds bytes"},
        {"2.5.29.17",
         "\x30\x03\x82\x01"
         "a\0",
         6, "subject alternative name holds bytes"},
        {"2.5.29.17",
         "\x30\x80\x82\x01"
         "a\0\0",
         7, "subject alternative name holds bytes"},
        {"2.5.29.17",
         "\x30\x06\xa2\x04\x16\x02"
         "ab",
         8, "subject alternative name holds bytes"},
        {"2.5.29.19", "\x30\x03\x01\x01\x01", 5, "basic constraints holds bytes"},
        {"2.5.29.19", "\x30\x06\x01\x01\xff\x02\x01\xff", 8, "a path length that is no number"},
        {"2.5.29.31", "\x04\x01\0", 3, "list of CRL distribution points"},
        {"2.5.29.14", "\x04\x81\x01\x01", 4, "subject key identifier"},
        {"1.3.6.1.5.5.7.1.1", "\x04\0", 2, "authority information access"},
        {"1.3.6.1.4.1.311.20.2", "\x02\x01\x01", 3, "template name holds a value that is no text"},
        {"1.3.6.1.4.1.311.21.7", "\x30\0", 2, "something other than a template"},
        {"1.3.6.1.4.1.311.21.7", "\x30\x07\x06\x03\x2a\x03\x04\x0c\0", 9, "a version"},
        {"1.3.6.1.4.1.311.25.2", "\x30\0", 2, "something other than one SID"},
    };
    struct draft *draft = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        draft_raw(draft, cases[i].oid, cases[i].value, cases[i].length);
        refused(draft, cases[i].words);
    }
    draft_sid(draft, "S-1-5-21 or so", 14);
    refused(draft, "something other than one SID");
    draft_sid(draft, "alice", 5);
    refused(draft, "something other than one SID");
}

/* the form --------------------------------------------------------------------------------- */

static void K10_an_extension_twice_is_refused_known_or_not(void **state)
{
    struct draft *draft = *state;

    draft_extension(draft, NID_ext_key_usage, "clientAuth");
    draft_extension(draft, NID_ext_key_usage, "serverAuth");
    refused(draft, "the same extension twice: extended key usage");
    draft_raw(draft, "1.2.3.4", "\x05\0", 2);
    draft_raw(draft, "1.2.3.4", "\x05\0", 2);
    refused(draft, "the same extension twice: 1.2.3.4");
    draft_raw(draft, "1.2.3.4", "\x05\0", 2);
    draft_raw(draft, "1.2.3.5", "what others write is theirs", 27);
    assert_string_equal(read_draft(draft).subject, "CN=test");
    for (int i = 0; i < 110; i++) {
        char oid[32];

        snprintf(oid, sizeof(oid), "1.2.4.%d", i);
        draft_raw(draft, oid, "\x05\0", 2);
    }
    refused(draft, "extensions");
}

static void K10_trailing_and_missing_bytes_are_refused(void **state)
{
    struct draft *draft = *state;
    struct bytes der = draft_der(draft);
    struct bytes longer = der_join(draft->bench, der, (struct bytes){(unsigned char *)"\0", 1});

    der_is_refused(draft, longer, "no certificate in DER with nothing behind it");
    for (size_t length = 0; length < der.length; length++) {
        der_is_refused(draft, (struct bytes){der.data, length}, "no certificate");
    }
    der_is_refused(draft, (struct bytes){0}, "no certificate");
}

/* The same certificate with its outermost length written as `head`. */
static struct bytes with_head(struct draft *draft, struct bytes der, const char *head,
                              size_t length, const char *tail, size_t tail_length)
{
    struct bytes body = {.data = der.data + 4, .length = der.length - 4};

    assert_int_equal(der.data[1], 0x82);
    return der_join(
        draft->bench,
        der_join(draft->bench, (struct bytes){(const unsigned char *)head, length}, body),
        (struct bytes){(const unsigned char *)tail, tail_length});
}

static void K10_ber_is_refused(void **state)
{
    struct draft *draft = *state;
    struct bytes der = draft_der(draft);
    char head[8] = {0x30, (char)0x83, 0};
    struct certificate certificate;

    /* OpenSSL alone would take both of these. */
    der_is_refused(draft, with_head(draft, der, "\x30\x80", 2, "\0\0", 2), "no certificate in DER");
    head[3] = (char)der.data[2];
    head[4] = (char)der.data[3];
    der_is_refused(draft, with_head(draft, der, head, 5, "", 0), "no certificate in DER");
    assert_true(read_der(draft, der, &certificate));
}

static void K10_two_signature_algorithms_are_refused(void **state)
{
    struct draft *draft = *state;
    struct bytes der = draft_der(draft);
    unsigned char *changed = (unsigned char *)der.data;
    static const unsigned char sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    unsigned char *last = NULL;

    for (size_t i = 0; i + sizeof(sha256) < der.length; i++) {
        last = memcmp(changed + i, sha256, sizeof(sha256)) == 0 ? changed + i : last;
    }
    assert_non_null(last);
    last[sizeof(sha256) - 1] = 0x03; /* ecdsa-with-SHA384, outside only */
    der_is_refused(draft, der, "two different signature algorithms");
}

static void extensions_belong_to_version_3(void **state)
{
    struct draft *draft = *state;

    assert_int_equal(X509_set_version(draft->certificate, X509_VERSION_1), 1);
    assert_int_equal(read_draft(draft).version, 1);
    draft_extension(draft, NID_ext_key_usage, "clientAuth");
    refused(draft, "the certificate is of version 1");
    assert_int_equal(X509_set_version(draft->certificate, 3), 1);
    refused(draft, "the certificate is of version 4");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_set_up, draft_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C1_every_special_character_of_a_name_reads_back_the_same),
        TEST(C2_a_nul_anywhere_refuses_the_certificate_and_names_the_field),
        TEST(C3_every_kind_of_string_is_read_by_its_own_type),
        TEST(C3_text_in_a_broken_encoding_refuses_the_certificate),
        TEST(C3_broken_text_in_a_name_is_refused_with_the_fields_name),
        TEST(C4_characters_that_xml_does_not_allow_refuse_the_certificate),
        TEST(C6_names_of_a_person_are_all_told_in_their_order),
        TEST(every_kind_of_alternative_name_is_shown),
        TEST(K8_serials_of_every_length_are_their_der_octets),
        TEST(K1_times_are_right_by_the_second_in_every_century),
        TEST(K1_times_in_another_form_are_refused),
        TEST(algorithms_have_windows_names),
        TEST(an_rsa_key_is_told_as_dotnet_writes_it),
        TEST(digests_are_those_of_the_certificate_and_of_its_key),
        TEST(every_extension_is_read),
        TEST(a_sid_may_stand_in_an_address_and_must_be_the_same),
        TEST(what_a_certificate_does_not_say_is_not_there),
        TEST(extensions_that_cannot_be_read_are_refused_by_name),
        TEST(K10_an_extension_twice_is_refused_known_or_not),
        TEST(K10_trailing_and_missing_bytes_are_refused),
        TEST(K10_ber_is_refused),
        TEST(K10_two_signature_algorithms_are_refused),
        TEST(extensions_belong_to_version_3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
