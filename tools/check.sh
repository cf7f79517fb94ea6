#!/bin/sh
# `make check`: builds, then every kind of test, all of them even when one fails; closes with totals.
set -u
failed=""
step() {
	name=$1
	shift
	echo "== $name"
	began=$(date +%s)
	"$@" || failed="$failed $name"
	echo "== $name took $(($(date +%s) - began)) s"
}
make="make --no-print-directory -s -j$(nproc)"
$make all || exit 1
step arch $make arch
step unit $make unit
step asan $make asan
step fuzz $make fuzz
step wire $make wire
step clients $make clients
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
echo "all kinds of tests passed"
