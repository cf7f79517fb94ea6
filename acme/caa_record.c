#include "acme/caa_record.h"

#include <ctype.h>

#include "acme/issue_value.h"

bool caa_record_parse(struct bytes data, struct caa_record *ret)
{
	static const struct {
		const char *name;
		enum caa_tag tag;
	} tags[] = {
		{ "issue", CAA_ISSUE }, { "issuewild", CAA_ISSUEWILD }, { "iodef", CAA_IODEF },
		{ "issuemail", CAA_ISSUEMAIL },
	};
	size_t len = data.len >= 2 ? data.data[1] : 0;

	if (len == 0 || len > data.len - 2)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii(data.data[2 + i]) || !isalnum(data.data[2 + i]))
			return false;
	*ret = (struct caa_record){
		.critical = data.data[0] & 0x80, .tag = CAA_UNKNOWN,
		.value = BYTES(data.data + 2 + len, data.len - 2 - len),
	};
	for (size_t i = 0; i < array_length(tags); i++)
		if (issue_text_is(BYTES(data.data + 2, len), tags[i].name))
			ret->tag = tags[i].tag;
	return true;
}

/* RFC 8657, 4: labels with commas between, in the registry's spelling. */
static bool lists(struct bytes labels, const char *method)
{
	while (labels.len > 0) {
		const uint8_t *comma = memchr(labels.data, ',', labels.len);
		size_t len = comma ? (size_t)(comma - labels.data) : labels.len;

		if (bytes_equal(BYTES(labels.data, len), BYTES_STR(method)))
			return true;
		if (!comma)
			return false;
		labels = BYTES(comma + 1, labels.len - len - 1);
	}
	return false;
}

/* Of several accounturi none holds (RFC 8657, 3). */
static bool is_account(const struct issue_value *value, const char *account_url)
{
	struct bytes account;
	size_t n = issue_value_find(value, "accounturi", &account);

	return n == 0 || (n == 1 && account_url && bytes_equal(account, BYTES_STR(account_url)));
}

static bool is_method(const struct issue_value *value, const char *method)
{
	for (size_t i = 0; i < value->n; i++)
		if (issue_text_is(value->parameters[i].tag, "validationmethods") &&
		    !lists(value->parameters[i].value, method))
			return false;
	return true;
}

bool caa_record_permits(const struct caa_record *record, const struct caa_issuance *issuance)
{
	struct issue_value value;

	return issue_value_parse(record->value, &value) && issue_value_domain_is(&value, issuance->identities) &&
	       is_account(&value, issuance->account_url) && is_method(&value, issuance->method);
}
