/* CAA record: one property of a CAA RRset (RFC 8659, 4), and whether an issue or issuewild property lets us
 * issue (with RFC 8657). Values; any thread. Internal to acme/. */
#pragma once

#include "base/bytes.h"

enum caa_tag {
	CAA_ISSUE, CAA_ISSUEWILD,
	CAA_IODEF, CAA_ISSUEMAIL,    /* known, and not about the certificates of hosts (RFC 9495) */
	CAA_UNKNOWN,
};
struct caa_record {
	bool critical;
	enum caa_tag tag;
	struct bytes value;          /* of the record's data */
};
/* false: no such record; who publishes it wants something that we do not understand. */
bool caa_record_parse(struct bytes data, struct caa_record *ret) must_use;

/* On whose behalf, and how. */
struct caa_issuance {
	const struct strings *identities; /* the names that stand for this CA */
	const char *method;               /* "dns-01": how the name was proven */
	const char *account_url;          /* NULL: nobody's that a record could name */
};
/* A value that does not follow the grammar permits nobody (4.2); parameters that are not of RFC 8657 are for
 * others to mean something by. */
bool caa_record_permits(const struct caa_record *record, const struct caa_issuance *issuance) must_use;
