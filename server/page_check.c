/*
 * Reads a template as HTML, as far as it takes to know two things: whether every value stands
 * where escaping holds it, and what the page itself brings along, for its policy. It refuses what
 * the policy would not let the browser do anyway, because a page that fails silently in the
 * browser is worse than a server that does not start and says why.
 *
 * It follows the HTML tokenizer (HTML, 13.2.5) only in the states a sane template reaches; what
 * it does not follow (comments in scripts, values in bare attributes) it refuses.
 */
#include "server/page.h"

#include "certs/certs.h"

#include <string.h>
#include <strings.h>

#define NAME_ROOM ((size_t)32) /* of an element or attribute; longer ones are cut, none matters */

enum place {
    PLACE_TEXT = 0,
    PLACE_TAG,   /* in a tag, between attributes */
    PLACE_VALUE, /* in a quoted attribute value */
    PLACE_BARE,  /* after "=", or in a value without quotes */
    PLACE_COMMENT,
    PLACE_STYLE,
    PLACE_SCRIPT,
};

struct scanner {
    struct arena *arena;
    const struct page_source *source;
    struct page_contents *contents;
    enum place place;
    char quote;                /* that ends the value */
    char element[NAME_ROOM];   /* lower case; "" in an end tag */
    char attribute[NAME_ROOM]; /* lower case */
    const char *attribute_at;  /* where it stands */
    struct text value;         /* of the attribute; \1 stands for a template value */
    struct text raw;           /* of the style or script */
    bool is_sound;
};

static void refuse_at(struct scanner *scanner, const char *at, const char *found, const char *cure,
                      struct error *error)
{
    scanner->is_sound = page_fail(scanner->source, at, found, cure, error);
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\n' || character == '\f';
}

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end && is_space(*at)) {
        at++;
    }
    return at;
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/* Copies a name in lower case up to one of `stops` or `end`; gives where it stopped. */
static const char *take_name(char name[NAME_ROOM], const char *at, const char *end,
                             const char *stops)
{
    size_t length = 0;

    for (; at < end && strchr(stops, *at) == NULL; at++) {
        char lower = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;

        if (length < NAME_ROOM - 1) {
            name[length++] = lower;
        }
    }
    name[length] = '\0';
    return at;
}

static bool is_among(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (string_is(word, list[i])) {
            return true;
        }
    }
    return false;
}

/* A URL that needs no network: it is the page's own, or one of our values (already judged). */
static bool is_local_source(const char *url)
{
    return string_starts(url, "data:") || string_starts(url, "\1") || *url == '\0';
}

/* Attributes whose address the browser fetches by itself. */
static bool is_fetched(const char *element, const char *attribute)
{
    static const char *const fetched[] = {"src", "srcset", "poster", "background", "data"};

    return is_among(attribute, fetched, COUNT_OF(fetched))
           || (string_is(attribute, "href") && string_is(element, "link"));
}

/* HTML, 13.1.2.3: an attribute is complete. Content security policies forbid these anyway. */
static void judge_attribute(struct scanner *scanner, struct error *error)
{
    const char *name = scanner->attribute;
    const char *value = scanner->value.start;
    const char *at = scanner->attribute_at;

    if (string_starts(name, "on")) {
        refuse_at(scanner, at, "an inline event handler, which no browser will run here",
                  "Write a <script> in the page instead, or better, plain HTML.", error);
        return;
    }
    if (string_is(name, "srcdoc")) {
        refuse_at(scanner, at, "a page inside an attribute", "Remove it.", error);
        return;
    }
    if (string_is(name, "style")) {
        refuse_at(scanner, at, "an inline style, which no browser will apply here",
                  "Give the element a class and put the rule into style.css.", error);
        return;
    }
    if (string_is(scanner->element, "script") && string_is(name, "src")) {
        refuse_at(scanner, at, "an external script", "Write the script into the page itself.",
                  error);
        return;
    }
    if (is_fetched(scanner->element, name) && !is_local_source(value)) {
        refuse_at(scanner, at, "something fetched from elsewhere, which no browser will do here",
                  "Write it into the page: a style into style.css, an image as a data: URL.",
                  error);
        return;
    }
    if (strncasecmp(value, "javascript:", strlen("javascript:")) == 0) {
        refuse_at(scanner, at, "a script in place of an address", "Write an address.", error);
        return;
    }
    scanner->contents->images |=
        is_fetched(scanner->element, name) && string_starts(value, "data:");
}

/* Elements that change how everything after them is read, or bring in other documents. */
static void judge_element(struct scanner *scanner, const char *at, struct error *error)
{
    static const char *const refused[] = {"base",   "frame",     "frameset", "object",  "embed",
                                          "applet", "plaintext", "xmp",      "noembed", "noframes"};

    if (is_among(scanner->element, refused, COUNT_OF(refused))) {
        refuse_at(scanner, at,
                  arena_print(scanner->arena, "<%s> has no place here", scanner->element),
                  "Remove it.", error);
    }
    scanner->contents->forms |= string_is(scanner->element, "form");
}

static const char *scan_text(struct scanner *scanner, const char *at, const char *end,
                             struct error *error)
{
    const char *tag = memchr(at, '<', (size_t)(end - at));

    if (tag == NULL) {
        return end;
    }
    if (string_starts(tag, "<!--")) {
        scanner->place = PLACE_COMMENT;
        return tag + 4;
    }
    if (tag + 1 == end || (!is_letter(tag[1]) && tag[1] != '/' && tag[1] != '!')) {
        refuse_at(scanner, tag, "a \"<\" that begins no element", "Write &lt; for the sign itself.",
                  error);
        return tag + 1;
    }
    scanner->place = PLACE_TAG;
    if (tag[1] == '/') {
        scanner->element[0] = '\0'; /* an end tag */
        return take_name(scanner->attribute, tag + 2, end, " \t\n\f/>");
    }
    at = take_name(scanner->element, tag + 1, end, " \t\n\f/>");
    judge_element(scanner, tag, error);
    return at;
}

static void end_tag(struct scanner *scanner)
{
    bool is_style = string_is(scanner->element, "style");
    bool is_script = string_is(scanner->element, "script");

    scanner->place = is_style ? PLACE_STYLE : is_script ? PLACE_SCRIPT : PLACE_TEXT;
    scanner->raw = text_in(scanner->arena);
}

/* Between attributes: the end of the tag, or the next attribute up to its value. */
static const char *scan_tag(struct scanner *scanner, const char *at, const char *end,
                            struct error *error)
{
    const char *after;

    if (*at == '>') {
        end_tag(scanner);
        return at + 1;
    }
    if (is_space(*at) || *at == '/') {
        return at + 1;
    }
    if (strchr("\"'<=", *at) != NULL) {
        refuse_at(scanner, at, "this is no attribute's name",
                  "Write name=\"value\", with a space before it.", error);
        return at + 1;
    }
    scanner->attribute_at = at;
    scanner->value = text_in(scanner->arena);
    after = take_name(scanner->attribute, at, end, " \t\n\f/>=\"'<");
    at = skip_spaces(after, end);
    if (at < end && *at == '=') {
        scanner->place = PLACE_BARE;
        return skip_spaces(at + 1, end);
    }
    judge_attribute(scanner, error);
    return after;
}

/* After "=". */
static const char *scan_bare(struct scanner *scanner, const char *at, const char *end,
                             struct error *error)
{
    const char *start = at;

    if (*at == '"' || *at == '\'') {
        scanner->quote = *at;
        scanner->place = PLACE_VALUE;
        return at + 1;
    }
    while (at < end && !is_space(*at) && *at != '>') {
        at++;
    }
    text_add_unescaped(&scanner->value, start, (size_t)(at - start));
    if (at < end) {
        scanner->place = PLACE_TAG;
        judge_attribute(scanner, error);
    }
    return at;
}

static const char *scan_value(struct scanner *scanner, const char *at, const char *end,
                              struct error *error)
{
    const char *quote = memchr(at, scanner->quote, (size_t)(end - at));
    const char *stop = quote == NULL ? end : quote;

    text_add_unescaped(&scanner->value, at, (size_t)(stop - at));
    if (quote == NULL) {
        return end;
    }
    scanner->place = PLACE_TAG;
    judge_attribute(scanner, error);
    return quote + 1;
}

static const char *scan_comment(struct scanner *scanner, const char *at, const char *end)
{
    const char *close = memmem(at, (size_t)(end - at), "-->", 3);

    if (close == NULL) {
        return end;
    }
    scanner->place = PLACE_TEXT;
    return close + 3;
}

/* CSP 3, 8.3: the browser hashes the text of the element, to the byte. */
static void add_hash(struct text *list, const struct text *raw)
{
    unsigned char digest[DIGEST_LENGTH];

    digest_sha256(raw->start, raw->length, digest);
    text_add_literal(list, " 'sha256-");
    text_add_base64(list, digest, sizeof(digest));
    text_add_literal(list, "'");
}

static const char *find_any_case(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);

    for (; (size_t)(end - at) >= length; at++) {
        if (strncasecmp(at, word, length) == 0) {
            return at;
        }
    }
    return NULL;
}

/* In a style or a script: everything up to its end tag is its text. */
static const char *scan_raw(struct scanner *scanner, const char *at, const char *end,
                            struct error *error)
{
    bool is_style = scanner->place == PLACE_STYLE;
    const char *close = find_any_case(at, end, is_style ? "</style" : "</script");
    const char *stop = close == NULL ? end : close;

    text_add_unescaped(&scanner->raw, at, (size_t)(stop - at));
    if (memmem(at, (size_t)(stop - at), "<!--", 4) != NULL) {
        refuse_at(scanner, at, "a comment sign \"<!--\" in a style or script",
                  "Remove it; browsers disagree on where such an element ends.", error);
    }
    if (close == NULL) {
        return end;
    }
    scanner->contents->images |= is_style && strstr(scanner->raw.start, "data:") != NULL;
    add_hash(is_style ? &scanner->contents->styles : &scanner->contents->scripts, &scanner->raw);
    scanner->place = PLACE_TEXT;
    return close;
}

static void scan_literal(struct scanner *scanner, const char *at, const char *end,
                         struct error *error)
{
    while (at < end) {
        switch (scanner->place) {
        case PLACE_TEXT:
            at = scan_text(scanner, at, end, error);
            break;
        case PLACE_TAG:
            at = scan_tag(scanner, at, end, error);
            break;
        case PLACE_BARE:
            at = scan_bare(scanner, at, end, error);
            break;
        case PLACE_VALUE:
            at = scan_value(scanner, at, end, error);
            break;
        case PLACE_COMMENT:
            at = scan_comment(scanner, at, end);
            break;
        case PLACE_STYLE:
        case PLACE_SCRIPT:
            at = scan_raw(scanner, at, end, error);
            break;
        }
    }
}

static void judge_value(struct scanner *scanner, const struct node *node, struct error *error)
{
    if (scanner->place == PLACE_VALUE) {
        text_add_literal(&scanner->value, "\1");
        return;
    }
    if (scanner->place != PLACE_TEXT) {
        refuse_at(scanner, node->at, "a value stands where escaping cannot hold it",
                  "Write it between elements, or in a double-quoted attribute.", error);
    }
}

static void add_style(struct scanner *scanner, const struct node *node, struct error *error)
{
    if (scanner->place != PLACE_STYLE) {
        refuse_at(scanner, node->at, "the style is included where it is none",
                  "Write <style>{{> style}}</style>.", error);
        return;
    }
    text_add_unescaped(&scanner->raw, node->string, node->length);
}

static bool may_hold_section(enum place place)
{
    return place == PLACE_TEXT || place == PLACE_TAG || place == PLACE_VALUE;
}

/* Goes through nodes first..last in the order of the page; a section shown or not shown must leave
 * the reader of the HTML in the same kind of place. */
static void scan_nodes(struct scanner *scanner, const struct node *nodes, size_t first, size_t last,
                       struct error *error)
{
    for (size_t i = first; i < last; i++) {
        const struct node *node = &nodes[i];
        enum place entered = scanner->place;

        if (node->kind == NODE_LITERAL) {
            scan_literal(scanner, node->string, node->string + node->length, error);
            continue;
        }
        if (node->kind == NODE_VALUE || node->kind == NODE_SENTENCE || node->kind == NODE_WORDS) {
            judge_value(scanner, node, error);
            continue;
        }
        if (node->kind == NODE_STYLE) {
            add_style(scanner, node, error);
            continue;
        }
        scan_nodes(scanner, nodes, i + 1, node->end, error);
        if (!may_hold_section(entered) || scanner->place != entered) {
            refuse_at(scanner, node->at, "a section begins and ends in different kinds of place",
                      "Let it hold whole elements, whole attributes, or text.", error);
        }
        i = node->end - 1;
    }
}

/* The first address in a style sheet that the browser would have to fetch, or NULL. */
static const char *find_foreign_address(const char *at, const char *end)
{
    while ((at = find_any_case(at, end, "url(")) != NULL) {
        const char *address = at + strlen("url(");

        address += strspn(address, " \t\n\"'");
        if (!string_starts(address, "data:")) {
            return at;
        }
        at = address;
    }
    return NULL;
}

bool page_check_style(const struct page_source *style, struct error *error)
{
    static const char *const refused[] = {"</", "<!--", "@import", "image-set("};
    const char *end = style->text + style->length;
    const char *flaw = find_foreign_address(style->text, end);

    for (size_t i = 0; flaw == NULL && i < COUNT_OF(refused); i++) {
        flaw = find_any_case(style->text, end, refused[i]);
    }
    return flaw == NULL
           || page_fail(style, flaw, "this has no place in a style sheet of ours",
                        "Remove it: the style stands inside the page, and nothing is fetched from "
                        "elsewhere but a data: URL.",
                        error);
}

bool page_check(struct arena *arena, const struct page_source *source,
                const struct node_list *nodes, struct page_contents *contents, struct error *error)
{
    struct scanner scanner = {
        .arena = arena, .source = source, .contents = contents, .is_sound = true};

    *contents = (struct page_contents){.styles = text_in(arena), .scripts = text_in(arena)};
    scan_nodes(&scanner, nodes->list, 0, nodes->count, error);
    if (scanner.is_sound && scanner.place != PLACE_TEXT) {
        refuse_at(&scanner, source->text + source->length,
                  "the page ends inside a tag, a comment, a style or a script", "Close it.", error);
    }
    return scanner.is_sound;
}
