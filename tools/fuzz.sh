#!/bin/sh
# Runs each fuzz target from its committed corpus for FUZZ_SECONDS (10); what it finds is kept in build/.
set -u
folder=$1
shift
failed=0
passed=0
for target in "$@"; do
	name=${target#fuzz_}
	mkdir -p "build/fuzz/new/$name" "build/fuzz/crash"
	if out=$("$folder/$target" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="build/fuzz/crash/$name-" "build/fuzz/new/$name" "tests/fuzz/corpus/$name" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s\n' "$out" | tail -n 40
	fi
done
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ]
