#!/bin/sh
# Runs each fuzz target from its committed corpus, one on each core; what it finds is kept in build/. As it is: at most 6 s each, by the
# same seed, so that a red run says something of the change and comes again. With FUZZ_SECONDS: that long, by other seeds each time, on
# from where the last one came to.
set -u
folder=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
mkdir -p build/fuzz/crash
# shellcheck disable=SC2016
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' sh -c '
	name=${1#fuzz_}
	new=build/fuzz/new/$name seed=0
	[ -n "${FUZZ_SECONDS:-}" ] || { new=$3/$name.new; seed=8555; }
	mkdir -p "$new"
	"$2/$1" -max_total_time="${FUZZ_SECONDS:-6}" -seed=$seed -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="build/fuzz/crash/$name-" "$new" "tests/fuzz/corpus/$name" >"$3/$name" 2>&1 &&
		mv "$3/$name" "$3/$name.passed"
	exit 0' sh '{}' "$folder" "$results"
passed=$(find "$results" -maxdepth 1 -name '*.passed' | wc -l)
failed=$(($# - passed))
find "$results" -maxdepth 1 -type f ! -name '*.passed' -exec tail -n 40 '{}' ';'
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ "$passed" -gt 0 ]
