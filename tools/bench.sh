#!/bin/sh
# All benchmarks of one build folder; each prints what docs/performance.md quotes.
set -eu
/usr/bin/python3 tests/bench/run.py "$1"
"$1/tests/bench/bench_status"
