#include <stdio.h>
#include <strings.h>

#include "policy/gate_case.h"

enum { COMMON_NAME_MAX = 64 }; /* RFC 5280, A.1, ub-common-name */

/* Whether the CSR's common name is to be one of the names: always in an order, else as the policy says. */
static bool names_cn(const struct gate_case *c, const char *text)
{
	return !c->identity || policy_names_cn(c->profile->policy, &c->request.who, text);
}

/* A device's name can look like a host's, which is one where it is ordered as such too. */
static bool is_ordered_host(const struct gate_case *c, const char *text)
{
	for (size_t i = 0; i < c->identifier_count; i++)
		if (!identifier_is_device(c->identifiers[i].type) && strcasecmp(c->identifiers[i].value, text) == 0)
			return true;
	return false;
}

/* What is no name stays out of the names: common-name-named tells it. */
static void common_name_read(const char *text, struct gate_case *c)
{
	auto_value(problem) ignored = {0};
	struct addr addr;
	struct identifier name;

	c->common_name_count++;
	c->common_name_text = text;
	if (gate_case_is_device(c, text) && !is_ordered_host(c, text))
		return;
	if (names_cn(c, text) && identifier_parse(addr_parse(text, &addr) ? "ip" : "dns", text, &name, &ignored))
		c->common_name = name;
}

static bool type_of(const struct csr_attribute *attribute, enum subject_type *ret)
{
	return subject_type_from_oid(attribute->oid, ret);
}

void gate_case_read_common_names(struct gate_case *c)
{
	enum subject_type type;

	for (size_t i = 0; i < c->csr->subject_count; i++)
		if (type_of(&c->csr->subject[i], &type) && type == SUBJECT_CN)
			common_name_read(c->csr->subject[i].value, c);
}

static bool fits_common_name(const struct identifier *name)
{
	return strlen(name->value) <= COMMON_NAME_MAX;
}

/* The common name for the certificate; NULL: none. Always a proven name: names-equal and names-proven have judged the
 * CSR's. */
static const char *common_name_of(const struct gate_case *c)
{
	const struct identifier *names = c->identifiers ?: c->names.v;
	size_t count = c->identifiers ? c->identifier_count : c->names.n;

	if (c->profile->common_name == PROFILE_CN_NONE)
		return NULL;
	if (c->common_name.value[0] != '\0' && fits_common_name(&c->common_name))
		return c->common_name.value;
	if (c->profile->common_name != PROFILE_CN_FIRST)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (names[i].type == IDENTIFIER_DNS && fits_common_name(&names[i]) &&
		    identifiers_has(&c->names, &names[i]))
			return names[i].value;
	return NULL;
}

/* A text that is to be one of the names and is none stays for the rules to refuse. */
static bool common_name_add(const char *text, struct gate_case *c, struct problem *p)
{
	const char *name = common_name_of(c);

	if (c->common_name.value[0] == '\0' && !c->identity && c->profile->common_name == PROFILE_CN_NONE)
		return true;
	if (c->common_name.value[0] == '\0')
		return subject_add(&c->subject, SUBJECT_CN, text, p);
	return !name || subject_add(&c->subject, SUBJECT_CN, name, p);
}

/* Of an order's CSR what it has proven: names, and of a device its serial number. */
static bool is_proven(const struct gate_case *c, enum subject_type type, const char *value)
{
	return c->identity || (type == SUBJECT_SERIAL_NUMBER && gate_case_is_device(c, value));
}

/* All other attributes are the profile's (subject-plain says so to who sends others). */
static bool attributes_take(struct gate_case *c, struct problem *p)
{
	enum subject_type type;

	for (size_t i = 0; i < c->csr->subject_count; i++) {
		const struct csr_attribute *attribute = &c->csr->subject[i];
		if (!type_of(attribute, &type))
			continue;
		if (type == SUBJECT_CN ? !common_name_add(attribute->value, c, p)
		                       : is_proven(c, type, attribute->value) &&
		                                 !subject_add(&c->subject, type, attribute->value, p))
			return false;
	}
	return true;
}

bool gate_case_make_subject(struct gate_case *c, struct problem *p)
{
	const struct subject *defaults = &c->profile->subject;
	const char *first = c->common_name_count == 0 ? common_name_of(c) : NULL;
	bool asked[SUBJECT_TYPE_MAX] = { false };

	if (!attributes_take(c, p) || (first && !subject_add(&c->subject, SUBJECT_CN, first, p)))
		return false;
	for (size_t i = 0; i < c->subject.n; i++)
		asked[c->subject.v[i].type] = true;
	for (size_t i = 0; i < defaults->n; i++)
		if (!asked[defaults->v[i].type] &&
		    !subject_insert(&c->subject, defaults->v[i].type, defaults->v[i].value, p))
			return false;
	return true;
}

bool gate_common_name_single(const struct gate_case *c, struct problem *p)
{
	return c->common_name_count <= 1 ||
	       gate_bad_csr(p, "the CSR's subject has %u common names", c->common_name_count);
}

static bool value_fits(enum subject_type type, const char *value, struct problem *p)
{
	auto_value(problem) why = {0};

	return subject_check(type, value, &why) || gate_bad_csr(p, "%s", why.detail);
}

bool gate_common_name_named(const struct gate_case *c, struct problem *p)
{
	const char *name = subject_find(&c->subject, SUBJECT_CN);

	if (!c->identity && c->common_name_count > 0 && c->common_name.value[0] == '\0' &&
	    !gate_case_is_device(c, c->common_name_text))
		return gate_bad_csr(p,
		               "RFC 8555, 7.4: the CSR's common name \"%s\" is neither a DNS name nor an IP address",
		               c->common_name_text);
	if (!gate_case_judge(c, POLICY_COMMON_NAME, p))
		return false;
	return !name || value_fits(SUBJECT_CN, name, p);
}

/* What a client writes into the subject where it has nothing to say, and cannot be told to leave out. It says nothing
 * of whom the certificate is for, and is not certified. */
struct filler {
	struct subject_attribute v[4];
	size_t n;
};

static const struct filler FILLERS[] = {
	{ { { SUBJECT_O, "acme.sh" } }, 1 },                                                             /* for addresses */
	{ { { SUBJECT_ST, "-" }, { SUBJECT_C, "GB" }, { SUBJECT_L, "-" }, { SUBJECT_O, "-" } }, 4 },     /* Crypt::LE */
};

/* How often the CSR has it; NULL: how many attributes it has besides common names. */
static size_t count_attributes(const struct csr *csr, const struct subject_attribute *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < csr->subject_count; i++) {
		enum subject_type type;
		bool known = type_of(&csr->subject[i], &type);
		if (wanted)
			n += known && type == wanted->type && str_equal(csr->subject[i].value, wanted->value);
		else
			n += !known || type != SUBJECT_CN;
	}
	return n;
}

/* All of one client's, and nothing else but a common name. */
static bool has_filler(const struct csr *csr, const struct filler *filler)
{
	for (size_t i = 0; i < filler->n; i++)
		if (count_attributes(csr, &filler->v[i]) != 1)
			return false;
	return count_attributes(csr, NULL) == filler->n;
}

static bool is_filled(const struct gate_case *c)
{
	for (size_t i = 0; !c->identity && i < array_length(FILLERS); i++)
		if (has_filler(c->csr, &FILLERS[i]))
			return true;
	return false;
}

/* Of an order only what the profile gives anyway; of others what is of a type that the policy knows. */
static bool attribute_plain(const struct gate_case *c, const struct csr_attribute *attribute, struct problem *p)
{
	enum subject_type type;
	bool known = type_of(attribute, &type);
	char message[128];
	const struct problem_breach breach = { "subject", attribute->value, "unlisted", message };

	if (known && (type == SUBJECT_CN || is_proven(c, type, attribute->value) ||
	              subject_has(&c->profile->subject, type, attribute->value)))
		return true;
	if (!c->identity)
		return gate_bad_csr(p, "RFC 8555, 7.4: the CSR's subject has %s, which nothing has proven",
		                    attribute->short_name);
	snprintf(message, sizeof(message), "%s attribute is not allowed by template policy", attribute->short_name);
	return problem_add_breach(p, PROBLEM_BAD_CSR, NULL, NULL, &breach, "%s: \"%.128s\" (no policy can have it)",
	                          message, attribute->value);
}

/* --- mail addresses */

static bool mail_of(const struct csr_attribute *attribute, struct identifier *ret)
{
	auto_value(problem) ignored = {0};
	enum subject_type type;

	return type_of(attribute, &type) && type == SUBJECT_EMAIL &&
	       identifier_parse("email", attribute->value, ret, &ignored);
}

static bool mail_proven(const struct gate_case *c, const struct identifier *mail)
{
	return c->trial || identity_proves(c->identity, mail) || gate_device_proves(c, mail);
}

/* RFC 5280, 4.1.2.6: new certificates MUST have it as a name; in the subject it is for old readers. Clients write it
 * there alone, as `openssl req` asks for it. */
bool gate_case_add_mails(struct gate_case *c, struct problem *p)
{
	auto_value(problem) ignored = {0};
	struct identifier mail;

	for (size_t i = 0; c->identity && c->profile && i < c->csr->subject_count; i++)
		if (mail_of(&c->csr->subject[i], &mail) && !identifiers_has(&c->names, &mail) &&
		    mail_proven(c, &mail) && profile_allows(c->profile, &c->request.who, &mail, &ignored) &&
		    !identifiers_add(&c->names, &mail, p))
			return false;
	return true;
}

static bool mail_named(const struct gate_case *c, const struct csr_attribute *attribute, struct problem *p)
{
	struct identifier mail;

	if (!c->identity || !mail_of(attribute, &mail) || identifiers_has(&c->names, &mail))
		return true;
	bool proven = mail_proven(c, &mail);
	const char *message = proven ? "email SAN is not allowed by template policy"
	                             : "email value is not a name that the requester has proven";
	const struct problem_breach breach = { "subject.email", mail.value, "subject-plain", message };
	return problem_add_breach(p, proven ? PROBLEM_BAD_CSR : PROBLEM_UNAUTHORIZED, NULL, NULL, &breach,
	                          "%s: \"%.128s\" (RFC 5280, 4.1.2.6: a mail address of the subject must be a name of the certificate too)",
	                          message, mail.value);
}

static bool mails_named(const struct gate_case *c, struct problem *p)
{
	bool held = true;

	for (size_t i = 0; i < c->csr->subject_count; i++)
		held = mail_named(c, &c->csr->subject[i], p) && held;
	return held;
}

bool gate_subject_plain(const struct gate_case *c, struct problem *p)
{
	bool held = true, filled = is_filled(c);

	for (size_t i = 0; !filled && i < c->csr->subject_count; i++)
		held = attribute_plain(c, &c->csr->subject[i], p) && held;
	for (size_t i = 0; i < c->subject.n; i++) {
		const struct subject_attribute *attribute = &c->subject.v[i];
		held = (attribute->type == SUBJECT_CN || value_fits(attribute->type, attribute->value, p)) && held;
	}
	return gate_case_judge(c, POLICY_ATTRIBUTES, p) && held && mails_named(c, p);
}
