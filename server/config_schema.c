#include "server/config_schema.h"

#include "server/config_rule.h"
#include "server/pool.h"

#define AT(member) .offset = offsetof(struct config, member)
#define LISTENER(member) .offset = offsetof(struct config_listener, member)
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
	{ "interval", "A new CRL is made so often, besides those that are made when a certificate was revoked.",
	  CONFIG_DURATION, AT(revocation.crl.interval), .fallback = "12h", .min = 10, .max = YEAR },
	{ "pause", "The least time between two CRLs: revocations that come together share one.",
	  CONFIG_MILLISECONDS, AT(revocation.crl.pause_ms), .fallback = "2s", .max = 3600000 },
	{ "shards",
	  "CRLs side by side of one issuer, among which its certificates are spread when they are issued. More than "
	  "one makes each list smaller, and needs verifiers that know the critical extension "
	  "issuingDistributionPoint. May change at any time: a certificate stays on the list that its own URL leads "
	  "to.",
	  CONFIG_NUMBER, AT(ca.crl_shards), .fallback = "1", .min = 1, .max = CRL_SHARDS_MAX, .reload = true },
	{ "delta_lifetime",
	  "How long a delta CRL can be used; a new one is made after the half. `0` makes none. Complete CRLs name "
	  "the delta (freshestCRL) and are made as often; verifiers that know no deltas lose nothing.",
	  CONFIG_DURATION, AT(revocation.crl.delta_lifetime), .fallback = "0s", .max = 30 * DAY },
	{ "max_age", "How long HTTP caches may keep a CRL, if nextUpdate does not come first.", CONFIG_DURATION,
	  AT(revocation.crl_max_age), .fallback = "1h", .max = YEAR },
};

static const struct config_key ocsp_keys[] = {
	{ "lifetime", "How long an OCSP answer can be used; HTTP caches are told the half.", CONFIG_DURATION,
	  AT(revocation.ocsp.lifetime), .fallback = "1h", .min = 10, .max = 30 * DAY },
	{ "responder_lifetime", "Life of the certificates of OCSP responders; they are renewed after the half.",
	  CONFIG_DURATION, AT(revocation.ocsp.responder_lifetime), .fallback = "7d", .min = 60, .max = YEAR },
	{ "nonce",
	  "Whether a nonce of the client is sent back (RFC 9654), which takes a signature for each request.",
	  CONFIG_BOOL, AT(revocation.ocsp.nonce), .fallback = "true" },
	{ "unknown",
	  "What is said of a serial number that was not issued here: `unknown`, or, where another responder may "
	  "know it, `unauthorized` (RFC 9919, 3.2.3).",
	  CONFIG_CHOICE, AT(revocation.ocsp.unknown), .fallback = "unknown",
	  .choices = CHOICES({ "unknown", OCSP_SAY_UNKNOWN }, { "unauthorized", OCSP_SAY_UNAUTHORIZED }) },
	{ "archive",
	  "How long after its end a certificate is told of: answers about one that has expired say so in "
	  "archiveCutoff (RFC 6960, 4.4.4). They go on being right for ever, as the inventory forgets nothing; 0: "
	  "answers do not say.",
	  CONFIG_DURATION, AT(revocation.ocsp.archive), .fallback = "7y", .max = 60LL * YEAR },
	{ "cache", "Answers that are kept to be sent again, about 1 KB each.", CONFIG_NUMBER,
	  AT(revocation.ocsp.cache_places), .fallback = "4096", .max = 1048576 },
};

static const struct config_key listener_keys[] = {
	{ "address", "The address to listen on; `::` is every address, IPv4 included.", CONFIG_TEXT,
	  LISTENER(address), .fallback = "::", .check = config_rule_address },
	{ "port", "0 lets the kernel pick one, which the log then names.", CONFIG_NUMBER, LISTENER(port),
	  .required = true, .max = 65535 },
	{ "tls", "HTTPS, or plain HTTP.", CONFIG_BOOL, LISTENER(tls), .fallback = "true" },
	{ "services",
	  "What is served: `acme`; `est`; `api`, the REST API; `ca`, CA certificates, CRLs and OCSP; `status`, "
	  "health and metrics.",
	  CONFIG_FLAGS, LISTENER(services), .fallback = "acme, est, api, ca, status",
	  .choices = CHOICES({ "acme", CONFIG_ACME }, { "est", CONFIG_EST }, { "ca", CONFIG_CA },
	                     { "status", CONFIG_STATUS }, { "api", CONFIG_API }, { "console", CONFIG_NOT_BUILT }) },
	{ "client_certificate", "Whether a client is asked for a certificate; it is never demanded.", CONFIG_CHOICE,
	  LISTENER(client_certificate), .fallback = "ask",
	  .choices = CHOICES({ "ask", CONFIG_CLIENT_ASK }, { "none", CONFIG_CLIENT_NONE }) },
	{ "external_url", "What clients call this listener, when it is behind a proxy or has one name only.",
	  CONFIG_TEXT, LISTENER(external_url),
	  .shown = "as the request's `Host` says, which must be one of `tls.names`", .check = config_rule_url },
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
	{ "threads",
	  "Threads for the connections of all listeners. Who has nothing in hand needs none while others wait.",
	  CONFIG_NUMBER, AT(http.threads), .fallback = "64", .min = 1, .max = 4096 },
	{ "connections_per_address",
	  "Connections at once from one address, or one /64 of IPv6; those beyond are cut off. 0 is no limit: "
	  "behind a NAT or a proxy many clients have one address (docs/operations.md).",
	  CONFIG_NUMBER, AT(http.connections_per_address), .fallback = "0", .max = 4096 },
	{ "keep_alive", "How long an idle connection is kept.", CONFIG_MILLISECONDS, AT(http.keep_alive),
	  .fallback = "15s", .min = 100, .max = 3600000 },
	{ "header_timeout", "Until the header of a request is read.", CONFIG_MILLISECONDS, AT(http.header_timeout),
	  .fallback = "10s", .min = 100, .max = 3600000 },
	{ "body_timeout", "Until its body is read.", CONFIG_MILLISECONDS, AT(http.body_timeout), .fallback = "20s",
	  .min = 100, .max = 3600000 },
	{ "reply_timeout", "Until the reply is taken.", CONFIG_MILLISECONDS, AT(http.reply_timeout),
	  .fallback = "30s", .min = 100, .max = 3600000 },
	{ "body_max", "Bytes of the largest body that any request may have.", CONFIG_NUMBER, AT(http.body_max),
	  .fallback = "262144", .min = 1024, .max = 16777216 },
	{ "drain_timeout", "How long requests in flight may take when the server ends.", CONFIG_MILLISECONDS,
	  AT(http.drain_timeout), .fallback = "10s", .max = 600000, .reload = true },
};

static const struct config_key status_keys[] = {
	{ "metrics_from",
	  "Networks whose hosts may read `/metrics`, on each listener that serves `status`. What a reverse proxy "
	  "passes on does not count as from this machine. `/healthz` and `/readyz` tell everybody.",
	  CONFIG_NETWORKS, AT(metrics_from), .fallback = "127.0.0.0/8, ::1" },
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
	{ "renewal_info_per_address", "Requests for renewal information from one address, or one /64 of IPv6.",
	  CONFIG_SECTION, .section = &SECTION(renewal_info_per_address_keys) },
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
	{ "retry_after",
	  "How long a client waits before it asks again; a twentieth of the certificate's life where that is less.",
	  CONFIG_DURATION, AT(acme.options.renewal_retry_after), .fallback = "6h", .min = 60, .max = 30 * DAY },
	{ "explanation_url", "Page that says why renewals are wanted when they are.", CONFIG_TEXT,
	  AT(acme.options.renewal_explanation), .check = config_rule_not_empty },
};

static const struct config_key acme_keys[] = {
	{ "terms_of_service", "URL of terms that every new account must agree to.", CONFIG_TEXT,
	  AT(acme.options.terms_of_service), .check = config_rule_not_empty },
	{ "website", "URL that the directory names for more about this CA.", CONFIG_TEXT, AT(acme.options.website),
	  .check = config_rule_not_empty },
	{ "caa_identities", "Names that CAA records use for this CA (RFC 8659).", CONFIG_TEXTS,
	  AT(acme.caa_identities), .check = config_rule_domain },
	{ "order_lifetime", "How long an order may stay pending or ready.", CONFIG_DURATION,
	  AT(acme.options.order_lifetime), .fallback = "1d", .min = 60, .max = YEAR },
	{ "authorization_pending_lifetime", "How long a challenge may wait for its answer.", CONFIG_DURATION,
	  AT(acme.options.authorization_pending_lifetime), .fallback = "1d", .min = 60, .max = YEAR },
	{ "retention", "How long orders are kept after they ended.", CONFIG_DURATION, AT(acme.options.retention),
	  .fallback = "30d", .max = 60LL * YEAR },
	{ "orders_page", "Orders on one page of an account's list.", CONFIG_NUMBER, AT(acme.options.orders_page),
	  .fallback = "100", .min = 1, .max = 10000 },
	{ "contacts_max", "Contacts of one account.", CONFIG_NUMBER, AT(acme.options.contacts_max),
	  .fallback = "10", .min = 1, .max = 1000 },
	{ "pending_authorizations_max", "Authorizations of one account that wait for an answer.", CONFIG_NUMBER,
	  AT(acme.options.pending_authorizations_max), .fallback = "1000", .min = 1, .max = 1000000 },
	{ "orders_per_authorization_max",
	  "Orders that rest on one authorization and have not ended: what one request can end.", CONFIG_NUMBER,
	  AT(acme.options.orders_per_authorization_max), .fallback = "1000", .min = 1, .max = 100000 },
	{ "limits", "Rates; who goes beyond is told when to come again.", CONFIG_SECTION,
	  .section = &SECTION(limit_keys) },
	{ "renewal_info", "Renewal information (RFC 9773); what profiles say of it is in `profiles`.",
	  CONFIG_SECTION, .section = &SECTION(renewal_info_keys) },
	{ "challenge_wait", "How long the answer to a challenge waits for the probe's result.", CONFIG_MILLISECONDS,
	  AT(acme.options.challenge_wait_ms), .fallback = "250ms", .max = 10000 },
	{ "http_01", "The http-01 challenge (RFC 8555, 8.3).", CONFIG_SECTION, .section = &SECTION(http_01_keys) },
	{ "tls_alpn_01", "The tls-alpn-01 challenge (RFC 8737); `http_01` says where, how long and how often.",
	  CONFIG_SECTION, .section = &config_tls_alpn_section },
	{ "probe", "The threads that probe challenges.", CONFIG_SECTION, .section = &SECTION(probe_keys) },
	{ "resolvers", "DNS servers, `192.0.2.53` or `127.0.0.1@5353`.", CONFIG_TEXTS, AT(acme.resolvers),
	  .shown = "the system's", .check = config_rule_resolver },
	{ "dns", "How DNS is asked for what challenges need.", CONFIG_SECTION, .section = &config_dns_section },
	{ "vantage", "Further places from which challenges and CAA are looked at.", CONFIG_SECTION,
	  .section = &config_vantage_section },
	{ "challenges", "The challenges that are offered where they fit.", CONFIG_FLAGS,
	  AT(acme.options.challenges), .fallback = "http-01, dns-01, tls-alpn-01, dns-account-01",
	  .choices = CHOICES({ "http-01", ACME_HTTP_01 }, { "dns-01", ACME_DNS_01 },
	                     { "tls-alpn-01", ACME_TLS_ALPN_01 }, { "dns-account-01", ACME_DNS_ACCOUNT_01 },
	                     { "dns-persist-01", ACME_DNS_PERSIST_01 },
	                     { "device-attest-01", ACME_DEVICE_ATTEST_01 }) },
	{ "dns_persist_01",
	  "The dns-persist-01 challenge, where `challenges` has it; its Issuer Domain Names are `caa_identities`.",
	  CONFIG_SECTION, .section = &config_persist_section },
	{ "device_attest_01",
	  "The device-attest-01 challenge, where `challenges` has it; which devices may be ordered is in "
	  "`profiles`.",
	  CONFIG_SECTION, .section = &config_attest_section, .reload = true },
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
	  "File of 32 random bytes under which private keys are sealed; made when it is missing. Kept elsewhere "
	  "than `data.folder`, it is not in the same backup. To change it: `enrolld key reseal`.",
	  CONFIG_TEXT, AT(api.options.key_file), .shown = "a key that follows from `seal.key` in `data.folder`",
	  .check = config_rule_not_empty },
};

static const struct config_key webhook_keys[] = {
	{ "allow",
	  "Networks that events may be sent to although they are denied by themselves: private ones, loopback, "
	  "link-local and other special addresses.",
	  CONFIG_NETWORKS, AT(webhook.allow) },
	{ "deny", "Networks that nothing is sent to; this wins.", CONFIG_NETWORKS, AT(webhook.deny) },
	{ "ca_bundle", "PEM file of the CAs that a receiver's certificate may be from.", CONFIG_TEXT,
	  AT(webhook.trust), .shown = "the system's", .check = config_rule_not_empty },
	{ "timeout", "One try.", CONFIG_MILLISECONDS, AT(webhook.options.timeout_ms), .fallback = "10s", .min = 100,
	  .max = 120000 },
	{ "retry_first",
	  "Until the second try of what could not be delivered; twice as long until each one after it.",
	  CONFIG_DURATION, AT(webhook.options.retry_first), .fallback = "5s", .min = 1, .max = DAY },
	{ "retry_max", "The longest time between two tries.", CONFIG_DURATION, AT(webhook.options.retry_max),
	  .fallback = "1h", .min = 1, .max = 7 * DAY },
	{ "give_up", "A webhook that could deliver nothing for so long is stopped, until it is resumed.",
	  CONFIG_DURATION, AT(webhook.options.give_up), .fallback = "7d", .min = 1, .max = YEAR },
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
	{ "est", "The EST service (RFC 7030; docs/est.md).", CONFIG_SECTION, .section = &config_est_section,
	  .reload = true },
	{ "api", "The REST API (docs/api.md).", CONFIG_SECTION, .section = &SECTION(api_keys) },
	{ "webhook", "How events are sent to webhooks (docs/webhooks.md).", CONFIG_SECTION,
	  .section = &SECTION(webhook_keys), .reload = true },
	{ "webhooks", "Webhooks that the configuration names, beside those of `enrolld webhook create`.",
	  CONFIG_SECTIONS, AT(webhooks), offsetof(struct config, webhook_count), .fallback = "",
	  .section = &config_webhook_section, .max = WEBHOOKS_MAX, .reload = true },
	{ "policies",
	  "What may stand in certificates, field by field, for profiles to name. A field that a policy does not "
	  "mention is refused, unless it says `unlisted: allow`. In a pattern that is required or allowed, "
	  "`{identity}`, `{account}` and `{eab}` stand for who asks: the name of a token or a client, the id of an "
	  "ACME account, the key id of its external account binding.",
	  CONFIG_SECTIONS, AT(policies), offsetof(struct config, policy_count), .fallback = "",
	  .section = &config_policy_section, .max = 256, .reload = true },
	{ "default_profile", "The profile of `/acme/directory`, and of EST without a label.", CONFIG_TEXT,
	  AT(default_profile), .shown = "the first of `profiles`", .check = config_rule_id, .reload = true },
	{ "profiles", "What certificates may be, and who may have them.", CONFIG_SECTIONS, AT(profiles),
	  offsetof(struct config, profile_count), .fallback = DEFAULT_PROFILES,
	  .section = &config_profile_section, .min = 1, .max = 256, .reload = true },
	{ "key_blocklists",
	  "Files of SHA-256 hashes of public keys (SubjectPublicKeyInfo) that are never certified, in hexadecimal, "
	  "one a line.",
	  CONFIG_TEXTS, AT(key_blocklists), .check = config_rule_not_empty, .reload = true },
};
const struct config_section config_schema = {
	.keys = top_keys, .key_count = array_length(top_keys), .size = sizeof(struct config),
};
