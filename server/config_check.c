#include "server/config_check.h"

#include <stdio.h>
#include <unistd.h>

#include "acme/challenge.h"
#include "base/fetch.h"
#include "ca/constraint.h"
#include "policy/profile_check.h"
#include "server/config_policy.h"
#include "server/config_rule.h"

enum { PATH_TEXT = 64 };

/* --- defaults that depend */

static bool default_names(struct strings *names, struct problem *p)
{
	static const char *const always[] = { "localhost", "127.0.0.1", "::1" };
	char host[256] = "";
	auto_value(problem) why = {0};
	if (gethostname(host, sizeof host - 1) == 0 && config_rule_host(host, &why) &&
	    !strings_add(names, host))
		return problem_memory(p);
	for (size_t i = 0; i < array_length(always); i++)
		if (!strings_has(names, always[i]) && !strings_add(names, always[i]))
			return problem_memory(p);
	return true;
}

static bool complete(struct config *config, struct problem *p)
{
	if (!config->ca.folder && !(config->ca.folder = mem_printf("%s/ca", config->data.folder)))
		return problem_memory(p);
	if (!config->default_profile && !(config->default_profile = strdup(config->profiles[0].profile.name)))
		return problem_memory(p);
	if (config->tls.names.n == 0 && !default_names(&config->tls.names, p))
		return false;
	config->acme.options.caa_identities = &config->acme.caa_identities;
	config->acme.options.issuers_retiring = &config->ca.retiring;
	config->acme.options.dns.resolvers = &config->acme.resolvers;
	config->acme.options.vantage = config->acme.vantage;
	config->acme.options.dns.trust_anchors = &config->acme.trust_anchors;
	config->acme.options.dns.insecure_zones = &config->acme.insecure_zones;
	config->acme.options.dns.root_hints = &config->acme.root_hints;
	config->acme.options.dns.allow = &config->acme.probe_allow;
	config->acme.options.dns.deny = &config->acme.probe_deny;
	config->acme.options.probe_allow = &config->acme.probe_allow;
	config->acme.options.probe_deny = &config->acme.probe_deny;
	config->webhook.options.allow = &config->webhook.allow;
	config->webhook.options.deny = &config->webhook.deny;
	config->webhook.options.trust = config->webhook.trust;
	return true;
}

/* --- what must fit together */

/* A client that renews at once would get the like again, and so without end. */
static bool check_retiring(const struct config *config, const struct config_text *text, struct problem *p)
{
	for (size_t i = 0; i < config->ca.retiring.n; i++)
		if (!strings_has(&config->ca.issuers, config->ca.retiring.v[i]))
			return config_text_fault(text, "ca.retiring", p, "expected names of `ca.issuers`, got `%s`",
			                         config->ca.retiring.v[i]);
	for (size_t i = 0; i < config->profile_count; i++) {
		const char *issuer = config->profiles[i].profile.issuer;
		if (strings_has(&config->ca.retiring, issuer && *issuer ? issuer : config->ca.issuers.v[0]))
			return config_text_fault(text, "ca.retiring", p,
			                         "expected no issuer of a profile, and `%s` is that of `%s`",
			                         issuer && *issuer ? issuer : config->ca.issuers.v[0],
			                         config->profiles[i].profile.name);
	}
	return true;
}

static bool check_ca(const struct config *config, const struct config_text *text, struct problem *p)
{
	static const char one[] = "expected at most one of `file`, `environment` and `credential`";
	if (!!config->ca.passphrase.file + !!config->ca.passphrase.environment + !!config->ca.passphrase.credential > 1)
		return config_text_fault(text, "ca.passphrase", p, one);
	if (!!config->ca.pkcs11.file + !!config->ca.pkcs11.environment + !!config->ca.pkcs11.credential > 1)
		return config_text_fault(text, "ca.pkcs11.pin", p, one);
	if ((config->ca.root_uri || config->ca.issuing_uri) && !config->ca.pkcs11.module)
		return config_text_fault(text, config->ca.root_uri ? "ca.root_key_uri" : "ca.issuing_key_uri", p,
		                         "expected `ca.pkcs11.module` as well");
	if (config->ca.issuers.n == 0)
		return config_text_fault(text, "ca.issuers", p, "expected at least one issuer");
	auto(NAME_CONSTRAINTS) *names = NULL;
	auto_value(problem) why = {0};
	if (!constraint_make(&config->ca.permitted, &config->ca.excluded, &names, &why))
		return config_text_fault(text, config->ca.permitted.n ? "ca.permitted" : "ca.excluded", p, "%s",
		                         why.detail);
	if (config->ca.issuing_lifetime > config->ca.root_lifetime)
		return config_text_fault(text, "ca.issuing_lifetime", p,
		                         "expected no more than `ca.root_lifetime`");
	return check_retiring(config, text, p);
}

static bool check_revocation(const struct config *config, const struct config_text *text, struct problem *p)
{
	const struct revocation_options *r = &config->revocation;
	if (r->crl.interval >= r->crl.lifetime)
		return config_text_fault(text, "crl.interval", p, "expected less than `crl.lifetime`");
	if (r->crl.delta_lifetime && (r->crl.delta_lifetime < 10 || r->crl.delta_lifetime > r->crl.lifetime))
		return config_text_fault(text, "crl.delta_lifetime", p, "expected 0, or 10s to `crl.lifetime`");
	if (r->ocsp.responder_lifetime < 2 * r->ocsp.lifetime)
		return config_text_fault(text, "ocsp.responder_lifetime", p,
		                         "expected at least twice `ocsp.lifetime`");
	return true;
}

static bool check_tls(const struct config *config, const struct config_text *text, struct problem *p)
{
	if (!config->tls.certificate != !config->tls.key)
		return config_text_fault(text, config->tls.key ? "tls.key" : "tls.certificate", p,
		                         "expected `certificate` and `key` together, got one of them");
	return true;
}

static bool check_dns(const struct config *config, const struct config_text *text, struct problem *p)
{
	if (config->acme.root_hints.n > 0 && config->acme.resolvers.n > 0)
		return config_text_fault(text, "acme.dns.root_hints", p,
		                         "expected `resolvers` or `root_hints`, not both");
	for (size_t i = 0; i < config->profile_count; i++) {
		char path[PATH_TEXT];

		snprintf(path, sizeof path, "profiles[%zu].require_dnssec", i);
		if (config->profiles[i].profile.require_dnssec && config->acme.trust_anchors.n == 0)
			return config_text_fault(text, path, p, "expected `acme.dns.trust_anchors` to be there for it");
		snprintf(path, sizeof path, "profiles[%zu].caa", i);
		if (config->profiles[i].profile.caa && config->acme.caa_identities.n == 0)
			return config_text_fault(text, path, p, "expected `acme.caa_identities` to be there for it");
	}
	if (config->acme.options.challenges == 0)
		return config_text_fault(text, "acme.challenges", p, "expected at least one challenge");
	if (config->acme.options.persist_forms == 0)
		return config_text_fault(text, "acme.dns_persist_01.forms", p, "expected at least one form");
	if ((config->acme.options.challenges & ACME_DNS_PERSIST_01) &&
	    (config->acme.caa_identities.n == 0 || config->acme.caa_identities.n > 10))
		return config_text_fault(text, "acme.challenges", p,
		                         "expected 1 to 10 `acme.caa_identities` with `dns-persist-01`");
	if (config->acme.options.quorum > 1 + config->acme.options.vantage_count)
		return config_text_fault(text, "acme.vantage.quorum", p,
		                         "expected no more than there are points, and one for this server");
	return true;
}

static bool takes_format(const struct config *config, size_t count, const char *format)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(config->acme.attestation[i].format, format))
			return true;
	return false;
}

static bool check_attestation(const struct config *config, const struct config_text *text, struct problem *p)
{
	char path[PATH_TEXT];
	for (size_t i = 0; i < config->acme.attestation_count; i++) {
		const struct attestation_source *row = &config->acme.attestation[i];
		snprintf(path, sizeof path, "acme.device_attest_01.formats[%zu].format", i);
		if (takes_format(config, i, row->format))
			return config_text_fault(text, path, p, "expected each format once, got `%s` again",
			                         row->format);
		snprintf(path, sizeof path, "acme.device_attest_01.formats[%zu].roots", i);
		if (row->roots.n == 0)
			return config_text_fault(text, path, p, "expected at least one file");
	}
	if ((config->acme.options.challenges & ACME_DEVICE_ATTEST_01) && config->acme.attestation_count == 0)
		return config_text_fault(text, "acme.challenges", p,
		                         "expected `acme.device_attest_01.formats` with `device-attest-01`");
	return true;
}

static bool same_place(const struct config_listener *a, const struct config_listener *b)
{
	return a->port != 0 && a->port == b->port && str_equal(a->address, b->address);
}

/* What is not served over plain HTTP. */
static const struct {
	enum config_service service;
	const char *name, *why;
} secured[] = {
	{ CONFIG_ACME, "acme", "RFC 8555, 6.1" },
	{ CONFIG_EST, "est", "RFC 7030, 3.3" },
	{ CONFIG_API, "api", "tokens are secrets" },
};

static bool check_listener(const struct config *config, size_t i, const struct config_text *text,
                           struct problem *p)
{
	const struct config_listener *listener = &config->listeners[i];
	char path[PATH_TEXT];
	snprintf(path, sizeof path, "listeners[%zu]", i);
	if (listener->services == 0)
		return config_text_fault(text, path, p, "expected at least one service");
	for (size_t j = 0; j < i; j++)
		if (same_place(listener, &config->listeners[j]))
			return config_text_fault(text, path, p,
			                         "listeners[%zu] has this address and port already", j);
	bool secure = listener->tls || (listener->external_url && str_starts(listener->external_url, "https://"));
	for (size_t s = 0; s < array_length(secured); s++)
		if ((listener->services & secured[s].service) && !secure)
			return config_text_fault(text, path, p,
			                         "`%s` needs `tls: true`, or an `external_url` of https behind "
			                         "which this listener stands (%s)",
			                         secured[s].name, secured[s].why);
	return true;
}

static bool has_issuer(const struct config *config, const char *name)
{
	return !*name || strings_has(&config->ca.issuers, name);
}

static const struct config_profile *find(const struct config *config, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(config->profiles[i].profile.name, name))
			return &config->profiles[i];
	return NULL;
}

/* A profile whose challenges are all off could never be proven. */
static bool check_challenges(const struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	const struct strings *types = &config->profiles[i].profile.acme.challenges;
	for (size_t k = 0; k < types->n; k++) {
		char path[PATH_TEXT];
		if (challenge_type_find(types->v[k])->bit & config->acme.options.challenges)
			continue;
		snprintf(path, sizeof path, "profiles[%zu].acme.challenges[%zu]", i, k);
		return config_text_refuse(text, path, "one of `acme.challenges`", p);
	}
	return true;
}

static bool check_formats(const struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	const struct strings *formats = &config->profiles[i].profile.acme.attestation_formats;
	for (size_t k = 0; k < formats->n; k++) {
		char path[PATH_TEXT];
		if (takes_format(config, config->acme.attestation_count, formats->v[k]))
			continue;
		snprintf(path, sizeof path, "profiles[%zu].acme.attestation_formats[%zu]", i, k);
		return config_text_refuse(text, path, "one of `acme.device_attest_01.formats`", p);
	}
	return true;
}

/* The profile's own rules are judged by policy/, here for the sake of the line. */
static bool check_profile(struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	const struct profile *profile = &config->profiles[i].profile;
	char path[PATH_TEXT];
	auto_struct(profile) *made = NULL;
	auto_value(problem) why = {0};
	if (find(config, i, profile->name)) {
		snprintf(path, sizeof path, "profiles[%zu].name", i);
		return config_text_fault(text, path, p, "expected a name of its own, got `%s` again",
		                         profile->name);
	}
	if (!has_issuer(config, profile->issuer ?: "")) {
		snprintf(path, sizeof path, "profiles[%zu].issuer", i);
		return config_text_refuse(text, path, "the name of an issuer in `ca.issuers`", p);
	}
	snprintf(path, sizeof path, "profiles[%zu]", i);
	if (!config_policy_complete(config, i, text, p) || !check_challenges(config, i, text, p) ||
	    !check_formats(config, i, text, p))
		return false;
	if (!config_profile_make(config, &config->profiles[i], &made, &why))
		return why.kind == PROBLEM_MALFORMED ? config_text_fault(text, path, p, "%s", why.detail)
		                                     : problem_memory(p);
	return profile_check(made, &why) ? true : config_text_fault(text, path, p, "%s", why.detail);
}

static bool check_label(const struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	const struct label *label = &config->est.labels.list[i];
	const struct config_profile *row = find(config, config->profile_count, label->profile);
	char path[PATH_TEXT];
	snprintf(path, sizeof path, "est.labels[%zu].profile", i);
	if (!row || !(row->profile.methods & PROFILE_EST))
		return config_text_refuse(text, path, "the name of one of `profiles` that is open to `est`", p);
	snprintf(path, sizeof path, "est.labels[%zu].label", i);
	for (size_t j = 0; j < i; j++)
		if (str_equal(config->est.labels.list[j].name, label->name))
			return config_text_fault(text, path, p, "expected a label of its own, got `%s` again",
			                         label->name);
	return true;
}

static bool check_webhook(const struct config *config, const struct config_text *text, struct problem *p)
{
	const struct webhook_options *o = &config->webhook.options;
	if (o->retry_first > o->retry_max)
		return config_text_fault(text, "webhook.retry_first", p, "expected no more than `webhook.retry_max`");
	if (o->give_up < o->retry_max)
		return config_text_fault(text, "webhook.give_up", p, "expected no less than `webhook.retry_max`");
	return true;
}

static bool check_declared(const struct config *config, size_t i, const struct config_text *text, struct problem *p)
{
	const struct webhook_declared *row = &config->webhooks[i];
	auto_value(problem) parts = {0};
	char path[PATH_TEXT + sizeof parts.subs[0].field];
	snprintf(path, sizeof path, "webhooks[%zu].name", i);
	for (size_t j = 0; j < i; j++)
		if (str_equal(config->webhooks[j].name, row->name))
			return config_text_fault(text, path, p, "expected a name of its own, got `%s` again",
			                         row->name);
	webhook_declared_check(&config->webhook.options, row, &parts);
	if (parts.sub_count > 0) {
		snprintf(path, sizeof path, "webhooks[%zu].%s", i, parts.subs[0].field);
		return config_text_fault(text, path, p, "%s", parts.subs[0].detail);
	}
	for (size_t j = 0; j < row->profiles.n; j++) {
		snprintf(path, sizeof path, "webhooks[%zu].profiles[%zu]", i, j);
		if (!find(config, config->profile_count, row->profiles.v[j]))
			return config_text_refuse(text, path, "the name of one of `profiles`", p);
	}
	return true;
}

static bool is_label(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->est.labels.count; i++)
		if (str_equal(config->est.labels.list[i].name, name))
			return true;
	const struct config_profile *row = find(config, config->profile_count, *name ? name : config->default_profile);
	return row && row->profile.methods & PROFILE_EST && (!*name || config->est.labels.profiles);
}

/* A label mistyped would leave the one that was meant to the default methods. */
static bool check_authentication(const struct config *config, size_t i, const struct config_text *text,
                                 struct problem *p)
{
	const struct strings *labels = &config->est.authentication[i].labels;
	char path[PATH_TEXT];
	auto_value(problem) why = {0};
	snprintf(path, sizeof path, "est.authentication[%zu]", i);
	for (size_t k = 0; k < labels->n; k++)
		if (!is_label(config, labels->v[k]))
			return config_text_fault(text, path, p,
			                         "labels: there is no label `%s` in `est.labels`, nor a profile of "
			                         "that name that is open to EST",
			                         labels->v[k]);
	return authentications_check(config->est.authentication, i + 1, &why)
	               ? true
	               : config_text_fault(text, path, p, "%s", why.detail);
}

bool config_check(struct config *config, const struct config_text *text, struct problem *p)
{
	if (!complete(config, p) || !check_ca(config, text, p) || !check_revocation(config, text, p) ||
	    !check_tls(config, text, p) || !check_dns(config, text, p) || !check_attestation(config, text, p) ||
	    !check_webhook(config, text, p))
		return false;
	for (size_t i = 0; i < config->listener_count; i++)
		if (!check_listener(config, i, text, p))
			return false;
	for (size_t i = 0; i < config->est.authentication_count; i++)
		if (!check_authentication(config, i, text, p))
			return false;
	if (config->webhook_count > 0 && !fetch_load(p)) /* to say so itself, rather than of the first URL */
		return false;
	for (size_t i = 0; i < config->webhook_count; i++)
		if (!check_declared(config, i, text, p))
			return false;
	if (!config_policies_check(config, text, p))
		return false;
	for (size_t i = 0; i < config->profile_count; i++)
		if (!check_profile(config, i, text, p))
			return false;
	if (!find(config, config->profile_count, config->default_profile))
		return config_text_refuse(text, "default_profile", "the name of one of `profiles`", p);
	for (size_t i = 0; i < config->est.labels.count; i++)
		if (!check_label(config, i, text, p))
			return false;
	return true;
}
