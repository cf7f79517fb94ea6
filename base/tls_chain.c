#include "base/tls_chain.h"

#include <openssl/ssl.h>

#include "base/certificate_key.h"

/* An opaque vector with a length of so many bytes. */
static bool take_vector(struct bytes *in, size_t length_bytes, struct bytes *ret)
{
	size_t len = 0;

	if (in->len < length_bytes)
		return false;
	for (size_t i = 0; i < length_bytes; i++)
		len = len << 8 | in->data[i];
	if (len > in->len - length_bytes)
		return false;
	*ret = BYTES(in->data + length_bytes, len);
	*in = BYTES(ret->data + len, in->len - length_bytes - len);
	return true;
}

void tls_chain_blot(uint8_t *message, size_t len, bool tls13)
{
	struct bytes rest = BYTES(message, len), list, certificate, other;

	if ((tls13 && !take_vector(&rest, 1, &other)) || !take_vector(&rest, 3, &list))
		return;
	while (take_vector(&list, 3, &certificate)) {
		if (certificate.len > 0 && !certificate_key_is_plain(certificate))
			message[certificate.data - message] = 0; /* no SEQUENCE begins with it */
		if (tls13 && !take_vector(&list, 2, &other))
			return;
	}
}

/* libssl has no call between a chain's arrival and its decoding but this one, which looks on: what is made unreadable ends
 * the handshake with bad_certificate. */
static void look_at_message(int sent, int version, int type, const void *message, size_t len, SSL *ssl, void *unused)
{
	uint8_t *at = (uint8_t *)(uintptr_t)message;

	(void)version;
	(void)unused;
	if (!sent && type == SSL3_RT_HANDSHAKE && len > SSL3_HM_HEADER_LENGTH && at[0] == SSL3_MT_CERTIFICATE)
		tls_chain_blot(at + SSL3_HM_HEADER_LENGTH, len - SSL3_HM_HEADER_LENGTH,
		               SSL_version(ssl) == TLS1_3_VERSION);
}

void tls_chain_guard(struct ssl_ctx_st *context)
{
	SSL_CTX_set_msg_callback(context, look_at_message);
}
