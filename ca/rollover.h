/* Rollover: the certificates by which those who trust one root of the CA come to trust the next, and the
 * other way round (RFC 4210, 4.4; RFC 7030, 4.1.3).
 *
 * They are of the file root.rollover.pem in the CA's folder, which is there while the CA has two roots: both
 * roots, the old key signed by the new one (OldWithNew), and the new key signed by the old one (NewWithOld).
 * Any thread. */
#pragma once

#include "ca/life.h"

/* Appends the DER of the file's certificates, one after another, but for the root itself; nothing when there is
 * no file, or when it is about other roots. MALFORMED: a certificate in it is of another name than the root, or
 * does not verify with any of the keys. */
bool rollover_read(const char *folder, X509 *root, struct buf *ret, struct problem *p) must_use;

/* Of what rollover_read gave for a root: NewWithOld as PEM, where that root is the new one, for those who trust the old
 * one alone; nothing otherwise. */
bool rollover_link(struct bytes certificates, X509 *root, struct buf *ret, struct problem *p) must_use;

/* The three steps (docs/ca.md). Begin: a new root of the same name, the certificates of the file, and each CA
 * below the old root signed by the new one too, as an alternate chain; what clients are shown stays as it is.
 * Switch: the new root and its chains are the default ones, the old ones the alternates. End: nothing leads to
 * the old root any more. CONFLICT when it is not the turn of the step. */
bool rollover_begin(const struct life *life, const struct life_terms *terms, struct change *ret,
                    struct problem *p) must_use;
bool rollover_switch(const struct life *life, struct change *ret, struct problem *p) must_use;
bool rollover_end(const struct life *life, struct change *ret, struct problem *p) must_use;
