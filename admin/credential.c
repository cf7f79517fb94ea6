#include "admin/credential.h"

#include "admin/certificate.h"
#include "policy/enrollment_code.h"
#include "policy/password.h"
#include "policy/trust.h"
#include "policy/wrapping_key.h"
#include "store/audit.h"

enum { SERIAL_MAX = 31 }; /* bytes, more than any that RFC 5280 allows */

_Static_assert((int)CREDENTIAL_SECRET_SIZE >= (int)ENROLLMENT_CODE_SIZE, "a code fits");
_Static_assert((int)CREDENTIAL_SECRET_SIZE >= (int)WRAPPING_KEY_TEXT_SIZE, "a wrapping key fits");

/* --- the parts of a wish */

bool credential_kind_from(const char *text, enum enrollment_kind *ret)
{
	for (enum enrollment_kind kind = 0; kind < ENROLLMENT_KIND_MAX; kind++)
		if (str_equal(enrollment_kind_name(kind), text)) {
			*ret = kind;
			return true;
		}
	return false;
}

static bool is_word(const char *text, size_t max, const char *without)
{
	size_t len = strlen(text), step;

	for (size_t at = 0; at < len; at += step) {
		step = str_utf8(text + at, len - at);
		if (step == 0 || (unsigned char)text[at] <= ' ' || text[at] == 0x7f || strchr(without, text[at]))
			return false;
	}
	return len > 0 && len <= max;
}

bool credential_user_check(const char *user, struct problem *p)
{
	return is_word(user, 128, ":\"\\") || problem_set(p, PROBLEM_MALFORMED,
	                                                  "user: expected 1 to 128 bytes without spaces, colons, "
	                                                  "quotes and backslashes (RFC 7617, 2)");
}

bool credential_device_check(const char *device, struct problem *p)
{
	return trust_serial_check(device) || problem_set(p, PROBLEM_MALFORMED,
	                                                 "device: expected a serial number: 1 to 127 characters of "
	                                                 "ASCII, none of *{},\"\\");
}

bool credential_certificate_read(const char *text, struct buf *ret, struct problem *p)
{
	auto_value(buf) number = {0};

	if (!certificate_hex(text, &number) || number.len > SERIAL_MAX)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "certificate: expected a serial number in hexadecimal, as 0a:1b");
	buf_add_hex(ret, buf_bytes(&number));
	return buf_check(ret, p);
}

bool credential_id(char ret[RANDOM_ID_SIZE], struct problem *p)
{
	do
		if (!random_id(ret, p))
			return false;
	while (ret[0] == '-');
	return true;
}

static bool check_password(const struct credential_wish *wish, struct problem *p)
{
	size_t len = wish->password ? strlen(wish->password) : 0;

	if (wish->kind != ENROLLMENT_PASSWORD)
		return !wish->password || problem_set(p, PROBLEM_MALFORMED, "password: is for the kind password");
	if (len >= PASSWORD_MIN && len <= PASSWORD_MAX)
		return true;
	return problem_set(p, PROBLEM_MALFORMED, "password: expected %d to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
}

static bool has_user(enum enrollment_kind kind)
{
	return kind == ENROLLMENT_PASSWORD || kind == ENROLLMENT_SECRET;
}

/* It is known by its id, and is no proof of anything. */
static bool check_wrapping(const struct credential_wish *wish, struct problem *p)
{
	bool more = wish->device || wish->uses_max || (wish->names && wish->names->n > 0);

	return wish->kind != ENROLLMENT_WRAPPING || !more ||
	       problem_set(p, PROBLEM_MALFORMED, "kind: a wrapping-key has no device, no names and no number of uses");
}

static bool check(const struct credential_wish *wish, struct problem *p)
{
	const char *kind = enrollment_kind_name(wish->kind);

	if (!wish->profile && wish->kind != ENROLLMENT_DEVICE)
		return problem_set(p, PROBLEM_MALFORMED, "profile: a %s is for one profile", kind);
	if (has_user(wish->kind) != !!wish->user)
		return problem_set(p, PROBLEM_MALFORMED, wish->user ? "user: a %s has none" : "user: a %s has one",
		                   kind);
	if (wish->user && !credential_user_check(wish->user, p))
		return false;
	if (wish->device && !credential_device_check(wish->device, p))
		return false;
	if (wish->kind == ENROLLMENT_DEVICE && !wish->device && !wish->certificate)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "device: its serial number is wanted, or that of its certificate");
	if (wish->certificate && wish->kind != ENROLLMENT_DEVICE)
		return problem_set(p, PROBLEM_MALFORMED, "certificate: is for the kind device");
	if ((wish->digest_md5 || wish->digest_sha256) && !has_user(wish->kind))
		return problem_set(p, PROBLEM_MALFORMED, "digest: is for the kinds password and secret");
	return check_wrapping(wish, p) && check_password(wish, p);
}

/* --- made */

struct making {
	const struct credential_wish *wish;
	const struct actor *actor;
	struct enrollment record;
	uint8_t hash[SHA256_SIZE], salt[PASSWORD_SALT_SIZE];
	struct buf certificate, md5, sha256, wrapping;
	struct enrollment *ret;
};

static bool keep_digest(const struct store *store, const struct credential_wish *wish, const char *secret,
                        struct making *m, struct problem *p)
{
	if (wish->digest_md5 && !password_keep_digest(store, wish->user, secret, false, &m->md5, p))
		return false;
	if (wish->digest_sha256 && !password_keep_digest(store, wish->user, secret, true, &m->sha256, p))
		return false;
	m->record.digest_md5 = buf_bytes(&m->md5);
	m->record.digest_sha256 = buf_bytes(&m->sha256);
	return true;
}

static bool keep_password(const struct store *store, struct making *m, struct problem *p)
{
	m->record.salt = BYTES(m->salt, sizeof(m->salt));
	return password_keep(m->wish->password, m->salt, m->hash, p) &&
	       keep_digest(store, m->wish, m->wish->password, m, p);
}

static bool keep_secret(const struct store *store, struct making *m, char ret[CREDENTIAL_SECRET_SIZE],
                        struct problem *p)
{
	if (!random_id(ret, p))
		return false;
	password_keep_secret(store, m->wish->user, ret, m->hash);
	return keep_digest(store, m->wish, ret, m, p);
}

static bool keep_wrapping(const struct store *store, struct making *m, char ret[CREDENTIAL_SECRET_SIZE],
                          struct problem *p)
{
	bool made = wrapping_key_make(store, ret, &m->wrapping, p);

	m->record.hash = buf_bytes(&m->wrapping);
	return made;
}

static bool keep(const struct store *store, struct making *m, char ret[CREDENTIAL_SECRET_SIZE], struct problem *p)
{
	m->record.hash = BYTES(m->hash, sizeof(m->hash));
	switch (m->wish->kind) {
	case ENROLLMENT_CODE: return enrollment_code_make(store, m->record.id, ret, m->hash, p);
	case ENROLLMENT_PASSWORD: return keep_password(store, m, p);
	case ENROLLMENT_SECRET: return keep_secret(store, m, ret, p);
	case ENROLLMENT_WRAPPING: return keep_wrapping(store, m, ret, p);
	default: m->record.hash = BYTES("", 0); return true;
	}
}

static bool put(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct making *m = arg;
	const struct enrollment *e = &m->record;
	const struct audit_fact facts[] = {
		audit_text("enrollment", e->id),
		audit_text("of", enrollment_kind_name(e->kind)),
		audit_text("user", e->user),
		audit_text("device", e->device),
		audit_text("certificate", e->certificate),
		audit_text("note", e->note),
		audit_text("profile", e->profile),
		audit_texts("names", e->names),
		audit_time("expires", e->expires),
		audit_integer("usesMax", e->uses_max),
		{ 0 },
	};
	const struct audit_event event = { AUDIT_ENROLLMENT_CREATED, m->actor->now, m->actor->name, m->actor->from,
		                           facts };

	enrollment_free(m->ret);
	*m->ret = (struct enrollment){0};
	return store_enrollment_put(txn, e, p) && store_audit_add(txn, &event, p) &&
	       store_enrollment_get(txn, e->id, m->ret, p);
}

static bool taken(const struct credential_wish *wish, struct problem *p)
{
	if (p->kind == PROBLEM_CONFLICT)
		problem_set(p, PROBLEM_CONFLICT,
		            wish->user ? "there is a credential of the user %s" : "the device %s is on the list",
		            wish->user ?: wish->device ?: wish->certificate);
	return false;
}

static void making_done(struct making *m)
{
	buf_free(&m->certificate);
	buf_free(&m->md5);
	buf_free(&m->sha256);
	buf_free(&m->wrapping);
	mem_wipe(m->hash, sizeof(m->hash));
}
declare_auto_value(making, making_done);

bool credential_make(struct store *store, const struct credential_wish *wish, const struct actor *actor,
                     struct enrollment *ret, char ret_secret[CREDENTIAL_SECRET_SIZE], struct problem *p)
{
	auto_value(making) m = { .wish = wish, .actor = actor, .ret = ret };

	ret_secret[0] = '\0';
	m.record = (struct enrollment){
		.kind = wish->kind,
		.user = wish->user,
		.device = wish->device,
		.profile = wish->profile,
		.note = wish->note,
		.created = actor->now,
		.expires = wish->expires,
		.uses_max = wish->uses_max,
	};
	if (wish->names)
		m.record.names = record_texts_of(wish->names);
	if (!check(wish, p) ||
	    (wish->certificate && !credential_certificate_read(wish->certificate, &m.certificate, p)) ||
	    !credential_id(m.record.id, p))
		return false;
	m.record.certificate = wish->certificate ? buf_text(&m.certificate) : NULL;
	return keep(store, &m, ret_secret, p) && (store_update(store, put, &m, p) || taken(wish, p));
}

/* --- found */

static bool by_certificate(struct store_txn *txn, const char *text, struct enrollment *ret, struct problem *p)
{
	auto_value(buf) hex = {0};

	return credential_certificate_read(text, &hex, p) &&
	       store_enrollment_by_certificate(txn, buf_text(&hex), ret, p);
}

bool credential_find(struct store_txn *txn, const char *name, struct enrollment *ret, struct problem *p)
{
	static const struct {
		const char *prefix;
		bool (*find)(struct store_txn *txn, const char *text, struct enrollment *ret, struct problem *p);
	} ways[] = {
		{ "device:", store_enrollment_by_device },
		{ "certificate:", by_certificate },
		{ "user:", store_enrollment_by_user },
		{ "", store_enrollment_get },
	};
	size_t i = 0;

	while (!str_starts(name, ways[i].prefix))
		i++;
	return ways[i].find(txn, name + strlen(ways[i].prefix), ret, p) ||
	       problem_missing(p, "there is no credential %s", name);
}

/* --- ended */

struct revoking {
	const char *name;
	const struct actor *actor;
	struct enrollment *ret;
};

static bool revoke(struct store_txn *txn, void *arg, struct problem *p)
{
	struct revoking *r = arg;
	struct enrollment *e = r->ret;

	enrollment_free(e);
	*e = (struct enrollment){0};
	if (!credential_find(txn, r->name, e, p))
		return false;
	if (e->revoked)
		return problem_set(p, PROBLEM_ALREADY_REVOKED, "credential %s is revoked already", r->name);
	e->revoked = r->actor->now;
	const struct audit_fact facts[] = {
		audit_text("enrollment", e->id), audit_text("user", e->user), audit_text("device", e->device),
		audit_text("certificate", e->certificate), audit_text("note", e->note), { 0 },
	};
	const struct audit_event event = { AUDIT_ENROLLMENT_REVOKED, r->actor->now, r->actor->name, r->actor->from,
		                           facts };
	return store_enrollment_put(txn, e, p) && store_audit_add(txn, &event, p);
}

bool credential_revoke(struct store *store, const char *name, const struct actor *actor, struct enrollment *ret,
                       struct problem *p)
{
	struct revoking revoking = { name, actor, ret };

	return store_update(store, revoke, &revoking, p);
}

/* --- shown */

const char *credential_status(const struct enrollment *e, int64_t now)
{
	if (e->revoked)
		return "revoked";
	if (e->expires && e->expires <= now)
		return "expired";
	return e->uses_max && e->uses >= e->uses_max ? "used up" : "valid";
}

static void put_digest(struct json_writer *w, const struct enrollment *e)
{
	if (e->digest_md5.len == 0 && e->digest_sha256.len == 0)
		return;
	json_open_array(w, "digest");
	json_put(w, NULL, e->digest_sha256.len > 0 ? "sha-256" : NULL);
	json_put(w, NULL, e->digest_md5.len > 0 ? "md5" : NULL);
	json_close(w);
}

const char *credential_secret_name(enum enrollment_kind kind)
{
	return kind == ENROLLMENT_CODE ? "code" : kind == ENROLLMENT_WRAPPING ? "key" : "secret";
}

void credential_json(const struct enrollment *e, const char *secret, int64_t now, struct buf *ret)
{
	struct json_writer w = json_writer(ret);

	json_open(&w, NULL);
	json_put(&w, "id", e->id);
	json_put(&w, "kind", enrollment_kind_name(e->kind));
	json_put_some(&w, credential_secret_name(e->kind), secret);
	json_put(&w, "status", credential_status(e, now));
	json_put(&w, "user", e->user);
	put_digest(&w, e);
	json_put(&w, "device", e->device);
	json_put(&w, "certificate", e->certificate);
	json_put(&w, "profile", e->profile);
	json_put_texts(&w, "names", e->names.v, e->names.n);
	json_put(&w, "note", e->note);
	json_put_time(&w, "created", e->created);
	json_put_time(&w, "expires", e->expires);
	json_put_integer(&w, "uses", e->uses);
	if (e->uses_max)
		json_put_integer(&w, "usesMax", e->uses_max);
	json_put_time(&w, "used", e->used);
	json_put_time(&w, "revoked", e->revoked);
	json_close(&w);
}
