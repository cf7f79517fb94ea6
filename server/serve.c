#include "server/serve.h"

#include <stdio.h>

#include "base/clock.h"
#include "ca/verdict.h"
#include "est/est.h"
#include "server/config_change.h"
#include "server/event.h"
#include "server/listen.h"
#include "server/own_address.h"
#include "server/own_certificate.h"
#include "server/publish.h"
#include "server/revocation.h"
#include "server/router.h"
#include "server/status.h"
#include "server/tls.h"

enum { WINGS_MAX = 6 };

struct place {                         /* what one listener needs */
	struct tls *tls;
	struct router *router;
};
struct serve {
	struct config *config;
	struct store *store;
	struct ca *ca;
	struct buf passphrase;         /* of the CA's keys, where it cannot be read again */
	struct profiles *profiles;
	struct own_certificate *own;
	struct acme *acme;
	struct est *est;
	struct api *api;
	struct webhooks *webhooks;
	struct revocation_service *revocation;
	struct http_wing publish, revocation_wing;
	struct status status;
	struct place *places;          /* as many as the config has listeners */
	struct tls **showing;          /* those of them that show the own certificate */
	struct strings names;          /* by which clients may call the server */
	struct listen *listen;
};

/* --- store, CA, profiles */

static bool open_store(struct serve *serve, struct problem *p)
{
	const char *folder = serve->config->data.folder;
	const struct kv_options options = { .random_access = true };
	if (!store_open(folder, false, &options, &serve->store, p))
		return problem_missing(p, "there is no store in %s: run `enrolld init` first", folder);
	return store_lock_server(serve->store, p);
}

/* A variable of the environment is gone once it was read, so what it held is kept for reloads. */
static bool read_passphrase(struct serve *serve, struct buf *ret, struct problem *p)
{
	const struct config *config = serve->config;
	const struct secret_source source = {
		config->ca.passphrase.file, config->ca.passphrase.environment,
		        config->ca.passphrase.credential,
	};
	if (serve->passphrase.len > 0 && source.environment) {
		buf_add(ret, serve->passphrase.data, serve->passphrase.len);
		return buf_check(ret, p);
	}
	if (!secret_read(&source, config->ca.folder, ret, p))
		return false;
	if (source.environment)
		buf_add(&serve->passphrase, ret->data, ret->len);
	return buf_check(&serve->passphrase, p);
}

static bool passphrase_again(void *arg, struct buf *ret, struct problem *p)
{
	return read_passphrase(arg, ret, p);
}

/* Issuers and shards are the new configuration's; where the CA is, that of the start. The first is opened, later ones
 * are read into ret. */
static bool load_ca(struct serve *serve, const struct config *config, struct ca_table **ret, struct problem *p)
{
	auto_value(buf) passphrase = {0};
	auto_free const char **issuers = config_issuers(config);
	const struct ca_options options = {
		.folder = serve->config->ca.folder, .issuers = issuers,
		.urls = { .base = serve->config->ca.urls, .shards = config->ca.crl_shards },
	};
	if (!issuers)
		return problem_memory(p);
	if (!config_pkcs11(serve->config, p) || !read_passphrase(serve, &passphrase, p))
		return false;
	return serve->ca ? ca_read(serve->ca, &options, buf_bytes(&passphrase), ret, p)
	                 : ca_open(&options, buf_bytes(&passphrase), &serve->ca, p);
}

static bool open_ca(struct serve *serve, struct problem *p)
{
	if (!ca_exists(serve->config->ca.folder))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no CA in %s: run `enrolld init` first",
		                   serve->config->ca.folder);
	return load_ca(serve, serve->config, NULL, p) && ca_follow(serve->ca, serve->store, p);
}

/* A profile whose issuer is not loaded would fail at its first certificate. One for CAs below a CA that may have none
 * fails at each, in words, until the issuer is another. */
static bool issuer_fits(const struct profile *profile, const struct issuer *issuer, struct problem *p)
{

	if (!issuer)
		return problem_set(p, PROBLEM_MALFORMED, "profile %s: issuer %s is not loaded; a restart loads it",
		                   profile->name, profile->issuer);
	if (profile->policy->ca == POLICY_CA_REQUIRED && !issuer_may_certify(issuer, 0))
		log_event(LOG_LEVEL_WARN, "profile", "name", profile->name, "issuer", issuer_name(issuer), "trouble",
		          "its policy is for CAs, and none may stand below this issuer (RFC 5280, 4.2.1.9)", NULL);
	return true;
}

/* table: the CA as it will be; NULL: as it is. */
static bool open_profiles(const struct serve *serve, const struct config *config, const struct ca_table *table,
                          struct profiles **ret, struct problem *p)
{
	auto_struct(profiles) *profiles = NULL;
	const struct profile *profile;
	if (!config_profiles(config, &profiles, p))
		return false;
	for (size_t i = 0; (profile = profiles_at(profiles, i)); i++) {
		const char *name = profile->issuer;
		if (!issuer_fits(profile,
		                 table ? ca_table_current(table, name) : ca_issuer_current(serve->ca, name), p))
			return false;
	}
	verdict_bind(serve->ca, profiles);
	*ret = steal(profiles);
	return true;
}

/* --- TLS and the own certificate */

static bool open_tls(struct serve *serve, struct problem *p)
{
	const struct config *config = serve->config;
	serve->places = calloc(config->listener_count, sizeof *serve->places);
	if (!serve->places)
		return problem_memory(p);
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct tls_options options = {
			.ask_client = config->listeners[i].client_certificate == CONFIG_CLIENT_ASK,
			.only_tls13 = config->tls.minimum == CONFIG_TLS13,
		};
		if (config->listeners[i].tls && !tls_new(&options, &serve->places[i].tls, p))
			return false;
	}
	return true;
}

static bool open_own_certificate(struct serve *serve, struct problem *p)
{
	size_t count = 0;
	serve->showing = calloc(serve->config->listener_count, sizeof(struct tls *));
	if (!serve->showing)
		return problem_memory(p);
	for (size_t i = 0; i < serve->config->listener_count; i++)
		if (serve->places[i].tls)
			serve->showing[count++] = serve->places[i].tls;
	const struct own_certificate_options options = {
		.folder = serve->config->data.folder, .store = serve->store, .ca = serve->ca,
		.listeners = serve->showing, .listener_count = count,
	};
	return own_certificate_open(&options, serve->config, serve->profiles, &serve->own, p);
}

/* --- services and listeners */

static bool open_est_settings(const struct config *config, struct profiles *profiles, struct est_settings *ret,
                              struct problem *p)
{
	return config_authentications(config, &ret->authentications, p) &&
	       wrapping_keys_new(&config->est.wrapping, &ret->wrapping_keys, p) &&
	       labels_new(&config->est.labels, profiles, &ret->labels, p);
}

static bool open_est(struct serve *serve, struct problem *p)
{
	auto_value(est_settings) settings = {0};

	return open_est_settings(serve->config, serve->profiles, &settings, p) &&
	       est_open(serve->store, serve->ca, &settings, &serve->est, p);
}

static bool copy_networks(const struct addr_list *from, struct addr_list *ret, struct problem *p)
{
	return addr_list_copy(from, ret) || problem_memory(p);
}

static bool carry_out(struct store_txn *txn, void *arg, struct problem *p)
{
	return webhooks_carry_out(txn, arg, p);
}

static bool declare_webhooks(struct serve *serve, struct problem *p)
{
	auto_struct(webhook_plan) *plan = NULL;
	return webhooks_plan(serve->store, serve->config->webhooks, serve->config->webhook_count, true, &plan, p) &&
	       store_update(serve->store, carry_out, plan, p);
}

static bool open_services(struct serve *serve, struct problem *p)
{
	serve->publish = publish_wing(serve->ca);
	serve->status.store = serve->store;
	serve->status.ca = serve->ca;
	serve->status.own = serve->own;
	serve->status.started = clock_now();
	status_init(&serve->status);
	if (!copy_networks(&serve->config->metrics_from, &serve->status.metrics_from, p))
		return false;

	struct revocation_options revocation = serve->config->revocation;
	revocation.roots = (struct root_watch_options){ serve->config->ca.urls, passphrase_again, serve };
	if (!revocation_open(&revocation, serve->store, serve->ca, &serve->revocation, p))
		return false;
	serve->revocation_wing = revocation_wing(serve->revocation);
	auto_struct(webhook_settings) *webhook = NULL;
	struct api_options api = serve->config->api.options;
	api.cancel_work = acme_account_cancel_work;
	api.cancel_order = acme_order_cancel;
	api.ca_base = serve->config->ca.urls;
	api.crls = revocation_crls(serve->revocation);
	if (!webhook_settings_new(&serve->config->webhook.options, &webhook, p) ||
	    !api_open(&api, serve->store, serve->ca, serve->profiles, webhook, &serve->api, p))
		return false;
	if (!declare_webhooks(serve, p) || !webhooks_open(webhook, serve->store, serve->profiles, &serve->webhooks, p))
		return false;
	serve->status.crls = revocation_crls(serve->revocation);
	serve->status.roots = revocation_roots(serve->revocation);

	auto_value(addr_list) own = {0};
	auto_struct(attestation_roots) *attestation = NULL;
	struct acme_options options = serve->config->acme.options;
	if (!config_attestation(serve->config, &attestation, p))
		return false;
	options.attestation = attestation;
	options.probe_own = &own;
	return own_addresses(serve->config, &own, p) &&
	       acme_open(&options, serve->store, serve->ca, serve->profiles, &serve->acme, p) &&
	       open_est(serve, p);
}

static size_t wings_of(const struct serve *serve, unsigned services, const struct http_wing *ret[WINGS_MAX])
{
	size_t n = 0;
	if (services & CONFIG_ACME)
		ret[n++] = acme_wing(serve->acme);
	if (services & CONFIG_EST)
		ret[n++] = est_wing(serve->est);
	if (services & CONFIG_API)
		ret[n++] = api_wing(serve->api);
	if (services & CONFIG_CA) {
		ret[n++] = &serve->publish;
		ret[n++] = &serve->revocation_wing;
	}
	if (services & CONFIG_STATUS)
		ret[n++] = &serve->status.wing;
	return n;
}

static bool open_routers(struct serve *serve, struct problem *p)
{
	for (size_t i = 0; i < serve->config->listener_count; i++) {
		const struct http_wing *wings[WINGS_MAX];
		size_t n = wings_of(serve, serve->config->listeners[i].services, wings);
		if (!router_new(wings, n, &serve->places[i].router, p))
			return false;
	}
	return true;
}

/* Those of its certificate, and the one in the URLs of the certificates that it issues. */
static bool open_names(struct serve *serve, struct problem *p)
{
	const char *url = serve->config->ca.urls, *host = url ? strstr(url, "://") : NULL;
	if (!strings_copy(&serve->config->tls.names, &serve->names))
		return problem_memory(p);
	if (!host)
		return true;
	host += strlen("://");
	bool literal = *host == '[';
	host += literal;
	auto_free char *name = mem_printf("%.*s", (int)strcspn(host, literal ? "]" : ":/"), host);
	return name && strings_add(&serve->names, name) ? true : problem_memory(p);
}

static bool open_listeners(struct serve *serve, struct problem *p)
{
	const struct config *config = serve->config;
	auto_free struct listener_options *listeners = calloc(config->listener_count, sizeof *listeners);
	if (!listeners)
		return problem_memory(p);
	for (size_t i = 0; i < config->listener_count; i++)
		listeners[i] = (struct listener_options){
			.address = config->listeners[i].address, .port = config->listeners[i].port,
			.tls = serve->places[i].tls, .router = serve->places[i].router,
			.external_url = config->listeners[i].external_url, .names = &serve->names,
		};
	const struct listen_options options = {
		.listeners = listeners, .listener_count = config->listener_count,
		.threads = config->http.threads,
		.per_address = config->http.connections_per_address, .keep_alive_ms = config->http.keep_alive,
		.header_ms = config->http.header_timeout, .body_ms = config->http.body_timeout,
		.reply_ms = config->http.reply_timeout, .body_max = config->http.body_max,
		.access_log = config->log.requests,
	};
	if (!listen_open(&options, &serve->listen, p))
		return false;
	serve->status.listen = serve->listen;
	return true;
}

bool serve_open(struct config **config, struct serve **ret, struct problem *p)
{
	auto_struct(serve) *serve = calloc(1, sizeof *serve);
	if (!serve)
		return problem_memory(p);
	serve->config = steal(*config);
	if (!open_store(serve, p) || !open_ca(serve, p) ||
	    !open_profiles(serve, serve->config, NULL, &serve->profiles, p) ||
	    !open_tls(serve, p) || !open_own_certificate(serve, p) || !open_services(serve, p) ||
	    !open_routers(serve, p) || !open_names(serve, p) || !open_listeners(serve, p))
		return false;
	server_tell_or_log(serve->store, &(struct server_event){ AUDIT_SERVER_STARTED, .config = serve->config });
	*ret = steal(serve);
	return true;
}

static void log_left(const struct serve *serve, const struct config *config)
{
	auto_value(buf) keys = {0};
	config_restart_keys(serve->config, config, &keys);
	if (keys.len > 0)
		log_event(LOG_LEVEL_WARN, "a restart is needed", "keys", buf_text(&keys), NULL);
}

struct reloading {
	const struct config *config;
	const struct webhook_plan *webhooks;
	int64_t now;
};

static bool put_reloaded(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct reloading *r = arg;
	const struct server_event event = { AUDIT_CONFIGURATION_RELOADED, .config = r->config };
	return webhooks_carry_out(txn, r->webhooks, p) && server_event_add(txn, &event, r->now, p);
}

/* The steps that change something, after all that only look. What the store has of it is one update, the last that
 * can fail. */
static bool reload_outside(struct serve *serve, const struct config *config, struct ca_table **table,
                           struct profiles *profiles, const struct webhook_plan *webhooks, struct problem *p)
{
	auto_struct(own_change) *own = NULL;
	struct reloading reloading = { config, webhooks, clock_now() };
	ca_take_up(serve->ca, table);
	if (own_certificate_prepare(serve->own, config, profiles, &own, p) &&
	    store_update(serve->store, put_reloaded, &reloading, p)) {
		own_certificate_take(serve->own, own);
		return true;
	}
	ca_go_back(serve->ca);
	return false;
}

bool serve_reload(struct serve *serve, const struct config *config, struct problem *p)
{
	auto_struct(ca_table) *table = NULL;
	auto_struct(profiles) *profiles = NULL;
	auto_value(est_settings) est = {0};
	auto_struct(attestation_roots) *attestation = NULL;
	auto_struct(webhook_settings) *webhook = NULL;
	auto_struct(webhook_plan) *webhooks = NULL;
	auto_value(addr_list) metrics_from = {0};
	if (!load_ca(serve, config, &table, p) || !open_profiles(serve, config, table, &profiles, p) ||
	    !config_attestation(config, &attestation, p) ||
	    !open_est_settings(config, profiles, &est, p) ||
	    !webhook_settings_new(&config->webhook.options, &webhook, p) ||
	    !copy_networks(&config->metrics_from, &metrics_from, p) ||
	    !webhooks_plan(serve->store, config->webhooks, config->webhook_count, false, &webhooks, p) ||
	    !reload_outside(serve, config, &table, profiles, webhooks, p))
		return false;
	acme_set_profiles(serve->acme, profiles);
	acme_set_attestation(serve->acme, attestation);
	api_set_profiles(serve->api, profiles);
	est_set(serve->est, &est);
	api_set_webhook(serve->api, webhook);
	webhooks_set_settings(serve->webhooks, webhook);
	webhooks_set_profiles(serve->webhooks, profiles);
	struct profiles *old = serve->profiles;
	serve->profiles = steal(profiles);
	profiles_unref(old);
	status_take_metrics_from(&serve->status, &metrics_from);
	serve->config->http.drain_timeout = config->http.drain_timeout;
	log_setup(config->log.level, config->log.format);
	log_left(serve, config);
	return true;
}

void serve_tell_refused(const struct serve *serve, const char *path, const char *cause)
{
	const struct server_event event = { AUDIT_CONFIGURATION_REFUSED, .path = path, .cause = cause };
	server_tell_or_log(serve->store, &event);
}

void serve_log_listeners(const struct serve *serve)
{
	for (size_t i = 0; i < serve->config->listener_count; i++) {
		const struct config_listener *listener = &serve->config->listeners[i];
		const struct http_wing *wings[WINGS_MAX];
		auto_value(buf) services = {0};
		char port[8];
		size_t n = wings_of(serve, listener->services, wings);
		for (size_t w = 0; w < n; w++)
			buf_printf(&services, "%s%s", w ? "," : "", wings[w]->name);
		snprintf(port, sizeof port, "%u", listen_port(serve->listen, i));
		log_event(LOG_LEVEL_INFO, "listening", "address", listener->address, "port", port, "tls",
		          listener->tls ? "yes" : "no", "services", buf_text(&services), NULL);
	}
}

void serve_drain(struct serve *serve)
{
	serve->status.draining = true;
	listen_drain(serve->listen, serve->config->http.drain_timeout);
	server_tell_or_log(serve->store, &(struct server_event){ AUDIT_SERVER_STOPPED, .config = serve->config });
}

void serve_close(struct serve *serve)
{
	if (!serve)
		return;
	listen_close(serve->listen);
	acme_close(serve->acme);
	api_close(serve->api);
	webhooks_close(serve->webhooks);
	est_close(serve->est);
	revocation_close(serve->revocation);
	own_certificate_close(serve->own);
	for (size_t i = 0; serve->places && i < serve->config->listener_count; i++) {
		router_free(serve->places[i].router);
		tls_free(serve->places[i].tls);
	}
	free(serve->places);
	free(serve->showing);
	strings_free(&serve->names);
	profiles_unref(serve->profiles);
	ca_free(serve->ca);
	buf_free(&serve->passphrase);
	status_done(&serve->status);
	store_close(serve->store);
	config_free(serve->config);
	free(serve);
}
