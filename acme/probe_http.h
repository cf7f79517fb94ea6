/* Probe by HTTP: one GET to an address that was judged, and the URLs of such requests. This file
 * owns libcurl.
 *
 * libcurl is loaded when the first probe needs it: it brings some twenty-five libraries and four
 * megabytes, which a server that waits, or only serves EST, does not carry. It resolves nothing and
 * follows nothing here. A `struct probe_http` is shared by the probe threads and keeps their
 * handles between requests. Internal to acme/. */
#pragma once

#include "base/addr.h"
#include "base/bytes.h"

struct probe_http;
bool probe_http_open(struct probe_http **ret, struct problem *p) must_use;
void probe_http_close(struct probe_http *http);
declare_auto_struct(probe_http, probe_http_close);

enum {
	PROBE_BODY_MAX = 512,      /* a key authorization has 66 to 87 bytes */
	PROBE_LOCATION_MAX = 2000,
};

struct probe_url;
/* INTERNAL when libcurl cannot be loaded, otherwise MALFORMED. */
bool probe_url_parse(const char *text, struct probe_url **ret, struct problem *p) must_use;
/* Where a Location leads from here, relative or not. false: nowhere; the URL is as before. */
bool probe_url_follow(struct probe_url *url, const char *location) must_use;
void probe_url_free(struct probe_url *url);
declare_auto_struct(probe_url, probe_url_free);

/* The parts that decide where a request goes. */
struct probe_url_parts {
	char text[256];            /* the whole, cut, for messages */
	char host[256];            /* without the brackets of an IPv6 address */
	unsigned port;
	bool https;
};
/* false: not http or https, a host that is neither a name nor an address, a zone. */
bool probe_url_parts(const struct probe_url *url, struct probe_url_parts *ret) must_use;

struct probe_get {
	/* the caller's */
	const struct probe_url *url;
	struct addr addr;
	unsigned port;
	int64_t timeout_ms, connect_ms;
	/* what came */
	bool connected;            /* even if nothing more came of it */
	bool answered;             /* status and what follows are set; otherwise problem says why not */
	long status;
	char location[PROBE_LOCATION_MAX + 1]; /* "" none */
	uint8_t body[PROBE_BODY_MAX];
	size_t body_len;
	bool too_long;             /* there was more */
	size_t header_bytes;
};
/* false only when there is no answer: CONNECTION or TLS in words for the one who runs that host,
 * without the URL. Nothing of the environment is used: no proxy, no cookies, no credentials. */
bool probe_http_get(struct probe_http *http, struct probe_get *get, struct problem *p) must_use;
