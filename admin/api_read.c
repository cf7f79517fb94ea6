/* GET certificates/{id}: its row; its PEM; its bundle. */
#include "admin/api_bundle.h"
#include "admin/api_routes.h"
#include "admin/certificate.h"
#include "base/ossl.h"

bool api_certificate_get(struct api_call *call, struct problem *p)
{
	api_reply(call, 200);
	certificate_json(&call->certificate, true, &call->response->body);
	return buf_check(&call->response->body, p);
}

bool api_certificate_body(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	api_bundle_put(call, &call->certificate, true, &w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

/* What a server is given: its certificate, and what it sends along. */
bool api_certificate_bundle(struct api_call *call, struct problem *p)
{
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	api_bundle_put(call, &call->certificate, false, &w);
	json_close(&w);
	return buf_check(&call->response->body, p);
}

/* The same as a file: RFC 8555, 9.1 gives the type its name. */
bool api_certificate_pem(struct api_call *call, struct problem *p)
{
	auto_value(api_chain) chain;

	api_chain_make(call->api->ca, call->certificate.issuer, &chain);
	call->response->status = 200;
	call->response->content_type = call->route->content;
	ossl_pem("CERTIFICATE", call->certificate.der, &call->response->body);
	buf_add(&call->response->body, chain.chain.data, chain.chain.len);
	return buf_check(&call->response->body, p);
}
