/* serverkeygen (RFC 7030, 4.4): the server makes the key, and keeps nothing of it. */
#include "est/certs_only.h"
#include "est/enroll.h"
#include "est/key_package.h"
#include "est/text.h"
#include "policy/csr_make.h"

#define BOUNDARY "enrolld-serverkeygen"   /* base64 has no hyphens */

/* Like the key of the CSR where the profile has that kind, else what the profile has. */
static enum key_algorithm choose_key(const struct profile *profile, const struct csr *sent)
{
	static const enum key_algorithm order[] = {
		KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_RSA_3072, KEY_RSA_4096, KEY_RSA_2048, KEY_ED25519,
	};
	unsigned keys = profile->est.server_keys;
	auto(EVP_PKEY) *key = NULL;
	auto_value(problem) ignored = {0};
	enum key_algorithm like;

	if (ossl_public_key(buf_bytes(&sent->spki), &key, &ignored) && key_algorithm_of(key, &like, &ignored) &&
	    keys & 1u << like)
		return like;
	for (size_t i = 0; i < array_length(order); i++)
		if (keys & 1u << order[i])
			return order[i];
	return KEY_EC_P256;
}

/* Each part has both headers: libest reads none without. */
static void put_part(const struct est_call *call, const char *type, struct bytes der, struct buf *ret)
{
	buf_printf(ret, "--" BOUNDARY "\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n\r\n", type);
	text_wrap(call, der, ret);
	buf_add_str(ret, "\r\n");
}

static bool reply(struct enrolling *e, struct bytes key, bool plain, struct problem *p)
{
	struct http_response *response = e->call->response;
	auto_value(buf) certificate = {0};

	certs_only_write(e->certificate.der, &certificate);
	put_part(e->call, plain ? "application/pkcs8"
	         : "application/pkcs7-mime; smime-type=server-generated-key", key, &response->body);
	put_part(e->call, CERTS_ONLY_TYPE, buf_bytes(&certificate), &response->body);
	buf_add_str(&response->body, "--" BOUNDARY "--\r\n");
	response->status = 200;
	response->content_type = "multipart/mixed; boundary=" BOUNDARY;
	return buf_check(&certificate, p) && buf_check(&response->body, p);
}

static bool check(const struct enrolling *e, struct problem *p)
{
	if (!enroll_unspent(e, p)) /* its key was given once */
		return false;
	if (e->sent->change)
		return problem_set(p, PROBLEM_BAD_CSR,
		                   "RFC 6402, 2.8: ChangeSubjectName is for simplereenroll; leave it out of the CSR");
	return !identity_unproven(e->identity) ||
	       problem_set(p, PROBLEM_UNAUTHORIZED,
	                   "RFC 7030, 4.4: a private key is given to nobody who has not proven who he is");
}

bool est_serverkeygen(struct est_call *call, struct problem *p)
{
	auto_value(enrolling) e = { .call = call };
	auto_value(key_package) package = {0};
	struct key_package_facts facts;
	auto(EVP_PKEY) *key = NULL;
	auto_value(buf) csr = {0}, packed = {0};
	bool waits;

	if (call->profile->est.server_keys == 0)
		return problem_set(p, PROBLEM_NOT_IMPLEMENTED,
		                   "RFC 7030, 4.4: profile %s makes no keys; make the key on the device and use "
		                   "simpleenroll", call->profile->name);
	if (!enroll_begin(&e, false, p) || !check(&e, p) || !key_package_plan(call, &e.sent->delivery, &package, p))
		return false;
	enum key_algorithm algorithm = choose_key(call->profile, e.sent);
	key_package_tell(&package, &facts);
	e.more = facts.v;
	if (!enroll_foresee(&e, algorithm, &waits, p))
		return false;
	if (waits)
		return true;
	if (!key_make(algorithm, &key, p) ||
	    !csr_make_again(buf_bytes(&e.body), key, call->profile->policy->signatures, &csr, p) ||
	    !key_package_write(call, &package, key, &packed, p) || !enroll_issue(&e, buf_bytes(&csr), true, p))
		return false;
	return e.certificate.id[0] == '\0' || reply(&e, buf_bytes(&packed), key_package_is_plain(&package), p);
}
