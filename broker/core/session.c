// SPDX-License-Identifier: MPL-2.0
#include "broker/core/session.h"

const struct request *
session_request (const struct session *session, struct request_seq seq)
{
    return ring_at (&session->requests, seq.n);
}

const struct response *
session_response (const struct session *session, struct response_seq seq)
{
    return ring_at (&session->responses, seq.n);
}

bool
session_is_suspect (const struct session *session, struct request_seq seq)
{
    return seq.n <= session->suspect_through.n;
}
