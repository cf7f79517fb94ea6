/* GET token: what the token lets its bearer do. */
#include "admin/api_call.h"

static void put_texts(struct json_writer *w, const char *name, const struct record_texts *texts)
{
	json_open_array(w, name);
	for (size_t i = 0; i < texts->n; i++)
		json_put(w, NULL, texts->v[i]);
	json_close(w);
}

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
	put_texts(&w, "profiles", &token->profiles);
	put_texts(&w, "names", &token->names);
	json_put_time(&w, "created", token->created);
	json_put_time(&w, "expires", token->expires);
	json_close(&w);
	return buf_check(&call->response->body, p);
}
