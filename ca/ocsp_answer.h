/* OCSP answer: the messages that a responder sends (RFC 6960, 4.2), as the lightweight profile
 * wants them (RFC 9919, 3.2). Any thread. */
#pragma once

#include "ca/responder.h"

enum ocsp_error { /* OCSPResponseStatus */
	OCSP_MALFORMED_REQUEST = 1, OCSP_INTERNAL_ERROR = 2, OCSP_TRY_LATER = 3, OCSP_UNAUTHORIZED = 6,
};
/* Appends an answer that says no more than this, and is not signed. */
void ocsp_answer_error(enum ocsp_error error, struct buf *ret);

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
struct ocsp_single {
	struct bytes certificate;        /* CertID, DER */
	enum ocsp_status status;
	int64_t revoked, reason;         /* when revoked; RFC 5280, 5.3.1 */
	int64_t not_after;               /* of a known one */
	int64_t archive_cutoff;          /* RFC 6960, 4.4.4; 0: none is told */
};
struct ocsp_facts {
	const struct ocsp_single *singles;
	size_t count;
	int64_t this_update, next_update; /* thisUpdate is producedAt too: status and signature are of one moment */
	struct bytes nonce;               /* empty: none is sent */
};
/* Appends a signed answer with the responder's certificate. */
bool ocsp_answer_write(const struct responder *responder, const struct ocsp_facts *facts, struct buf *ret,
                       struct problem *p) must_use;
