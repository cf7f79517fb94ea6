#!/bin/sh
# `make run`: a CA of one's own in ./var on the first start, then the server, in the foreground.
# ENROLLD_VAR, ENROLLD_PORT, ENROLLD_PLAIN_PORT and ENROLLD_HTTP01_PORT choose another folder and other ports.
set -eu
binary=${1:?run.sh: the enrolld to run}
cd "$(dirname "$0")/.."
var=${ENROLLD_VAR:-$PWD/var}
port=${ENROLLD_PORT:-8443}
plain=${ENROLLD_PLAIN_PORT:-8480}
http01=${ENROLLD_HTTP01_PORT:-5002}
config=$var/enrolld.yaml
umask 077
mkdir -p "$var"
if [ ! -e "$config" ]; then
	cat > "$config" <<CONFIG
# Written by the first \`make run\`; yours to change. Every key: docs/configuration.md
data:
  folder: $var/data
ca:
  # Certificates say that their CRL and OCSP answers are here, over plain HTTP.
  urls: http://localhost:$plain
listeners:
- {address: 127.0.0.1, port: $port, services: [acme, est, api, ca, status]}
- {address: 127.0.0.1, port: $plain, tls: false, services: [ca, status]}
tls:
  names: [localhost, 127.0.0.1]
acme:
  http_01:
    # A port that needs no root; loopback is probed because it is allowed here.
    port: $http01
    allow: [127.0.0.0/8, "::1"]
CONFIG
fi
[ -e "$var/data/ca/issuing.pem" ] && [ -e "$var/data/data.mdb" ] || "$binary" init --config "$config"
root=$var/data/ca/root.pem
url=https://localhost:$port
code=$("$binary" est-credential create --config "$config" --expires 1d --note "printed by make run" | sed -n 's/^code  //p')
cat <<LINES

enrolld serves $url/acme/directory as soon as it says that it is ready; Ctrl-C ends it.
Clients must trust the root certificate $root
Each of these lines, pasted into another terminal, gets a certificate from it (apt-get install certbot lego curl):

  REQUESTS_CA_BUNDLE=$root certbot certonly -n --standalone --http-01-port $http01 --server $url/acme/directory --agree-tos -m you@example.com --config-dir $var/certbot --work-dir $var/certbot --logs-dir $var/certbot -d demo.localhost

  LEGO_CA_CERTIFICATES=$root lego --path $var/lego --server $url/acme/directory --accept-tos --email you@example.com --http --http.port :$http01 --domains demo.localhost run

This one enrolls a device over EST, with a code that counts once and for a day:

  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $var/device.key -subj / -addext subjectAltName=DNS:device.localhost -outform DER | openssl base64 -A | curl -sS --fail-with-body --cacert $root -u device:$code -H "Content-Type: application/pkcs10" --data-binary @- $url/.well-known/est/simpleenroll | openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out $var/device.pem

This one has the server make a key, over the REST API (docs/api.md), with a token that counts for a day:

  curl -sS --fail-with-body --cacert $root -H "Authorization: Bearer \$($PWD/${binary#"$PWD"/} token create --config $config --role issue --expires 1d | sed -n 's/^token  *//p')" -H "Content-Type: application/json" -d '{"profileId": "tls-server", "attributes": {"commonName": "app.localhost"}}' $url/api/v1/cert-manager/certificates

This one shows what clients are told first, and this one what was issued:

  curl --cacert $root $url/acme/directory

  $PWD/${binary#"$PWD"/} cert list --config $config

LINES
exec "$binary" serve --config "$config"
