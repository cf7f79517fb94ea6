/* Bundle: a certificate with what stands above it, as JSON. Internal to admin/. */
#pragma once

#include "admin/api_call.h"

/* The members certificate, certificateChain, issuingCaCertificate, serialNumber, certificateId of an object that is
 * open. with_root: whether the chain ends in the root. */
void api_bundle_put(const struct api_call *call, const struct certificate *row, bool with_root, struct json_writer *w);
