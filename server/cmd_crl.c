/*
 * server/cmd_crl.c: `lanyard crl`: issues the lab's CRLs now; also ones that have run out, since a
 * lab exists to see what they do.
 */
#include "server/cmd_cert.h"

#include <stdio.h>

static void tell(const struct cert_lab *opened, const struct lab_crls *how)
{
    static const char *const names[] = {LAB_ROOT_CRL, LAB_ISSUING_CRL, LAB_ISSUING_DELTA};

    for (size_t i = how->delta_only ? 2 : 0; i < COUNT_OF(names); i++) {
        printf("%s\n", path_join(opened->arena, opened->lab.folder, names[i]));
    }
    if (how->has_life && how->life == 0) {
        fputs("They have run out already. A server of this lab issues them anew within the hour, "
              "and at its start.\n",
              stderr);
    }
    cert_lab_tell_server(opened);
}

static enum status run_crl(const struct arguments *arguments)
{
    struct error error = error_in(arguments->arena);
    struct cert_lab opened = {0};
    struct lab_crls how = {.delta_only = argument_of(arguments, "--delta") != NULL,
                           .has_life = argument_of(arguments, "--days") != NULL};
    int64_t days = 0;

    if (!cert_read_days(arguments, 0, &days, &error)
        || !cert_lab_open(arguments, &opened, &error)) {
        return command_failed(&error);
    }
    how.life = days * CERT_DAY;
    if (!lab_issue_crls_as(opened.arena, &opened.lab, &how, &error)) {
        return command_failed(&error);
    }
    tell(&opened, &how);
    return STATUS_YES;
}

static const struct option crl_options[] = {
    OPTION_SETTINGS,
    {"--delta", NULL, NULL, "the issuing CA's delta CRL alone"},
    {"--days", "N", NULL, "until the next update; 0: they have run out at once"},
    OPTION_CLOCK,
};

const struct command command_crl = {
    .words = "crl",
    .arguments = "",
    .summary = "issues the lab's CRLs anew",
    .help = "Issues the CRLs of both CAs and the issuing CA's delta CRL now, with everything that\n"
            "is revoked and with the next CRL number. By default they last 180 days (root), seven\n"
            "(issuing) and one (delta). A server that runs does this by itself in time.",
    .options = crl_options,
    .option_count = COUNT_OF(crl_options),
    .run = run_crl,
};
