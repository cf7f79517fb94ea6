/* Fetch: one HTTP request to an address that was judged (base/outbound.h), and the URLs of such requests. This file
 * owns libcurl.
 *
 * libcurl is loaded when the first request needs it: it brings some twenty-five libraries and four
 * megabytes, which a server that waits, or only serves EST, does not carry. It follows nothing here.
 * A `struct fetcher` is shared by threads and keeps their handles between requests. */
#pragma once

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/outbound.h"

/* Now rather than with the first URL. INTERNAL: it cannot be. */
bool fetch_load(struct problem *p) must_use;

struct fetcher;
bool fetcher_open(struct fetcher **ret, struct problem *p) must_use;
void fetcher_close(struct fetcher *http);
declare_auto_struct(fetcher, fetcher_close);

enum {
	FETCH_BODY_MAX = 512,      /* a key authorization has 66 to 87 bytes */
	FETCH_DROPPED_MAX = 65536, /* of an answer to a POST */
	FETCH_LOCATION_MAX = 2000,
};

struct fetch_url;
/* INTERNAL when libcurl cannot be loaded, otherwise MALFORMED. */
bool fetch_url_parse(const char *text, struct fetch_url **ret, struct problem *p) must_use;
/* Where a Location leads from here, relative or not. false: nowhere; the URL is as before. */
bool fetch_url_follow(struct fetch_url *url, const char *location) must_use;
void fetch_url_free(struct fetch_url *url);
declare_auto_struct(fetch_url, fetch_url_free);

/* The parts that decide where a request goes. */
struct fetch_url_parts {
	char text[256];            /* the whole, cut, for messages */
	char host[256];            /* without the brackets of an IPv6 address */
	unsigned port;
	bool https;
};
/* false: not http or https, a host that is neither a name nor an address, a zone. */
bool fetch_url_parts(const struct fetch_url *url, struct fetch_url_parts *ret) must_use;

struct fetch {
	/* the caller's */
	const struct fetch_url *url;
	struct addr addr;          /* to connect to, whatever the URL's host is; family 0: to the addresses of that host, */
	unsigned port;             /* as the system resolves it, that rules let pass */
	const struct outbound_rules *rules; /* judge each address in the moment of connecting to it; NULL: addr is judged */
	const char *proxy;         /* "http://192.0.2.1:3128" or "socks5://...", through which addr is reached; NULL: none */
	struct addr proxy_addr;    /* the address in it */
	const char *const *headers; /* lines to send beside curl's own, NULL-ended; NULL: none */
	struct bytes post;         /* the body of a POST; data NULL: a GET */
	bool verify;               /* TLS: the other side's certificate must be good, also for its name */
	const char *trust;         /* PEM file of the CAs that make it good; NULL: the system's */
	bool keep;                 /* the connection may serve the next request of this fetcher */
	int64_t timeout_ms, connect_ms;
	const atomic_bool *cancel; /* true: end it now; NULL: nobody will */
	/* what came */
	bool connected;            /* even if nothing more came of it */
	bool answered;             /* status and what follows are set; otherwise problem says why not */
	long status;
	char location[FETCH_LOCATION_MAX + 1]; /* "" none */
	int64_t retry_after;       /* seconds from now; 0: none */
	uint8_t body[FETCH_BODY_MAX]; /* of a GET; what a POST is answered with is not kept */
	size_t body_len;
	bool too_long;             /* there was more */
	size_t header_bytes;
	bool passed;               /* an address was good to connect to */
	char refused[PROBLEM_DETAIL_MAX]; /* why another was not */
};
/* false only when there is no answer: CONNECTION or TLS in words for the one who runs that host,
 * without the URL. Nothing of the environment is used: no proxy, no cookies, no credentials. */
bool fetch_run(struct fetcher *http, struct fetch *fetch, struct problem *p) must_use;
