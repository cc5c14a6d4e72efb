/*
 * saml/wstrust_value.c: the small steps of reading a SOAP message. Text is used whole or not at
 * all (M6, M7), and a part that may be there once is not taken from among two.
 */
#include "saml/soap.h"

#include <string.h>

bool soap_refuse(const struct soap_reading *reading, enum soap_fault fault, const char *format, ...)
{
    struct text sentence = text_in(reading->arena);
    va_list arguments;

    va_start(arguments, format);
    text_print_list(&sentence, format, arguments);
    va_end(arguments);
    reading->request->fault = fault;
    return fail(reading->error, FAULT_MALFORMED, "%s", sentence.start);
}

const char *soap_word(struct arena *arena, const xmlNode *element)
{
    static const char space[] = " \t\r\n";
    const char *text = xml_content(arena, element);
    size_t length;

    if (text == NULL) {
        return NULL;
    }
    text += strspn(text, space);
    length = strlen(text);
    while (length > 0 && strchr(space, text[length - 1]) != NULL) {
        length--;
    }
    return arena_copy_range(arena, text, length);
}

bool soap_find_one(const struct soap_reading *reading, const xmlNode *parent, const char *space,
                   const char *name, enum soap_fault fault, const xmlNode **child)
{
    *child = xml_find(parent, space, name);
    return xml_count(parent, space, name) <= 1
           || soap_refuse(reading, fault, "the message has the element %s more than once; send one",
                          name);
}
