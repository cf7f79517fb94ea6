#!/bin/sh
# Installs what is missing of a group of Debian packages, with sudo when not root, and says what.
set -eu
build="gcc libc6-dev make pkg-config dpkg-dev ca-certificates libssl-dev libcjson-dev libcbor-dev liblz4-dev liblmdb-dev libcurl4-openssl-dev libcyaml-dev libyaml-dev libunbound-dev libp11-kit-dev"
case "$1" in
build) want="$build" ;;
check) want="$build $(sed -e 's/#.*//' tools/packages-check.txt | tr '\n' ' ')" ;;
tidy) want="$build clang-tidy" ;;
bench) want="$build pebble caddy python3 python3-requests python3-cryptography iproute2 openssl" ;;
*) echo "deps.sh: build, check, tidy or bench" >&2; exit 2 ;;
esac
missing=""
for package in $want; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
sudo=""
if [ "$(id -u)" -ne 0 ]; then
	sudo="sudo"
	command -v sudo >/dev/null || { echo "as root, first: apt-get install$missing" >&2; exit 1; }
fi
echo "installing from Debian:$missing"
# Packages that would start a service must not: policy-rc.d is asked by every maintainer script.
guard=/usr/sbin/policy-rc.d
made=""
if [ ! -e "$guard" ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$guard" >/dev/null
	$sudo chmod 0755 "$guard"
	made=1
fi
trap '[ -z "$made" ] || $sudo rm -f "$guard"' EXIT
$sudo apt-get -q update >/dev/null
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing >/dev/null
