#include "server/own_certificate.h"

#include <openssl/err.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/work.h"
#include "ca/inventory.h"
#include "ca/vault.h"
#include "policy/gate.h"
#include "server/own_files.h"
#include "server/own_request.h"

enum { CHECK_MAX = 60, RETRY = 60 };

/* What can change while the server runs. */
struct terms {
	struct profiles *profiles;
	int64_t lifetime;
	char *certificate_path, *key_path; /* the operator's; NULL: from the own CA */
};
static void terms_done(struct terms *terms)
{
	profiles_unref(terms->profiles);
	free(terms->certificate_path);
	free(terms->key_path);
}

struct own_certificate {
	struct own_certificate_options options;
	struct identifiers names;
	pthread_mutex_t lock;          /* guards what follows, and one renewal at a time */
	struct terms terms;
	bool sound;                    /* what is shown was as it should be */
	int64_t not_before;
	_Atomic int64_t not_after;     /* read without the lock too */
	struct work *renewer;
};

/* What is or will be shown. */
struct shown {
	struct tls_certificate *certificate;
	struct buf chain;              /* as PEM, its own first */
	bool fresh;                    /* it was issued just now, and is kept nowhere yet */
	bool faulty;                   /* clients are not expected to accept it */
};
static void shown_done(struct shown *shown)
{
	tls_certificate_unref(shown->certificate);
	buf_free(&shown->chain);
}
declare_auto_value(shown, shown_done);

struct own_change {
	struct terms terms;
	struct shown shown;
};

static int64_t time_of(const ASN1_TIME *t)
{
	int64_t time;
	return ossl_time(t, &time) ? time : 0;
}

static void show(struct own_certificate *own, const struct shown *shown)
{
	for (size_t i = 0; i < own->options.listener_count; i++)
		tls_show(own->options.listeners[i], shown->certificate);
	own->sound = !shown->faulty;
	own->not_before = time_of(X509_get0_notBefore(shown->certificate->own));
	own->not_after = time_of(X509_get0_notAfter(shown->certificate->own));
}

static int64_t renewal_due(const struct own_certificate *own)
{
	return own->not_before + (own->not_after - own->not_before) / 3 * 2;
}

/* --- the operator's */

static bool read_files(const char *certificate_path, const char *key_path, struct shown *ret, struct problem *p)
{
	return own_files_certificate(certificate_path, &ret->certificate, &ret->chain, p) &&
	       own_files_key(key_path, ret->certificate, p);
}

/* Says which keys of the configuration named the files. */
static bool of_the_file(const struct problem *why, struct problem *p)
{
	return problem_set(p, why->kind, "tls.certificate and tls.key: %s", problem_cause(why));
}

static bool present_is_good(const struct own_certificate *own)
{
	int64_t now = clock_now();
	return own->sound && now >= own->not_before && now <= own->not_after;
}

/* One that clients are not expected to accept takes no other's place that they do; but a server that starts serves
 * more than its certificate is for. */
static bool take_files(const struct own_certificate *own, const struct terms *terms, struct shown *ret,
                       struct problem *p)
{
	auto_value(problem) why = {0};
	if (!read_files(terms->certificate_path, terms->key_path, ret, &why))
		return of_the_file(&why, p);
	ret->faulty = !tls_certificate_judge(ret->certificate, clock_now(), &why);
	if (ret->faulty && present_is_good(own))
		return problem_set(p, why.kind, "tls.certificate: %s: %s", terms->certificate_path, why.detail);
	if (ret->faulty)
		log_event(LOG_LEVEL_WARN, "own certificate", "file", terms->certificate_path, "trouble", why.detail,
		          NULL);
	return true;
}

/* --- from the own CA */

static bool path_of(const struct own_certificate *own, char **ret, struct problem *p)
{
	*ret = mem_printf("%s/server.pem", own->options.folder);
	return *ret ? true : problem_memory(p);
}

/* Key and chain in one file, so that a crash cannot part them. */
static bool save(const struct own_certificate *own, const struct shown *shown, struct problem *p)
{
	auto_free char *path = NULL;
	auto_value(buf) text = {0};
	if (!path_of(own, &path, p) || !vault_pem(shown->certificate->key, NULL, &text, p))
		return false;
	buf_add(&text, shown->chain.data, shown->chain.len);
	return buf_check(&text, p) && file_write(path, buf_bytes(&text), 0600, p);
}

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return inventory_add(txn, arg, "server", NULL, p);
}

static bool sign(const struct own_certificate *own, const struct terms *terms, struct bytes csr,
                 struct certificate *ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;
	auto_struct(approval) *approval = NULL;
	return identity_operator(&own->names, &identity, p) &&
	       gate_identity(own->options.store, terms->profiles, CONFIG_OWN_PROFILE, identity, csr, &approval, p) &&
	       ca_issue(own->options.ca, &approval, ret, p) && store_update(own->options.store, put, ret, p);
}

/* With the chain as it is now: the CA above it can have been renewed, and its root be another one. */
static bool add_chain(const struct own_certificate *own, struct bytes der, const char *issuer, EVP_PKEY *key,
                      struct shown *ret, struct problem *p)
{
	ossl_pem("CERTIFICATE", der, &ret->chain);
	return issuer_add_shown(ca_issuer(own->options.ca, issuer), &ret->chain, p) &&
	       tls_certificate_parse(buf_bytes(&ret->chain), &ret->certificate, p) &&
	       tls_certificate_set_key(ret->certificate, key, p);
}

static bool issue(const struct own_certificate *own, const struct terms *terms, struct shown *ret, struct problem *p)
{
	auto(EVP_PKEY) *key = NULL;
	auto_value(buf) csr = {0};
	auto_value(certificate) certificate = {0};
	if (!own_request_make(&own->names, &key, &csr, p) || !sign(own, terms, buf_bytes(&csr), &certificate, p) ||
	    !add_chain(own, certificate.der, certificate.issuer, key, ret, p))
		return false;
	ret->fresh = true;
	log_event(LOG_LEVEL_INFO, "own certificate issued", "id", certificate.id, NULL);
	return true;
}

/* --- whether the kept one still is what would be made now */

static bool is_ours(const struct own_certificate *own, X509 *certificate)
{
	X509 *issuer = issuer_x509(ca_issuer(own->options.ca, ""));
	bool ours = X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
	ERR_clear_error();
	return ours;
}

static bool has_names(const struct own_certificate *own, X509 *certificate)
{
	auto_value(identifiers) names = {0};
	auto_value(problem) why = {0};
	return own_request_names(certificate, &names, &why) && identifiers_equal(&names, &own->names);
}

static bool not_revoked(struct store_txn *txn, void *arg, struct problem *p)
{
	auto_value(certificate) row = {0};
	auto_value(buf) der = {0};
	uint8_t fingerprint[SHA256_SIZE];
	if (!ossl_der(i2d_X509, arg, &der))
		return problem_memory(p);
	digest_sha256(buf_bytes(&der), fingerprint);
	return store_certificate_by_fingerprint(txn, BYTES(fingerprint, sizeof fingerprint), &row, p) &&
	       (row.status == CERTIFICATE_VALID ||
	        problem_set(p, PROBLEM_ALREADY_REVOKED, "the server's certificate is revoked"));
}

static bool still_good(const struct own_certificate *own, const struct terms *terms, X509 *certificate)
{
	auto_value(problem) why = {0};
	int64_t not_before = time_of(X509_get0_notBefore(certificate));
	int64_t not_after = time_of(X509_get0_notAfter(certificate)), now = clock_now();
	return now >= not_before && now < not_before + (not_after - not_before) / 3 * 2 &&
	       not_after <= now + terms->lifetime &&
	       has_names(own, certificate) && is_ours(own, certificate) &&
	       store_view(own->options.store, not_revoked, certificate, &why);
}

/* The certificate of the last run. false: there is none that is good. */
static bool take_kept(const struct own_certificate *own, const struct terms *terms, struct shown *ret)
{
	auto_value(shown) kept = {0}, again = {0};
	auto_free char *path = NULL;
	auto_value(buf) der = {0};
	auto_value(problem) why = {0};
	if (!path_of(own, &path, &why) || !read_files(path, path, &kept, &why) ||
	    !still_good(own, terms, kept.certificate->own) || !ossl_der(i2d_X509, kept.certificate->own, &der) ||
	    !add_chain(own, buf_bytes(&der), "", kept.certificate->key, &again, &why))
		return false;
	*ret = again;
	again = (struct shown){0};
	return true;
}

/* What is to be shown under these terms. Only the inventory may change by it. */
static bool find(const struct own_certificate *own, const struct terms *terms, struct shown *ret, struct problem *p)
{
	if (terms->certificate_path)
		return take_files(own, terms, ret, p);
	return take_kept(own, terms, ret) || issue(own, terms, ret, p);
}

static bool settle(struct own_certificate *own, struct problem *p)
{
	auto_value(shown) shown = {0};
	if (own->options.listener_count == 0)
		return true;
	if (!find(own, &own->terms, &shown, p) || (shown.fresh && !save(own, &shown, p)))
		return false;
	show(own, &shown);
	return true;
}

/* --- renewal in the background */

static void look_again(struct own_certificate *own, int64_t seconds);

/* The clock can be set, the configuration be read again and the certificate be revoked meanwhile. */
static void look(void *arg)
{
	struct own_certificate *own = arg;
	auto_value(problem) p = {0};
	int64_t wait = RETRY;
	pthread_mutex_lock(&own->lock);
	bool ok = own->terms.certificate_path || settle(own, &p);
	if (ok) {
		int64_t left = own->terms.certificate_path ? CHECK_MAX : renewal_due(own) - clock_now();
		wait = left > CHECK_MAX ? CHECK_MAX : left < 1 ? 1 : left;
	}
	pthread_mutex_unlock(&own->lock);
	if (!ok)
		log_event(LOG_LEVEL_ERROR, "own certificate not renewed", "cause", problem_cause(&p), NULL);
	look_again(own, wait);
}

static void look_again(struct own_certificate *own, int64_t seconds)
{
	auto_value(problem) p = {0};
	if (!work_add(own->renewer, seconds * 1000, look, own, &p))
		log_event(LOG_LEVEL_DEBUG, "own certificate is not watched any more", NULL);
}

/* --- opening, reloading, closing */

static bool take_names(const struct strings *texts, struct identifiers *ret, struct problem *p)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct addr ignored;
		struct identifier name;
		const char *type = addr_parse(texts->v[i], &ignored) ? "ip" : "dns";
		if (!identifier_parse(type, texts->v[i], &name, p) || !identifiers_add(ret, &name, p))
			return false;
	}
	return true;
}

static bool copy_path(const char *from, char **ret, struct problem *p)
{
	*ret = from ? strdup(from) : NULL;
	return *ret || !from ? true : problem_memory(p);
}

static bool take_terms(const struct config *config, struct profiles *profiles, struct terms *ret, struct problem *p)
{
	ret->profiles = profiles_ref(profiles);
	ret->lifetime = config->tls.lifetime;
	return copy_path(config->tls.certificate, &ret->certificate_path, p) &&
	       copy_path(config->tls.key, &ret->key_path, p);
}

bool own_certificate_prepare(struct own_certificate *own, const struct config *config, struct profiles *profiles,
                             struct own_change **ret, struct problem *p)
{
	auto_struct(own_change) *change = calloc(1, sizeof *change);
	if (!change)
		return problem_memory(p);
	if (!take_terms(config, profiles, &change->terms, p))
		return false;
	if (own->options.listener_count > 0) {
		pthread_mutex_lock(&own->lock);
		bool found = find(own, &change->terms, &change->shown, p);
		pthread_mutex_unlock(&own->lock);
		if (!found)
			return false;
	}
	*ret = steal(change);
	return true;
}

void own_change_free(struct own_change *change)
{
	if (!change)
		return;
	terms_done(&change->terms);
	shown_done(&change->shown);
	free(change);
}

/* Where the file cannot be written the next start issues another. */
void own_certificate_take(struct own_certificate *own, struct own_change *change)
{
	auto_value(problem) p = {0};
	pthread_mutex_lock(&own->lock);
	struct terms old = own->terms;
	own->terms = change->terms;
	change->terms = old;
	if (change->shown.certificate)
		show(own, &change->shown);
	bool saved = !change->shown.fresh || save(own, &change->shown, &p);
	pthread_mutex_unlock(&own->lock);
	if (!saved)
		log_event(LOG_LEVEL_ERROR, "own certificate not kept", "cause", problem_cause(&p), NULL);
}

bool own_certificate_open(const struct own_certificate_options *options, const struct config *config,
                          struct profiles *profiles, struct own_certificate **ret, struct problem *p)
{
	auto_struct(own_certificate) *own = calloc(1, sizeof *own);
	if (!own)
		return problem_memory(p);
	own->options = *options;
	pthread_mutex_init(&own->lock, NULL);
	if (!take_names(&config->tls.names, &own->names, p) || !take_terms(config, profiles, &own->terms, p) ||
	    !settle(own, p))
		return false;
	if (options->listener_count > 0 && !work_open("own-cert", 1, 4, &own->renewer, p))
		return false;
	if (own->renewer)
		look_again(own, 1);
	*ret = steal(own);
	return true;
}

int64_t own_certificate_expires(const struct own_certificate *own)
{
	return own->not_after;
}

void own_certificate_close(struct own_certificate *own)
{
	if (!own)
		return;
	if (own->renewer)
		work_close(own->renewer, NULL);
	terms_done(&own->terms);
	identifiers_free(&own->names);
	pthread_mutex_destroy(&own->lock);
	free(own);
}
