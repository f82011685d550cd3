// SPDX-License-Identifier: MPL-2.0
// link.c has the line to the manager: which broker, HELLO, epoch, heartbeats, silence, and whose
// turn it is to send. What is said over the line is the business of sessions and actors.
#include "proto/link_inner.h"

#include "proto/assert.h"

#include <stddef.h>
#include <string.h>

// Wait before the first new dial; doubles up to LIMIT_DIAL_RETRY_MAX_MS.
#define RETRY_FIRST_MS 100u
// Bounds of what a broker may ask for, so that a strange figure cannot stop or drown us.
#define HEARTBEAT_MIN_MS 20u
#define HEARTBEAT_MAX_MS 60000u
#define RETRY_AFTER_MIN_MS 10u
#define RETRY_AFTER_MAX_MS 10000u

static void
set_defaults (struct link *link)
{
    link->heartbeat_ms = LIMIT_HEARTBEAT_MS;
    link->silent_ms = LIMIT_END_SILENT_MS;
    link->body_max_bytes = LIMIT_BODY_MAX_BYTES;
    link->restart_data_max_bytes = LIMIT_RESTART_DATA_MAX_BYTES;
    link->unacked_max_count = LIMIT_UNACKED_MAX_COUNT;
    link->retry_ms = RETRY_FIRST_MS;
    link->alarm_ns = LINK_NEVER_NS;
    link->state = LINK_RETRY;
    link->doing = DOING_NOTHING;
}

enum baton_err
link_new (const struct memory *memory, const struct link_options *options, uint64_t now_ns,
          struct link **link)
{
    ASSERT (options->role == END_CLIENT || options->role == END_SERVER);
    ASSERT (options->endpoints_count > 0);
    *link = NULL;
    if (options->name.size > LIMIT_NAME_MAX_BYTES) return BATON_BAD_ARGUMENT;
    struct link *self = memory_alloc (memory, sizeof *self);
    if (!self) return BATON_NO_MEMORY;

    memset (self, 0, sizeof *self);
    self->memory = *memory;
    self->role = options->role;
    self->instance = options->instance;
    self->endpoints_count = options->endpoints_count;
    self->random = options->seed | 1u;
    self->now_ns = now_ns;
    self->dial_ns = now_ns;
    if (options->name.size > 0) {
        memcpy (self->name, options->name.data, options->name.size);
    }
    self->name_bytes = options->name.size;
    set_defaults (self);
    ring_init (&self->ends);
    ring_init (&self->work);
    server_init (self);
    *link = self;
    return BATON_OK;
}

void
link_free (struct link **link)
{
    struct link *self = *link;
    if (!self) return;

    while (!ring_is_empty (&self->ends)) {
        struct link_end *end = RING_ITEM (self->ends.next, struct link_end, all);
        if (self->role == END_CLIENT) {
            session_free (end);
        } else {
            actor_free (end);
        }
    }
    server_fini (self);
    struct memory memory = self->memory;
    memory_release (&memory, self, sizeof *self);
    *link = NULL;
}

void
link_keep_text (char text[LINK_TEXT_MAX], struct baton_bytes from)
{
    size_t size = from.size < LINK_TEXT_MAX - 1 ? from.size : LINK_TEXT_MAX - 1;
    if (size > 0) {
        memcpy (text, from.data, size);
    }
    text[size] = 0;
}

void
link_fail (struct link *link, enum baton_err error, struct baton_bytes text)
{
    if (link->error) return;

    link->error = error;
    link_keep_text (link->error_text, text);
}

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
static void
leave_line (struct link *link)
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
        leave_line (link);
    }
}

void
link_lost (struct link *link, uint64_t now_ns)
{
    link->now_ns = now_ns;
    link_stumble (link);
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
static void
begin (struct link *link)
{
    link->state = LINK_SERVED;
    link->retry_ms = RETRY_FIRST_MS;
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

static uint64_t
patience_ms (const struct link *link)
{
    // Before the welcome, with others to try: a dead first endpoint must not cost seconds.
    if (link->state == LINK_GREETING && link->endpoints_count > 1) return link->heartbeat_ms;
    return link->silent_ms;
}

void
link_step (struct link *link, uint64_t now_ns)
{
    ASSERT (now_ns >= link->now_ns);
    // Whoever was away himself accuses nobody of silence.
    if (now_ns - link->now_ns > LIMIT_STALL_MS * LINK_NS_PER_MS) {
        link->heard_ns += now_ns - link->now_ns;
    }
    link->now_ns = now_ns;
    if (link->error || link->state == LINK_RETRY) return;

    if (now_ns - link->heard_ns > patience_ms (link) * LINK_NS_PER_MS) {
        leave_line (link);
        return;
    }
    if (link->state == LINK_SETTLING && now_ns >= link->settle_ns) {
        begin (link);
    }
    end_ring_alarms (link);
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
        leave_line (link);
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
        begin (link);
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

static void
say (struct link *link, struct link_action *action, enum link_doing doing, enum msg_kind kind)
{
    action->kind = LINK_SEND;
    action->msg.kind = kind;
    action->msg.epoch = link->epoch;
    link->doing = doing;
    link->doing_kind = kind;
}

static void
say_hello (struct link *link, struct link_action *action)
{
    say (link, action, DOING_HELLO, MSG_HELLO);
    action->msg.hello = (struct msg_hello) {
        .role = link->role,
        .instance = link->instance,
        .name = {link->name, link->name_bytes},
        .group = link->group,
    };
}

// Gives the turn to the first end that has something to send.
static bool
end_turn (struct link *link, struct link_action *action)
{
    while (!ring_is_empty (&link->work)) {
        struct link_end *end = RING_ITEM (link->work.next, struct link_end, work);
        bool sends = link->role == END_CLIENT ? session_next (end, &action->msg)
                                              : actor_next (end, &action->msg);
        if (sends) {
            say (link, action, DOING_END, action->msg.kind);
            link->doing_end = end;
            return true;
        }
        ring_remove (&end->work);
    }
    return false;
}

// A heartbeat asks for an answer, so it is due also when we talk and the manager is quiet.
static uint64_t
heartbeat_due_ns (const struct link *link)
{
    uint64_t asked_ns = link->heard_ns > link->heartbeat_sent_ns ? link->heard_ns
                                                                 : link->heartbeat_sent_ns;
    uint64_t since_ns = link->sent_ns < asked_ns ? link->sent_ns : asked_ns;
    return since_ns + link->heartbeat_ms * LINK_NS_PER_MS;
}

static void
served_next (struct link *link, struct link_action *action)
{
    if (server_offer_next (link, &action->msg)) {
        say (link, action, DOING_OFFER, MSG_OFFER);
    } else if (end_turn (link, action)) {
        return;
    } else if (link->leaving == LINK_LEAVES) {
        say (link, action, DOING_GOODBYE, MSG_GOODBYE);
    } else if (link->now_ns >= heartbeat_due_ns (link)) {
        say (link, action, DOING_HEARTBEAT, MSG_HEARTBEAT);
    }
}

void
link_next (struct link *link, struct link_action *action)
{
    memset (action, 0, sizeof *action);
    action->kind = LINK_IDLE;
    link->doing = DOING_NOTHING;
    link->doing_end = NULL;
    if (link->error || link->leaving == LINK_LEFT) return;

    switch (link->state) {
    case LINK_RETRY:
        if (link->now_ns < link->dial_ns) return;
        action->kind = LINK_DIAL;
        action->endpoint_index = link->endpoint_index;
        link->doing = DOING_DIAL;
        return;
    case LINK_GREETING:
        if (link->now_ns >= link->hello_ns) {
            say_hello (link, action);
        }
        return;
    case LINK_SETTLING: return;
    case LINK_SERVED: served_next (link, action); return;
    }
}

static void
dialled (struct link *link)
{
    link->state = LINK_GREETING;
    link->hello_ns = link->now_ns;
    link->heard_ns = link->now_ns;
    link->hellos_unanswered = 0;
}

static void
end_done (struct link *link)
{
    struct link_end *end = link->doing_end;
    ASSERT (end);
    // To the end of the row: ends take turns.
    ring_remove (&end->work);
    end_wake (end);
    if (link->role == END_CLIENT) {
        session_done (end, link->doing_kind);
    } else {
        actor_done (end, link->doing_kind);
    }
}

void
link_done (struct link *link)
{
    enum link_doing doing = link->doing;
    link->doing = DOING_NOTHING;
    if (doing == DOING_DIAL) {
        dialled (link);
        return;
    }
    link->sent_ns = link->now_ns;
    switch (doing) {
    case DOING_HELLO:
        link->hellos_unanswered++;
        link->hello_ns = link->now_ns + LIMIT_HELLO_RETRY_MS * LINK_NS_PER_MS;
        return;
    case DOING_OFFER: link->server.offer.standing = END_WAITS; return;
    case DOING_END: end_done (link); return;
    case DOING_HEARTBEAT: link->heartbeat_sent_ns = link->now_ns; return;
    case DOING_GOODBYE: link->leaving = LINK_LEFT; return;
    case DOING_NOTHING:
    case DOING_DIAL: return;
    }
}

static uint64_t
earlier (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t
link_deadline_ns (const struct link *link)
{
    if (link->error || link->leaving == LINK_LEFT) return LINK_NEVER_NS;

    uint64_t silent_ns = link->heard_ns + patience_ms (link) * LINK_NS_PER_MS + 1;
    switch (link->state) {
    case LINK_RETRY: return link->dial_ns;
    case LINK_GREETING: return earlier (link->hello_ns, silent_ns);
    case LINK_SETTLING: return earlier (link->settle_ns, silent_ns);
    case LINK_SERVED: break;
    }
    uint64_t due_ns = earlier (heartbeat_due_ns (link), earlier (link->alarm_ns, silent_ns));
    if (link->server.offer.standing == END_MUST_OPEN) {
        due_ns = earlier (due_ns, link->server.offer.hold_ns);
    }
    return due_ns;
}

void
link_goodbye (struct link *link)
{
    if (link->leaving == LINK_STAYS) {
        link->leaving = LINK_LEAVES;
    }
}

bool
link_is_over (const struct link *link)
{
    return link->leaving == LINK_LEFT;
}

enum baton_err
link_error (const struct link *link)
{
    return link->error;
}

const char *
link_error_text (const struct link *link)
{
    return link->error_text;
}

struct epoch
link_epoch (const struct link *link)
{
    return link->epoch;
}

bool
link_is_served (const struct link *link)
{
    return !link->error && link->state == LINK_SERVED;
}

uint32_t
link_heartbeat_ms (const struct link *link)
{
    return link->heartbeat_ms;
}

const struct link_counters *
link_counters (const struct link *link)
{
    return &link->counters;
}
