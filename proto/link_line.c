// SPDX-License-Identifier: MPL-2.0
// link_line.c has the line to the manager: which broker, welcome, epoch, refusals that are about
// the line itself, and starting over. What is said over it is the business of its ends.
#include "proto/link_inner.h"

#include "proto/assert.h"

#include <stddef.h>

// Bounds of what a broker may ask for, so that a strange figure cannot stop or drown us.
#define HEARTBEAT_MIN_MS 20u
#define HEARTBEAT_MAX_MS 60000u
#define RETRY_AFTER_MIN_MS 10u
#define RETRY_AFTER_MAX_MS 10000u

enum baton_err
link_error_of (enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NO_MATCH: return BATON_NO_MATCH;
    case REFUSAL_FENCED: return BATON_FENCED;
    case REFUSAL_NO_SUCH_SESSION:
    case REFUSAL_CLOSED: return BATON_CLOSED;
    case REFUSAL_DENIED: return BATON_DENIED;
    case REFUSAL_TOO_LARGE: return BATON_TOO_LARGE;
    case REFUSAL_BAD_VERSION: return BATON_BAD_VERSION;
    case REFUSAL_BUSY: return BATON_BUSY;
    case REFUSAL_UNAVAILABLE: return BATON_UNAVAILABLE;
    case REFUSAL_HELLO_FIRST:
    case REFUSAL_GAP:
    case REFUSAL_DUPLICATE:
    case REFUSAL_OLD_EPOCH:
    case REFUSAL_MALFORMED:
    case REFUSAL_MOVED:
    case REFUSAL_EXPIRED:
    case REFUSAL_CANCELLED:
    case REFUSAL_FAILED: return BATON_REFUSED;
    }
    return BATON_REFUSED;
}

uint64_t
link_retry_ns (const struct link *link, const struct msg_refused *refused)
{
    uint32_t wait_ms = refused->retry_after_ms;
    if (wait_ms < RETRY_AFTER_MIN_MS) {
        wait_ms = RETRY_AFTER_MIN_MS;
    } else if (wait_ms > RETRY_AFTER_MAX_MS) {
        wait_ms = RETRY_AFTER_MAX_MS;
    }
    return link->now_ns + wait_ms * LINK_NS_PER_MS;
}

// Marsaglia's xorshift: spreads retries, nothing else depends on it.
static uint64_t
draw (struct link *link)
{
    link->random ^= link->random << 13;
    link->random ^= link->random >> 7;
    link->random ^= link->random << 17;
    return link->random;
}

// Leaves this line for the next broker in the list, after a random wait.
void
link_leave_line (struct link *link)
{
    if (link->state == LINK_SETTLING || link->state == LINK_SERVED) {
        link->counters.links_lost++;
    }
    uint64_t wait_ms = draw (link) % link->retry_ms;
    link->retry_ms *= 2;
    if (link->retry_ms > LIMIT_DIAL_RETRY_MAX_MS) {
        link->retry_ms = LIMIT_DIAL_RETRY_MAX_MS;
    }
    link->endpoint_index = (link->endpoint_index + 1) % link->endpoints_count;
    link->dial_ns = link->now_ns + wait_ms * LINK_NS_PER_MS;
    link->state = LINK_RETRY;
}

void
link_stumble (struct link *link)
{
    if (link->state != LINK_RETRY) {
        link_leave_line (link);
    }
}

void
link_lost (struct link *link, uint64_t now_ns)
{
    link->now_ns = now_ns;
    link_leave_line (link);
}

// Says HELLO on the line that there is: it does not know us, or not this reign's us.
static void
greet_again (struct link *link)
{
    if (link->state == LINK_RETRY || link->state == LINK_GREETING) return;

    link->state = LINK_GREETING;
    link->hello_ns = link->now_ns;
    link->hellos_unanswered = 0;
}

// Everything is said anew: offers, sessions, and all that is not acknowledged.
void
link_begin (struct link *link)
{
    link->state = LINK_SERVED;
    link->retry_ms = LINK_RETRY_FIRST_MS;
    link->hellos_unanswered = 0;
    link->counters.welcomes++;
    server_begin (link);
    for (struct ring *node = link->ends.next; node != &link->ends; node = node->next) {
        struct link_end *end = RING_ITEM (node, struct link_end, all);
        if (link->role == END_CLIENT) {
            session_begin (end);
        } else {
            actor_begin (end);
        }
        end_wake (end);
    }
}

static uint32_t
clamp_ms (uint32_t asked_ms, uint32_t default_ms)
{
    if (asked_ms == 0) return default_ms;
    if (asked_ms < HEARTBEAT_MIN_MS) return HEARTBEAT_MIN_MS;
    return asked_ms > HEARTBEAT_MAX_MS ? HEARTBEAT_MAX_MS : asked_ms;
}

// Takes what the manager told of itself. A figure of 0 says nothing and keeps the default.
static void
take_terms (struct link *link, const struct msg_welcome *welcome)
{
    link->heartbeat_ms = clamp_ms (welcome->heartbeat_ms, LIMIT_HEARTBEAT_MS);
    link->silent_ms = clamp_ms (welcome->silent_ms, LIMIT_END_SILENT_MS);
    if (link->silent_ms < link->heartbeat_ms * 2) {
        link->silent_ms = link->heartbeat_ms * 2;
    }
    if (welcome->body_max_bytes > 0 && welcome->body_max_bytes < LIMIT_BODY_MAX_BYTES) {
        link->body_max_bytes = welcome->body_max_bytes;
    }
    if (welcome->restart_data_max_bytes > 0
        && welcome->restart_data_max_bytes < LIMIT_RESTART_DATA_MAX_BYTES) {
        link->restart_data_max_bytes = welcome->restart_data_max_bytes;
    }
    if (welcome->unacked_max_count > 0 && welcome->unacked_max_count < LIMIT_UNACKED_MAX_COUNT) {
        link->unacked_max_count = welcome->unacked_max_count;
    }
}

// A broker that is no manager: the next in the list may be; else this one may become it.
static void
take_no_manager (struct link *link)
{
    if (link->endpoints_count > 1) {
        link_leave_line (link);
        return;
    }
    greet_again (link);
    link->hello_ns = link->now_ns + LIMIT_HELLO_RETRY_MS * LINK_NS_PER_MS;
}

// HELLOs that waited for the connection are all answered; only the last answer counts, since
// everything is said anew after it.
static void
settle (struct link *link)
{
    if (link->hellos_unanswered > 0) {
        link->hellos_unanswered--;
    }
    if (link->hellos_unanswered == 0) {
        link_begin (link);
        return;
    }
    link->state = LINK_SETTLING;
    link->settle_ns = link->now_ns + LIMIT_HELLO_RETRY_MS / 2 * LINK_NS_PER_MS;
}

static void
take_welcome (struct link *link, struct epoch epoch, const struct msg_welcome *welcome)
{
    if (link->state == LINK_RETRY) return;
    link->heard_ns = link->now_ns;
    if (!id_is_none (link->group) && !id_equal (link->group, welcome->group)) {
        link->epoch = (struct epoch) {0};
        link_fail (link, BATON_FOREIGN_GROUP, (struct baton_bytes) {0});
        return;
    }
    if (welcome->role != BROKER_MANAGER || epoch_is_newer (link->epoch, epoch)) {
        take_no_manager (link);
        return;
    }
    link->group = welcome->group;
    link->epoch = epoch;
    take_terms (link, welcome);
    settle (link);
}

// Refusals that are about the line, not about what was said over it. Returns whether this was one.
static bool
take_line_refusal (struct link *link, const struct msg_refused *refused)
{
    if (refused->refusal == REFUSAL_HELLO_FIRST || refused->refusal == REFUSAL_OLD_EPOCH) {
        greet_again (link);
        return true;
    }
    if (refused->refusal == REFUSAL_MOVED) {
        take_no_manager (link);
        return true;
    }
    if (refused->kind != MSG_HELLO) return false;

    link->heard_ns = link->now_ns;
    if (refused->refusal == REFUSAL_UNAVAILABLE || refused->refusal == REFUSAL_BUSY) {
        link->hello_ns = link_retry_ns (link, refused);
    } else {
        link_fail (link, link_error_of (refused->refusal), refused->text);
    }
    return true;
}

// The server's own name was taken by a new process: that concerns all of this end.
static bool
take_end_of_server (struct link *link, const struct msg_refused *refused)
{
    if (link->role != END_SERVER || refused->refusal != REFUSAL_FENCED) return false;
    if (!id_is_none (refused->actor) || !id_is_none (refused->session)) return false;

    link_fail (link, BATON_FENCED, refused->text);
    return true;
}

static void
dispatch (struct link *link, const struct msg *msg)
{
    link->heard_ns = link->now_ns;
    if (msg->kind == MSG_HEARTBEAT) return;
    if (msg->kind == MSG_COMMITTED) {
        end_take_committed (link, &msg->committed);
        return;
    }
    if (msg->kind == MSG_REFUSED && take_end_of_server (link, &msg->refused)) return;

    if (link->role == END_CLIENT) {
        session_take (link, msg);
    } else {
        actor_take (link, msg);
    }
}

void
link_take (struct link *link, uint64_t now_ns, const struct msg *msg)
{
    if (now_ns > link->now_ns) {
        link->now_ns = now_ns;
    }
    if (link->error || link->state == LINK_RETRY) return;

    if (msg->kind == MSG_WELCOME) {
        take_welcome (link, msg->epoch, &msg->welcome);
        return;
    }
    if (msg->kind == MSG_REFUSED && take_line_refusal (link, &msg->refused)) return;
    if (link->state == LINK_GREETING || epoch_is_newer (link->epoch, msg->epoch)) {
        link->counters.ignored++;
        return;
    }
    if (epoch_is_newer (msg->epoch, link->epoch)) {
        // A reign began and its WELCOME did not reach us: only that may raise our epoch.
        link->counters.ignored++;
        greet_again (link);
        return;
    }
    dispatch (link, msg);
}

void
link_ignore (struct link *link)
{
    link->counters.ignored++;
}
