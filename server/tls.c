#include "server/tls.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/tls_chain.h"

enum { SESSIONS_MAX = 128, SESSION_SECONDS = 300 };
enum { CLIENT_CHAIN_MAX = 10, CLIENT_CHAIN_BYTES = 32 * 1024 };

struct tls {
	SSL_CTX *context;
	pthread_rwlock_t lock;         /* guards what follows */
	struct tls_certificate *certificate;
};

/* Whatever the client shows is accepted, an expired certificate too: that the handshake's signature
 * was made with its key has been or will be checked by libssl, the rest is policy's. */
static int accept_client(X509_STORE_CTX *store, void *unused)
{
	(void)unused;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static int choose_certificate(SSL *ssl, void *arg)
{
	struct tls *tls = arg;

	pthread_rwlock_rdlock(&tls->lock);
	const struct tls_certificate *c = tls->certificate;
	int ok = c && SSL_use_cert_and_key(ssl, c->own, c->key, c->above, 1) == 1;
	pthread_rwlock_unlock(&tls->lock);
	return ok;
}

/* After the client's Finished in TLS 1.3 nothing is sent back. A client whose system waits for an acknowledgement
 * before it sends its request (RFC 896) would wait for ours, which comes 40 ms later when nothing else is to be
 * said. */
static void acknowledge_at_once(const SSL *ssl, int where, int unused)
{
	(void)unused;
	if (where & SSL_CB_HANDSHAKE_DONE)
		setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
}

static bool offers(const unsigned char *offered, unsigned len, struct bytes protocol, const unsigned char **ret)
{
	for (unsigned at = 0; at < len; at += 1u + offered[at]) {
		if (offered[at] != protocol.len || len - at <= protocol.len ||
		    memcmp(offered + at + 1, protocol.data, protocol.len) != 0)
			continue;
		*ret = offered + at + 1;
		return true;
	}
	return false;
}

/* RFC 7301, 3.2: no protocol in common ends the handshake. The older name is that of clients that were told to speak
 * HTTP/1.0, as `curl --http1.0`. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned len, void *unused)
{
	static const char *const own[] = { "http/1.1", "http/1.0" };

	(void)ssl;
	(void)unused;
	for (size_t i = 0; i < array_length(own); i++) {
		if (!offers(offered, len, BYTES_STR(own[i]), ret))
			continue;
		*ret_len = (unsigned char)strlen(own[i]);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* RFC 9325: forward secrecy and AEAD alone, and the order is ours, but for clients that put ChaCha20 first, as
 * those do whose processors have no AES. The system's own openssl.cnf cannot loosen this. */
static bool set_strength(SSL_CTX *context, bool only_tls13)
{
	static const char suites[] =
		"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
	int groups[] = { NID_X25519, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1 };

	SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	return SSL_CTX_set_min_proto_version(context, only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	       SSL_CTX_set_ciphersuites(context, suites) == 1 &&
	       SSL_CTX_set1_groups(context, groups, array_length(groups)) == 1;
}

/* Sessions of TLS 1.2 can be resumed (RFC 7030, 3.3). They are kept here and go by their ids: a ticket
 * would not hold the client's chain. What they hold is bounded, as anybody can begin one. Who resumes
 * has shown the same certificates, which are judged again with each request. */
static bool set_sessions(SSL_CTX *context)
{
	static const unsigned char id[] = "enrolld";

	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(context, SESSIONS_MAX);
	SSL_CTX_set_timeout(context, SESSION_SECONDS);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                                     SSL_OP_CLEANSE_PLAINTEXT);
	return SSL_CTX_set_num_tickets(context, 0) == 1 &&
	       SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1) == 1;
}

static bool configure(struct tls *tls, const struct tls_options *options)
{
	SSL_CTX *context = tls->context;

	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_max_cert_list(context, CLIENT_CHAIN_BYTES);
	SSL_CTX_set_verify(context, options->ask_client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(context, accept_client, NULL);
	SSL_CTX_set_info_callback(context, acknowledge_at_once);
	tls_chain_guard(context);
	SSL_CTX_set_cert_cb(context, choose_certificate, tls);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	SSL_CTX_clear_mode(context,
	                   SSL_MODE_AUTO_RETRY); /* a record without data is read, and then the time is looked at */
	return set_strength(context, options->only_tls13) && set_sessions(context);
}

bool tls_new(const struct tls_options *options, struct tls **ret, struct problem *p)
{
	auto_struct(tls) *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return problem_memory(p);
	pthread_rwlock_init(&tls->lock, NULL);
	tls->context = SSL_CTX_new(TLS_server_method());
	if (!tls->context || !configure(tls, options))
		return problem_openssl(p, "the TLS context");
	*ret = steal(tls);
	return true;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	tls_certificate_unref(tls->certificate);
	pthread_rwlock_destroy(&tls->lock);
	free(tls);
}

void *tls_context(struct tls *tls)
{
	return tls->context;
}

void tls_show(struct tls *tls, struct tls_certificate *certificate)
{
	assert(certificate->key);
	tls_certificate_ref(certificate);
	pthread_rwlock_wrlock(&tls->lock);
	struct tls_certificate *old = tls->certificate;
	tls->certificate = certificate;
	pthread_rwlock_unlock(&tls->lock);
	tls_certificate_unref(old);
}

struct tls_peer {
	struct http_tls facts;
	struct bytes chain[CLIENT_CHAIN_MAX];
	struct buf der;
};

/* RFC 5929, 3.1: the first Finished message, the client's, or the server's where a session was resumed.
 * Then it is unique only with a master secret that is (RFC 7627, 5.4). */
static bool unique(const struct http_tls *facts, struct buf *ret)
{
	SSL *ssl = facts->connection;
	uint8_t finished[EVP_MAX_MD_SIZE];
	bool resumed = SSL_session_reused(ssl);

	if (SSL_version(ssl) != TLS1_2_VERSION || (resumed && SSL_get_extms_support(ssl) != 1))
		return false;
	size_t len = resumed ? SSL_get_finished(ssl, finished, sizeof(finished))
	                     : SSL_get_peer_finished(ssl, finished, sizeof(finished));
	if (len == 0 || len > sizeof(finished))
		return false;
	buf_add(ret, finished, len);
	return !ret->failed;
}

/* RFC 9266, 2; before TLS 1.3 only where the master secret is unique (RFC 7627). */
static bool exporter(const struct http_tls *facts, uint8_t ret[32])
{
	static const char label[] = "EXPORTER-Channel-Binding";
	SSL *ssl = facts->connection;

	if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
		return false;
	return SSL_export_keying_material(ssl, ret, 32, label, sizeof(label) - 1, (const uint8_t *)"", 0, 1) == 1;
}

static void server(const struct http_tls *facts, struct http_server *ret)
{
	STACK_OF(X509) *chain = NULL;

	SSL_get0_chain_certs(facts->connection, &chain);
	*ret = (struct http_server){ SSL_get_certificate(facts->connection), SSL_get_privatekey(facts->connection),
		                     chain };
}

static bool add_certificate(struct tls_peer *peer, X509 *certificate)
{
	size_t begin = peer->der.len;

	if (!ossl_der(i2d_X509, certificate, &peer->der))
		return false;
	peer->chain[peer->facts.chain_length++].len = peer->der.len - begin;
	return true;
}

/* On a server libssl keeps the client's own certificate apart from the rest of its chain. */
static bool copy_chain(struct tls_peer *peer, SSL *ssl)
{
	X509 *own = SSL_get0_peer_certificate(ssl);
	ossl_x509_stack *rest = SSL_get_peer_cert_chain(ssl);

	if (!own)
		return true;
	if (!add_certificate(peer, own))
		return false;
	for (int i = 0; i < sk_X509_num(rest) && peer->facts.chain_length < CLIENT_CHAIN_MAX; i++)
		if (!add_certificate(peer, sk_X509_value(rest, i)))
			return false;
	for (size_t i = 0, at = 0; i < peer->facts.chain_length; at += peer->chain[i++].len)
		peer->chain[i].data = peer->der.data + at;
	return true;
}

struct tls_peer *tls_peer_new(void *ssl)
{
	auto_struct(tls_peer) *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->facts = (struct http_tls){
		.version = SSL_get_version(ssl),
		.chain = peer->chain,
		.unique = unique,
		.exporter = exporter,
		.confidential = SSL_get_cipher_bits(ssl, NULL) >= 128,
		.server = server,
		.peer = SSL_get0_peer_certificate(ssl),
		.connection = ssl,
	};
	return copy_chain(peer, ssl) ? steal(peer) : NULL;
}

const struct http_tls *tls_peer_facts(const struct tls_peer *peer)
{
	return &peer->facts;
}

void tls_peer_free(struct tls_peer *peer)
{
	if (!peer)
		return;
	buf_free(&peer->der);
	free(peer);
}

void tls_say_goodbye(void *ssl)
{
	ERR_clear_error();
	SSL_shutdown(ssl);
	ERR_clear_error();
}
