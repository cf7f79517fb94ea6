#include "admin/search.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "admin/certificate.h"
#include "base/addr.h"
#include "base/clock.h"
#include "ca/responder.h"

enum { LOOK_MAX = 2000, FEW = 500, SOURCES_MAX = 300, SOON = 30 * 86400 };

struct source {
	enum certificate_index index;
	char *value;
};
struct search {
	struct search_query query;
	char address[ADDR_TEXT_SIZE]; /* what query.name stands for */
	struct source sources[SOURCES_MAX];
	size_t source_count;
	bool either;                  /* the second source stands for the first, where it is the narrower one */
	/* the way so far */
	bool exact_done;              /* what has an index without pages was shown */
	size_t at;                    /* source */
	char after[STORE_CURSOR_SIZE]; /* its cursor */
	/* this page */
	size_t limit, looked, found;
	bool past;                    /* the rest of the source expires too late */
	search_visit *visit;
	void *arg;
};

const char *const search_statuses[] = { "valid", "expiring", "expired", "revoked", "renewed", NULL };

/* Cursors count in this order. */
const char *const search_name_types[] = {
	"dns", "ip", "email", "uri", "cn", "upn", "permanent-identifier", "hardware-module-name", "other-name", NULL,
};

size_t search_name_type(const char *text)
{
	for (size_t i = 0; search_name_types[i]; i++) {
		size_t len = strlen(search_name_types[i]);
		if (strncmp(text, search_name_types[i], len) == 0 && text[len] == ':')
			return len;
	}
	return 0;
}

/* --- what a row must be */

static bool has_name(const struct search *s, const struct certificate *row, const char *type)
{
	const struct certificate_name *names = row->names.v;

	for (size_t i = 0; i < row->names.n; i++)
		if ((!type || str_equal(names[i].type, type)) && strcasecmp(names[i].value, s->query.name) == 0)
			return true;
	return false;
}

static bool has_metadata(const struct search *s, const struct certificate *row)
{
	const struct certificate_metadata *v = row->metadata.v;
	const char *wanted = s->query.metadata;

	for (size_t i = 0; i < row->metadata.n; i++) {
		size_t len = strlen(v[i].key);
		if (str_equal(wanted, v[i].key))
			return true;
		if (strncmp(wanted, v[i].key, len) == 0 && wanted[len] == '=' &&
		    str_equal(wanted + len + 1, v[i].value))
			return true;
	}
	return false;
}

static bool has_status(const struct search *s, const struct certificate *row)
{
	bool renewed = row->replaced_by && *row->replaced_by;
	bool expiring = str_equal(s->query.status, "expiring");

	if (str_equal(s->query.status, "renewed"))
		return renewed;
	return !(expiring && renewed) &&
	       str_equal(expiring ? "valid" : s->query.status, certificate_status_name(row, s->query.now));
}

static bool same(const char *wanted, const char *have)
{
	return !wanted || (have && str_equal(wanted, have));
}

static bool same_bytes(struct bytes wanted, struct bytes have)
{
	return wanted.len == 0 || bytes_equal(wanted, have);
}

/* Each start of a server makes certificates of OCSP responders: they would stand between all others. Shown to who looks
 * for them, or for one. */
static bool is_aside(const struct search_query *q, const struct certificate *row)
{
	return row->status == CERTIFICATE_VALID && row->profile && str_equal(row->profile, RESPONDER_PROFILE) &&
	       !q->profile && !q->method && !q->name && !q->identity && q->serial.len == 0 && q->fingerprint.len == 0 &&
	       q->key_hash.len == 0;
}

static bool fits(const struct search *s, const struct certificate *row)
{
	const struct search_query *q = &s->query;

	return !is_aside(q, row) && (!q->sees || q->sees(q->sees_arg, certificate_scope(row))) &&
	       (!q->name || has_name(s, row, q->name_type)) && same(q->profile, row->profile) &&
	       same(q->issuer, row->issuer) && row->issued >= q->issued_from &&
	       (q->issued_to == 0 || row->issued <= q->issued_to) && same(q->method, row->method) &&
	       same(q->account, row->account) && same(q->identity, row->identity) &&
	       same_bytes(q->serial, row->serial) && same_bytes(q->fingerprint, row->fingerprint) &&
	       same_bytes(q->key_hash, row->key_hash) && (!q->metadata || has_metadata(s, row)) &&
	       (!q->status || has_status(s, row)) && row->not_after >= q->expires_from &&
	       (q->expires_to == 0 || row->not_after <= q->expires_to);
}

/* The type that a source of names looks under. */
static const char *type_of(const struct source *source)
{
	for (size_t i = 0; search_name_types[i]; i++)
		if (str_starts(source->value, search_name_types[i]) &&
		    source->value[strlen(search_name_types[i])] == ':')
			return search_name_types[i];
	return NULL;
}

/* A bare name is looked for under each type: what a source before this one has shown is not shown again. */
static bool is_shown(const struct search *s, const struct certificate *row)
{
	for (size_t i = 0; s->query.name && !s->query.name_type && i < s->at; i++)
		if (has_name(s, row, type_of(&s->sources[i])))
			return true;
	return false;
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
	for (size_t i = 0; search_name_types[i]; i++) {
		if (s->query.name_type && !str_equal(s->query.name_type, search_name_types[i]))
			continue;
		auto_free char *value = mem_printf("%s:%s", search_name_types[i], s->query.name);
		if (!value)
			return problem_memory(p);
		for (char *c = value; i == 0 && *c; c++) /* DNS names are kept in lower case */
			*c = (char)tolower((unsigned char)*c);
		if (!add_source(s, CERTIFICATE_BY_NAME, value, p))
			return false;
	}
	return true;
}

static bool add_hex(struct search *s, enum certificate_index index, struct bytes value, struct problem *p)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, value);
	return buf_check(&hex, p) && add_source(s, index, buf_text(&hex), p);
}

static bool add_expiry(struct search *s, struct problem *p)
{
	char from[CLOCK_RFC3339_SIZE] = "";

	if (s->query.expires_from > 0)
		clock_format(s->query.expires_from, from);
	return add_source(s, CERTIFICATE_BY_EXPIRY, *from ? from : NULL, p);
}

static bool add_scope(struct search *s, struct problem *p)
{
	for (size_t i = 0; i < s->query.scope.n; i++)
		if (!add_source(s, CERTIFICATE_BY_PROFILE, s->query.scope.v[i], p))
			return false;
	return s->source_count > 0 || add_source(s, CERTIFICATE_ALL, NULL, p);
}

/* The status is a bound of the expiry, where it can be. */
static void bound_expiry(struct search_query *q)
{
	if (q->status && str_equal(q->status, "expired") && (q->expires_to == 0 || q->expires_to >= q->now))
		q->expires_to = q->now - 1;
	bool expiring = q->status && str_equal(q->status, "expiring");

	if (q->status && (expiring || str_equal(q->status, "valid")) && q->expires_from < q->now)
		q->expires_from = q->now;
	if (expiring && (q->expires_to == 0 || q->expires_to > q->now + SOON))
		q->expires_to = q->now + SOON;
}

/* The narrowest first; of the revoked and a profile, that is known when it is looked (choose_narrower). Serial
 * number and fingerprint of what was issued here have an index without pages. The revoked are fewer than what a
 * profile has, but for a profile that has few. */
static bool choose_sources(struct search *s, struct problem *p)
{
	const struct search_query *q = &s->query;

	if (q->fingerprint.len > 0)
		return true;
	if (q->serial.len > 0)
		return add_hex(s, CERTIFICATE_IMPORTED, q->serial, p);
	if (q->key_hash.len > 0)
		return add_hex(s, CERTIFICATE_BY_KEY, q->key_hash, p);
	if (q->name)
		return add_names(s, p);
	if (q->account)
		return add_source(s, CERTIFICATE_BY_ACCOUNT, q->account, p);
	if (q->identity)
		return add_source(s, CERTIFICATE_BY_IDENTITY, q->identity, p);
	if (q->status && str_equal(q->status, "revoked")) {
		s->either = q->profile;
		return add_source(s, CERTIFICATE_ALL_REVOKED, NULL, p) &&
		       (!q->profile || add_source(s, CERTIFICATE_BY_PROFILE, q->profile, p));
	}
	if (q->expires_to > 0 || (q->expires_from > 0 && !q->profile))
		return add_expiry(s, p);
	if (q->profile)
		return add_source(s, CERTIFICATE_BY_PROFILE, q->profile, p);
	return add_scope(s, p);
}

/* The inventory has one spelling of an address. */
static void spell_address(struct search *s)
{
	const struct search_query *q = &s->query;
	struct addr addr;

	if (!q->name || (q->name_type && !str_equal(q->name_type, "ip")) || !addr_parse(q->name, &addr))
		return;
	addr_format(&addr, s->address);
	s->query.name = s->address;
}

bool search_new(const struct search_query *query, struct search **ret, struct problem *p)
{
	auto_struct(search) *s = calloc(1, sizeof(*s));

	if (!s)
		return problem_memory(p);
	s->query = *query;
	spell_address(s);
	bound_expiry(&s->query);
	if (!choose_sources(s, p))
		return false;
	*ret = steal(s);
	return true;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->source_count; i++)
		free(s->sources[i].value);
	free(s);
}

/* --- cursors: the number of the source, and the cursor in it */

bool search_resume(struct search *s, const char *cursor)
{
	char *end = NULL;
	unsigned long at = strtoul(cursor, &end, 10);

	if (cursor[0] < '0' || cursor[0] > '9' || *end != '.' || at >= s->source_count ||
	    strlen(end + 1) >= sizeof(s->after))
		return false;
	s->at = at;
	s->exact_done = true;
	strcpy(s->after, end + 1);
	return true;
}

bool search_next(const struct search *s, char ret[SEARCH_CURSOR_SIZE])
{
	if (s->at == s->source_count)
		return false;
	snprintf(ret, SEARCH_CURSOR_SIZE, "%zu.%s", s->at, s->after);
	return true;
}

/* Whether a row that fits comes from this source. */
static bool is_of(const struct search *s, const struct source *source, const struct certificate *row)
{
	switch (source->index) {
	case CERTIFICATE_BY_NAME:
		return has_name(s, row, type_of(source));
	case CERTIFICATE_BY_PROFILE:
		return str_equal(row->profile ?: "", source->value);
	case CERTIFICATE_IMPORTED:
		return certificate_is_imported(row);
	default:
		return true;
	}
}

/* Before the first page. A cursor goes on where it began. */
static bool choose_narrower(struct store_txn *txn, struct search *s, struct problem *p)
{
	auto_value(store_page) page = {0};

	if (!s->either)
		return true;
	if (!store_certificate_list(txn, s->sources[1].index, s->sources[1].value, "", FEW, &page, p))
		return false;
	s->at = page.next[0] == '\0';
	return true;
}

bool search_resume_after(struct store_txn *txn, struct search *s, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return problem_missing(p, "there is no certificate %s", id);
	s->exact_done = true;
	if (!choose_narrower(txn, s, p))
		return false;
	for (; s->at < s->source_count; s->at++) {
		if (!is_of(s, &s->sources[s->at], &row))
			continue;
		store_certificate_cursor(s->sources[s->at].index, &row, s->after);
		break;
	}
	return fits(s, &row) ||
	       problem_set(p, PROBLEM_MALFORMED, "the certificate %s is not one that is looked for", id);
}

/* --- a page */

static bool show(struct search *s, const struct certificate *row, struct problem *p)
{
	s->found++;
	return s->visit(s->arg, row, p);
}

static bool look_at(struct store_txn *txn, struct search *s, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};
	const struct search_query *q = &s->query;

	s->looked++;
	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (s->sources[s->at].index == CERTIFICATE_BY_EXPIRY && q->expires_to > 0 && row.not_after > q->expires_to)
		s->past = true;
	return !fits(s, &row) || is_shown(s, &row) || show(s, &row, p);
}

static void next_source(struct search *s)
{
	s->at = s->either ? s->source_count : s->at + 1;
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
	const struct search_query *q = &s->query;
	auto_value(certificate) row = {0};
	auto_value(problem) why = {0};
	bool found = q->fingerprint.len > 0 ? store_certificate_by_fingerprint(txn, q->fingerprint, &row, &why)
	        : q->serial.len > 0 && store_certificate_by_serial(txn, q->serial, &row, &why);

	s->exact_done = true;
	return !found || !fits(s, &row) || show(s, &row, p);
}

bool search_page(struct store_txn *txn, struct search *s, size_t limit, search_visit *visit, void *arg,
                 struct problem *p)
{
	assert(limit > 0);
	s->limit = limit;
	s->looked = s->found = 0;
	s->visit = visit;
	s->arg = arg;
	if (!s->exact_done && (!choose_narrower(txn, s, p) || !read_exact(txn, s, p)))
		return false;
	while (s->at < s->source_count && s->found < s->limit && s->looked < LOOK_MAX)
		if (!read_some(txn, s, p))
			return false;
	return true;
}
