#include "policy/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "policy/bearer.h"
#include "policy/client_certificate.h"
#include "policy/enrollment_code.h"
#include "policy_make.h"
#include "store/account.h"
#include "store/authorization.h"
#include "store/certificate.h"
#include "store/order.h"

#define ORDER_ID "order0000000000000000A"
#define ACCOUNT_ID "account00000000000000A"
#define OTHER_ID "other0000000000000000A"
#define TOKEN_ID "token0000000000000000A"
#define UPN "a012060a2b060104018237140203a0040c026140" /* otherName, a Windows user's name */

enum { NAMES_MAX = 32 };

/* A case in which all is well; each test changes one thing of it. */
struct world {
	const char *order_id, *caller;
	struct order order;
	struct account account;
	size_t count;
	struct order_identifier identifiers[NAMES_MAX];
	char ids[NAMES_MAX][RANDOM_ID_SIZE];
	const char *authorizations[NAMES_MAX];
	struct authorization authorization[NAMES_MAX];
	bool missing[NAMES_MAX];               /* the authorization was swept away */
	struct buf account_key, other_key;
	struct account other;                  /* another account, where it has an id */
	struct certificate earlier;            /* of the CSR's key, where it has an id */
	struct profile *profile;
	const char *profile_name;              /* of the profile; another is the default */
	struct key_blocklist *blocklist;
	struct identifiers identity_names;
	struct make_csr csr;
	bool identity;                         /* gate_identity in place of gate_order */
	bool ca_refuses;                       /* the issuing CA would not sign it */
	bool unmade;                           /* gate_identity_unmade, which approves nothing */
	bool bearer;                           /* a token is the identity, and not the operator */
	struct token token;
	const char *serial;                    /* a credential for the device of this serial number is the identity */
	const char *const *serial_names;       /* two patterns that it has; NULL: none */
	bool anonymous;
	const char *held, *held_subject;       /* names of a client certificate, which is the identity; NULL: none */
	struct gate_wish wish;
};

static void world_name(struct world *w, const char *type, const char *value)
{
	size_t i = w->count++;
	bool wildcard = str_starts(value, "*.");

	w->identifiers[i] = (struct order_identifier){ type, value };
	snprintf(w->ids[i], RANDOM_ID_SIZE, "authz%016zuA", i);
	w->authorizations[i] = w->ids[i];
	w->authorization[i] = (struct authorization){
		.account = ACCOUNT_ID, .directory = "default", .status = AUTHORIZATION_VALID, .type = type,
		.value = wildcard ? value + 2 : value, .wildcard = wildcard,
		.created = clock_now() - 10, .expires = clock_now() + 1000,
	};
	memcpy(w->authorization[i].id, w->ids[i], RANDOM_ID_SIZE);
}

static void world_identity_name(struct world *w, const char *text)
{
	struct identifier name = make_identifier(text);
	struct problem p = {0};

	assert_true(identifiers_add(&w->identity_names, &name, &p));
}

static void world_make(struct world *w)
{
	struct problem p = {0};
	int64_t now = clock_now();

	*w = (struct world){ .order_id = ORDER_ID, .caller = ACCOUNT_ID, .profile_name = "test" };
	w->order = (struct order){
		.id = ORDER_ID, .account = ACCOUNT_ID, .directory = "default", .profile = "test",
		.status = ORDER_READY, .created = now - 20, .expires = now + 1000,
	};
	assert_true(ossl_public_der(make_key("P-256 account"), &w->account_key, &p));
	w->account = (struct account){
		.id = ACCOUNT_ID, .directory = "default", .status = ACCOUNT_VALID, .key = buf_bytes(&w->account_key),
		.thumbprint = BYTES("0123456789abcdef0123456789abcdef", 32), .jwk = "{}", .created = now - 100,
	};
	world_name(w, "dns", "WWW.example.com"); /* as sent: the canonical form is the gate's matter */
	world_name(w, "dns", "*.example.com");
	world_name(w, "ip", "10.0.0.1");
	w->authorization[0].value = "www.example.com";
	world_identity_name(w, "dns:www.example.com");
	world_identity_name(w, "dns:*.example.com");
	world_identity_name(w, "ip:10.0.0.1");
	w->csr = (struct make_csr){
		.subject = { { "CN", "www.Example.com" } },
		.extensions = { { "subjectAltName", "DNS:www.example.com, DNS:*.example.com, IP:10.0.0.1" } },
	};
	assert_true(profile_new("test", &w->profile, &p));
	w->profile->methods = PROFILE_ACME | PROFILE_EST | PROFILE_API | PROFILE_INTERNAL;
	w->token = (struct token){ .id = TOKEN_ID, .roles = TOKEN_ISSUE, .created = now };
}

static void world_free(struct world *w)
{
	buf_free(&w->account_key);
	buf_free(&w->other_key);
	identifiers_free(&w->identity_names);
	profile_free(w->profile);
	key_blocklist_free(w->blocklist);
}

static bool world_put(struct store_txn *txn, void *arg, struct problem *p)
{
	struct world *w = arg;

	w->order.identifiers = (struct record_list){ w->identifiers, w->count };
	if (w->order.authorizations.n == 0)
		w->order.authorizations = (struct record_texts){ w->authorizations, w->count };
	for (size_t i = 0; i < w->count; i++)
		if (!w->missing[i] && !store_authorization_put(txn, &w->authorization[i], p))
			return false;
	if (w->other.id[0] != '\0' && !store_account_put(txn, &w->other, p))
		return false;
	if (w->earlier.id[0] != '\0' && !store_certificate_put(txn, &w->earlier, p))
		return false;
	return store_account_put(txn, &w->account, p) && store_order_put(txn, &w->order, p);
}

static struct store *world_store(struct world *w)
{
	struct kv *kv = NULL;
	struct store *store = NULL;
	struct problem p = {0};
	static const uint8_t seal_key[32];

	assert_true(kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p));
	if (!store_update(store, world_put, w, &p))
		fail_msg("%s %s", p.detail, p.cause);
	return store;
}

static bool put_token(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_token_put(txn, arg, p);
}

static bool put_certificate(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_put(txn, arg, p);
}

/* A certificate with w->held as its names, and its row; it is its own issuer. */
static struct identity *world_device(struct world *w, struct store *store)
{
	struct identity *identity = NULL;
	struct certificate_name names[] = { { "dns", "www.example.com" }, { "dns", "*.example.com" }, { "ip", "10.0.0.1" },
		                            { "dns", "more.example.com" } };
	struct certificate row = {
		.id = OTHER_ID, .issuer = "issuing", .serial = BYTES("\x01", 1), .subject = w->held_subject, .profile = "test",
		.names = { names, strstr(w->held, "more") ? 4 : 3 }, .not_after = clock_now() + 1000, .method = "est",
	};
	uint8_t fingerprint[SHA256_SIZE];
	auto(X509) *x = X509_new();
	auto_value(buf) der = {0};
	struct problem p = {0};

	assert_true(X509_set_version(x, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	X509_gmtime_adj(X509_getm_notBefore(x), -10);
	X509_gmtime_adj(X509_getm_notAfter(x), 1000);
	assert_true(X509_set_pubkey(x, make_key("P-256 account")));
	const struct { int nid; const char *value; } extensions[] = { { NID_subject_alt_name, w->held }, { NID_ext_key_usage, "clientAuth" } };
	for (size_t i = 0; i < array_length(extensions); i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, extensions[i].nid, extensions[i].value);
		assert_true(e && X509_add_ext(x, e, -1));
		X509_EXTENSION_free(e);
	}
	assert_true(X509_sign(x, make_key("P-256 account"), EVP_sha256()) > 0 && ossl_der(i2d_X509, x, &der));
	row.der = buf_bytes(&der);
	digest_sha256(row.der, fingerprint);
	row.fingerprint = row.key_hash = BYTES(fingerprint, sizeof(fingerprint));
	assert_true(store_update(store, put_certificate, &row, &p));
	const struct client_certificate_shown shown = { .der = row.der };
	if (!identity_device(store, &x, 1, &shown, true, clock_now(), 0, &identity, &p))
		fail_msg("%s%s", p.detail, p.cause);
	return identity;
}

static bool put_enrollment(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_enrollment_put(txn, arg, p);
}

static struct identity *world_serial(struct world *w, struct store *store)
{
	struct enrollment e = { .id = OTHER_ID, .profile = "test", .device = w->serial, .names = { w->serial_names, w->serial_names ? 2 : 0 } };
	struct identity *identity = NULL;
	char code[ENROLLMENT_CODE_SIZE];
	uint8_t hash[SHA256_SIZE];
	struct problem p = {0};

	assert_true(enrollment_code_make(store, e.id, code, hash, &p));
	e.hash = BYTES(hash, sizeof(hash));
	assert_true(store_update(store, put_enrollment, &e, &p) && identity_enrollment(store, code, clock_now(), &identity, &p));
	return identity;
}

static struct identity *world_identity(struct world *w, struct store *store)
{
	struct identity *identity = NULL;
	char text[BEARER_SIZE];
	uint8_t hash[SHA256_SIZE];
	struct problem p = {0};

	if (w->serial)
		return world_serial(w, store);
	if (w->anonymous) {
		assert_true(identity_anonymous("test", &identity, &p));
		return identity;
	}
	if (w->held)
		return world_device(w, store);
	if (!w->bearer) {
		assert_true(identity_operator(&w->identity_names, &identity, &p));
		return identity;
	}
	assert_true(bearer_make(w->token.id, text, hash, &p));
	w->token.hash = BYTES(hash, sizeof(hash));
	assert_true(store_update(store, put_token, &w->token, &p));
	assert_true(identity_bearer(store, text, clock_now(), &identity, &p));
	return identity;
}

/* A CA that certifies nothing below example.com, and one that does nothing now. */
static bool ca_allows(const void *ca, const struct approval_facts *facts, struct problem *p)
{
	assert_string_equal(ca, "ca");
	assert_true(facts->not_before > 0 && facts->subject && facts->names->n > 0);
	return problem_set(p, PROBLEM_REJECTED_IDENTIFIER, "issuer \"%s\" excludes it", facts->issuer);
}

static bool ca_ready(const void *ca, const struct approval_facts *facts, struct problem *p)
{
	assert_string_equal(ca, "ca");
	assert_true(facts->not_after > clock_now());
	return problem_closed(p, 60, "it is disabled");
}

static const struct profile_signers refusing_ca = { "ca", ca_allows, ca_ready };

static bool world_judge(struct world *w, struct approval **ret, struct problem *p)
{
	auto_struct(store) *store = world_store(w);
	auto_struct(profiles) *profiles = NULL;
	auto_struct(identity) *identity = NULL;
	auto_value(buf) der = {0};
	struct problem why = {0};

	make_csr(&w->csr, &der);
	free(w->profile->name);
	w->profile->name = strdup(w->profile_name);
	struct profile *list[] = { NULL, w->profile };
	if (!profile_new("default", &list[0], &why) || !profiles_new(list, 2, "default", w->blocklist, &profiles, &why))
		fail_msg("%s", why.detail);
	w->profile = NULL;
	w->blocklist = NULL;
	if (w->ca_refuses)
		profiles_set_signers(profiles, &refusing_ca);
	if (!w->identity)
		return gate_order(store, profiles, w->order_id, w->caller, buf_bytes(&der), ret, p);
	identity = world_identity(w, store);
	if (w->unmade)
		return gate_identity_unmade(store, profiles, w->order.profile, identity, buf_bytes(&der), KEY_EC_P256, p);
	return gate_identity_wish(store, profiles, w->order.profile, identity, &w->wish, buf_bytes(&der), ret, p);
}

/* --- what spoils a case */

static void spoil_order_account(struct world *w) { strcpy(w->order.account, OTHER_ID); }
static void spoil_order_directory(struct world *w) { w->order.directory = "other"; }
static void spoil_account(struct world *w) { w->account.status = ACCOUNT_DEACTIVATED; }
static void spoil_account_revoked(struct world *w) { w->account.status = ACCOUNT_REVOKED; }
static void spoil_pending(struct world *w) { w->order.status = ORDER_PENDING; }
static void spoil_processing(struct world *w) { w->order.status = ORDER_PROCESSING; }
static void spoil_valid(struct world *w) { w->order.status = ORDER_VALID; }
static void spoil_invalid(struct world *w) { w->order.status = ORDER_INVALID; }
static void spoil_expired(struct world *w) { w->order.expires = clock_now(); }
static void spoil_profile_gone(struct world *w) { w->profile_name = "other"; }
static void spoil_directory(struct world *w) { w->profile->directory_alone = true; }
static const char *const scopes[] = { "other", "dns:*.other.example", "dns:www.example.com", "ip:*" };
static void spoil_scope_profile(struct world *w) { w->account.scope.profiles = (struct record_texts){ scopes, 1 }; }
static void spoil_scope_quota(struct world *w)
{
	w->account.scope = (struct scope){ .quota = 3, .quota_period = 1000, .spent = 3, .spent_since = clock_now() - 10 };
}
static void spoil_scope_total(struct world *w) { w->account.scope = (struct scope){ .quota_total = 3, .spent_total = 3 }; }
static void spoil_scope_names(struct world *w) { w->account.scope.names = (struct record_texts){ scopes + 1, 3 }; }
static void spoil_scope_granted(struct world *w)
{
	w->account.scope.authorized = (struct record_texts){ scopes + 2, 2 };
	w->authorization[0].granted = w->authorization[1].granted = w->authorization[2].granted = true;
}
/* Each by what alone keeps an authorization for a domain above from standing for the name. */
static void above(struct world *w, enum profile_subdomains mode, const char *value, bool allowed, const char *type)
{
	static struct challenge proof;

	proof = (struct challenge){ .type = type, .url_key = type, .status = CHALLENGE_VALID };
	w->profile->subdomains = mode;
	w->authorization[0].value = value;
	w->authorization[0].subdomains = allowed;
	w->authorization[0].challenges = (struct record_list){ &proof, 1 };
}
static void spoil_above_off(struct world *w) { above(w, PROFILE_SUBDOMAINS_NONE, "example.com", true, "dns-01"); }
static void spoil_above_alone(struct world *w) { above(w, PROFILE_SUBDOMAINS_ANY, "example.com", false, "dns-01"); }
static void spoil_above_http(struct world *w) { above(w, PROFILE_SUBDOMAINS_DNS, "example.com", true, "http-01"); }
static void spoil_above_suffix(struct world *w) { above(w, PROFILE_SUBDOMAINS_ANY, "ample.com", true, "dns-01"); }
static void spoil_above_wildcard(struct world *w)
{
	above(w, PROFILE_SUBDOMAINS_ANY, "com", true, "dns-01");
	w->authorizations[1] = w->ids[0];
}
/* An order whose certificate the server renews by itself, its second one due (RFC 8739). */
static void rolling(struct world *w, int64_t count)
{
	int64_t now = clock_now();

	w->profile->star = (struct profile_star){ .on = true, .lifetime_min = 100, .duration_max = 10000 };
	w->order.status = ORDER_VALID;
	w->order.star = (struct order_star){ .lifetime = 1000, .end = now + 5000, .first = now - 500, .count = count, .due = now - 100 };
}
static void spoil_rolling_csr(struct world *w) { rolling(w, 1); }
static void spoil_rolling_early(struct world *w) { rolling(w, 2); }
static void spoil_rolling_off(struct world *w)
{
	w->order.star = (struct order_star){ .lifetime = 1000, .end = clock_now() + 5000 };
	w->profile->star.on = false;
}
static void spoil_profile_closed(struct world *w) { w->profile->methods = PROFILE_EST; }
static void spoil_unbound(struct world *w) { w->profile->eab_required = true; }
static void spoil_authz_pending(struct world *w) { w->authorization[1].status = AUTHORIZATION_PENDING; }
static void spoil_authz_deactivated(struct world *w) { w->authorization[1].status = AUTHORIZATION_DEACTIVATED; }
static void spoil_authz_revoked(struct world *w) { w->authorization[1].status = AUTHORIZATION_REVOKED; }
static void spoil_authz_expired(struct world *w) { w->authorization[1].expires = clock_now(); }
static void spoil_authz_account(struct world *w) { strcpy(w->authorization[1].account, OTHER_ID); }
static void spoil_authz_directory(struct world *w) { w->authorization[1].directory = "other"; }
static void spoil_authz_method(struct world *w)
{
	static struct challenge proof[] = {
		{ .type = "dns-01", .url_key = "k1", .status = CHALLENGE_INVALID },
		{ .type = "http-01", .url_key = "k2", .status = CHALLENGE_VALID },
	};

	assert_true(strings_add(&w->profile->acme.challenges, "dns-01"));
	w->authorization[1].challenges = (struct record_list){ proof, array_length(proof) };
}
static void spoil_authz_value(struct world *w) { w->authorization[1].value = "example.org"; }
static void spoil_authz_not_wildcard(struct world *w) { w->authorization[1].wildcard = false; }
static void spoil_authz_type(struct world *w) { w->authorization[2].type = "dns"; }
static void spoil_authz_missing(struct world *w) { w->missing[1] = true; }
static void spoil_authz_shared(struct world *w) { w->authorizations[1] = w->ids[0]; }
static void spoil_authz_few(struct world *w) { w->order.authorizations = (struct record_texts){ w->authorizations, 2 }; }
static void spoil_authz_many(struct world *w)
{
	w->authorizations[w->count] = w->ids[0];
	w->order.authorizations = (struct record_texts){ w->authorizations, w->count + 1 };
}
static void spoil_not_before(struct world *w) { w->order.not_before = w->order.created - 61; }
static void spoil_not_after(struct world *w) { w->order.not_after = clock_now() + 398 * 86400; }
static void spoil_no_names(struct world *w)
{
	w->count = 0;
	w->csr = (struct make_csr){ .subject = { { NULL, NULL } } };
}
static void spoil_names_many(struct world *w) { w->profile->names_max = 2; }
static void san(struct world *w, const char *names) { w->csr.extensions[0][1] = names; }
static void spoil_san_more(struct world *w) { san(w, "DNS:www.example.com, DNS:*.example.com, IP:10.0.0.1, DNS:evil.example"); }
static void spoil_san_sub(struct world *w) { san(w, "DNS:www.example.com, DNS:*.example.com, IP:10.0.0.1, DNS:a.b.example.com"); }
static void spoil_san_in_wildcard(struct world *w) { san(w, "DNS:www.example.com, DNS:*.example.com, IP:10.0.0.1, DNS:ftp.example.com"); }
static void spoil_san_ip(struct world *w) { san(w, "DNS:www.example.com, DNS:*.example.com, IP:10.0.0.1, IP:10.0.0.2"); }
static void spoil_san_less(struct world *w) { san(w, "DNS:www.example.com, DNS:*.example.com"); }
static void spoil_san_wildcard_base(struct world *w) { san(w, "DNS:www.example.com, DNS:example.com, IP:10.0.0.1"); }
static void spoil_cn_other(struct world *w) { w->csr.subject[0][1] = "evil.example"; }
static void spoil_cn_ip(struct world *w) { w->csr.subject[0][1] = "10.0.0.2"; }
static void spoil_denied(struct world *w) { assert_true(strings_add(&w->profile->names[IDENTIFIER_DNS].deny, "www.example.com")); }
static void spoil_not_allowed(struct world *w) { strings_free(&w->profile->names[IDENTIFIER_IP].allow); }
static void spoil_wildcards(struct world *w) { w->profile->wildcards = false; }
static void raw_san(struct world *w, const char *more)
{
	static char hex[512];

	snprintf(hex, sizeof(hex), "820f7777772e6578616d706c652e636f6d820d2a2e6578616d706c652e636f6d87040a000001%s", more);
	w->csr.extensions[0][0] = NULL;
	w->csr.raw_names = hex;
}
static void spoil_san_email(struct world *w) { raw_san(w, "810e6164614061646d696e2e74657374"); }
static void spoil_san_uri(struct world *w) { raw_san(w, "861a7370696666653a2f2f6578616d706c652e636f6d2f61646d696e"); }
static void spoil_san_upn(struct world *w) { raw_san(w, UPN); }
static void spoil_san_upn_ia5(struct world *w) { raw_san(w, "a012060a2b060104018237140203a00416026140"); }
static void spoil_san_directory(struct world *w) { raw_san(w, "a4023000"); }
static void spoil_san_registered(struct world *w) { raw_san(w, "88032a0304"); }
static void spoil_san_x400(struct world *w) { raw_san(w, "a3023000"); }
static void spoil_san_edi(struct world *w) { raw_san(w, "a5023000"); }
static void spoil_two_cns(struct world *w) { w->csr.subject[1][0] = "CN", w->csr.subject[1][1] = "www.example.com"; }
static void spoil_cn_person(struct world *w) { w->csr.subject[0][1] = "Ada Lovelace"; }
static void spoil_cn_empty(struct world *w) { w->csr.subject[0][1] = ""; }
static void spoil_cn_email(struct world *w) { w->csr.subject[0][1] = "admin@example.com"; }
static void subject(struct world *w, const char *type) { w->csr.subject[1][0] = type, w->csr.subject[1][1] = "x"; }
static void spoil_organization(struct world *w) { subject(w, "O"); }
static void spoil_unit(struct world *w) { subject(w, "OU"); }
static void spoil_email_address(struct world *w) { subject(w, "emailAddress"), w->csr.subject[1][1] = "x@example.com"; }
static void spoil_uid(struct world *w) { subject(w, "UID"); }
static void spoil_unknown_attribute(struct world *w) { subject(w, "1.2.3.4"); }
static void extension(struct world *w, const char *name, const char *value) { w->csr.extensions[1][0] = name, w->csr.extensions[1][1] = value; }
static void spoil_must_staple(struct world *w) { extension(w, "1.3.6.1.5.5.7.1.24", "DER:30:03:02:01:05"); }
static void spoil_staple_client(struct world *w) { spoil_must_staple(w), w->csr.extensions[2][0] = "extendedKeyUsage", w->csr.extensions[2][1] = "clientAuth"; }
static void spoil_staple_unrevocable(struct world *w) { spoil_must_staple(w), w->profile->no_revocation_within = 400 * 86400; }
static void spoil_name_constraints(struct world *w) { extension(w, "nameConstraints", "DER:30:00"); }
static void spoil_policies(struct world *w) { extension(w, "certificatePolicies", "DER:30:00"); }
static void spoil_issuer_alt_name(struct world *w) { extension(w, "2.5.29.18", "DER:30:03:82:01:61"); }
static void spoil_crl_points(struct world *w) { extension(w, "crlDistributionPoints", "URI:http://evil.example/crl"); }
static void spoil_unknown_extension(struct world *w) { extension(w, "1.2.3.4.5", "DER:05:00"); }
static void spoil_sid(struct world *w) { extension(w, "1.3.6.1.4.1.311.25.2", "DER:30:00"); }
static void spoil_ca(struct world *w) { extension(w, "basicConstraints", "CA:TRUE"); }
static void spoil_ca_length(struct world *w) { extension(w, "basicConstraints", "DER:30:03:02:01:00"); }
static void spoil_usage(struct world *w) { extension(w, "keyUsage", "digitalSignature,dataEncipherment"); }
static void spoil_usage_ca(struct world *w) { extension(w, "keyUsage", "digitalSignature,keyCertSign"); }
static void spoil_usage_unfit(struct world *w) { extension(w, "keyUsage", "keyEncipherment"); }
static void spoil_code_signing(struct world *w) { extension(w, "extendedKeyUsage", "serverAuth,codeSigning"); }
static void spoil_email_protection(struct world *w) { extension(w, "extendedKeyUsage", "emailProtection"); }
static void spoil_any_usage(struct world *w) { extension(w, "extendedKeyUsage", "anyExtendedKeyUsage"); }
static void spoil_ocsp_signing(struct world *w) { extension(w, "extendedKeyUsage", "OCSPSigning"); }
static void spoil_key_kind(struct world *w) { w->profile->keys &= ~(1u << KEY_EC_P256); }
static void spoil_weak_key(struct world *w) { w->csr.key = "rsa-2048 e=3"; }
static void spoil_account_key(struct world *w) { w->csr.key = "P-256 account"; }
/* The CSR's key is that of another account. */
static void other_account(struct world *w, const char *directory)
{
	static uint8_t thumbprint[SHA256_SIZE];
	struct problem p = {0};

	assert_true(ossl_public_der(make_key("P-256"), &w->other_key, &p));
	assert_true(key_thumbprint(buf_bytes(&w->other_key), KEY_EC_P256, thumbprint, &p));
	w->other = w->account;
	strcpy(w->other.id, OTHER_ID);
	w->other.directory = directory;
	w->other.key = buf_bytes(&w->other_key);
	w->other.thumbprint = BYTES(thumbprint, sizeof(thumbprint));
}
static void spoil_other_account(struct world *w) { other_account(w, "default"); }
static void spoil_other_directory(struct world *w) { other_account(w, "test"); }
static void spoil_listed(struct world *w)
{
	char path[] = "/tmp/test_policy_gate.XXXXXX";
	int fd = mkstemp(path);
	auto_value(buf) spki = {0}, hex = {0};
	auto_value(strings) paths = {0};
	uint8_t hash[SHA256_SIZE];
	struct problem p = {0};

	assert_true(fd >= 0 && ossl_public_der(make_key("P-256"), &spki, &p) && strings_add(&paths, path));
	digest_sha256(buf_bytes(&spki), hash);
	buf_add_hex(&hex, BYTES(hash, sizeof(hash)));
	assert_true(write(fd, hex.data, hex.len) == (ssize_t)hex.len && close(fd) == 0);
	assert_true(key_blocklist_load(&paths, &w->blocklist, &p));
	unlink(path);
}
static void spoil_role(struct world *w)
{
	w->bearer = true;
	w->token.roles = TOKEN_READ | TOKEN_REVOKE | TOKEN_KEY | TOKEN_APPROVE;
}
static void token_profiles(struct world *w, const char *const *names, size_t n)
{
	w->bearer = true;
	w->token.profiles = (struct record_texts){ names, n };
}
static void spoil_token_profile(struct world *w)
{
	static const char *const others[] = { "other", "test2", "tes" };
	token_profiles(w, others, array_length(others));
}
static void token_names(struct world *w, const char *const *names, size_t n)
{
	w->bearer = true;
	w->token.names = (struct record_texts){ names, n };
}
static void spoil_token_names(struct world *w)
{
	static const char *const names[] = { "dns:www.example.com", "ip:10.0.0.0/8", "email:*", "ip:*" };
	token_names(w, names, array_length(names));
}
static void spoil_token_type(struct world *w)
{
	static const char *const names[] = { "dns:*", "uri:*", "ip:10.0.0.2" };
	token_names(w, names, array_length(names));
}
static void spoil_validity(struct world *w) { w->wish.validity = 397 * 86400 + 1; }
static void spoil_validity_past(struct world *w) { w->wish.validity = 30; }
static void spoil_validity_and_end(struct world *w) { w->wish.validity = 3600, w->wish.not_after = clock_now() + 3600; }
static void spoil_validity_and_begin(struct world *w) { w->wish.validity = 3600, w->wish.not_before = clock_now(); }
static void spoil_validity_past_the_ca(struct world *w) { w->wish.validity = 7200, w->wish.latest = clock_now() + 3600; }
static void spoil_wish_end(struct world *w) { w->wish.not_after = clock_now() + 398 * 86400; }
/* A certificate of the CSR's key is in the inventory, of an account or of the operator. */
static void earlier(struct world *w, const char *account)
{
	static uint8_t hash[SHA256_SIZE];
	auto_value(buf) spki = {0};
	struct problem p = {0};

	assert_true(ossl_public_der(make_key("P-256"), &spki, &p));
	digest_sha256(buf_bytes(&spki), hash);
	w->earlier = (struct certificate){
		.id = OTHER_ID, .der = BYTES("x", 1), .issuer = "issuing", .serial = BYTES("\x01", 1), .subject = "", .profile = "test",
		.fingerprint = BYTES(hash, sizeof(hash)), .key_hash = BYTES(hash, sizeof(hash)), .not_after = clock_now() + 1000,
		.method = account ? "acme" : "internal", .identity = account ? NULL : "operator",
	};
	strcpy(w->earlier.account, account ?: "");
}
static struct policy *policy(struct world *w)
{
	struct problem p = {0};

	assert_true(w->profile->policy || profile_settle(w->profile, &p));
	return w->profile->policy;
}
static const char *const all[] = { "dns:*", "ip:*" };
/* The policy would let both be, but no pattern of the token is said of them. */
static void spoil_token_person(struct world *w)
{
	struct policy_values *cn = &policy(w)->fields[POLICY_SUBJECT + SUBJECT_CN];

	strings_free(&cn->allow);
	cn->allow = (struct strings){0};
	strings_free(&cn->required);
	cn->required = (struct strings){0};
	assert_true(strings_add(&cn->allow, "*"));
	spoil_cn_person(w);
	token_names(w, all, array_length(all));
}
static void spoil_token_upn(struct world *w)
{
	assert_true(strings_add(&policy(w)->fields[POLICY_OTHER + CSR_OTHER_UPN].allow, "*"));
	spoil_san_upn(w);
	token_names(w, all, array_length(all));
}
static void spoil_issuer(struct world *w) { w->ca_refuses = true; }
static void spoil_unapproved(struct world *w) { w->profile->approvals = 1; }
static void spoil_signature(struct world *w) { policy(w)->signatures = 1u << CSR_ECDSA_SHA384; }
static void spoil_compromised(struct world *w)
{
	earlier(w, OTHER_ID);
	w->earlier.status = CERTIFICATE_REVOKED;
	w->earlier.revoked = clock_now();
	w->earlier.reason = 1;
}
static void spoil_key_of_other(struct world *w) { earlier(w, OTHER_ID), policy(w)->own_key = true; }
static void spoil_key_of_method(struct world *w) { earlier(w, w->identity ? OTHER_ID : NULL), policy(w)->own_key = true; }
static void spoil_key_again(struct world *w) { earlier(w, w->identity ? NULL : ACCOUNT_ID), policy(w)->new_key = true; }
/* Of another requester, for one of the names that are asked for; and, for no such name, it is no renewal. */
static void spoil_key_renewed(struct world *w)
{
	static const struct certificate_name names[] = { { "dns", "www.example.com" } };

	earlier(w, OTHER_ID);
	w->earlier.names = (struct record_list){ (void *)(uintptr_t)names, array_length(names) };
	policy(w)->new_key = true;
}
static void key_of_another_name(struct world *w)
{
	static const struct certificate_name names[] = { { "dns", "other.example.com" }, { "cn", "other.example.com" } };

	spoil_key_renewed(w);
	w->earlier.names = (struct record_list){ (void *)(uintptr_t)names, array_length(names) };
}
static void device(struct world *w, const char *held, const char *subject) { w->held = held, w->held_subject = subject; }
#define HELD "DNS:www.example.com, DNS:*.example.com, IP:10.0.0.1"
static void spoil_held_subject(struct world *w) { device(w, HELD, "CN=other.example.com"); }
static void spoil_held_plain(struct world *w) { device(w, HELD, ""); }
static void spoil_held_policies(struct world *w)
{
	device(w, HELD, "CN=www.example.com");
	spoil_policies(w);
}
static void spoil_held_other(struct world *w)
{
	device(w, HELD, "CN=www.example.com");
	w->csr.extensions[0][1] = HELD ", otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@b";
	policy(w)->unlisted = true;
}
static void cn_any(struct world *w)
{
	struct policy_values *cn = &policy(w)->fields[POLICY_SUBJECT + SUBJECT_CN];

	strings_free(&cn->allow);
	cn->allow = (struct strings){0};
	assert_true(strings_add(&cn->allow, "*"));
}
static void serial(struct world *w, const char *number) { w->serial = number, w->serial_names = all; }
static void spoil_serial_number(struct world *w)
{
	serial(w, "SN-1");
	assert_true(strings_add(&policy(w)->fields[POLICY_SUBJECT + SUBJECT_SERIAL_NUMBER].allow, "*"));
	w->csr.subject[1][0] = "serialNumber";
	w->csr.subject[1][1] = "SN-2";
}
static void spoil_serial_cn(struct world *w)
{
	serial(w, "SN-1");
	cn_any(w);
	w->csr.subject[0][1] = "SN 2";
}
static void spoil_serial_other(struct world *w)
{
	serial(w, "SN-1");
	spoil_san_upn(w);
	assert_true(strings_add(&policy(w)->fields[POLICY_OTHER + CSR_OTHER_UPN].allow, "*"));
}
/* Not the first label whole, and no pattern of the policy ties it. */
static void spoil_serial_names(struct world *w) { w->serial = "ww"; }
static void spoil_serial_policy(struct world *w)
{
	struct policy_values *dns = &policy(w)->fields[POLICY_SAN + IDENTIFIER_DNS];

	w->serial = "SN-1";
	assert_true(strings_add(&dns->allow, "{identity}.example.com"));
}
static void spoil_anonymous(struct world *w) { w->anonymous = true; }
static void spoil_renewal_less(struct world *w) { device(w, HELD ", DNS:more.example.com", "CN=www.example.com"); }
static void spoil_renewal_other(struct world *w) { device(w, HELD ", otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@b", "cn=WWW.example.com"); }
/* ChangeSubjectName (RFC 6402, 2.8): no subject, and one DNS name of 12 bytes. */
#define CHANGE(name) "301e06082b060105050707243112" "3010300e820c" name
static void spoil_change(struct world *w) { w->csr.raw_attributes = CHANGE("6576696c2e6578616d706c65"); }
static void change(struct world *w, const char *attribute)
{
	device(w, HELD, "CN=www.example.com");
	assert_true(strings_add(&w->profile->est.change_names, "dns:good.example"));
	w->csr.raw_attributes = attribute;
}
static void spoil_change_name(struct world *w) { change(w, CHANGE("6576696c2e6578616d706c65")); }
/* The name may be taken, but not a common name that is none of the names. */
static void spoil_change_subject(struct world *w)
{
	change(w, "303006082b060105050707243124" "30223010310e300c0603550403" "0c05416461204c" "300e820c" "676f6f642e6578616d706c65");
	assert_true(strings_add(&policy(w)->fields[POLICY_SUBJECT + SUBJECT_CN].allow, "Ada*"));
}
static void spoil_identity(struct world *w)
{
	identifiers_free(&w->identity_names);
	world_identity_name(w, "dns:www.example.com");
	world_identity_name(w, "ip:10.0.0.1");
}

/* An order for a device, with or without the names of hosts besides. Its key is the CSR's. */
#define SERIAL "a01506082b06010505070803a00930070c016106022a03"   /* permanentIdentifier "a", assigner 1.2.3 */
#define MODULE "a01606082b06010505070804a00a300806022a0304020aff" /* hardwareModuleName of bytes that are no text */
static void attested(struct world *w, const char *type, const char *value)
{
	static struct challenge proof = { .type = "device-attest-01", .url_key = "k1", .status = CHALLENGE_VALID };
	static uint8_t hash[SHA256_SIZE];
	auto_value(buf) spki = {0};
	struct problem p = {0};
	struct authorization *a = &w->authorization[w->count];

	world_name(w, type, value);
	assert_true(ossl_public_der(make_key("P-256"), &spki, &p));
	digest_sha256(buf_bytes(&spki), hash);
	a->attested_key = BYTES(hash, sizeof(hash));
	a->attestation = "tpm";
	a->challenges = (struct record_list){ &proof, 1 };
	assert_true(strings_add(&policy(w)->fields[POLICY_SAN + IDENTIFIER_PERMANENT].allow, "a*"));
	assert_true(strings_add(&policy(w)->fields[POLICY_SAN + IDENTIFIER_HARDWARE].allow, "1.2.3/*"));
}
static void spoil_attested_key(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.3");
	w->authorization[3].attested_key = BYTES("0123456789abcdef0123456789abcdef", 32);
}
static void spoil_attested_no_key(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.3");
	w->authorization[3].attested_key = (struct bytes){0};
}
/* The key of one device is not that of another. */
static void spoil_attested_second(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.3");
	attested(w, "hardware-module", "a/1.2.3");
	w->authorization[4].attested_key = BYTES("0123456789abcdef0123456789abcdef", 32);
}
static void spoil_attested_format(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.3");
	assert_true(strings_add(&w->profile->acme.attestation_formats, "apple"));
}
static void spoil_device_denied(struct world *w) { attested(w, "permanent-identifier", "b"); }
static void spoil_device_module(struct world *w) { attested(w, "hardware-module", "a/1.2.4"); }
static void spoil_san_serial(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.4");
	raw_san(w, SERIAL);
}
/* The assigner is a part of the name: neither with it nor without is it the same. */
static void spoil_san_assigner(struct world *w)
{
	attested(w, "permanent-identifier", "a");
	raw_san(w, SERIAL);
}
/* "a/1.2.3" in the value alone is no "a" of assigner 1.2.3. */
static void spoil_san_slash(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.3");
	raw_san(w, "a01706082b06010505070803a00b30090c07612f312e322e33");
}
static void spoil_san_module(struct world *w)
{
	attested(w, "hardware-module", "a/1.2.3");
	raw_san(w, MODULE);
}
static void spoil_san_private(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.3");
	w->profile->acme.device_names = PROFILE_DEVICE_NAMES_NEVER;
	raw_san(w, SERIAL);
}
static void spoil_device_cn(struct world *w)
{
	attested(w, "permanent-identifier", "a b/1.2.3");
	w->csr.subject[0][1] = "a c";
}
static void spoil_device_cn_private(struct world *w)
{
	attested(w, "permanent-identifier", "a b/1.2.3");
	w->profile->acme.device_names = PROFILE_DEVICE_NAMES_NEVER;
	w->csr.subject[0][1] = "a b";
}
static void spoil_device_serial(struct world *w)
{
	attested(w, "permanent-identifier", "a/1.2.3");
	assert_true(strings_add(&policy(w)->fields[POLICY_SUBJECT + SUBJECT_SERIAL_NUMBER].allow, "*"));
	w->csr.subject[1][0] = "serialNumber";
	w->csr.subject[1][1] = "A";
}

/* Each rule by what alone breaks it. The name of a row says which failure of which server it is (field notes). */
static const struct row {
	const char *rule;
	void (*spoil)(struct world *w);
	enum problem_kind want_kind;
	const char *want;        /* in the detail */
	const char *want_name;   /* the identifier of the part; NULL: there is no part */
	bool order_only;         /* an identity has no such thing */
	bool identity_only;
} rows[] = {
	{ "order-owner", spoil_order_account, PROBLEM_UNAUTHORIZED, "another account", NULL, true, false },
	{ "order-owner", spoil_order_directory, PROBLEM_UNAUTHORIZED, "another account", NULL, true, false },
	{ "account-valid", spoil_account, PROBLEM_UNAUTHORIZED, "deactivated", NULL, true, false },
	{ "account-valid", spoil_account_revoked, PROBLEM_UNAUTHORIZED, "revoked", NULL, true, false },
	{ "order-ready", spoil_pending, PROBLEM_ORDER_NOT_READY, "pending", NULL, true, false },
	{ "order-ready", spoil_processing, PROBLEM_ORDER_NOT_READY, "processing", NULL, true, false },
	{ "order-ready", spoil_valid, PROBLEM_ORDER_NOT_READY, "valid", NULL, true, false },
	{ "order-ready", spoil_invalid, PROBLEM_ORDER_NOT_READY, "invalid", NULL, true, false },
	{ "order-unexpired", spoil_expired, PROBLEM_ORDER_NOT_READY, "expired", NULL, true, false },
	{ "profile-known", spoil_profile_gone, PROBLEM_INVALID_PROFILE, "\"test\"", NULL, false, false },
	{ "directory-offers", spoil_directory, PROBLEM_INVALID_PROFILE, "does not offer", NULL, true, false },
	{ "scope-profile", spoil_scope_profile, PROBLEM_INVALID_PROFILE, "may order by", NULL, true, false },
	{ "scope-quota", spoil_scope_quota, PROBLEM_RATE_LIMITED, "3 certificates in 1000 seconds", NULL, true, false },
	{ "scope-quota", spoil_scope_total, PROBLEM_UNAUTHORIZED, "3 certificates in all", NULL, true, false },
	{ "scope-names", spoil_scope_names, PROBLEM_REJECTED_IDENTIFIER, "may order", "*.example.com", true, false },
	{ "scope-granted", spoil_scope_granted, PROBLEM_UNAUTHORIZED, "without a challenge", "*.example.com", true, false },
	{ "authorizations-cover", spoil_above_off, PROBLEM_UNAUTHORIZED, "no authorization", "www.example.com", true, false },
	{ "authorizations-cover", spoil_above_alone, PROBLEM_UNAUTHORIZED, "no authorization", "www.example.com", true, false },
	{ "authorizations-cover", spoil_above_http, PROBLEM_UNAUTHORIZED, "no authorization", "www.example.com", true, false },
	{ "authorizations-cover", spoil_above_suffix, PROBLEM_UNAUTHORIZED, "no authorization", "www.example.com", true, false },
	{ "authorizations-cover", spoil_above_wildcard, PROBLEM_UNAUTHORIZED, "no authorization", "*.example.com", true, false },
	{ "rolling-same", spoil_rolling_csr, PROBLEM_BAD_CSR, "the CSR of the first", NULL, true, false },
	{ "order-ready", spoil_rolling_early, PROBLEM_ORDER_NOT_READY, "valid", NULL, true, false },
	{ "period", spoil_rolling_off, PROBLEM_MALFORMED, "renew themselves", NULL, true, false },
	{ "profile-open", spoil_profile_closed, PROBLEM_INVALID_PROFILE, "not open", NULL, false, false },
	{ "identity-may", spoil_role, PROBLEM_UNAUTHORIZED, "role issue", NULL, false, true },
	{ "identity-may", spoil_token_profile, PROBLEM_UNAUTHORIZED, "not for profile test", NULL, false, true },
	{ "account-bound", spoil_unbound, PROBLEM_EXTERNAL_ACCOUNT_REQUIRED, "7.3.4", NULL, true, false },
	{ "authorizations-valid", spoil_authz_pending, PROBLEM_UNAUTHORIZED, "not valid", "*.example.com", true, false },
	{ "authorizations-valid", spoil_authz_deactivated, PROBLEM_UNAUTHORIZED, "not valid", "*.example.com", true, false },
	{ "authorizations-valid", spoil_authz_revoked, PROBLEM_UNAUTHORIZED, "not valid", "*.example.com", true, false },
	{ "authorizations-unexpired", spoil_authz_expired, PROBLEM_UNAUTHORIZED, "expired", "*.example.com", true, false },
	{ "authorizations-owner", spoil_authz_account, PROBLEM_UNAUTHORIZED, "another account", "*.example.com", true, false },
	{ "authorizations-owner", spoil_authz_directory, PROBLEM_UNAUTHORIZED, "another account", "*.example.com", true, false },
	{ "authorizations-method", spoil_authz_method, PROBLEM_UNAUTHORIZED, "does not take", "*.example.com", true, false },
	{ "authorizations-cover", spoil_authz_value, PROBLEM_UNAUTHORIZED, "no authorization", "*.example.com", true, false },
	{ "authorizations-cover", spoil_authz_not_wildcard, PROBLEM_UNAUTHORIZED, "no authorization", "*.example.com", true, false },
	{ "authorizations-cover", spoil_authz_type, PROBLEM_UNAUTHORIZED, "no authorization", "10.0.0.1", true, false },
	{ "authorizations-cover", spoil_authz_shared, PROBLEM_UNAUTHORIZED, "no authorization", "*.example.com", true, false },
	{ "authorizations-cover", spoil_authz_missing, PROBLEM_UNAUTHORIZED, "no authorization", "*.example.com", true, false },
	{ "authorizations-cover", spoil_authz_few, PROBLEM_UNAUTHORIZED, "not one authorization", NULL, true, false },
	{ "authorizations-cover", spoil_authz_many, PROBLEM_UNAUTHORIZED, "not one authorization", NULL, true, false },
	{ "key-attested", spoil_attested_key, PROBLEM_BAD_CSR, "not the one that was attested", "a/1.2.3", true, false },
	{ "key-attested", spoil_attested_no_key, PROBLEM_BAD_CSR, "not the one that was attested", "a/1.2.3", true, false },
	{ "key-attested", spoil_attested_second, PROBLEM_BAD_CSR, "not the one that was attested", "a/1.2.3", true, false },
	{ "attestation-format", spoil_attested_format, PROBLEM_UNAUTHORIZED, "format tpm", "a/1.2.3", true, false },
	{ "devices-allowed", spoil_device_denied, PROBLEM_REJECTED_IDENTIFIER, "permanentIdentifier SAN value does not match", "b", true, false },
	{ "devices-allowed", spoil_device_module, PROBLEM_REJECTED_IDENTIFIER, "hardwareModuleName SAN value does not match", "a/1.2.4", true, false },
	{ "names-typed", spoil_san_serial, PROBLEM_BAD_CSR, "\"a/1.2.3\" is in the CSR and not in the order", NULL, true, false },
	{ "names-typed", spoil_san_assigner, PROBLEM_BAD_CSR, "\"a/1.2.3\" is in the CSR and not in the order", NULL, true, false },
	{ "names-typed", spoil_san_slash, PROBLEM_BAD_CSR, "a name of type otherName 1.3.6.1.5.5.7.8.3", NULL, true, false },
	{ "names-typed", spoil_san_slash, PROBLEM_BAD_CSR, "a permanentIdentifier without a value, or with a / in it", NULL, false, true },
	{ "names-typed", spoil_san_upn_ia5, PROBLEM_BAD_CSR, "SAN is not allowed by template policy: \"a UPN that is no UTF8String\"", NULL, false, true },
	{ "names-typed", spoil_san_module, PROBLEM_BAD_CSR, "\"1.2.3/0aff\" is in the CSR and not in the order", NULL, true, false },
	{ "names-typed", spoil_san_private, PROBLEM_BAD_CSR, "do not name the device", NULL, true, false },
	{ "common-name-named", spoil_device_cn, PROBLEM_BAD_CSR, "a c", NULL, true, false },
	{ "common-name-named", spoil_device_cn_private, PROBLEM_BAD_CSR, "a b", NULL, true, false },
	{ "subject-plain", spoil_device_serial, PROBLEM_BAD_CSR, "serialNumber", NULL, true, false },
	{ "period", spoil_not_before, PROBLEM_MALFORMED, "notBefore", NULL, true, false },
	{ "period", spoil_not_after, PROBLEM_MALFORMED, "notAfter", NULL, true, false },
	{ "period", spoil_validity, PROBLEM_MALFORMED, "397d at most", NULL, false, true },
	{ "period", spoil_validity_past, PROBLEM_MALFORMED, "past", NULL, false, true },
	{ "period", spoil_validity_and_end, PROBLEM_MALFORMED, "one or the other", NULL, false, true },
	{ "period", spoil_validity_and_begin, PROBLEM_MALFORMED, "one or the other", NULL, false, true },
	{ "period", spoil_validity_past_the_ca, PROBLEM_MALFORMED, "certificate of the issuing CA ends", NULL, false, true },
	{ "period", spoil_wish_end, PROBLEM_MALFORMED, "notAfter", NULL, false, true },
	{ "names-present", spoil_no_names, PROBLEM_BAD_CSR, "no name", NULL, false, false },
	{ "names-count", spoil_names_many, PROBLEM_BAD_CSR, "3 names", NULL, false, false },
	/* CVE-2026-105818: names that no challenge had validated */
	{ "names-equal", spoil_san_more, PROBLEM_BAD_CSR, "evil.example is in the CSR", "evil.example", true, false },
	{ "names-equal", spoil_san_sub, PROBLEM_BAD_CSR, "in the CSR", "a.b.example.com", true, false },
	{ "names-equal", spoil_san_in_wildcard, PROBLEM_BAD_CSR, "in the CSR", "ftp.example.com", true, false },
	{ "names-equal", spoil_san_ip, PROBLEM_BAD_CSR, "in the CSR", "10.0.0.2", true, false },
	{ "names-equal", spoil_san_less, PROBLEM_BAD_CSR, "in the order and not in the CSR", "10.0.0.1", true, false },
	{ "names-equal", spoil_cn_other, PROBLEM_BAD_CSR, "in the CSR", "evil.example", true, false },
	{ "names-equal", spoil_cn_ip, PROBLEM_BAD_CSR, "in the CSR", "10.0.0.2", true, false },
	{ "device-bound", spoil_serial_number, PROBLEM_UNAUTHORIZED, "serialNumber \"SN-2\" is not that of device SN-1", NULL, false, true },
	{ "device-bound", spoil_serial_cn, PROBLEM_UNAUTHORIZED, "common name \"SN 2\"", NULL, false, true },
	{ "device-bound", spoil_serial_other, PROBLEM_UNAUTHORIZED, "otherName 1.3.6.1.4.1.311.20.2.3", NULL, false, true },
	{ "names-proven", spoil_serial_names, PROBLEM_UNAUTHORIZED, NULL, NULL, false, true },
	{ "names-proven", spoil_serial_policy, PROBLEM_UNAUTHORIZED, NULL, NULL, false, true },
	{ "identity-known", spoil_anonymous, PROBLEM_UNAUTHORIZED, "must prove who he is", NULL, false, true },
	{ "subject-held", spoil_held_subject, PROBLEM_UNAUTHORIZED, "CN=other.example.com", NULL, false, true },
	{ "subject-held", spoil_held_plain, PROBLEM_UNAUTHORIZED, "has the subject \"\"", NULL, false, true },
	{ "subject-held", spoil_held_other, PROBLEM_UNAUTHORIZED, "not in the client certificate", NULL, false, true },
	{ "change-allowed", spoil_change, PROBLEM_UNAUTHORIZED, "leave ChangeSubjectName out", NULL, false, false },
	{ "change-allowed", spoil_change_name, PROBLEM_UNAUTHORIZED, "evil.example", "evil.example", false, true },
	{ "change-allowed", spoil_change_subject, PROBLEM_UNAUTHORIZED, "Ada L", NULL, false, true },
	{ "renewal-whole", spoil_renewal_less, PROBLEM_UNAUTHORIZED, "more.example.com", "more.example.com", false, true },
	{ "renewal-whole", spoil_renewal_other, PROBLEM_UNAUTHORIZED, "a name of the certificate to renew", NULL, false, true },
	{ "names-proven", spoil_san_more, PROBLEM_UNAUTHORIZED, "evil.example", "evil.example", false, true },
	{ "names-proven", spoil_cn_other, PROBLEM_UNAUTHORIZED, "evil.example", "evil.example", false, true },
	{ "names-proven", spoil_san_wildcard_base, PROBLEM_UNAUTHORIZED, "proven", "example.com", false, true },
	{ "names-proven", spoil_identity, PROBLEM_UNAUTHORIZED, "proven", "*.example.com", false, true },
	{ "names-proven", spoil_token_names, PROBLEM_UNAUTHORIZED, "proven", "*.example.com", false, true },
	{ "names-proven", spoil_token_type, PROBLEM_UNAUTHORIZED, "proven", "10.0.0.1", false, true },
	{ "names-proven", spoil_token_person, PROBLEM_UNAUTHORIZED, "Ada Lovelace", NULL, false, true },
	{ "names-proven", spoil_token_upn, PROBLEM_UNAUTHORIZED, "otherName 1.3.6.1.4.1.311.20.2.3", NULL, false, true },
	{ "names-allowed", spoil_not_allowed, PROBLEM_REJECTED_IDENTIFIER, "10.0.0.1", "10.0.0.1", false, false },
	{ "names-allowed", spoil_wildcards, PROBLEM_REJECTED_IDENTIFIER, "wildcard", "*.example.com", false, false },
	{ "names-typed", spoil_san_upn, PROBLEM_BAD_CSR, "otherName 1.3.6.1.4.1.311.20.2.3", NULL, true, false },
	{ "names-typed", spoil_san_upn, PROBLEM_BAD_CSR, "UPN SAN is not allowed by template policy: \"a@\"", NULL, false, true },
	{ "names-typed", spoil_san_directory, PROBLEM_BAD_CSR, "directoryName", NULL, false, false },
	{ "names-typed", spoil_san_registered, PROBLEM_BAD_CSR, "registeredID", NULL, false, false },
	{ "names-typed", spoil_san_x400, PROBLEM_BAD_CSR, "x400Address", NULL, false, false },
	{ "names-typed", spoil_san_edi, PROBLEM_BAD_CSR, "ediPartyName", NULL, false, false },
	{ "common-name-single", spoil_two_cns, PROBLEM_BAD_CSR, "2 common names", NULL, false, false },
	{ "common-name-named", spoil_cn_person, PROBLEM_BAD_CSR, "Ada Lovelace", NULL, false, false },
	{ "common-name-named", spoil_cn_empty, PROBLEM_BAD_CSR, "\"\"", NULL, false, false },
	{ "common-name-named", spoil_cn_email, PROBLEM_BAD_CSR, "admin@example.com", NULL, false, false },
	{ "subject-plain", spoil_organization, PROBLEM_BAD_CSR, " O,", NULL, true, false },
	{ "subject-plain", spoil_organization, PROBLEM_BAD_CSR, "organization attribute is not allowed by template policy: \"x\"", NULL, false, true },
	{ "subject-plain", spoil_unit, PROBLEM_BAD_CSR, " OU,", NULL, true, false },
	{ "subject-plain", spoil_unit, PROBLEM_BAD_CSR, "organizational_unit attribute is not allowed by template policy: \"x\"", NULL, false, true },
	{ "subject-plain", spoil_email_address, PROBLEM_BAD_CSR, "emailAddress", NULL, true, false },
	{ "subject-plain", spoil_email_address, PROBLEM_BAD_CSR, "email attribute is not allowed by template policy: \"x@example.com\"", NULL, false, true },
	{ "subject-plain", spoil_uid, PROBLEM_BAD_CSR, "the CSR's subject has UID", NULL, true, false },
	{ "subject-plain", spoil_uid, PROBLEM_BAD_CSR, "UID attribute is not allowed by template policy", NULL, false, true },
	{ "subject-plain", spoil_unknown_attribute, PROBLEM_BAD_CSR, "1.2.3.4", NULL, false, false },
	{ "must-staple", spoil_staple_client, PROBLEM_BAD_CSR, "certificates of TLS servers", NULL, false, false },
	{ "must-staple", spoil_staple_unrevocable, PROBLEM_BAD_CSR, "no revocation information", NULL, false, false },
	{ "extensions-known", spoil_name_constraints, PROBLEM_BAD_CSR, "2.5.29.30", NULL, false, false },
	{ "extensions-known", spoil_policies, PROBLEM_BAD_CSR, "2.5.29.32", NULL, false, false },
	{ "extensions-known", spoil_issuer_alt_name, PROBLEM_BAD_CSR, "2.5.29.18", NULL, false, false },
	{ "extensions-known", spoil_crl_points, PROBLEM_BAD_CSR, "2.5.29.31", NULL, false, false },
	{ "extensions-known", spoil_held_policies, PROBLEM_BAD_CSR, "2.5.29.32", NULL, false, true },
	{ "extensions-known", spoil_unknown_extension, PROBLEM_BAD_CSR, "1.2.3.4.5", NULL, false, false },
	{ "extensions-known", spoil_sid, PROBLEM_BAD_CSR, "1.3.6.1.4.1.311.25.2", NULL, false, false },
	{ "no-ca", spoil_ca, PROBLEM_BAD_CSR, "to be a CA", NULL, true, false },
	{ "no-ca", spoil_ca_length, PROBLEM_BAD_CSR, "to be a CA", NULL, true, false },
	{ "no-ca", spoil_ca, PROBLEM_BAD_CSR, "CA certificate is not allowed by template policy", NULL, false, true },
	{ "no-ca", spoil_ca_length, PROBLEM_BAD_CSR, "CA certificate is not allowed by template policy", NULL, false, true },
	{ "key-usage", spoil_usage, PROBLEM_BAD_CSR, "dataEncipherment", NULL, false, false },
	{ "key-usage", spoil_usage_ca, PROBLEM_BAD_CSR, "keyCertSign", NULL, false, false },
	{ "key-usage", spoil_usage_unfit, PROBLEM_BAD_CSR, "no key usage", NULL, false, false },
	{ "extended-key-usage", spoil_code_signing, PROBLEM_BAD_CSR, "1.3.6.1.5.5.7.3.3", NULL, false, false },
	{ "extended-key-usage", spoil_email_protection, PROBLEM_BAD_CSR, "1.3.6.1.5.5.7.3.4", NULL, false, false },
	{ "extended-key-usage", spoil_any_usage, PROBLEM_BAD_CSR, "2.5.29.37.0", NULL, false, false },
	{ "extended-key-usage", spoil_ocsp_signing, PROBLEM_BAD_CSR, "1.3.6.1.5.5.7.3.9", NULL, false, false },
	{ "key-allowed", spoil_key_kind, PROBLEM_BAD_CSR, "ec-p256", NULL, false, false },
	{ "key-strong", spoil_weak_key, PROBLEM_BAD_CSR, "exponent", NULL, false, false },
	{ "signature-allowed", spoil_signature, PROBLEM_BAD_CSR, "Signature algorithm is not allowed by template policy: \"ecdsa-sha256\"", NULL, false, false },
	{ "issuer-allows", spoil_issuer, PROBLEM_REJECTED_IDENTIFIER, "issuer \"\" excludes it", NULL, false, false },
	{ "approved", spoil_unapproved, PROBLEM_USER_ACTION_REQUIRED, "1 must approve", NULL, false, false },
	{ "key-uncompromised", spoil_compromised, PROBLEM_BAD_CSR, "keyCompromise", NULL, false, false },
	{ "key-own", spoil_key_of_other, PROBLEM_BAD_CSR, "another requester", NULL, false, false },
	{ "key-own", spoil_key_of_method, PROBLEM_BAD_CSR, "another requester", NULL, false, false },
	{ "key-new", spoil_key_again, PROBLEM_BAD_CSR, "a new one", NULL, false, false },
	{ "key-new", spoil_key_renewed, PROBLEM_BAD_CSR, "a new one", NULL, false, false },
	{ "key-unlisted", spoil_listed, PROBLEM_BAD_CSR, "list", NULL, false, false },
	{ "key-not-account", spoil_account_key, PROBLEM_BAD_CSR, "account's", NULL, true, false },
	{ "key-not-account", spoil_other_account, PROBLEM_BAD_CSR, "account's", NULL, true, false },
	{ "key-not-account", spoil_other_directory, PROBLEM_BAD_CSR, "account's", NULL, true, false },
};

static void refused(const struct row *row, struct world *w, struct problem *p)
{
	struct approval *approval = NULL;

	if (world_judge(w, &approval, p))
		fail_msg("%s: approved", row->rule);
	assert_null(approval);
	if (!str_equal(p->cause, row->rule))
		fail_msg("%s refused by \"%s\": %s", row->rule, p->cause, p->detail);
}

/* That the rule, and it alone, refuses what alone was changed. */
static void row_check(const struct row *row, bool identity)
{
	struct world w;
	auto_value(problem) p = {0};

	world_make(&w);
	w.identity = identity;
	row->spoil(&w);
	refused(row, &w, &p);
	world_free(&w);
	if (!row->want)
		return;
	if (p.kind != row->want_kind || !strstr(p.detail, row->want))
		fail_msg("%s: %s: %s", row->rule, problem_kind_name(p.kind), p.detail);
	assert_int_equal(p.sub_count, 1);
	assert_true(p.subs[0].rule[0]);
	if (row->want_name)
		assert_string_equal(p.subs[0].identifier_value, row->want_name);
}

static void test_each_rule_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		if (!rows[i].identity_only)
			row_check(&rows[i], false);
}

static void test_each_rule_alone_identity(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(rows); i++)
		if (!rows[i].order_only)
			row_check(&rows[i], true);
}

/* What says nothing of the key itself is refused before the server makes it; what was wished besides is not asked then. */
static bool is_for_later(const char *rule)
{
	static const char *const later[] = {
		"key-strong", "key-unlisted", "key-uncompromised", "key-own", "key-new", "approved", "period", "signature-allowed",
	};

	for (size_t i = 0; i < array_length(later); i++)
		if (str_equal(later[i], rule))
			return true;
	return false;
}

static void test_each_rule_before_the_key(void **state)
{
	size_t refusals = 0;

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct approval *none = NULL;
		auto_value(problem) p = {0};
		struct world w;

		if (rows[i].order_only)
			continue;
		world_make(&w);
		w.identity = w.unmade = true;
		rows[i].spoil(&w);
		bool held = world_judge(&w, &none, &p);
		if (held != is_for_later(rows[i].rule) || (!held && !str_equal(p.cause, rows[i].rule)))
			fail_msg("%s: %s %s", rows[i].rule, held ? "held" : p.cause, p.detail);
		refusals += !held;
		world_free(&w);
	}
	assert_true(refusals > 40);
}

/* No rule without a row that breaks it, no row without a rule. */
static void test_all_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < gate_rule_count(); i++) {
		const struct gate_rule *rule = gate_rule_at(i);
		size_t n = 0;
		for (size_t k = 0; k < array_length(rows); k++)
			n += str_equal(rows[k].rule, rule->name);
		if (n == 0 && !str_equal(rule->name, "issuer-ready")) /* of a trial alone: test_trial_asks_the_ca */
			fail_msg("nothing breaks %s", rule->name);
		assert_true(strlen(rule->text) > 10);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(gate_rule_at(k)->name, rule->name);
	}
}

static struct approval *approve(struct world *w)
{
	struct approval *approval;
	auto_value(problem) p = {0};

	if (!world_judge(w, &approval, &p))
		fail_msg("%s: %s", p.cause, p.detail);
	world_free(w);
	return approval;
}

/* What is held against the certificate is the CSR's own subject and names; what is issued is what the attribute asks for. */
static void test_change_approved(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.identity = true;
	change(&w, "302206082b060105050707243116" "30143000301082" "0e" "612e676f6f642e6578616d706c65");
	strings_free(&w.profile->est.change_names);
	w.profile->est.change_names = (struct strings){0};
	assert_true(strings_add(&w.profile->est.change_names, "dns:*.good.example"));
	auto_struct(approval) *approval = approve(&w);
	const struct approval_facts *facts = approval_facts(approval);
	assert_int_equal(facts->names->n, 1);
	assert_string_equal(facts->names->v[0].value, "a.good.example");
	assert_null(facts->common_name);
}

/* libest renews with the extensions that its certificate has, also with those that the CA writes of itself. */
static void test_renewal_with_extensions_of_the_issuer(void **state)
{
	static const char *const of_issuer[][2] = {
		{ "authorityKeyIdentifier", "DER:30:04:80:02:01:02" }, { "crlDistributionPoints", "URI:http://ca.example/crl" },
		{ "authorityInfoAccess", "OCSP;URI:http://ca.example/ocsp" }, { "2.5.29.56", "DER:05:00" },
	};
	struct world w;

	(void)state;
	world_make(&w);
	w.identity = true;
	device(&w, HELD, "CN=www.example.com");
	for (size_t i = 0; i < array_length(of_issuer); i++)
		memcpy(w.csr.extensions[i + 1], of_issuer[i], sizeof(of_issuer[i]));
	auto_struct(approval) *approval = approve(&w);
	assert_int_equal(approval_facts(approval)->names->n, 3);
}

static void test_order_approved(void **state)
{
	struct world w;
	auto_value(buf) spki = {0};
	struct problem p = {0};
	uint8_t hash[SHA256_SIZE];

	(void)state;
	world_make(&w);
	struct identifiers want = w.identity_names;
	w.identity_names = (struct identifiers){0};
	auto_struct(approval) *approval = approve(&w);
	const struct approval_facts *facts = approval_facts(approval);
	assert_true(ossl_public_der(make_key("P-256"), &spki, &p));
	assert_true(bytes_equal(facts->spki, buf_bytes(&spki)));
	digest_sha256(buf_bytes(&spki), hash);
	assert_memory_equal(facts->key_hash, hash, sizeof(hash));
	assert_int_equal(EVP_PKEY_eq(facts->key, make_key("P-256")), 1);
	assert_int_equal(facts->algorithm, KEY_EC_P256);
	assert_true(identifiers_equal(facts->names, &want));
	identifiers_free(&want);
	assert_string_equal(facts->common_name, "www.example.com");
	assert_string_equal(facts->profile, "test");
	assert_string_equal(facts->issuer, "");
	assert_true(facts->not_after - facts->not_before == 90 * 86400 - 1);
	assert_in_range(clock_now() - facts->not_before, 60, 90);
	assert_int_equal(facts->key_usage, KU_DIGITAL_SIGNATURE);
	assert_int_equal(facts->extended_key_usage->n, 2);
	assert_null(facts->hash);
	assert_string_equal(facts->method, "acme");
	assert_string_equal(facts->account, ACCOUNT_ID);
	assert_string_equal(facts->order, ORDER_ID);
	assert_null(facts->identity);
}

static void alone(struct world *w, const char *type, const char *value)
{
	w->count = 0;
	attested(w, type, value);
	w->csr.extensions[0][0] = NULL;
	w->csr.subject[0][0] = NULL;
}

/* Where the CSR names the device so does the certificate, and with PROFILE_DEVICE_NAMES_ALWAYS in any case. */
static void test_device_approved(void **state)
{
	static const struct {
		const char *type, *value, *names;
		enum profile_device_names mode;
		const char *cn, *want;
	} cases[] = {
		{ "permanent-identifier", "a/1.2.3", SERIAL, PROFILE_DEVICE_NAMES_ASKED, NULL, SERIAL },
		{ "permanent-identifier", "a/1.2.3", SERIAL, PROFILE_DEVICE_NAMES_ALWAYS, NULL, SERIAL },
		{ "permanent-identifier", "a/1.2.3", NULL, PROFILE_DEVICE_NAMES_ALWAYS, NULL, SERIAL },
		{ "permanent-identifier", "a/1.2.3", NULL, PROFILE_DEVICE_NAMES_ASKED, "a", NULL },
		{ "permanent-identifier", "a", NULL, PROFILE_DEVICE_NAMES_ALWAYS, "a", "a01106082b06010505070803a00530030c0161" },
		{ "hardware-module", "a/1.2.3", NULL, PROFILE_DEVICE_NAMES_ALWAYS, NULL, "a01506082b06010505070804a009300706022a03040161" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct world w;
		world_make(&w);
		alone(&w, cases[i].type, cases[i].value);
		w.profile->acme.device_names = cases[i].mode;
		w.csr.raw_names = cases[i].names;
		if (cases[i].cn) {
			w.csr.subject[0][0] = "CN";
			w.csr.subject[0][1] = cases[i].cn;
		}
		auto_struct(approval) *approval = approve(&w);
		const struct approval_facts *facts = approval_facts(approval);
		auto_value(buf) hex = {0};
		assert_int_equal(facts->names->n, 0);
		assert_int_equal(facts->other_count, cases[i].want ? 1 : 0);
		if (facts->other_count > 0)
			buf_add_hex(&hex, buf_bytes(&facts->others[0].der));
		assert_string_equal(buf_text(&hex), cases[i].want ?: "");
		assert_string_equal(facts->common_name ?: "", cases[i].cn ?: "");
	}
}

/* RFC 5280, 4.1.2.6: without a name of any kind there is nobody to certify. */
static void test_device_nameless(void **state)
{
	struct approval *approval;
	auto_value(problem) p = {0};
	struct world w;

	(void)state;
	world_make(&w);
	alone(&w, "permanent-identifier", "a");
	assert_false(world_judge(&w, &approval, &p));
	assert_string_equal(p.cause, "names-present");
	world_free(&w);
}

/* new_key alone: one key, another requester, another name. */
static void test_key_of_another_name(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	key_of_another_name(&w);
	auto_struct(approval) *approval = approve(&w);
	assert_non_null(approval);
}

static void test_identity_approved(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.identity = true;
	w.csr.extensions[0][1] = "DNS:www.example.com"; /* fewer than were proven will do */
	auto_struct(approval) *approval = approve(&w);
	const struct approval_facts *facts = approval_facts(approval);
	assert_int_equal(facts->names->n, 1);
	assert_string_equal(facts->method, "internal");
	assert_string_equal(facts->identity, "operator");
	assert_string_equal(facts->account, "");
	assert_string_equal(facts->order, "");
}

/* What a device may have: its serial number in each place that the gate knows, and what the policy ties to it. */
static void test_device(void **state)
{
	static const char *const names[] = {
		"DNS:SN-1.example.com, DNS:sn-1.a.example.org", "DNS:pump-sn-1.example.com",
	};

	(void)state;
	for (size_t i = 0; i < array_length(names); i++) {
		struct world w;
		world_make(&w);
		w.identity = true;
		w.serial = "SN-1";
		cn_any(&w);
		assert_true(strings_add(&policy(&w)->fields[POLICY_SAN + IDENTIFIER_DNS].allow, "pump-{identity}.example.com"));
		assert_true(strings_add(&policy(&w)->fields[POLICY_SUBJECT + SUBJECT_SERIAL_NUMBER].allow, "*"));
		w.csr.subject[0][1] = "SN-1";
		w.csr.subject[1][0] = "serialNumber";
		w.csr.subject[1][1] = "SN-1";
		w.csr.extensions[0][1] = names[i];
		struct approval *approval = approve(&w);
		approval_free(approval);
	}
}

/* Where a token has no patterns the profile's rules are all; its own are held as well. */
static void token_plain(struct world *w) { w->bearer = true; }
static void token_admin(struct world *w) { w->bearer = true, w->token.roles = TOKEN_ADMIN; }
static void token_of_profile(struct world *w)
{
	static const char *const names[] = { "other", "test" };
	token_profiles(w, names, array_length(names));
}
static void token_of_names(struct world *w)
{
	static const char *const names[] = { "ip:10.0.0.0/8", "dns:**.example.com" };
	token_names(w, names, array_length(names));
}
static void token_of_day(struct world *w) { w->bearer = true, w->wish.validity = 86400; }

static void test_bearer_approved(void **state)
{
	static void (*const changes[])(struct world *w) = { token_plain, token_admin, token_of_profile, token_of_names, token_of_day };

	(void)state;
	for (size_t i = 0; i < array_length(changes); i++) {
		struct world w;
		world_make(&w);
		w.identity = true;
		changes[i](&w);
		int64_t want = w.wish.validity ? w.wish.validity : 90 * 86400;
		auto_struct(approval) *approval = approve(&w);
		const struct approval_facts *facts = approval_facts(approval);
		assert_int_equal(facts->names->n, 3);
		assert_string_equal(facts->method, "api");
		assert_string_equal(facts->identity, "token " TOKEN_ID);
		assert_true(facts->not_after - facts->not_before == want - 1);
		assert_in_range(clock_now() - facts->not_before, 60, 90);
	}
}

/* A refusal that names a field has it in a part, alone or not. */
static void test_wish_field(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	w.identity = true;
	spoil_validity(&w);
	w.wish.validity_field = "attributes.ttl";
	assert_false(world_judge(&w, &approval, &p));
	world_free(&w);
	assert_int_equal(p.kind, PROBLEM_MALFORMED);
	assert_int_equal(p.sub_count, 1);
	assert_string_equal(p.subs[0].field, "attributes.ttl");
}

/* A profile of a policy: the CSR's subject in its order, the profile's where the CSR has none, names of
 * other types, and a common name that is none of the names. */
static void test_policy_approved(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	auto_value(buf) subject = {0};

	(void)state;
	world_make(&w);
	w.identity = true;
	assert_true(policy_preset_make(policy_preset_find("user"), &w.profile->policy, &p));
	assert_true(strings_add(&w.profile->policy->fields[POLICY_SAN + IDENTIFIER_DNS].allow, "*"));
	strings_free(&w.profile->extended_key_usage);
	assert_true(strings_add(&w.profile->extended_key_usage, "1.3.6.1.5.5.7.3.2"));
	w.profile->key_usage = KU_DIGITAL_SIGNATURE;
	assert_true(subject_add(&w.profile->subject, SUBJECT_O, "Default", &p));
	assert_true(subject_add(&w.profile->subject, SUBJECT_C, "DE", &p));
	w.csr = (struct make_csr){
		.subject = { { "O", "Example" }, { "OU", "a" }, { "OU", "b" }, { "CN", "www" } },
		.raw_names = "820f7777772e6578616d706c652e636f6d" UPN,
	};
	auto_struct(approval) *approval = approve(&w);
	const struct approval_facts *facts = approval_facts(approval);
	subject_text(facts->subject, &subject);
	assert_string_equal(buf_text(&subject), "CN=www,OU=b,OU=a,O=Example,C=DE");
	assert_string_equal(facts->common_name, "www");
	assert_int_equal(facts->names->n, 1); /* "www" is not made a name */
	assert_int_equal(facts->other_count, 1);
	assert_string_equal(facts->others[0].value, "a@");
	assert_false(facts->ca);
}

/* Of an order's CSR nothing but the names is taken: O is the profile's, and only if it says so. */
static void test_order_subject(void **state)
{
	static const char *const asked[] = { NULL, "Example", "Evil" };

	(void)state;
	for (size_t i = 0; i < array_length(asked); i++) {
		struct world w;
		auto_value(problem) p = {0};
		auto_value(buf) subject = {0};
		auto_struct(approval) *approval = NULL;

		world_make(&w);
		assert_true(strings_add(&policy(&w)->fields[POLICY_SUBJECT + SUBJECT_O].allow, "*"));
		assert_true(subject_add(&w.profile->subject, SUBJECT_O, "Example", &p));
		w.csr.subject[1][0] = asked[i] ? "O" : NULL;
		w.csr.subject[1][1] = asked[i];
		if (world_judge(&w, &approval, &p) != (i < 2))
			fail_msg("row %zu: %s", i, p.detail);
		if (approval)
			subject_text(approval_facts(approval)->subject, &subject);
		assert_string_equal(buf_text(&subject), i < 2 ? "CN=www.example.com,O=Example" : "");
		assert_string_equal(p.cause, i < 2 ? "" : "subject-plain");
		world_free(&w);
	}
}

/* The CSRs that clients send, and what comes of them. */
static void csr_san_only(struct world *w) { w->csr.subject[0][0] = NULL; }
static void csr_cn_not_in_san(struct world *w) { san(w, "DNS:*.example.com, IP:10.0.0.1"); }
static void csr_cn_ip(struct world *w) { w->csr.subject[0][1] = "10.0.0.1"; }
static void csr_cn_wildcard(struct world *w) { w->csr.subject[0][1] = "*.example.com"; }
static void csr_twice(struct world *w) { san(w, "DNS:www.example.com, DNS:WWW.example.com, DNS:*.example.com, IP:10.0.0.1"); }
static void csr_encipherment(struct world *w) { extension(w, "keyUsage", "critical,digitalSignature,keyEncipherment"); }
static void csr_rsa_encipherment(struct world *w) { csr_encipherment(w), w->csr.key = "rsa-2048"; }
static void csr_rsa(struct world *w) { w->csr.key = "rsa-2048"; }
static void csr_rsa_signing(struct world *w) { csr_rsa(w), extension(w, "keyUsage", "digitalSignature"); }
static void csr_ed25519(struct world *w) { w->csr.key = "ed25519"; }
static void csr_server_auth(struct world *w) { extension(w, "extendedKeyUsage", "serverAuth"); }
static void csr_not_ca(struct world *w) { extension(w, "basicConstraints", "CA:FALSE"); }
static void csr_key_id(struct world *w) { extension(w, "subjectKeyIdentifier", "01:02:03"); }
static void csr_microsoft(struct world *w) { w->csr.extension_request = "1.3.6.1.4.1.311.2.1.14"; }
static void csr_password(struct world *w) { w->csr.raw_attributes = "301106092a864886f70d01090731040c024142"; }
static void profile_no_cn(struct world *w) { w->profile->common_name = PROFILE_CN_NONE; }
static void profile_first_cn(struct world *w) { csr_san_only(w), w->profile->common_name = PROFILE_CN_FIRST; }
static void profile_account_key(struct world *w) { spoil_account_key(w), w->profile->reuse_account_key = true; }
static void profile_bound(struct world *w) { w->profile->eab_required = true, w->account.eab_kid = "k1"; }
static void order_period(struct world *w)
{
	w->order.not_before = w->order.created;
	w->order.not_after = w->order.created + 86400;
}

static const struct {
	const char *name;
	void (*change)(struct world *w);
	const char *want_common_name;
	unsigned want_key_usage;
} kinds[] = {
	{ "certbot: names in the SAN alone", csr_san_only, NULL, KU_DIGITAL_SIGNATURE },
	{ "a common name that is not in the SAN", csr_cn_not_in_san, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "a common name that is an address", csr_cn_ip, "10.0.0.1", KU_DIGITAL_SIGNATURE },
	{ "a common name that is a wildcard", csr_cn_wildcard, "*.example.com", KU_DIGITAL_SIGNATURE },
	{ "a name twice", csr_twice, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "cert-manager: keyEncipherment for an EC key", csr_encipherment, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "cert-manager: keyEncipherment for RSA", csr_rsa_encipherment, "www.example.com", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
	{ "RSA", csr_rsa, "www.example.com", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
	{ "RSA, for signing alone", csr_rsa_signing, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "Ed25519", csr_ed25519, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "serverAuth", csr_server_auth, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "CA:FALSE", csr_not_ca, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "a subjectKeyIdentifier", csr_key_id, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "Microsoft's extensionRequest", csr_microsoft, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "a challengePassword", csr_password, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "a profile without common names", profile_no_cn, NULL, KU_DIGITAL_SIGNATURE },
	{ "a profile that takes the first name", profile_first_cn, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "a profile that lets the account's key be", profile_account_key, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "an account that is bound", profile_bound, "www.example.com", KU_DIGITAL_SIGNATURE },
	{ "notBefore and notAfter", order_period, "www.example.com", KU_DIGITAL_SIGNATURE },
};

static void test_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		struct world w;
		world_make(&w);
		kinds[i].change(&w);
		auto_struct(approval) *approval = approve(&w);
		const struct approval_facts *facts = approval_facts(approval);
		assert_int_equal(facts->names->n, 3);
		if (!str_equal(facts->common_name ?: "none", kinds[i].want_common_name ?: "none") ||
		    facts->key_usage != kinds[i].want_key_usage)
			fail_msg("%s: %s, %x", kinds[i].name, facts->common_name, facts->key_usage);
		if (w.order.not_before != 0)
			assert_true(facts->not_before == w.order.not_before && facts->not_after == w.order.not_after);
	}
}

#define LONG_LABEL "a23456789012345678901234567890123456789012345678901234567890123"

/* RFC 5280, A.1: 64 characters; the name itself is in the SAN (boulder#3585). */
static void test_long_common_name(void **state)
{
	enum profile_common_name rules[] = { PROFILE_CN_IF_ASKED, PROFILE_CN_FIRST };
	static const char *const want[] = { NULL, "www.example.com" };

	(void)state;
	for (size_t i = 0; i < array_length(rules); i++) {
		struct world w;
		world_make(&w);
		world_name(&w, "dns", LONG_LABEL ".example");
		w.csr.subject[0][1] = LONG_LABEL ".example";
		w.profile->common_name = rules[i];
		auto_struct(approval) *approval = approve(&w);
		const char *name = approval_facts(approval)->common_name;
		assert_string_equal(name ?: "none", want[i] ?: "none");
		assert_int_equal(approval_facts(approval)->names->n, 4);
	}
}

/* Let's Encrypt, 2020-02-29: one name was looked at N times. Here each of many names is the one whose
 * authorization fails, in each way, and is the one that is named. */
static void test_letsencrypt_2020_one_name_n_times(void **state)
{
	static char names[20][24];
	enum { PENDING, EXPIRED, ACCOUNT, VALUE, WAYS };

	(void)state;
	for (int way = PENDING; way < WAYS; way++) {
		for (size_t i = 0; i < array_length(names); i++) {
			struct world w;
			auto_value(problem) p = {0};
			auto_value(buf) list = {0};
			struct approval *approval = NULL;

			world_make(&w);
			w.count = 0;
			for (size_t k = 0; k < array_length(names); k++) {
				snprintf(names[k], sizeof(names[k]), "n%zu.example", k);
				world_name(&w, "dns", names[k]);
				buf_printf(&list, "%sDNS:%s", k ? "," : "", names[k]);
			}
			w.csr.subject[0][0] = NULL;
			san(&w, buf_text(&list));
			struct authorization *a = &w.authorization[i];
			switch (way) {
			case PENDING: a->status = AUTHORIZATION_PENDING; break;
			case EXPIRED: a->expires = clock_now() - 1; break;
			case ACCOUNT: strcpy(a->account, OTHER_ID); break;
			default: a->value = names[(i + 1) % array_length(names)]; break;
			}
			assert_false(world_judge(&w, &approval, &p));
			assert_int_equal(p.kind, PROBLEM_UNAUTHORIZED);
			assert_int_equal(p.sub_count, 1);
			assert_string_equal(p.subs[0].identifier_value, names[i]);
			world_free(&w);
		}
	}
}

/* A deny rule names each name that falls under it: the wildcard would serve the denied one too. */
static void test_denied_with_its_wildcard(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	spoil_denied(&w);
	assert_false(world_judge(&w, &approval, &p));
	assert_int_equal(p.kind, PROBLEM_REJECTED_IDENTIFIER);
	assert_int_equal(p.sub_count, 2);
	world_free(&w);
}

static void test_all_reasons_together(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	spoil_san_more(&w);
	spoil_organization(&w);
	spoil_code_signing(&w);
	spoil_authz_expired(&w);
	assert_false(world_judge(&w, &approval, &p));
	assert_string_equal(p.cause, "authorizations-unexpired, names-equal, subject-plain, extended-key-usage");
	assert_int_equal(p.kind, PROBLEM_COMPOUND);
	assert_int_equal(p.sub_count, 4);
	assert_non_null(strstr(p.detail, "evil.example"));
	assert_non_null(strstr(p.detail, "1.3.6.1.5.5.7.3.3"));
	world_free(&w);
}

/* Of one kind, the whole is of this kind: badCSR stays badCSR for the client. */
static void test_reasons_of_one_kind(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	spoil_organization(&w);
	spoil_unknown_extension(&w);
	assert_false(world_judge(&w, &approval, &p));
	assert_int_equal(p.kind, PROBLEM_BAD_CSR);
	assert_int_equal(p.sub_count, 2);
	world_free(&w);
}

/* CVE-2026-105818 (Vault), UCM #242, #243, #251, #254, Dogtag #394: whatever a CSR can carry past the
 * challenges, by whichever door it comes, alone or all at once. */
static void test_cve_2026_105818_smuggled_names(void **state)
{
	static void (*const smuggle[])(struct world *w) = {
		spoil_san_more, spoil_san_sub, spoil_san_in_wildcard, spoil_san_ip, spoil_cn_other, spoil_cn_ip, spoil_cn_email,
		spoil_two_cns, spoil_san_email, spoil_san_uri, spoil_san_upn, spoil_san_directory, spoil_san_registered,
		spoil_email_address, spoil_unknown_attribute, spoil_unknown_extension, spoil_issuer_alt_name, spoil_sid,
		spoil_code_signing, spoil_ca, spoil_usage_ca,
	};

	(void)state;
	for (size_t i = 0; i < 2 * array_length(smuggle); i++) {
		struct world w;
		auto_value(problem) p = {0};
		struct approval *approval = NULL;

		world_make(&w);
		w.identity = i % 2 == 1;
		smuggle[i / 2](&w);
		if (world_judge(&w, &approval, &p))
			fail_msg("row %zu", i / 2);
		assert_null(approval);
		world_free(&w);
	}
}

/* OpenBao GHSA-g892-p242-8g86, GHSA-59w7-v8rr-pr4p: the address rule is held for CSRs by either door, and
 * a pattern is no template: its stars are in front or nowhere. */
static void test_ghsa_g892_address_rule(void **state)
{
	(void)state;
	for (int door = 0; door < 2; door++) {
		struct world w;
		auto_value(problem) p = {0};
		struct approval *approval = NULL;

		world_make(&w);
		w.identity = door == 1;
		strings_free(&w.profile->names[IDENTIFIER_IP].allow);
		assert_true(strings_add(&w.profile->names[IDENTIFIER_IP].allow, "192.168.0.0/16"));
		assert_false(world_judge(&w, &approval, &p));
		assert_string_equal(p.cause, "names-allowed");
		assert_string_equal(p.subs[0].identifier_value, "10.0.0.1");
		world_free(&w);
	}
}

/* UCM #242, #251: mail addresses and URIs in the SAN are names like others, and as unproven. */
static void test_mail_and_uri(void **state)
{
	static void (*const spoils[])(struct world *w) = { spoil_san_email, spoil_san_uri };

	(void)state;
	for (size_t i = 0; i < 2 * array_length(spoils); i++) {
		struct world w;
		auto_value(problem) p = {0};
		struct approval *approval = NULL;

		world_make(&w);
		w.identity = i % 2 == 1;
		spoils[i / 2](&w);
		assert_false(world_judge(&w, &approval, &p));
		assert_string_equal(p.cause, w.identity ? "names-proven, names-allowed" : "names-equal, names-allowed");
		world_free(&w);
	}
}

/* The state of an order is the whole answer; of a CSR that nobody waits for nothing is read. */
static void test_state_alone(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	spoil_pending(&w);
	spoil_san_more(&w);
	w.csr.signer = "P-384";
	assert_false(world_judge(&w, &approval, &p));
	assert_int_equal(p.kind, PROBLEM_ORDER_NOT_READY);
	assert_int_equal(p.sub_count, 1);
	assert_string_equal(p.subs[0].rule, "order-ready");
	assert_int_equal(problem_status(&p), 403);
	world_free(&w);
}

static void test_not_found(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	w.order_id = OTHER_ID;
	assert_false(world_judge(&w, &approval, &p));
	assert_int_equal(p.kind, PROBLEM_NOT_FOUND);
	world_free(&w);
}

static void test_bad_csr(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	w.csr.signer = "P-256 other";
	assert_false(world_judge(&w, &approval, &p));
	assert_int_equal(p.kind, PROBLEM_BAD_CSR);
	world_free(&w);
}

/* An identifier of the order that is none (any more) is no name to certify. */
static void test_order_identifier_malformed(void **state)
{
	struct world w;
	auto_value(problem) p = {0};
	struct approval *approval = NULL;

	(void)state;
	world_make(&w);
	w.identifiers[2] = (struct order_identifier){ "dns", "under_score.example" };
	assert_false(world_judge(&w, &approval, &p));
	assert_int_equal(p.kind, PROBLEM_REJECTED_IDENTIFIER);
	world_free(&w);
}

/* RFC 9444: a proof for a domain stands for a name below it. */
static void test_proof_above(void **state)
{
	static const struct { enum profile_subdomains mode; const char *value, *type; } cases[] = {
		{ PROFILE_SUBDOMAINS_DNS, "example.com", "dns-01" }, { PROFILE_SUBDOMAINS_ANY, "com", "http-01" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct world w;
		struct problem p = {0};
		auto_struct(approval) *approval = NULL;

		world_make(&w);
		above(&w, cases[i].mode, cases[i].value, true, cases[i].type);
		if (!world_judge(&w, &approval, &p))
			fail_msg("%s", p.detail);
		world_free(&w);
	}
}

/* The dates of RFC 8739, 3.5, and never revocation information. */
static void test_rolling(void **state)
{
	struct world w;
	struct problem p = {0};
	uint8_t digest[SHA256_SIZE];
	auto_struct(approval) *approval = NULL;
	auto_value(buf) der = {0};

	(void)state;
	world_make(&w);
	rolling(&w, 1);
	w.csr.key = "ed25519"; /* whose signature is the same each time */
	make_csr(&w.csr, &der);
	digest_sha256(buf_bytes(&der), digest);
	w.order.csr_digest = BYTES(digest, sizeof(digest));
	if (!world_judge(&w, &approval, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(approval_facts(approval)->not_after, w.order.star.first + 2000);
	assert_int_equal(approval_facts(approval)->not_before, w.order.star.first + 1000 - 600);
	assert_true(approval_facts(approval)->no_revocation);
	world_free(&w);
}

/* A scope that has room for all of it is no hindrance. */
static void test_wide_scope(void **state)
{
	static const char *const names[] = { "dns:**.example.com", "ip:10.0.0.0/8" }, *const profiles[] = { "test" };
	struct world w;
	struct problem p = {0};
	auto_struct(approval) *approval = NULL;

	(void)state;
	world_make(&w);
	w.account.scope = (struct scope){
		.names = { names, 2 }, .authorized = { names, 1 }, .profiles = { profiles, 1 }, .quota = 3, .quota_period = 1000,
		.spent = 3, .spent_since = clock_now() - 1000, .quota_total = 4, .spent_total = 3,
	};
	w.authorization[0].granted = w.authorization[1].granted = true;
	if (!world_judge(&w, &approval, &p))
		fail_msg("%s", p.detail);
	world_free(&w);
}

/* --- trials */

struct heard {
	char broken[256];    /* names of rules, each after a space */
	bool of_ca;          /* whether one of the CA's own was told at all */
};

static void hear(void *arg, const char *name, bool held, const struct problem *p)
{
	struct heard *heard = arg;
	size_t used = strlen(heard->broken);

	assert_true(held == (p->sub_count == 0));
	if (!held)
		snprintf(heard->broken + used, sizeof(heard->broken) - used, " %s", name);
	heard->of_ca = heard->of_ca || str_starts(name, "issuer-");
}

static void ignore(void *arg, const struct policy_verdict *verdict)
{
	(void)arg;
	(void)verdict;
}

static struct heard trial(struct world *w, struct gate_test test, const struct profile_signers *ca)
{
	auto_struct(store) *store = world_store(w);
	auto_struct(profiles) *profiles = NULL;
	auto_value(buf) der = {0};
	struct problem p = {0};
	struct heard heard = {0};
	bool held;

	make_csr(&w->csr, &der);
	if (!profiles_new(&w->profile, 1, "test", NULL, &profiles, &p))
		fail_msg("%s", p.detail);
	w->profile = NULL;
	if (ca)
		profiles_set_signers(profiles, ca);
	test.profile = "test";
	test.rule = hear;
	test.verdict = ignore;
	test.arg = &heard;
	if (!gate_test(store, profiles, &test, buf_bytes(&der), &held, &p))
		fail_msg("%s%s", p.detail, p.cause);
	assert_true(held == (heard.broken[0] == '\0'));
	world_free(w);
	return heard;
}

/* Whether for an order or for an identity; where nothing is known of the CA, nothing is said of it. */
static void test_trial_asks_the_ca(void **state)
{
	static const enum profile_method methods[] = { PROFILE_ACME, PROFILE_API, PROFILE_EST };

	(void)state;
	for (size_t i = 0; i < array_length(methods); i++) {
		struct world w;
		world_make(&w);
		struct heard heard = trial(&w, (struct gate_test){ .method = methods[i] }, &refusing_ca);
		assert_string_equal(heard.broken, " issuer-allows issuer-ready");
		world_make(&w);
		heard = trial(&w, (struct gate_test){ .method = methods[i] }, NULL);
		assert_true(heard.broken[0] == '\0' && !heard.of_ca);
	}
}

/* Whose certificates of the key are his own: who is named, or nobody; and what a renewed certificate had. */
static void test_trial_knows_who_asks(void **state)
{
	static const struct {
		enum profile_method method;
		const char *asker, *replaces, *want, *account;
	} asked[] = {
		{ PROFILE_ACME, ACCOUNT_ID, NULL, "", ACCOUNT_ID }, { PROFILE_ACME, NULL, NULL, " key-own", ACCOUNT_ID },
		{ PROFILE_API, NULL, NULL, " key-own" }, { PROFILE_API, "token " TOKEN_ID, NULL, "" },
		{ PROFILE_API, "token " OTHER_ID, NULL, " key-own" }, { PROFILE_EST, "token " TOKEN_ID, NULL, " key-own" },
		{ PROFILE_API, "token " OTHER_ID, OTHER_ID, "" }, { PROFILE_ACME, "token " TOKEN_ID, NULL, " key-own" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(asked); i++) {
		struct world w;
		world_make(&w);
		earlier(&w, asked[i].account);
		if (!asked[i].account) {
			w.earlier.method = "api";
			w.earlier.identity = "token " TOKEN_ID;
		}
		policy(&w)->own_key = true;
		struct heard heard = trial(&w, (struct gate_test){ .method = asked[i].method, .asker = asked[i].asker,
		                                                   .replaces = asked[i].replaces }, NULL);
		if (!str_equal(heard.broken, asked[i].want))
			fail_msg("row %zu: \"%s\"", i, heard.broken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trial_asks_the_ca), cmocka_unit_test(test_trial_knows_who_asks),
		cmocka_unit_test(test_proof_above), cmocka_unit_test(test_wide_scope), cmocka_unit_test(test_rolling),
		cmocka_unit_test(test_each_rule_alone),
		cmocka_unit_test(test_each_rule_alone_identity),
		cmocka_unit_test(test_each_rule_before_the_key),
		cmocka_unit_test(test_all_rules),
		cmocka_unit_test(test_change_approved),
		cmocka_unit_test(test_renewal_with_extensions_of_the_issuer),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_order_approved),
		cmocka_unit_test(test_key_of_another_name),
		cmocka_unit_test(test_device_approved),
		cmocka_unit_test(test_device_nameless),
		cmocka_unit_test(test_identity_approved),
		cmocka_unit_test(test_bearer_approved),
		cmocka_unit_test(test_wish_field),
		cmocka_unit_test(test_policy_approved),
		cmocka_unit_test(test_order_subject),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_long_common_name),
		cmocka_unit_test(test_letsencrypt_2020_one_name_n_times),
		cmocka_unit_test(test_denied_with_its_wildcard),
		cmocka_unit_test(test_all_reasons_together),
		cmocka_unit_test(test_reasons_of_one_kind),
		cmocka_unit_test(test_cve_2026_105818_smuggled_names),
		cmocka_unit_test(test_ghsa_g892_address_rule),
		cmocka_unit_test(test_mail_and_uri),
		cmocka_unit_test(test_state_alone),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_bad_csr),
		cmocka_unit_test(test_order_identifier_malformed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
