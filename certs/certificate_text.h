/*
 * certs/certificate_text.h: private to the certs room. Text as ASN.1 has it, and the strict form of
 * the bytes it came in.
 */
#ifndef LANYARD_CERTS_CERTIFICATE_TEXT_H
#define LANYARD_CERTS_CERTIFICATE_TEXT_H

#include "certs/openssl.h"

/* Whether a value of that ASN.1 type is text at all. */
bool asn1_is_text(int type);

/*
 * The text of a value as UTF-8, by type and length. NULL where it can stand in no C string and no
 * token; `why` is then a phrase for a sentence: "text with a NUL in it".
 */
const char *asn1_text(struct arena *arena, const ASN1_STRING *value, const char **why);

/* "1.3.6.1.5.5.7.3.2", or NULL where it would not fit 128 characters. */
const char *asn1_number(struct arena *arena, const ASN1_OBJECT *object);

/* Bytes in hexadecimal with a blank between, as Windows shows them: "d6 13 e3". */
const char *hex_spaced(struct arena *arena, const void *data, size_t length);

/*
 * Whether the bytes are one value in DER (X.690, 10 and 11) and nothing else, as far as two readers
 * could disagree: definite and shortest lengths, strings in one piece, booleans and integers in
 * their one form. The order in a SET OF is not looked at: CAs that do not sort are too many.
 */
bool der_is_strict(struct bytes der);

#endif
