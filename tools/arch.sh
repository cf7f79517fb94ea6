#!/bin/sh
# `make arch BUILD`: what the house is built by, judged from the sources and from the objects in BUILD.
# Each file or symbol against each rule is one check.
set -u
objects=${1:?arch.sh: the folder of the built objects}
cd "$(dirname "$0")/.." || exit 1
results=$(mktemp)
trap 'rm -f "$results"' EXIT
sources=$(ls base/*.[ch] store/*.[ch] policy/*.[ch] ca/*.[ch] acme/*.[ch] est/*.[ch] admin/*.[ch] server/*.[ch] 2>/dev/null)

# 1. A file includes its own folder and lower floors; acme, est and admin stand side by side.
# 2. A library's header is included by its owner alone; any other header is the system's.
awk '
BEGIN {
	floors = "base 0 store 1 policy 2 ca 3 acme 4 est 4 admin 4 server 5"
	n = split(floors, f, " ")
	for (i = 1; i < n; i += 2) floor[f[i]] = f[i + 1]
	owner["cjson/cJSON.h"] = "base/json.c"
	owner["cbor/callbacks.h"] = owner["cbor/streaming.h"] = "base/cbor.c"
	owner["lz4.h"] = "base/delta.c"
	owner["lmdb.h"] = "store/kv_lmdb.c store/kv_lmdb_base.c store/kv_lmdb_base.h store/kv_lmdb_env.c store/kv_lmdb_env.h store/kv_lmdb_journal.c store/kv_lmdb_journal.h"
	owner["curl/curl.h"] = "base/fetch.c"
	owner["unbound.h"] = "acme/dns_resolver.c"
	owner["unbound-event.h"] = "acme/dns_resolver.c acme/dns_loop.c"
	owner["civetweb.h"] = "server/listen.c server/civetweb_seam.c"
	owner["cyaml/cyaml.h"] = "server/config.c"
	owner["yaml.h"] = "server/config_text.c"
	owner["openssl/ssl.h"] = "base/tls_chain.c server/tls.c server/civetweb_seam.c acme/probe_alpn.c"
	owner["p11-kit-1/p11-kit/pkcs11.h"] = "ca/pkcs11_session.h"
	system_headers = " arpa/inet.h assert.h ctype.h dirent.h dlfcn.h errno.h fcntl.h ifaddrs.h inttypes.h limits.h malloc.h math.h " \
		"netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h pwd.h sched.h semaphore.h signal.h stdarg.h stdatomic.h stdbool.h stddef.h " \
		"stdint.h stdio.h stdlib.h string.h strings.h termios.h time.h unistd.h "
}
FNR == 1 { split(FILENAME, part, "/"); own = part[1] }
/^#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	if (quoted[2] == "civetweb.c" && FILENAME == "server/civetweb_seam.c") next
	split(quoted[2], path, "/")
	good = (path[1] in floor) && (path[1] == own || floor[path[1]] < floor[own])
	say(good, FILENAME " includes " quoted[2])
}
/^#[ \t]*include[ \t]*</ {
	split($0, angle, /[<>]/)
	header = angle[2]
	if (header in owner) good = index(" " owner[header] " ", " " FILENAME " ") > 0
	else good = header ~ /^(openssl|sys|linux)\// || index(system_headers, " " header " ") > 0
	say(good, FILENAME " includes <" header ">")
}
function say(good, what) { print (good ? "ok " : "no ") what }
' $sources >> "$results"

# Without those left of files that are gone.
own_objects() {
	for source in */*.c; do
		[ ! -e "$objects/${source%.c}.o" ] || echo "$objects/${source%.c}.o"
	done
}

# 3. Who refers to what only one may call.
refers() {
	symbol=$1
	allowed=" $2 "
	for object in $(own_objects | xargs nm -A --undefined-only | awk -v s="$symbol" '$NF == s { print $1 }'); do
		object=${object#"$objects"/}
		object=${object%:}
		case "$allowed" in
		*" $object "*) echo "ok $object refers to $symbol" ;;
		*) echo "no $object refers to $symbol, which is for$allowed" ;;
		esac
	done | grep . || echo "no object refers to $symbol: the rule has lost its subject"
}
{
	refers approval_make "policy/gate.o"
	refers issuer_signer "ca/issue.o"
	refers signer_sign "ca/issue.o ca/ocsp_answer.o"
	refers signer_new "ca/issuer.o ca/responder.o"
	refers issue_crl "ca/crl.o"
	refers issue_responder "ca/responder.o"
	refers X509_sign "ca/authority.o"
	refers store_certificate_put "ca/inventory.o ca/revocation.o ca/foreign.o store/certificate_change.o"
	refers ca_issue "acme/finalize.o acme/request.o acme/star_renew.o admin/api_issuance.o est/enroll.o server/own_certificate.o"
} >> "$results"
if grep -l 'approval_make *(' $(ls */*.h) 2>/dev/null | grep -q .; then
	echo "no approval_make is declared in a header" >> "$results"
else
	echo "ok approval_make is declared in no header" >> "$results"
fi

# One global name, one object: two would be linked in silence, the one or the other.
own_objects | xargs nm -A --defined-only --extern-only | awk '
$2 ~ /^[A-TX-Z]$/ { sub(/^.*\//, "", $1); n[$3]++; where[$3] = where[$3] " " $1 }
END { for (s in n) print (n[s] == 1 ? "ok " : "no ") s " is defined in" where[s] }' >> "$results"

# 4. Sizes: no function over 80 lines, no file over 500. 5. No goto.
awk '
FNR == 1 { finish(); file = FILENAME; longest = 0; jump = 0 }
{ lines = FNR; code = $0; gsub(/"([^"\\]|\\.)*"/, "", code); sub(/\/\*.*/, "", code); sub(/^[ \t]*\*.*/, "", code) }
/^\{/ { begin = FNR }
/^\}/ { if (begin && FNR - begin > longest) { longest = FNR - begin; at = begin }; begin = 0 }
code ~ /(^|[^A-Za-z0-9_])goto([^A-Za-z0-9_]|$)/ { jump = FNR }
END { finish() }
function finish() {
	if (!file) return
	print (longest <= 80 ? "ok " : "no ") file ":" at " has a function of " longest " lines"
	print (lines <= 500 ? "ok " : "no ") file " has " lines " lines"
	print (jump ? "no " : "ok ") file ":" jump " has a goto"
}' $sources >> "$results"

grep '^no ' "$results" | sed 's/^no /arch: /'
passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^no ' "$results")
echo "arch: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
