/*
 * server/refusal.h: what each kind of refusal means to those who meet it. The place that notices
 * gives a fault and a sentence for the log; this table says what anybody else may know.
 */
#ifndef LANYARD_REFUSAL_H
#define LANYARD_REFUSAL_H

#include "server/server.h"

/* What each listener may know of a fault. Nothing here depends on what a stranger sent. */
struct refusal {
    const char *audit;    /* a stable word for the log and for metrics: "unknown-party" */
    int http_status;      /* decision 6 */
    const char *code;     /* AD FS's "MSIS7007", or NULL where it has none */
    const char *sentence; /* what a person may read; {name}s are filled by refusal_sentence */
    const char *advice;   /* what the person can do about it */
    int adfs_event;       /* AD FS's event id, or 0 */
};

/* The row of a fault; that of FAULT_INTERNAL for one that is out of range. */
const struct refusal *refusal_of(enum fault fault);

/*
 * The sentence, preceded by its code if it has one ("MSIS7007: The requested …"), with {party},
 * {path}, {requests} and {seconds} taken from `about` ("" where absent). Not escaped:
 * whoever shows it escapes it for that place.
 */
const char *refusal_sentence(struct arena *arena, enum fault fault, const struct fields *about);

/*
 * Adds to the values of PAGE_ERROR what the table says of the fault: advice, and the sentence as
 * error_details where it has AD FS's code (the page then opens with AD FS's own words), else as
 * message.
 */
void refusal_describe(struct arena *arena, enum fault fault, const struct fields *about,
                      struct fields *values);

/* refuse.c ------------------------------------------------------------------------------- */

/*
 * The one way out for a request that gets no: the error page in place of whatever was begun, its
 * status, and one event for the log. Of the headers only Allow stays: a refusal sets no cookie and
 * leads nowhere. What `error` says is for the log; only a lab's page shows it.
 */
void refuse(struct lanyard *lanyard, const struct request *request, struct response *response,
            const struct error *error);

#endif
