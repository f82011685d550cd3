#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Goal: the first minute with Baton: a broker, a command as server, requests out of a pipe, and all
# that can be asked about them.
# Method: the lines a newcomer types, with an endpoint of our own; answers are compared.
. "$(dirname "$0")/command_support.sh"

start_broker
expect_ask 0 servers
expect_text err "no server is known yet"
expect_ask 1 explain --require 'algo = "sha256"'
expect_text out "no server is known"

start_server --name first --offer algo=sha256 --offer cores=4 -- sha256sum
echo hi >"$dir/in.log"
expect_send 0 --require 'algo = "sha256"'
expect_output "$(echo hi | sha256sum)"

expect_ask 0 servers
expect_text out 'algo="sha256"'
expect_ask 0 explain --require 'algo = "sha256" and cores >= 4'
expect_text out first
expect_ask 1 explain --require 'cores > 4'
expect_text out 'cores > 4'
expect_ask 2 explain --require 'cores >'
expect_ask 2 explain

expect_send 0 --require 'algo = "sha256"' one two
expect_output "$(for i in one two; do printf %s $i | sha256sum; done)"

seq 300 >"$dir/in.log"
expect_send 0 --require 'algo = "sha256"' --session lines --each-line
expect_output "$(while read -r line; do printf %s "$line" | sha256sum; done <"$dir/in.log")"
expect_ask 0 sessions
expect_text out lines
expect_ask 0 sessions --json --session lines
python3 - "$dir/out.log" <<'P' || fail "sessions --json is not what it should be"
import json, sys
(row,) = json.load(open(sys.argv[1]))
assert row["session"] == "lines" and row["requests_open"] == 0, row
assert row["responses_waiting"] == 0, row
P

printf '\377\000' >"$dir/in.log"
expect_send 0 --require 'algo = "sha256"' --json
python3 - "$dir/out.log" <<'P' || fail "send --json is not what it should be"
import hashlib, json, sys
row = json.load(open(sys.argv[1]))
assert row["status"] == "reply" and row["request"] == 1, row
assert row["body"] == hashlib.sha256(b"\xff\0").hexdigest() + "  -\n", row
P

expect_ask 0 status
expect_text out manager
expect_ask 0 status --json
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["findings"] == []' \
    "$dir/out.log" || fail "status --json is not what it should be"

kill -TERM "$server"
wait "$server" || fail "a server that is told to go ends with $?"
expect_ask 0 servers
expect_text out first
kill -TERM "$broker"
wait "$broker" || fail "a broker that is told to go ends with $?"
