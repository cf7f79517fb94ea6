#!/bin/sh
# Clients that Debian does not have, each from its own registry, below build/interop.
set -eu
home=$(pwd)/build/interop
mkdir -p "$home"
[ -x "$home/bin/certbot" ] || { "${PYTHON:-/usr/bin/python3}" -m venv "$home" && "$home/bin/pip" install -q 'certbot>=4.1'; }
[ -x "$home/bin/estclient" ] && exit 0
if ! command -v go >/dev/null; then
	echo "interop: there is no Go here: globalsign's estclient is not tested" >&2
	exit 0
fi
mkdir -p "$home/est"
cd "$home/est"
[ -f go.mod ] || go mod init interop
go mod edit -require=github.com/globalsign/est@v1.0.6
go build -mod=mod -o "$home/bin/estclient" github.com/globalsign/est/cmd/estclient
