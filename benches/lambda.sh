#!/usr/bin/env bash
# The Lambda path, side by side with `cargo lambda watch`, on the same function in the same run.
#
#   benches/lambda.sh [folder with the release binaries]
#
# Prints one table: figure, ours, theirs, ratio, target. A busy machine is slower, so nothing fails
# here. Everything stays on loopback and is stopped in the end. Needs wrk, curl, and cargo-lambda
# (on PyPI: `pip install cargo-lambda`); says what it skips.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
seconds=${SECONDS_OF_LOAD:-5}
kills=${KILLS:-1000}
base=${PORT_BASE:-$((20000 + $$ % 20000))}
theirs_port=$((base + 70))

if [ $# -gt 0 ]; then
  bins=$(realpath "$1")
else
  (cd "$root" && cargo build --release --locked --quiet --workspace --bins)
  bins=${CARGO_TARGET_DIR:-$root/target}/release
fi
rehearse=$bins/rehearse
functions=(--function "Dispatcher=$bins/dispatcher" --function "Scheduler=$bins/scheduler"
  --function "StateManager=$bins/state_manager")

processes=8 # of the function, on either side

work=$(mktemp -d)
up= others=()
stop_up() { [ -z "$up" ] || { kill -INT "$up" 2>/dev/null && wait "$up" || true; up=; }; }
stop_others() { for other in "${others[@]}"; do kill -KILL "$other" 2>/dev/null && wait "$other" 2>/dev/null || true; done; others=(); }
finish() {
  stop_up
  stop_others
  rm -rf "$work"
}
trap finish EXIT

has() { command -v "$1" >/dev/null || { echo "skipped: $2 ($1 is not installed)" >&2; return 1; }; }
calc() { awk "BEGIN { print $* }"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : 0 }'; }
line() { printf '%-40s %14s %14s %8s  %s\n' "$@"; }

start_up() {
  (cd "$root" && exec "$rehearse" up --port-base "$base" --no-throttling "$@" >"$work/up" 2>&1) &
  up=$!
  "$rehearse" ready --wait 20s --control "http://127.0.0.1:$((base + 40))" >/dev/null
}

# Milliseconds of one request.
request_ms() { curl -s -o /dev/null -w '%{time_total}\n' "$@" | awk '{ print $1 * 1000 }'; }
# `p50 in microseconds` and `requests a second` of a URL at some connections.
load() {
  wrk -t1 -c"$2" -d"${seconds}s" --latency "$1" | awk '
    function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
    $1 == "50%" { p50 = us($2) } $1 == "Requests/sec:" { rps = $2 } END { print p50, rps }'
}

line figure ours theirs ratio target
# The state manager refuses a caller without token before it touches a table: what is measured is
# the path to a function and back.
state() { echo "http://127.0.0.1:$1/state"; }

# --- Cold starts: every request gets a new process ---------------------------------------------

cold() { for _ in $(seq 1 "${RUNS:-21}"); do request_ms "$1"; done | median; }
start_up --target lambda --cold "${functions[@]}"
tomorrow=$(date -d tomorrow +%F)
line "cold start, scheduler, ms" "$(cold "http://127.0.0.1:$base/scheduler?date=$tomorrow")" - - "<= 15"
line "cold start, state manager, ms" "$(cold "$(state "$base")")" - - -
line "cold start, dispatcher (refuses), ms" "$(cold "http://127.0.0.1:$base/dispatcher")" - - -
stop_up

# --- Warm, side by side ------------------------------------------------------------------------

if has wrk "load"; then
  start_up --target lambda --concurrency "$processes" "${functions[@]}"
  curl -s -o /dev/null "$(state "$base")"
  theirs=
  if has cargo-lambda "cargo lambda watch"; then
    # It emulates Lambda alone; the same binary as ours asks it for events, as many processes.
    cargo-lambda lambda watch --only-lambda-apis --invoke-address 127.0.0.1 \
      --invoke-port "$theirs_port" >"$work/watch" 2>&1 &
    others+=($!)
    for _ in $(seq "$processes"); do
      env -i AWS_LAMBDA_RUNTIME_API="http://127.0.0.1:$theirs_port/.rt/state_manager" \
        AWS_LAMBDA_FUNCTION_NAME=state_manager AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128 \
        AWS_LAMBDA_FUNCTION_VERSION=1 AWS_LAMBDA_LOG_GROUP_NAME=a AWS_LAMBDA_LOG_STREAM_NAME=b \
        AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b \
        ADMIN_TOKEN=rehearse-admin-token bash -c '
          until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do sleep 0.05; done; exec "$0"
        ' "$bins/state_manager" "$theirs_port" >>"$work/theirs" 2>&1 &
      others+=($!)
    done
    url="http://127.0.0.1:$theirs_port/lambda-url/state_manager/state"
    code=$(curl -s -o /dev/null -m 20 --retry 20 --retry-connrefused --retry-delay 1 -w '%{http_code}' "$url" || true)
    [ "$code" = 401 ] && theirs=$url
    [ -n "$theirs" ] || { echo "skipped: cargo lambda watch answered $code:" >&2; tail -5 "$work/watch" >&2; }
  fi
  for connections in 1 8; do
    read -r ours_p50 ours_rps < <(load "$(state "$base")" "$connections")
    their_p50=- their_rps=- p50_ratio=- rps_ratio=-
    if [ -n "$theirs" ]; then
      read -r their_p50 their_rps < <(load "$theirs" "$connections")
      p50_ratio=$(calc "int(100 * $ours_p50 / $their_p50) / 100")
      rps_ratio=$(calc "int(100 * $ours_rps / $their_rps) / 100")
    fi
    line "warm p50 at $connections connections, us" "$ours_p50" "$their_p50" "$p50_ratio" \
      "$([ "$connections" = 1 ] && echo '<= 0.8' || echo -)"
    line "requests/s at $connections connections" "$ours_rps" "$their_rps" "$rps_ratio" \
      "$([ "$connections" = 8 ] && echo '>= 2' || echo -)"
  done
  stop_up
  stop_others
fi

# --- The whole suite on both targets -----------------------------------------------------------

suite() { (cd "$root" && "$rehearse" run "$@" 2>&1) | awk '/ passed/ { print $(NF - 1), $NF }'; }
line "whole suite, in process" "$(suite)" - - -
line "whole suite, --target lambda" "$(suite --target lambda "${functions[@]}")" - - -

# --- Killing a function many times leaks nothing -----------------------------------------------

start_up --target lambda "${functions[@]}"
curl -s -o /dev/null "$(state "$base")"
descriptors() { ls "/proc/$up/fd" | wc -l; }
memory_kb() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$up/status"; }
children() { pgrep -c -P "$up" || true; }
killed() {
  for _ in $(seq 1 "$1"); do
    pkill -KILL -P "$up" || true
    curl -s -o /dev/null -m 20 "$(state "$base")" || true
  done
}
killed 50
before="$(children)/$(descriptors)/$(memory_kb)"
killed "$kills"
line "after 50 kills: processes/fds/KB" "$before" - - -
line "after $kills more" "$(children)/$(descriptors)/$(memory_kb)" - - "no more"
