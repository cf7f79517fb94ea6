#include "admin/filter.h"

#include <assert.h>
#include <stdio.h>

#include "admin/certificate.h"
#include "base/clock.h"
#include "base/digest.h"

enum { KEY_MAX = 32 };

struct reading {
	struct filter *filter;
	filter_value *value;
	const void *arg;
	const char *prefix;
};

void filter_free(struct filter *filter)
{
	buf_free(&filter->name_type);
	buf_free(&filter->serial);
	buf_free(&filter->fingerprint);
	buf_free(&filter->key_hash);
}

const char *filter_option(const void *call, const char *key)
{
	char option[KEY_MAX];

	assert(strlen(key) + sizeof("--") <= sizeof(option));
	snprintf(option, sizeof(option), "--%s", key);
	return command_value(call, option);
}

static bool take_hex(const struct reading *r, const char *key, size_t size, struct buf *buf, struct bytes *ret,
                     struct problem *p)
{
	const char *text = r->value(r->arg, key);
	auto_value(problem) why = {0};

	if (!text)
		return true;
	if (!certificate_hex_sized(text, size, buf, &why))
		return problem_set(p, PROBLEM_MALFORMED, "%s%s: %s, got `%s`", r->prefix, key, why.detail, text);
	*ret = buf_bytes(buf);
	return true;
}

/* sign: a duration is in the future, or in the past. */
static bool take_time(const struct reading *r, const char *key, int sign, int64_t *ret, struct problem *p)
{
	const char *text = r->value(r->arg, key);
	int64_t seconds;

	if (!text || clock_parse(text, ret))
		return true;
	if (!clock_parse_duration(text, &seconds))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s%s: expected a time such as 2027-01-31T00:00:00Z or a duration such as 30d, "
		                   "got `%s`",
		                   r->prefix, key, text);
	*ret = r->filter->query.now + sign * seconds;
	return true;
}

static bool take_status(const struct reading *r, struct problem *p)
{
	const char *text = r->value(r->arg, "status"), **ret = &r->filter->query.status;

	for (size_t i = 0; text && search_statuses[i]; i++)
		if (str_equal(search_statuses[i], text))
			*ret = search_statuses[i];
	return !text || *ret ||
	       problem_set(p, PROBLEM_MALFORMED,
	                   "%sstatus: expected valid, expiring, expired, revoked or renewed, got `%s`", r->prefix,
	                   text);
}

static void take_name(const struct reading *r)
{
	const char *text = r->value(r->arg, "name");
	size_t len = text ? search_name_type(text) : 0;

	r->filter->query.name = text ? text + len + (len > 0) : NULL;
	if (len > 0) {
		buf_add(&r->filter->name_type, text, len);
		r->filter->query.name_type = buf_text(&r->filter->name_type);
	}
}

static void take_texts(const struct reading *r)
{
	struct search_query *q = &r->filter->query;
	const struct {
		const char *key, **ret;
	} rows[] = {
		{ "account", &q->account }, { "profile", &q->profile },   { "issuer", &q->issuer },
		{ "method", &q->method },   { "identity", &q->identity }, { "metadata", &q->metadata },
	};

	for (size_t i = 0; i < array_length(rows); i++)
		*rows[i].ret = r->value(r->arg, rows[i].key);
	take_name(r);
}

bool filter_read(struct filter *filter, filter_value *value, const void *arg, const char *prefix, struct problem *p)
{
	const struct reading r = { filter, value, arg, prefix };
	struct search_query *q = &filter->query;

	take_texts(&r);
	return buf_check(&filter->name_type, p) && take_hex(&r, "serial", 0, &filter->serial, &q->serial, p) &&
	       take_hex(&r, "fingerprint", SHA256_SIZE, &filter->fingerprint, &q->fingerprint, p) &&
	       take_hex(&r, "key", SHA256_SIZE, &filter->key_hash, &q->key_hash, p) && take_status(&r, p) &&
	       take_time(&r, "issued-after", -1, &q->issued_from, p) &&
	       take_time(&r, "issued-before", -1, &q->issued_to, p) &&
	       take_time(&r, "expires-after", 1, &q->expires_from, p) &&
	       take_time(&r, "expires-before", 1, &q->expires_to, p);
}
