#include "acme/probe_http.h"

#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"

enum {
	REDIRECTS_MAX = 10,
	BODY_MAX = 512,        /* a key authorization has 66 to 87 bytes */
	HEADERS_MAX = 16384,   /* all header lines of one reply */
	URL_MAX = 2000,
	CONNECT_FIRST_MS = 3000, /* for IPv6 when IPv4 can be tried after it */
	IDLE_MAX = 16,
};

struct probe_http {
	struct probe_http_options options;
	pthread_mutex_t mutex;
	CURL *idle[IDLE_MAX]; /* guarded by mutex */
	size_t idle_count;
};

/* One request and what came of it. */
struct hop {
	const struct probe_http *http;
	CURL *curl;
	CURLU *url;
	char text[256];        /* the URL for messages, cut */
	char host[256];        /* as in the URL, brackets included */
	unsigned port;
	bool https;
	struct addr addr;      /* the judged one */
	int64_t deadline;
	CURLcode code;
	long status;
	bool connected;
	char location[URL_MAX + 1];
	size_t header_bytes;
	char body[BODY_MAX];
	size_t body_len;
	bool too_long;
};

static inline void free_curl_string(char *s) { curl_free(s); }
static inline void free_slist(struct curl_slist *s) { curl_slist_free_all(s); }
typedef char curl_string;
typedef struct curl_slist slist;
declare_auto(CURLU, curl_url_cleanup);
declare_auto(curl_string, free_curl_string);
declare_auto(slist, free_slist);

static void setup(void)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	assert(code == CURLE_OK);
}

bool probe_http_open(const struct probe_http_options *options, struct probe_http **ret, struct problem *p)
{
	struct probe_http *http = calloc(1, sizeof(*http));

	if (!http)
		return problem_memory(p);
	http->options = *options;
	pthread_mutex_init(&http->mutex, NULL);
	*ret = http;
	return true;
}

void probe_http_close(struct probe_http *http)
{
	if (!http)
		return;
	for (size_t i = 0; i < http->idle_count; i++)
		curl_easy_cleanup(http->idle[i]);
	pthread_mutex_destroy(&http->mutex);
	free(http);
}

/* libcurl is first set up when it is first needed: a server that only serves EST stays smaller. */
static CURL *handle_take(struct probe_http *http)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CURL *curl = NULL;

	pthread_once(&once, setup);
	pthread_mutex_lock(&http->mutex);
	if (http->idle_count > 0)
		curl = http->idle[--http->idle_count];
	pthread_mutex_unlock(&http->mutex);
	return curl ? curl : curl_easy_init();
}

static void handle_give(struct probe_http *http, CURL *curl)
{
	curl_easy_reset(curl);
	pthread_mutex_lock(&http->mutex);
	if (http->idle_count < IDLE_MAX) {
		http->idle[http->idle_count++] = curl;
		curl = NULL;
	}
	pthread_mutex_unlock(&http->mutex);
	if (curl)
		curl_easy_cleanup(curl);
}

/* The second wall: whatever curl believes it connects to, it is the address that was judged. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	const struct hop *hop = arg;
	struct addr addr;

	if (purpose != CURLSOCKTYPE_IPCXN || !addr_from_sockaddr(&to->addr, &addr) ||
	    !addr_equal(&addr, &hop->addr))
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void keep_location(struct hop *hop, const char *line, size_t len)
{
	static const char name[] = "location:";
	size_t skip = sizeof(name) - 1;

	if (len <= skip || strncasecmp(line, name, skip) != 0)
		return;
	while (skip < len && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	while (len > skip && isspace((unsigned char)line[len - 1]))
		len--;
	snprintf(hop->location, sizeof(hop->location), "%.*s", (int)(len - skip), line + skip);
	if (len - skip > URL_MAX)
		hop->location[0] = '\0';
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct hop *hop = arg;

	hop->header_bytes += size * n;
	if (hop->header_bytes > HEADERS_MAX)
		return 0;
	keep_location(hop, line, size * n);
	return size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct hop *hop = arg;
	size_t len = size * n;

	if (len > BODY_MAX - hop->body_len) {
		hop->too_long = true;
		return 0;
	}
	memcpy(hop->body + hop->body_len, data, len);
	hop->body_len += len;
	return len;
}

static slist *connect_to(const struct hop *hop)
{
	char text[ADDR_TEXT_SIZE], line[ADDR_TEXT_SIZE + 24];

	addr_format(&hop->addr, text);
	snprintf(line, sizeof(line), hop->addr.family == AF_INET6 ? "::[%s]:%u" : "::%s:%u", text, hop->port);
	return curl_slist_append(NULL, line);
}

/* Nothing of the environment, nothing remembered, nothing decoded; TLS unverified, since the name
 * behind a redirect may be waiting for the very certificate, and 8.3 rests on the HTTP hop. */
static void request_setup(struct hop *hop, slist *to, int64_t timeout_ms, int64_t connect_ms)
{
	CURL *c = hop->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_CURLU, hop->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_CONNECT_TO, to);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, hop);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, hop);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, hop);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "enrolld/" ENROLLD_VERSION);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 1024L);
}

static bool request(struct hop *hop, int64_t connect_ms, struct problem *p)
{
	int64_t left = hop->deadline - clock_monotonic_ms();
	auto(slist) *to = connect_to(hop);
	curl_off_t connect_time = 0;

	if (!to)
		return problem_memory(p);
	hop->location[0] = '\0';
	hop->header_bytes = hop->body_len = 0;
	hop->too_long = false;
	hop->status = 0;
	left = left > 1 ? left : 1;
	request_setup(hop, to, left, connect_ms && connect_ms < left / 2 ? connect_ms : left);
	hop->code = curl_easy_perform(hop->curl);
	curl_easy_getinfo(hop->curl, CURLINFO_RESPONSE_CODE, &hop->status);
	curl_easy_getinfo(hop->curl, CURLINFO_CONNECT_TIME_T, &connect_time);
	hop->connected = connect_time > 0 || hop->code == CURLE_SSL_CONNECT_ERROR;
	return true;
}

static bool resolve(const struct hop *hop, struct dns_addresses *ret, struct problem *p)
{
	char text[sizeof(hop->host)];
	size_t len = strlen(hop->host);

	if (hop->host[0] == '[' && hop->host[len - 1] == ']')
		snprintf(text, sizeof(text), "%.*s", (int)len - 2, hop->host + 1);
	else
		snprintf(text, sizeof(text), "%s", hop->host);
	if (!addr_parse(text, &ret->v[0]))
		return dns_lookup(hop->http->options.dns, text, hop->deadline, ret, p);
	ret->n = 1;
	return true;
}

/* IPv6 first, and IPv4 once when IPv6 could not be connected to. */
static bool request_somewhere(struct hop *hop, struct problem *p)
{
	const struct probe_rules *rules = &hop->http->options.rules;
	struct dns_addresses all = {0};
	struct addr v6, v4;
	auto_value(problem) why = {0};

	if (!resolve(hop, &all, p))
		return false;
	bool has_v6 = probe_addr_pick(rules, all.v, all.n, AF_INET6, &v6, &why);
	bool has_v4 = probe_addr_pick(rules, all.v, all.n, AF_INET, &v4, &why);
	if (!has_v6 && !has_v4)
		return problem_set(p, PROBLEM_CONNECTION, "%s: %s", hop->text, why.detail);
	hop->addr = has_v6 ? v6 : v4;
	if (!request(hop, has_v6 && has_v4 ? CONNECT_FIRST_MS : 0, p))
		return false;
	if (hop->connected || !has_v6 || !has_v4)
		return true;
	hop->addr = v4;
	return request(hop, 0, p);
}

static bool is_host(const char *host)
{
	size_t len = strlen(host);
	struct addr addr;

	if (host[0] == '[')
		return true; /* judged by addr_parse */
	return addr_parse(host, &addr) ||
	       (len > 0 && len <= 253 &&
	        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len);
}

/* Takes the parts of the URL that decide where the request goes. */
static bool hop_parts(struct hop *hop, struct problem *p)
{
	auto(curl_string) *whole = NULL, *scheme = NULL, *host = NULL, *port = NULL, *zone = NULL;

	if (curl_url_get(hop->url, CURLUPART_URL, &whole, 0) ||
	    curl_url_get(hop->url, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(hop->url, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(hop->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return problem_set(p, PROBLEM_CONNECTION, "%s: redirected to a URL of no use", hop->text);
	snprintf(hop->text, sizeof(hop->text), "%s", whole);
	hop->https = str_equal(scheme, "https");
	hop->port = hop->https ? hop->http->options.https_port : hop->http->options.http_port;
	if (!hop->https && !str_equal(scheme, "http"))
		return problem_set(p, PROBLEM_CONNECTION, "%s: only http and https are followed", hop->text);
	if (strtoul(port, NULL, 10) != hop->port)
		return problem_set(p, PROBLEM_CONNECTION, "%s: only port %u is allowed for %s", hop->text,
		                   hop->port, scheme);
	if (curl_url_get(hop->url, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK ||
	    strlen(host) >= sizeof(hop->host) || !is_host(host))
		return problem_set(p, PROBLEM_CONNECTION, "%s: not a host name or address", hop->text);
	snprintf(hop->host, sizeof(hop->host), "%s", host);
	return true;
}

static bool hop_first(struct hop *hop, const struct probe_task *task, struct problem *p)
{
	bool brackets = str_equal(task->type, "ip") && strchr(task->value, ':');
	auto_value(buf) url = {0};

	buf_printf(&url, brackets ? "http://[%s]" : "http://%s", task->value);
	if (hop->http->options.http_port != 80)
		buf_printf(&url, ":%u", hop->http->options.http_port);
	buf_printf(&url, "/.well-known/acme-challenge/%s", task->token);
	if (!buf_check(&url, p))
		return false;
	snprintf(hop->text, sizeof(hop->text), "%s", buf_text(&url));
	if (curl_url_set(hop->url, CURLUPART_URL, buf_text(&url), 0))
		return problem_set(p, PROBLEM_MALFORMED, "RFC 8555, 8.3: %s is no URL", hop->text);
	return hop_parts(hop, p);
}

static bool is_redirect(const struct hop *hop)
{
	return hop->status == 301 || hop->status == 302 || hop->status == 303 || hop->status == 307 ||
	       hop->status == 308;
}

static bool hop_next(struct hop *hop, struct problem *p)
{
	if (!hop->location[0])
		return problem_set(p, PROBLEM_INCORRECT_RESPONSE, "%s answered %ld without a usable Location",
		                   hop->text, hop->status);
	if (curl_url_set(hop->url, CURLUPART_URL, hop->location, CURLU_DISALLOW_USER))
		return problem_set(p, PROBLEM_CONNECTION, "%s: redirected to a URL of no use", hop->text);
	return hop_parts(hop, p);
}

/* Why curl came back without a reply. */
static bool refuse_failed(const struct hop *hop, struct problem *p)
{
	char addr[ADDR_TEXT_SIZE];
	const char *why = curl_easy_strerror(hop->code);
	long error = 0;

	addr_format(&hop->addr, addr);
	curl_easy_getinfo(hop->curl, CURLINFO_OS_ERRNO, &error);
	if (hop->code == CURLE_OPERATION_TIMEDOUT)
		why = hop->connected ? "no whole answer in time" : "no connection in time";
	else if (!hop->connected && error)
		why = strerrordesc_np((int)error);
	else if (hop->code == CURLE_WRITE_ERROR)
		why = "too many header lines";
	return problem_set(p, hop->code == CURLE_SSL_CONNECT_ERROR ? PROBLEM_TLS : PROBLEM_CONNECTION,
	                   "%s at %s port %u: %s", hop->text, addr, hop->port, why ? why : "failed");
}

static bool hop_do(struct hop *hop, struct problem *p)
{
	if (!request_somewhere(hop, p))
		return false;
	if (hop->code == CURLE_OK || (hop->too_long && hop->status))
		return true;
	return refuse_failed(hop, p);
}

static bool judge(const struct hop *hop, const struct probe_task *task, struct problem *p)
{
	const struct probe_reply reply = {
		.url = hop->text, .addr = hop->addr, .status = hop->status, .body = BYTES(hop->body, hop->body_len),
		.too_long = hop->too_long,
	};

	return probe_reply_check(&reply, task, p);
}

static bool prove(struct hop *hop, const struct probe_task *task, struct problem *p)
{
	if (!hop_first(hop, task, p) || !hop_do(hop, p))
		return false;
	for (int i = 0; is_redirect(hop); i++) {
		if (i == REDIRECTS_MAX)
			return problem_set(p, PROBLEM_CONNECTION, "%s: more than %d redirects",
			                   hop->text, REDIRECTS_MAX);
		if (!hop_next(hop, p) || !hop_do(hop, p))
			return false;
	}
	return judge(hop, task, p);
}

bool probe_http_prove(struct probe_http *http, const struct probe_task *task, struct problem *p)
{
	auto(CURLU) *url = curl_url();
	auto_free struct hop *hop = calloc(1, sizeof(*hop));
	CURL *curl = handle_take(http);
	bool proven;

	if (!url || !hop || !curl) {
		curl_easy_cleanup(curl);
		return problem_memory(p);
	}
	hop->http = http;
	hop->url = url;
	hop->curl = curl;
	hop->deadline = clock_monotonic_ms() + http->options.timeout_ms;
	proven = prove(hop, task, p);
	handle_give(http, curl);
	return proven;
}
