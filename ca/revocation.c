#include "ca/revocation.h"

#include <stdio.h>

#include "store/audit.h"
#include "store/revocation.h"

enum { REASON_KEY_COMPROMISE = 1, REASON_CA_COMPROMISE = 2, REASON_HOLD = 6 };

/* RFC 5280, 5.3.1. 7 is unused; 8, removeFromCRL, stands in delta CRLs alone. */
static const struct reason {
	const char *name;
	bool subscriber, operator;
} reasons[] = {
	[0] = { "unspecified", true, true },
	[1] = { "keyCompromise", true, true },
	[2] = { "cACompromise", false, true },
	[3] = { "affiliationChanged", true, true },
	[4] = { "superseded", true, true },
	[5] = { "cessationOfOperation", true, true },
	[6] = { "certificateHold", false, true },
	[8] = { "removeFromCRL", false, false },
	[9] = { "privilegeWithdrawn", true, true },
	[10] = { "aACompromise", false, true },
};

const char *revocation_reason_name(int64_t reason)
{
	return reason >= 0 && reason < (int64_t)array_length(reasons) ? reasons[reason].name : NULL;
}

bool revocation_reason_from(const char *name, int64_t *ret)
{
	for (size_t i = 0; i < array_length(reasons); i++) {
		char number[8];
		snprintf(number, sizeof(number), "%zu", i);
		if (reasons[i].name && (str_equal(reasons[i].name, name) || str_equal(number, name))) {
			*ret = (int64_t)i;
			return true;
		}
	}
	return false;
}

static bool may_give(enum revocation_asker asker, size_t reason)
{
	return asker == REVOCATION_BY_OPERATOR ? reasons[reason].operator : reasons[reason].subscriber;
}

/* RFC 8555, 7.6: which are allowed is told. */
static void allowed_reasons(enum revocation_asker asker, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < array_length(reasons) && len < size; i++)
		if (may_give(asker, i))
			len += (size_t)snprintf(ret + len, size - len, "%s%zu", len ? ", " : "", i);
}

void revocation_reasons_add(struct buf *b, enum revocation_asker asker)
{
	size_t begin = b->len;
	for (size_t reason = 0; reason < array_length(reasons); reason++)
		if (reasons[reason].name && may_give(asker, reason))
			buf_printf(b, "%s%s", b->len > begin ? ", " : "", reasons[reason].name);
}

bool revocation_reason_check(int64_t reason, enum revocation_asker asker, struct problem *p)
{
	const char *name = revocation_reason_name(reason);
	char allowed[64];

	if (name && may_give(asker, (size_t)reason))
		return true;
	allowed_reasons(asker, allowed, sizeof(allowed));
	if (!name)
		return problem_set(p, PROBLEM_BAD_REVOCATION_REASON,
		                   "RFC 5280, 5.3.1: there is no revocation reason %lld; allowed are %s",
		                   (long long)reason, allowed);
	return problem_set(p, PROBLEM_BAD_REVOCATION_REASON,
	                   "RFC 8555, 7.6: %s (%lld) is not a reason that can be given here; allowed are %s", name,
	                   (long long)reason, allowed);
}

static bool is_held(const struct certificate *certificate)
{
	return certificate->status == CERTIFICATE_REVOKED && certificate->reason == REASON_HOLD;
}

static bool is_compromise(int64_t reason)
{
	return reason == REASON_KEY_COMPROMISE || reason == REASON_CA_COMPROMISE;
}

/* That a key is in wrong hands may be learned later, and then lists, responders and the gate have to know.
 * Only an operator says so: to a subscriber RFC 8555, 7.6 says that it is revoked already. */
static bool tells_worse(const struct certificate *certificate, int64_t reason, enum revocation_asker asker)
{
	return asker == REVOCATION_BY_OPERATOR && is_compromise(reason) && !is_compromise(certificate->reason);
}

static bool can_revoke(const struct certificate *certificate, int64_t reason, int64_t now,
                       enum revocation_asker asker, struct problem *p)
{
	if (certificate_is_imported(certificate))
		return problem_set(p, PROBLEM_CONFLICT,
		                   "the certificate was issued by another CA: it can be revoked there");
	bool may_change = is_held(certificate) ? reason != REASON_HOLD : tells_worse(certificate, reason, asker);
	if (certificate->status == CERTIFICATE_REVOKED && !may_change)
		return problem_set(p, PROBLEM_ALREADY_REVOKED, "the certificate is revoked already (%s)",
		                   revocation_reason_name(certificate->reason));
	if (asker == REVOCATION_BY_SUBSCRIBER && now > certificate->not_after)
		return problem_set(p, PROBLEM_MALFORMED, "the certificate has expired and needs no revocation");
	return true;
}

/* before: the reason that was known until now; NULL: it was not revoked. */
static bool tell_revoked(struct store_txn *txn, const struct certificate *certificate, const char *before,
                         const char *from, struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("certificate", certificate->id), audit_hex("serial", certificate->serial),
		audit_text("issuer", certificate->issuer), audit_text("account", certificate->account),
		audit_text("reason", revocation_reason_name(certificate->reason)),
		audit_text("reasonBefore", before), { 0 },
	};
	const struct audit_event event = {
		.kind = AUDIT_CERTIFICATE_REVOKED, .time = certificate->reason_changed ?: certificate->revoked,
		.actor = certificate->revoked_by,
		.from = from, .facts = facts,
	};
	return store_audit_add(txn, &event, p);
}

bool revocation_record(struct store_txn *txn, const char *certificate_id, int64_t reason, int64_t now, const char *by,
                       const char *from, enum revocation_asker asker, struct problem *p)
{
	auto_value(certificate) certificate = { 0 };

	if (!revocation_reason_check(reason, asker, p) ||
	    !store_certificate_get(txn, certificate_id, &certificate, p) ||
	    !can_revoke(&certificate, reason, now, asker, p))
		return false;
	bool revoked = certificate.status == CERTIFICATE_REVOKED, stays = revoked && !is_held(&certificate);
	const char *before = revoked ? revocation_reason_name(certificate.reason) : NULL;
	certificate.status = CERTIFICATE_REVOKED;
	certificate.revoked = stays ? certificate.revoked : now;
	certificate.reason_changed = stays ? now : 0;
	certificate.reason = reason;
	certificate.revoked_by = by;
	certificate.released = 0;
	return store_certificate_put(txn, &certificate, p) && store_revocation_change(txn, certificate.issuer, p) &&
	       tell_revoked(txn, &certificate, before, from, p);
}

static bool tell_released(struct store_txn *txn, const struct certificate *certificate, const char *by,
                          const char *from, struct problem *p)
{
	const struct audit_fact facts[] = {
		audit_text("certificate", certificate->id), audit_hex("serial", certificate->serial),
		audit_text("issuer", certificate->issuer), audit_text("account", certificate->account),
		audit_time("held", certificate->revoked), { 0 },
	};

	const struct audit_event event = { AUDIT_CERTIFICATE_RELEASED, certificate->released, by, from, facts };

	return store_audit_add(txn, &event, p);
}

bool revocation_release(struct store_txn *txn, const char *certificate_id, int64_t now, const char *by,
                        const char *from, struct problem *p)
{
	auto_value(certificate) certificate = { 0 };

	if (!store_certificate_get(txn, certificate_id, &certificate, p))
		return false;
	if (certificate.status != CERTIFICATE_REVOKED)
		return problem_set(p, PROBLEM_CONFLICT, "the certificate is not on hold");
	if (!is_held(&certificate))
		return problem_set(p, PROBLEM_CONFLICT,
		                   "RFC 5280, 5.3.1: the certificate is not on hold, but revoked for good (%s)",
		                   revocation_reason_name(certificate.reason));
	certificate.released = now;
	if (!tell_released(txn, &certificate, by, from, p))
		return false;
	certificate.status = CERTIFICATE_VALID;
	certificate.revoked = certificate.reason = 0;
	certificate.revoked_by = NULL;
	return store_certificate_put(txn, &certificate, p) && store_revocation_change(txn, certificate.issuer, p);
}
