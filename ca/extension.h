/* Extension: the extensions of what this CA signs (RFC 5280, 4.2), one table row each.
 *
 * Those of the issuer are the same in every certificate and are written once, when the issuer is
 * loaded; the others with each certificate. Any thread. */
#pragma once

#include "ca/der.h"
#include "ca/spki.h"
#include "policy/approval.h"

struct extension_source {
	const struct approval_facts *facts;    /* for those of the certificate */
	uint8_t key_id[KEY_IDENTIFIER_SIZE];
	struct bytes issuer_key_id;            /* for those of the issuer */
	const char *certificate_url, *crl_url; /* NULL: left out */
};
void extension_put_own(struct der *d, const struct extension_source *source);
void extension_put_issuer(struct der *d, const struct extension_source *source);
