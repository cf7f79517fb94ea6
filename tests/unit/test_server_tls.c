#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/tls.h"

enum { DAY = 86400 };

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
	char *pem;
};

static X509 *certificate_of(EVP_PKEY *key, const char *name, const char *issuer, EVP_PKEY *signer, long begin, long end)
{
	X509 *c = X509_new();

	assert_non_null(c);
	X509_set_version(c, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
	X509_gmtime_adj(X509_getm_notBefore(c), begin);
	X509_gmtime_adj(X509_getm_notAfter(c), end);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(c), "CN", MBSTRING_ASC, (const unsigned char *)issuer, -1, -1, 0);
	X509_set_pubkey(c, key);
	assert_true(X509_sign(c, signer, EVP_sha256()) > 0);
	return c;
}

static struct identity identity_new(const char *name, long begin, long end)
{
	struct identity id = { .key = EVP_EC_gen("P-256") };
	auto_value(buf) der = {0}, pem = {0};

	id.certificate = certificate_of(id.key, name, name, id.key, begin, end);
	assert_true(ossl_der(i2d_X509, id.certificate, &der));
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	id.pem = buf_take(&pem, NULL);
	assert_non_null(id.pem);
	return id;
}

static void identity_free(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->certificate);
	free(id->pem);
}

static bool show(struct tls *tls, const char *pem, EVP_PKEY *key, struct problem *p)
{
	auto_struct(tls_certificate) *certificate = NULL;

	if (!tls_certificate_parse(BYTES_STR(pem), &certificate, p) || !tls_certificate_set_key(certificate, key, p))
		return false;
	tls_show(tls, certificate);
	return true;
}

static struct tls *server_new(const struct tls_options *options, const struct identity *id)
{
	struct problem p = {0};
	struct tls *tls = NULL;

	assert_true(tls_new(options, &tls, &p));
	if (id)
		assert_true(show(tls, id->pem, id->key, &p));
	return tls;
}

static SSL_CTX *client_new(int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	assert_non_null(context);
	SSL_CTX_set_security_level(context, 0);
	if (version) {
		SSL_CTX_set_min_proto_version(context, version);
		SSL_CTX_set_max_proto_version(context, version);
	}
	return context;
}

struct link {
	SSL *client, *server;
};

/* Both ends in memory. The server's SSL is made as civetweb makes it. */
static struct link link_new(SSL_CTX *client, struct tls *tls)
{
	struct link l = { SSL_new(client), SSL_new(tls_context(tls)) };
	BIO *a, *b;

	assert_true(BIO_new_bio_pair(&a, 65536, &b, 65536));
	SSL_set_bio(l.client, a, a);
	SSL_set_bio(l.server, b, b);
	SSL_set_connect_state(l.client);
	SSL_set_accept_state(l.server);
	return l;
}

static bool is_waiting(SSL *ssl, int result)
{
	int error = SSL_get_error(ssl, result);

	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool shake(struct link *l)
{
	for (int i = 0; i < 20; i++) {
		ERR_clear_error();
		int c = SSL_do_handshake(l->client);
		if (c != 1 && !is_waiting(l->client, c))
			return false;
		ERR_clear_error();
		int s = SSL_do_handshake(l->server);
		if (s != 1 && !is_waiting(l->server, s))
			return false;
		if (c == 1 && s == 1)
			return true;
	}
	return false;
}

static void link_free(struct link *l)
{
	SSL_free(l->client);
	SSL_free(l->server);
	ERR_clear_error();
}

static void versions_and_ciphers(void **state)
{
	static const struct {
		int version;
		const char *ciphers;
		bool only_tls13, want;
		const char *want_version;
	} rows[] = {
		{ TLS1_3_VERSION, NULL, false, true, "TLSv1.3" },
		{ TLS1_2_VERSION, NULL, false, true, "TLSv1.2" },
		{ TLS1_1_VERSION, NULL, false, false, NULL },
		{ TLS1_VERSION, NULL, false, false, NULL },
		{ TLS1_3_VERSION, NULL, true, true, "TLSv1.3" },
		{ TLS1_2_VERSION, NULL, true, false, NULL },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", false, true, "TLSv1.2" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", false, true, "TLSv1.2" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", false, false, NULL },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA", false, false, NULL },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM", false, false, NULL },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-NULL-SHA", false, false, NULL },
	};
	struct identity id = identity_new("server", -DAY, DAY);

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		struct tls *tls = server_new(&(struct tls_options){ .only_tls13 = rows[i].only_tls13 }, &id);
		SSL_CTX *client = client_new(rows[i].version);
		if (rows[i].ciphers)
			assert_true(SSL_CTX_set_cipher_list(client, rows[i].ciphers));
		struct link l = link_new(client, tls);
		if (shake(&l) != rows[i].want)
			fail_msg("row %zu: version %x %s", i, rows[i].version, rows[i].ciphers ?: "");
		if (rows[i].want) {
			struct tls_peer *peer = tls_peer_new(l.server);
			assert_string_equal(tls_peer_facts(peer)->version, rows[i].want_version);
			tls_peer_free(peer);
		}
		link_free(&l);
		SSL_CTX_free(client);
		tls_free(tls);
	}
	identity_free(&id);
}

/* How far a client gets, and what the server then knows. */
static void check_client(struct tls *tls, int version, const struct identity *id, X509 *const *more, size_t more_count,
                         size_t want_chain)
{
	SSL_CTX *client = client_new(version);

	if (id)
		assert_true(SSL_CTX_use_cert_and_key(client, id->certificate, id->key, NULL, 1));
	for (size_t i = 0; i < more_count; i++)
		assert_true(SSL_CTX_add1_chain_cert(client, more[i]));
	struct link l = link_new(client, tls);
	assert_true(shake(&l));
	struct tls_peer *peer = tls_peer_new(l.server);
	const struct http_tls *facts = tls_peer_facts(peer);
	assert_int_equal(facts->chain_length, want_chain);
	for (size_t i = 0; i < want_chain; i++) {
		auto_value(buf) der = {0};
		assert_true(ossl_der(i2d_X509, i == 0 ? id->certificate : more[i - 1], &der));
		assert_true(bytes_equal(buf_bytes(&der), facts->chain[i]));
	}
	tls_peer_free(peer);
	link_free(&l);
	SSL_CTX_free(client);
}

static void client_certificates_are_taken_as_they_are(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct identity id = identity_new("server", -DAY, DAY), good = identity_new("good", -DAY, DAY);
	struct identity expired = identity_new("expired", -2 * DAY, -DAY), early = identity_new("early", DAY, 2 * DAY);
	X509 *more[] = { good.certificate, expired.certificate, early.certificate, id.certificate, good.certificate,
		expired.certificate, early.certificate, id.certificate, good.certificate, expired.certificate, early.certificate };
	struct tls *asks = server_new(&(struct tls_options){ .ask_client = true }, &id);
	struct tls *asks_not = server_new(&(struct tls_options){0}, &id);

	(void)state;
	for (size_t i = 0; i < array_length(versions); i++) {
		check_client(asks, versions[i], NULL, NULL, 0, 0);
		check_client(asks, versions[i], &good, NULL, 0, 1);
		check_client(asks, versions[i], &expired, NULL, 0, 1);
		check_client(asks, versions[i], &early, NULL, 0, 1);
		check_client(asks, versions[i], &good, more, 2, 3);
		check_client(asks, versions[i], &good, more, array_length(more), 10);
		check_client(asks_not, versions[i], &good, NULL, 0, 0);
	}
	tls_free(asks);
	tls_free(asks_not);
	identity_free(&id);
	identity_free(&good);
	identity_free(&expired);
	identity_free(&early);
}

/* The certificate comes to name another's key after libssl has compared the two. */
static void a_client_must_have_the_key(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct identity id = identity_new("server", -DAY, DAY), other = identity_new("other", -DAY, DAY);
	struct tls *tls = server_new(&(struct tls_options){ .ask_client = true }, &id);

	(void)state;
	for (size_t i = 0; i < array_length(versions); i++) {
		struct identity thief = identity_new("thief", -DAY, DAY);
		SSL_CTX *context = client_new(versions[i]);
		assert_true(SSL_CTX_use_cert_and_key(context, thief.certificate, thief.key, NULL, 1));
		assert_true(X509_set_pubkey(thief.certificate, other.key));
		struct link l = link_new(context, tls);
		assert_false(shake(&l));
		assert_false(SSL_is_init_finished(l.server));
		link_free(&l);
		SSL_CTX_free(context);
		identity_free(&thief);
	}
	tls_free(tls);
	identity_free(&id);
	identity_free(&other);
}

static void a_long_client_chain_is_refused(void **state)
{
	struct identity id = identity_new("server", -DAY, DAY), client = identity_new("client", -DAY, DAY);
	struct tls *tls = server_new(&(struct tls_options){ .ask_client = true }, &id);
	SSL_CTX *context = client_new(0);

	(void)state;
	SSL_CTX_use_cert_and_key(context, client.certificate, client.key, NULL, 1);
	for (int i = 0; i < 150; i++)
		assert_true(SSL_CTX_add1_chain_cert(context, client.certificate));
	struct link l = link_new(context, tls);
	assert_false(shake(&l));
	link_free(&l);
	SSL_CTX_free(context);
	tls_free(tls);
	identity_free(&id);
	identity_free(&client);
}

static void channel_bindings_are_the_clients_own(void **state)
{
	static const struct {
		int version;
		uint64_t client_options;
		bool want_unique, want_exporter;
	} rows[] = {
		{ TLS1_2_VERSION, 0, true, true },
		{ TLS1_3_VERSION, 0, false, true },
		{ TLS1_2_VERSION, SSL_OP_NO_EXTENDED_MASTER_SECRET, true, false },
	};
	struct identity id = identity_new("server", -DAY, DAY);
	struct tls *tls = server_new(&(struct tls_options){0}, &id);

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		SSL_CTX *client = client_new(rows[i].version);
		SSL_CTX_set_options(client, rows[i].client_options);
		struct link l = link_new(client, tls);
		assert_true(shake(&l));
		struct tls_peer *peer = tls_peer_new(l.server);
		const struct http_tls *facts = tls_peer_facts(peer);
		auto_value(buf) unique = {0};
		uint8_t finished[64], wanted[32], got[32];
		size_t len = SSL_get_finished(l.client, finished, sizeof(finished));
		assert_int_equal(facts->unique(facts, &unique), rows[i].want_unique);
		if (rows[i].want_unique)
			assert_true(bytes_equal(buf_bytes(&unique), BYTES(finished, len)));
		assert_int_equal(facts->exporter(facts, got), rows[i].want_exporter);
		assert_true(SSL_export_keying_material(l.client, wanted, 32, "EXPORTER-Channel-Binding", 24, (const uint8_t *)"", 0, 1));
		if (rows[i].want_exporter)
			assert_memory_equal(got, wanted, 32);
		tls_peer_free(peer);
		link_free(&l);
		SSL_CTX_free(client);
	}
	tls_free(tls);
	identity_free(&id);
}

static bool shows(SSL *client, const struct identity *id)
{
	X509 *shown = SSL_get0_peer_certificate(client);

	return shown && X509_cmp(shown, id->certificate) == 0;
}

static void certificates_change_while_serving(void **state)
{
	struct identity first = identity_new("first", -DAY, DAY), second = identity_new("second", -DAY, DAY);
	struct tls *tls = server_new(&(struct tls_options){0}, &first);
	auto_value(problem) p = {0};
	auto_free char *both = mem_printf("%s%s", second.pem, first.pem);
	SSL_CTX *client = client_new(0);
	struct link l = link_new(client, tls), m = link_new(client, tls), n = link_new(client, tls);

	(void)state;
	assert_true(shake(&l));
	assert_true(shows(l.client, &first));
	assert_false(show(tls, second.pem, first.key, &p)); /* does not fit */
	assert_false(show(tls, "nonsense", first.key, &p));
	assert_true(shake(&m));
	assert_true(shows(m.client, &first));
	assert_true(show(tls, both, second.key, &p));
	assert_true(shake(&n));
	assert_true(shows(n.client, &second));
	assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(n.client)), 2);
	char text[4];
	assert_int_equal(SSL_write(l.server, "old", 3), 3);
	assert_int_equal(SSL_read(l.client, text, sizeof(text)), 3);
	link_free(&l);
	link_free(&m);
	link_free(&n);
	SSL_CTX_free(client);
	tls_free(tls);
	identity_free(&first);
	identity_free(&second);
}

static void without_a_certificate_there_is_no_handshake(void **state)
{
	struct tls *tls = server_new(&(struct tls_options){0}, NULL);
	SSL_CTX *client = client_new(0);
	struct link l = link_new(client, tls);

	(void)state;
	assert_false(shake(&l));
	link_free(&l);
	SSL_CTX_free(client);
	tls_free(tls);
}

static void protocols(void **state)
{
	static const struct {
		const char *offer;
		size_t len;
		const char *want; /* NULL: the handshake ends */
	} rows[] = {
		{ "", 0, "" },
		{ "\x08http/1.1", 9, "http/1.1" },
		{ "\x02h2\x08http/1.1", 12, "http/1.1" },
		{ "\x08http/1.0", 9, "http/1.0" },
		{ "\x08http/1.0\x08http/1.1", 18, "http/1.1" },
		{ "\x02h2", 3, NULL },
		{ "\x0a" "acme-tls/1", 11, NULL },
		{ "\x08http/0.9", 9, NULL },
	};
	struct identity id = identity_new("server", -DAY, DAY);
	struct tls *tls = server_new(&(struct tls_options){0}, &id);

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		SSL_CTX *client = client_new(0);
		if (rows[i].len > 0)
			assert_int_equal(SSL_CTX_set_alpn_protos(client, (const uint8_t *)rows[i].offer, (unsigned)rows[i].len), 0);
		struct link l = link_new(client, tls);
		const uint8_t *chosen = NULL;
		unsigned len = 0;
		assert_int_equal(shake(&l), rows[i].want != NULL);
		SSL_get0_alpn_selected(l.client, &chosen, &len);
		assert_int_equal(len, rows[i].want ? strlen(rows[i].want) : 0);
		if (len > 0)
			assert_memory_equal(chosen, rows[i].want, len);
		link_free(&l);
		SSL_CTX_free(client);
	}
	tls_free(tls);
	identity_free(&id);
}

/* Of a session that was resumed: the whole chain, and the server's Finished. */
static void check_resumed(struct link *again, const struct identity *mine, bool want_unique)
{
	struct tls_peer *peer = tls_peer_new(again->server);
	const struct http_tls *facts = tls_peer_facts(peer);
	auto_value(buf) unique = {0}, der = {0};
	uint8_t finished[64];
	size_t len = SSL_get_peer_finished(again->client, finished, sizeof(finished));

	assert_int_equal(facts->chain_length, 2);
	assert_true(ossl_der(i2d_X509, mine->certificate, &der));
	assert_true(bytes_equal(buf_bytes(&der), facts->chain[0]));
	assert_int_equal(facts->unique(facts, &unique), want_unique);
	if (want_unique)
		assert_true(bytes_equal(buf_bytes(&unique), BYTES(finished, len)));
	tls_peer_free(peer);
}

static void sessions_are_resumed_in_tls_1_2(void **state)
{
	static const struct {
		int version;
		uint64_t client_options;
		bool want, want_unique;
	} rows[] = {
		{ TLS1_2_VERSION, 0, true, true },
		{ TLS1_2_VERSION, SSL_OP_NO_EXTENDED_MASTER_SECRET, true, false },
		{ TLS1_3_VERSION, 0, false, false },
	};
	struct identity id = identity_new("server", -DAY, DAY), mine = identity_new("client", -DAY, DAY);
	struct tls *tls = server_new(&(struct tls_options){ .ask_client = true }, &id);

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		SSL_CTX *client = client_new(rows[i].version);
		SSL_CTX_set_options(client, rows[i].client_options);
		assert_true(SSL_CTX_use_cert_and_key(client, mine.certificate, mine.key, NULL, 1));
		assert_true(SSL_CTX_add1_chain_cert(client, id.certificate));
		struct link l = link_new(client, tls), again = link_new(client, tls);
		char text[4];
		assert_true(shake(&l));
		assert_int_equal(SSL_write(l.server, "hey", 3), 3);
		assert_int_equal(SSL_read(l.client, text, sizeof(text)), 3); /* tickets would come before it */
		SSL_SESSION *session = SSL_get1_session(l.client);
		assert_false(SSL_SESSION_has_ticket(session));
		SSL_set_session(again.client, session);
		assert_true(shake(&again));
		assert_int_equal(SSL_session_reused(again.server), rows[i].want);
		if (rows[i].want)
			check_resumed(&again, &mine, rows[i].want_unique);
		SSL_SESSION_free(session);
		link_free(&l);
		link_free(&again);
		SSL_CTX_free(client);
	}
	tls_free(tls);
	identity_free(&id);
	identity_free(&mine);
}

static void renegotiation_is_refused(void **state)
{
	struct identity id = identity_new("server", -DAY, DAY);
	struct tls *tls = server_new(&(struct tls_options){0}, &id);
	SSL_CTX *client = client_new(TLS1_2_VERSION);
	struct link l = link_new(client, tls);
	char text[4];

	(void)state;
	assert_true(shake(&l));
	SSL_renegotiate(l.client);
	SSL_do_handshake(l.client);
	SSL_read(l.server, text, sizeof(text));
	SSL_do_handshake(l.client);
	SSL_read(l.server, text, sizeof(text));
	assert_int_equal(SSL_do_handshake(l.client), -1);
	assert_false(is_waiting(l.client, -1));
	link_free(&l);
	SSL_CTX_free(client);
	tls_free(tls);
	identity_free(&id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_and_ciphers),
		cmocka_unit_test(client_certificates_are_taken_as_they_are),
		cmocka_unit_test(a_client_must_have_the_key),
		cmocka_unit_test(a_long_client_chain_is_refused),
		cmocka_unit_test(channel_bindings_are_the_clients_own),
		cmocka_unit_test(certificates_change_while_serving),
		cmocka_unit_test(without_a_certificate_there_is_no_handshake),
		cmocka_unit_test(protocols),
		cmocka_unit_test(sessions_are_resumed_in_tls_1_2),
		cmocka_unit_test(renegotiation_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
