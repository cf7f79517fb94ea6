#!/bin/sh
# Runs unit-test programs, one on each core, shows those that fail, and closes with one line of totals.
set -u
variant=$1
shift
cd "$(dirname "$0")/.." || exit 1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# A program that takes ten minutes hangs: a busy machine makes of the longest, with a sanitizer, two.
# shellcheck disable=SC2016
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' sh -c '
	out=$2/$(basename "$1")
	timeout 600 "$1" >"$out" 2>&1
	echo $? >"$out.exit"' sh '{}' "$results"
passed=0
failed=0
for program in "$@"; do
	out=$results/$(basename "$program")
	status=$(cat "$out.exit" 2>/dev/null || echo 255)
	n=$(grep -a -c '^\[       OK ] ' "$out")
	f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s), listed below:$/\1/p' "$out")
	passed=$((passed + n))
	if [ "$status" -ne 0 ] || [ "$n" -eq 0 ]; then
		[ "${f:-0}" -gt 0 ] || f=1
		failed=$((failed + f))
		cat "$out"
		printf -- '--- %s failed (exit %d)\n' "$program" "$status"
	fi
done
echo "unit-$variant: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
