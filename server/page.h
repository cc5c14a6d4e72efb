/*
 * server/page.h: private to page*.c. A template on its way from text to something that can be
 * filled: read (page_parse.c), judged as HTML (page_check.c), kept and rendered (page.c).
 *
 * The whole language:
 *   {{name}}                      a value, escaped for HTML; in text or in a quoted attribute
 *   {{#name}} … {{/name}}         shown if the value is not empty
 *   {{^name}} … {{/name}}         shown if it is
 *   {{#each list}} … {{/each}}    once for each row; inside, {{list.field}} is the row's own
 *   {{> style}}                   style.css; only between <style> and </style>
 *   {{"English words"}}           these words, or what words.LANGUAGE has in their place; a {name}
 *                                 in them is that value. Escaped like a value
 *   {{_ name}}                    a value that is a sentence of ours, said in the same way
 *   {{> language}}, {{> direction}}  for <html lang="…" dir="…">
 * There is no way to write a value unescaped.
 */
#ifndef LANYARD_PAGE_H
#define LANYARD_PAGE_H

#include "server/server.h"

/* The text of a template: valid UTF-8 that ends in NUL, its lines ended by LF alone. */
struct page_source {
    const char *file; /* for problems */
    const char *text;
    size_t length;
};

enum node_kind {
    NODE_LITERAL = 0,
    NODE_STYLE,
    NODE_WORDS, /* plain text, to be escaped like a value */
    NODE_VALUE,
    NODE_SENTENCE, /* a value to be looked up among the words */
    NODE_IF,
    NODE_UNLESS,
    NODE_EACH,
};

/* One piece of a template. A section's inner nodes follow it in the array, up to `end`. */
struct node {
    enum node_kind kind;
    const char *at;     /* where it stands in the source */
    const char *string; /* what a literal or words say, else the name */
    size_t length;      /* of a literal */
    size_t end;         /* of a section: the index after its last inner node */
};

struct node_list {
    struct node *list;
    size_t count, room;
};

/* The names a page may use; the fields of a list are written "list.field". */
struct page_names {
    const char *const *list;
    size_t count;
};

/* Refuses with a place: `at` points into the source's text. Always false. */
bool page_fail(const struct page_source *source, const char *at, const char *found,
               const char *cure, struct error *error);

/* Takes a file's bytes as a template; refuses NUL and what is not UTF-8. */
MUST_CHECK bool page_source_read(struct arena *arena, const char *file, const void *data,
                                 size_t length, struct page_source *source, struct error *error);

/* What all pages of a language share. */
struct page_setting {
    const struct page_source *style;
    const char *language;      /* "de-AT" */
    const struct words *words; /* NULL: there are only the English ones */
};

/* Reads the template language. */
MUST_CHECK bool page_parse(struct arena *arena, const struct page_source *source,
                           const struct page_setting *setting, const struct page_names *names,
                           struct node_list *nodes, struct error *error);

/* What a page brings along, for its Content-Security-Policy. */
struct page_contents {
    struct text styles, scripts; /* " 'sha256-…'" for each; empty: none */
    bool forms, images;          /* it has a form; images written as data: URLs */
};

/* Refuses a style sheet that ends its own element or asks for anything from elsewhere. */
MUST_CHECK bool page_check_style(const struct page_source *style, struct error *error);

/*
 * Reads the template as HTML. Refuses a value where escaping would not hold it (outside text and
 * quoted attributes), a section that begins and ends in different kinds of place, and whatever the
 * policy would not let the browser do: inline handlers and styles, anything from elsewhere.
 */
MUST_CHECK bool page_check(struct arena *arena, const struct page_source *source,
                           const struct node_list *nodes, struct page_contents *contents,
                           struct error *error);

/* page_words.c ---------------------------------------------------------------------------- */

/* Sentences by their English ones. */
struct words;

MUST_CHECK bool words_read(struct arena *arena, const struct page_source *source,
                           const struct words **words, struct error *error);
/* What is said for the English words, or these themselves. `words` may be NULL. */
const char *words_say(const struct words *words, const char *english);
bool words_have(const struct words *words, const char *english);
/* Refuses at the place where that is translated. Always false. */
bool words_fail(const struct words *words, const char *english, const char *found, const char *cure,
                struct error *error);

/* page_language.c ------------------------------------------------------------------------- */

/* The index of the language that fits Accept-Language (may be NULL) best; `count`: none does. */
size_t language_choose(const char *header, const char *const *tags, size_t count);
bool language_is_tag(const char *tag);
/* "ltr" or "rtl", for the dir of <html>. */
const char *language_direction(const char *tag);

/* page_render.c --------------------------------------------------------------------------- */

struct template
{
    struct node_list nodes;
    const struct page_names *names;
    const char *policy;
};

/* All pages in one language; the first set, which is English, knows the others. */
struct page_set {
    const char *language;
    const struct words *words;
    struct template pages[PAGE_COUNT];
    const struct page_set *const *others;
    const char *const *other_languages;
    size_t other_count;
};

#endif
