#include "admin/certificate.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/ossl.h"
#include "ca/revocation.h"

static void put_names(struct json_writer *w, const struct certificate *certificate)
{
	const struct certificate_name *names = certificate->names.v;
	json_open_array(w, "names");
	for (size_t i = 0; i < certificate->names.n; i++) {
		json_open(w, NULL);
		json_put(w, "type", names[i].type);
		json_put(w, "value", names[i].value);
		json_close(w);
	}
	json_close(w);
}

static void put_hex(struct json_writer *w, const char *name, struct bytes value)
{
	auto_value(buf) hex = {0};
	buf_add_hex(&hex, value);
	json_put_buf(w, name, &hex);
}

static void put_metadata(struct json_writer *w, const struct certificate *certificate)
{
	const struct certificate_metadata *metadata = certificate->metadata.v;
	if (certificate->metadata.n == 0)
		return;
	json_open_array(w, "metadata");
	for (size_t i = 0; i < certificate->metadata.n; i++) {
		json_open(w, NULL);
		json_put(w, "key", metadata[i].key);
		json_put(w, "value", metadata[i].value);
		json_close(w);
	}
	json_close(w);
}

const char *certificate_renewal_state(const struct certificate *certificate)
{
	if (certificate->replaced_by && *certificate->replaced_by)
		return "done";
	if (certificate->renew_at == 0 || certificate->status == CERTIFICATE_REVOKED)
		return "off";
	if (certificate->renew_failures > 0)
		return "failing";
	return certificate->renew_error ? "waiting" : "scheduled";
}

static void put_renewal(struct json_writer *w, const struct certificate *certificate)
{
	if (!certificate->key_kept)
		return;
	json_put_bool(w, "keyKept", true);
	json_open(w, "renewal");
	json_put(w, "state", certificate_renewal_state(certificate));
	if (certificate->renew_before > 0) {
		json_put_integer(w, "renewBeforeDays", certificate->renew_before / 86400);
		json_put_integer(w, "renewBeforeSeconds", certificate->renew_before);
	}
	json_put_time(w, "nextTry", certificate->renew_at);
	if (certificate->renew_failures > 0)
		json_put_integer(w, "failures", certificate->renew_failures);
	json_put(w, "lastError", certificate->renew_error);
	json_close(w);
}

static void put_revocation(struct json_writer *w, const struct certificate *certificate)
{
	json_put_time(w, "released", certificate->released);
	if (certificate->status != CERTIFICATE_REVOKED)
		return;
	json_put_time(w, "revoked", certificate->revoked);
	json_put(w, "reason", revocation_reason_name(certificate->reason));
	json_put(w, "revokedBy", certificate->revoked_by);
}

void certificate_json(const struct certificate *certificate, bool with_pem, struct buf *ret)
{
	struct json_writer w = json_writer(ret);
	json_open(&w, NULL);
	json_put(&w, "id", certificate->id);
	put_hex(&w, "serial", certificate->serial);
	put_hex(&w, "fingerprint", certificate->fingerprint);
	put_hex(&w, "keyHash", certificate->key_hash);
	json_put(&w, "status", certificate_status_name(certificate, clock_now()));
	json_put(&w, "subject", certificate->subject);
	put_names(&w, certificate);
	json_put_some(&w, "issuer", certificate->issuer);
	json_put(&w, "issuerSubject", certificate->issuer_subject);
	json_put_some(&w, "profile", certificate->profile);
	json_put_time(&w, "notBefore", certificate->not_before);
	json_put_time(&w, "notAfter", certificate->not_after);
	json_put_time(&w, "issued", certificate->issued);
	json_put(&w, "method", certificate->method);
	json_put_some(&w, "account", certificate->account);
	json_put_some(&w, "order", certificate->order);
	json_put(&w, "identity", certificate->identity);
	put_revocation(&w, certificate);
	json_put_some(&w, "label", certificate->label);
	json_put_some(&w, "replaces", certificate->replaces);
	json_put_some(&w, "replacedBy", certificate->replaced_by);
	if (certificate->no_revocation)
		json_put_bool(&w, "noRevocation", true);
	json_put_time(&w, "renewFrom", certificate->advised_from);
	json_put_time(&w, "renewUntil", certificate->advised_until);
	put_renewal(&w, certificate);
	put_metadata(&w, certificate);
	if (with_pem) {
		auto_value(buf) pem = {0};
		ossl_pem("CERTIFICATE", certificate->der, &pem);
		json_put_buf(&w, "pem", &pem);
	}
	json_close(&w);
}

/* The common name is told where it is all there is; else it is one of the others, mostly. */
void certificate_add_names(const struct certificate *certificate, struct buf *ret)
{
	const struct certificate_name *names = certificate->names.v;
	const char *between = "";
	for (size_t i = 0; i < certificate->names.n; i++) {
		if (str_equal(names[i].type, "cn") && certificate->names.n > 1)
			continue;
		buf_printf(ret, "%s%s:%s", between, names[i].type, names[i].value);
		between = " ";
	}
}

/* --- finding one */

static bool parse_hex(const char *text, struct buf *ret)
{
	auto_value(buf) digits = {0};
	for (const char *c = text; *c; c++)
		if (*c != ':' && *c != ' ')
			buf_add_char(&digits, *c);
	size_t skip = digits.len > 2 && str_starts(buf_text(&digits), "0x") ? 2 : 0;
	if ((digits.len - skip) % 2 == 0)
		return digits.len > skip && hex_decode(buf_text(&digits) + skip, digits.len - skip, ret);
	auto_value(buf) even = {0};
	buf_printf(&even, "0%s", buf_text(&digits) + skip);
	return hex_decode(buf_text(&even), even.len, ret);
}

bool certificate_hex(const char *text, struct buf *ret)
{
	auto_value(buf) bytes = {0};
	size_t zeros = 0;
	if (!parse_hex(text, &bytes))
		return false;
	while (bytes.len != SHA256_SIZE && zeros + 1 < bytes.len && bytes.data[zeros] == 0)
		zeros++;
	buf_add(ret, bytes.data + zeros, bytes.len - zeros);
	return !ret->failed;
}

bool certificate_hex_sized(const char *text, size_t size, struct buf *ret, struct problem *p)
{
	enum { SERIAL_MAX = 20 };

	if (certificate_hex(text, ret) && (size ? ret->len == size : ret->len <= SERIAL_MAX))
		return true;
	return problem_set(p, PROBLEM_MALFORMED, "expected %s%zu bytes in hexadecimal", size ? "" : "at most ",
	                   size ?: SERIAL_MAX);
}

bool certificate_find(struct store_txn *txn, const char *text, struct certificate *ret, struct problem *p)
{
	auto_value(buf) number = {0};
	bool is_hex = certificate_hex(text, &number);

	if (!buf_check(&number, p))
		return false;
	if (random_id_valid(text) &&
	    (store_certificate_get(txn, text, ret, p) || !problem_forgive(p, PROBLEM_NOT_FOUND)))
		return !problem_is_set(p);
	if (is_hex && number.len == SHA256_SIZE &&
	    (store_certificate_by_fingerprint(txn, buf_bytes(&number), ret, p) ||
	     !problem_forgive(p, PROBLEM_NOT_FOUND)))
		return !problem_is_set(p);
	return (is_hex && store_certificate_by_serial(txn, buf_bytes(&number), ret, p)) ||
	       problem_missing(p, "there is no certificate %s", text);
}

const char *certificate_scope(const struct certificate *row)
{
	bool own = row->method && str_equal(row->method, "internal");

	return own || !row->profile ? "" : row->profile;
}

const char *certificate_alias(const struct certificate *row)
{
	const struct certificate_name *names = row->names.v;

	for (size_t i = 0; i < row->names.n; i++)
		if (str_equal(names[i].type, "cn"))
			return names[i].value;
	return row->names.n > 0 ? names[0].value : row->id;
}
