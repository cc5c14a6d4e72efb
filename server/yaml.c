/*
 * The only file that speaks to libyaml. It turns events into a small tree, counting as it goes,
 * so that no text makes it deep or large; anchors, aliases and tags are refused before anything
 * is made of them, which leaves an alias bomb nothing to multiply.
 */
#include "server/yaml.h"

#include <string.h>
#include <yaml.h>

/* Problems noted in one text before giving up: a bomb would bring thousands. */
#define PROBLEM_LIMIT 50

/* Keys at most in one map: a map of settings is looked through key by key. */
#define KEY_LIMIT 1000

/* The tree being built, and how far it is. */
struct reader {
    struct arena *arena;
    struct error *error;
    yaml_parser_t *parser;
    const char *file;
    size_t problems;
    struct yaml_node *root;
    struct yaml_node *open[YAML_DEPTH_LIMIT]; /* lists and maps not yet ended, outermost first */
    size_t depth, documents;
};

/* Notes a problem. False once there are too many to go on. */
static bool note(struct reader *reader, yaml_mark_t mark, const char *found, const char *expected,
                 const char *cure)
{
    struct problem problem = {
        .file = reader->file,
        .line = (int)mark.line + 1,
        .column = (int)mark.column + 1,
        .found = found,
        .expected = expected,
        .cure = cure,
    };

    reader->problems++;
    return fail_at(reader->error, FAULT_SETTINGS, &problem) || reader->problems < PROBLEM_LIMIT;
}

/* The same for what makes reading on pointless. */
static bool give_up(struct reader *reader, yaml_mark_t mark, const char *found,
                    const char *expected, const char *cure)
{
    reader->problems = PROBLEM_LIMIT;
    return note(reader, mark, found, expected, cure);
}

/* What libyaml says of a text it cannot read, at the place where it noticed. */
static bool fail_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = reader->parser;
    const char *words = parser->problem == NULL ? "cannot be read" : parser->problem;

    if (parser->error == YAML_READER_ERROR) {
        return give_up(reader, parser->mark,
                       arena_print(reader->arena, "not readable text: %s", words),
                       "UTF-8 without control characters", "Save the file as UTF-8.");
    }
    return give_up(reader, parser->problem_mark, arena_print(reader->arena, "not YAML: %s", words),
                   NULL,
                   "Check the indentation (blanks, never tabs) and the quotation marks on this "
                   "line and the one before.");
}

/* Anchors and tags: whatever begins a node may carry them. */
static bool check_bare(struct reader *reader, yaml_mark_t mark, const yaml_char_t *anchor,
                       const yaml_char_t *tag)
{
    bool go_on = true;

    if (anchor != NULL) {
        go_on = note(reader, mark, "an anchor (&name)", "a plain value",
                     "Remove it: references are not used in these files.");
    }
    if (go_on && tag != NULL) {
        go_on = note(reader, mark, "a tag (!name)", "a plain value",
                     "Remove it: the kind of a value follows from its setting.");
    }
    return go_on;
}

/* A line end or a tab is somebody's text; other controls are nobody's. */
static bool has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) {
            return true;
        }
    }
    return false;
}

static struct yaml_node *add_item(struct reader *reader, struct yaml_node *parent)
{
    parent->items = arena_grow(reader->arena, parent->items, parent->count, &parent->room,
                               sizeof(*parent->items));
    parent->items[parent->count] = (struct yaml_node){0};
    return &parent->items[parent->count++];
}

static struct yaml_node *innermost(const struct reader *reader)
{
    return reader->depth == 0 ? NULL : reader->open[reader->depth - 1];
}

/* A map whose last key has its value (or that has none) goes on with a key. */
static bool key_is_due(const struct reader *reader)
{
    const struct yaml_node *map = innermost(reader);

    return map != NULL && map->kind == YAML_MAP
           && (map->count == 0 || map->items[map->count - 1].kind != YAML_NOTHING);
}

/* The node that the value beginning with `event` fills. */
static struct yaml_node *begin_value(struct reader *reader, const yaml_event_t *event)
{
    struct yaml_node *parent = innermost(reader);
    struct yaml_node *node = reader->root;

    if (parent != NULL) {
        node =
            parent->kind == YAML_MAP ? &parent->items[parent->count - 1] : add_item(reader, parent);
    }
    node->text = "";
    node->line = (int)event->start_mark.line + 1;
    node->column = (int)event->start_mark.column + 1;
    node->end_line = (int)event->end_mark.line + 1;
    /* A block scalar ends where the line after it begins. */
    if (event->end_mark.column == 0 && node->end_line > node->line) {
        node->end_line--;
    }
    return node;
}

/* Keys are compared as strings: "a" and a are one key. */
static bool take_key(struct reader *reader, const yaml_event_t *event)
{
    struct yaml_node *map = innermost(reader);
    const char *key = arena_copy_range(reader->arena, (const char *)event->data.scalar.value,
                                       event->data.scalar.length);
    const struct yaml_node *earlier = yaml_find(map, key);
    struct yaml_node *item;

    if (map->count == KEY_LIMIT) {
        return give_up(reader, event->start_mark, "too many keys in one map",
                       arena_print(reader->arena, "at most %d", KEY_LIMIT), NULL);
    }
    if (has_control(key, event->data.scalar.length) || *key == '\0') {
        return give_up(reader, event->start_mark, "a key that is no word", "a word", NULL);
    }
    item = add_item(reader, map);
    item->key = key;
    item->key_line = (int)event->start_mark.line + 1;
    item->key_column = (int)event->start_mark.column + 1;
    if (earlier != NULL
        && !note(reader, event->start_mark,
                 arena_print(reader->arena, "%s for the second time (first on line %d)",
                             yaml_quote(reader->arena, key), earlier->key_line),
                 "each key once", "Keep one of the two.")) {
        return false;
    }
    return check_bare(reader, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
}

/* A word: the key that is due, or a value. */
static bool take_scalar(struct reader *reader, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    struct yaml_node *node;

    if (key_is_due(reader)) {
        return take_key(reader, event);
    }
    node = begin_value(reader, event);
    node->kind = YAML_SCALAR;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (has_control(value, length)) {
        return note(reader, event->start_mark, "a control character inside a value",
                    "text that can be seen", "Remove the escape.");
    }
    node->text = arena_copy_range(reader->arena, value, length);
    return check_bare(reader, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
}

/* Opens a list or a map, unless the stack of open ones is full. */
static bool take_start(struct reader *reader, const yaml_event_t *event, enum yaml_kind kind)
{
    struct yaml_node *node;

    if (key_is_due(reader)) {
        return give_up(reader, event->start_mark, "a list or map as a key", "a word",
                       "Put text that begins with [ or { in quotation marks.");
    }
    if (reader->depth == YAML_DEPTH_LIMIT) {
        return give_up(reader, event->start_mark, "values nested too deeply",
                       arena_print(reader->arena, "at most %d levels", YAML_DEPTH_LIMIT), NULL);
    }
    node = begin_value(reader, event);
    node->kind = kind;
    reader->open[reader->depth++] = node;
    return true;
}

static bool take_end(struct reader *reader, const yaml_event_t *event)
{
    struct yaml_node *node = reader->open[--reader->depth];
    bool is_flow = event->end_mark.index > event->start_mark.index;

    node->end_line = node->line;
    if (is_flow) {
        node->end_line = (int)event->end_mark.line + 1;
    } else if (node->count > 0) {
        /* A block ends, for libyaml, where the next thing begins: past blank lines and comments. */
        node->end_line = node->items[node->count - 1].end_line;
    }
    return true;
}

/* Nothing is looked up or copied: the place stays empty and the file is refused. */
static bool take_alias(struct reader *reader, const yaml_event_t *event)
{
    if (key_is_due(reader)) {
        return give_up(reader, event->start_mark, "an alias (*name) as a key", "a word", NULL);
    }
    begin_value(reader, event)->kind = YAML_SCALAR;
    return note(reader, event->start_mark, "an alias (*name)", "a plain value",
                "Write the value itself; text that begins with * goes in quotation marks.");
}

/* One document a file, and no directives, which could rename tags. */
static bool take_document(struct reader *reader, const yaml_event_t *event)
{
    if (++reader->documents > 1) {
        return give_up(reader, event->start_mark, "a second document (---)", "one document", NULL);
    }
    if (event->data.document_start.version_directive != NULL
        || event->data.document_start.tag_directives.start
               != event->data.document_start.tag_directives.end) {
        return note(reader, event->start_mark, "a directive (%)", "no directives",
                    "Remove the lines that begin with %.");
    }
    return true;
}

static bool take_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return take_document(reader, event);
    case YAML_ALIAS_EVENT:
        return take_alias(reader, event);
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return take_start(reader, event, YAML_LIST)
               && check_bare(reader, event->start_mark, event->data.sequence_start.anchor,
                             event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return take_start(reader, event, YAML_MAP)
               && check_bare(reader, event->start_mark, event->data.mapping_start.anchor,
                             event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return take_end(reader, event);
    default:
        return true;
    }
}

static bool read_events(struct reader *reader)
{
    for (;;) {
        OWNED(yaml_event_delete) yaml_event_t event = {0};

        if (yaml_parser_parse(reader->parser, &event) != 1) {
            return fail_syntax(reader);
        }
        if (event.type == YAML_STREAM_END_EVENT) {
            return reader->problems == 0;
        }
        if (!take_event(reader, &event)) {
            return false;
        }
    }
}

/* What a plain scalar would be taken for by other readers of YAML, or what begins something. */
static bool needs_quotes(const char *value)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (string_is_any_case(value, words[i])) {
            return true;
        }
    }
    for (const char *c = value; *c != '\0'; c++) {
        bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
                        || (*c >= '0' && *c <= '9') || (c > value && strchr("-._@/$+", *c) != NULL)
                        || (c == value && (*c == '/' || *c == '$'))
                        || (*c == ' ' && c > value && c[1] != '\0');

        if (!is_plain) {
            return true;
        }
    }
    return *value == '\0';
}

/* What needs an escape in quotation marks; YAML has more line ends than one would think. */
struct special {
    const char *bytes, *escape;
};

static const struct special *special_at(const char *at)
{
    static const struct special specials[] = {
        {"\"", "\\\""},          {"\\", "\\\\"},
        {"\n", "\\n"},           {"\t", "\\t"},
        {"\xc2\x85", "\\N"},     {"\xe2\x80\xa8", "\\L"},
        {"\xe2\x80\xa9", "\\P"}, {"\xef\xbb\xbf", "\\uFEFF"},
    };

    for (size_t i = 0; i < COUNT_OF(specials); i++) {
        if (string_starts(at, specials[i].bytes)) {
            return &specials[i];
        }
    }
    return NULL;
}

/* public functions ----------------------------------------------------------------------------- */

bool yaml_read(struct arena *arena, const char *file, struct bytes source, struct yaml_node *root,
               struct error *error)
{
    OWNED(yaml_parser_delete) yaml_parser_t parser = {0};
    struct reader reader = {
        .arena = arena, .error = error, .parser = &parser, .file = file, .root = root};

    *root = (struct yaml_node){.text = "", .line = 1, .column = 1, .end_line = 1};
    if (source.length > YAML_SIZE_LIMIT) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = file, .found = "over 1 MB of YAML"});
    }
    if (source.length >= 3 && memcmp(source.data, "\xef\xbb\xbf", 3) == 0) {
        source.data += 3; /* a byte-order mark, as Windows editors write it */
        source.length -= 3;
    }
    if (yaml_parser_initialize(&parser) != 1) {
        memory_end("no memory for a YAML parser");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, source.data, source.length);
    if (!read_events(&reader)) {
        return false;
    }
    if (root->kind == YAML_NOTHING) {
        root->kind = YAML_MAP;
    }
    return true;
}

bool yaml_load(struct arena *arena, const char *file, struct yaml_node *root, struct error *error)
{
    struct bytes source;

    if (!file_check_guarded(file, error)) {
        return false;
    }
    if (!file_read(arena, file, YAML_SIZE_LIMIT, &source, error)) {
        error->fault = FAULT_NOT_FOUND;
        return false;
    }
    return yaml_read(arena, file, source, root, error);
}

const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++) {
        if (string_is(map->items[i].key, key)) {
            return &map->items[i];
        }
    }
    return NULL;
}

bool yaml_is_nothing(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !node->quoted
           && (*node->text == '\0' || string_is(node->text, "~") || string_is(node->text, "null"));
}

const char *yaml_quote(struct arena *arena, const char *word)
{
    struct text text = text_in(arena);

    text_add_literal(&text, "\"");
    text_add_log(&text, word, 80);
    text_add_literal(&text, "\"");
    return text.start;
}

const char *yaml_describe(struct arena *arena, const struct yaml_node *node)
{
    if (node->kind == YAML_LIST) {
        return "a list";
    }
    if (node->kind == YAML_MAP) {
        return "a map (keys and values)";
    }
    if (yaml_is_nothing(node)) {
        return "nothing";
    }
    return yaml_quote(arena, node->text);
}

void yaml_write_scalar(struct text *text, const char *value)
{
    if (!needs_quotes(value)) {
        text_add_plain(text, value);
        return;
    }
    text_add_literal(text, "\"");
    for (const char *c = value; *c != '\0'; c++) {
        const struct special *special = special_at(c);

        if (special == NULL) {
            text_add_unescaped(text, c, 1);
            continue;
        }
        text_add_plain(text, special->escape);
        c += strlen(special->bytes) - 1;
    }
    text_add_literal(text, "\"");
}
