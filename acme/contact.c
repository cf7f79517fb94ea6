#include "acme/contact.h"

#include <strings.h>

#include "policy/identifier.h"

/* RFC 5321, 4.5.3.1 */
enum { LOCAL_PART_MAX = 64, ADDRESS_MAX = 254 };

static const char SCHEME[] = "mailto:";

static bool invalid(const char *contact, const char *why, struct problem *p)
{
	return problem_set(p, PROBLEM_INVALID_CONTACT,
	                   "RFC 8555, 7.3: the contact \"%.128s\" %s", contact, why);
}

/* Dot-atom text of RFC 5322 and the percent signs of RFC 6068. */
static bool is_local_part(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789!#$%&'*+-/=^_`{|}~.";
	return len > 0 && len <= LOCAL_PART_MAX && strspn(text, allowed) >= len &&
	       text[0] != '.' && text[len - 1] != '.';
}

static bool is_domain(const char *text)
{
	struct identifier domain;
	auto_value(problem) ignored = { 0 };
	return identifier_parse(identifier_type_name(IDENTIFIER_DNS), text, &domain, &ignored) &&
	       !identifier_is_wildcard(&domain);
}

/* RFC 8555, 7.3: no hfields, one addr-spec. */
static bool check_address(const char *contact, const char *address, struct problem *p)
{
	if (strchr(address, '?'))
		return invalid(contact, "has header fields", p);
	if (strchr(address, ',') || strcasestr(address, "%2c"))
		return invalid(contact, "names more than one address", p);
	const char *at = strchr(address, '@');
	if (!at || strlen(address) > ADDRESS_MAX || !is_local_part(address, (size_t)(at - address)) ||
	    !is_domain(at + 1))
		return invalid(contact, "is no mail address", p);
	return true;
}

/* getssl writes a space after the colon, which is taken for none. */
static const char *address_of(const char *contact)
{
	const char *after = contact + strlen(SCHEME);
	return after + strspn(after, " ");
}

static bool check(const char *contact, struct problem *p)
{
	if (!strchr(contact, ':'))
		return invalid(contact, "is no URL", p);
	if (strncasecmp(contact, SCHEME, strlen(SCHEME)) != 0)
		return problem_set(p, PROBLEM_UNSUPPORTED_CONTACT,
		                   "RFC 8555, 7.3: the contact \"%.128s\" is not a mailto: URL, the one scheme "
		                   "supported",
		                   contact);
	return check_address(contact, address_of(contact), p);
}

/* As it was sent, but for such spaces. */
static bool add(struct strings *list, const char *contact, struct problem *p)
{
	auto_value(buf) text = { 0 };
	buf_add(&text, contact, strlen(SCHEME));
	buf_add_str(&text, address_of(contact));
	if (!buf_check(&text, p))
		return false;
	return strings_add(list, buf_text(&text)) || problem_memory(p);
}

bool contact_read(const struct json *contact, unsigned max, struct strings *ret, struct problem *p)
{
	auto_value(strings) list = { 0 };
	if (contact && !json_is_array(contact))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "RFC 8555, 7.1.2: \"contact\" must be an array of URLs");
	if (json_length(contact) > max)
		return problem_set(p, PROBLEM_INVALID_CONTACT,
		                   "RFC 8555, 7.3: at most %u contacts are kept", max);
	for (size_t i = 0; i < json_length(contact); i++) {
		const char *text = json_string(json_at(contact, i));
		if (!text)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 8555, 7.1.2: \"contact\" must be an array of URLs");
		if (!check(text, p) || !add(&list, text, p))
			return false;
	}
	*ret = list;
	list = (struct strings){ 0 };
	return true;
}
