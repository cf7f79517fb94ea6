/* CA facts: what is known of one CA from its folder, the store and, in a server, its lists; as commands and the API
 * show it. Internal to admin/. Any thread. */
#pragma once

#include "admin/actor.h"
#include "base/json.h"
#include "ca/crls.h"
#include "store/authority.h"

struct ca_place {
	const char *folder;
	const char *base;             /* issuer_urls.base; NULL: it is nowhere on the net */
	struct crls *crls;            /* the current lists; NULL: only what the store knows of them */
};
struct ca_facts {
	const char *name;             /* borrowed */
	X509 *certificate;
	ossl_x509_stack *chain;       /* above it, the root last; of a root itself */
	char successor[ISSUER_NAME_SIZE];
	int64_t not_before, not_after, now;
	bool root, key;               /* key: it is in the folder */
	struct authority_state state;
	struct ca_list {
		int64_t number, this_update, next_update, entries,
			shards; /* number 0: none is known; next_update 0: not known */
		bool waiting;         /* something was revoked since */
	} crl;
	struct {
		char id[RANDOM_ID_SIZE]; /* "": none is known */
		int64_t not_after;
	} responder;                  /* the newest certificate of its OCSP responder */
};
void ca_facts_free(struct ca_facts *facts);
declare_auto_value(ca_facts, ca_facts_free);

/* Whether the folder has a CA of that name. Any text. */
bool ca_facts_has(const char *folder, const char *name) must_use;
/* NOT_FOUND. The caller frees ret. */
bool ca_facts_read(const struct ca_place *place, struct store *store, const char *name, struct ca_facts *ret,
                   struct problem *p) must_use;
/* "active", "succeeded" (another CA took its place), "disabled", "expired" */
const char *ca_facts_status(const struct ca_facts *facts);
/* RFC 4514. */
bool ca_facts_subject(X509_NAME *name, struct buf *ret, struct problem *p) must_use;
bool ca_facts_fingerprint(X509 *certificate, struct buf *ret, struct problem *p) must_use;
/* An entry of a list, or a document; its name is the member `id`. whole: with certificate and chain as PEM. */
bool ca_facts_put(struct json_writer *w, const struct ca_place *place, const char *id, const struct ca_facts *facts,
                  bool whole, struct problem *p) must_use;

/* Lets it issue nothing more, or again: from this moment on, also in a server that runs. CONFLICT: it is so already. */
bool ca_switch(struct store *store, const char *name, bool disable, const struct actor *actor, struct problem *p)
	must_use;
