#include "ca/constraint.h"

#include <openssl/err.h>

#include "base/addr.h"
#include "ca/der.h"

static bool malformed(struct problem *p, const char *text)
{
	return problem_set(p, PROBLEM_MALFORMED,
	                   "RFC 5280, 4.2.1.10: expected a name such as dns:example.com, ip:10.0.0.0/8 or "
	                   "email:example.com, got `%s`", text);
}

/* --- from text */

static bool is_host(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 253 && text[0] != '.' && text[0] != '-' && text[len - 1] != '.' &&
	       !strstr(text, "..") &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static bool is_mailbox(const char *text)
{
	const char *at = strchr(text, '@');

	return is_host(at ? at + 1 : text + (*text == '.')) && (!at || at > text);
}

static GENERAL_NAME *general_text(int type, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();

	if (!name || !value || ASN1_STRING_set(value, text, -1) != 1) {
		GENERAL_NAME_free(name);
		ASN1_IA5STRING_free(value);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return name;
}

/* Address and mask (RFC 5280, 4.2.1.10). */
static GENERAL_NAME *general_network(const struct addr_net *net)
{
	size_t len = addr_length(&net->net);
	uint8_t octets[32] = { 0 };
	GENERAL_NAME *name = GENERAL_NAME_new();
	auto(ASN1_OCTET_STRING) *value = ASN1_OCTET_STRING_new();

	memcpy(octets, net->net.byte, len);
	for (unsigned bit = 0; bit < net->prefix; bit++)
		octets[len + bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	if (!name || !value || ASN1_OCTET_STRING_set(value, octets, (int)(2 * len)) != 1) {
		GENERAL_NAME_free(name);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, GEN_IPADD, steal(value));
	return name;
}

static bool name_parse(const char *text, GENERAL_NAME **ret, struct problem *p)
{
	struct addr_net net;

	if (str_starts(text, "dns:") && is_host(text + 4))
		*ret = general_text(GEN_DNS, text + 4);
	else if (str_starts(text, "email:") && is_mailbox(text + 6))
		*ret = general_text(GEN_EMAIL, text + 6);
	else if (str_starts(text, "ip:") && addr_net_parse(text + 3, &net))
		*ret = general_network(&net);
	else
		return malformed(p, text);
	return *ret ? true : problem_memory(p);
}

static bool subtrees_add(STACK_OF(GENERAL_SUBTREE) **trees, const char *text, struct problem *p)
{
	GENERAL_SUBTREE *tree = NULL;
	GENERAL_NAME *name = NULL;

	if (!name_parse(text, &name, p))
		return false;
	tree = GENERAL_SUBTREE_new();
	if (tree) {
		GENERAL_NAME_free(tree->base);
		tree->base = name;
	}
	if (!*trees)
		*trees = sk_GENERAL_SUBTREE_new_null();
	if (tree && *trees && sk_GENERAL_SUBTREE_push(*trees, tree) > 0)
		return true;
	if (tree)
		GENERAL_SUBTREE_free(tree);
	else
		GENERAL_NAME_free(name);
	return problem_memory(p);
}

static bool subtrees_make(const struct strings *texts, STACK_OF(GENERAL_SUBTREE) **trees, struct problem *p)
{
	for (size_t i = 0; texts && i < texts->n; i++)
		if (!subtrees_add(trees, texts->v[i], p))
			return false;
	return true;
}

bool constraint_make(const struct strings *permitted, const struct strings *excluded, NAME_CONSTRAINTS **ret,
                     struct problem *p)
{
	auto(NAME_CONSTRAINTS) *constraints = NAME_CONSTRAINTS_new();

	if (!constraints)
		return problem_memory(p);
	if (!subtrees_make(permitted, &constraints->permittedSubtrees, p) ||
	    !subtrees_make(excluded, &constraints->excludedSubtrees, p))
		return false;
	*ret = constraints->permittedSubtrees || constraints->excludedSubtrees ? steal(constraints) : NULL;
	return true;
}

/* --- to text */

static char *network_text(const ASN1_OCTET_STRING *octets)
{
	size_t len = (size_t)ASN1_STRING_length(octets) / 2;
	const uint8_t *data = ASN1_STRING_get0_data(octets);
	struct addr address = { .family = len == 4 ? AF_INET : AF_INET6 };
	char text[ADDR_TEXT_SIZE];
	unsigned prefix = 0;

	if (len != addr_length(&address))
		return strdup("other");
	memcpy(address.byte, data, len);
	while (prefix < 8 * len && data[len + prefix / 8] & (0x80 >> prefix % 8))
		prefix++;
	addr_format(&address, text);
	return mem_printf("ip:%s/%u", text, prefix);
}

static char *name_text(const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

	if (type == GEN_IPADD)
		return network_text(value);
	if (type != GEN_DNS && type != GEN_EMAIL)
		return strdup("other");
	return mem_printf("%s:%.*s", type == GEN_DNS ? "dns" : "email", ASN1_STRING_length(value),
	                  (const char *)ASN1_STRING_get0_data(value));
}

bool constraint_texts(const NAME_CONSTRAINTS *constraints, bool excluded, struct strings *ret)
{
	const STACK_OF(GENERAL_SUBTREE) *trees = !constraints ? NULL : excluded ? constraints->excludedSubtrees
	                                                                        : constraints->permittedSubtrees;

	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
		auto_free char *text = name_text(sk_GENERAL_SUBTREE_value(trees, i)->base);
		if (!text || !strings_add(ret, text))
			return false;
	}
	return true;
}

/* --- held against a certificate */

bool constraint_any(X509 *certificate)
{
	return X509_get_ext_by_NID(certificate, NID_name_constraints, -1) >= 0;
}

/* The certificate as it will be, but for a signature of one octet. */
static X509 *certificate_before(struct bytes tbs, struct bytes algorithm)
{
	auto_value(buf) der = { 0 };
	struct der d = der_writer(&der);

	der_open(&d, TLV_SEQUENCE);
	der_put_raw(&d, tbs);
	der_put_raw(&d, algorithm);
	der_put(&d, TLV_BIT_STRING, BYTES("\0\0", 2));
	der_close(&d);
	const unsigned char *at = der.data;
	X509 *certificate = der.failed ? NULL : d2i_X509(NULL, &at, (long)der.len);
	if (certificate)
		X509_check_purpose(certificate, -1, 0); /* reads the names that NAME_CONSTRAINTS_check looks at */
	return certificate;
}

/* The part of a DNS name above its first label. */
static struct bytes parent_of(const ASN1_STRING *name)
{
	struct bytes text = BYTES(ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));
	const uint8_t *dot = memchr(text.data, '.', text.len);

	return dot ? BYTES(dot, text.len - (size_t)(dot - text.data)) : BYTES("", 0);
}

/* Whether an excluded name is one of those that a wildcard stands for: verifiers, Go's among them, then take
 * neither. */
static bool wildcard_holds(const GENERAL_NAME *name, const STACK_OF(GENERAL_SUBTREE) *excluded)
{
	if (name->type != GEN_DNS || !str_starts((const char *)ASN1_STRING_get0_data(name->d.dNSName), "*."))
		return true;
	struct bytes host = parent_of(name->d.dNSName);
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(excluded); i++) {
		const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(excluded, i)->base;
		struct bytes parent = base->type == GEN_DNS ? parent_of(base->d.dNSName) : BYTES("", 0);
		if (parent.len == host.len &&
		    strncasecmp((const char *)parent.data, (const char *)host.data, host.len) == 0)
			return false;
	}
	return true;
}

static bool wildcards_hold(X509 *certificate, const STACK_OF(GENERAL_SUBTREE) *excluded)
{
	auto(GENERAL_NAMES) *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (!wildcard_holds(sk_GENERAL_NAME_value(names, i), excluded))
			return false;
	return true;
}

static bool in_constraints(X509 *certificate, NAME_CONSTRAINTS *constraints)
{
	return NAME_CONSTRAINTS_check(certificate, constraints) == X509_V_OK &&
	       NAME_CONSTRAINTS_check_CN(certificate, constraints) == X509_V_OK &&
	       wildcards_hold(certificate, constraints->excludedSubtrees);
}

/* The same certificate, if it had no name but this one. */
static X509 *certificate_alone(X509 *certificate, GENERAL_NAME *name)
{
	auto(X509) *alone = X509_dup(certificate);
	auto(X509_NAME) *nobody = X509_NAME_new();
	GENERAL_NAMES *one = sk_GENERAL_NAME_new_null();
	bool made = alone && nobody && one && sk_GENERAL_NAME_push(one, name) > 0 &&
	            X509_set_subject_name(alone, nobody) == 1 &&
	            X509_add1_ext_i2d(alone, NID_subject_alt_name, one, 0, X509V3_ADD_REPLACE) == 1;

	sk_GENERAL_NAME_free(one); /* not the name */
	if (!made)
		return NULL;
	X509_check_purpose(alone, -1, 0);
	return steal(alone);
}

/* The first name that the constraints exclude, as OpenSSL prints it. */
static void find_broken(X509 *certificate, NAME_CONSTRAINTS *constraints, char *ret, size_t size)
{
	auto(GENERAL_NAMES) *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	snprintf(ret, size, "its subject");
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		auto(X509) *alone = certificate_alone(certificate, name);
		if (!alone || in_constraints(alone, constraints))
			continue;
		auto(BIO) *out = BIO_new(BIO_s_mem());
		char *text = NULL;
		long len = out && GENERAL_NAME_print(out, name) == 1 ? BIO_get_mem_data(out, &text) : 0;
		snprintf(ret, size, "%.*s", (int)len, text ?: "");
		return;
	}
}

/* As verifiers do: subjectAltName and subject, and a common name that could be a host's where there is no other
 * name. */
static bool holds(X509 *certificate, X509 *above, struct problem *p)
{
	auto(NAME_CONSTRAINTS) *constraints = X509_get_ext_d2i(above, NID_name_constraints, NULL, NULL);
	char name[256] = "", broken[256];

	if (!constraints)
		return problem_internal(p, "the name constraints of a CA cannot be read");
	if (in_constraints(certificate, constraints))
		return true;
	find_broken(certificate, constraints, broken, sizeof(broken));
	ERR_clear_error();
	X509_NAME_oneline(X509_get_subject_name(above), name, sizeof(name));
	return problem_set(p, PROBLEM_REJECTED_IDENTIFIER,
	                   "RFC 5280, 4.2.1.10: the name constraints of the CA %s exclude a name of this "
	                   "certificate: %s", name, broken);
}

bool constraint_check(ossl_x509_stack *above, struct bytes tbs, struct bytes algorithm, struct problem *p)
{
	if (sk_X509_num(above) <= 0)
		return true;
	auto(X509) *certificate = certificate_before(tbs, algorithm);
	if (!certificate)
		return problem_openssl(p, "reading a certificate before it is signed");
	for (int i = 0; i < sk_X509_num(above); i++)
		if (!holds(certificate, sk_X509_value(above, i), p))
			return false;
	return true;
}

/* --- a name that is permitted */

static bool entry_add(const X509_NAME_ENTRY *entry, struct subject *ret, struct problem *p)
{
	auto_value(problem) why = { 0 };
	char oid[80];
	enum subject_type type;
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
	bool known = len > 0 && OBJ_obj2txt(oid, sizeof(oid), X509_NAME_ENTRY_get_object(entry), 1) > 0 &&
	             subject_type_from_oid(oid, &type) && strlen((char *)utf8) == (size_t)len &&
	             subject_check(type, (char *)utf8, &why);
	bool good = !known || subject_add(ret, type, (char *)utf8, p);

	OPENSSL_free(utf8);
	return good;
}

static const X509_NAME *directory_of(X509 *above, NAME_CONSTRAINTS **ret)
{
	*ret = X509_get_ext_d2i(above, NID_name_constraints, NULL, NULL);
	for (int i = 0; *ret && i < sk_GENERAL_SUBTREE_num((*ret)->permittedSubtrees); i++) {
		const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value((*ret)->permittedSubtrees, i)->base;
		if (base->type == GEN_DIRNAME)
			return base->d.directoryName;
	}
	return NULL;
}

bool constraint_directory(ossl_x509_stack *above, struct subject *ret, struct problem *p)
{
	for (int i = 0; i < sk_X509_num(above); i++) {
		auto(NAME_CONSTRAINTS) *constraints = NULL;
		const X509_NAME *name = directory_of(sk_X509_value(above, i), &constraints);
		for (int k = 0; name && k < X509_NAME_entry_count(name); k++)
			if (!entry_add(X509_NAME_get_entry(name, k), ret, p))
				return false;
		if (name)
			return true;
	}
	return true;
}
