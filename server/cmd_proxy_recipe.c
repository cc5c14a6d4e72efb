/*
 * server/cmd_proxy_recipe.c: `lanyard proxy recipe`: the whole configuration of nginx or HAProxy as
 * a trusted proxy of this lab, filled in from the settings. What cannot work is refused with its
 * cure, rather than printed. Whatever goes into it is held to characters that neither program reads
 * as anything but themselves.
 */
#include "server/cmd_proxy_recipe.h"
#include "server/recipe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CLIENT_CERT "Client-Cert"
#define FORWARDED_FOR "X-MS-Forwarded-Client-IP"

static const struct program programs[] = {
    {"nginx", "proxy/nginx.conf", false, false},
    {"haproxy", "proxy/haproxy.cfg", true, true},
};

/* the template ----------------------------------------------------------------------------------
 */

static const char *find_template(const char *name)
{
    for (size_t i = 0; i < embedded_count; i++) {
        if (string_is(embedded_files[i].name, name)) {
            return embedded_files[i].text;
        }
    }
    return "";
}

/* The rest of the line where nothing else stands in it. */
static const char *skip_line_end(const char *at)
{
    return *at == '\n' ? at + 1 : at;
}

/*
 * {{name}} is a value; what stands between {{#name}} and {{/name}}, each on a line of its own, is
 * left out where there is none. Sections of different names may lie in each other.
 */
static struct text fill(const struct recipe *recipe)
{
    struct text filled = text_in(recipe->arena);
    const char *rest = find_template(recipe->program->template);

    for (const char *open; (open = strstr(rest, "{{")) != NULL;) {
        const char *close = strstr(open, "}}");
        const char *name = arena_copy_range(recipe->arena, open + 2, (size_t)(close - open - 2));

        text_add_unescaped(&filled, rest, (size_t)(open - rest));
        rest = close + 2;
        if (name[0] == '/') {
            rest = skip_line_end(rest);
        } else if (name[0] != '#') {
            text_add_plain(&filled, fields_find(&recipe->values, name));
        } else if (fields_find(&recipe->values, name + 1) != NULL) {
            rest = skip_line_end(rest);
        } else {
            const char *end = arena_print(recipe->arena, "{{/%s}}", name + 1);
            rest = skip_line_end(strstr(rest, end) + strlen(end));
        }
    }
    text_add_plain(&filled, rest);
    return filled;
}

/* what goes into it --------------------------------------------------------------------------- */

/* Both programs give a meaning to some of these even within quotes. */
static bool is_plain(const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f || strchr("\"'\\$%{};#", *c) != NULL) {
            return false;
        }
    }
    return true;
}

bool recipe_add(struct recipe *recipe, const char *name, const char *value, struct error *error)
{
    if (value == NULL) {
        return true;
    }
    if (!is_plain(value)) {
        return fail(error, FAULT_SETTINGS,
                    "%s would have to be told \"%s\", which holds a character that it reads as "
                    "something else; rename it",
                    recipe->program->name, value);
    }
    fields_add(recipe->arena, &recipe->values, name, value);
    return true;
}

bool recipe_add_number(struct recipe *recipe, const char *name, int64_t number, struct error *error)
{
    return recipe_add(recipe, name, arena_print(recipe->arena, "%lld", (long long)number), error);
}

/* A folder that is moved or copied takes its links along. */
static const char *as_seen_beside(const char *file, const char *other)
{
    const char *slash = strrchr(file, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash + 1 - file);

    return strncmp(file, other, folder) == 0 && strchr(other + folder, '/') == NULL ? file + folder
                                                                                    : file;
}

/* HAProxy takes no name for the key; a link keeps up with a key that is made anew. */
static bool link_key(const struct recipe *recipe, const char *certificate, const char *key,
                     struct error *error)
{
    const char *link = arena_print(recipe->arena, "%s.key", certificate);

    if (!recipe->program->wants_key_by_place || file_exists(link)) {
        return true;
    }
    if (symlink(as_seen_beside(key, link), link) != 0) {
        return fail_at(
            error, FAULT_SETTINGS,
            &(struct problem){
                .file = link,
                .found = strerror(errno),
                .expected = "a link to the key, since HAProxy looks for "
                            "it there",
                .cure = arena_print(recipe->arena, "Make it: ln -s '%s' '%s'.", key, link)});
    }
    fprintf(stderr, "made %s, where HAProxy looks for the key\n", link);
    return true;
}

/* "front.pem" has its key in "front.key", as `lanyard proxy add` writes them. */
static const char *key_of(struct arena *arena, const char *certificate)
{
    const char *dot = strrchr(certificate, '.');
    size_t stem =
        dot == NULL || strchr(dot, '/') != NULL ? strlen(certificate) : (size_t)(dot - certificate);

    return arena_print(arena, "%.*s.key", (int)stem, certificate);
}

static bool check_there(const char *file, const char *cure, struct error *error)
{
    return file_exists(file)
           || fail_at(error, FAULT_SETTINGS,
                      &(struct problem){.file = file, .found = "it is not there", .cure = cure});
}

static bool add_own_certificate(struct recipe *recipe, struct error *error)
{
    const char *file = recipe->proxy->certificate_file;
    const char *key;

    if (file == NULL) {
        fields_add(recipe->arena, &recipe->values, "shown", "");
        return true;
    }
    key = key_of(recipe->arena, file);
    fields_add(recipe->arena, &recipe->values, "shown",
               arena_print(recipe->arena, " crt \"%s\"", file));
    return check_there(key,
                       "Put the key of the proxy's certificate there; `lanyard proxy add` without "
                       "--certificate makes both.",
                       error)
           && recipe_add(recipe, "certificate", file, error)
           && recipe_add(recipe, "key", key, error) && link_key(recipe, file, key, error);
}

static bool add_files(struct recipe *recipe, struct error *error)
{
    const struct settings *settings = recipe->settings;
    const char *root = path_join(recipe->arena, settings->pki_folder, LAB_ROOT);

    return check_there(root, "The proxy verifies lanyard by the lab's root CA.", error)
           && recipe_add(recipe, "settings", settings->file, error)
           && recipe_add(recipe, "root", root, error)
           && recipe_add(recipe, "tls_certificate", settings->tls_certificate, error)
           && recipe_add(recipe, "tls_key", settings->tls_key, error)
           && link_key(recipe, settings->tls_certificate, settings->tls_key, error)
           && add_own_certificate(recipe, error);
}

static bool add_header(struct recipe *recipe, const char *place, const char *name,
                       struct error *error)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

    if (name != NULL && strspn(name, allowed) != strlen(name)) {
        return fail(error, FAULT_SETTINGS,
                    "the header \"%s\" holds something other than letters, digits and hyphens",
                    name);
    }
    return recipe_add(recipe, place, name, error);
}

/* HAProxy alone: how a certificate is written, as an item of RFC 8941 (RFC 9440, 2.1) or as PEM in
 * URL encoding, which nginx does by itself. */
static void add_certificate_value(struct recipe *recipe)
{
    bool is_rfc9440 = string_is_any_case(recipe->proxy->certificate_header, CLIENT_CERT);

    fields_add(recipe->arena, &recipe->values, "certificate_value",
               is_rfc9440 ? ":%[ssl_c_der,base64]:"
                          : "-----BEGIN%%20CERTIFICATE-----%%0A%[ssl_c_der,base64,url_enc]%%0A"
                            "-----END%%20CERTIFICATE-----%%0A");
}

static bool add_headers(struct recipe *recipe, struct error *error)
{
    const struct proxy *proxy = recipe->proxy;
    bool is_usual = string_is_any_case(proxy->address_header, FORWARDED_FOR);

    if (!recipe->program->has_rfc9440 && proxy->certificate_header != NULL
        && string_is_any_case(proxy->certificate_header, CLIENT_CERT)) {
        return fail_at(error, FAULT_SETTINGS,
                       &(struct problem){.file = recipe->settings->file,
                                         .found = arena_print(recipe->arena,
                                                              "the proxy \"%s\" is to hand over "
                                                              "certificates in " CLIENT_CERT
                                                              " (RFC 9440), which nginx cannot "
                                                              "write",
                                                              proxy->name),
                                         .cure = "Give it the client_certificate_header "
                                                 "X-SSL-Client-Cert, or take HAProxy."});
    }
    if (proxy->certificate_header != NULL) {
        add_certificate_value(recipe);
    }
    return recipe_add(recipe, "name", proxy->name, error)
           && add_header(recipe, "address_header", is_usual ? NULL : proxy->address_header, error)
           && add_header(recipe, "certificate_header", proxy->certificate_header, error);
}

/* the command -----------------------------------------------------------------------------------
 */

static bool find_program(struct recipe *recipe, struct error *error)
{
    const char *typed = recipe->arguments->words[0];

    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        if (string_is(programs[i].name, typed)) {
            recipe->program = &programs[i];
            return true;
        }
    }
    return fail(error, FAULT_USAGE, "there is no recipe for \"%s\"; there is nginx and haproxy",
                typed);
}

static bool find_proxy(struct recipe *recipe, struct error *error)
{
    const struct settings *settings = recipe->settings;
    const char *typed = recipe->arguments->words[1];
    const char **names = arena_array(recipe->arena, settings->proxy_count + 1, sizeof *names);
    const char *nearest;

    for (size_t i = 0; i < settings->proxy_count; i++) {
        names[i] = settings->proxies[i].name;
        if (string_is(names[i], typed)) {
            recipe->proxy = &settings->proxies[i];
            return true;
        }
    }
    nearest = nearest_name(typed, names, settings->proxy_count);
    return fail(error, FAULT_USAGE,
                "%s: no trusted proxy is named \"%s\"%s%s%s; `lanyard proxy add` makes one",
                settings->file, typed, nearest != NULL ? "; did you mean \"" : "",
                nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/* These programs pass on whatever their clients post: through one that may hand over requests
 * anybody would be whom they like. */
static bool check_kind(const struct recipe *recipe, struct error *error)
{
    return !recipe->proxy->hands_over
           || fail_at(
               error, FAULT_SETTINGS,
               &(struct problem){.file = recipe->settings->file,
                                 .found = arena_print(recipe->arena,
                                                      "the proxy \"%s\" is a Web Application "
                                                      "Proxy, which %s is not",
                                                      recipe->proxy->name, recipe->program->name),
                                 .cure = "Add another one without "
                                         "--web-application-proxy."});
}

enum status cmd_proxy_recipe(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct recipe recipe = {.arena = arguments->arena, .arguments = arguments};
    struct text text;

    if (!find_program(&recipe, &error) || !command_settings(arguments, &recipe.settings, &error)
        || !find_proxy(&recipe, &error) || !check_kind(&recipe, &error)
        || !recipe_add_places(&recipe, &error) || !add_headers(&recipe, &error)
        || !add_files(&recipe, &error)) {
        return command_failed(&error);
    }
    text = fill(&recipe);
    return fwrite(text.start, 1, text.length, stdout) == text.length && fflush(stdout) == 0
               ? STATUS_YES
               : STATUS_NO;
}

static const struct option recipe_options[] = {
    OPTION_SETTINGS,
    {"--listen", "ADDRESS", NULL,
     "an IP address the proxy listens on; default 127.0.0.1, on another machine all"},
};

const struct command command_proxy_recipe = {
    .words = "proxy recipe",
    .arguments = "nginx|haproxy NAME",
    .summary = "prints what nginx or HAProxy needs to be that proxy",
    .help =
        "Prints the whole configuration of nginx or HAProxy as the trusted proxy NAME: TLS with\n"
        "the lab's own certificate on the ports of the proxy's url and certificate_url, lanyard\n"
        "verified by the lab's root CA, the proxy's own certificate shown to it, every header\n"
        "that lanyard believes set or taken away, and client certificates asked for, handed\n"
        "over and judged by nobody but lanyard. Its first lines say how to run it.\n"
        "For HAProxy, links NAME.pem.key and the like are made beside certificates: it looks\n"
        "for keys in no other place.",
    .options = recipe_options,
    .option_count = COUNT_OF(recipe_options),
    .words_min = 2,
    .words_max = 2,
    .run = cmd_proxy_recipe,
};
