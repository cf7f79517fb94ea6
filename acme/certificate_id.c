#include "acme/certificate_id.h"

#include "base/base64.h"

static bool refuse(const char *field, const char *what, struct problem *p)
{
	return problem_set(p, PROBLEM_MALFORMED, "RFC 9773, 4.1: %s is no name of a certificate: %s", field, what);
}

static bool decode(const char *text, size_t len, uint8_t *ret, size_t max, size_t *ret_len)
{
	*ret_len = len * 3 / 4;
	return len > 0 && *ret_len <= max && base64url_decode_to(text, len, ret);
}

/* X.690, 8.3.2 and RFC 5280, 4.1.2.2: a zero byte leads where the next one would make it negative, and
 * nowhere else. */
static bool take_serial(const uint8_t *der, size_t len, struct certificate_id *ret)
{
	bool padded = len > 1 && der[0] == 0;

	if (padded != (len > 1 && der[0] == 0 && der[1] >= 0x80) || der[0] >= 0x80 || (len == 1 && der[0] == 0))
		return false;
	ret->serial_len = len - padded;
	if (ret->serial_len > CERTIFICATE_ID_SERIAL_MAX)
		return false;
	memcpy(ret->serial, der + padded, ret->serial_len);
	return true;
}

bool certificate_id_parse(const char *text, const char *field, struct certificate_id *ret, struct problem *p)
{
	const char *dot = strchr(text, '.');
	uint8_t serial[CERTIFICATE_ID_SERIAL_MAX + 1];
	struct certificate_id id = { .key_id_len = 0 };
	size_t len;

	if (!dot)
		return refuse(field, "two parts with a period between them are wanted", p);
	if (!decode(text, (size_t)(dot - text), id.key_id, sizeof(id.key_id), &id.key_id_len))
		return refuse(field, "its first part is no key identifier in base64url without padding", p);
	if (!decode(dot + 1, strlen(dot + 1), serial, sizeof(serial), &len) || !take_serial(serial, len, &id))
		return refuse(field, "its second part is no serial number, DER in base64url without padding", p);
	*ret = id;
	return true;
}

void certificate_id_write(struct bytes key_id, struct bytes serial, struct buf *ret)
{
	auto_value(buf) der = { 0 };

	if (serial.len > 0 && serial.data[0] >= 0x80)
		buf_add_char(&der, '\0');
	buf_add(&der, serial.data, serial.len);
	ret->failed = ret->failed || der.failed;
	buf_add_base64url(ret, key_id);
	buf_add_char(ret, '.');
	buf_add_base64url(ret, buf_bytes(&der));
}
