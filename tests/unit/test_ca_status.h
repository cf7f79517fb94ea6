/* A CA, a store in memory, and certificates in it that can be revoked: for tests of CRLs and OCSP. */
#pragma once

#include "ca/revocation.h"
#include "tests/unit/test_ca_issue.h"

struct status_fixture {
	struct ca *ca;
	struct store *store;
	struct identifiers names;
	struct strings usages;
};
static struct status_fixture status;

static inline void status_check(bool good, const struct problem *p)
{
	if (!good)
		print_error("%s: %s %s\n", problem_kind_name(p->kind), p->detail, p->cause);
	assert_true(good);
}

static inline struct store *status_store(void)
{
	static const uint8_t seal_key[32] = { 1 };
	auto_value(problem) p = { 0 };
	struct kv *kv = NULL;
	struct store *store = NULL;

	status_check(kv_memory_open(&kv, &p) && store_open_kv(kv, seal_key, &store, &p), &p);
	return store;
}

/* A CA with that kind of issuing key in the scratch folder. */
static inline void status_open(enum keyfile_kind kind)
{
	static const char *const list[] = { "dns:www.example.com", NULL };

	assert_int_equal(folder_setup(NULL), 0);
	test_create(folder, KEYFILE_EC_P256, kind);
	status = (struct status_fixture){ .ca = test_open(folder, TEST_BASE), .store = status_store(), .names = test_names(list) };
	assert_true(strings_add(&status.usages, "1.3.6.1.5.5.7.3.1"));
}

static inline void status_close(void)
{
	ca_free(status.ca);
	store_close(status.store);
	identifiers_free(&status.names);
	strings_free(&status.usages);
	assert_int_equal(folder_teardown(NULL), 0);
}

static inline const struct issuer *status_issuer(void)
{
	return ca_issuer(status.ca, "");
}

/* The clock is so many seconds ahead of the machine's. */
static inline void status_clock(int64_t ahead)
{
	static int64_t now;

	clock_shift(ahead - now);
	now = ahead;
}

static inline bool status_put(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_certificate_put(txn, arg, p);
}

/* A certificate that lives so many seconds, issued and recorded. */
static inline void status_issue(int64_t lifetime, struct certificate *ret)
{
	struct approval_facts facts = test_facts(KEY_EC_P256, &status.names, &status.usages);
	auto_value(problem) p = { 0 };

	facts.not_after = clock_now() + lifetime;
	status_check(test_issue(status.ca, &facts, ret, &p) && store_update(status.store, status_put, ret, &p), &p);
}

struct status_revocation {
	const char *id;
	int64_t reason, now;
};

static inline bool status_record(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct status_revocation *r = arg;

	return revocation_record(txn, r->id, r->reason, r->now, "test", NULL, REVOCATION_BY_OPERATOR, p);
}

static inline void status_revoke(const struct certificate *certificate, int64_t reason)
{
	struct status_revocation r = { certificate->id, reason, clock_now() };
	auto_value(problem) p = { 0 };

	status_check(store_update(status.store, status_record, &r, &p), &p);
}

/* What a reader of DER finds in an extension; len 0 when it is not there. */
static inline struct bytes status_extension(const X509_EXTENSION *e)
{
	const ASN1_OCTET_STRING *value = e ? X509_EXTENSION_get_data((X509_EXTENSION *)(uintptr_t)e) : NULL;

	return value ? BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)) : BYTES(NULL, 0);
}
