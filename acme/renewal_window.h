/* Renewal window: when a certificate should be renewed (RFC 9773, 4.2). It follows from its row and its
 * profile; nothing of it is kept. Values; any thread. Internal to acme/. */
#pragma once

#include "acme/call.h"
#include "acme/certificate_id.h"
#include "store/certificate.h"

struct renewal_window {
	int64_t from, until;     /* until is later than from */
};
/* In a view: the certificate of ours that is named so. NOT_FOUND. */
bool renewal_find(struct store_txn *txn, const struct ca *ca, const struct certificate_id *id, struct certificate *ret,
                  struct problem *p) must_use;
/* In the past where it is revoked, or its CA is on its way out; when an operator asked for it; otherwise a
 * place of its own in the part of its life that its profile says. */
void renewal_window(const struct acme_call *call, const struct certificate *certificate, struct renewal_window *ret);
