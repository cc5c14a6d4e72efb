/*
 * From where a request comes, what that network allows, and the lists of the settings that say so.
 */
#include "help_files.h"

#include "server/network.h"
#include "server/waiting.h"

static const struct settings *load(struct place *place, const char *text)
{
    const struct settings *settings = NULL;

    place->error = error_in(place->arena);
    if (!settings_load(place->arena, put_file(place, "lanyard.yaml", text), NULL, &settings,
                       &place->error)) {
        return NULL;
    }
    return settings;
}

static const struct settings *loaded(struct place *place, const char *text)
{
    const struct settings *settings = load(place, text);

    if (settings == NULL) {
        fail_msg("%s", error_sentence(&place->error));
    }
    return settings;
}

static void assert_refused(struct place *place, const char *text, int line, const char *words)
{
    if (load(place, text) != NULL) {
        fail_msg("was taken: %s", text);
    }
    problem_at(&place->error, line, words);
    assert_int_equal(place->error.count, 1);
}

/* the settings ------------------------------------------------------------------------------- */

static void nobody_said_so_both_networks_allow_both_and_there_is_no_extranet(void **state)
{
    const struct settings *settings = loaded(*state, "lab: true\n");

    assert_true(settings->intranet.password && settings->intranet.certificate);
    assert_true(settings->extranet.password && settings->extranet.certificate);
    assert_int_equal(settings->extranet_port, 0);
    assert_null(settings->extranet_url);
}

static void each_network_has_its_own_list(void **state)
{
    const struct settings *settings = loaded(*state, "primary_intranet_authentication_providers:\n"
                                                     "  - CertificateAuthentication\n"
                                                     "primary_extranet_authentication_providers: "
                                                     "[FormsAuthentication]\n"
                                                     "extranet_port: 8444\n");

    assert_true(!settings->intranet.password && settings->intranet.certificate);
    assert_true(settings->extranet.password && !settings->extranet.certificate);
    assert_string_equal(settings->extranet_url, "https://localhost:8444");
}

static void what_is_no_provider_here_is_refused_where_it_stands(void **state)
{
    assert_refused(*state,
                   "primary_intranet_authentication_providers:\n"
                   "  - FormsAuthentication\n"
                   "  - WindowsAuthentication\n",
                   3, "WindowsAuthentication");
    assert_refused(*state, "primary_extranet_authentication_providers: [formsauthentication]\n", 1,
                   "formsauthentication");
    assert_refused(*state, "primary_extranet_authentication_providers: [[FormsAuthentication]]\n",
                   1, "primary_extranet_authentication_providers holds");
}

static void a_network_from_which_nobody_could_sign_in_is_refused(void **state)
{
    assert_refused(*state, "primary_extranet_authentication_providers: []\n", 1, "an empty list");
    assert_refused(*state, "primary_extranet_authentication_providers: FormsAuthentication\n", 1,
                   "FormsAuthentication");
}

static void the_extranet_s_port_is_its_own(void **state)
{
    assert_refused(*state, "extranet_port: 49443\n", 1, "certificate_port and extranet_port");
    assert_refused(*state, "extranet_port: 65536\n", 1, "extranet_port is");
}

/* requests ------------------------------------------------------------------------------------- */

/* A server with an extranet that takes passwords only. */
struct scene {
    struct lanyard lanyard;
    struct snapshot snapshot;
    struct dice dice;
};

static struct request set_scene(struct place *place, struct scene *scene, const char *text)
{
    scene->dice = dice_of_system();
    scene->lanyard.waiting = waiting_room_new(place->arena);
    scene->snapshot.settings = loaded(place, text);
    return (struct request){
        .arena = place->arena, .snapshot = &scene->snapshot, .remote = "192.0.2.1"};
}

#define WITH_EXTRANET                                                                              \
    "extranet_port: 8444\nprimary_extranet_authentication_providers: [FormsAuthentication]\n"

static const char *send_away(struct place *place, struct scene *scene, bool extranet)
{
    return waiting_begin(
        scene->lanyard.waiting, place->arena, &scene->dice,
        &(struct traveller){.remote = "192.0.2.1", .query = "wa=wsignin1.0", .extranet = extranet},
        1000);
}

static bool comes_back(struct scene *scene, const struct request *request, const char *ticket,
                       bool asked)
{
    struct request back = *request;

    fields_add(back.arena, &back.form, "Ticket", ticket);
    back.shown.asked = asked;
    back.port = PORT_CERTIFICATE;
    back.now.monotonic = 2000;
    return network_is_extranet(&scene->lanyard, &back);
}

static void the_port_decides_and_nothing_that_a_client_says(void **state)
{
    struct scene scene = {0};
    struct request request = set_scene(*state, &scene, WITH_EXTRANET);

    for (request.port = 0; request.port < PORT_COUNT; request.port++) {
        assert_int_equal(network_is_extranet(&scene.lanyard, &request),
                         request.port == PORT_EXTRANET);
    }
}

static void who_was_sent_away_from_the_extranet_comes_back_from_there(void **state)
{
    struct place *place = *state;
    struct scene scene = {0};
    struct request request = set_scene(place, &scene, WITH_EXTRANET);
    const char *outside = send_away(place, &scene, true), *inside = send_away(place, &scene, false);

    assert_true(comes_back(&scene, &request, outside, true));
    assert_true(comes_back(&scene, &request, outside, true)); /* a second time as well */
    assert_false(comes_back(&scene, &request, inside, true));
    assert_false(comes_back(&scene, &request, outside, false)); /* the main port needs no ticket */
}

static void whoever_came_through_a_proxy_comes_back_from_outside_without_it(void **state)
{
    struct place *place = *state;
    struct scene outer = {0}, inner = {0};
    struct request through =
        set_scene(place, &outer,
                  "trusted_proxies:\n"
                  "  - {name: out, addresses: [192.0.2.7]}\n"
                  "  - {name: in, addresses: [192.0.2.8], network: intranet}\n");
    struct request within =
        set_scene(place, &inner,
                  "trusted_proxies:\n"
                  "  - {name: in, addresses: [192.0.2.8], network: intranet}\n");

    assert_true(comes_back(&outer, &through, send_away(place, &outer, true), true));
    assert_false(comes_back(&outer, &through, send_away(place, &outer, false), true));
    assert_false(comes_back(&inner, &within, send_away(place, &inner, true), true));
}

static void a_ticket_that_nobody_knows_makes_no_insider(void **state)
{
    struct place *place = *state;
    struct scene scene = {0}, closed = {0};
    struct request request = set_scene(place, &scene, WITH_EXTRANET);
    struct request elsewhere = set_scene(place, &closed, "lab: true\n");

    assert_true(comes_back(&scene, &request, "", true));
    assert_true(comes_back(&scene, &request, "00112233445566778899aabbccddeeff", true));
    assert_false(comes_back(&closed, &elsewhere, "00112233445566778899aabbccddeeff", true));
}

static void a_network_offers_what_it_allows_but_no_password_where_tls_asks(void **state)
{
    struct scene scene = {0};
    struct request request = set_scene(*state, &scene, WITH_EXTRANET);
    struct methods_offered offered = network_methods(&request);

    assert_true(offered.password && offered.certificate && !offered.extranet);
    assert_string_equal(network_home(&request), "https://localhost:8443");
    request.extranet = true;
    offered = network_methods(&request);
    assert_true(offered.password && !offered.certificate && offered.extranet);
    assert_string_equal(network_home(&request), "https://localhost:8444");
    request.shown.asked = true;
    offered = network_methods(&request);
    assert_true(!offered.password && !offered.certificate);
    request.extranet = false;
    offered = network_methods(&request);
    assert_true(!offered.password && offered.certificate);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(nobody_said_so_both_networks_allow_both_and_there_is_no_extranet),
        IN_A_FOLDER(each_network_has_its_own_list),
        IN_A_FOLDER(what_is_no_provider_here_is_refused_where_it_stands),
        IN_A_FOLDER(a_network_from_which_nobody_could_sign_in_is_refused),
        IN_A_FOLDER(the_extranet_s_port_is_its_own),
        IN_A_FOLDER(the_port_decides_and_nothing_that_a_client_says),
        IN_A_FOLDER(who_was_sent_away_from_the_extranet_comes_back_from_there),
        IN_A_FOLDER(whoever_came_through_a_proxy_comes_back_from_outside_without_it),
        IN_A_FOLDER(a_ticket_that_nobody_knows_makes_no_insider),
        IN_A_FOLDER(a_network_offers_what_it_allows_but_no_password_where_tls_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
