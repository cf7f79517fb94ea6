#include "server/config_schema.h"

#include "server/config_rule.h"
#include "server/pool.h"

#define AT(member) .offset = offsetof(struct config, member)
#define LISTENER(member) .offset = offsetof(struct config_listener, member)
#define PROFILE(member) .offset = offsetof(struct config_profile, profile.member)
#define CHOICES(...) (const struct config_choice[]){ __VA_ARGS__, { NULL, 0 } }
#define SECTION(rows) (const struct config_section){ .keys = rows, .key_count = array_length(rows) }
#define ELEMENT(rows, type) \
	(const struct config_section){ .keys = rows, .key_count = array_length(rows), .size = sizeof(type) }

enum { DAY = 86400, YEAR = 365 * DAY };

/* What a file without these lists has; the file's own list replaces it as a whole. */
#define DEFAULT_LISTENERS \
	"- {port: 8443, services: [acme, est, api, ca, status]}\n- {port: 8080, tls: false, services: [ca]}\n"
#define DEFAULT_PROFILES \
	"- {name: tls-server, description: \"TLS servers, proven by ACME challenges\"}\n"

static const struct config_key data_keys[] = {
	{ "folder",
	  "Where the store, the lock of the server and, unless `ca.folder` says otherwise, the CA live.",
	  CONFIG_TEXT, AT(data.folder), .fallback = "/var/lib/enrolld", .check = config_rule_not_empty },
};

static const struct config_key log_keys[] = {
	{ "level", "The least important events that are logged.", CONFIG_CHOICE, AT(log.level),
	  .fallback = "info", .reload = true,
	  .choices = CHOICES({ "error", LOG_LEVEL_ERROR }, { "warn", LOG_LEVEL_WARN },
	                     { "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG }) },
	{ "format", "The form of a line on standard error.", CONFIG_CHOICE, AT(log.format),
	  .fallback = "logfmt", .reload = true,
	  .choices = CHOICES({ "logfmt", LOG_FORMAT_LOGFMT }, { "json", LOG_FORMAT_JSON }) },
	{ "requests", "One line for each request.", CONFIG_BOOL, AT(log.requests), .fallback = "true" },
};

static const struct config_key crl_keys[] = {
	{ "lifetime", "How long a CRL can be used: from thisUpdate to nextUpdate.", CONFIG_DURATION,
	  AT(revocation.crl.lifetime), .fallback = "2d", .min = 60, .max = YEAR },
	{ "interval",
	  "A new CRL is made so often, besides those that are made when a certificate was revoked.",
	  CONFIG_DURATION, AT(revocation.crl.interval), .fallback = "12h", .min = 10, .max = YEAR },
	{ "pause", "The least time between two CRLs: revocations that come together share one.",
	  CONFIG_MILLISECONDS, AT(revocation.crl.pause_ms), .fallback = "2s", .max = 3600000 },
	{ "shards",
	  "CRLs side by side of one issuer, among which its certificates are spread when they are issued. More than one "
	  "makes each list smaller, and needs verifiers that know the critical extension issuingDistributionPoint. May "
	  "change at any time: a certificate stays on the list that its own URL leads to.",
	  CONFIG_NUMBER, AT(ca.crl_shards), .fallback = "1", .min = 1, .max = CRL_SHARDS_MAX, .reload = true },
	{ "delta_lifetime",
	  "How long a delta CRL can be used; a new one is made after the half. `0` makes none. Complete CRLs name the "
	  "delta (freshestCRL) and are made as often; verifiers that know no deltas lose nothing.",
	  CONFIG_DURATION, AT(revocation.crl.delta_lifetime), .fallback = "0s", .max = 30 * DAY },
	{ "max_age", "How long HTTP caches may keep a CRL, if nextUpdate does not come first.",
	  CONFIG_DURATION, AT(revocation.crl_max_age), .fallback = "1h", .max = YEAR },
};

static const struct config_key ocsp_keys[] = {
	{ "lifetime", "How long an OCSP answer can be used; HTTP caches are told the half.", CONFIG_DURATION,
	  AT(revocation.ocsp.lifetime), .fallback = "1h", .min = 10, .max = 30 * DAY },
	{ "responder_lifetime",
	  "Life of the certificates of OCSP responders; they are renewed after the half.",
	  CONFIG_DURATION, AT(revocation.ocsp.responder_lifetime), .fallback = "7d", .min = 60, .max = YEAR },
	{ "nonce",
	  "Whether a nonce of the client is sent back (RFC 9654), which takes a signature for each request.",
	  CONFIG_BOOL, AT(revocation.ocsp.nonce), .fallback = "true" },
	{ "unknown",
	  "What is said of a serial number that was not issued here: `unknown`, or, where another responder "
	  "may know it, `unauthorized` (RFC 9919, 3.2.3).", CONFIG_CHOICE, AT(revocation.ocsp.unknown),
	  .fallback = "unknown",
	  .choices = CHOICES({ "unknown", OCSP_SAY_UNKNOWN }, { "unauthorized", OCSP_SAY_UNAUTHORIZED }) },
	{ "archive",
	  "How long after its end a certificate is told of: answers about one that has expired say so in archiveCutoff (RFC 6960, "
	  "4.4.4). They go on being right for ever, as the inventory forgets nothing; 0: answers do not say.", CONFIG_DURATION,
	  AT(revocation.ocsp.archive), .fallback = "7y", .max = 60LL * YEAR },
	{ "cache", "Answers that are kept to be sent again, about 1 KB each.", CONFIG_NUMBER,
	  AT(revocation.ocsp.cache_places), .fallback = "4096", .max = 1048576 },
};

static const struct config_key listener_keys[] = {
	{ "address", "The address to listen on; `::` is every address, IPv4 included.", CONFIG_TEXT,
	  LISTENER(address), .fallback = "::", .check = config_rule_address },
	{ "port", "0 lets the kernel pick one, which the log then names.", CONFIG_NUMBER, LISTENER(port),
	  .required = true, .max = 65535 },
	{ "tls", "HTTPS, or plain HTTP.", CONFIG_BOOL, LISTENER(tls), .fallback = "true" },
	{ "services", "What is served: `acme`; `est`; `api`, the REST API; `ca`, CA certificates, CRLs and OCSP; `status`, health and metrics.",
	  CONFIG_FLAGS, LISTENER(services), .fallback = "acme, est, api, ca, status",
	  .choices = CHOICES({ "acme", CONFIG_ACME }, { "est", CONFIG_EST }, { "ca", CONFIG_CA },
	                     { "status", CONFIG_STATUS }, { "api", CONFIG_API },
	                     { "console", CONFIG_NOT_BUILT }) },
	{ "client_certificate", "Whether a client is asked for a certificate; it is never demanded.",
	  CONFIG_CHOICE, LISTENER(client_certificate), .fallback = "ask",
	  .choices = CHOICES({ "ask", CONFIG_CLIENT_ASK }, { "none", CONFIG_CLIENT_NONE }) },
	{ "external_url",
	  "What clients call this listener, when it is behind a proxy or has one name only.", CONFIG_TEXT,
	  LISTENER(external_url),
	  .shown = "as the request's `Host` says, which must be one of `tls.names`",
	  .check = config_rule_url },
};

static const struct config_key tls_keys[] = {
	{ "names", "The server's own names and addresses, for its certificate and its URLs.", CONFIG_TEXTS,
	  AT(tls.names), .shown = "the host's name, `localhost`, `127.0.0.1`, `::1`",
	  .check = config_rule_host },
	{ "certificate",
	  "A PEM file with the server's certificate and its chain, in place of one from its own CA.",
	  CONFIG_TEXT, AT(tls.certificate), .check = config_rule_not_empty, .reload = true },
	{ "key", "The PEM file of its private key, not encrypted.", CONFIG_TEXT, AT(tls.key),
	  .check = config_rule_not_empty, .reload = true },
	{ "lifetime", "Life of the certificate from the own CA; it is renewed after two thirds.",
	  CONFIG_DURATION, AT(tls.lifetime), .fallback = "90d", .min = 60, .max = YEAR, .reload = true },
	{ "minimum", "The oldest version of TLS that is spoken.", CONFIG_CHOICE, AT(tls.minimum),
	  .fallback = "1.2", .choices = CHOICES({ "1.2", CONFIG_TLS12 }, { "1.3", CONFIG_TLS13 }) },
};

static const struct config_key http_keys[] = {
	{ "threads", "Threads for the connections of all listeners. Who has nothing in hand needs none while others wait.", CONFIG_NUMBER,
	  AT(http.threads), .fallback = "64", .min = 1, .max = 4096 },
	{ "connections_per_address", "Connections at once from one address, or one /64 of IPv6; those beyond are cut off. 0 is no limit: behind a NAT or a "
	  "proxy many clients have one address (docs/operations.md).", CONFIG_NUMBER,
	  AT(http.connections_per_address), .fallback = "0", .max = 4096 },
	{ "keep_alive", "How long an idle connection is kept.", CONFIG_MILLISECONDS, AT(http.keep_alive),
	  .fallback = "15s", .min = 100, .max = 3600000 },
	{ "header_timeout", "Until the header of a request is read.", CONFIG_MILLISECONDS,
	  AT(http.header_timeout), .fallback = "10s", .min = 100, .max = 3600000 },
	{ "body_timeout", "Until its body is read.", CONFIG_MILLISECONDS, AT(http.body_timeout),
	  .fallback = "20s", .min = 100, .max = 3600000 },
	{ "reply_timeout", "Until the reply is taken.", CONFIG_MILLISECONDS, AT(http.reply_timeout),
	  .fallback = "30s", .min = 100, .max = 3600000 },
	{ "body_max", "Bytes of the largest body that any request may have.", CONFIG_NUMBER,
	  AT(http.body_max), .fallback = "262144", .min = 1024, .max = 16777216 },
	{ "drain_timeout", "How long requests in flight may take when the server ends.",
	  CONFIG_MILLISECONDS, AT(http.drain_timeout), .fallback = "10s", .max = 600000, .reload = true },
};

static const struct config_key status_keys[] = {
	{ "metrics_from",
	  "Networks whose hosts may read `/metrics`, on each listener that serves `status`. What a reverse proxy passes on does not "
	  "count as from this machine. `/healthz` and `/readyz` tell everybody.", CONFIG_NETWORKS, AT(metrics_from),
	  .fallback = "127.0.0.0/8, ::1" },
};

#define LIMIT_KEYS(member, burst_, period_)                                                              \
	{ "burst", "How many at once; 0 is no limit.", CONFIG_NUMBER, AT(acme.options.member.burst),     \
	  .fallback = burst_, .max = 1000000 },                                                          \
	{ "period", "How long it takes to have that many again.", CONFIG_SECONDS,                        \
	  AT(acme.options.member.period), .fallback = period_, .min = 1, .max = 30 * DAY }
static const struct config_key accounts_per_address_keys[] = {
	LIMIT_KEYS(accounts_per_address, "10000", "1h"),
};
static const struct config_key orders_per_account_keys[] = {
	LIMIT_KEYS(orders_per_account, "100000", "1h"),
};
static const struct config_key orders_per_name_keys[] = {
	LIMIT_KEYS(orders_per_name, "10000", "1h"),
};
static const struct config_key requests_per_address_keys[] = {
	LIMIT_KEYS(requests_per_address, "600000", "1m"),
};
static const struct config_key renewal_info_per_address_keys[] = {
	LIMIT_KEYS(renewal_info_per_address, "60000", "1m"),
};
static const struct config_key limit_keys[] = {
	{ "accounts_per_address", "New accounts from one address, or one /64 of IPv6.", CONFIG_SECTION,
	  .section = &SECTION(accounts_per_address_keys) },
	{ "orders_per_account", "New orders of one account.", CONFIG_SECTION,
	  .section = &SECTION(orders_per_account_keys) },
	{ "orders_per_name", "New orders for one name.", CONFIG_SECTION,
	  .section = &SECTION(orders_per_name_keys) },
	{ "renewal_info_per_address", "Requests for renewal information from one address, or one /64 of IPv6.", CONFIG_SECTION,
	  .section = &SECTION(renewal_info_per_address_keys) },
	{ "requests_per_address", "Requests of any kind from one address, or one /64 of IPv6.", CONFIG_SECTION,
	  .section = &SECTION(requests_per_address_keys) },
};

static const struct config_key http_01_keys[] = {
	{ "port", "The port a probe asks first, and redirects may lead to.", CONFIG_NUMBER,
	  AT(acme.options.http_port), .fallback = "80", .min = 1, .max = 65535 },
	{ "https_port", "The port that redirects to https may lead to.", CONFIG_NUMBER,
	  AT(acme.options.https_port), .fallback = "443", .min = 1, .max = 65535 },
	{ "allow",
	  "Networks that may be probed although they are denied by themselves: loopback, link-local and "
	  "other special addresses.", CONFIG_NETWORKS, AT(acme.probe_allow) },
	{ "deny", "Networks that are never probed; this wins.", CONFIG_NETWORKS, AT(acme.probe_deny) },
	{ "timeout", "One attempt with all its redirects.", CONFIG_MILLISECONDS,
	  AT(acme.options.probe_timeout_ms), .fallback = "10s", .min = 100, .max = 120000 },
	{ "attempts", "How often a probe is tried before its challenge fails (RFC 8555, 8.2).",
	  CONFIG_NUMBER, AT(acme.options.probe_attempts), .fallback = "3", .min = 1, .max = 20 },
};

static const struct config_key probe_keys[] = {
	{ "threads", "Probes at once.", CONFIG_NUMBER, AT(acme.options.probe_threads), .fallback = "16",
	  .min = 1, .max = 256 },
	{ "queue", "Probes that may wait for a thread.", CONFIG_NUMBER, AT(acme.options.probe_queue),
	  .fallback = "10000", .min = 1, .max = 1000000 },
};

static const struct config_key renewal_info_keys[] = {
	{ "retry_after", "How long a client waits before it asks again; a twentieth of the certificate's life where that is less.",
	  CONFIG_DURATION, AT(acme.options.renewal_retry_after), .fallback = "6h", .min = 60, .max = 30 * DAY },
	{ "explanation_url", "Page that says why renewals are wanted when they are.", CONFIG_TEXT,
	  AT(acme.options.renewal_explanation), .check = config_rule_not_empty },
};

static const struct config_key acme_keys[] = {
	{ "terms_of_service", "URL of terms that every new account must agree to.", CONFIG_TEXT,
	  AT(acme.options.terms_of_service), .check = config_rule_not_empty },
	{ "website", "URL that the directory names for more about this CA.", CONFIG_TEXT,
	  AT(acme.options.website), .check = config_rule_not_empty },
	{ "caa_identities", "Names that CAA records use for this CA (RFC 8659).", CONFIG_TEXTS,
	  AT(acme.caa_identities), .check = config_rule_domain },
	{ "order_lifetime", "How long an order may stay pending or ready.", CONFIG_DURATION,
	  AT(acme.options.order_lifetime), .fallback = "1d", .min = 60, .max = YEAR },
	{ "authorization_pending_lifetime", "How long a challenge may wait for its answer.",
	  CONFIG_DURATION, AT(acme.options.authorization_pending_lifetime), .fallback = "1d", .min = 60,
	  .max = YEAR },
	{ "retention", "How long orders are kept after they ended.", CONFIG_DURATION,
	  AT(acme.options.retention), .fallback = "30d", .max = 60LL * YEAR },
	{ "orders_page", "Orders on one page of an account's list.", CONFIG_NUMBER,
	  AT(acme.options.orders_page), .fallback = "100", .min = 1, .max = 10000 },
	{ "contacts_max", "Contacts of one account.", CONFIG_NUMBER, AT(acme.options.contacts_max),
	  .fallback = "10", .min = 1, .max = 1000 },
	{ "pending_authorizations_max", "Authorizations of one account that wait for an answer.",
	  CONFIG_NUMBER, AT(acme.options.pending_authorizations_max), .fallback = "1000", .min = 1,
	  .max = 1000000 },
	{ "orders_per_authorization_max", "Orders that rest on one authorization and have not ended: what one request can end.",
	  CONFIG_NUMBER, AT(acme.options.orders_per_authorization_max), .fallback = "1000", .min = 1, .max = 100000 },
	{ "limits", "Rates; who goes beyond is told when to come again.", CONFIG_SECTION,
	  .section = &SECTION(limit_keys) },
	{ "renewal_info", "Renewal information (RFC 9773); what profiles say of it is in `profiles`.", CONFIG_SECTION,
	  .section = &SECTION(renewal_info_keys) },
	{ "challenge_wait", "How long the answer to a challenge waits for the probe's result.",
	  CONFIG_MILLISECONDS, AT(acme.options.challenge_wait_ms), .fallback = "250ms", .max = 10000 },
	{ "http_01", "The http-01 challenge (RFC 8555, 8.3).", CONFIG_SECTION,
	  .section = &SECTION(http_01_keys) },
	{ "tls_alpn_01", "The tls-alpn-01 challenge (RFC 8737); `http_01` says where, how long and how often.", CONFIG_SECTION,
	  .section = &config_tls_alpn_section },
	{ "probe", "The threads that probe challenges.", CONFIG_SECTION, .section = &SECTION(probe_keys) },
	{ "resolvers", "DNS servers, `192.0.2.53` or `127.0.0.1@5353`.", CONFIG_TEXTS, AT(acme.resolvers),
	  .shown = "the system's", .check = config_rule_resolver },
	{ "dns", "How DNS is asked for what challenges need.", CONFIG_SECTION, .section = &config_dns_section },
	{ "vantage", "Further places from which challenges and CAA are looked at.", CONFIG_SECTION,
	  .section = &config_vantage_section },
	{ "challenges", "The challenges that are offered where they fit.", CONFIG_FLAGS, AT(acme.options.challenges),
	  .fallback = "http-01, dns-01, tls-alpn-01, dns-account-01",
	  .choices = CHOICES({ "http-01", ACME_HTTP_01 }, { "dns-01", ACME_DNS_01 },
	                     { "tls-alpn-01", ACME_TLS_ALPN_01 }, { "dns-account-01", ACME_DNS_ACCOUNT_01 },
	                     { "dns-persist-01", ACME_DNS_PERSIST_01 }, { "device-attest-01", ACME_DEVICE_ATTEST_01 }) },
	{ "dns_persist_01", "The dns-persist-01 challenge, where `challenges` has it; its Issuer Domain Names are `caa_identities`.",
	  CONFIG_SECTION, .section = &config_persist_section },
	{ "device_attest_01",
	  "The device-attest-01 challenge, where `challenges` has it; which devices may be ordered is in `profiles`.", CONFIG_SECTION,
	  .section = &config_attest_section, .reload = true },
};

static const struct config_key api_limit_keys[] = {
	{ "burst", "How many at once; 0 is no limit.", CONFIG_NUMBER, AT(api.options.requests_burst),
	  .fallback = "6000", .max = 1000000 },
	{ "period", "How long it takes to have that many again.", CONFIG_SECONDS,
	  AT(api.options.requests_period), .fallback = "1m", .min = 1, .max = 30 * DAY },
};
static const struct config_key api_keys[] = {
	{ "requests_per_token", "Rate of all requests of one token; who goes beyond is told when to come again.",
	  CONFIG_SECTION, .section = &SECTION(api_limit_keys) },
	{ "retention", "How long requests are kept after they were made.", CONFIG_DURATION,
	  AT(api.options.retention), .fallback = "90d", .min = 60, .max = 60LL * YEAR },
	{ "key_file",
	  "File of 32 random bytes under which private keys are sealed; made when it is missing. Kept elsewhere than "
	  "`data.folder`, it is not in the same backup. To change it: `enrolld key reseal`.", CONFIG_TEXT,
	  AT(api.options.key_file), .shown = "a key that follows from `seal.key` in `data.folder`", .check = config_rule_not_empty },
};

static const struct config_key webhook_keys[] = {
	{ "allow",
	  "Networks that events may be sent to although they are denied by themselves: private ones, loopback, "
	  "link-local and other special addresses.", CONFIG_NETWORKS, AT(webhook.allow) },
	{ "deny", "Networks that nothing is sent to; this wins.", CONFIG_NETWORKS, AT(webhook.deny) },
	{ "ca_bundle", "PEM file of the CAs that a receiver's certificate may be from.", CONFIG_TEXT, AT(webhook.trust),
	  .shown = "the system's", .check = config_rule_not_empty },
	{ "timeout", "One try.", CONFIG_MILLISECONDS, AT(webhook.options.timeout_ms), .fallback = "10s", .min = 100, .max = 120000 },
	{ "retry_first", "Until the second try of what could not be delivered; twice as long until each one after it.",
	  CONFIG_DURATION, AT(webhook.options.retry_first), .fallback = "5s", .min = 1, .max = DAY },
	{ "retry_max", "The longest time between two tries.", CONFIG_DURATION, AT(webhook.options.retry_max), .fallback = "1h",
	  .min = 1, .max = 7 * DAY },
	{ "give_up", "A webhook that could deliver nothing for so long is stopped, until it is resumed.", CONFIG_DURATION,
	  AT(webhook.options.give_up), .fallback = "7d", .min = 1, .max = YEAR },
};

#define NAME_KEYS(type, allow_, rule)                                                                    \
	{ "allow", "Patterns of what may be certified; none: nothing of this type.", CONFIG_TEXTS,       \
	  PROFILE(names[type].allow), .fallback = allow_, .check = rule },                               \
	{ "deny", "Patterns of what may not; this wins.", CONFIG_TEXTS,                                  \
	  PROFILE(names[type].deny), .check = rule }
static const struct config_key dns_keys[] = { NAME_KEYS(IDENTIFIER_DNS, "*", config_rule_dns) };
static const struct config_key ip_keys[] = { NAME_KEYS(IDENTIFIER_IP, "*", config_rule_ip) };
static const struct config_key email_keys[] = { NAME_KEYS(IDENTIFIER_EMAIL, NULL, config_rule_email) };
static const struct config_key uri_keys[] = { NAME_KEYS(IDENTIFIER_URI, NULL, config_rule_uri) };
static const struct config_key permanent_keys[] = { NAME_KEYS(IDENTIFIER_PERMANENT, NULL, config_rule_not_empty) };
static const struct config_key hardware_keys[] = { NAME_KEYS(IDENTIFIER_HARDWARE, NULL, config_rule_not_empty) };

#define SUBJECT(name, type, meaning_)                                                                    \
	{ name, meaning_, CONFIG_TEXTS, .offset = offsetof(struct config_profile, subject[SUBJECT_##type]), \
	  .check = config_rule_not_empty }
static const struct config_key subject_keys[] = {
	SUBJECT("o", O, "Organization."), SUBJECT("ou", OU, "Organizational units."), SUBJECT("c", C, "Country, two letters."),
	SUBJECT("st", ST, "State or province."), SUBJECT("l", L, "Locality."), SUBJECT("dc", DC, "Domain components."),
	SUBJECT("email", EMAIL, "E-mail address."), SUBJECT("serial_number", SERIAL_NUMBER, "Serial number."),
};

static const struct config_key renewal_keys[] = {
	{ "from", "Percent of its life after which a certificate may be renewed.", CONFIG_NUMBER, PROFILE(renewal_from),
	  .fallback = "66", .min = 1, .max = 99 },
	{ "until", "Percent of its life by which it should have been.", CONFIG_NUMBER, PROFILE(renewal_until),
	  .fallback = "80", .min = 1, .max = 99 },
};

static const struct config_key star_keys[] = {
	{ "enabled", "Whether such orders are taken.", CONFIG_BOOL, PROFILE(star.on), .fallback = "false" },
	{ "min_lifetime", "The shortest life of one certificate of such an order.", CONFIG_DURATION, PROFILE(star.lifetime_min),
	  .fallback = "1d", .min = 1, .max = YEAR },
	{ "max_duration", "How long an order may go on.", CONFIG_DURATION, PROFILE(star.duration_max), .fallback = "365d",
	  .min = 1, .max = 60LL * YEAR },
	{ "certificate_get", "Whether an order may let anybody fetch its certificate who knows the URL.", CONFIG_BOOL,
	  PROFILE(star.get), .fallback = "false" },
};

static const struct config_key profile_keys[] = {
	{ "name", "Its name; `/acme/NAME/directory` is its ACME directory, and `NAME` its label in EST.", CONFIG_TEXT, PROFILE(name),
	  .required = true, .check = config_rule_own_profile },
	{ "description",
	  "What it is for, in words, or the `https:` URL of a page that says so; the ACME directory shows it.", CONFIG_TEXT,
	  PROFILE(description), .max = 200 },
	{ "issuer", "The issuing CA that signs, of `ca.issuers`.", CONFIG_TEXT, PROFILE(issuer),
	  .shown = "the first of `ca.issuers`", .check = config_rule_issuer },
	{ "methods", "By which ways certificates of this profile are issued.", CONFIG_FLAGS,
	  PROFILE(methods), .fallback = "acme, est, api",
	  .choices = CHOICES({ "acme", PROFILE_ACME }, { "est", PROFILE_EST }, { "api", PROFILE_API }) },
	{ "directory_alone",
	  "Whether it can be ordered in its own ACME directory alone. Otherwise the directory of `default_profile` offers it "
	  "too, for `profile` of an order to name.", CONFIG_BOOL, PROFILE(directory_alone), .fallback = "false" },
	{ "policy",
	  "What may be certified: the name of one of `policies`, or `tls-server`, `tls-client`, `dual-purpose`, "
	  "`device`, `user`, `email-protection`, `code-signing`, `intermediate-ca`. Then `keys`, `dns`, `ip`, "
	  "`email`, `uri`, `permanent_identifier`, `hardware_module_name`, `wildcards`, `names_max` and `validity_max`, which are a policy in short form, are "
	  "not to be here, and the defaults of usages and validity are the policy's.", CONFIG_TEXT,
	  .offset = offsetof(struct config_profile, policy), .shown = "the short form", .check = config_rule_id },
	{ "subject",
	  "Attributes that are given where a CSR has none of the kind, and the only ones besides CN that a "
	  "certificate over ACME has.", CONFIG_SECTION, .section = &SECTION(subject_keys) },
	{ "keys", "Keys that are certified.", CONFIG_FLAGS, PROFILE(keys),
	  .fallback = "rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384, ec-p521, ed25519",
	  .choices = CONFIG_KEY_CHOICES },
	{ "dns",
	  "DNS names: `host.example` that name alone, `*.example` one label more, `**.example` any number "
	  "more, `*` every name.", CONFIG_SECTION, .section = &SECTION(dns_keys) },
	{ "ip", "IP addresses: an address, a network, or `*`.", CONFIG_SECTION,
	  .section = &SECTION(ip_keys) },
	{ "email", "E-mail addresses: `user@example.com`, `@example.com`, or `*`.", CONFIG_SECTION,
	  .section = &SECTION(email_keys) },
	{ "uri", "URIs: the whole, or a prefix ending in `*`.", CONFIG_SECTION,
	  .section = &SECTION(uri_keys) },
	{ "permanent_identifier", "Devices by RFC 4043: `value` or `value/OID of its assigner`, `*` for any characters.",
	  CONFIG_SECTION, .section = &SECTION(permanent_keys) },
	{ "hardware_module_name", "Devices by RFC 4108: `OID of the type/serial number in hexadecimal`, likewise.", CONFIG_SECTION,
	  .section = &SECTION(hardware_keys) },
	{ "wildcards", "Whether wildcard names are certified.", CONFIG_BOOL, PROFILE(wildcards),
	  .fallback = "true" },
	{ "names_max", "Names in one certificate.", CONFIG_NUMBER, PROFILE(names_max), .fallback = "100",
	  .min = 1, .max = 1000 },
	{ "validity", "Life of a certificate when nothing else was asked for.", CONFIG_DURATION,
	  PROFILE(validity), .fallback = "90d", .min = 60, .max = 60LL * YEAR },
	{ "validity_max", "The longest life that may be asked for.", CONFIG_DURATION,
	  PROFILE(validity_max), .fallback = "397d", .min = 60, .max = 60LL * YEAR },
	{ "backdate", "How far before its issue a certificate's life begins, for clocks that are slow.",
	  CONFIG_DURATION, PROFILE(backdate), .fallback = "1m", .max = 7 * DAY },
	{ "key_usage", "Key usages; those that do not fit the key's algorithm are left out.", CONFIG_FLAGS,
	  PROFILE(key_usage), .fallback = "digitalSignature, keyEncipherment",
	  .choices = CHOICES({ "digitalSignature", KU_DIGITAL_SIGNATURE },
	                     { "nonRepudiation", KU_NON_REPUDIATION },
	                     { "keyEncipherment", KU_KEY_ENCIPHERMENT },
	                     { "dataEncipherment", KU_DATA_ENCIPHERMENT },
	                     { "keyAgreement", KU_KEY_AGREEMENT },
	                     { "encipherOnly", KU_ENCIPHER_ONLY }, { "decipherOnly", KU_DECIPHER_ONLY }) },
	{ "extended_key_usage", "Extended key usages, by name or as OIDs; at least one. A CSR that asks for some of them gets those.", CONFIG_TEXTS,
	  PROFILE(extended_key_usage), .fallback = "serverAuth, clientAuth", .check = config_rule_usage },
	{ "common_name",
	  "CN of the subject: `none`; `if-asked`, the CSR's when it is a proven name; `first`, that or else "
	  "the first proven name.", CONFIG_CHOICE, PROFILE(common_name), .fallback = "if-asked",
	  .choices = CHOICES({ "none", PROFILE_CN_NONE }, { "if-asked", PROFILE_CN_IF_ASKED },
	                     { "first", PROFILE_CN_FIRST }) },
	{ "hash", "Hash of the signature; `by-key` takes the one that fits the issuer's key.", CONFIG_CHOICE,
	  .offset = offsetof(struct config_profile, hash), .fallback = "by-key",
	  .choices = CHOICES({ "by-key", 0 }, { "sha256", 256 }, { "sha384", 384 }, { "sha512", 512 }) },
	{ "reuse_account_key", "Whether a certificate may have the key of the ACME account.", CONFIG_BOOL,
	  PROFILE(reuse_account_key), .fallback = "false" },
	{ "authorization_lifetime", "How long a proof of control can be used again.", CONFIG_DURATION,
	  PROFILE(authorization_lifetime), .fallback = "1d", .min = 60, .max = YEAR },
	{ "subdomains",
	  "Whether a proof for a domain stands for the names below it too, but for wildcard names (RFC 9444): `none`, `dns` "
	  "where it was given in the domain's zone, or `any`.", CONFIG_CHOICE, PROFILE(subdomains), .fallback = "none",
	  .choices = CHOICES({ "none", PROFILE_SUBDOMAINS_NONE }, { "dns", PROFILE_SUBDOMAINS_DNS },
	                     { "any", PROFILE_SUBDOMAINS_ANY }) },
	{ "no_revocation_within",
	  "Certificates of a life so long or shorter say that there is no revocation information of them (noRevAvail, RFC "
	  "9608), and lead to no CRL and no responder; 0: none do. Days at most: until they end, nobody learns that one was "
	  "revoked.", CONFIG_DURATION, PROFILE(no_revocation_within), .fallback = "0s", .max = 30 * DAY },
	{ "auto_renewal", "Orders whose certificates the server renews by itself (RFC 8739).", CONFIG_SECTION,
	  .section = &SECTION(star_keys) },
	{ "renewal",
	  "When clients are asked to renew (RFC 9773). Each certificate is given a window, a quarter as long, at its own "
	  "place between these, so that a fleet does not renew at once.", CONFIG_SECTION, .section = &SECTION(renewal_keys) },
	{ "approvals", "How many people must approve a request before its certificate is issued; 0: none.", CONFIG_NUMBER,
	  PROFILE(approvals), .fallback = "0", .max = 10 },
	{ "approvers", "Who may approve; without it, whoever may decide at all.", CONFIG_TEXTS, PROFILE(approvers),
	  .check = config_rule_not_empty },
	{ "expiry_alerts",
	  "How long before its end it is told that a certificate expires and nothing has replaced it, each once: an event of "
	  "the audit log, for webhooks; `0s` is the end itself; `none` is never.", CONFIG_TEXTS,
	  .offset = offsetof(struct config_profile, expiry_alerts),
	  .shown = "`30d`, `7d` and `1d`, those of them that are shorter than the certificate's life", .check = config_rule_alert },
	{ "approval_lifetime", "How long a request waits for approval.", CONFIG_DURATION, PROFILE(approval_lifetime),
	  .fallback = "7d", .min = 60, .max = YEAR },
	{ "acme", "What is of ACME alone.", CONFIG_SECTION, .section = &config_profile_acme_section },
	{ "est", "What is of EST alone.", CONFIG_SECTION, .section = &config_profile_est_section },
	{ "caa",
	  "Whether CAA records (RFC 8659, RFC 8657) are asked for and held, when a name is proven over ACME and again before "
	  "each issuance; needs `acme.caa_identities`.", CONFIG_BOOL, PROFILE(caa), .fallback = "false" },
	{ "require_dnssec",
	  "Whether ACME challenges for DNS names count only when the DNS answers that they rest on are signed with DNSSEC; "
	  "needs `acme.dns.trust_anchors`.", CONFIG_BOOL, PROFILE(require_dnssec), .fallback = "false" },
	{ "keep_keys",
	  "Whether private keys that the server makes over the API are kept, sealed, so that they can be read "
	  "again and their certificates renewed by the server.", CONFIG_BOOL, PROFILE(keep_keys), .fallback = "false" },
	{ "renew_before",
	  "How long before its end the server renews a certificate whose key it keeps, unless the request says "
	  "otherwise; 0: it does not.", CONFIG_DURATION, PROFILE(renew_before), .fallback = "0", .max = 60LL * YEAR },
	{ "eab_required", "Whether new ACME accounts need an external account binding.", CONFIG_BOOL,
	  PROFILE(eab_required), .fallback = "false" },
};

static const struct config_key top_keys[] = {
	{ "data", "What the server keeps.", CONFIG_SECTION, .section = &SECTION(data_keys) },
	{ "log", "What it tells.", CONFIG_SECTION, .section = &SECTION(log_keys) },
	{ "ca", "The certificate authority.", CONFIG_SECTION, .section = &config_ca_section },
	{ "crl", "Certificate revocation lists (RFC 5280, 5).", CONFIG_SECTION, .section = &SECTION(crl_keys) },
	{ "ocsp", "OCSP responders (RFC 6960, RFC 9919).", CONFIG_SECTION, .section = &SECTION(ocsp_keys) },
	{ "listeners", "Where it listens, and what it serves there.", CONFIG_SECTIONS, AT(listeners),
	  offsetof(struct config, listener_count), .fallback = DEFAULT_LISTENERS,
	  .section = &ELEMENT(listener_keys, struct config_listener), .min = 1, .max = LISTENERS_MAX },
	{ "tls", "Its own certificate.", CONFIG_SECTION, .section = &SECTION(tls_keys) },
	{ "http", "Bounds of connections and requests.", CONFIG_SECTION, .section = &SECTION(http_keys) },
	{ "status", "What it tells of itself.", CONFIG_SECTION, .section = &SECTION(status_keys), .reload = true },
	{ "acme", "The ACME service (RFC 8555).", CONFIG_SECTION, .section = &SECTION(acme_keys) },
	{ "est", "The EST service (RFC 7030; docs/est.md).", CONFIG_SECTION, .section = &config_est_section, .reload = true },
	{ "api", "The REST API (docs/api.md).", CONFIG_SECTION, .section = &SECTION(api_keys) },
	{ "webhook", "How events are sent to webhooks (docs/webhooks.md).", CONFIG_SECTION, .section = &SECTION(webhook_keys),
	  .reload = true },
	{ "webhooks", "Webhooks that the configuration names, beside those of `enrolld webhook create`.", CONFIG_SECTIONS, AT(webhooks),
	  offsetof(struct config, webhook_count), .fallback = "", .section = &config_webhook_section, .max = WEBHOOKS_MAX,
	  .reload = true },
	{ "policies",
	  "What may stand in certificates, field by field, for profiles to name. A field that a policy does not "
	  "mention is refused, unless it says `unlisted: allow`. In a pattern that is required or allowed, "
	  "`{identity}`, `{account}` and `{eab}` stand for who asks: the name of a token or a client, the id of an "
	  "ACME account, the key id of its external account binding.", CONFIG_SECTIONS, AT(policies),
	  offsetof(struct config, policy_count), .fallback = "", .section = &config_policy_section, .max = 256, .reload = true },
	{ "default_profile", "The profile of `/acme/directory`, and of EST without a label.", CONFIG_TEXT, AT(default_profile),
	  .shown = "the first of `profiles`", .check = config_rule_id, .reload = true },
	{ "profiles", "What certificates may be, and who may have them.", CONFIG_SECTIONS, AT(profiles),
	  offsetof(struct config, profile_count), .fallback = DEFAULT_PROFILES,
	  .section = &ELEMENT(profile_keys, struct config_profile), .min = 1, .max = 256, .reload = true },
	{ "key_blocklists",
	  "Files of SHA-256 hashes of public keys (SubjectPublicKeyInfo) that are never certified, in "
	  "hexadecimal, one a line.", CONFIG_TEXTS, AT(key_blocklists), .check = config_rule_not_empty,
	  .reload = true },
};
const struct config_section config_schema = {
	.keys = top_keys, .key_count = array_length(top_keys), .size = sizeof(struct config),
};
