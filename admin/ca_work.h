/* CA work: what the `ca` commands share: the CAs' folder with its passphrase, the terms on the command line, and
 * the way of a change: recorded and told, then written, then shown. Internal to admin/. */
#pragma once

#include "admin/admin.h"
#include "ca/crl_make.h"
#include "ca/life.h"

struct ca_work {
	struct store *store;
	struct buf passphrase;
	struct strings permitted, excluded;
	struct life life;
	struct life_terms terms;
	struct change change;
};
void ca_work_close(struct ca_work *work);
declare_auto_value(ca_work, ca_work_close);

/* After the revocation or release of a certificate with this issuer: where that is a root of the CA's folder, its
 * list is made anew; where it cannot be, says on stderr what is to be done. */
void ca_work_list_anew(const struct command_call *call, struct store *store, const char *issuer);

/* Opens store and passphrase; begin: both are made when they are missing, as `enrolld init` makes them. */
bool ca_work_open(const struct command_call *call, bool begin, struct ca_work *ret, struct problem *p) must_use;

/* Options of the terms, rows for a command's table. */
#define CA_OPTION_LIFETIME { "--lifetime", "DURATION", "of the certificate, such as 5y; without: as it was" }
#define CA_OPTION_PATH_LENGTH \
	{ "--path-length", "N|none", "how many CAs may stand below it; without: as it was, of a new one 0" }
#define CA_OPTION_PERMIT \
	{ "--permit", "NAME[,NAME...]", "the only names below it: dns:example.com, ip:10.0.0.0/8, email:example.com" }
#define CA_OPTION_EXCLUDE { "--exclude", "NAME[,NAME...]", "names that are not allowed below it" }
#define CA_OPTION_KEY { "--key", "KIND", "of the new key: ec-p256, ec-p384, rsa-3072, rsa-4096; without: ec-p256" }
#define CA_OPTION_KEY_URI                                                                                       \
	{ "--key-uri", "URI",                                                                                   \
	  "its key is this one in a token, made there if need be: pkcs11:token=...;object=..." }
#define CA_OPTION_NAME { "--name", "TEXT", "its common name" }
/* Reads those of them that the command has. */
bool ca_work_terms(const struct command_call *call, struct ca_work *work, struct problem *p) must_use;

/* Records, tells, writes, prints. what: "renewed", and so on. */
bool ca_work_commit(const struct command_call *call, struct ca_work *work, const char *what, struct problem *p)
	must_use;
