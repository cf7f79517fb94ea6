#include "acme/probe_alpn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/tls_chain.h"

enum { CHAIN_BYTES = 16 * 1024 }; /* one certificate is wanted */

static const unsigned char protocol[] = "\x0a" "acme-tls/1";

/* RSA first, as public CAs have it: of a server with several keys, mod_md shows its proof in the place of the
 * RSA one. */
static char signatures[] = /* not const, as OpenSSL casts it */
	"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
	"rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
	"RSA+SHA256:RSA+SHA384:RSA+SHA512:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448";

struct probe_alpn {
	SSL_CTX *context;
};

declare_auto(SSL, SSL_free);

bool probe_alpn_open(struct probe_alpn **ret, struct problem *p)
{
	auto_struct(probe_alpn) *alpn = calloc(1, sizeof(*alpn));

	if (!alpn)
		return problem_memory(p);
	alpn->context = SSL_CTX_new(TLS_client_method());
	if (!alpn->context || SSL_CTX_set_min_proto_version(alpn->context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set1_sigalgs_list(alpn->context, signatures) != 1 ||
	    SSL_CTX_set_alpn_protos(alpn->context, protocol, sizeof(protocol) - 1) != 0)
		return problem_openssl(p, "the client side of TLS");
	SSL_CTX_set_verify(alpn->context, SSL_VERIFY_NONE, NULL); /* it is the certificate that is judged */
	SSL_CTX_set_session_cache_mode(alpn->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(alpn->context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_max_cert_list(alpn->context, CHAIN_BYTES);
	tls_chain_guard(alpn->context);
	*ret = steal(alpn);
	return true;
}

void probe_alpn_close(struct probe_alpn *alpn)
{
	if (!alpn)
		return;
	SSL_CTX_free(alpn->context);
	free(alpn);
}

static bool refuse(const struct probe_handshake *h, enum problem_kind kind, const char *why, struct problem *p)
{
	char addr[ADDR_TEXT_SIZE];

	addr_format(&h->addr, addr);
	return problem_set(p, kind, "%s port %u: %s", addr, h->port, why);
}

/* false: the time has come. */
static bool wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd poller = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - clock_monotonic_ms();

		if (left <= 0)
			return false;
		int n = poll(&poller, 1, left < INT_MAX ? (int)left : INT_MAX);
		if (n != 0 && (n > 0 || errno != EINTR))
			return true;
	}
}

static bool connect_to(int fd, struct probe_handshake *h, struct problem *p)
{
	int64_t deadline = clock_monotonic_ms() + h->connect_ms;
	struct sockaddr_storage to;
	socklen_t len = addr_to_sockaddr(&h->addr, h->port, &to), error_len = sizeof(int);
	int error = 0;

	if (connect(fd, (struct sockaddr *)&to, len) != 0) {
		if (errno != EINPROGRESS)
			return refuse(h, PROBLEM_CONNECTION, strerrordesc_np(errno), p);
		if (!wait_for(fd, POLLOUT, deadline < h->deadline ? deadline : h->deadline))
			return refuse(h, PROBLEM_CONNECTION, "no connection in time", p);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0 || error)
			return refuse(h, PROBLEM_CONNECTION, strerrordesc_np(error ? error : errno), p);
	}
	h->connected = true;
	return true;
}

/* What libssl says in words that help nobody; NULL: it says it well. */
static const char *plainly(unsigned long code)
{
	switch (ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0) {
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
		return "its chain of certificates is too large";
	case SSL_R_BAD_ECC_CERT:
		return "its certificate is broken: it may have an extension twice";
	default:
		return NULL;
	}
}

/* What libssl has to say, in its own short words; what the peer sent is not repeated. */
static bool refuse_tls(const struct probe_handshake *h, int error, struct problem *p)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = plainly(code) ?: code ? ERR_reason_error_string(code) : NULL;
	char text[200];

	snprintf(text, sizeof(text), "no TLS 1.2 or later with acme-tls/1: %s",
	         why ? why : error == SSL_ERROR_SYSCALL ? "the connection ended" : "the handshake failed");
	ERR_clear_error();
	return refuse(h, PROBLEM_TLS, text, p);
}

static bool shake(SSL *ssl, const struct probe_handshake *h, struct problem *p)
{
	for (;;) {
		ERR_clear_error();
		int n = SSL_connect(ssl), error = SSL_get_error(ssl, n);

		if (n == 1)
			return true;
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			return refuse_tls(h, error, p);
		if (!wait_for(SSL_get_fd(ssl), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, h->deadline))
			return refuse(h, PROBLEM_TLS, "no whole TLS handshake in time", p);
	}
}

/* RFC 8737, 3: acme-tls/1 was agreed on, or the host does not know the challenge. */
static bool take_peer(SSL *ssl, struct probe_handshake *h, struct problem *p)
{
	const unsigned char *agreed = NULL;
	unsigned len = 0;

	SSL_get0_alpn_selected(ssl, &agreed, &len);
	if (len != sizeof(protocol) - 2 || memcmp(agreed, protocol + 1, len) != 0)
		return refuse(h, PROBLEM_TLS, "RFC 8737, 3: the host did not agree on the protocol acme-tls/1", p);
	h->certificate = SSL_get1_peer_certificate(ssl);
	return h->certificate || refuse(h, PROBLEM_TLS, "RFC 8737, 3: the host showed no certificate", p);
}

bool probe_alpn_shake(struct probe_alpn *alpn, struct probe_handshake *h, struct problem *p)
{
	auto_fd int fd = socket(h->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	auto(SSL) *ssl = NULL;

	h->connected = false;
	if (fd < 0)
		return problem_internal(p, "socket: %m");
	if (!connect_to(fd, h, p))
		return false;
	ssl = SSL_new(alpn->context);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_set_tlsext_host_name(ssl, h->server_name) != 1)
		return problem_openssl(p, "a TLS connection");
	return shake(ssl, h, p) && take_peer(ssl, h, p);
}
