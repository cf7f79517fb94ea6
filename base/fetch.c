#include "base/fetch.h"

#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/library.h"
#include "base/tls_chain.h"

enum {
	HEADERS_MAX = 16384, /* bytes of all header lines of one reply */
	IDLE_MAX = 16,
};

/* --- the library */

#define CURL_CALLS(X)                                                                              \
	X(global_init, curl_global_init) X(easy_init, curl_easy_init)                              \
	X(easy_cleanup, curl_easy_cleanup) X(easy_reset, curl_easy_reset)                          \
	X(easy_setopt, curl_easy_setopt) X(easy_perform, curl_easy_perform)                        \
	X(easy_getinfo, curl_easy_getinfo) X(easy_strerror, curl_easy_strerror)                    \
	X(slist_append, curl_slist_append) X(slist_free_all, curl_slist_free_all)                  \
	X(url, curl_url) X(url_cleanup, curl_url_cleanup) X(url_set, curl_url_set)                 \
	X(url_get, curl_url_get) X(free, curl_free)

static struct { CURL_CALLS(LIBRARY_FIELD) } lib;
static const struct library_call calls[] = { CURL_CALLS(LIBRARY_ROW) };

static bool set_up(struct problem *p)
{
	return lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK || problem_internal(p, "libcurl cannot be set up");
}

static struct library curl_library = LIBRARY("libcurl.so.4", calls, set_up);

bool fetch_load(struct problem *p)
{
	return library_load(&curl_library, p);
}

/* --- URLs */

static inline void free_curl_string(char *s)
{
	lib.free(s);
}

static inline void free_slist(struct curl_slist *s)
{
	lib.slist_free_all(s);
}

typedef char curl_string;
typedef struct curl_slist slist;
declare_auto(curl_string, free_curl_string);
declare_auto(slist, free_slist);

struct fetch_url {
	CURLU *curl;
};

bool fetch_url_parse(const char *text, struct fetch_url **ret, struct problem *p)
{
	auto_struct(fetch_url) *url = calloc(1, sizeof(*url));

	if (!url)
		return problem_memory(p);
	if (!fetch_load(p))
		return false;
	url->curl = lib.url();
	if (!url->curl)
		return problem_memory(p);
	if (lib.url_set(url->curl, CURLUPART_URL, text, CURLU_DISALLOW_USER) != CURLUE_OK)
		return problem_set(p, PROBLEM_MALFORMED, "%.200s is no URL", text);
	*ret = steal(url);
	return true;
}

bool fetch_url_follow(struct fetch_url *url, const char *location)
{
	return lib.url_set(url->curl, CURLUPART_URL, location, CURLU_DISALLOW_USER) == CURLUE_OK;
}

void fetch_url_free(struct fetch_url *url)
{
	if (!url)
		return;
	if (url->curl)
		lib.url_cleanup(url->curl);
	free(url);
}

static bool take_host(const char *host, char ret[256])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(host);
	struct addr addr;

	if (len > 2 && len < 256 && host[0] == '[' && host[len - 1] == ']') {
		snprintf(ret, 256, "%.*s", (int)len - 2, host + 1);
		return addr_parse(ret, &addr);
	}
	snprintf(ret, 256, "%s", host);
	return len > 0 && len <= 253 && strspn(host, allowed) == len;
}

bool fetch_url_parts(const struct fetch_url *url, struct fetch_url_parts *ret)
{
	auto(curl_string) *text = NULL, *scheme = NULL, *host = NULL, *port = NULL, *zone = NULL;

	if (lib.url_get(url->curl, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return false;
	snprintf(ret->text, sizeof(ret->text), "%s", text);
	if (lib.url_get(url->curl, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    lib.url_get(url->curl, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    lib.url_get(url->curl, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    lib.url_get(url->curl, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK)
		return false;
	ret->port = (unsigned)strtoul(port, NULL, 10);
	ret->https = str_equal(scheme, "https");
	return (ret->https || str_equal(scheme, "http")) && take_host(host, ret->host);
}

/* --- handles */

struct fetcher {
	pthread_mutex_t mutex;
	CURL *idle[IDLE_MAX]; /* guarded by mutex */
	size_t idle_count;
};

bool fetcher_open(struct fetcher **ret, struct problem *p)
{
	struct fetcher *http = calloc(1, sizeof(*http));

	if (!http)
		return problem_memory(p);
	pthread_mutex_init(&http->mutex, NULL);
	*ret = http;
	return true;
}

void fetcher_close(struct fetcher *http)
{
	if (!http)
		return;
	for (size_t i = 0; i < http->idle_count; i++)
		lib.easy_cleanup(http->idle[i]);
	pthread_mutex_destroy(&http->mutex);
	free(http);
}

static CURL *handle_take(struct fetcher *http)
{
	CURL *curl = NULL;

	pthread_mutex_lock(&http->mutex);
	if (http->idle_count > 0)
		curl = http->idle[--http->idle_count];
	pthread_mutex_unlock(&http->mutex);
	return curl ? curl : lib.easy_init();
}

static void handle_give(struct fetcher *http, CURL *curl)
{
	lib.easy_reset(curl);
	pthread_mutex_lock(&http->mutex);
	if (http->idle_count < IDLE_MAX) {
		http->idle[http->idle_count++] = curl;
		curl = NULL;
	}
	pthread_mutex_unlock(&http->mutex);
	if (curl)
		lib.easy_cleanup(curl);
}

/* --- one request */

static bool may_connect(struct fetch *get, const struct addr *addr)
{
	auto_value(problem) why = {0};

	if (get->addr.family && !addr_equal(addr, &get->addr))
		return false;
	if (!get->rules || outbound_check(get->rules, addr, &why))
		return true;
	snprintf(get->refused, sizeof(get->refused), "%s", why.detail);
	return false;
}

/* The wall: whatever curl believes it connects to, it is an address that was judged. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fetch *get = arg;
	struct addr addr;

	if (purpose != CURLSOCKTYPE_IPCXN || !addr_from_sockaddr(&to->addr, &addr))
		return CURL_SOCKET_BAD;
	if (get->proxy ? !addr_equal(&addr, &get->proxy_addr) : !may_connect(get, &addr))
		return CURL_SOCKET_BAD;
	get->passed = true;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static bool has_name(const char *line, size_t len, const char *name)
{
	return len >= strlen(name) && strncasecmp(line, name, strlen(name)) == 0;
}

/* One that is too long is none. */
static void take_location(struct fetch *get, const char *value, size_t len)
{
	while (len > 0 && isspace((unsigned char)value[0])) {
		value++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)value[len - 1]))
		len--;
	if (len > FETCH_LOCATION_MAX || memchr(value, '\0', len))
		len = 0;
	memcpy(get->location, value, len);
	get->location[len] = '\0';
}

/* A status line begins anew: interim replies may come before. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = "location:";
	struct fetch *get = arg;
	size_t len = size * n;

	get->header_bytes += len;
	if (get->header_bytes > HEADERS_MAX)
		return 0;
	if (has_name(line, len, "http/"))
		get->location[0] = '\0';
	else if (has_name(line, len, name))
		take_location(get, line + strlen(name), len - strlen(name));
	return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *get = arg;
	size_t len = size * n, max = get->post.data ? FETCH_DROPPED_MAX : FETCH_BODY_MAX;

	if (len > max - get->body_len) {
		get->too_long = true;
		return 0;
	}
	if (!get->post.data)
		memcpy(get->body + get->body_len, data, len);
	get->body_len += len;
	return len;
}

static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	const struct fetch *get = arg;

	(void)down_all, (void)down, (void)up_all, (void)up;
	return atomic_load(get->cancel);
}

static slist *connect_to(const struct fetch *get)
{
	char text[ADDR_TEXT_SIZE], line[ADDR_TEXT_SIZE + 24];

	addr_format(&get->addr, text);
	snprintf(line, sizeof(line), get->addr.family == AF_INET6 ? "::[%s]:%u" : "::%s:%u", text, get->port);
	return lib.slist_append(NULL, line);
}

static bool make_lines(const struct fetch *get, slist **ret)
{
	/* "Expect: 100-continue" costs a second where it is not understood. */
	slist *list = lib.slist_append(NULL, "Expect:");

	for (size_t i = 0; list && get->headers && get->headers[i]; i++) {
		slist *longer = lib.slist_append(list, get->headers[i]);
		if (!longer)
			lib.slist_free_all(list);
		list = longer;
	}
	*ret = list;
	return list;
}

static CURLcode guard_context(CURL *c, void *context, void *unused)
{
	(void)c;
	(void)unused;
	tls_chain_guard(context);
	return CURLE_OK;
}

/* The first that curl does not take ends the request: with a proxy or a trust less it would be another. */
struct options {
	CURL *curl;
	CURLcode code;
};
#define SET(o, option, value) ((o)->code = (o)->code ? (o)->code : lib.easy_setopt((o)->curl, option, value))

/* Where unverified: the name behind a redirect may be waiting for the very certificate, and RFC 8555, 8.3
 * rests on the HTTP hop. */
static void setup_tls(struct options *o, const struct fetch *get)
{
	SET(o, CURLOPT_SSL_VERIFYPEER, get->verify ? 1L : 0L);
	SET(o, CURLOPT_SSL_VERIFYHOST, get->verify ? 2L : 0L);
	SET(o, CURLOPT_SSL_CTX_FUNCTION, guard_context);
	if (get->verify)
		SET(o, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (get->trust) {
		SET(o, CURLOPT_CAINFO, get->trust);
		SET(o, CURLOPT_CAPATH, NULL);
	}
}

/* Nothing of the environment, nothing remembered, nothing decoded. */
static bool setup(CURL *c, struct fetch *get, slist *to, slist *lines, struct problem *p)
{
	struct options options = { .curl = c }, *o = &options;

	SET(o, CURLOPT_CURLU, get->url->curl);
	SET(o, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(o, CURLOPT_CONNECT_TO, to);
	SET(o, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(o, CURLOPT_OPENSOCKETDATA, get);
	SET(o, CURLOPT_HEADERFUNCTION, on_header);
	SET(o, CURLOPT_HEADERDATA, get);
	SET(o, CURLOPT_WRITEFUNCTION, on_body);
	SET(o, CURLOPT_WRITEDATA, get);
	SET(o, CURLOPT_HTTPHEADER, lines);
	SET(o, CURLOPT_TIMEOUT_MS, (long)get->timeout_ms);
	SET(o, CURLOPT_CONNECTTIMEOUT_MS, (long)get->connect_ms);
	SET(o, CURLOPT_USERAGENT, "enrolld/" ENROLLD_VERSION);
	SET(o, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(o, CURLOPT_PROXY, get->proxy ? get->proxy : "");
	SET(o, CURLOPT_NOPROXY, get->proxy ? "" : "*");
	SET(o, CURLOPT_HTTPPROXYTUNNEL, get->proxy ? 1L : 0L); /* to the address, not the name */
	SET(o, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(o, CURLOPT_NOSIGNAL, 1L);
	SET(o, CURLOPT_QUICK_EXIT, 1L);
	SET(o, CURLOPT_FRESH_CONNECT, get->keep ? 0L : 1L);
	SET(o, CURLOPT_FORBID_REUSE, get->keep ? 0L : 1L);
	SET(o, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(o, CURLOPT_BUFFERSIZE, 1024L);
	if (get->post.data) {
		SET(o, CURLOPT_POST, 1L);
		SET(o, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)get->post.len);
		SET(o, CURLOPT_POSTFIELDS, get->post.data);
	}
	if (get->cancel) {
		SET(o, CURLOPT_NOPROGRESS, 0L);
		SET(o, CURLOPT_XFERINFOFUNCTION, on_progress);
		SET(o, CURLOPT_XFERINFODATA, get);
	}
	setup_tls(o, get);
	return o->code == CURLE_OK || problem_internal(p, "libcurl: %s", lib.easy_strerror(o->code));
}

static bool is_tls(CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
	       code == CURLE_SSL_CACERT_BADFILE;
}

static const char *cause(CURL *c, const struct fetch *get, CURLcode code)
{
	long error = 0;

	lib.easy_getinfo(c, CURLINFO_OS_ERRNO, &error);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return get->connected ? "no whole answer in time" : "no connection in time";
	if (!get->connected && error)
		return strerrordesc_np((int)error);
	return code == CURLE_WRITE_ERROR ? "too many header lines" : lib.easy_strerror(code);
}

/* Why curl came back without a reply. */
static bool refuse(CURL *c, const struct fetch *get, CURLcode code, struct problem *p)
{
	enum problem_kind kind = is_tls(code) ? PROBLEM_TLS : PROBLEM_CONNECTION;
	const char *why = cause(c, get, code);
	char addr[ADDR_TEXT_SIZE];

	if (get->refused[0] && !get->passed)
		return problem_set(p, PROBLEM_CONNECTION, "%s", get->refused);
	if (!get->addr.family)
		return problem_set(p, kind, "%s", why ? why : "failed");
	addr_format(&get->addr, addr);
	return problem_set(p, kind, "%s port %u: %s", addr, get->port, why ? why : "failed");
}

static bool perform(CURL *c, struct fetch *get, struct problem *p)
{
	curl_off_t connect_time = 0, retry_after = 0;
	CURLcode code = lib.easy_perform(c);

	lib.easy_getinfo(c, CURLINFO_RESPONSE_CODE, &get->status);
	lib.easy_getinfo(c, CURLINFO_CONNECT_TIME_T, &connect_time);
	lib.easy_getinfo(c, CURLINFO_RETRY_AFTER, &retry_after);
	get->retry_after = retry_after > 0 ? retry_after : 0;
	get->connected = connect_time > 0 || is_tls(code);
	get->answered = code == CURLE_OK || (get->too_long && get->status);
	return get->answered || refuse(c, get, code, p);
}

static void begin(struct fetch *get)
{
	get->location[0] = get->refused[0] = '\0';
	get->header_bytes = get->body_len = 0;
	get->too_long = get->passed = get->connected = get->answered = false;
	get->status = 0;
}

bool fetch_run(struct fetcher *http, struct fetch *get, struct problem *p)
{
	CURL *c = handle_take(http);
	auto(slist) *to = get->addr.family ? connect_to(get) : NULL, *lines = NULL;

	assert(get->addr.family || get->rules);
	if (!c || (get->addr.family && !to) || !make_lines(get, &lines)) {
		lib.easy_cleanup(c);
		return problem_memory(p);
	}
	begin(get);
	bool answered = setup(c, get, to, lines, p) && perform(c, get, p);
	handle_give(http, c);
	return answered;
}
