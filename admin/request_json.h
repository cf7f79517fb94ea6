/* A request as the API shows it. Internal to admin/. */
#pragma once

#include "base/json.h"
#include "store/request.h"

void request_json(const struct request *record, struct json_writer *w);
