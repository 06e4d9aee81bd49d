#!/usr/bin/env bash
# The Lambda path, side by side with `cargo lambda watch`, on the same function in the same run.
#
#   benches/lambda.sh [folder with the release binaries and examples]
#
# Prints one table: figure, ours, theirs, ratio, target. A busy machine is slower, so nothing fails
# here. Instructions a request are the same on every machine: perf counts them, or else valgrind does.
# Everything stays on loopback and is stopped in the end. Needs wrk, curl, and cargo-lambda (on PyPI:
# `pip install cargo-lambda`); says what it skips.
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
  (cd "$root" && cargo build --release --locked --quiet --workspace --bins --example lambda_http_function)
  bins=${CARGO_TARGET_DIR:-$root/target}/release
fi
# It has the functions linked in as well, for the suite in process.
rehearse=$bins/rehearse-shop
functions=(--function "Dispatcher=$bins/dispatcher" --function "Scheduler=$bins/scheduler")
functions+=(--function "LateReply=$bins/late_reply")
manager=(--function "StateManager=$bins/state_manager")

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
line() { printf '%-46s %14s %14s %8s  %s\n' "$@"; }

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
# A caller without token is refused before a table is touched.
state() { echo "http://127.0.0.1:$1/state"; }

# --- Cold starts: every request gets a new process ---------------------------------------------

cold() { for _ in $(seq 1 "${RUNS:-21}"); do request_ms "$1"; done | median; }
start_up --target lambda --cold "${functions[@]}" "${manager[@]}"
tomorrow=$(date -d tomorrow +%F)
line "cold start, scheduler, ms" "$(cold "http://127.0.0.1:$base/scheduler?date=$tomorrow")" - - "<= 15"
line "cold start, state manager, ms" "$(cold "$(state "$base")")" - - -
line "cold start, dispatcher (refuses), ms" "$(cold "http://127.0.0.1:$base/dispatcher")" - - -
stop_up

# --- Warm, side by side ------------------------------------------------------------------------

# Starts `cargo lambda watch`, which emulates Lambda alone, and so many processes of an executable
# that ask it for events; sets `theirs` to the function's URL, or to nothing.
start_theirs() {
  theirs=
  has cargo-lambda "cargo lambda watch" || return 0
  cargo-lambda lambda watch --only-lambda-apis --invoke-address 127.0.0.1 \
    --invoke-port "$theirs_port" >"$work/watch" 2>&1 &
  others=($!)
  until (exec 3<>"/dev/tcp/127.0.0.1/$theirs_port") 2>/dev/null; do
    kill -0 "${others[0]}" 2>/dev/null || { echo "cargo lambda watch ended:" >&2; tail -5 "$work/watch" >&2; return 0; }
    sleep 0.05
  done
  for _ in $(seq "$2"); do
    env -i AWS_LAMBDA_RUNTIME_API="http://127.0.0.1:$theirs_port/.rt/state_manager" \
      AWS_LAMBDA_FUNCTION_NAME=state_manager AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128 \
      AWS_LAMBDA_FUNCTION_VERSION=1 AWS_LAMBDA_LOG_GROUP_NAME=a AWS_LAMBDA_LOG_STREAM_NAME=b \
      AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b \
      ADMIN_TOKEN=rehearse-admin-token "$1" >>"$work/theirs" 2>&1 &
    others+=($!)
  done
  local url="http://127.0.0.1:$theirs_port/lambda-url/state_manager/state" code
  code=$(curl -s -o /dev/null -m 20 -w '%{http_code}' "$url" || true)
  case $code in 200 | 401) theirs=$url ;; *) echo "skipped: cargo lambda watch answered $code" >&2 ;; esac
}

# Figures of ours, and of so many processes behind theirs, at so many connections.
side_by_side() { # executable, connections, their processes, name, target of the latency, of the rate
  local p50=- rps=- p50_ratio=- rps_ratio=-
  start_theirs "$1" "$3"
  if [ -n "$theirs" ]; then
    read -r p50 rps < <(load "$theirs" "$2")
    p50_ratio=$(calc "int(100 * ${ours_p50[$2]} / $p50) / 100")
    rps_ratio=$(calc "int(100 * ${ours_rps[$2]} / $rps) / 100")
  fi
  stop_others
  line "p50, $4, us" "${ours_p50[$2]}" "$p50" "$p50_ratio" "$5"
  line "requests/s, $4" "${ours_rps[$2]}" "$rps" "$rps_ratio" "$6"
}

warm() { # name, executable, targets of the latency and of the rate
  declare -A ours_p50 ours_rps
  start_up --target lambda "${functions[@]}" --function "StateManager=$2"
  for connections in 1 8; do
    curl -s -o /dev/null "$(state "$base")"
    read -r ours_p50[$connections] ours_rps[$connections] < <(load "$(state "$base")" "$connections")
  done
  stop_up
  # As either is started when nothing else is said: theirs has one process then.
  side_by_side "$2" 1 1 "$1, 1 connection" "$3" -
  side_by_side "$2" 8 1 "$1, 8 connections" - "$4"
  side_by_side "$2" 8 8 "$1, 8, theirs with 8 too" - -
}

# --- Instructions a request --------------------------------------------------------------------

# Instructions of rehearse itself for one request of one connection, without those of the function.
requests=${REQUESTS:-2000}
ask_in_a_row() { # url, requests
  local urls=()
  for _ in $(seq 1 500); do urls+=(-o /dev/null "$1"); done
  for _ in $(seq 1 $(($2 / 500))); do curl -s "${urls[@]}"; done
}
perf_counts() {
  perf stat -e instructions:u -x, -- true 2>&1 | grep -q '^[0-9]\+,'
}
by_perf() { # url
  perf stat -e instructions:u -x, -o "$work/perf" -p "$up" &
  local counting=$!
  sleep 0.5
  ask_in_a_row "$1" "$requests"
  kill -INT "$counting" && wait "$counting" || true
  awk -F, -v n="$requests" '/instructions/ { print int($1 / n) }' "$work/perf"
}
# Two runs of different length, so that starting and stopping is not counted.
by_callgrind() { # url, options of `up`
  local url=$1 counts=() many
  shift
  for many in 500 $((500 + requests)); do
    (cd "$root" && exec valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" \
      "$rehearse" up --port-base "$base" --no-throttling "$@" >"$work/up" 2>&1) &
    up=$!
    if ! "$rehearse" ready --wait 120s --control "http://127.0.0.1:$((base + 40))" >/dev/null; then
      echo "skipped: instructions a request (rehearse does not start under valgrind)" >&2
      tail -5 "$work/up" >&2
      up=
      return 0
    fi
    ask_in_a_row "$url" "$many"
    stop_up
    counts+=("$(awk '$1 == "totals:" || $1 == "summary:" { print $2; exit }' "$work/callgrind")")
  done
  echo $(((counts[1] - counts[0]) / requests))
}
instructions() { # name, executable
  local options=(--target lambda "${functions[@]}" --function "StateManager=$2") count
  if perf_counts; then
    start_up "${options[@]}"
    ask_in_a_row "$(state "$base")" 500
    count=$(by_perf "$(state "$base")")
    stop_up
  elif has valgrind "instructions a request"; then
    count=$(by_callgrind "$(state "$base")" "${options[@]}")
  else
    return 0
  fi
  [ -z "$count" ] || line "instructions a request, $1" "$count" - - -
}
instructions "plain function" "$bins/examples/lambda_http_function"
instructions "state manager" "$bins/state_manager"

# --- Load --------------------------------------------------------------------------------------

if has wrk "load"; then
  # A function that does nothing shows the emulators; one that works and logs hides them.
  warm "plain function" "$bins/examples/lambda_http_function" "<= 0.8" ">= 2"
  warm "state manager" "$bins/state_manager" - ">= 1.5"
fi

# --- The whole suite on both targets -----------------------------------------------------------

# What failed has no figure.
suite() { (cd "$root" && "$rehearse" run "$@" 2>&1 || echo failed) | awk '/ passed/ { took = $(NF - 1) " " $NF } END { print $0 == "failed" ? "failed" : took }'; }
line "whole suite, in process" "$(suite)" - - -
line "whole suite, --target lambda" "$(suite --target lambda "${functions[@]}" "${manager[@]}")" - - -

# --- Killing a function many times leaks nothing -----------------------------------------------

start_up --target lambda "${functions[@]}" "${manager[@]}"
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
asked() { for _ in $(seq 1 "$1"); do curl -s -o /dev/null -m 20 "$(state "$base")" || true; done; }
state_of_it() { echo "$(children)/$(descriptors)/$(memory_kb)"; }
killed 50
line "after 50 kills: processes/fds/KB" "$(state_of_it)" - - -
# The journal keeps the latest exchanges, so requests cost memory until it is full.
asked "$kills"
line "after $kills requests more" "$(state_of_it)" - - -
killed "$kills"
line "after $kills kills more" "$(state_of_it)" - - "no more"
