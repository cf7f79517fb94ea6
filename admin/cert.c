/* The inventory: cert list, cert show, cert revoke. */
#include "admin/actor.h"
#include "admin/listing.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/ossl.h"
#include "ca/revocation.h"
#include "store/certificate.h"

/* --- one certificate in words */

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
	json_put(w, name, buf_text(&hex));
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static void put_revocation(struct json_writer *w, const struct certificate *certificate)
{
	if (certificate->status != CERTIFICATE_REVOKED)
		return;
	json_put_time(w, "revoked", certificate->revoked);
	json_put(w, "reason", revocation_reason_name(certificate->reason));
	json_put(w, "revokedBy", certificate->revoked_by);
}

static void put_certificate(const struct certificate *certificate, bool with_pem, struct buf *ret)
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
	json_put(&w, "issuer", certificate->issuer);
	json_put(&w, "profile", certificate->profile);
	json_put_time(&w, "notBefore", certificate->not_before);
	json_put_time(&w, "notAfter", certificate->not_after);
	json_put_time(&w, "issued", certificate->issued);
	json_put(&w, "method", certificate->method);
	json_put(&w, "account", or_null(certificate->account));
	json_put(&w, "order", or_null(certificate->order));
	json_put(&w, "identity", certificate->identity);
	put_revocation(&w, certificate);
	json_put(&w, "replaces", or_null(certificate->replaces));
	json_put(&w, "replacedBy", or_null(certificate->replaced_by));
	if (with_pem) {
		auto_value(buf) pem = {0};
		ossl_pem("CERTIFICATE", certificate->der, &pem);
		json_put(&w, "pem", buf_text(&pem));
	}
	json_close(&w);
}

static void add_names(const struct certificate *certificate, struct buf *ret)
{
	const struct certificate_name *names = certificate->names.v;
	const char *between = "";
	for (size_t i = 0; i < certificate->names.n; i++) {
		if (str_equal(names[i].type, "cn"))
			continue;
		buf_printf(ret, "%s%s:%s", between, names[i].type, names[i].value);
		between = " ";
	}
}

static void add_time(const char *label, int64_t t, struct buf *ret)
{
	char text[CLOCK_RFC3339_SIZE];
	if (t == 0)
		return;
	clock_format(t, text);
	buf_printf(ret, "%-13s%s\n", label, text);
}

static void add_text(const char *label, const char *text, struct buf *ret)
{
	if (text && *text)
		buf_printf(ret, "%-13s%s\n", label, text);
}

static void add_hex(const char *label, struct bytes value, struct buf *ret)
{
	buf_printf(ret, "%-13s", label);
	buf_add_hex(ret, value);
	buf_add_char(ret, '\n');
}

static void add_certificate(const struct certificate *certificate, struct buf *ret)
{
	add_text("id", certificate->id, ret);
	add_text("status", certificate_status_name(certificate, clock_now()), ret);
	add_hex("serial", certificate->serial, ret);
	add_hex("fingerprint", certificate->fingerprint, ret);
	add_text("subject", certificate->subject, ret);
	buf_printf(ret, "%-13s", "names");
	add_names(certificate, ret);
	buf_add_char(ret, '\n');
	add_text("issuer", certificate->issuer, ret);
	add_text("profile", certificate->profile, ret);
	add_time("not before", certificate->not_before, ret);
	add_time("not after", certificate->not_after, ret);
	add_time("issued", certificate->issued, ret);
	add_text("method", certificate->method, ret);
	add_text("account", certificate->account, ret);
	add_text("identity", certificate->identity, ret);
	if (certificate->status == CERTIFICATE_REVOKED) {
		add_time("revoked", certificate->revoked, ret);
		add_text("reason", revocation_reason_name(certificate->reason), ret);
		add_text("revoked by", certificate->revoked_by, ret);
	}
	ossl_pem("CERTIFICATE", certificate->der, ret);
}

/* --- cert list */

struct cert_list {
	enum certificate_index index;
	const char *value;
};

static bool list_page(struct store_txn *txn, void *arg, const char *after, size_t limit,
                      struct store_page *ret,
                      struct problem *p)
{
	const struct cert_list *list = arg;
	return store_certificate_list(txn, list->index, list->value, after, limit, ret, p);
}

static bool list_row(struct store_txn *txn, void *arg, const char *id, bool json, struct buf *ret,
                     struct problem *p)
{
	auto_value(certificate) certificate = {0};
	char expires[CLOCK_RFC3339_SIZE];
	(void)arg;
	if (!store_certificate_get(txn, id, &certificate, p))
		return false;
	if (json) {
		put_certificate(&certificate, false, ret);
		return true;
	}
	clock_format(certificate.not_after, expires);
	buf_printf(ret, "%-22s  %-7s  %s  %-16s  ", id, certificate_status_name(&certificate, clock_now()),
	           expires,
	           certificate.profile ?: "");
	add_names(&certificate, ret);
	return true;
}

static const struct command_option list_options[] = {
	{ "--name", "TYPE:NAME", "of this name, such as dns:www.example.com" },
	{ "--account", "ID", "of this ACME account" },
	{ "--profile", "NAME", "of this profile" },
	{ "--key", "HEX", "of this public key (SHA-256 of its SubjectPublicKeyInfo)" },
	{ "--revoked", "ISSUER", "revoked ones of this issuer" },
	{ "--expiring-from", "TIME", "soonest to expire first, from this time on (RFC 3339)" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

/* The options that choose an index, of which one can be given. */
static bool choose(const struct command_call *call, struct cert_list *ret, struct problem *p)
{
	static const struct { const char *option; enum certificate_index index; } rows[] = {
		{ "--name", CERTIFICATE_BY_NAME }, { "--account", CERTIFICATE_BY_ACCOUNT },
		{ "--profile", CERTIFICATE_BY_PROFILE }, { "--key", CERTIFICATE_BY_KEY },
		{ "--revoked", CERTIFICATE_REVOKED_OF }, { "--expiring-from", CERTIFICATE_BY_EXPIRY },
	};
	*ret = (struct cert_list){ .index = CERTIFICATE_ALL };
	for (size_t i = 0; i < array_length(rows); i++) {
		const char *value = command_value(call, rows[i].option);
		if (value && ret->value)
			return problem_set(p, PROBLEM_MALFORMED,
			                   "expected one choice of certificates, got %s as another",
			                   rows[i].option);
		if (value)
			*ret = (struct cert_list){ .index = rows[i].index, .value = value };
	}
	return true;
}

static bool cert_list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct cert_list list;
	struct listing listing = {
		.call = call, .arg = &list, .page = list_page, .row = list_row,
		.heading = "ID                      STATUS   EXPIRES               PROFILE           NAMES",
	};
	if (!choose(call, &list, p) || !listing_limit(command_value(call, "--limit"), &listing.limit, p) ||
	    !admin_open_store(call->admin, &store, p))
		return false;
	return listing_print(store, &listing, p);
}

const struct command admin_cert_list = {
	.name = "cert list", .args = "", .json = true, .admin = true, .options = list_options,
	        .run = cert_list_run,
	.summary = "list the certificates that were issued",
};

/* --- finding one: by id, by serial number or by SHA-256 fingerprint, as people paste them */

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

static struct bytes without_leading_zeros(const struct buf *number)
{
	size_t zeros = 0;
	while (zeros + 1 < number->len && number->data[zeros] == 0)
		zeros++;
	return BYTES(number->data + zeros, number->len - zeros);
}

static bool find(struct store_txn *txn, const char *text, struct certificate *ret, struct problem *p)
{
	auto_value(buf) number = {0};
	auto_value(problem) why = {0};
	if (random_id_valid(text) && store_certificate_get(txn, text, ret, &why))
		return true;
	if (!parse_hex(text, &number))
		return problem_set(p, PROBLEM_NOT_FOUND, "there is no certificate %s", text);
	if (number.len == SHA256_SIZE && store_certificate_by_fingerprint(txn, buf_bytes(&number), ret, &why))
		return true;
	if (store_certificate_by_serial(txn, without_leading_zeros(&number), ret, &why))
		return true;
	return problem_set(p, PROBLEM_NOT_FOUND, "there is no certificate %s", text);
}

struct cert_finding {
	const char *text;
	struct certificate *ret;
};

static bool view(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct cert_finding *finding = arg;
	return find(txn, finding->text, finding->ret, p);
}

/* --- cert show */

static bool cert_show_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(certificate) certificate = {0};
	auto_value(buf) text = {0};
	struct cert_finding finding = { call->args[0], &certificate };
	if (!admin_open_store(call->admin, &store, p) || !store_view(store, view, &finding, p))
		return false;
	if (call->json) {
		put_certificate(&certificate, true, &text);
		return listing_print_object(call, &text, p);
	}
	add_certificate(&certificate, &text);
	fputs(buf_text(&text), call->out);
	return buf_check(&text, p);
}

const struct command admin_cert_show = {
	.name = "cert show", .args = "ID|SERIAL|FINGERPRINT", .args_min = 1, .args_max = 1, .json = true,
	        .admin = true,
	.run = cert_show_run,
	.summary = "show one certificate, with its PEM",
	.details = "SERIAL and FINGERPRINT (SHA-256) are hexadecimal, with or without colons.",
};

/* --- cert revoke */

struct cert_revoking {
	const char *text;
	int64_t reason, now;
	struct certificate *ret;       /* as it is afterwards */
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct cert_revoking *revoking = arg;
	char actor[ADMIN_ACTOR_SIZE];
	admin_actor(actor);
	certificate_free(revoking->ret);
	*revoking->ret = (struct certificate){0};
	if (!find(txn, revoking->text, revoking->ret, p) ||
	    !revocation_record(txn, revoking->ret->id, revoking->reason, revoking->now, actor, NULL,
	                       REVOCATION_BY_OPERATOR, p))
		return false;
	certificate_free(revoking->ret);
	*revoking->ret = (struct certificate){0};
	return find(txn, revoking->text, revoking->ret, p);
}

static const struct command_option revoke_options[] = {
	{ "--reason", "REASON", "of RFC 5280, 5.3.1: keyCompromise, superseded, ...; its name or number" },
	{ 0 },
};

static bool cert_revoke_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(certificate) certificate = {0};
	auto_value(buf) text = {0};
	struct cert_revoking revoking = { .text = call->args[0], .now = clock_now(), .ret = &certificate };
	const char *reason = command_value(call, "--reason");
	if (reason && !revocation_reason_from(reason, &revoking.reason))
		return problem_set(p, PROBLEM_MALFORMED, "--reason: RFC 5280, 5.3.1 has no `%s`", reason);
	if (!admin_open_store(call->admin, &store, p) || !store_update(store, revoke, &revoking, p))
		return false;
	if (call->json) {
		put_certificate(&certificate, false, &text);
		return listing_print_object(call, &text, p);
	}
	fprintf(call->out, "revoked %s (%s)\n", certificate.id, revocation_reason_name(certificate.reason));
	return true;
}

const struct command admin_cert_revoke = {
	.name = "cert revoke", .args = "ID|SERIAL|FINGERPRINT", .args_min = 1, .args_max = 1, .json = true,
	        .admin = true,
	.options = revoke_options, .run = cert_revoke_run,
	.summary = "revoke one certificate",
	.details = "Takes effect at once, also in a server that runs. Without --reason: unspecified.",
};
