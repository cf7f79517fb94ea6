#include "server/own_certificate.h"

#include <openssl/err.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/work.h"
#include "ca/inventory.h"
#include "ca/vault.h"
#include "policy/gate.h"
#include "server/own_request.h"

enum { FILE_MAX = 256 * 1024, CHECK_MAX = 60, RETRY = 60 };

struct own_certificate {
	struct own_certificate_options options;
	pthread_mutex_t lock;          /* guards what follows, and one renewal at a time */
	struct profiles *profiles;
	struct identifiers names;
	int64_t lifetime;
	char *certificate_path, *key_path; /* the operator's; NULL: from the own CA */
	int64_t not_before, not_after;
	struct work *renewer;
};

/* What is shown: the chain with the own certificate first, as PEM. */
struct shown {
	EVP_PKEY *key;
	X509 *certificate;
	struct buf chain;
};
static void shown_done(struct shown *shown)
{
	EVP_PKEY_free(shown->key);
	X509_free(shown->certificate);
	buf_free(&shown->chain);
}
declare_auto_value(shown, shown_done);

static int64_t time_of(const ASN1_TIME *t)
{
	int64_t time;
	return ossl_time(t, &time) ? time : 0;
}

static bool show(struct own_certificate *own, const struct shown *shown, struct problem *p)
{
	for (size_t i = 0; i < own->options.listener_count; i++)
		if (!tls_set_certificate(own->options.listeners[i], buf_bytes(&shown->chain), shown->key, p))
			return false;
	own->not_before = time_of(X509_get0_notBefore(shown->certificate));
	own->not_after = time_of(X509_get0_notAfter(shown->certificate));
	return true;
}

static int64_t renewal_due(const struct own_certificate *own)
{
	return own->not_before + (own->not_after - own->not_before) / 3 * 2;
}

/* --- reading PEM */

static bool read_key(const char *path, const char *pem, EVP_PKEY **ret, struct problem *p)
{
	auto_value(problem) why = {0};
	return vault_read_pem(pem, ret, &why) || problem_set(p, PROBLEM_MALFORMED, "%s: %s", path, why.detail);
}

static bool read_certificate(const char *path, struct bytes pem, X509 **ret, struct problem *p)
{
	auto(BIO) *in = BIO_new_mem_buf(pem.data, (int)pem.len);
	X509 *certificate = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	ERR_clear_error();
	if (!certificate)
		return problem_set(p, PROBLEM_MALFORMED, "%s: expected a certificate in PEM", path);
	*ret = certificate;
	return true;
}

static bool read_files(const char *certificate_path, const char *key_path, struct shown *ret,
                       struct problem *p)
{
	auto_value(buf) key = {0};
	if (!file_read(certificate_path, FILE_MAX, &ret->chain, p) ||
	    !file_read(key_path, FILE_MAX, &key, p) ||
	    !read_certificate(certificate_path, buf_bytes(&ret->chain), &ret->certificate, p) ||
	    !read_key(key_path, buf_text(&key), &ret->key, p))
		return false;
	if (X509_check_private_key(ret->certificate, ret->key) == 1)
		return true;
	ERR_clear_error();
	return problem_set(p, PROBLEM_MALFORMED, "%s is not the key of %s", key_path, certificate_path);
}

/* Says which keys of the configuration named the files. */
static bool of_the_file(struct problem *p)
{
	struct problem why = *p;
	*p = (struct problem){0};
	problem_set(p, why.kind, "tls.certificate and tls.key: %s", problem_cause(&why));
	problem_done(&why);
	return false;
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
	if (!path_of(own, &path, p) || !vault_pem(shown->key, NULL, &text, p))
		return false;
	buf_add(&text, shown->chain.data, shown->chain.len);
	return buf_check(&text, p) && file_write(path, buf_bytes(&text), 0600, p);
}

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	return inventory_add(txn, arg, "server", NULL, p);
}

static bool sign(struct own_certificate *own, struct bytes csr, struct certificate *ret, struct problem *p)
{
	auto_struct(identity) *identity = NULL;
	auto_struct(approval) *approval = NULL;
	return identity_operator(&own->names, &identity, p) &&
	       gate_identity(own->options.store, own->profiles, CONFIG_OWN_PROFILE, identity, csr, &approval, p) &&
	       ca_issue(own->options.ca, &approval, ret, p) && store_update(own->options.store, put, ret, p);
}

static void add_chain(const struct own_certificate *own, const struct certificate *certificate,
                      struct buf *ret)
{
	struct bytes above = issuer_chain_pem(ca_issuer(own->options.ca, certificate->issuer), 0);
	ossl_pem("CERTIFICATE", certificate->der, ret);
	buf_add(ret, above.data, above.len);
}

static bool renew(struct own_certificate *own, struct problem *p)
{
	auto_value(shown) fresh = {0};
	auto_value(buf) csr = {0};
	auto_value(certificate) certificate = {0};
	if (!own_request_make(&own->names, &fresh.key, &csr, p) ||
	    !sign(own, buf_bytes(&csr), &certificate, p))
		return false;
	add_chain(own, &certificate, &fresh.chain);
	if (!buf_check(&fresh.chain, p) ||
	    !read_certificate("the new certificate", buf_bytes(&fresh.chain), &fresh.certificate, p) ||
	    !save(own, &fresh, p) || !show(own, &fresh, p))
		return false;
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

static bool still_good(struct own_certificate *own, X509 *certificate)
{
	auto_value(problem) why = {0};
	int64_t not_before = time_of(X509_get0_notBefore(certificate));
	int64_t not_after = time_of(X509_get0_notAfter(certificate)), now = clock_now();
	return now >= not_before && now < not_before + (not_after - not_before) / 3 * 2 &&
	       not_after <= now + own->lifetime &&
	       has_names(own, certificate) && is_ours(own, certificate) &&
	       store_view(own->options.store, not_revoked, certificate, &why);
}

/* The certificate of the last run. false: there is none that is good. */
static bool show_kept(struct own_certificate *own)
{
	auto_value(shown) kept = {0};
	auto_free char *path = NULL;
	auto_value(problem) why = {0};
	return path_of(own, &path, &why) && read_files(path, path, &kept, &why) && still_good(own,
	        kept.certificate) &&
	       show(own, &kept, &why);
}

static bool settle(struct own_certificate *own, struct problem *p)
{
	auto_value(shown) shown = {0};
	if (own->options.listener_count == 0)
		return true;
	if (own->certificate_path)
		return (read_files(own->certificate_path, own->key_path, &shown, p) || of_the_file(p)) && show(own, &shown, p);
	return show_kept(own) || renew(own, p);
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
	bool ok = own->certificate_path || show_kept(own) || renew(own, &p);
	if (ok) {
		int64_t left = own->certificate_path ? CHECK_MAX : renewal_due(own) - clock_now();
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

static void forget(struct own_certificate *own)
{
	profiles_unref(own->profiles);
	identifiers_free(&own->names);
	free(own->certificate_path);
	free(own->key_path);
}

/* What can change while the server runs. */
static bool take_config(struct own_certificate *ret, const struct config *config, struct profiles *profiles,
                        struct problem *p)
{
	ret->profiles = profiles_ref(profiles);
	ret->lifetime = config->tls.lifetime;
	return copy_path(config->tls.certificate, &ret->certificate_path, p) &&
	       copy_path(config->tls.key, &ret->key_path, p);
}

static void swap(struct own_certificate *own, struct own_certificate *with)
{
	struct own_certificate old = *own;
	own->profiles = with->profiles, with->profiles = old.profiles;
	own->lifetime = with->lifetime, with->lifetime = old.lifetime;
	own->certificate_path = with->certificate_path, with->certificate_path = old.certificate_path;
	own->key_path = with->key_path, with->key_path = old.key_path;
}

bool own_certificate_reload(struct own_certificate *own, const struct config *config,
                            struct profiles *profiles,
                            struct problem *p)
{
	struct own_certificate next = {0};
	bool ok = take_config(&next, config, profiles, p);
	if (ok) {
		pthread_mutex_lock(&own->lock);
		swap(own, &next);
		ok = settle(own, p);
		if (!ok)
			swap(own, &next);
		pthread_mutex_unlock(&own->lock);
	}
	forget(&next);
	return ok;
}

bool own_certificate_open(const struct own_certificate_options *options, const struct config *config,
                          struct profiles *profiles, struct own_certificate **ret, struct problem *p)
{
	auto_struct(own_certificate) *own = calloc(1, sizeof *own);
	if (!own)
		return problem_memory(p);
	own->options = *options;
	pthread_mutex_init(&own->lock, NULL);
	if (!take_names(&config->tls.names, &own->names, p) || !take_config(own, config, profiles, p) ||
	    !settle(own, p))
		return false;
	if (options->listener_count > 0 && !work_open("own-cert", 1, 4, &own->renewer, p))
		return false;
	if (own->renewer)
		look_again(own, 1);
	*ret = steal(own);
	return true;
}

int64_t own_certificate_expires(struct own_certificate *own)
{
	pthread_mutex_lock(&own->lock);
	int64_t not_after = own->not_after;
	pthread_mutex_unlock(&own->lock);
	return not_after;
}

void own_certificate_close(struct own_certificate *own)
{
	if (!own)
		return;
	if (own->renewer)
		work_close(own->renewer, NULL);
	forget(own);
	pthread_mutex_destroy(&own->lock);
	free(own);
}
