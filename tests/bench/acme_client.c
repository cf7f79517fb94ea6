#include "tests/bench/acme_client.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/ossl.h"
#include "tests/bench/responder.h"

enum { POLLS_MAX = 2000, POLL_US = 10000, TEXT = 512 };

struct acme_client {
	struct http_client *http;
	struct http_reply reply;
	EVP_PKEY *key;
	struct buf jwk;
	char thumbprint[64];
	char kid[TEXT], nonce[256];
	char new_account[TEXT], new_nonce[TEXT], new_order[TEXT];
	X509 *root;
	unsigned requests;
	bool polls;
};

static struct json *parse(const struct acme_client *c)
{
	struct problem p = {0};
	struct json *json = NULL;
	if (!json_parse(buf_bytes(&c->reply.body), &json, &p))
		bench_fail("a reply is no JSON: %s", p.detail);
	return json;
}

static void copy_member(const struct json *json, const char *name, char ret[TEXT])
{
	const char *text = json_member_string(json, name);
	if (!text)
		bench_fail("a reply has no %s", name);
	snprintf(ret, TEXT, "%s", text);
}

static void make_jwk(struct acme_client *c)
{
	uint8_t point[65], digest[SHA256_SIZE];
	size_t n = 0;
	if (EVP_PKEY_get_octet_string_param(c->key, "pub", point, sizeof point, &n) != 1 || n != sizeof point)
		bench_fail("no public point");
	buf_add_str(&c->jwk, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
	buf_add_base64url(&c->jwk, BYTES(point + 1, 32));
	buf_add_str(&c->jwk, "\",\"y\":\"");
	buf_add_base64url(&c->jwk, BYTES(point + 33, 32));
	buf_add_str(&c->jwk, "\"}");
	digest_sha256(buf_bytes(&c->jwk), digest);
	auto_value(buf) text = {0};
	buf_add_base64url(&text, BYTES(digest, sizeof digest));
	snprintf(c->thumbprint, sizeof c->thumbprint, "%s", buf_text(&text));
}

/* ES256 over input, as r and s (RFC 7518, 3.4). */
static void sign(struct acme_client *c, struct bytes input, uint8_t ret[64])
{
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	uint8_t der[80];
	size_t n = sizeof der;
	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, c->key) != 1 || EVP_DigestSign(ctx, der, &n, input.data, input.len) != 1)
		bench_fail("cannot sign");
	const uint8_t *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + 32, 32);
	ECDSA_SIG_free(sig);
}

static void write_jws(struct acme_client *c, const char *url, const char *payload, struct buf *ret)
{
	auto_value(buf) head = {0};
	auto_value(buf) input = {0};
	uint8_t signature[64];
	buf_printf(&head, "{\"alg\":\"ES256\",\"nonce\":\"%s\",\"url\":\"%s\",", c->nonce, url);
	if (c->kid[0])
		buf_printf(&head, "\"kid\":\"%s\"}", c->kid);
	else
		buf_printf(&head, "\"jwk\":%s}", buf_text(&c->jwk));
	buf_add_base64url(&input, buf_bytes(&head));
	size_t dot = input.len;
	buf_add_char(&input, '.');
	buf_add_base64url(&input, BYTES_STR(payload));
	sign(c, buf_bytes(&input), signature);
	buf_printf(ret, "{\"protected\":\"%.*s\",\"payload\":\"%s\",\"signature\":\"", (int)dot, (char *)input.data, (char *)input.data + dot + 1);
	buf_add_base64url(ret, BYTES(signature, sizeof signature));
	buf_add_str(ret, "\"}");
}

/* Sends and wants success; a nonce that a restart or a window spoiled is got anew. */
static void post(struct acme_client *c, const char *url, const char *payload)
{
	for (int tries = 0; tries < 3; tries++) {
		auto_value(buf) body = {0};
		if (!c->nonce[0]) {
			http_client_send(c->http, "HEAD", c->new_nonce, NULL, &c->reply);
			snprintf(c->nonce, sizeof c->nonce, "%s", c->reply.nonce);
		}
		write_jws(c, url, payload, &body);
		http_client_send(c->http, "POST", url, &body, &c->reply);
		c->requests++;
		snprintf(c->nonce, sizeof c->nonce, "%s", c->reply.nonce);
		if (c->reply.status < 300)
			return;
		if (!strstr(buf_text(&c->reply.body), "badNonce"))
			break;
	}
	bench_fail("%s: %d %s", url, c->reply.status, buf_text(&c->reply.body));
}

struct acme_client *acme_client_new(const char *directory, const char *tls_ca, const char *root, bool polls)
{
	struct acme_client *c = calloc(1, sizeof *c);
	if (!c)
		bench_fail("no memory");
	c->polls = polls;
	c->http = http_client_new(directory, tls_ca);
	c->key = EVP_EC_gen("P-256");
	make_jwk(c);
	http_client_send(c->http, "GET", directory, NULL, &c->reply);
	auto_struct(json) *json = parse(c);
	copy_member(json, "newAccount", c->new_account);
	copy_member(json, "newNonce", c->new_nonce);
	copy_member(json, "newOrder", c->new_order);
	if (root) {
		auto(BIO) *in = BIO_new_file(root, "r");
		c->root = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
		if (!c->root)
			bench_fail("cannot read %s", root);
	}
	post(c, c->new_account, "{\"termsOfServiceAgreed\":true}");
	snprintf(c->kid, sizeof c->kid, "%s", c->reply.location);
	return c;
}

void acme_client_free(struct acme_client *c)
{
	http_client_free(c->http);
	http_reply_free(&c->reply);
	EVP_PKEY_free(c->key);
	X509_free(c->root);
	buf_free(&c->jwk);
	free(c);
}

/* Reads url until its status is the wanted one. The reply stays in c->reply. */
static void wait_for(struct acme_client *c, const char *url, const char *wanted)
{
	for (int i = 0; i < POLLS_MAX; i++) {
		post(c, url, "");
		auto_struct(json) *json = parse(c);
		const char *status = json_member_string(json, "status");
		if (status && str_equal(status, wanted))
			return;
		if (!status || str_equal(status, "invalid"))
			bench_fail("%s: %s", url, buf_text(&c->reply.body));
		usleep(POLL_US);
	}
	bench_fail("%s never became %s", url, wanted);
}

static void answer_challenge(struct acme_client *c, const char *authorization)
{
	post(c, authorization, "");
	auto_struct(json) *json = parse(c);
	const struct json *list = json_member(json, "challenges");
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json *challenge = json_at(list, i);
		char url[TEXT], token[TEXT];
		if (!str_equal(json_member_string(challenge, "type"), "http-01"))
			continue;
		copy_member(challenge, "url", url);
		copy_member(challenge, "token", token);
		responder_expect(token, c->thumbprint);
		post(c, url, "{}");
		auto_struct(json) *now = parse(c);
		const char *status = json_member_string(now, "status");
		if (c->polls || !status || !str_equal(status, "valid"))
			wait_for(c, authorization, "valid");
		return;
	}
	bench_fail("no http-01 in %s", authorization);
}

static void make_csr(const char *name, struct buf *ret)
{
	auto(EVP_PKEY) *key = EVP_EC_gen("P-256");
	auto(X509_REQ) *csr = X509_REQ_new();
	auto_free char *san = mem_printf("DNS:%s", name);
	ossl_extensions *list = sk_X509_EXTENSION_new_null();
	sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
	X509_REQ_add_extensions(csr, list);
	ossl_free_extensions(list);
	X509_REQ_set_pubkey(csr, key);
	if (!X509_REQ_sign(csr, key, EVP_sha256()) || !ossl_der(i2d_X509_REQ, csr, ret))
		bench_fail("no CSR");
}

static void verify_chain(struct acme_client *c, const char *name)
{
	auto(BIO) *in = BIO_new_mem_buf(c->reply.body.data, (int)c->reply.body.len);
	auto(X509) *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
	auto(ossl_x509_stack) *rest = sk_X509_new_null();
	auto(X509_STORE) *store = X509_STORE_new();
	auto(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
	for (X509 *one; (one = PEM_read_bio_X509(in, NULL, NULL, NULL));)
		sk_X509_push(rest, one);
	X509 *anchor = c->root ? c->root : sk_X509_value(rest, sk_X509_num(rest) - 1);
	X509_STORE_add_cert(store, anchor);
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_init(ctx, store, leaf, rest);
	/* time() lags the clock that a server reads for notBefore by up to a tick. */
	X509_STORE_CTX_set_time(ctx, 0, time(NULL) + 1);
	if (!leaf || X509_verify_cert(ctx) != 1 || X509_check_host(leaf, name, 0, 0, NULL) != 1)
		bench_fail("the certificate for %s does not verify: %s", name, X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

unsigned acme_client_issue(struct acme_client *c, const char *name)
{
	char order[TEXT], finalize[TEXT], certificate[TEXT], authorization[TEXT];
	unsigned before = c->requests;
	auto_free char *wanted = mem_printf("{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", name);
	auto_value(buf) csr = {0};
	auto_value(buf) payload = {0};

	post(c, c->new_order, wanted);
	snprintf(order, sizeof order, "%s", c->reply.location);
	auto_struct(json) *made = parse(c);
	copy_member(made, "finalize", finalize);
	snprintf(authorization, sizeof authorization, "%s", json_string(json_at(json_member(made, "authorizations"), 0)));
	answer_challenge(c, authorization);
	if (c->polls)
		wait_for(c, order, "ready");
	make_csr(name, &csr);
	buf_add_str(&payload, "{\"csr\":\"");
	buf_add_base64url(&payload, buf_bytes(&csr));
	buf_add_str(&payload, "\"}");
	post(c, finalize, buf_text(&payload));
	auto_struct(json) *done = parse(c);
	if (c->polls || !str_equal(json_member_string(done, "status"), "valid"))
		wait_for(c, order, "valid");
	auto_struct(json) *valid = parse(c);
	copy_member(valid, "certificate", certificate);
	post(c, certificate, "");
	verify_chain(c, name);
	return c->requests - before;
}
