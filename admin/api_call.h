/* Call: one request of the API after its token was checked, as the actions of the route table see it, and
 * what the files of the API share. Internal to admin/. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "admin/actor.h"
#include "admin/api.h"
#include "admin/api_chain.h"
#include "admin/api_schema.h"
#include "base/json.h"
#include "base/limit.h"
#include "ca/vault.h"
#include "policy/identity.h"
#include "store/audit_queue.h"
#include "store/certificate.h"
#include "store/order.h"
#include "store/request.h"

#define API_PREFIX "/api/v1/"

struct api {
	struct api_options options;
	struct store *store;
	struct ca *ca;
	char *ca_base;                  /* URL that what the CAs publish is below; NULL: nowhere */
	pthread_rwlock_t profiles_lock;
	struct profiles *profiles;      /* guarded by it */
	struct webhook_settings *webhook; /* likewise */
	struct limit *requests;         /* by token */
	struct limit *failures;         /* by token: failed requests that are kept */
	struct vault *vault;            /* private keys that are kept */
	struct audit_queue *audit;      /* refusals, on their way to the audit log */
	struct work *work;              /* what requests do not wait for */
	char sweep_at[STORE_CURSOR_SIZE]; /* where the sweep of requests goes on; its job's alone */
	atomic_bool kicked;             /* a look at what was decided is on its way */
	struct http_wing wing;
};

/* What a request's profile must be, beside the role: the row's, and the dispatcher's to check before the action. */
enum api_scope {
	API_OPEN,          /* no profile is concerned, or the action looks at each row's */
	API_BY_BODY,       /* the profile that `profileId` of the body names */
	API_BY_PATH,       /* the profile that the path names */
	API_BY_CERTIFICATE,/* that of the certificate which the path names */
	API_BY_REQUEST,    /* that of the request which the path names */
	API_BY_NAME,       /* none, or the action looks for it: what the path names must be there */
	API_BY_ORDER,      /* that of the ACME order which the path names */
	API_EVERYWHERE,    /* the token must count in all */
};

struct api_call {
	struct api *api;
	const struct api_route *route;
	const struct http_request *request;
	struct http_response *response;
	struct profiles *profiles;          /* the set this request began with */
	const struct identity *identity;    /* NULL: the row asks for none */
	const struct json *body;            /* checked against the row's schema; NULL: the row has none */
	const struct profile *profile;      /* API_BY_BODY, API_BY_PATH */
	struct certificate certificate;     /* API_BY_CERTIFICATE; the dispatcher's to free */
	struct request record;              /* API_BY_REQUEST; the dispatcher's to free */
	struct order order;                 /* API_BY_ORDER; the dispatcher's to free */
	const char *from;                   /* address; NULL: none, of a command */
	int64_t now;
};
typedef bool api_action(struct api_call *call, struct problem *p);

/* Those of now; a reference. */
struct profiles *api_profiles(struct api *api) must_use;
struct webhook_settings *api_webhook_settings(struct api *api) must_use;
/* Status and application/json; the caller then writes the body. */
struct json_writer api_reply(struct api_call *call, int status);
/* The parts so far become p, if there are any: false. */
bool api_settle(struct problem *parts, struct problem *p) must_use;
/* A refusal of one thing, or the parts it has, become parts of `parts`; what is not the client's fault
 * (INTERNAL, UNAVAILABLE) takes the place of all. Parts that name no field get this one. False. */
bool api_gather(struct problem *parts, struct problem *why, const char *field);
/* One part of a problem as an object. */
void api_problem_part(const struct problem_sub *sub, struct json_writer *w);
/* A problem as the document of RFC 9457, and the status that it goes with. */
int api_problem_status(const struct problem *p);
void api_problem_write(const struct problem *p, const char *request_id, struct buf *ret);

/* Who is asking: the token in the Authorization header, or else the client certificate. UNAUTHENTICATED. */
bool api_authenticate(struct api *api, const struct http_request *request, int64_t now, struct identity **ret,
                      struct problem *p) must_use;

/* A value of the query; false where there is none, or where parts says that memory is out. The dispatcher has
 * checked the names. */
bool api_query(const struct api_call *call, const char *name, struct buf *ret, struct problem *parts) must_use;
/* Rows of a page: without `limit`, and at most. */
enum { API_PAGE = 100, API_PAGE_MAX = 1000 };

/* Who is asking, for the audit log. */
struct actor api_actor(const struct api_call *call);
/* What a token bound to names may not do: make what gives others. UNAUTHORIZED. */
bool api_may_give_names(const struct api_call *call, struct problem *p) must_use;
/* Whether the caller's token counts in this profile. */
bool api_sees(const struct api_call *call, const char *profile) must_use;
/* Whether the caller asked for what `record` is about; what the server asked for by itself is nobody's. */
bool api_owns_record(const struct api_call *call) must_use;

/* admin/api_sweep.c: from now on the requests that were made before the retention are deleted, some at a time. */
bool api_sweep_begin(struct api *api, struct problem *p) must_use;

/* One action a route. */
api_action api_certificate_issue, api_certificate_list, api_certificate_get, api_certificate_body,
	api_certificate_bundle, api_certificate_pem;
api_action api_certificate_renew_now, api_certificate_renew, api_certificate_revoke, api_certificate_release,
	api_certificate_change, api_certificate_delete, api_certificate_import;
api_action api_renewal_list;
api_action api_key_get, api_key_pem, api_key_pkcs12, api_key_delete;
api_action api_request_approve, api_request_reject, api_request_cancel, api_request_collect;
api_action api_profile_list, api_profile_get, api_profile_certificates, api_profile_latest, api_profile_test,
	api_policy_list, api_policy_get;
api_action api_request_list, api_request_get, api_issuer_list, api_issuer_get, api_issuer_disable,
	api_issuer_enable, api_token_get, api_openapi_get;
api_action api_audit_list;
api_action api_credential_create, api_credential_list, api_credential_get, api_credential_revoke, api_credential_import;
api_action api_external_key_create, api_external_key_list, api_external_key_get, api_external_key_revoke;
api_action api_account_list, api_account_get, api_account_limit, api_account_deactivate;
api_action api_order_list, api_order_get, api_order_cancel;
api_action api_webhook_create, api_webhook_list, api_webhook_get, api_webhook_change, api_webhook_test,
	api_webhook_resume, api_webhook_revoke;
