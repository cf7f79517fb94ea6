/* Life: what becomes of a CA after it was made: renewed, given a new key, signed by a CA outside, put in place.
 * Each operation reads the CA's folder and says in a struct change what is to be written (ca/change.h); the CA's
 * keys are opened with the passphrase of the folder. One thread. */
#pragma once

#include "ca/authority.h"
#include "ca/change.h"
#include "ca/keyfile.h"

struct life {
	const char *folder;
	struct bytes passphrase;
	const char *base;                 /* issuer_urls.base; NULL: CA certificates carry no pointers */
};
enum { LIFE_PATH_LENGTH_SAME = -2, LIFE_PATH_LENGTH_NONE = -1 };
struct life_terms {
	int64_t lifetime;                 /* seconds; 0: as long as the certificate before it */
	int path_length;                  /* or LIFE_PATH_LENGTH_... */
	const struct strings *permitted, *excluded; /* ca/constraint.h; both NULL: as before */
	const char *organization, *common_name;     /* NULL: as before; of a new key the name with a number */
	enum keyfile_kind kind;           /* of a new key */
	/* RFC 7512: the new key is this one, in a token, made there if need be; NULL: in a file */
	const char *key_uri;
};

/* The CA with its key. */
bool life_authority(const struct life *life, const char *name, struct authority *ret, struct problem *p) must_use;
/* The CA of the folder that signed this one, itself for a root. NOT_FOUND when it, or its key, is not here. */
bool life_signer(const struct life *life, const char *name, char ret[ISSUER_NAME_SIZE], struct problem *p) must_use;
bool life_is_root(const struct life *life, const char *name, bool *ret, struct problem *p) must_use;

/* A new certificate of the same key and name. Of a root, all chains that end in it are written with it. */
bool life_renew(const struct life *life, const char *name, const struct life_terms *terms, struct change *ret,
                struct problem *p) must_use;
/* A CA of a new key, which takes the place of this one: NAME-2 after NAME. */
bool life_rekey(const struct life *life, const char *name, const struct life_terms *terms, struct change *ret,
                struct problem *p) must_use;
/* A CSR for a CA outside to sign, PEM, appended. The key is that of the name, or a new one. */
bool life_request(const struct life *life, const char *name, const struct life_terms *terms, struct buf *ret_pem,
                  struct change *ret, struct problem *p) must_use;

/* A CA from outside. key NULL: the one that the folder has under this name. */
struct life_arrival {
	X509 *certificate;
	EVP_PKEY *key;
	const char *key_uri;              /* where the key is in a token */
	ossl_x509_stack *chain;           /* above it; the root last; NULL or empty for a root */
	const char *replaces;             /* the CA whose place it takes; NULL: none */
};
/* Judged as a whole: the key is the certificate's, which is a CA's and good now up to its root. */
bool life_install(const struct life *life, const char *name, const struct life_arrival *arrival, struct change *ret,
                  struct problem *p) must_use;
