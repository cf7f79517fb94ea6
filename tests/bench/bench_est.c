/* Load generator: devices enroll over EST, as many connections at once as are asked for, all from one thread. Prints one
 * JSON line each for the floor and for a run.
 *
 *   bench_est floor
 *   bench_est PORT CA CODE PID fresh|keep|code CONNECTIONS DEVICES
 *
 * fresh: each device shows its certificate in a handshake of its own and renews; keep: each connection is of one device, which
 * renews again and again; code: simpleenroll with a code, each in a handshake of its own.
 * Devices have a certificate and a CSR before the clock runs. A device that is refused or cut off tries again. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/ossl.h"
#include "tests/bench/http_client.h"
#include "tests/bench/process.h"

enum { READ_SIZE = 4096, TRIES_MAX = 200, RETRY_MS = 250, STALL_MS = 120000 };

struct device {
	X509 *certificate;
	struct buf csr;            /* base64 */
	double began, took;        /* ms; took 0: not served yet */
	unsigned tries;
};
struct connection {
	int fd;
	SSL *ssl;
	struct device *device;     /* NULL: free */
	struct device *home;       /* whose certificate and CSR it sends */
	struct buf out, in;
	size_t sent;
	double again;              /* when to try again; 0: under way */
	bool connected, shaken;
};

static struct {
	unsigned port;
	SSL_CTX *context;
	EVP_PKEY *key;             /* of all devices: the client's work is not what is measured */
	char basic[512];
	bool keep, certificates;   /* of the run */
	const char *operation;
	struct device *devices;
	unsigned count, next, served, retries, refused[600];
	struct connection *connections;
	unsigned connection_count;
	int epoll;
} bench;

/* --- a request and its reply */

static void request_write(struct connection *c)
{
	const struct buf *body = &c->home->csr;

	buf_clear(&c->out);
	buf_printf(&c->out, "POST /.well-known/est/%s HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: bench\r\nContent-Type: application/pkcs10\r\n"
	           "Content-Length: %zu\r\n%s%s%s%s\r\n", bench.operation, bench.port, body->len, bench.certificates ? "" : "Authorization: Basic ",
	           bench.certificates ? "" : bench.basic, bench.certificates ? "" : "\r\n", bench.keep ? "" : "Connection: close\r\n");
	buf_add(&c->out, body->data, body->len);
	buf_clear(&c->in);
	c->sent = 0;
}

/* The status once the reply is whole; 0: more is to come. */
static int reply_status(const struct connection *c, const char **ret_body)
{
	const char *text = buf_text(&c->in), *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
	int status;

	if (!end || !length || sscanf(text, "HTTP/1.1 %d", &status) != 1)
		return 0;
	*ret_body = end + 4;
	return c->in.len >= (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10) ? status : 0;
}

static X509 *certificate_of(const char *body)
{
	auto_value(buf) der = {0};

	if (!base64_decode(body, strlen(body), &der))
		return NULL;
	const uint8_t *at = der.data;
	auto(CMS_ContentInfo) *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	ossl_x509_stack *list = cms ? CMS_get1_certs(cms) : NULL;
	X509 *found = sk_X509_num(list) == 1 ? sk_X509_shift(list) : NULL;
	ossl_free_stack_x509(list);
	return found;
}

/* --- connections */

static void watch(struct connection *c, unsigned events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	if (epoll_ctl(bench.epoll, EPOLL_CTL_MOD, c->fd, &event) != 0 && epoll_ctl(bench.epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		bench_fail("epoll: %s", strerror(errno));
}

static void disconnect(struct connection *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->connected = c->shaken = false;
}

static void connect_out(struct connection *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)bench.port) };
	int on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		bench_fail("socket: %s", strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)!connect(c->fd, (const struct sockaddr *)&to, sizeof to);
	c->ssl = SSL_new(bench.context);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set_connect_state(c->ssl);
	SSL_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS);
	if (bench.certificates && (SSL_use_certificate(c->ssl, c->home->certificate) != 1 || SSL_use_PrivateKey(c->ssl, bench.key) != 1))
		bench_fail("a device's certificate");
	watch(c, EPOLLOUT);
}

/* The next device; false: there is none. */
static bool take_device(struct connection *c)
{
	if (bench.next == bench.count) {
		c->device = NULL;
		disconnect(c);
		return false;
	}
	c->device = &bench.devices[bench.next++];
	if (!c->home || !bench.keep || !bench.certificates)
		c->home = c->device;
	c->device->began = process_now_ms();
	return true;
}

static void start(struct connection *c)
{
	c->again = 0;
	request_write(c);
	if (c->fd < 0)
		connect_out(c);
	else
		watch(c, EPOLLOUT);
}

static void retry(struct connection *c)
{
	disconnect(c);
	ERR_clear_error();
	bench.retries++;
	if (++c->device->tries > TRIES_MAX)
		bench_fail("a device was not served in %d tries", TRIES_MAX);
	c->again = process_now_ms() + RETRY_MS;
}

static void finish(struct connection *c, int status, const char *body)
{
	struct device *d = c->device;

	if (status != 200) {
		bench.refused[status < 600 ? status : 0]++;
		if (status != 429 && status < 500)
			bench_fail("%d: %s", status, body);
		retry(c);
		return;
	}
	X509 *got = certificate_of(body);
	if (!got)
		bench_fail("no certificate: %s", body);
	if (bench.certificates) {
		X509_free(got);
	} else {
		X509_free(d->certificate);
		d->certificate = got;
	}
	d->took = process_now_ms() - d->began;
	bench.served++;
	bool closes = !bench.keep || strcasestr(buf_text(&c->in), "\r\nConnection: close");
	if (closes)
		disconnect(c);
	if (take_device(c))
		start(c);
}

/* false: it waits for the kernel, or is over. */
static bool wants(struct connection *c, int result)
{
	int error = SSL_get_error(c->ssl, result);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		watch(c, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
	else
		retry(c);
	return false;
}

static void receive(struct connection *c)
{
	uint8_t chunk[READ_SIZE];
	const char *body;

	for (;;) {
		int n = SSL_read(c->ssl, chunk, sizeof chunk);
		if (n <= 0) {
			wants(c, n);
			return;
		}
		buf_add(&c->in, chunk, (size_t)n);
		int status = reply_status(c, &body);
		if (status != 0) {
			finish(c, status, body);
			return;
		}
	}
}

static void step(struct connection *c, unsigned events)
{
	if (!c->device || c->again != 0)
		return;
	if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) {
		retry(c);
		return;
	}
	if (!c->shaken) {
		int n = SSL_do_handshake(c->ssl);
		if (n != 1 && !wants(c, n))
			return;
		c->shaken = true;
	}
	if (c->sent == 0) {
		int n = SSL_write(c->ssl, c->out.data, (int)c->out.len);
		if (n <= 0 && !wants(c, n))
			return;
		c->sent = (size_t)n;
	}
	receive(c);
}

static void run(void)
{
	struct epoll_event events[256];
	double last = process_now_ms();
	unsigned served = 0;

	bench.next = bench.served = bench.retries = 0;
	memset(bench.refused, 0, sizeof bench.refused);
	for (unsigned i = 0; i < bench.connection_count; i++)
		if (take_device(&bench.connections[i]))
			start(&bench.connections[i]);
	while (bench.served < bench.count) {
		int n = epoll_wait(bench.epoll, events, array_length(events), 20);
		for (int i = 0; i < n; i++)
			step(events[i].data.ptr, events[i].events);
		double now = process_now_ms();
		for (unsigned i = 0; bench.retries > 0 && i < bench.connection_count; i++)
			if (bench.connections[i].device && bench.connections[i].again != 0 && bench.connections[i].again <= now)
				start(&bench.connections[i]);
		if (bench.served > served)
			last = now;
		served = bench.served;
		if (now - last > STALL_MS)
			bench_fail("stalled: %u of %u served", bench.served, bench.count);
	}
}

/* --- what is there before the clock runs */

static void csr_make(unsigned i, struct buf *ret)
{
	auto(X509_REQ) *csr = X509_REQ_new();
	auto_free char *names = mem_printf("DNS:n%u.bench.example.com", i);
	auto_value(buf) der = {0};
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	auto(ossl_extensions) *list = sk_X509_EXTENSION_new_null();

	if (!san || sk_X509_EXTENSION_push(list, san) <= 0 || X509_REQ_add_extensions(csr, list) != 1 || X509_REQ_set_pubkey(csr, bench.key) != 1 ||
	    X509_REQ_sign(csr, bench.key, EVP_sha256()) <= 0 || !ossl_der(i2d_X509_REQ, csr, &der))
		bench_fail("a CSR");
	buf_add_base64(ret, buf_bytes(&der));
}

static void prepare(const char *ca, const char *code, unsigned devices, unsigned connections)
{
	const struct rlimit files = { connections + 100, connections + 100 };
	auto_value(buf) basic = {0};
	auto_free char *pair = mem_printf("bench:%s", code);

	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		bench_fail("%u files at once: %s", connections + 100, strerror(errno));
	buf_add_base64(&basic, BYTES_STR(pair));
	snprintf(bench.basic, sizeof bench.basic, "%s", buf_text(&basic));
	bench.key = EVP_EC_gen("P-256");
	bench.context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(bench.context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_locations(bench.context, ca, NULL) != 1)
		bench_fail("cannot read %s", ca);
	bench.epoll = epoll_create1(0);
	bench.count = devices;
	bench.devices = calloc(devices, sizeof *bench.devices);
	bench.connection_count = connections;
	bench.connections = calloc(connections, sizeof *bench.connections);
	for (unsigned i = 0; i < connections; i++)
		bench.connections[i].fd = -1;
	for (unsigned i = 0; i < devices; i++)
		csr_make(i, &bench.devices[i].csr);
}

/* All devices get their first certificate. */
static void enroll_all(void)
{
	unsigned connections = bench.connection_count;

	bench.keep = true;
	bench.certificates = false;
	bench.operation = "simpleenroll";
	bench.connection_count = connections < 8 ? connections : 8;
	run();
	bench.connection_count = connections;
	for (unsigned i = 0; i < bench.connection_count; i++) {
		disconnect(&bench.connections[i]);
		bench.connections[i].home = NULL;
	}
}

/* --- what comes out */

static int by_value(const void *a, const void *b)
{
	double x = ((const struct device *)a)->took, y = ((const struct device *)b)->took;

	return (x > y) - (x < y);
}

static void report(const char *mode, double wall, double cpu, int pid)
{
	qsort(bench.devices, bench.count, sizeof *bench.devices, by_value);
	printf("{\"mode\":\"%s\",\"connections\":%u,\"count\":%u,\"per_second\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.1f,"
	       "\"cpu_ms\":%.3f,\"rss_mb\":%.1f,\"peak_mb\":%.1f,\"retries\":%u,\"refused_503\":%u,\"refused_429\":%u,\"wall_ms\":%.0f}\n",
	       mode, bench.connection_count, bench.count, bench.count * 1000.0 / wall, bench.devices[bench.count / 2].took,
	       bench.devices[bench.count * 99 / 100].took, bench.devices[bench.count - 1].took, cpu / bench.count,
	       process_rss_mb(pid, "VmRSS"), process_rss_mb(pid, "VmHWM"), bench.retries, bench.refused[503], bench.refused[429], wall);
}

/* --- the floor: the server's side of a handshake with a client certificate, its issuer's signature, the CSR's, and ours */

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *cert = X509_new();

	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 7776000);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	return cert;
}

static int accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store, (void)arg;
	return 1;
}

static SSL_CTX *side(const SSL_METHOD *method, X509 *cert, EVP_PKEY *key)
{
	SSL_CTX *context = SSL_CTX_new(method);
	int groups[] = { NID_X25519 };

	SSL_CTX_use_certificate(context, cert);
	SSL_CTX_use_PrivateKey(context, key);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set1_groups(context, groups, 1);
	return context;
}

/* The server's part alone. */
static double handshake_us(SSL_CTX *server_side, SSL_CTX *client_side)
{
	SSL *server = SSL_new(server_side), *client = SSL_new(client_side);
	BIO *a, *b;
	double took = 0;

	BIO_new_bio_pair(&a, 0, &b, 0);
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	while (!SSL_is_init_finished(server) || !SSL_is_init_finished(client)) {
		SSL_do_handshake(client);
		double began = cpu_us();
		SSL_do_handshake(server);
		took += cpu_us() - began;
	}
	SSL_free(server);
	SSL_free(client);
	return took;
}

static double sign_us(EVP_PKEY *key, EVP_MD *md, uint8_t *signature, size_t *len)
{
	static const uint8_t text[600];
	double began = cpu_us();
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	*len = 80;
	if (EVP_DigestSignInit(ctx, NULL, md, NULL, key) != 1 || EVP_DigestSign(ctx, signature, len, text, sizeof text) != 1)
		bench_fail("sign");
	return cpu_us() - began;
}

static double verify_us(EVP_PKEY *key, EVP_MD *md, const uint8_t *signature, size_t len)
{
	static const uint8_t text[600];
	double began = cpu_us();
	auto(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	if (EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) != 1 || EVP_DigestVerify(ctx, signature, len, text, sizeof text) != 1)
		bench_fail("verify");
	return cpu_us() - began;
}

static int floor_main(void)
{
	enum { ROUNDS = 5, TIMES = 300 };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	X509 *cert = self_signed(key);
	SSL_CTX *server = side(TLS_server_method(), cert, key), *client = side(TLS_client_method(), cert, key);
	double best[3] = { 1e9, 1e9, 1e9 };
	uint8_t signature[80];
	size_t len;

	for (int r = 0; r < ROUNDS; r++) {
		double sum[3] = {0};
		for (int i = 0; i < TIMES; i++) {
			sum[0] += handshake_us(server, client);
			sum[1] += sign_us(key, md, signature, &len);
			sum[2] += verify_us(key, md, signature, len);
		}
		for (int k = 0; k < 3; k++)
			best[k] = sum[k] / TIMES < best[k] ? sum[k] / TIMES : best[k];
	}
	printf("{\"handshake_us\":%.1f,\"sign_us\":%.1f,\"verify_us\":%.1f,\"fresh_ms\":%.3f,\"keep_ms\":%.3f}\n", best[0], best[1], best[2],
	       (best[0] + 2 * best[2] + best[1]) / 1000, (2 * best[2] + best[1]) / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && str_equal(argv[1], "floor"))
		return floor_main();
	if (argc != 8)
		bench_fail("PORT CA CODE PID fresh|keep|code CONNECTIONS DEVICES, or floor");
	int pid = atoi(argv[4]);
	signal(SIGPIPE, SIG_IGN);
	bench.port = (unsigned)atoi(argv[1]);
	prepare(argv[2], argv[3], (unsigned)atoi(argv[7]), (unsigned)atoi(argv[6]));
	bench.certificates = !str_equal(argv[5], "code");
	if (bench.certificates) {
		enroll_all();
		bench.certificates = true;
	}
	bench.keep = str_equal(argv[5], "keep");
	bench.operation = bench.certificates ? "simplereenroll" : "simpleenroll";
	double began = process_now_ms(), cpu = process_cpu_ms(pid);
	run();
	report(argv[5], process_now_ms() - began, process_cpu_ms(pid) - cpu, pid);
	return 0;
}
