/* Routes: the rows of the EST wing, its calls and its refusals. */
#pragma once

#include "est/est.h"

struct http_wing est_routes_wing(struct est *est);
