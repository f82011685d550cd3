#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Goal: what goes wrong in a served command, or takes too long, is told as it is, and nothing that
# was accepted is lost.
# Method: commands that fail, talk too much, die or wait for a file; a broker that is killed.
. "$(dirname "$0")/command_support.sh"

start_broker
cat >"$dir/worker" <<'W'
#!/bin/bash
read -r word rest
case $word in
fail) echo "cannot do $rest (attempt $BATON_ATTEMPT)" >&2; exit 3 ;;
once) [ "$BATON_ATTEMPT" -gt 1 ] || exit 1; echo "attempt $BATON_ATTEMPT" ;;
die) kill -9 $$ ;;
much) yes | head -c 1048577 ;;
most) yes | head -c 1048576 ;;
gate) read -r _ <"$rest"; echo passed ;; # until who opened it for writing closes it
who) echo "$BATON_SESSION $BATON_REQUEST_SEQ $BATON_ATTEMPT" ;;
*) echo "$word" ;;
esac
W
chmod +x "$dir/worker"
start_server --name worker --capacity 4 -- "$dir/worker"

expect_send 1 "fail this"
expect_text err "failed: exit code 3: cannot do this (attempt "
expect_send 0 "once"
expect_output "attempt 2"
expect_send 1 "die"
expect_text err "failed: signal 9"
expect_send 1 "much"
expect_text err "over the limit of 1048576 bytes"
expect_send 0 "most"
[ "$(stat -c %s "$dir/out.log")" -eq 1048576 ] || fail "an answer at the limit is not taken"
expect_send 1 a "fail b" c
expect_output "$(printf 'a\nc')"
expect_send 0 who who
[ "$(cut -d' ' -f2- "$dir/out.log")" = "$(printf '1 1\n2 1')" ] || fail "who: $(cat "$dir/out.log")"

# Time over: the outcome is unknown, and the answer can be fetched later.
mkfifo "$dir/gate"
expect_send 75 --session slow --timeout 0.5 "gate $dir/gate"
expect_text err "unknown: 1 of 1 answers are not here yet"
expect_text err "baton send --session 'slow' --resume"
# Another session is served meanwhile.
expect_send 0 quick
expect_output quick
: >"$dir/gate"
expect_send 0 --session slow --resume
expect_output passed
expect_send 0 --session slow --resume
expect_output ""
expect_send 0 --session slow --close last
expect_ask 0 sessions --session slow
expect_text err "no such session"

# Who opens a session after another process has it, and that one is told to stop.
within "$bin/baton" send --endpoint "$ends" --session taken "gate $dir/gate" \
    >"$dir/kept.log" 2>"$dir/kept_err.log" &
client=$!
pids+=("$client")
exec 7>"$dir/gate" # opens when the command is at work
expect_send 75 --session taken --resume --timeout 0
code=0
wait "$client" || code=$?
[ "$code" -eq 4 ] || fail "the process that lost its session ends with $code"
grep -qF "another process has opened session 'taken'" "$dir/kept_err.log" || fail "not told why"
exec 7>&-
expect_send 0 --session taken --close next
expect_output "$(printf 'passed\nnext')"

# A reader that goes away is told, and what it did not see comes again.
seq 100 >"$dir/in.log"
code=0
send --session piped --each-line <"$dir/in.log" 2>"$dir/err.log" | : || code=$?
[ "$code" -eq 1 ] || fail "exit code $code, not 1, for a pipe without reader"
expect_text err "not all of the output could be written"
: >"$dir/in.log"
expect_send 0 --session piped --resume --close
[ "$(tail -n 1 "$dir/out.log")" = 100 ] || fail "what was not shown did not come again"

# A session nobody named gets a name when it is left behind.
expect_send 0 --no-wait a b
name=$(cat "$dir/out.log")
expect_send 0 --session "$name" --resume --close
expect_output "$(printf 'a\nb')"

# The broker is killed while a request is at work, and a client waits.
within "$bin/baton" send --endpoint "$ends" --session kept "gate $dir/gate" \
    >"$dir/kept.log" 2>"$dir/kept_err.log" &
client=$!
pids+=("$client")
within bash -c ": >'$dir/gate'"
wait "$client" || fail "the client ended with $?"
[ "$(cat "$dir/kept.log")" = passed ] || fail "kept: $(cat "$dir/kept.log")"
within "$bin/baton" send --endpoint "$ends" --session kept "gate $dir/gate" \
    >"$dir/kept.log" 2>"$dir/kept_err.log" &
client=$!
pids+=("$client")
exec 7>"$dir/gate" # opens when the command is at work
kill -9 "$broker"
wait "$broker" || true
start_broker
exec 7>&-
wait "$client" || fail "the client ended with $? after the broker was killed"
[ "$(cat "$dir/kept.log")" = passed ] || fail "kept: $(cat "$dir/kept.log")"

# A server that is told to go finishes what it has at work.
within "$bin/baton" send --endpoint "$ends" "gate $dir/gate" >"$dir/last.log" \
    2>"$dir/last_err.log" &
client=$!
pids+=("$client")
exec 7>"$dir/gate"
kill -TERM "$server"
exec 7>&-
wait "$server" || fail "the server ended with $?"
wait "$client" || fail "the last client ended with $?"
[ "$(cat "$dir/last.log")" = passed ] || fail "last: $(cat "$dir/last.log")"
