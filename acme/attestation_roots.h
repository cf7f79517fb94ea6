/* Attestation roots: which formats of device-attest-01 are accepted, and of whom.
 *
 * A `struct attestation_roots` is an immutable set, counted by reference: a reload makes a new one. Any thread. */
#pragma once

#include "base/mem.h"
#include "base/problem.h"

struct attestation_rules; /* acme/attestation.h */

/* A row of the configuration. */
struct attestation_source {
	char *format;            /* "tpm" */
	struct strings roots;    /* PEM files */
};
#define ATTESTATION_FORMAT_NAMES "`tpm`, `apple`, `android-key`, `packed`, `step`"
bool attestation_format_known(const char *name) must_use;

struct attestation_roots;
/* Reads the files. MALFORMED or NOT_FOUND names the row's format and the file; MALFORMED for a format that is
 * unknown, or has two rows. References: 1. */
bool attestation_roots_new(const struct attestation_source *rows, size_t count, struct attestation_roots **ret,
                           struct problem *p) must_use;
struct attestation_roots *attestation_roots_ref(struct attestation_roots *roots);
void attestation_roots_unref(struct attestation_roots *roots);
declare_auto_struct(attestation_roots, attestation_roots_unref);
const struct attestation_rules *attestation_roots_rules(const struct attestation_roots *roots);
