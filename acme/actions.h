/* Actions: what each row of the ACME route table calls, one function a row, in the file of its
 * noun. Internal to acme/. */
#pragma once

#include "acme/call.h"

/* acme/directory.c */
acme_action acme_directory_get;      /* RFC 8555, 7.1.1 */
acme_action acme_nonce_get;          /* 7.2 */
/* acme/account.c, acme/key_change.c */
acme_action acme_account_new;        /* 7.3 */
acme_action acme_account_post;       /* 7.3.2, 7.3.6; POST-as-GET reads */
acme_action acme_key_change;         /* 7.3.5 */
/* acme/order.c, acme/order_list.c, acme/finalize.c */
acme_action acme_order_new;          /* 7.4 */
acme_action acme_order_get;          /* 7.1.3 */
acme_action acme_order_list;         /* 7.1.2.1 */
acme_action acme_order_finalize;     /* 7.4 */
acme_action acme_star_certificate_get; /* RFC 8739, 3.3 */
/* acme/preauthorization.c, acme/authorization.c, acme/challenge.c */
acme_action acme_authorization_new;  /* 7.4.1 */
acme_action acme_authorization_post; /* 7.5, 7.5.2 */
acme_action acme_challenge_post;     /* 7.5.1 */
/* acme/certificate.c, acme/revoke.c */
acme_action acme_certificate_get;    /* 7.4.2 */
acme_action acme_certificate_revoke; /* 7.6 */
/* acme/renewal_info.c */
acme_action acme_renewal_info_get;   /* RFC 9773, 4 */

/* acme/sweep.c: begins and ends the background removal of what has expired. */
bool acme_sweep_begin(struct acme *acme, struct problem *p) must_use;
/* acme/probe.c */
/* and resumes what was in flight */
bool probes_open(struct acme *acme, struct probes **ret, struct problem *p) must_use;
void probes_close(struct probes *probes);
/* acme/claim.c */
bool claims_open(struct claims **ret, struct problem *p) must_use;
void claims_close(struct claims *claims);
