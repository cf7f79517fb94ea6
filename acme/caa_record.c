#include "acme/caa_record.h"

#include <ctype.h>
#include <strings.h>

static bool is_text(struct bytes b, const char *text)
{
	return b.len == strlen(text) && strncasecmp((const char *)b.data, text, b.len) == 0;
}

bool caa_record_parse(struct bytes data, struct caa_record *ret)
{
	static const struct {
		const char *name;
		enum caa_tag tag;
	} tags[] = { { "issue", CAA_ISSUE }, { "issuewild", CAA_ISSUEWILD }, { "iodef", CAA_IODEF } };
	size_t len = data.len >= 2 ? data.data[1] : 0;

	if (len == 0 || len > data.len - 2)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii(data.data[2 + i]) || !isalnum(data.data[2 + i]))
			return false;
	*ret = (struct caa_record){
		.critical = data.data[0] & 0x80, .tag = CAA_UNKNOWN, .value = BYTES(data.data + 2 + len, data.len - 2 - len),
	};
	for (size_t i = 0; i < array_length(tags); i++)
		if (is_text(BYTES(data.data + 2, len), tags[i].name))
			ret->tag = tags[i].tag;
	return true;
}

/* --- the value of issue and issuewild */

static void skip_space(struct bytes *in)
{
	while (in->len > 0 && (in->data[0] == ' ' || in->data[0] == '\t'))
		*in = BYTES(in->data + 1, in->len - 1);
}

static bool skip_char(struct bytes *in, char c)
{
	if (in->len == 0 || in->data[0] != (uint8_t)c)
		return false;
	*in = BYTES(in->data + 1, in->len - 1);
	return true;
}

static struct bytes take_while(struct bytes *in, bool (*fits)(uint8_t c))
{
	struct bytes all = *in;

	while (in->len > 0 && fits(in->data[0]))
		*in = BYTES(in->data + 1, in->len - 1);
	return BYTES(all.data, all.len - in->len);
}

static bool is_label_char(uint8_t c)
{
	return isascii(c) && (isalnum(c) || c == '-');
}

static bool is_domain_char(uint8_t c)
{
	return is_label_char(c) || c == '.';
}

static bool is_value_char(uint8_t c)
{
	return c >= 0x21 && c <= 0x7e && c != ';';
}

/* label *("." label), and a label neither begins nor ends with a hyphen. */
static bool is_domain(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		bool first = i == 0 || name.data[i - 1] == '.', last = i + 1 == name.len || name.data[i + 1] == '.';

		if (name.data[i] == '.' ? first || last : name.data[i] == '-' && (first || last))
			return false;
	}
	return true;
}

static bool is_one_of(struct bytes name, const struct strings *identities)
{
	for (size_t i = 0; identities && i < identities->n; i++)
		if (is_text(name, identities->v[i]))
			return true;
	return false;
}

/* RFC 8657, 4: labels with commas between. */
static bool lists(struct bytes labels, const char *method)
{
	while (labels.len > 0) {
		struct bytes label = take_while(&labels, is_label_char);

		if (is_text(label, method))
			return true;
		if (!skip_char(&labels, ','))
			return false;
	}
	return false;
}

struct parameters {
	unsigned accounts;           /* how many accounturi there are: of several none holds (RFC 8657, 3) */
	bool satisfied;
};

static bool take_parameter(struct bytes *in, const struct caa_issuance *issuance, struct parameters *p)
{
	struct bytes tag = take_while(in, is_label_char), value;

	if (tag.len == 0 || tag.data[0] == '-' || tag.data[tag.len - 1] == '-')
		return false;
	skip_space(in);
	if (!skip_char(in, '='))
		return false;
	skip_space(in);
	value = take_while(in, is_value_char);
	skip_space(in);
	if (is_text(tag, "accounturi"))
		p->satisfied = p->satisfied && ++p->accounts == 1 && issuance->account_url &&
		               bytes_equal(value, BYTES_STR(issuance->account_url));
	if (is_text(tag, "validationmethods"))
		p->satisfied = p->satisfied && lists(value, issuance->method);
	return true;
}

static bool take_parameters(struct bytes *in, const struct caa_issuance *issuance, struct parameters *p)
{
	do {
		skip_space(in);
		if (!take_parameter(in, issuance, p))
			return false;
	} while (skip_char(in, ';'));
	return in->len == 0;
}

bool caa_record_permits(const struct caa_record *record, const struct caa_issuance *issuance)
{
	struct parameters p = { .satisfied = true };
	struct bytes in = record->value, name;

	skip_space(&in);
	name = take_while(&in, is_domain_char);
	skip_space(&in);
	if (name.len == 0 || !is_domain(name) || !is_one_of(name, issuance->identities))
		return false;
	if (in.len == 0)
		return true;
	if (!skip_char(&in, ';'))
		return false;
	skip_space(&in);
	return (in.len == 0 || take_parameters(&in, issuance, &p)) && p.satisfied;
}
