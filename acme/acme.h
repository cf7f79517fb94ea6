/* ACME (RFC 8555): the wing as the server sees it.
 *
 * `struct acme` owns the nonces, the key cache, the rate limits and the probe threads; it borrows
 * store and CA, which live longer. Its http_wing serves from any number of threads. */
#pragma once

#include "acme/attestation_roots.h"
#include "acme/dns_options.h"
#include "base/http.h"
#include "base/work.h"
#include "ca/ca.h"
#include "policy/profile.h"
#include "store/store.h"

struct acme_limit_options {
	unsigned burst, period;          /* burst 0: no limit */
};
/* A further place that validations look from. */
struct vantage_point {
	char *name;
	struct strings resolvers;                /* none: the server's own */
	/* for http-01, "http://192.0.2.1:3128" or "socks5://..."; NULL: none */
	char *proxy;
};
enum acme_challenge {
	ACME_HTTP_01 = 1, ACME_DNS_01 = 2, ACME_TLS_ALPN_01 = 4, ACME_DNS_ACCOUNT_01 = 8, ACME_DNS_PERSIST_01 = 16,
	ACME_DEVICE_ATTEST_01 = 32,
	ACME_CHALLENGES_USUAL = ACME_HTTP_01 | ACME_DNS_01 | ACME_TLS_ALPN_01 | ACME_DNS_ACCOUNT_01,
};
enum acme_persist_form { ACME_PERSIST_02 = 1, ACME_PERSIST_00 = 2 }; /* drafts of dns-persist-01 */
struct acme_options {
	const char *terms_of_service, *website;  /* NULL: none */
	const struct strings *caa_identities;
	int64_t order_lifetime;                  /* seconds a pending or ready order lives */
	int64_t authorization_pending_lifetime;  /* seconds to answer a challenge */
	int64_t retention;                       /* seconds that ended orders are kept before they are swept */
	unsigned orders_page;                    /* URLs in one page of an order list */
	/* Rates: new accounts by address; new orders by account and by name; all requests by address, and of these
	 * those for renewal information. */
	struct acme_limit_options accounts_per_address, orders_per_account, orders_per_name, requests_per_address;
	struct acme_limit_options renewal_info_per_address;
	int64_t renewal_retry_after;             /* seconds after which renewal information is to be asked for again */
	const char *renewal_explanation;         /* URL that it names; NULL: none */
	const struct strings *issuers_retiring;  /* whose certificates are to be renewed at once */
	unsigned pending_authorizations_max;     /* by account */
	unsigned orders_per_authorization_max;   /* that have not ended; 0: no limit */
	unsigned contacts_max;
	unsigned challenges;                     /* enum acme_challenge bits that are offered; 0: the usual */
	unsigned persist_forms;                  /* enum acme_persist_form bits; 0: the newest */
	/* http-01 */
	unsigned tls_alpn_port;                  /* tls-alpn-01: 443 */
	unsigned http_port, https_port;          /* 80, 443: the ports a probe and its redirects may use */
	/* device-attest-01: whom it believes; a reference is taken; NULL: nobody */
	struct attestation_roots *attestation;
	const struct addr_list *probe_allow;     /* wins over the built-in denial (loopback, link-local, ...) */
	const struct addr_list *probe_deny;      /* wins over all */
	/* where the server itself listens on those ports: denied unless allowed */
	const struct addr_list *probe_own;
	unsigned probe_timeout_ms;               /* one attempt, all hops */
	unsigned probe_attempts;                 /* RFC 8555, 8.2 */
	unsigned probe_threads, probe_queue;
	unsigned challenge_wait_ms;              /* how long a challenge's POST waits for its result */
	const struct vantage_point *vantage;     /* borrowed likewise */
	size_t vantage_count;
	/* how many places, this server among them, must find a proof; 0: it alone */
	unsigned quorum;
	struct dns_options dns;                  /* what it points to is borrowed until acme_open has returned */
};
/* Whether the library that asks DNS is there; acme_open asks too. INTERNAL: it is not. */
bool acme_check_libraries(struct problem *p) must_use;

struct acme;
/* Takes a reference to profiles. Begins the sweeper and takes up challenges that were in flight. */
bool acme_open(const struct acme_options *options, struct store *store, struct ca *ca, struct profiles *profiles,
               struct acme **ret, struct problem *p) must_use;
/* From the next request on, these profiles (SIGHUP). */
void acme_set_profiles(struct acme *acme, struct profiles *profiles);
/* From the next response on, these are believed. */
void acme_set_attestation(struct acme *acme, struct attestation_roots *roots);
const struct http_wing *acme_wing(struct acme *acme);
void acme_close(struct acme *acme); /* waits for running probes */
declare_auto_struct(acme, acme_close);

/* Cancels a page of what a deactivated account has begun: pending and ready orders become invalid, pending and valid
 * authorizations deactivated (RFC 8555, 7.3.6). In the caller's update. ret_more: the account is marked as ending, and
 * the sweeper, or who calls this again, does the rest. */
bool acme_account_cancel_work(struct store_txn *txn, const char *account_id, bool *ret_more,
                              struct problem *p) must_use;
/* Ends one order: what renews itself is canceled (RFC 8739, 3.1.2), what is pending or ready becomes invalid. CONFLICT:
 * it has ended, or waits for approval. In the caller's update. */
bool acme_order_cancel(struct store_txn *txn, const char *id, int64_t now, struct problem *p) must_use;
