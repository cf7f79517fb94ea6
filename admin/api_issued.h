/* Issued: the reply to who asked for a certificate. Internal to admin/. */
#pragma once

#include "admin/api_issuance.h"

void api_issued_write(struct api_call *call, const struct issuance *e);
