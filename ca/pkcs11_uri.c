#include "ca/pkcs11_uri.h"

#include "base/ascii.h"

enum { URI_MAX = 1024 };
#define SCHEME "pkcs11:"

static bool malformed(struct problem *p, const char *what, const char *which)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 7512: the PKCS#11 URI %s%s%s", what, *which ? ": " : "", which);
}

static bool percent_decode(const char *text, struct buf *ret)
{
	for (; *text; text++) {
		int high = *text == '%' ? ascii_hex(text[1]) : 0, low = *text == '%' && high >= 0 ? ascii_hex(text[2]) : 0;
		if (high < 0 || low < 0 || (unsigned char)*text <= ' ')
			return false;
		buf_add_char(ret, *text == '%' ? (char)(high << 4 | low) : *text);
		text += *text == '%' ? 2 : 0;
	}
	return !ret->failed;
}

/* --- attributes */

static const struct attribute {
	const char *name;
	size_t offset; /* of a char * */
} texts[] = {
	{ "token", offsetof(struct pkcs11_uri, token) }, { "manufacturer", offsetof(struct pkcs11_uri, manufacturer) },
	{ "serial", offsetof(struct pkcs11_uri, serial) }, { "model", offsetof(struct pkcs11_uri, model) },
	{ "object", offsetof(struct pkcs11_uri, object) },
};

static bool set_text(struct pkcs11_uri *uri, const char *name, struct buf *value, bool *ret_known)
{
	for (size_t i = 0; i < array_length(texts); i++) {
		char **at = (char **)(void *)((char *)uri + texts[i].offset);
		if (!str_equal(texts[i].name, name))
			continue;
		*ret_known = true;
		if (*at || strlen(buf_text(value)) != value->len)
			return false;
		*at = buf_take(value, NULL);
		return *at != NULL;
	}
	return true;
}

static bool set_slot(struct pkcs11_uri *uri, const struct buf *value)
{
	const char *text = buf_text(value);

	uri->has_slot = true;
	uri->slot = strtoul(text, NULL, 10);
	return value->len > 0 && value->len < 18 && strspn(text, "0123456789") == value->len;
}

static bool set(struct pkcs11_uri *uri, const char *name, struct buf *value, struct problem *p)
{
	bool known = str_equal(name, "id") || str_equal(name, "slot-id") || str_equal(name, "type"), good = true;

	if (str_equal(name, "id")) {
		good = uri->id.len == 0 && value->len > 0;
		buf_add(&uri->id, value->data, value->len);
	} else if (str_equal(name, "slot-id"))
		good = !uri->has_slot && set_slot(uri, value);
	else if (str_equal(name, "type"))
		good = str_equal(buf_text(value), "private");
	else
		good = set_text(uri, name, value, &known);
	if (!known)
		return malformed(p, "has an attribute that is not known here", name);
	return (good && !uri->id.failed) ||
	       malformed(p, "has an attribute twice, or with a value that it cannot have", name);
}

static bool attribute(struct pkcs11_uri *uri, char *pair, struct problem *p)
{
	char *equals = strchr(pair, '=');
	auto_value(buf) value = { 0 };

	if (!equals)
		return malformed(p, "has an attribute without a value", pair);
	*equals = '\0';
	return percent_decode(equals + 1, &value) ? set(uri, pair, &value, p)
	                                          : malformed(p, "has a wrong percent-encoding", pair);
}

bool pkcs11_uri_parse(const char *text, struct pkcs11_uri *ret, struct problem *p)
{
	auto_value(pkcs11_uri) uri = { 0 };
	auto_free char *copy = strdup(str_starts(text, SCHEME) ? text + strlen(SCHEME) : "");
	char *save = NULL;

	if (!copy)
		return problem_memory(p);
	if (!str_starts(text, SCHEME) || strlen(text) > URI_MAX)
		return malformed(p, "does not begin with " SCHEME, "");
	if (strchr(copy, '?'))
		return malformed(p, "has a query: module and PIN stand in the configuration under `ca.pkcs11`", "");
	for (char *pair = strtok_r(copy, ";", &save); pair; pair = strtok_r(NULL, ";", &save))
		if (!attribute(&uri, pair, p))
			return false;
	if (!uri.object && uri.id.len == 0)
		return malformed(p, "names no key: `object` or `id` is wanted", "");
	if (!uri.token && !uri.serial && !uri.has_slot)
		return malformed(p, "names no token: `token`, `serial` or `slot-id` is wanted", "");
	*ret = uri;
	uri = (struct pkcs11_uri){ 0 };
	return true;
}

void pkcs11_uri_free(struct pkcs11_uri *uri)
{
	for (size_t i = 0; i < array_length(texts); i++)
		free(*(char **)(void *)((char *)uri + texts[i].offset));
	buf_free(&uri->id);
	*uri = (struct pkcs11_uri){ 0 };
}
