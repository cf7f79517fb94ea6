#!/bin/sh
# Lays the source of Debian's civetweb package into a folder, with its patches, from whatever
# mirror this machine's apt uses. apt checks the archive's signature, we pin the version's content.
# An unpacked civetweb of one's own is used with `make CIVETWEB=folder`; then this does not run.
set -eu
target=$1
version=1.15+dfsg-4

fail() {
	echo "civetweb.sh: $*; an unpacked civetweb 1.15 can be given with make CIVETWEB=folder" >&2
	exit 1
}
# A folder that is not ours is never replaced.
if [ -e "$target" ] && [ ! -e "$target/.fetched" ] && [ -n "$(ls -A "$target")" ]; then
	fail "$target is there and has no include/civetweb.h"
fi
mkdir -p build
work=$(mktemp -d build/civetweb.XXXXXX)
trap 'rm -rf "$work"' EXIT
here=$(cd "$work" && pwd)
mkdir -p "$here/lists/partial"
cat > "$here/pins" <<PINS
ec372e9737bc820118bbb735f46a07d41f795814ca0f38bc6e67048e7a460f33  civetweb_1.15+dfsg.orig.tar.xz
2fe67d05a15be93764398275372f41f6228b17497b23d04f149482ffde7b3fb8  civetweb_1.15+dfsg-4.debian.tar.xz
PINS
# The machine's own package sources, asked for their source packages; its lists stay as they are.
apt-get indextargets --format 'deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' \
	| grep -E ' main$' | sort -u > "$here/sources.list"
[ -s "$here/sources.list" ] || fail "apt knows no package source; run apt-get update"
apt() {
	apt-get -q -o Dir::Etc::sourcelist="$here/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$here/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
}
# Runs a step in the work folder; what it says is shown when it fails.
step() {
	what=$1
	shift
	(cd "$here" && "$@") > "$here/said" 2>&1 || { cat "$here/said" >&2; fail "$what failed"; }
}
echo "fetching the source package civetweb $version"
step "asking for the list of source packages" apt update
step "fetching the source package" apt source --download-only "civetweb=$version"
step "comparing with the pinned content" sha256sum -c pins
step "unpacking" dpkg-source --no-check -x "civetweb_$version.dsc" src
touch "$here/src/.fetched"
rm -rf "$target"
mkdir -p "$(dirname "$target")"
mv "$here/src" "$target"
