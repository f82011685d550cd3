// SPDX-License-Identifier: MPL-2.0
// link.c has the clockwork of an end: what to do now, what time does to it, when to come back.
// What the manager says about the line is link_line.c; about sessions, their own files.
#include "proto/link_inner.h"

#include "proto/assert.h"

#include <stddef.h>
#include <string.h>

static void
set_defaults (struct link *link)
{
    link->heartbeat_ms = LIMIT_HEARTBEAT_MS;
    link->silent_ms = LIMIT_END_SILENT_MS;
    link->body_max_bytes = LIMIT_BODY_MAX_BYTES;
    link->restart_data_max_bytes = LIMIT_RESTART_DATA_MAX_BYTES;
    link->unacked_max_count = LIMIT_UNACKED_MAX_COUNT;
    link->retry_ms = LINK_RETRY_FIRST_MS;
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
    self->task_extra_bytes = (options->task_extra_bytes + 15u) / 16u * 16u;
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
        link_leave_line (link);
        return;
    }
    if (link->state == LINK_SETTLING && now_ns >= link->settle_ns) {
        link_begin (link);
    }
    end_ring_alarms (link);
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

bool
link_has_work (const struct link *link)
{
    return !ring_is_empty (&link->work);
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
