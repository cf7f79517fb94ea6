#include "policy/subject.h"

#include <assert.h>
#include <strings.h>

#include "base/ascii.h"
#include "policy/identifier.h"
#include "policy/plain_text.h"

enum alphabet { UTF8, PRINTABLE, IA5 };
enum { TAG_UTF8 = 0x0c, TAG_PRINTABLE = 0x13, TAG_IA5 = 0x16 };

/* The upper bounds are those of RFC 5280, A.1; a domainComponent is a label of a name (RFC 4519, 2.4). */
static const struct row {
	const char *label, *short_name, *oid;
	enum alphabet alphabet;
	uint8_t tag;
	size_t min, max; /* characters */
	unsigned depth;  /* in the tree of a directory (RFC 2247, 4; RFC 4519, 3) */
} rows[SUBJECT_TYPE_MAX] = {
	[SUBJECT_CN] = { "common_name", "CN", "2.5.4.3", UTF8, TAG_UTF8, 1, 64, 7 },
	[SUBJECT_O] = { "organization", "O", "2.5.4.10", UTF8, TAG_UTF8, 1, 64, 5 },
	[SUBJECT_OU] = { "organizational_unit", "OU", "2.5.4.11", UTF8, TAG_UTF8, 1, 64, 6 },
	[SUBJECT_C] = { "country", "C", "2.5.4.6", PRINTABLE, TAG_PRINTABLE, 2, 2, 2 },
	[SUBJECT_ST] = { "state", "ST", "2.5.4.8", UTF8, TAG_UTF8, 1, 128, 3 },
	[SUBJECT_L] = { "locality", "L", "2.5.4.7", UTF8, TAG_UTF8, 1, 128, 4 },
	[SUBJECT_DC] = { "domain_component", "DC", "0.9.2342.19200300.100.1.25", IA5, TAG_IA5, 1, 63, 1 },
	[SUBJECT_EMAIL] = { "email", "1.2.840.113549.1.9.1", "1.2.840.113549.1.9.1", IA5, TAG_IA5, 1, 255, 9 },
	[SUBJECT_SERIAL_NUMBER] = { "serial_number", "2.5.4.5", "2.5.4.5", PRINTABLE, TAG_PRINTABLE, 1, 64, 8 },
};

const char *subject_type_label(enum subject_type type)
{
	return rows[type].label;
}

const char *subject_type_short(enum subject_type type)
{
	return rows[type].short_name;
}

const char *subject_type_oid(enum subject_type type)
{
	return rows[type].oid;
}

uint8_t subject_type_tag(enum subject_type type)
{
	return rows[type].tag;
}

bool subject_type_from_oid(const char *oid, enum subject_type *ret)
{
	for (enum subject_type type = 0; type < SUBJECT_TYPE_MAX; type++)
		if (str_equal(rows[type].oid, oid)) {
			*ret = type;
			return true;
		}
	return false;
}

/* X.680, 41.4 */
static bool is_printable(char c)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr(" '()+,-./:=?", c));
}

static bool fits(enum alphabet alphabet, const char *at, size_t len)
{
	if ((uint8_t)*at < 0x20 || *at == 0x7f)
		return false;
	return alphabet == UTF8 ? len > 0 : len == 1 && (alphabet == IA5 || is_printable(*at));
}

/* What the type itself demands of a value of the right characters and length. */
static bool form_check(enum subject_type type, const char *value, struct problem *p)
{
	const char *label = rows[type].label;
	struct identifier mail;

	if (value[0] == ' ' || value[strlen(value) - 1] == ' ')
		return problem_set(p, PROBLEM_MALFORMED, "%s \"%s\" begins or ends with a space", label, value);
	if (plain_text_hides(value))
		return problem_set(p, PROBLEM_MALFORMED, "%s \"%s\" has a character that cannot be seen", label, value);
	if (type == SUBJECT_C && strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 5280, A.1: %s \"%s\" is not the two capital letters of ISO 3166-1", label,
		                   value);
	return type != SUBJECT_EMAIL || identifier_parse("email", value, &mail, p);
}

bool subject_check(enum subject_type type, const char *value, struct problem *p)
{
	static const char *const alphabets[] = { "UTF-8", "PrintableString", "ASCII" };
	const struct row *row = &rows[type];
	size_t count = 0, rest = strlen(value);

	for (const char *at = value; rest > 0; count++) {
		size_t len = str_utf8(at, rest);
		if (!fits(row->alphabet, at, len))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 5280, A.1: %s \"%s\" has a character that is not of %s", row->label,
			                   value, alphabets[row->alphabet]);
		at += len;
		rest -= len;
	}
	if (count < row->min || count > row->max || strlen(value) >= SUBJECT_VALUE_SIZE)
		return problem_set(p, PROBLEM_MALFORMED, "RFC 5280, A.1: %s \"%s\" is not of %zu to %zu characters",
		                   row->label, value, row->min, row->max);
	return form_check(type, value, p);
}

bool subject_add(struct subject *subject, enum subject_type type, const char *value, struct problem *p)
{
	struct subject_attribute *v = reallocarray(subject->v, subject->n + 1, sizeof(*v));

	if (!v)
		return problem_memory(p);
	subject->v = v;
	assert(strlen(value) < SUBJECT_VALUE_SIZE);
	v[subject->n].type = type;
	strcpy(v[subject->n++].value, value);
	return true;
}

bool subject_insert(struct subject *subject, enum subject_type type, const char *value, struct problem *p)
{
	size_t at = 0;

	if (!subject_add(subject, type, value, p))
		return false;
	while (rows[subject->v[at].type].depth <= rows[type].depth && at < subject->n - 1)
		at++;
	struct subject_attribute added = subject->v[subject->n - 1];
	memmove(&subject->v[at + 1], &subject->v[at], (subject->n - 1 - at) * sizeof(added));
	subject->v[at] = added;
	return true;
}

const char *subject_find(const struct subject *subject, enum subject_type type)
{
	for (size_t i = 0; i < subject->n; i++)
		if (subject->v[i].type == type)
			return subject->v[i].value;
	return NULL;
}

bool subject_has(const struct subject *subject, enum subject_type type, const char *value)
{
	for (size_t i = 0; i < subject->n; i++)
		if (subject->v[i].type == type && strcasecmp(subject->v[i].value, value) == 0)
			return true;
	return false;
}

void subject_free(struct subject *subject)
{
	free(subject->v);
	*subject = (struct subject){0};
}

/* RFC 4514, 2.4 */
static void value_text(const char *value, struct buf *ret)
{
	for (const char *at = value; *at; at++) {
		bool edge = at == value ? *at == ' ' || *at == '#' : *at == ' ' && at[1] == '\0';
		if (edge || strchr("\"+,;<>\\", *at))
			buf_add_char(ret, '\\');
		buf_add_char(ret, *at);
	}
}

/* RFC 4514, 2.4: an attribute without a short name shows its value's encoding, which is for machines;
 * the text is shown here as well. */
void subject_text(const struct subject *subject, struct buf *ret)
{
	for (size_t i = subject->n; i-- > 0;) {
		buf_printf(ret, "%s=", rows[subject->v[i].type].short_name);
		value_text(subject->v[i].value, ret);
		buf_add_str(ret, i > 0 ? "," : "");
	}
}
