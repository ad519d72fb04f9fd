# SPDX-License-Identifier: Apache-2.0
# lib-steps.sh - sourced by scripts/test, scripts/rehearse and .ci/run; bash. Runs named steps, remembers how each ended
# and how long it took, and prints them at the end.

steps=()
failed=0
steps_begun=$SECONDS

# step NAME COMMAND...: runs it; its exit code is the step's
step() {
  local name=$1 begun=$SECONDS code=0
  shift
  printf '\n==> %s\n' "$name"
  "$@" || code=$?
  note_step "$name" "$code" $((SECONDS - begun))
  return "$code"
}

# note_step NAME CODE SECONDS: for a step that somebody else ran
note_step() {
  steps+=("$(printf '%-34s %-14s %5d s' "$1" "$([ "$2" = 0 ] && echo ok || echo "FAILED ($2)")" "$3")")
  [ "$2" = 0 ] || failed=1
}

# not_run NAME WHY: a step that cannot be run here; said at the end, and no failure
not_run() {
  printf '\n==> %s: NOT RUN, %s\n' "$1" "$2"
  steps+=("$(printf '%-34s NOT RUN: %s' "$1" "$2")")
}

# failures LOG...: what failed, from the logs of `swift test`, pytest and the rehearsal: a line for each with the words that follow it, and not many
failures() {
  local log
  for log in "$@"; do
    [ -f "$log" ] || continue
    sed 's/\x1b\[[0-9;]*m//g' "$log" | awk '
      /^(✘ .*recorded an issue|.*Fatal error|.*: error: |error: |(FAILED|ERROR) tools\/)|unexpected signal|a test hangs/ { print; follows = 1; next }
      follows && /^↳ / { print "    " $0 }
      { follows = 0 }'
  done | cut -c 1-600 | awk '!seen[$0]++' | head -n 40
}

# print_failures LOG...: the same with a heading; nothing when there are none
print_failures() {
  local found
  found=$(failures "$@")
  [ -z "$found" ] || printf '\n--- what failed\n%s\n' "$found"
}

# summary TITLE: the table; its exit code is 0 when every step was
summary() {
  printf '\n--- %s: %s, %d s in all\n' "$1" "$([ "$failed" = 0 ] && echo ok || echo FAILED)" $((SECONDS - steps_begun))
  [ ${#steps[@]} -eq 0 ] || printf '    %s\n' "${steps[@]}"
  return "$failed"
}
