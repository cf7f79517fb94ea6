#!/bin/sh
# Lays the source of Debian's civetweb package into a folder, with its patches, from whatever
# mirror this machine's apt uses. apt checks the archive's signature, we pin the version's content.
set -eu
target=$1
version=1.15+dfsg-4
mkdir -p build
work=$(mktemp -d build/civetweb.XXXXXX)
trap 'rm -rf "$work"' EXIT
cat > "$work/pins" <<PINS
ec372e9737bc820118bbb735f46a07d41f795814ca0f38bc6e67048e7a460f33  civetweb_1.15+dfsg.orig.tar.xz
2fe67d05a15be93764398275372f41f6228b17497b23d04f149482ffde7b3fb8  civetweb_1.15+dfsg-4.debian.tar.xz
PINS
here=$(cd "$work" && pwd)
mkdir -p "$here/lists/partial"
# The machine's own package sources, asked for their source packages; a key the machine names for a
# source stays in force, as apt takes the trusted keys by default.
apt-get indextargets --format 'deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' \
	| grep -E ' main$' | sort -u > "$here/sources.list"
[ -s "$here/sources.list" ] || { echo "civetweb.sh: apt knows no package source; run apt-get update" >&2; exit 1; }
apt() {
	apt-get -q -o Dir::Etc::sourcelist="$here/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$here/lists" -o APT::Get::List-Cleanup=0 -o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
}
echo "fetching the source package civetweb $version"
apt update >/dev/null
(cd "$here" && apt source --download-only "civetweb=$version" >/dev/null 2>&1)
(cd "$here" && sha256sum --quiet -c pins)
dpkg-source --no-check -x "$here"/civetweb_*.dsc "$here/src" >/dev/null
rm -rf "$target"
mv "$here/src" "$target"
