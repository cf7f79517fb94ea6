/* Request: one as the API shows it. Internal to admin/. */
#pragma once

#include "base/json.h"
#include "store/request.h"

/* The member `decisions`: who has decided what, and why. */
void request_put_decisions(const struct request *record, struct json_writer *w);
void request_json(const struct request *record, struct json_writer *w);
