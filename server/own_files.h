/* Own files: a certificate of the server's own as it stands in files: PEM, with its chain; the key, not encrypted,
 * in another or the same. Refusals name the file. */
#pragma once

#include "server/tls_certificate.h"

/* Adds the file as it is to ret_pem. */
bool own_files_certificate(const char *path, struct tls_certificate **ret, struct buf *ret_pem, struct problem *p)
	must_use;
bool own_files_key(const char *path, struct tls_certificate *certificate, struct problem *p) must_use;
