#!/usr/bin/env bash
# How fast and how large the release build is, measured from outside.
#
#   benches/speed.sh [path of the rehearse-shop program]
#
# Prints one table: figure, target, ratio. A ratio of 1.00 or more meets its target. A busy machine
# is slower, so nothing fails here. Everything stays on loopback and is stopped in the end, within
# two minutes. Needs curl, and wrk for the fakes; says what it skips.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
runs=${RUNS:-15}      # of what is timed as a whole process; the median counts
seconds=${SECONDS_OF_LOAD:-5}
base=${PORT_BASE:-$((20000 + $$ % 20000))}

if [ $# -gt 0 ]; then
  rehearse=$(realpath "$1")
else
  # The program that has the shop's functions linked in, as `cargo run` starts it.
  (cd "$root" && cargo build --release --locked --quiet --bin rehearse-shop)
  rehearse=${CARGO_TARGET_DIR:-$root/target}/release/rehearse-shop
fi

work=$(mktemp -d)
up=
finish() {
  [ -z "$up" ] || { kill -INT "$up" 2>/dev/null && wait "$up" || true; }
  rm -rf "$work"
}
trap finish EXIT

has() { command -v "$1" >/dev/null || { echo "skipped: $2 ($1 is not installed)" >&2; return 1; }; }
now() { date +%s%N; }
median() {
  sort -g | awk '/failed/ { bad = 1 } { v[NR] = $1 } END { print bad ? "failed" : NR ? v[int((NR + 1) / 2)] : 0 }'
}
# Milliseconds since a moment of `now`.
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f\n", (to - from) / 1e6 }'; }
calc() { awk "BEGIN { print $* }"; }

printf '%-46s %12s %12s %7s\n' figure measured target ratio
# A figure that should be at most, or at least, its target. What failed has no figure.
line() { printf '%-46s %12s %12s %7.2f\n' "$@"; }
failed() { printf '%-46s %12s %12s %7s\n' "$1" failed "$2" -; }
at_most() {
  case $2 in *failed*) failed "$1" "<= $3 $4" ;;
    *) line "$1" "$2 $4" "<= $3 $4" "$(calc "$3 / ($2 > 0 ? $2 : 0.001)")" ;;
  esac
}
at_least() {
  case $2 in *failed*) failed "$1" ">= $3 $4" ;;
    *) line "$1" "$2 $4" ">= $3 $4" "$(calc "$2 / $3")" ;;
  esac
}

# --- Whole processes -------------------------------------------------------------------------

# Milliseconds of a command, the median of several runs; `failed` when one of them fails.
process_ms() {
  local i start
  for ((i = 0; i < runs; i++)); do
    start=$(now)
    if ! (cd "$root" && "$rehearse" "$@" >"$work/failed" 2>&1); then
      { echo "failed: rehearse-shop $*"; tail -5 "$work/failed"; } >&2
      echo failed
      return
    fi
    since "$start"
  done | median
}
# Seconds of processor time of a command with all of its processes.
processor_s() {
  local times
  times=$( TIMEFORMAT='%U %S'; cd "$root"; { time "$rehearse" "$@" >/dev/null 2>&1; } 2>&1 ) \
    || { echo failed; return; }
  awk '{ printf "%.2f\n", $1 + $2 }' <<<"$times"
}

first=$(cd "$root" && find scenarios -name '*.yaml' | sort | head -1)
count=$(cd "$root" && "$rehearse" run --list 2>/dev/null | wc -l)
at_most "process with one scenario" "$(process_ms run "$first")" 50 ms

# From the start of the process to the line of the first scenario, with all of them to run.
to_first() {
  local i start
  for ((i = 0; i < runs; i++)); do
    start=$(now)
    (cd "$root" && "$rehearse" run 2>/dev/null) | {
      while read -r mark _; do [ "$mark" != ok ] || break; done
      since "$start"
      cat >/dev/null
    }
  done | median
}
at_most "start to first scenario passed, of $count" "$(to_first)" 50 ms
all=$(process_ms run)
# The targets are those of 125 scenarios: 1.5 s by the clock, and 1.575 s of processor time, which is a
# quarter less than the 2.1 s of before.
at_most "all $count scenarios" "$all" "$(calc "int($count * 12)")" ms
case $all in failed) at_least "scenarios a second" failed 83 /s ;;
  *) at_least "scenarios a second" "$(calc "int($count * 1000 / $all)")" 83 /s ;;
esac
at_most "processor time of all scenarios" "$(processor_s run)" "$(calc "int($count * 1.575) / 125")" s

# --- A running world -------------------------------------------------------------------------

# The project as it is, but with a model of one rule: what is measured is the fake, not the persona.
cp "$root/template.yaml" "$work/"
sed 's|^persona = .*|persona = "load.yaml"|; s|^fixtures = .*|fixtures = "fixtures"|' \
  "$root/rehearse.toml" >"$work/rehearse.toml"
printf 'name: Load\ntimezone: America/New_York\nrules:\n  - say: "Yes, we fix those."\n' >"$work/load.yaml"
mkdir "$work/fixtures"

control=http://127.0.0.1:$((base + 40))
# Starts a world in a folder; leaves its process id in `up` and its time to be ready in `ready_ms`.
start_up() {
  local start
  start=$(now)
  (cd "$1" && exec "$rehearse" up --port-base "$base" >"$work/up.log" 2>&1) &
  up=$!
  until curl -sf -o "$work/answer" "$control/ready" 2>/dev/null \
      || curl -s -o "$work/answer" "$control/" 2>/dev/null; do
    kill -0 "$up" 2>/dev/null || { cat "$work/up.log" >&2; exit 1; }
    sleep 0.002
  done
  ready_ms=$(since "$start")
}
stop_up() { kill -INT "$up" && wait "$up" || true; up=; }
resident_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$up/status"; }

if has curl "a running world"; then
  own=$work/own outside=$work/outside
  : >"$own" && : >"$outside"
  for ((i = 0; i < 7; i++)); do
    start_up "$root"
    # Its own line comes a moment after the port is open.
    until grep -q '^ready in' "$work/up.log"; do sleep 0.005; done
    sed -n 's/^ready in \([0-9.]*\) ms.*/\1/p' "$work/up.log" >>"$own"
    echo "$ready_ms" >>"$outside"
    resident=$(resident_kb)
    stop_up
  done
  at_most "up: ready, by its own line" "$(median <"$own")" 100 ms
  at_most "up: ready, seen from outside" "$(median <"$outside")" 100 ms
  at_most "up: resident when ready" "$(calc "int($resident / 102.4) / 10")" 40 MB
  start_up "$root"
  for ((i = 0; i < 200; i++)); do
    curl -sf -o /dev/null -w '%{time_total}\n' "$control/sms" -H 'content-type: application/json' \
      -d "{\"from\": \"+1904555$((1000 + i))\", \"body\": \"What is free on Tuesday at 2pm?\"}"
  done >"$work/turns" || echo "skipped: turns over the control API" >&2
  if [ -s "$work/turns" ]; then
    at_most "up: one text, one tool call, p50" \
      "$(awk '{ printf "%.2f\n", $1 * 1000 }' "$work/turns" | median)" 5 ms
  fi
  at_most "up: resident after 200 texts" "$(calc "int($(resident_kb) / 102.4) / 10")" 40 MB
  stop_up
fi

# --- Load ------------------------------------------------------------------------------------

openai=http://127.0.0.1:$((base + 20)) twilio=http://127.0.0.1:$((base + 10))
value() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$root/rehearse.toml"; }

lua() {
  cat <<LUA
wrk.method = "POST"
wrk.headers["Authorization"] = "$1"
wrk.headers["Content-Type"] = "$2"
wrk.body = [[$3]]
LUA
}
key="Bearer $(value api_key)"
lua "$key" application/json '{"model":"gpt-6-luna","input":"Do you fix iPhones?"}' >"$work/plain.lua"
lua "$key" application/json '{"model":"gpt-6-luna","input":"Do you fix iPhones?","stream":true}' >"$work/streamed.lua"
basic="Basic $(printf %s "$(value account_sid):$(value auth_token)" | base64 -w0)"
lua "$basic" \
  application/x-www-form-urlencoded \
  "To=%2B19042520927&From=%2B$(value number | tr -d +)&Body=Confirmed%3A+Wed+Feb+11%2C+2%3A00+PM." >"$work/sms.lua"

# Requests a second that wrk gets answered, in a new world, and by how much that world grows.
load() { # name, target, script, url, and for Twilio the header that opens its list
  local name=$1 target=$2 script=$3 url=$4 before after requests rate errors
  start_up "$work"
  before=$(resident_kb)
  wrk -t2 -c8 -d"${seconds}s" -s "$script" "$url" >"$work/wrk.log"
  after=$(resident_kb)
  rate=$(awk '/^Requests\/sec/ { print int($2) }' "$work/wrk.log")
  requests=$(awk '/requests in/ { print $1 }' "$work/wrk.log")
  errors=$(awk '/Non-2xx/ { print $NF }' "$work/wrk.log")
  [ -z "$errors" ] || echo "warning: $name: $errors answers were errors" >&2
  at_least "$name" "$rate" "$target" /s
  # What the logs of such requests are as text: the journal, and the messages that Twilio lists.
  curl -sf -X POST "$control/reset" >/dev/null
  wrk -t1 -c1 -d1s -s "$script" "$url" >"$work/few.log"
  local few size
  few=$(awk '/requests in/ { print $1 }' "$work/few.log")
  size=$(curl -sf "$control/journal" | wc -c)
  if [ $# -gt 4 ]; then
    size=$((size + few * $(curl -sf -H "$5" "$url?PageSize=100" | wc -c) / 100))
  fi
  at_most "  memory a request, against its log" \
    "$(calc "int(($after - $before) * 1024 / $requests)")" "$(calc "int($size / $few)")" B
  stop_up
}
if has wrk "requests a second" && has curl "requests a second"; then
  load "OpenAI, plain (wrk, 8 connections)" 30000 "$work/plain.lua" "$openai/v1/responses"
  load "OpenAI, streamed" 20000 "$work/streamed.lua" "$openai/v1/responses"
  load "Twilio, sends" 14000 "$work/sms.lua" \
    "$twilio/2010-04-01/Accounts/$(value account_sid)/Messages.json" "Authorization: $basic"
fi
