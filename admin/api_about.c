/* GET token: what the token lets its bearer do. */
#include "admin/api_call.h"

bool api_token_get(struct api_call *call, struct problem *p)
{
	const struct token *token = identity_token(call->identity);
	struct json_writer w = api_reply(call, 200);

	json_open(&w, NULL);
	json_put(&w, "id", token->id);
	json_put(&w, "note", token->note);
	json_put(&w, "identity", token->name);
	json_open_array(&w, "roles");
#define X(role, bit, text, meaning) if (token->roles & TOKEN_##role) json_put(&w, NULL, text);
	TOKEN_ROLES(X)
#undef X
	json_close(&w);
	json_put_texts(&w, "profiles", token->profiles.v, token->profiles.n);
	json_put_texts(&w, "names", token->names.v, token->names.n);
	json_put_time(&w, "created", token->created);
	json_put_time(&w, "expires", token->expires);
	json_close(&w);
	return buf_check(&call->response->body, p);
}
