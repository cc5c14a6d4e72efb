/*
 * Throws bytes at the reader of YAML and of a user's file. What is refused has a reason at a place;
 * what is taken can be written down and read back the same.
 */
#include "server/account.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_problems(const struct error *error)
{
    insist(error->count > 0);
    for (size_t i = 0; i < error->count; i++) {
        const struct problem *problem = &error->problems[i];
        const char *sentence = problem_sentence(error->arena, problem);

        insist(string_is(problem->file, "a.yaml") && utf8_is_valid(sentence, strlen(sentence)));
    }
}

/* Every value must survive being written by us. */
static void check_value(struct arena *arena, const char *value)
{
    struct text text = text_in(arena);
    struct error error = error_in(arena);
    struct yaml_node root;

    text_add_literal(&text, "a: ");
    yaml_write_scalar(&text, value);
    text_add_literal(&text, "\n");
    insist(yaml_read(arena, "a.yaml",
                     (struct bytes){(const unsigned char *)text.start, text.length}, &root,
                     &error));
    insist(root.count == 1 && string_is(root.items[0].text, value));
}

static void check_account(struct arena *arena, const struct account *account)
{
    insist(account_name_is_valid(account->name) && account_upn_is_valid(account->upn));
    insist(account->password_hash == NULL || password_is_hash(account->password_hash));
    for (size_t i = 0; i < account->attributes.count; i++) {
        const char *value = account->attributes.list[i].value;

        insist(*value != '\0' && utf8_is_xml(value, strlen(value)));
        check_value(arena, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_drop) struct arena *arena = arena_new();
    struct error error = error_in(arena);
    struct account account;
    bool is_read = account_read_text(arena, "a.yaml", (struct bytes){data, size}, &account, &error);

    if (is_read && error.count == 0) {
        check_account(arena, &account);
    } else {
        check_problems(&error);
    }
    return 0;
}
