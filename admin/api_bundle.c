#include "admin/api_bundle.h"

#include "base/ossl.h"

static void put_hex(struct json_writer *w, const char *name, struct bytes value)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, value);
	json_put_buf(w, name, &hex);
}

/* An imported certificate, and one whose issuer is not loaded any more, has no chain here. */
void api_bundle_put(const struct api_call *call, const struct certificate *row, bool with_root, struct json_writer *w)
{
	auto_value(api_chain) chain;
	auto_value(buf) pem = {0};

	api_chain_make(call->api->ca, row->issuer, &chain);
	ossl_pem("CERTIFICATE", row->der, &pem);
	json_put_buf(w, "certificate", &pem);
	json_put(w, "certificateChain", buf_text(with_root ? &chain.with_root : &chain.chain));
	json_put_buf(w, "issuingCaCertificate", &chain.issuing);
	put_hex(w, "serialNumber", row->serial);
	json_put(w, "certificateId", row->id);
}
