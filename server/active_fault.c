/*
 * server/active_fault.c: how a refusal leaves an active endpoint: as a SOAP fault with status 500
 * (decision 6), and one event for the log. What the message got wrong is told to whoever sent it;
 * what goes on in here is told to nobody but the log and, in a lab, the person at the other end
 * (decision 25). A wrong password never says more than that.
 */
#include "server/active.h"
#include "server/refusal.h"

#define EVENT_WS_TRUST 111 /* "… an error while processing the WS-Trust request." */
#define EVENT_NO_CERTIFICATE 360

static enum soap_fault fault_of(const struct active *active, const struct error *error)
{
    switch (error->fault) {
    case FAULT_MALFORMED:
    case FAULT_TOO_LARGE:
        return active->asked.fault;
    case FAULT_PASSWORD:
    case FAULT_CERTIFICATE:
        return SOAP_FAULT_FAILED_AUTHENTICATION;
    case FAULT_NOT_AUTHORIZED:
    case FAULT_METHOD:        /* a second factor is wanted, and there is none here, … */
    case FAULT_SECOND_FACTOR: /* … or none that WS-Trust could ask for */
        return SOAP_FAULT_ACCESS_DENIED;
    case FAULT_UNKNOWN_PARTY:
        return SOAP_FAULT_INVALID_SCOPE;
    case FAULT_BUSY:
        return SOAP_FAULT_BUSY;
    default:
        return SOAP_FAULT_FAILED;
    }
}

static int event_of(const struct active *active, const struct error *error)
{
    bool is_without = error->fault == FAULT_CERTIFICATE && active->request->shown.count == 0;

    return is_without ? EVENT_NO_CERTIFICATE : EVENT_WS_TRUST;
}

void active_refuse(const struct active *active, const struct error *error)
{
    const struct request *request = active->request;
    struct response *response = active->response;
    bool may_tell = request->snapshot->settings->lab && error->fault != FAULT_PASSWORD;
    struct fault_message message = {
        .fault = fault_of(active, error),
        .version = active_facts[active->endpoint].version,
        .reason = error_sentence(error),
        .detail = may_tell ? error_sentence(error) : NULL,
        .relates_to = active->asked.message_id,
        .unknown_space = active->asked.unknown_space,
        .unknown_name = active->asked.unknown_name,
        .has_security = active->asked.has_security,
        .now = request->now.wall,
    };

    response->status = 500;
    response->headers = (struct fields){0};
    response->content_type = SOAP_CONTENT_TYPE;
    response->body = text_in(request->arena);
    fault_write(&message, &response->body);
    event_tell(active->lanyard->events, &(struct event){.name = "request",
                                                        .outcome = OUTCOME_REFUSED,
                                                        .adfs_id = event_of(active, error),
                                                        .activity_id = request->activity_id,
                                                        .remote = request->remote,
                                                        .party = active->asked.applies_to,
                                                        .why = error_sentence(error),
                                                        .detail = refusal_of(error->fault)->audit});
}
