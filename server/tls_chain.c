#include "server/tls_chain.h"

#include "policy/certificate_key.h"

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

bool tls_chain_is_plain(struct bytes message, bool tls13)
{
	struct bytes list, certificate, other;

	if ((tls13 && !take_vector(&message, 1, &other)) || !take_vector(&message, 3, &list) || message.len > 0)
		return false;
	while (list.len > 0) {
		if (!take_vector(&list, 3, &certificate) || !certificate_key_is_plain(certificate))
			return false;
		if (tls13 && !take_vector(&list, 2, &other))
			return false;
	}
	return true;
}
