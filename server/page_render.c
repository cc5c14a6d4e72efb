/*
 * server/page_render.c: a parsed page filled with values. All values are strangers' words and are
 * escaped without exception; so are the translations of an operator, who writes plain text.
 */
#include "server/page.h"

#include <assert.h>
#include <string.h>

/* One page being filled. Inside {{#each}}, the row is the values first..last. */
struct filling {
    const struct node *nodes;
    const struct words *words;
    const struct fields *values;
    struct text *body;
    const char *list; /* "party", or NULL outside of lists */
    size_t first, last;
};

static bool is_of_list(const char *name, const char *list)
{
    return list != NULL && string_starts(name, list) && name[strlen(list)] == '.';
}

static const char *find_value(const struct filling *filling, const char *name)
{
    const struct fields *values = filling->values;

    if (!is_of_list(name, filling->list)) {
        return fields_find(values, name);
    }
    for (size_t i = filling->first; i < filling->last; i++) {
        if (string_is(values->list[i].name, name)) {
            return values->list[i].value;
        }
    }
    return NULL;
}

/*
 * Escapes, and puts U+FFFD for every byte that is no UTF-8: what browsers show for it anyway, but
 * without leaving it to their decoders where such a byte ends.
 */
static void add_value(struct text *body, const char *value)
{
    size_t left = value == NULL ? 0 : strlen(value);
    struct text clean;

    if (left == 0 || utf8_is_valid(value, left)) {
        text_add_html(body, value);
        return;
    }
    clean = text_in(body->arena);
    while (left > 0) {
        uint32_t character;
        size_t size = utf8_read(value, left, &character);

        text_add_unescaped(&clean, size > 0 ? value : "\xEF\xBF\xBD", size > 0 ? size : 3);
        value += size > 0 ? size : 1;
        left -= size > 0 ? size : 1;
    }
    text_add_html(body, clean.start);
}

/* The index after the last value of the row that begins at `first`. */
static size_t find_row_end(const struct fields *values, size_t first)
{
    size_t end = first + 1;

    while (end < values->count && !string_is(values->list[end].name, values->list[first].name)) {
        end++;
    }
    return end;
}

static size_t find_first_row(const struct fields *values, const char *list)
{
    size_t at = 0;

    while (at < values->count && !is_of_list(values->list[at].name, list)) {
        at++;
    }
    return at;
}

static void render_nodes(const struct filling *filling, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        const struct node *node = &filling->nodes[i];
        struct filling row = *filling;
        const char *value;

        switch (node->kind) {
        case NODE_LITERAL:
        case NODE_STYLE:
            text_add_unescaped(filling->body, node->string, node->length);
            break;
        case NODE_WORDS:
            text_add_html(filling->body, node->string);
            break;
        case NODE_VALUE:
            add_value(filling->body, find_value(filling, node->string));
            break;
        case NODE_SENTENCE:
            value = find_value(filling, node->string);
            add_value(filling->body, value == NULL ? NULL : words_say(filling->words, value));
            break;
        case NODE_IF:
        case NODE_UNLESS:
            value = find_value(filling, node->string);
            if ((value != NULL && *value != '\0') == (node->kind == NODE_IF)) {
                render_nodes(filling, i + 1, node->end);
            }
            i = node->end - 1;
            break;
        case NODE_EACH:
            row.list = node->string;
            row.first = find_first_row(filling->values, node->string);
            for (; row.first < filling->values->count; row.first = row.last) {
                row.last = find_row_end(filling->values, row.first);
                render_nodes(&row, i + 1, node->end);
            }
            i = node->end - 1;
            break;
        }
    }
}

/* A value of ours that no template of this page could ever show is a slip of the pen. */
static bool knows_all(const struct page_names *names, const struct fields *values)
{
    for (size_t i = 0; i < values->count; i++) {
        size_t at = 0;

        while (at < names->count && !string_is(values->list[i].name, names->list[at])) {
            at++;
        }
        if (at == names->count) {
            return false;
        }
    }
    return true;
}

void page_render(const struct page_set *pages, enum page page, const struct fields *values,
                 struct text *body)
{
    const struct template *template = &pages->pages[page];
    struct filling filling = {
        .nodes = template->nodes.list, .words = pages->words, .values = values, .body = body};

    assert(knows_all(template->names, values));
    render_nodes(&filling, 0, template->nodes.count);
}

const struct page_set *page_set_for(const struct request *request)
{
    const struct page_set *pages = request->snapshot->pages;
    size_t chosen = language_choose(request->language, pages->other_languages, pages->other_count);

    return chosen < pages->other_count ? pages->others[chosen] : pages;
}
