/* HTTP GET: one request in plain HTTP to an address that was judged, without libcurl: the first hop of
 * http-01, which nearly always is the only one. Any thread. Internal to acme/. */
#pragma once

#include "base/fetch.h"

/* As fetch_run does for get->addr, port, timeout_ms and connect_ms; get->url is not looked at. host is what
 * the Host field says, without the port; path begins with a slash. */
bool http_get(struct fetch *get, const char *host, const char *path, struct problem *p) must_use;
