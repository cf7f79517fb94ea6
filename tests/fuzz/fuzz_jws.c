/* JWS and JWK: any bytes as a request, an inner JWS and a binding. What parses is verified too,
 * with the key that it names itself or with a MAC. */
#include "acme/jwk.h"
#include "acme/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void verify(const struct jws *jws, enum jws_use use)
{
	auto_value(problem) p = { 0 };
	auto_value(jwk) jwk = { 0 };
	bool ok = false;
	if (use == JWS_BINDING)
		ok = jws_verify_mac(jws, BYTES("key", 3), &p);
	else if (jws->jwk && jwk_read(jws->jwk, &jwk, &p))
		ok = jws_verify(jws, jwk.key, &p);
	(void)ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (enum jws_use use = 0; use < JWS_USE_MAX; use++) {
		auto_value(jws) jws = { 0 };
		auto_value(problem) p = { 0 };
		if (jws_parse(BYTES(data, size), use, &jws, &p))
			verify(&jws, use);
	}
	auto_struct(json) *json = NULL;
	auto_value(jwk) jwk = { 0 };
	auto_value(problem) p = { 0 };
	bool ok = json_parse(BYTES(data, size), &json, &p) && jwk_read(json, &jwk, &p);
	(void)ok;
	return 0;
}
