/* Scope over the API: what an ACME account may order, as bodies say it. Internal to admin/. */
#pragma once

#include "admin/api_call.h"
#include "admin/scope.h"

/* Changes what the body's `profiles`, `names`, `authorized`, `networks`, `quota`, `quotaPeriod` and `quotaTotal`
 * say, the rest stays; a list that is empty and a number that is 0 take the limit away. A part for each that makes
 * no sense. */
void api_scope_read(const struct api_call *call, struct scope_words *words, struct scope *scope, struct problem *parts);

/* Rows of a body's table. */
#define API_SCOPE_FIELDS                                                                                        \
	{ "profiles", API_TEXTS, .max = 100, .meaning = "the profiles that can be ordered; none: all" },        \
	{ "names", API_TEXTS, .max = 100,                                                                       \
	  .meaning = "patterns of what can be ordered, as dns:**.lab.example or ip:10.0.0.0/8; none: what the " \
	             "profile allows" },                                                                        \
	{ "authorized", API_TEXTS, .max = 100,                                                                  \
	  .meaning = "patterns of what is authorized without a challenge" },                                    \
	{ "networks", API_TEXTS, .max = 100,                                                                    \
	  .meaning = "where requests may come from, as 10.0.0.0/8; none: anywhere" },                           \
	{ "quota", API_INTEGER, .min = 0, .max = 1000000000,                                                    \
	  .meaning = "certificates in quotaPeriod; 0: any number" },                                            \
	{ "quotaPeriod", API_INTEGER, .min = 0, .max = 3155760000, .meaning = "seconds that quota is for" },    \
	{ "quotaTotal", API_INTEGER, .min = 0, .max = 1000000000,                                               \
	  .meaning = "certificates in all; 0: any number" }
