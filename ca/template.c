#include "ca/template.h"

#include "ca/extension.h"

/* RFC 5280, 4.2.1.6: a URI with a host, in IA5. */
static bool base_check(const char *base, struct problem *p)
{
	const char *host = str_starts(base, "http://") ? base + 7 : str_starts(base, "https://") ? base + 8 : NULL;

	if (!host || *host == '\0' || *host == '/' || *host == ':')
		return problem_set(p, PROBLEM_MALFORMED, "\"%s\": not an http or https URL with a host", base);
	for (const char *at = host; *at; at++)
		if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}?#", *at))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "\"%s\": a URL of ASCII without query or fragment is wanted", base);
	return true;
}

static char *base_plain(const char *base)
{
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	return mem_printf("%.*s", (int)len, base);
}

/* The shard of a certificate's CRL is part of the URL from the first day, so that CRLs can be split
 * later without new certificates. */
static bool put_extensions(struct extension_source *source, const struct template *t, size_t shard, struct buf *ret,
                           struct problem *p)
{
	struct der all = der_writer(ret);
	auto_free char *crl_url = t->crl_urls ? template_crl_url(t, shard, false) : NULL;

	if (t->crl_urls && !crl_url)
		return problem_memory(p);
	source->crl_url = crl_url;
	extension_put_issuer(&all, source);
	return buf_check(ret, p);
}

static bool put_all(struct extension_source *source, const char *id, const char *base, struct template *t,
                    struct problem *p)
{
	auto_free char *plain = base ? base_plain(base) : NULL;
	auto_free char *certificate_url = plain ? mem_printf("%s/ca/%s.crt", plain, id) : NULL;
	auto_free char *ocsp_url = plain ? mem_printf("%s/ocsp/%s", plain, id) : NULL;

	t->crl_urls = plain ? mem_printf("%s/crl/%s/", plain, id) : NULL;
	if (base && (!certificate_url || !ocsp_url || !t->crl_urls))
		return problem_memory(p);
	source->certificate_url = certificate_url;
	source->ocsp_url = ocsp_url;
	for (size_t i = 0; i < t->shards; i++)
		if (!put_extensions(source, t, i, &t->extensions[i], p))
			return false;
	struct der brief = der_writer(&t->brief);
	source->crl_url = source->ocsp_url = NULL;
	extension_put_issuer(&brief, source);
	return buf_check(&t->brief, p);
}

bool template_pointers(const char *id, const char *base, struct buf *ret, struct problem *p)
{
	struct der d = der_writer(ret);
	auto_free char *url = base_plain(base);

	if (!url || !base_check(base, p))
		return url ? false : problem_memory(p);
	auto_free char *certificate = mem_printf("%s/ca/%s.crt", url, id),
	                              *crl = mem_printf("%s/crl/%s/0.crl", url, id);
	if (!certificate || !crl)
		return problem_memory(p);
	der_open(&d, TLV_SEQUENCE);
	extension_put_pointers(&d, &(struct extension_source){ .certificate_url = certificate, .crl_url = crl });
	der_close(&d);
	return buf_check(ret, p);
}

bool template_make(struct bytes issuer, struct bytes key_id, const char *id, const struct issuer_urls *urls,
                   struct template *ret, struct problem *p)
{
	auto_value(template) t = { 0 };
	struct extension_source source = { .issuer_key_id = key_id };
	const char *base = urls ? urls->base : NULL;

	if (base && !base_check(base, p))
		return false;
	buf_add(&t.issuer, issuer.data, issuer.len);
	struct der authority = der_writer(&t.authority);
	extension_put_authority(&authority, &source);
	t.shards = base && urls->shards > 1 ? urls->shards : 1;
	t.extensions = calloc(t.shards, sizeof(*t.extensions));
	if (!t.extensions)
		return problem_memory(p);
	if (!buf_check(&t.issuer, p) || !buf_check(&t.authority, p) || !put_all(&source, id, base, &t, p))
		return false;
	*ret = t;
	t = (struct template){ 0 };
	return true;
}

void template_free(struct template *t)
{
	buf_free(&t->issuer);
	buf_free(&t->authority);
	buf_free(&t->brief);
	for (size_t i = 0; t->extensions && i < t->shards; i++)
		buf_free(&t->extensions[i]);
	free(t->extensions);
	free(t->crl_urls);
}

/* Serial numbers are random, so their last octets spread evenly. */
size_t template_shard(const struct template *t, struct bytes serial)
{
	size_t n = 0;

	for (size_t i = serial.len > 2 ? serial.len - 2 : 0; i < serial.len; i++)
		n = n << 8 | serial.data[i];
	return n % t->shards;
}

char *template_crl_url(const struct template *t, size_t shard, bool delta)
{
	return t->crl_urls ? mem_printf("%s%zu%s.crl", t->crl_urls, shard, delta ? ".delta" : "") : NULL;
}

static void put_validity(struct der *d, int64_t not_before, int64_t not_after)
{
	der_open(d, TLV_SEQUENCE);
	der_put_time(d, not_before);
	der_put_time(d, not_after);
	der_close(d);
}

/* RFC 5280, 4.1.2.4: a wildcard's "*" is no character of a PrintableString, so a common name is UTF8String. */
static void put_attribute(struct der *d, enum subject_type type, const char *value)
{
	der_open(d, TLV_SET);
	der_open(d, TLV_SEQUENCE);
	der_put_oid(d, subject_type_oid(type));
	der_put(d, subject_type_tag(type), BYTES_STR(value));
	der_close(d);
	der_close(d);
}

static void put_subject(struct der *d, const struct approval_facts *facts)
{
	const struct subject *subject = facts->subject;

	der_open(d, TLV_SEQUENCE);
	for (size_t i = 0; subject && i < subject->n; i++)
		put_attribute(d, subject->v[i].type, subject->v[i].value);
	if (!subject && facts->common_name)
		put_attribute(d, SUBJECT_CN, facts->common_name);
	der_close(d);
}

static void put_version_3(struct der *d)
{
	der_open(d, TLV_CONTEXT_CONSTRUCTED(0));
	der_put_integer(d, BYTES("\x02", 1));
	der_close(d);
}

static void put_extensions_of(struct der *d, const struct template *t, struct bytes serial,
                              const struct extension_source *source)
{
	der_open(d, TLV_CONTEXT_CONSTRUCTED(3));
	der_open(d, TLV_SEQUENCE);
	extension_put_own(d, source);
	der_put_raw(d, buf_bytes(extension_signs_ocsp(source) ? &t->authority
	                         : source->facts->no_revocation ? &t->brief
	                         : &t->extensions[template_shard(t, serial)]));
	der_close(d);
	der_close(d);
}

bool template_write(const struct template *t, struct bytes algorithm, struct bytes serial,
                    const struct approval_facts *facts, struct buf *ret, struct problem *p)
{
	struct extension_source source = { .facts = facts };
	struct der d = der_writer(ret);
	struct bytes key_bits;

	if (!spki_key_bits(facts->spki, facts->algorithm, &key_bits, p))
		return false;
	if (extension_signs_ocsp(&source))
		spki_key_hash(key_bits, source.key_id);
	else
		spki_key_identifier(key_bits, source.key_id);
	der_open(&d, TLV_SEQUENCE);
	put_version_3(&d);
	der_put_integer(&d, serial);
	der_put_raw(&d, algorithm);
	der_put_raw(&d, buf_bytes(&t->issuer));
	put_validity(&d, facts->not_before, facts->not_after);
	put_subject(&d, facts);
	der_put_raw(&d, facts->spki);
	put_extensions_of(&d, t, serial, &source);
	der_close(&d);
	return buf_check(ret, p);
}
