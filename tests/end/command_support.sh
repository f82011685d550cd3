# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash
# Sourced by the tests of the command baton: a folder of their own, a broker behind an ipc endpoint,
# processes that are awaited by message and ended by number. Each test is bounded by ctest, and each
# command in it by `within`.
set -euo pipefail

bin=${BATON_BUILD_DIR:?is set by ctest; by hand: the build folder}/bin
dir=$(mktemp -d /tmp/baton-command.XXXXXX)
ends=ipc://$dir/ends
pids=()

finish () {
    local code=$? pid
    for pid in "${pids[@]}"; do
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    if [ "$code" -ne 0 ]; then
        tail -n 30 "$dir"/{batond,serve,err}.log >&2 2>/dev/null || true
    fi
    rm -rf "$dir"
    exit "$code"
}
trap finish EXIT

for program in batond baton; do
    [ -x "$bin/$program" ] || { echo "skipped: $bin/$program is not built"; exit 77; }
done

fail () {
    echo "FAIL: $*" >&2
    exit 1
}

# within COMMAND...: bounded, so that a test ends with a reason and not by ctest.
within () {
    timeout 30 "$@"
}

# expect_code CODE COMMAND...: runs it with standard output in out.log and errors in err.log.
expect_code () {
    local wanted=$1 code=0
    shift
    within "$@" >"$dir/out.log" 2>"$dir/err.log" || code=$?
    [ "$code" -eq "$wanted" ] || fail "exit code $code, not $wanted: $*"
}

expect_text () {
    local file=$dir/$1.log
    grep -qF -- "$2" "$file" || fail "$1 lacks '$2'"
}

expect_output () {
    [ "$(cat "$dir/out.log")" = "$1" ] || fail "output is '$(cat "$dir/out.log")', not '$1'"
}

# start_broker [OPTION...]: returns when it serves.
start_broker () {
    local line=
    [ -d "$dir/store" ] || "$bin/batond" --format "$dir/store" >"$dir/format.log" 2>&1
    [ -p "$dir/ready" ] || mkfifo "$dir/ready"
    "$bin/batond" --store "$dir/store" --endpoint "$ends" --ready-fd 5 "$@" \
        5>"$dir/ready" 7>&- >>"$dir/batond.log" 2>&1 &
    broker=$!
    pids+=("$broker")
    read -r -t 30 line <"$dir/ready" || true
    [ "$line" = READY ] || fail "the broker is not ready: '$line'"
}

# start_server OPTION... -- CMD...: its requests wait for it, so nobody has to wait here.
start_server () {
    "$bin/baton" serve --endpoint "$ends" "$@" >>"$dir/serve_out.log" 2>>"$dir/serve.log" &
    server=$!
    pids+=("$server")
}

send () {
    "$bin/baton" send --endpoint "$ends" "$@"
}

# expect_send CODE OPTION...: send with standard input from in.log, which is empty at first.
: >"$dir/in.log"
expect_send () {
    local wanted=$1
    shift
    expect_code "$wanted" "$bin/baton" send --endpoint "$ends" "$@" <"$dir/in.log"
}

# ask VERB OPTION...
expect_ask () {
    local wanted=$1 verb=$2
    shift 2
    expect_code "$wanted" "$bin/baton" "$verb" --store "$dir/store" "$@"
}
