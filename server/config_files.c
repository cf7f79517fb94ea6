#include "server/config_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "server/config_text.h"
#include "server/own_files.h"

enum { KEY_SIZE = 96, FILE_MAX = 4 * 1024 * 1024 };

/* --- where it stands */

/* The file is read again for it. */
static bool place_find(const struct config *config, struct config_text **ret)
{
	auto_value(problem) why = {0};
	auto_value(buf) text = {0};
	uint8_t digest[SHA256_SIZE];

	if (!config->path || !file_read(config->path, FILE_MAX, &text, &why))
		return false;
	digest_sha256(buf_bytes(&text), digest);
	return memcmp(digest, config->digest, sizeof digest) == 0 &&
	       config_text_parse(config->path, buf_bytes(&text), ret, &why);
}

static bool blame(const struct config *config, const char *key, const struct problem *why, struct problem *p)
{
	auto_struct(config_text) *text = NULL;

	if (place_find(config, &text))
		return config_text_fault(text, key, p, "%s", problem_cause(why));
	return problem_set(p, why->kind, "key `%s`: %s", key, problem_cause(why));
}

/* --- what there is to look at */

static size_t count_own(const struct config *config)
{
	return config->tls.certificate ? 1 : 0;
}

static bool check_certificate(const struct config *config, size_t i, struct problem *p)
{
	auto_struct(tls_certificate) *certificate = NULL;
	auto_value(buf) pem = {0};
	auto_value(problem) why = {0};

	(void)i;
	if (!own_files_certificate(config->tls.certificate, &certificate, &pem, p))
		return false;
	return tls_certificate_judge(certificate, clock_now(), &why) ||
	       problem_set(p, why.kind, "%s: %s", config->tls.certificate, why.detail);
}

static bool check_key(const struct config *config, size_t i, struct problem *p)
{
	auto_struct(tls_certificate) *certificate = NULL;
	auto_value(buf) pem = {0};

	(void)i;
	return own_files_certificate(config->tls.certificate, &certificate, &pem, p) &&
	       own_files_key(config->tls.key, certificate, p);
}

static size_t count_blocklists(const struct config *config)
{
	return config->key_blocklists.n;
}

static bool check_blocklist(const struct config *config, size_t i, struct problem *p)
{
	auto_struct(key_blocklist) *list = NULL;

	return key_blocklist_load(&(struct strings){ &config->key_blocklists.v[i], 1 }, &list, p);
}

static size_t count_authentication(const struct config *config)
{
	return config->est.authentication_count;
}

static bool check_manufacturers(const struct config *config, size_t i, struct problem *p)
{
	auto_struct(authentications) *made = NULL;

	return authentications_new(&config->est.authentication[i], 1, &config->est.proxies, &made, p);
}

static size_t count_wrapping_keys(const struct config *config)
{
	return config->est.wrapping.key_count;
}

static bool check_wrapping_key(const struct config *config, size_t i, struct problem *p)
{
	const struct wrapping_options one = { .keys = &config->est.wrapping.keys[i], .key_count = 1 };
	auto_struct(wrapping_keys) *made = NULL;

	return wrapping_keys_new(&one, &made, p);
}

static size_t count_wrapping_certificates(const struct config *config)
{
	return config->est.wrapping.certificates.n;
}

static bool check_wrapping_certificate(const struct config *config, size_t i, struct problem *p)
{
	const struct wrapping_options one = { .certificates = { &config->est.wrapping.certificates.v[i], 1 } };
	auto_struct(wrapping_keys) *made = NULL;

	return wrapping_keys_new(&one, &made, p);
}

static size_t count_formats(const struct config *config)
{
	return config->acme.attestation_count;
}

static bool check_format(const struct config *config, size_t i, struct problem *p)
{
	auto_struct(attestation_roots) *made = NULL;

	return attestation_roots_new(&config->acme.attestation[i], 1, &made, p);
}

static bool readable(const char *path, struct problem *p)
{
	auto_value(buf) text = {0};

	return file_read(path, FILE_MAX, &text, p);
}

static size_t count_anchors(const struct config *config)
{
	return config->acme.trust_anchors.n;
}

/* What is no path is the record itself. */
static bool check_anchor(const struct config *config, size_t i, struct problem *p)
{
	const char *anchor = config->acme.trust_anchors.v[i];

	return *anchor != '/' || readable(anchor, p);
}

static size_t count_hints(const struct config *config)
{
	return config->acme.root_hints.n;
}

static bool check_hint(const struct config *config, size_t i, struct problem *p)
{
	const char *hint = config->acme.root_hints.v[i];

	return *hint != '/' || readable(hint, p);
}

static size_t count_bundle(const struct config *config)
{
	return config->webhook.trust ? 1 : 0;
}

/* As many as the system has: libcurl reads them when the first is needed. */
static bool check_bundle(const struct config *config, size_t i, struct problem *p)
{
	const char *path = config->webhook.trust;
	auto_value(buf) pem = {0}, der = {0};

	(void)i;
	return file_read(path, FILE_MAX, &pem, p) &&
	       (ossl_from_pem("CERTIFICATE", buf_bytes(&pem), &der, p) ||
	        problem_set(p, PROBLEM_MALFORMED, "%s: expected certificates in PEM", path));
}

static size_t count_webhooks(const struct config *config)
{
	return config->webhook_count;
}

/* Whether this process has what the service is given by others. */
static bool is_given(const char *environment, const char *credential)
{
	return (!environment || getenv(environment)) && (!credential || getenv("CREDENTIALS_DIRECTORY"));
}

static bool check_webhook(const struct config *config, size_t i, struct problem *p)
{
	const struct webhook_declared *row = &config->webhooks[i];

	return !is_given(row->secret.environment, row->secret.credential) || webhook_declared_secret(row, p);
}

static const struct {
	const char *key;
	const char *below;                /* in a row of the list that key is; NULL: it is none */
	size_t (*count)(const struct config *config);
	bool (*check)(const struct config *config, size_t i, struct problem *p);
} places[] = {
	{ "tls.certificate", NULL, count_own, check_certificate },
	{ "tls.key", NULL, count_own, check_key },
	{ "key_blocklists", "", count_blocklists, check_blocklist },
	{ "acme.dns.trust_anchors", "", count_anchors, check_anchor },
	{ "acme.dns.root_hints", "", count_hints, check_hint },
	{ "acme.device_attest_01.formats", ".roots", count_formats, check_format },
	{ "est.authentication", ".manufacturers", count_authentication, check_manufacturers },
	{ "est.wrapping_keys", ".file", count_wrapping_keys, check_wrapping_key },
	{ "est.wrapping_certificates", "", count_wrapping_certificates, check_wrapping_certificate },
	{ "webhook.ca_bundle", NULL, count_bundle, check_bundle },
	{ "webhooks", ".secret", count_webhooks, check_webhook },
};

static bool check_places(const struct config *config, struct problem *p)
{
	for (size_t k = 0; k < array_length(places); k++)
		for (size_t i = 0, n = places[k].count(config); i < n; i++) {
			char key[KEY_SIZE];
			auto_value(problem) why = {0};
			if (places[k].check(config, i, &why))
				continue;
			if (!places[k].below)
				return blame(config, places[k].key, &why, p);
			snprintf(key, sizeof key, "%s[%zu]%s", places[k].key, i, places[k].below);
			return blame(config, key, &why, p);
		}
	return true;
}

/* --- what others give the service, and the CA */

static bool skip(struct strings *skipped, const char *what, const char *why, struct problem *p)
{
	auto_free char *line = mem_printf("%s: %s", what, why);

	return line && strings_add(skipped, line) ? true : problem_memory(p);
}

static bool skip_webhooks(const struct config *config, struct strings *skipped, struct problem *p)
{
	for (size_t i = 0; i < config->webhook_count; i++) {
		const struct webhook_declared *row = &config->webhooks[i];
		char key[KEY_SIZE];
		snprintf(key, sizeof key, "webhooks[%zu].secret", i);
		if (!is_given(row->secret.environment, row->secret.credential) &&
		    !skip(skipped, key, "it is given to the service alone", p))
			return false;
	}
	return true;
}

static bool open_ca(const struct config *config, struct problem *p)
{
	const struct secret_source source = { config->ca.passphrase.file, config->ca.passphrase.environment,
		                              config->ca.passphrase.credential };
	auto_free const char **issuers = config_issuers(config);
	const struct ca_options options = {
		.folder = config->ca.folder,
		.issuers = issuers,
		.urls = { .base = config->ca.urls, .shards = config->ca.crl_shards },
	};
	auto_struct(ca) *ca = NULL;
	auto_value(buf) passphrase = {0};
	auto_value(problem) why = {0};

	if (!issuers)
		return problem_memory(p);
	if (!secret_read(&source, config->ca.folder, &passphrase, &why))
		return blame(config, "ca.passphrase", &why, p);
	return ca_open(&options, buf_bytes(&passphrase), &ca, &why) || blame(config, "ca.issuers", &why, p);
}

/* A token may count the PINs that do not fit: it is for a start alone to ask it. */
static bool check_ca(const struct config *config, struct strings *skipped, struct problem *p)
{
	const char *folder = config->ca.folder;
	auto_value(problem) why = {0};

	if (access(folder, R_OK | X_OK) != 0 && errno != ENOENT) {
		file_denied(folder, PROBLEM_MALFORMED, &why);
		return blame(config, "ca.folder", &why, p);
	}
	if (!ca_exists(folder))
		return skip(skipped, "ca", "there is none yet: `enrolld init` makes it", p);
	if (config->ca.pkcs11.module)
		return skip(skipped, "ca", "its keys are in a token", p);
	if (!is_given(config->ca.passphrase.environment, config->ca.passphrase.credential))
		return skip(skipped, "ca", "its passphrase is given to the service alone", p);
	return open_ca(config, p);
}

bool config_files_check(const struct config *config, struct strings *ret_skipped, struct problem *p)
{
	return check_places(config, p) && check_ca(config, ret_skipped, p) && skip_webhooks(config, ret_skipped, p);
}
