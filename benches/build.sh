#!/usr/bin/env bash
# What building costs: from nothing in release and in debug, and after one line has changed.
#
#   benches/build.sh [release] [debug] [edit]
#
# Prints one table: figure, measured, target, ratio. Without arguments all three parts, in half an
# hour. Builds in a folder of its own, and changes the line in a copy of the project. Processor time
# counts every process of the build and depends little on what else the machine does; time by the
# clock does. Needs the crates in cargo's cache, so that no download is measured.
set -euo pipefail
export LC_ALL=C
unset CARGO_INCREMENTAL # As each profile has it.

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/rehearse-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
parts=("$@")
[ $# -gt 0 ] || parts=(release debug edit)

git -C "$root" ls-files -z | (cd "$root" && tar --null -T - -cf -) | (mkdir "$work/copy" && tar -C "$work/copy" -xf -)
cd "$work/copy"
cargo fetch --locked --quiet

calc() { awk "BEGIN { print $* }"; }
printf '%-46s %12s %12s %7s\n' figure measured target ratio
at_most() { # name, measured, target, unit
  if [ "$3" = - ]; then printf '%-46s %12s %12s %7s\n' "$1" "$2 $4" - -; return; fi
  printf '%-46s %12s %12s %7.2f\n' "$1" "$2 $4" "<= $3 $4" "$(calc "$3 / $2")"
}
# Runs a command and sets `clock` and `processor` to its seconds.
timed() {
  local times
  times=$( TIMEFORMAT='%R %U %S'; { time "$@" >"$work/log" 2>&1; } 2>&1 ) || { cat "$work/log" >&2; exit 1; }
  read -r clock processor < <(awk '{ printf "%.1f %.1f\n", $1, $2 + $3 }' <<<"$times")
}

for part in "${parts[@]}"; do
  case $part in
    release)
      # 23 minutes and 34 MB before the crates were split; 40 % less is the aim.
      CARGO_TARGET_DIR=$work/release timed cargo build --release --locked
      at_most "release from nothing, processor time" "$processor" 828 s
      at_most "release from nothing, by the clock" "$clock" - s
      at_most "rehearse-shop, stripped" "$(calc "int($(stat -c %s "$work/release/release/rehearse-shop") / 1e5) / 10")" 22 MB
      rm -rf "$work/release"
      ;;
    debug)
      CARGO_TARGET_DIR=$work/debug timed cargo build --locked
      at_most "debug from nothing, processor time" "$processor" - s
      at_most "debug from nothing, by the clock" "$clock" - s
      ;;
    edit)
      export CARGO_TARGET_DIR=$work/debug
      scenario=$(find scenarios/booking -name '*.yaml' | sort | head -1)
      cargo run --locked -- run "$scenario" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
      # One line of a fake: a reply of the scripted OpenAI.
      printf '\n// One more line.\n' >>emulator/openai/src/lib.rs
      timed cargo run --locked -- run "$scenario"
      at_most "a line of a fake, then one scenario" "$clock" 10 s
      printf '\n// One more line.\n' >>handlers/src/domain/slot.rs
      timed cargo run --locked -- run "$scenario"
      at_most "a line of the handlers, then one scenario" "$clock" - s
      unset CARGO_TARGET_DIR
      ;;
    *)
      echo "benches/build.sh: there is no part $part: release, debug or edit" >&2
      exit 2
      ;;
  esac
done
