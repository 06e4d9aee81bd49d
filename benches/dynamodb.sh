#!/usr/bin/env bash
# The embedded database beside DynamoDB Local in Docker, in the same run.
#
#   benches/dynamodb.sh [path of the rehearse-shop program]
#
# Prints one table: figure, embedded, DynamoDB Local, ratio, target. A busy machine is slower, so
# nothing fails here. Both are asked behind the proxy that records every call, as functions meet
# them. Needs Docker with the image amazon/dynamodb-local:3.1.0, python3 to read the figures.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
load=${LOAD:-3s}
runs=${RUNS:-3} # of the whole suite; the median counts

if [ $# -gt 0 ]; then
  rehearse=$(realpath "$1")
else
  (cd "$root" && cargo build --release --locked --quiet --bin rehearse-shop)
  rehearse=${CARGO_TARGET_DIR:-$root/target}/release/rehearse-shop
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"

docker image inspect amazon/dynamodb-local:3.1.0 >/dev/null || {
  echo "there is no image amazon/dynamodb-local:3.1.0 in Docker: docker pull it first" >&2
  exit 3
}

# Megabytes of the containers of a process, the most that is seen while it runs.
watch_container() {
  local process=$1 most=0 now id
  while kill -0 "$process" 2>/dev/null; do
    id=$(docker ps -q --filter "label=rehearse.process=$process")
    if [ -n "$id" ]; then
      now=$(docker stats --no-stream --format '{{.MemUsage}}' "$id" 2>/dev/null | awk '
        { n = $1 + 0; if ($1 ~ /GiB/) n *= 1073.7; else if ($1 ~ /MiB/) n *= 1.0486; else n /= 1000; print int(n) }' || true)
      [ "${now:-0}" -gt "$most" ] && most=$now
    fi
    sleep 1
  done
  echo "$most"
}

# Whole runs of the suite, as somebody who types the command waits for them.
suite_s() {
  local i start
  for ((i = 0; i < runs; i++)); do
    start=$(date +%s%N)
    "$rehearse" run --dynamodb "$1" >"$work/run" 2>&1 || { echo "failed on $1:" >&2; tail -3 "$work/run" >&2; exit 1; }
    awk -v from="$start" -v to="$(date +%s%N)" 'BEGIN { printf "%.2f\n", (to - from) / 1e9 }'
  done | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

for database in embedded docker; do
  "$rehearse" bench database --json --load "$load" --dynamodb "$database" >"$work/$database.json" &
  bench=$!
  # Looking costs time of the same cores, so only where there is a container.
  if [ "$database" = docker ]; then watch_container "$bench"; else echo 0; fi >"$work/$database.container"
  wait "$bench"
  suite_s "$database" >"$work/$database.suite"
done

python3 - "$work" <<'EOF'
import json, pathlib, sys

work = pathlib.Path(sys.argv[1])


def figures(database):
    lines = (work / f"{database}.json").read_text().splitlines()
    found = {f["figure"]: (f["value"], f["unit"]) for f in map(json.loads, lines)}
    container = float((work / f"{database}.container").read_text()) * 1e6
    found["memory"] = (found["memory"][0] + container, "bytes")
    found["whole suite"] = (float((work / f"{database}.suite").read_text()), "s")
    return found


def text(value, unit):
    if unit == "bytes":
        return f"{value / 1e6:.0f} MB"
    if unit == "/s":
        return f"{value:,.0f} /s"
    return f"{value * 1e6:.0f} us" if value < 1e-3 else f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


targets = {"database, first row": ">= 10", "whole suite": ">= 2"}
embedded, local = figures("embedded"), figures("docker")
print(f"{'figure':<32} {'embedded':>12} {'DynamoDB Local':>15} {'ratio':>7}  target")
for name, (ours, unit) in embedded.items():
    theirs = local[name][0]
    # How many times better the embedded one is.
    ratio = ours / theirs if unit == "/s" else theirs / ours
    print(f"{name:<32} {text(ours, unit):>12} {text(theirs, unit):>15} {ratio:>7.1f}  {targets.get(name, '-')}")
EOF
