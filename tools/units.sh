#!/bin/sh
# Runs unit-test programs, shows those that fail, and closes with one line of totals.
set -u
variant=$1
shift
passed=0
failed=0
for program in "$@"; do
	out=$(cd "$(dirname "$0")/.." && timeout 120 "$program" 2>&1)
	status=$?
	n=$(printf '%s\n' "$out" | grep -c '^\[       OK ] ')
	f=$(printf '%s\n' "$out" | sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s), listed below:$/\1/p')
	passed=$((passed + n))
	if [ $status -ne 0 ] || [ "$n" -eq 0 ]; then
		[ "${f:-0}" -gt 0 ] || f=1
		failed=$((failed + f))
		printf '%s\n--- %s failed (exit %d)\n' "$out" "$program" $status
	fi
done
echo "unit-$variant: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
