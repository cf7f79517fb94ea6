#!/bin/sh
# All benchmarks of one build folder; each prints what docs/performance.md quotes.
set -eu
/usr/bin/python3 tests/bench/run.py "$1"
/usr/bin/python3 tests/bench/est.py "$1"
"$1/tests/bench/bench_status"
/usr/bin/python3 tests/bench/flood.py
# A store of so many certificates, as BENCH_INVENTORY=1000000: about 1.5 GB below TMPDIR and a minute a million, as much again
# for its backup. Then a server works on it.
if [ -n "${BENCH_INVENTORY:-}" ]; then
	below=$(mktemp -d)
	trap 'rm -rf "$below"' EXIT
	BENCH_KEEP=1 "$1/tests/bench/bench_inventory" "$BENCH_INVENTORY" "$below"
	/usr/bin/python3 tests/bench/inventory_server.py "$1" "$below"/enrolld-inventory-*
fi
