#include "admin/api_search.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "admin/api_query.h"
#include "admin/certificate.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"

enum { LOOK_MAX = 2000, SERIAL_MAX = 21, SOURCES_MAX = 300, AFTER_SIZE = 144 };

struct source {
	enum certificate_index index;
	char *value;
};
struct search {
	const struct api_call *call;
	/* what every row must be; NULL, 0: any */
	char *name_type, *name;       /* type NULL: any type */
	char *profile, *status, *method, *account, *identity, *metadata;
	struct buf serial, fingerprint, key_hash;
	int64_t expires_from, expires_to;
	/* where to look */
	struct source sources[SOURCES_MAX];
	size_t source_count;
	size_t limit;
	/* the way so far */
	size_t at;                    /* source */
	char after[AFTER_SIZE];       /* its cursor */
	size_t looked, found;
	bool past;                    /* the rest of the source expires too late */
	struct json_writer *out;
};

/* --- what a row must be */

static bool has_name(const struct search *s, const struct certificate *row, const char *type)
{
	const struct certificate_name *names = row->names.v;

	for (size_t i = 0; i < row->names.n; i++)
		if ((!type || str_equal(names[i].type, type)) && strcasecmp(names[i].value, s->name) == 0)
			return true;
	return false;
}

static bool has_metadata(const struct search *s, const struct certificate *row)
{
	const struct certificate_metadata *v = row->metadata.v;

	for (size_t i = 0; i < row->metadata.n; i++) {
		size_t len = strlen(v[i].key);
		if (strncmp(s->metadata, v[i].key, len) == 0 && s->metadata[len] == '=' && str_equal(s->metadata + len + 1, v[i].value))
			return true;
	}
	return false;
}

static bool has_status(const struct search *s, const struct certificate *row)
{
	if (str_equal(s->status, "renewed"))
		return row->replaced_by && *row->replaced_by;
	return str_equal(s->status, certificate_status_name(row, s->call->now));
}

static bool same(const char *wanted, const char *have)
{
	return !wanted || (have && str_equal(wanted, have));
}

static bool same_bytes(const struct buf *wanted, struct bytes have)
{
	return wanted->len == 0 || bytes_equal(buf_bytes(wanted), have);
}

static bool fits(const struct search *s, const struct certificate *row)
{
	return api_sees(s->call, row->profile ?: "") && (!s->name || has_name(s, row, s->name_type)) &&
	       same(s->profile, row->profile) && same(s->method, row->method) && same(s->account, row->account) &&
	       same(s->identity, row->identity) && same_bytes(&s->serial, row->serial) &&
	       same_bytes(&s->fingerprint, row->fingerprint) && same_bytes(&s->key_hash, row->key_hash) &&
	       (!s->metadata || has_metadata(s, row)) && (!s->status || has_status(s, row)) &&
	       row->not_after >= s->expires_from && (s->expires_to == 0 || row->not_after <= s->expires_to);
}

/* A bare name is looked for under each type: what a source before this one has shown is not shown again. */
static bool is_shown(const struct search *s, const struct certificate *row)
{
	for (size_t i = 0; s->name && !s->name_type && i < s->at; i++) {
		char type[16];
		snprintf(type, sizeof(type), "%.*s", (int)strcspn(s->sources[i].value, ":"), s->sources[i].value);
		if (has_name(s, row, type))
			return true;
	}
	return false;
}

/* --- reading the query */

static const char *const name_types[] = { "dns", "ip", "email", "uri", "cn" };

static bool take_text(const struct search *s, const char *name, char **ret, struct problem *parts)
{
	auto_value(buf) text = {0};

	if (!api_query(s->call, name, &text))
		return true;
	*ret = buf_take(&text, NULL);
	return *ret || problem_memory(parts);
}

/* Hexadecimal as people paste it: of either case, with or without colons. size 0: a serial number, without
 * leading zeros. */
static void take_hex(const struct search *s, const char *name, size_t size, struct buf *ret, struct problem *parts)
{
	bool number = size == 0;
	auto_value(buf) text = {0}, digits = {0};

	if (!api_query(s->call, name, &text))
		return;
	for (const char *c = buf_text(&text); *c; c++)
		if (*c != ':')
			buf_add_char(&digits, *c);
	if (number && digits.len % 2 == 1) {
		auto_value(buf) odd = digits;
		digits = (struct buf){0};
		buf_printf(&digits, "0%s", buf_text(&odd));
	}
	if (!hex_decode(buf_text(&digits), digits.len, ret) || ret->len == 0 || (number ? ret->len > SERIAL_MAX : ret->len != size))
		problem_add_field(parts, PROBLEM_MALFORMED, name, buf_text(&text), "expected %s%d bytes in hexadecimal",
		                  number ? "at most " : "", number ? SERIAL_MAX : (int)size);
	while (number && ret->len > 1 && ret->data[0] == 0) {
		memmove(ret->data, ret->data + 1, ret->len - 1);
		buf_shorten(ret, ret->len - 1);
	}
}

/* "dns:www.example.com" or the name alone. */
static void split_name(struct search *s)
{
	if (!s->name)
		return;
	for (size_t i = 0; i < array_length(name_types); i++) {
		size_t len = strlen(name_types[i]);
		if (strncmp(s->name, name_types[i], len) != 0 || s->name[len] != ':')
			continue;
		s->name_type = strdup(name_types[i]);
		memmove(s->name, s->name + len + 1, strlen(s->name + len + 1) + 1);
	}
}

static void take_query(struct search *s, const char *profile, struct problem *parts)
{
	static const char *const names[] = { "name", "status", "method", "account", "identity", "metadata" };
	char **const texts[] = { &s->name, &s->status, &s->method, &s->account, &s->identity, &s->metadata };

	for (size_t i = 0; i < array_length(names); i++)
		if (!take_text(s, names[i], texts[i], parts))
			return;
	if (profile ? !(s->profile = strdup(profile)) && !problem_memory(parts) : !take_text(s, "profile", &s->profile, parts))
		return;
	take_hex(s, "serial", 0, &s->serial, parts);
	take_hex(s, "fingerprint", SHA256_SIZE, &s->fingerprint, parts);
	take_hex(s, "key", SHA256_SIZE, &s->key_hash, parts);
	s->expires_from = api_query_time(s->call, "expiresAfter", parts);
	s->expires_to = api_query_time(s->call, "expiresBefore", parts);
	s->limit = api_query_limit(s->call, parts);
	split_name(s);
}

/* --- where to look */

static bool add_source(struct search *s, enum certificate_index index, const char *value, struct problem *p)
{
	char *copy = value ? strdup(value) : NULL;

	if (s->source_count == SOURCES_MAX || (value && !copy)) {
		free(copy);
		return problem_memory(p);
	}
	s->sources[s->source_count++] = (struct source){ index, copy };
	return true;
}

static bool add_names(struct search *s, struct problem *p)
{
	for (size_t i = 0; i < array_length(name_types); i++) {
		if (s->name_type && !str_equal(s->name_type, name_types[i]))
			continue;
		auto_free char *value = mem_printf("%s:%s", name_types[i], s->name);
		if (!value)
			return problem_memory(p);
		for (char *c = value; i == 0 && *c; c++) /* DNS names are kept in lower case */
			*c = (char)tolower((unsigned char)*c);
		if (!add_source(s, CERTIFICATE_BY_NAME, value, p))
			return false;
	}
	return true;
}

static bool add_hex(struct search *s, enum certificate_index index, const struct buf *value, struct problem *p)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, buf_bytes(value));
	return buf_check(&hex, p) && add_source(s, index, buf_text(&hex), p);
}

static bool add_issuers(struct search *s, struct problem *p)
{
	const struct issuer *issuer;

	for (size_t i = 0; (issuer = ca_issuer_at(s->call->api->ca, i)); i++)
		if (!add_source(s, CERTIFICATE_REVOKED_OF, issuer_name(issuer), p))
			return false;
	return true;
}

static bool add_expiry(struct search *s, struct problem *p)
{
	char from[CLOCK_RFC3339_SIZE] = "";

	if (s->expires_from > 0)
		clock_format(s->expires_from, from);
	return add_source(s, CERTIFICATE_BY_EXPIRY, *from ? from : NULL, p);
}

/* What a token may see, or all there is. */
static bool add_scope(struct search *s, struct problem *p)
{
	const struct token *token = identity_token(s->call->identity);

	for (size_t i = 0; token && i < token->profiles.n; i++)
		if (!add_source(s, CERTIFICATE_BY_PROFILE, token->profiles.v[i], p))
			return false;
	return s->source_count > 0 || add_source(s, CERTIFICATE_ALL, NULL, p);
}

/* The status is a bound of the expiry, where it can be. */
static void bound_expiry(struct search *s)
{
	int64_t now = s->call->now;

	if (s->status && str_equal(s->status, "expired") && (s->expires_to == 0 || s->expires_to >= now))
		s->expires_to = now - 1;
	if (s->status && str_equal(s->status, "valid") && s->expires_from < now)
		s->expires_from = now;
}

/* The narrowest first. Serial number and fingerprint of what was issued here have an index without pages. */
static bool choose_sources(struct search *s, struct problem *p)
{
	bound_expiry(s);
	if (s->fingerprint.len > 0)
		return true;
	if (s->serial.len > 0)
		return add_hex(s, CERTIFICATE_IMPORTED, &s->serial, p);
	if (s->key_hash.len > 0)
		return add_hex(s, CERTIFICATE_BY_KEY, &s->key_hash, p);
	if (s->name)
		return add_names(s, p);
	if (s->account)
		return add_source(s, CERTIFICATE_BY_ACCOUNT, s->account, p);
	if (s->status && str_equal(s->status, "revoked") && !s->profile)
		return add_issuers(s, p);
	if (s->expires_to > 0 || (s->expires_from > 0 && !s->profile))
		return add_expiry(s, p);
	if (s->profile)
		return add_source(s, CERTIFICATE_BY_PROFILE, s->profile, p);
	return add_scope(s, p);
}

/* A cursor is the number of the source, and the cursor in it. */
static void take_after(struct search *s, struct problem *parts)
{
	auto_value(buf) text = {0};
	char *end = NULL;

	if (!api_query(s->call, "after", &text))
		return;
	unsigned long at = strtoul(buf_text(&text), &end, 10);
	if (buf_text(&text)[0] < '0' || buf_text(&text)[0] > '9' || *end != '.' || at >= s->source_count || strlen(end + 1) >= AFTER_SIZE) {
		problem_add_field(parts, PROBLEM_MALFORMED, "after", buf_text(&text), "expected the `next` of a page of the same search");
		return;
	}
	s->at = at;
	strcpy(s->after, end + 1);
}

bool search_open(const struct api_call *call, const char *profile, struct search **ret, struct problem *p)
{
	auto_struct(search) *s = calloc(1, sizeof(*s));
	auto_value(problem) parts = {0};

	if (!s)
		return problem_memory(p);
	s->call = call;
	take_query(s, profile, &parts);
	if (!api_settle(&parts, p) || !choose_sources(s, p))
		return false;
	take_after(s, &parts);
	if (!api_settle(&parts, p))
		return false;
	*ret = steal(s);
	return true;
}

/* --- a page */

static bool show(struct search *s, const struct certificate *row, struct problem *p)
{
	auto_value(buf) json = {0};

	certificate_json(row, false, &json);
	json_put_raw(s->out, NULL, buf_bytes(&json));
	s->found++;
	return buf_check(&json, p);
}

static bool look_at(struct store_txn *txn, struct search *s, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};

	s->looked++;
	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (s->sources[s->at].index == CERTIFICATE_BY_EXPIRY && s->expires_to > 0 && row.not_after > s->expires_to)
		s->past = true;
	return !fits(s, &row) || is_shown(s, &row) || show(s, &row, p);
}

static void next_source(struct search *s)
{
	s->at++;
	s->past = false;
	s->after[0] = '\0';
}

/* So many ids that the page cannot become too long: then it ends where its cursor is. */
static bool read_some(struct store_txn *txn, struct search *s, struct problem *p)
{
	const struct source *source = &s->sources[s->at];
	auto_value(store_page) page = {0};
	size_t wanted = s->limit - s->found;

	if (wanted > LOOK_MAX - s->looked)
		wanted = LOOK_MAX - s->looked;
	if (!store_certificate_list(txn, source->index, source->value, s->after, wanted, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n && !s->past; i++)
		if (!look_at(txn, s, page.ids.v[i], p))
			return false;
	if (s->past || page.next[0] == '\0')
		next_source(s);
	else
		snprintf(s->after, sizeof(s->after), "%s", page.next);
	return true;
}

/* What has an index without pages is on the first. */
static bool read_exact(struct store_txn *txn, struct search *s, struct problem *p)
{
	auto_value(certificate) row = {0};
	auto_value(problem) why = {0};
	bool found = s->fingerprint.len > 0 ? store_certificate_by_fingerprint(txn, buf_bytes(&s->fingerprint), &row, &why)
	        : s->serial.len > 0 && s->after[0] == '\0' ? store_certificate_by_serial(txn, buf_bytes(&s->serial), &row, &why) : false;

	return !found || !fits(s, &row) || show(s, &row, p);
}

static bool read_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct search *s = arg;

	if (!read_exact(txn, s, p))
		return false;
	while (s->at < s->source_count && s->found < s->limit && s->looked < LOOK_MAX)
		if (!read_some(txn, s, p))
			return false;
	return true;
}

bool search_run(struct search *s, struct json_writer *w, struct problem *p)
{
	char next[AFTER_SIZE + 24];

	s->out = w;
	json_open_array(w, "certificates");
	if (!store_view(s->call->api->store, read_page, s, p))
		return false;
	json_close(w);
	if (s->at < s->source_count) {
		snprintf(next, sizeof(next), "%zu.%s", s->at, s->after);
		json_put(w, "next", next);
	}
	return true;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	char *const texts[] = { s->name_type, s->name, s->profile, s->status, s->method, s->account, s->identity, s->metadata };
	for (size_t i = 0; i < array_length(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < s->source_count; i++)
		free(s->sources[i].value);
	buf_free(&s->serial);
	buf_free(&s->fingerprint);
	buf_free(&s->key_hash);
	free(s);
}
