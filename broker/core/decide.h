// SPDX-License-Identifier: MPL-2.0
// decide.h has all rules: what an end said, or the time, becomes one record, an answer from the
// book, or one refusal. Deciding only reads. Lawful reasons to refuse come first, in the order
// rights, epoch, incarnation, version, limits, so that the first wrong thing is what is reported;
// what stands after them may be asserted.
#ifndef BATON_DECIDE_H
#define BATON_DECIDE_H

#include "broker/core/core.h"
#include "broker/core/place.h"
#include "broker/core/record.h"

// What deciding looks at. [link] is NULL if nobody spoke.
struct scene {
    const struct book *book;
    const struct roster *roster;
    const struct core_options *options;
    const struct event *event;
    const struct roster_link *link;
};

enum verdict { VERDICT_NOTHING = 1, VERDICT_ANSWER = 2, VERDICT_REFUSE = 3, VERDICT_RECORD = 4 };

// Room for the arrays of a record in the making.
struct decision_room {
    struct msg_response responses[LIMIT_RECORD_ITEMS_MAX + 1];
    struct record_end_item items[LIMIT_RECORD_ITEMS_MAX];
};

// What was decided, with what announce has to know of the time before.
struct decision {
    enum verdict verdict;
    struct record record;
    struct msg_refused refused;
    struct link_number former_client;  // has to be told that it is fenced, or closed
    struct link_number former_server;
    struct id former_actor;            // whose incarnation ended at [former_server]
    struct incarnation former_incarnation;
    uint32_t dropped_count;            // second answers that were left out
    uint64_t consumed_count;           // requests that a server's commit consumed
    uint64_t consumed_bytes;
    struct decision_room *room;
};

// decide_refuse makes [decision] a refusal of the event's message. Returns VERDICT_REFUSE.
enum verdict
decide_refuse (const struct scene *scene, struct decision *decision, enum refusal refusal,
               const char *text);

// decide_limit makes a refusal that names what was met and the limit.
enum verdict
decide_limit (const struct scene *scene, struct decision *decision, enum refusal refusal,
              const char *text, uint64_t value, uint64_t limit);

// decide_busy makes a BUSY that says about what.
enum verdict
decide_busy (const struct scene *scene, struct decision *decision, enum busy_reason reason,
             const char *text, uint64_t value, uint64_t limit);

// Kinds of work, from the first that overload refuses to the last.
enum work { WORK_NEW = 1, WORK_KEEP = 2, WORK_COMPLETION = 3 };

// decide_memory refuses BUSY(memory), decide_disk BUSY(disk), if there is no room for [work] of
// [size] bytes; VERDICT_NOTHING if there is.
enum verdict
decide_memory (const struct scene *scene, struct decision *decision, enum work work,
               uint64_t size);

enum verdict
decide_disk (const struct scene *scene, struct decision *decision, enum work work, uint64_t size);

// decide_room asks for both.
enum verdict
decide_room (const struct scene *scene, struct decision *decision, enum work work, uint64_t size);

// decide_path refuses HELLO_FIRST to what a client says for [actor] over a path that did not open
// it last: it was said before that OPEN was answered, and is not what the process builds on now.
enum verdict
decide_path (const struct scene *scene, struct decision *decision, const struct actor *actor);

// decide_begin makes the decision a record of [type].
void
decide_begin (struct decision *decision, enum record_type type);

// The rules, one for each thing that can happen.
enum verdict
decide_hello (const struct scene *scene, struct decision *decision);

enum verdict
decide_rights (const struct scene *scene, struct decision *decision);

enum verdict
decide_open (const struct scene *scene, struct decision *decision);

enum verdict
decide_commit (const struct scene *scene, struct decision *decision);

enum verdict
decide_close (const struct scene *scene, struct decision *decision);

enum verdict
decide_reload (const struct scene *scene, struct decision *decision);

enum verdict
decide_credit (const struct scene *scene, struct decision *decision);

enum verdict
decide_offer (const struct scene *scene, struct decision *decision);

enum verdict
decide_goodbye (const struct scene *scene, struct decision *decision);

// decide_silence ends the instance of a server that was not heard for too long.
enum verdict
decide_silence (const struct scene *scene, const struct server *server,
                struct decision *decision);

// decide_expiry retires the offer of [server].
enum verdict
decide_expiry (const struct server *server, struct decision *decision);

// decide_renewal writes an old offer anew, so that it does not pin the front of the log.
enum verdict
decide_renewal (const struct server *server, struct decision *decision);

// decide_life closes a session whose client stayed away.
enum verdict
decide_life (const struct scene *scene, const struct session *session,
             struct decision *decision);

// decide_wants_server tells whether [session] has open work and no server that is current.
bool
decide_wants_server (const struct session *session);

// decide_bind gives [session] a server, if there is one for it.
enum verdict
decide_bind (const struct scene *scene, const struct session *session,
             struct decision *decision);

#endif
