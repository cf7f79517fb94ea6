/* ACME client of the benchmarks: an ES256 account and whole issuances over one connection. One
 * thread each. */
#pragma once

#include "tests/bench/http_client.h"

struct acme_client;

/* Reads the directory and registers an account. root is the PEM that issued chains must end in;
 * NULL: the chain's own last certificate is trusted (servers that make their root anew). polls: it reads what has become
 * of the challenge, and the order before and after it is finalized, whatever the replies said, as most clients do. */
struct acme_client *acme_client_new(const char *directory, const char *tls_ca, const char *root, bool polls);
/* Orders name, answers http-01, finalizes with a fresh P-256 key, downloads and verifies the chain.
 * Returns the signed requests it took. */
unsigned acme_client_issue(struct acme_client *client, const char *name);
void acme_client_free(struct acme_client *client);
