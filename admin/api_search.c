#include "admin/api_search.h"

#include "admin/api_query.h"
#include "admin/certificate.h"
#include "admin/search.h"
#include "base/digest.h"

/* What the query of a call asks for. */
struct asked {
	const struct api_call *call;
	char *name_type, *name, *profile, *status, *issuer, *method, *account, *identity, *metadata;
	struct buf serial, fingerprint, key_hash, after;
	int64_t expires_from, expires_to, issued_from, issued_to;
	size_t limit;
	struct json_writer *out;
};

static void asked_free(struct asked *a)
{
	char *const texts[] = { a->name_type, a->name,    a->profile,  a->status,  a->issuer,
		                a->method,    a->account, a->identity, a->metadata };

	for (size_t i = 0; i < array_length(texts); i++)
		free(texts[i]);
	buf_free(&a->serial);
	buf_free(&a->fingerprint);
	buf_free(&a->key_hash);
	buf_free(&a->after);
}
declare_auto_value(asked, asked_free);

/* --- reading the query */

static bool take_text(const struct asked *a, const char *name, char **ret, struct problem *parts)
{
	auto_value(buf) text = {0};

	if (!api_query(a->call, name, &text, parts))
		return true;
	*ret = buf_take(&text, NULL);
	return *ret || problem_memory(parts);
}

/* size 0: a serial number. */
static void take_hex(const struct asked *a, const char *name, size_t size, struct buf *ret, struct problem *parts)
{
	auto_value(buf) text = {0};
	auto_value(problem) why = {0};

	if (api_query(a->call, name, &text, parts) && !certificate_hex_sized(buf_text(&text), size, ret, &why))
		problem_add_field(parts, why.kind, name, buf_text(&text), "%s", why.detail);
}

/* "dns:www.example.com" or the name alone. */
static void split_name(struct asked *a)
{
	size_t len = a->name ? search_name_type(a->name) : 0;

	if (len == 0)
		return;
	a->name_type = strndup(a->name, len);
	memmove(a->name, a->name + len + 1, strlen(a->name + len + 1) + 1);
}

static void take_query(struct asked *a, const char *profile, struct problem *parts)
{
	static const char *const names[] = { "name", "status", "issuer", "method", "account", "identity", "metadata" };
	char **const texts[] = { &a->name,    &a->status,   &a->issuer,  &a->method,
		                 &a->account, &a->identity, &a->metadata };

	for (size_t i = 0; i < array_length(names); i++)
		if (!take_text(a, names[i], texts[i], parts))
			return;
	if (profile ? !(a->profile = strdup(profile)) && !problem_memory(parts)
	            : !take_text(a, "profile", &a->profile, parts))
		return;
	take_hex(a, "serial", 0, &a->serial, parts);
	take_hex(a, "fingerprint", SHA256_SIZE, &a->fingerprint, parts);
	take_hex(a, "key", SHA256_SIZE, &a->key_hash, parts);
	a->expires_from = api_query_time(a->call, "expiresAfter", parts);
	a->expires_to = api_query_time(a->call, "expiresBefore", parts);
	a->issued_from = api_query_time(a->call, "issuedAfter", parts);
	a->issued_to = api_query_time(a->call, "issuedBefore", parts);
	a->limit = api_query_limit(a->call, parts);
	split_name(a);
}

/* --- the search */

static bool sees(const void *arg, const char *profile)
{
	return api_sees(arg, profile);
}

/* A token looks in its profiles. */
static bool begin(const struct asked *a, struct search **ret, struct problem *p)
{
	const struct token *token = identity_token(a->call->identity);
	const struct search_query query = {
		.name_type = a->name_type,
		.name = a->name,
		.profile = a->profile,
		.issuer = a->issuer,
		.method = a->method,
		.account = a->account,
		.identity = a->identity,
		.metadata = a->metadata,
		.status = a->status,
		.serial = buf_bytes(&a->serial),
		.fingerprint = buf_bytes(&a->fingerprint),
		.key_hash = buf_bytes(&a->key_hash),
		.expires_from = a->expires_from,
		.expires_to = a->expires_to,
		.issued_from = a->issued_from,
		.issued_to = a->issued_to,
		.now = a->call->now,
		.sees = sees,
		.sees_arg = a->call,
		.scope = token ? token->profiles : (struct record_texts){ 0 },
	};

	return search_new(&query, ret, p);
}

static bool resume(struct asked *a, struct search *search, struct problem *p)
{
	auto_value(problem) parts = {0};

	if (api_query(a->call, "after", &a->after, &parts) && !search_resume(search, buf_text(&a->after)))
		problem_add_field(&parts, PROBLEM_MALFORMED, "after", buf_text(&a->after),
		                  "expected the `next` of a page of the same search");
	return api_settle(&parts, p);
}

static bool show(void *arg, const struct certificate *row, struct problem *p)
{
	const struct asked *a = arg;
	auto_value(buf) json = {0};

	certificate_json(row, false, &json);
	json_put_raw(a->out, NULL, buf_bytes(&json));
	return buf_check(&json, p);
}

struct reading {
	struct search *search;
	struct asked *asked;
};

static bool read_page(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct reading *r = arg;

	return search_page(txn, r->search, r->asked->limit, show, r->asked, p);
}

bool api_search(const struct api_call *call, const char *profile, struct json_writer *w, struct problem *p)
{
	auto_value(asked) a = { .call = call, .out = w };
	auto_value(problem) parts = {0};
	auto_struct(search) *search = NULL;
	char next[SEARCH_CURSOR_SIZE];

	take_query(&a, profile, &parts);
	if (!api_settle(&parts, p) || !begin(&a, &search, p) || !resume(&a, search, p))
		return false;
	json_open_array(w, "certificates");
	if (!store_view(call->api->store, read_page, &(struct reading){ search, &a }, p))
		return false;
	json_close(w);
	if (search_next(search, next))
		json_put(w, "next", next);
	return true;
}
