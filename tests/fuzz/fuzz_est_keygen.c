/* What a device asks serverkeygen for, as the attributes of a CSR whose key and signature nobody looks at: whatever they are, the plan is
 * refused with a reason, or the package is made and is a CMS or a key; and csrattrs of any profile are DER. */
#include <stdlib.h>

#include "base/tlv.h"
#include "ca/der.h"
#include "est/csr_attributes.h"
#include "est/key_package.h"
#include "tests/unit/policy_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct {
	EVP_PKEY *key;
	X509 *certificate;
	struct profile *profile;
	struct wrapping_keys *keys;
} world;

static void server(const struct http_tls *tls, struct http_server *ret)
{
	(void)tls;
	*ret = (struct http_server){ world.certificate, world.key, NULL };
}

static void prepare(void)
{
	const struct wrapping_options none = {0};
	struct problem p = {0};

	world.key = make_key("P-256");
	world.certificate = X509_new();
	X509_set_version(world.certificate, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(world.certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(world.certificate), 1000);
	X509V3_CTX context;
	X509V3_set_ctx(&context, world.certificate, world.certificate, NULL, NULL, 0);
	must(X509_set_pubkey(world.certificate, world.key) == 1);
	X509_EXTENSION *id = X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier, "01020304");
	must(id && X509_add_ext(world.certificate, id, -1) == 1 && X509_sign(world.certificate, world.key, EVP_sha256()) > 0);
	X509_EXTENSION_free(id);
	must(profile_new("fuzz", &world.profile, &p) && profile_settle(world.profile, &p) && wrapping_keys_new(&none, &world.keys, &p));
}

/* A CSR with these attributes and no key to speak of. */
static void csr_make(struct bytes attributes, struct buf *ret)
{
	static const uint8_t version = 0, bits[] = { 0, 0 };
	struct der d = der_writer(ret);

	der_open(&d, 0x30);
	der_open(&d, 0x30);
	der_put(&d, 0x02, BYTES(&version, 1));
	der_put(&d, 0x30, BYTES("", 0));
	der_put(&d, 0x30, BYTES("", 0));
	der_put(&d, 0xa0, attributes);
	der_close(&d);
	der_put(&d, 0x30, BYTES("", 0));
	der_put(&d, 0x03, BYTES(bits, sizeof(bits)));
	der_close(&d);
}

static void package_make(const struct csr *csr)
{
	auto_value(buf) shown = {0}, out = {0};
	auto_value(key_package) package = {0};
	auto_value(problem) p = {0};

	must(ossl_der(i2d_X509, world.certificate, &shown));
	const struct bytes chain = buf_bytes(&shown);
	const struct http_tls tls = { .chain = &chain, .chain_length = 1, .confidential = true, .server = server };
	const struct http_request request = { .tls = &tls };
	const struct est_call call = { .request = &request, .profile = world.profile, .wrapping_keys = world.keys };
	if (!key_package_plan(&call, &csr->delivery, &package, &p)) {
		must(problem_is_set(&p));
		return;
	}
	must(key_package_write(&call, &package, world.key, &out, &p));
	struct bytes der = buf_bytes(&out), content;
	must(tlv_take(&der, TLV_SEQUENCE, &content) && der.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(buf) der = {0}, attributes = {0};
	auto_value(problem) p = {0};
	auto_struct(csr) *csr = NULL;

	if (!world.key)
		prepare();
	if (size >= 3) {
		world.profile->policy->keys = data[0] & ((1u << KEY_ALGORITHM_MAX) - 1);
		world.profile->policy->signatures = data[1];
		world.profile->est.csr_attributes = data[2] % (PROFILE_CSR_NONE + 1);
		csr_attributes_write(world.profile, data[2] & 0x80, &attributes);
		struct bytes in = buf_bytes(&attributes), content;
		must(!attributes.failed && (in.len == 0 || (tlv_take(&in, TLV_SEQUENCE, &content) && in.len == 0)));
		data += 3;
		size -= 3;
	}
	csr_make(BYTES(data, size), &der);
	if (csr_peek(buf_bytes(&der), &csr, &p))
		package_make(csr);
	return 0;
}
