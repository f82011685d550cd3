#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Goal: whoever cannot be reached, or is asked wrongly, is named with what to do next, and the exit
# code is that of docs/man/baton.1.
# Method: no store, no broker, a killed broker, a silent endpoint, wrong command lines.
. "$(dirname "$0")/command_support.sh"

expect_code 2 "$bin/baton"
expect_code 2 "$bin/baton" nonsense
expect_text err "'nonsense' is no verb"
for verb in status sessions servers explain send serve; do
    expect_code 0 "$bin/baton" "$verb" --help
    expect_text out "usage: baton $verb"
    expect_code 2 "$bin/baton" "$verb" --nonsense
done
expect_code 2 "$bin/baton" serve
expect_code 2 "$bin/baton" serve -- /no/such/command
expect_code 2 "$bin/baton" serve --capacity 0 -- cat
expect_code 2 "$bin/baton" serve --endpoint nonsense -- cat
expect_code 2 "$bin/baton" serve --offer nonsense -- cat
expect_text err "--offer takes KEY=VALUE"
expect_code 2 "$bin/baton" send --resume
expect_code 2 "$bin/baton" send --timeout soon x
expect_code 2 "$bin/baton" send --endpoint nonsense x

expect_ask 3 status
expect_text err "no store at $dir/store"
"$bin/batond" --format "$dir/store" >"$dir/format.log" 2>&1
expect_ask 3 sessions
expect_text err "no broker runs on the store $dir/store"
expect_code 2 "$bin/baton" status --store "/tmp/$(printf 'x%.0s' {1..120})"

start_broker
expect_ask 0 status
expect_ask 4 explain --session nobody
expect_send 2 --require 'cores >' x
head -c 1048577 /dev/zero >"$dir/in.log"
expect_send 2
expect_text err "over the limit of 1048576 bytes"
kill -9 "$broker"
wait "$broker" || true

# The socket is still there, but nobody behind it.
expect_ask 3 servers
expect_text err "start \`batond --store $dir/store\`"
expect_send 3 x
expect_text err "no broker answers at $ends within 5 s"
