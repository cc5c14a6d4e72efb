/*
 * The template language: text to nodes. Refuses every tag it does not know, every name its page
 * has no value for, and sections that do not close; each with file, line and column. Trusts
 * nothing about the file but that an operator wrote it.
 */
#include "server/page.h"

#include <string.h>

#define DEPTH_LIMIT ((size_t)8) /* sections within sections; rendering recurses as deep */

static bool is_continuation(char character)
{
    return ((unsigned char)character & 0xC0) == 0x80;
}

bool page_fail(const struct page_source *source, const char *at, const char *found,
               const char *cure, struct error *error)
{
    struct problem problem = {
        .file = source->file, .line = 1, .column = 1, .found = found, .cure = cure};

    for (const char *passed = source->text; passed < at; passed++) {
        problem.column += !is_continuation(*passed);
        if (*passed == '\n') {
            problem.line++;
            problem.column = 1;
        }
    }
    return fail_at(error, FAULT_SETTINGS, &problem);
}

/* Where the text stops being one: a NUL, or what is not UTF-8. NULL if it never does. */
static const char *find_flaw(const char *text, size_t length)
{
    size_t size;

    for (size_t at = 0; at < length; at += size) {
        uint32_t character = 0;

        size = utf8_read(text + at, length - at, &character);
        if (size == 0 || character == 0) {
            return text + at;
        }
    }
    return NULL;
}

bool page_source_read(struct arena *arena, const char *file, const void *data, size_t length,
                      struct page_source *source, struct error *error)
{
    char *text = arena_copy_range(arena, data, length);
    const char *flaw;
    size_t kept = 0;

    /*
     * Browsers read CR LF as LF before they hash a script or a style (HTML, 13.2.3.5), so that is
     * what must be hashed here.
     */
    for (size_t at = 0; at < length; at++) {
        if (text[at] != '\r' || text[at + 1] != '\n') {
            text[kept++] = text[at] == '\r' ? '\n' : text[at];
        }
    }
    text[kept] = '\0';
    if (string_starts(text, "\xEF\xBB\xBF")) {
        text += 3; /* a byte order mark */
        kept -= 3;
    }
    *source = (struct page_source){.file = file, .text = text, .length = kept};
    flaw = find_flaw(text, kept);
    if (flaw != NULL) {
        return page_fail(source, flaw, "this is not UTF-8 text", "Save the file as UTF-8.", error);
    }
    return true;
}

/* One reading of one template. */
struct parser {
    struct arena *arena;
    const struct page_source *source;
    const struct page_setting *setting;
    const struct page_names *names;
    struct node_list *nodes;
    size_t open[DEPTH_LIMIT]; /* the sections that are not closed yet, outermost first */
    size_t depth;
    bool has_unknown; /* a name was refused; reading goes on, so that all are named at once */
};

/* A template tag: "{{", a sign or none, a name, "}}"; or words between quotation marks. */
struct tag {
    const char *at;
    char sign; /* '#', '^', '/', '>', '_', '"' for words, or '\0' for a value */
    bool is_each;
    const char *name;
};

static struct node *add_node(struct parser *parser, enum node_kind kind, const char *at)
{
    struct node_list *nodes = parser->nodes;

    nodes->list =
        arena_grow(parser->arena, nodes->list, nodes->count, &nodes->room, sizeof(*nodes->list));
    nodes->list[nodes->count] = (struct node){.kind = kind, .at = at};
    return &nodes->list[nodes->count++];
}

static void add_literal(struct parser *parser, const char *start, const char *end)
{
    struct node *node;

    if (start < end) {
        node = add_node(parser, NODE_LITERAL, start);
        node->string = start;
        node->length = (size_t)(end - start);
    }
}

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n')) {
        at++;
    }
    return at;
}

static bool is_name(const char *name)
{
    return *name != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(name);
}

/* Words on one line, up to the quotation mark that ends the tag. */
static bool read_words(struct parser *parser, const char *start, const char *end, struct tag *tag)
{
    while (end > start && strchr(" \t\n", end[-1]) != NULL) {
        end--;
    }
    if (end < start + 3 || end[-1] != '"') {
        return false;
    }
    tag->sign = '"';
    tag->name = arena_copy_range(parser->arena, start + 1, (size_t)(end - start) - 2);
    return strchr(tag->name, '\n') == NULL;
}

/* Reads what stands between the braces, start..end. False: that is no tag at all. */
static bool read_tag(struct parser *parser, const char *start, const char *end, struct tag *tag)
{
    char *name;

    *tag = (struct tag){.at = start - 2};
    start = skip_spaces(start, end);
    if (start < end && *start == '"') {
        return read_words(parser, start, end, tag);
    }
    if (start < end && strchr("#^/>_", *start) != NULL) {
        tag->sign = *start++;
    }
    start = skip_spaces(start, end);
    name = arena_copy_range(parser->arena, start, (size_t)(end - start));
    for (size_t length = strlen(name); length > 0 && strchr(" \t\n", name[length - 1]) != NULL;) {
        name[--length] = '\0';
    }
    if (tag->sign == '#' && string_starts(name, "each ")) {
        tag->is_each = true;
        name = (char *)skip_spaces(name + 5, name + strlen(name));
    }
    tag->name = name;
    return is_name(name);
}

/* Whether the page has a value of that name; for a list, whether it has fields of that list. */
static bool is_known(const struct page_names *names, const struct tag *tag)
{
    size_t length = strlen(tag->name);

    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->list[i];

        if (tag->is_each ? string_starts(name, tag->name) && name[length] == '.'
                         : string_is(name, tag->name)) {
            return true;
        }
    }
    return false;
}

static void note_unknown(struct parser *parser, const struct tag *tag, struct error *error)
{
    const struct page_names *names = parser->names;
    const char *nearest = nearest_name(tag->name, names->list, names->count);
    struct text cure = text_in(parser->arena);

    if (nearest != NULL && !tag->is_each) {
        text_print(&cure, "Did you mean {{%s}}? ", nearest);
    }
    text_add_literal(&cure, "Known here: ");
    for (size_t i = 0; i < names->count; i++) {
        text_print(&cure, "%s%s", i > 0 ? ", " : "", names->list[i]);
    }
    text_add_literal(&cure, ".");
    page_fail(parser->source, tag->at,
              arena_print(parser->arena, "this page knows no %s \"%s\"",
                          tag->is_each ? "list" : "value", tag->name),
              cure.start, error);
    parser->has_unknown = true;
}

/* Rows within rows are not told apart by their names, so one list cannot stand in another. */
static bool is_in_list(const struct parser *parser)
{
    for (size_t i = 0; i < parser->depth; i++) {
        if (parser->nodes->list[parser->open[i]].kind == NODE_EACH) {
            return true;
        }
    }
    return false;
}

static bool open_section(struct parser *parser, const struct tag *tag, struct error *error)
{
    struct node *node;

    if (parser->depth == DEPTH_LIMIT) {
        return page_fail(parser->source, tag->at, "sections are nested too deep",
                         "Take one of them apart.", error);
    }
    if (tag->is_each && is_in_list(parser)) {
        return page_fail(parser->source, tag->at, "a list stands inside a list",
                         "Close the outer one first.", error);
    }
    parser->open[parser->depth++] = parser->nodes->count;
    node = add_node(parser,
                    tag->is_each       ? NODE_EACH
                    : tag->sign == '#' ? NODE_IF
                                       : NODE_UNLESS,
                    tag->at);
    node->string = tag->name;
    return true;
}

static bool close_section(struct parser *parser, const struct tag *tag, struct error *error)
{
    struct node *open;
    const char *name;

    if (parser->depth == 0) {
        return page_fail(parser->source, tag->at, "nothing is open that this could close",
                         "Remove it.", error);
    }
    open = &parser->nodes->list[parser->open[parser->depth - 1]];
    name = open->kind == NODE_EACH ? "each" : open->string;
    if (!string_is(tag->name, name)) {
        return page_fail(parser->source, tag->at, "this closes what was opened under another name",
                         arena_print(parser->arena, "Write {{/%s}} first.", name), error);
    }
    open->end = parser->nodes->count;
    parser->depth--;
    return true;
}

static bool add_shared(struct parser *parser, const struct tag *tag, struct error *error)
{
    const struct page_setting *setting = parser->setting;
    struct node *node;

    if (string_is(tag->name, "style")) {
        node = add_node(parser, NODE_STYLE, tag->at);
        node->string = setting->style->text;
        node->length = setting->style->length;
        return true;
    }
    if (string_is(tag->name, "language")) {
        add_node(parser, NODE_WORDS, tag->at)->string = setting->language;
        return true;
    }
    if (string_is(tag->name, "direction")) {
        add_node(parser, NODE_WORDS, tag->at)->string = language_direction(setting->language);
        return true;
    }
    return page_fail(parser->source, tag->at, "nothing of this name can be included",
                     "Write {{> style}}, {{> language}} or {{> direction}}.", error);
}

/* A {name} within words; one that is unknown is the translation's fault if there is one. */
static void add_named(struct parser *parser, const struct tag *tag, const char *name,
                      struct error *error)
{
    const struct words *words = parser->setting->words;
    const struct tag named = {.at = tag->at, .name = name};

    if (is_known(parser->names, &named)) {
        add_node(parser, NODE_VALUE, tag->at)->string = name;
    } else if (words_have(words, tag->name)) {
        parser->has_unknown = !words_fail(
            words, tag->name, arena_print(parser->arena, "the page knows no value \"%s\"", name),
            arena_print(parser->arena, "Use those of the English words: %s", tag->name), error);
    } else {
        note_unknown(parser, &named, error);
    }
}

/* The words of a tag in the page's language, with the values that stand among them. */
static void add_words(struct parser *parser, const struct tag *tag, struct error *error)
{
    const char *at = words_say(parser->setting->words, tag->name);

    while (*at != '\0') {
        const char *open = strchr(at, '{');
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        size_t length = close != NULL ? (size_t)(open - at) : strlen(at);

        if (length > 0) {
            add_node(parser, NODE_WORDS, tag->at)->string =
                arena_copy_range(parser->arena, at, length);
        }
        if (close == NULL) {
            return;
        }
        add_named(parser, tag,
                  arena_copy_range(parser->arena, open + 1, (size_t)(close - open) - 1), error);
        at = close + 1;
    }
}

static bool take_tag(struct parser *parser, const struct tag *tag, struct error *error)
{
    if (tag->sign == '/') {
        return close_section(parser, tag, error);
    }
    if (tag->sign == '>') {
        return add_shared(parser, tag, error);
    }
    if (tag->sign == '"') {
        add_words(parser, tag, error);
        return true;
    }
    if (!is_known(parser->names, tag)) {
        note_unknown(parser, tag, error);
    }
    if (tag->sign == '#' || tag->sign == '^') {
        return open_section(parser, tag, error);
    }
    add_node(parser, tag->sign == '_' ? NODE_SENTENCE : NODE_VALUE, tag->at)->string = tag->name;
    return true;
}

bool page_parse(struct arena *arena, const struct page_source *source,
                const struct page_setting *setting, const struct page_names *names,
                struct node_list *nodes, struct error *error)
{
    struct parser parser = {
        .arena = arena, .source = source, .setting = setting, .names = names, .nodes = nodes};
    const char *at = source->text;
    const char *start;

    while ((start = strstr(at, "{{")) != NULL) {
        const char *end = strstr(start, "}}");
        struct tag tag;

        if (end == NULL || !read_tag(&parser, start + 2, end, &tag)) {
            return page_fail(source, start, "this is no template tag",
                             "Write {{name}}, {{#name}}…{{/name}}, {{^name}}…{{/name}}, "
                             "{{#each list}}…{{/each}}, {{\"words\"}}, {{_ name}} or {{> style}}.",
                             error);
        }
        add_literal(&parser, at, start);
        if (!take_tag(&parser, &tag, error)) {
            return false;
        }
        at = end + 2;
    }
    add_literal(&parser, at, source->text + source->length);
    if (parser.depth > 0) {
        const struct node *open = &nodes->list[parser.open[parser.depth - 1]];

        return page_fail(source, open->at, "this section is never closed",
                         arena_print(arena, "Write {{/%s}} where it ends.",
                                     open->kind == NODE_EACH ? "each" : open->string),
                         error);
    }
    return !parser.has_unknown;
}
