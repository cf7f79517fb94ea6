#!/bin/sh
# Runs each fuzz target from its committed corpus for FUZZ_SECONDS (10), one on each core; what it finds is kept in build/.
set -u
folder=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
mkdir -p build/fuzz/crash
# shellcheck disable=SC2016
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' sh -c '
	name=${1#fuzz_}
	mkdir -p "build/fuzz/new/$name"
	"$2/$1" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="build/fuzz/crash/$name-" "build/fuzz/new/$name" "tests/fuzz/corpus/$name" >"$3/$name" 2>&1 &&
		mv "$3/$name" "$3/$name.passed"
	exit 0' sh '{}' "$folder" "$results"
passed=$(find "$results" -name '*.passed' | wc -l)
failed=$(($# - passed))
find "$results" -type f ! -name '*.passed' -exec tail -n 40 '{}' ';'
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ "$passed" -gt 0 ]
