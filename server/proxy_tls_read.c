/*
 * server/proxy_tls_read.c: see proxy_tls.h. The JSON in which a Web Application Proxy wraps a
 * user's request. It comes from a proxy that has shown its certificate, and yet holds what a
 * stranger sent that one: nothing in it is taken for what it is not.
 *
 * Read is what lanyard uses. QueryString, AcceptTypes, UserLanguages, UserHostName and the like
 * are copies that the proxy's library made of RequestUri and Headers: what they say twice is not
 * compared, which would mean guessing how that library decodes; it is not looked at, so that
 * nothing here can ever follow the second reading. UserHostAddress is the address "to which the
 * request was directed" (MS-ADFSPIP, 2.2.2.11), so the proxy's own. ContentEncoding names a
 * character set, not a coding of the body.
 */
#include "server/proxy_tls.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A certificate on the certificate port may be as large (handshake.c). */
#define CERTIFICATE_LIMIT ((size_t)(64 * 1024))
/* More than any body this server takes; what the user's request may have depends on its path. */
#define CONTENT_LIMIT ((size_t)(256 * 1024))
/* An error is a Win32 code or an HRESULT, which some print with a sign. */
#define ERROR_LEAST (-(json_int_t)2147483648)
#define ERROR_MOST ((json_int_t)4294967295)
#define DIGITS_LIMIT 10

/* A body while it is read. */
struct reading {
    struct arena *arena;
    struct error *error;
};

/* An object of it, and how its keys are named: "Request.", "Request.Headers[3].". */
struct place {
    const json_t *object;
    const char *name;
};

static void drop_json(json_t **json)
{
    json_decref(*json);
}

/* Always false. */
static bool complain(const struct reading *reading, const struct place *place, const char *key,
                     const char *what)
{
    return fail(reading->error, FAULT_MALFORMED, "in the body, %s%s %s", place->name, key, what);
}

/* What stands under a key; null says no more than a key that is not there. */
static const json_t *value_of(const struct place *place, const char *key)
{
    const json_t *value = json_object_get(place->object, key);

    return json_is_null(value) ? NULL : value;
}

/* values of one kind --------------------------------------------------------------------------- */

static bool read_text(const struct reading *reading, const struct place *place, const char *key,
                      const char **text)
{
    const json_t *value = value_of(place, key);

    if (value == NULL) {
        *text = NULL;
        return true;
    }
    *text = arena_copy(reading->arena, json_string_value(value));
    return *text != NULL || complain(reading, place, key, "is not a string");
}

static bool read_needed(const struct reading *reading, const struct place *place, const char *key,
                        const char **text)
{
    return read_text(reading, place, key, text)
           && ((*text != NULL && **text != '\0') || complain(reading, place, key, "is missing"));
}

/* "-2146762487": what an integer looks like in quotes. */
static bool is_decimal(const char *text)
{
    const char *digits = text + (*text == '-');
    size_t length = strspn(digits, "0123456789");

    return length > 0 && length <= DIGITS_LIMIT && digits[length] == '\0';
}

struct span {
    json_int_t least, most;
};

/*
 * A number, or one in quotes: MS-ADFSPIP shows its enumerations in quotes in 2.2.2.11, and calls
 * them integers in 2.2.2.16 and 2.2.2.17. `*number` stays as it is where none came.
 */
static bool read_number(const struct reading *reading, const struct place *place, const char *key,
                        struct span span, json_int_t *number)
{
    const json_t *value = value_of(place, key);
    const char *quoted = json_string_value(value);
    json_int_t found = json_integer_value(value);

    if (value == NULL) {
        return true;
    }
    if (quoted != NULL && is_decimal(quoted)) {
        found = strtoll(quoted, NULL, 10);
    } else if (!json_is_integer(value)) {
        return complain(reading, place, key, "is not a whole number");
    }
    if (found < span.least || found > span.most) {
        return complain(reading, place, key, "is a number that means nothing there");
    }
    *number = found;
    return true;
}

/* An array under a key; NULL where none came. */
static bool read_array(const struct reading *reading, const struct place *place, const char *key,
                       size_t limit, const json_t **array)
{
    const json_t *value = value_of(place, key);

    *array = value;
    if (value != NULL && !json_is_array(value)) {
        return complain(reading, place, key, "is not an array");
    }
    return json_array_size(value) <= limit || complain(reading, place, key, "has too many entries");
}

/* [{"Name","Value"}, …] */
static bool read_pairs(const struct reading *reading, const struct place *place, const char *key,
                       struct fields *pairs)
{
    const json_t *array;

    if (!read_array(reading, place, key, FIELDS_LIMIT, &array)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *name, *value;
        struct place entry = {json_array_get(array, i),
                              arena_print(reading->arena, "%s%s[%zu].", place->name, key, i)};

        if (!json_is_object(entry.object)) {
            return complain(reading, place, key, "has an entry that is not an object");
        }
        if (!read_needed(reading, &entry, "Name", &name)
            || !read_text(reading, &entry, "Value", &value)) {
            return false;
        }
        fields_add(reading->arena, pairs, name, value == NULL ? "" : value);
    }
    return true;
}

/* the request ---------------------------------------------------------------------------------- */

/* A body as numbers from 0 to 255. */
static bool read_content(const struct reading *reading, const struct place *place,
                         struct bytes *content)
{
    json_int_t announced = -1; /* what the proxy's library says where it does not know */
    unsigned char *bytes;
    const json_t *array;
    size_t count;

    if (!read_array(reading, place, "Content", CONTENT_LIMIT, &array)
        || !read_number(reading, place, "ContentLength", (struct span){-1, CONTENT_LIMIT},
                        &announced)) {
        return false;
    }
    count = json_array_size(array);
    bytes = arena_alloc(reading->arena, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *byte = json_array_get(array, i);
        json_int_t number = json_integer_value(byte);

        if (!json_is_integer(byte) || number < 0 || number > 255) {
            return complain(reading, place, "Content", "has an entry that is no byte (0 to 255)");
        }
        bytes[i] = (unsigned char)number;
    }
    *content = (struct bytes){bytes, count};
    return announced == -1 || (size_t)announced == count
           || complain(reading, place, "ContentLength", "is not the length of Content");
}

static bool read_request(const struct reading *reading, const json_t *request,
                         struct handed_over *over)
{
    struct place place = {request, "Request."};

    if (!json_is_object(request)) {
        return fail(reading->error, FAULT_MALFORMED, "in the body, Request is not an object");
    }
    return read_needed(reading, &place, "HttpMethod", &over->method)
           && read_needed(reading, &place, "RequestUri", &over->uri)
           && read_text(reading, &place, "ContentType", &over->content_type)
           && read_text(reading, &place, "UserAgent", &over->user_agent)
           && read_pairs(reading, &place, "Headers", &over->headers)
           && read_pairs(reading, &place, "Cookies", &over->cookies)
           && read_content(reading, &place, &over->content);
}

/* the certificate ------------------------------------------------------------------------------ */

static bool read_certificate(const struct reading *reading, const struct place *place,
                             struct bytes *certificate)
{
    static const char key[] = "SerializedClientCertificate";
    const char *text;

    if (!read_text(reading, place, key, &text)) {
        return false;
    }
    if (text == NULL || *text == '\0') {
        return true;
    }
    if (!base64_read(reading->arena, text, strlen(text), certificate) || certificate->length == 0) {
        return complain(reading, place, key, "is not base64 (RFC 4648, 4)");
    }
    return certificate->length <= CERTIFICATE_LIMIT
           || complain(reading, place, key, "is larger than any certificate that is taken");
}

static bool read_usage(const struct reading *reading, const struct place *place)
{
    json_int_t usage = CERTIFICATE_OF_USER;

    if (!read_number(reading, place, "CertificateUsage",
                     (struct span){CERTIFICATE_OF_USER, CERTIFICATE_OF_DEVICE}, &usage)) {
        return false;
    }
    return usage == CERTIFICATE_OF_USER
           || complain(reading, place, "CertificateUsage",
                       "is 2, a device's certificate: no devices are registered here");
}

/* MS-ADFSPIP, 3.10.5.1.1.3: there is an error where the type is 1 and the code not 0. */
static bool read_refusal(const struct reading *reading, const struct place *place,
                         struct handed_over *over)
{
    json_int_t type = 0, code = -1;

    if (!read_number(reading, place, "ErrorType", (struct span){0, 1}, &type)
        || !read_number(reading, place, "ErrorCode", (struct span){ERROR_LEAST, ERROR_MOST},
                        &code)) {
        return false;
    }
    if (type == 0) {
        return true;
    }
    if (value_of(place, "ErrorCode") == NULL) {
        return complain(reading, place, "ErrorCode", "is missing, and ErrorType is 1");
    }
    if (code == PROXY_ERROR_NOT_FOUND) {
        return over->certificate.length == 0
               || complain(reading, place, "ErrorCode",
                           "is 1168, no certificate, and SerializedClientCertificate holds one");
    }
    over->refused = (long)code;
    return true;
}

/* the body ------------------------------------------------------------------------------------- */

/* RFC 4648, 5: "-" and "_" in place of "+" and "/", and nothing that is not of the alphabet. */
static bool read_base64url(struct arena *arena, struct bytes body, struct bytes *text)
{
    char *plain = arena_alloc(arena, body.length + 3); /* and padding */
    size_t length = body.length;

    for (size_t i = 0; i < length; i++) {
        plain[i] = (char)body.data[i];
        if (plain[i] == '\0' || strchr("+/ \t\r\n", plain[i]) != NULL) {
            return false;
        }
        plain[i] = plain[i] == '-' ? '+' : plain[i];
        plain[i] = plain[i] == '_' ? '/' : plain[i];
    }
    while (length % 4 != 0) {
        plain[length++] = '=';
    }
    return base64_read(arena, plain, length, text);
}

/*
 * MS-ADFSPIP, 3.10.5.1.1.1, says base64url; its own test suite reads the JSON text as it is. "{" is
 * no letter of base64url, so a body is never both.
 */
static bool find_text(struct arena *arena, struct bytes body, struct bytes *text,
                      struct error *error)
{
    if (body.length > 0 && body.data[0] == '{') {
        *text = body;
        return true;
    }
    return read_base64url(arena, body, text)
           || fail(error, FAULT_MALFORMED,
                   "the body is neither base64url (RFC 4648, 5) nor a JSON object");
}

/* jansson's own words quote what was sent: a cookie, perhaps. */
static bool parse(struct bytes text, json_t **json, struct error *error)
{
    json_error_t trouble = {0};

    *json = json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, &trouble);
    if (*json != NULL) {
        return true;
    }
    return fail(error, FAULT_MALFORMED, "the body is no JSON text (line %d, column %d)%s",
                trouble.line, trouble.column,
                json_error_code(&trouble) == json_error_duplicate_key ? ": a key comes twice" : "");
}

bool proxy_tls_read(struct arena *arena, struct bytes body, struct handed_over *over,
                    struct error *error)
{
    OWNED(drop_json) json_t *json = NULL;
    struct reading reading = {arena, error};
    struct place place = {NULL, ""};
    struct bytes text;

    *over = (struct handed_over){0};
    if (!find_text(arena, body, &text, error) || !parse(text, &json, error)) {
        return false;
    }
    if (!json_is_object(json)) {
        return fail(error, FAULT_MALFORMED, "the body is not a JSON object");
    }
    place.object = json;
    return read_request(&reading, json_object_get(json, "Request"), over)
           && read_certificate(&reading, &place, &over->certificate) && read_usage(&reading, &place)
           && read_refusal(&reading, &place, over);
}
