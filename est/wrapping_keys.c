#include "est/wrapping_keys.h"

#include <stdatomic.h>

#include "base/base64.h"
#include "base/file.h"
#include "ca/private.h"

enum { FILE_MAX = 256 * 1024, OTHERS = 0077 };

struct symmetric {
	char *id;
	struct buf key;
};
struct wrapping_keys {
	_Atomic unsigned references;
	struct symmetric *v;
	size_t n;
	ossl_x509_stack *certificates;
};

static bool is_key_size(size_t len)
{
	return len == 16 || len == 24 || len == 32;
}

static bool read_key(const struct wrapping_key *row, struct symmetric *ret, struct problem *p)
{
	auto_value(buf) text = {0};

	if (!private_read(row->file, FILE_MAX, OTHERS, &text, p))
		return false;
	while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]))
		buf_shorten(&text, text.len - 1);
	if (!hex_decode(buf_text(&text), text.len, &ret->key) || !is_key_size(ret->key.len))
		return problem_set(p, PROBLEM_MALFORMED, "%s: expected 16, 24 or 32 bytes in hexadecimal", row->file);
	ret->id = strdup(row->id);
	return ret->id || problem_memory(p);
}

/* Takes those of the stack, the last one first. */
static bool add_certificates(const char *path, ossl_x509_stack *from, ossl_x509_stack *to, struct problem *p)
{
	while (sk_X509_num(from) > 0) {
		auto(X509) *certificate = sk_X509_pop(from);
		if (ossl_key_id(certificate).len == 0)
			return problem_set(p, PROBLEM_MALFORMED, "%s: a certificate has no subject key identifier",
			                   path);
		if (sk_X509_push(to, certificate) <= 0)
			return problem_memory(p);
		certificate = NULL;
	}
	return true;
}

static bool read_certificates(const char *path, ossl_x509_stack *ret, struct problem *p)
{
	auto(ossl_x509_stack) *certificates = NULL;
	auto_value(problem) why = {0};
	auto_value(buf) pem = {0};

	if (!file_read(path, FILE_MAX, &pem, p))
		return false;
	if (!ossl_certificates_from_pem(buf_bytes(&pem), &certificates, &why))
		return problem_set(p, why.kind, "%s: %s", path, problem_cause(&why));
	return add_certificates(path, certificates, ret, p);
}

bool wrapping_keys_new(const struct wrapping_options *options, struct wrapping_keys **ret, struct problem *p)
{
	auto_struct(wrapping_keys) *keys = calloc(1, sizeof(*keys));

	if (!keys)
		return problem_memory(p);
	keys->references = 1;
	keys->v = calloc(options->key_count + 1, sizeof(*keys->v));
	keys->certificates = sk_X509_new_null();
	if (!keys->v || !keys->certificates)
		return problem_memory(p);
	for (; keys->n < options->key_count; keys->n++)
		if (!read_key(&options->keys[keys->n], &keys->v[keys->n], p)) {
			buf_free(&keys->v[keys->n].key);
			return false;
		}
	for (size_t i = 0; i < options->certificates.n; i++)
		if (!read_certificates(options->certificates.v[i], keys->certificates, p))
			return false;
	*ret = steal(keys);
	return true;
}

struct wrapping_keys *wrapping_keys_ref(struct wrapping_keys *keys)
{
	if (keys)
		atomic_fetch_add(&keys->references, 1);
	return keys;
}

void wrapping_keys_unref(struct wrapping_keys *keys)
{
	if (!keys || atomic_fetch_sub(&keys->references, 1) != 1)
		return;
	for (size_t i = 0; i < keys->n; i++) {
		free(keys->v[i].id);
		buf_free(&keys->v[i].key);
	}
	free(keys->v);
	ossl_free_stack_x509(keys->certificates);
	free(keys);
}

struct bytes wrapping_keys_find(const struct wrapping_keys *keys, struct bytes id)
{
	for (size_t i = 0; keys && i < keys->n; i++)
		if (bytes_equal(BYTES_STR(keys->v[i].id), id))
			return buf_bytes(&keys->v[i].key);
	return BYTES(NULL, 0);
}

X509 *wrapping_keys_certificate(const struct wrapping_keys *keys, struct bytes key_id)
{
	for (int i = 0; keys && i < sk_X509_num(keys->certificates); i++) {
		X509 *certificate = sk_X509_value(keys->certificates, i);
		if (bytes_equal(ossl_key_id(certificate), key_id))
			return certificate;
	}
	return NULL;
}
