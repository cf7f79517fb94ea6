#include "policy/trust_device.h"

#include <stdio.h>

#include <openssl/err.h>

#include "base/base64.h"
#include "policy/csr_part.h"

enum { OTHER_NAME = 0xa0 }; /* the tag of otherName among GeneralNames (RFC 5280, 4.2.1.6) */

void trust_device_free(struct trust_device *device)
{
	strings_free(&device->others);
}

static bool refuse(struct problem *p, const char *why)
{
	return problem_set(p, PROBLEM_UNAUTHENTICATED, "the manufacturer's certificate of the device %s", why);
}

bool trust_serial_check(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || strchr("*{},\"\\", text[i]))
			return false;
	return len > 0 && len < sizeof(((struct trust_device *)0)->serial) && text[0] != ' ' && text[len - 1] != ' ';
}

/* The only one: of two nobody could say which is the device's. */
static bool subject_serial(X509 *certificate, char *ret, size_t size, struct problem *p)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID((X509_NAME *)(uintptr_t)subject, NID_serialNumber, -1);
	unsigned char *text = NULL;

	if (at < 0)
		return true;
	if (X509_NAME_get_index_by_NID((X509_NAME *)(uintptr_t)subject, NID_serialNumber, at) >= 0)
		return refuse(p, "has two serialNumber attributes");
	int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	auto(ossl_bytes) *owned = text;
	(void)owned;
	if (len <= 0 || (size_t)len >= size || memchr(text, 0, (size_t)len))
		return refuse(p, "has a serialNumber that cannot be used");
	memcpy(ret, text, (size_t)len);
	ret[len] = '\0';
	return trust_serial_check(ret) || refuse(p, "has a serialNumber that cannot be used");
}

/* hwSerialNum (RFC 4108, 5) as the text that it is, or else in hexadecimal. */
static void take_hardware(const char *value, struct trust_device *ret)
{
	const char *hex = strchr(value, '/') + 1;
	auto_value(buf) raw = {0};

	if (!hex_decode(hex, strlen(hex), &raw))
		return;
	const char *text = memchr(raw.data, 0, raw.len) || !trust_serial_check(buf_text(&raw)) ? hex : buf_text(&raw);
	if (trust_serial_check(text))
		strcpy(ret->serial, text);
}

static void read_hardware(struct bytes der, struct trust_device *ret)
{
	struct csr_other_name other = {0};
	auto_value(problem) ignored = {0};
	struct bytes in = der;
	struct tlv name;

	if (tlv_next(&in, &name) && csr_other_read(name.value, name.whole, &other, &ignored) &&
	    other.type == CSR_OTHER_HARDWARE)
		take_hardware(other.value, ret);
	buf_free(&other.der);
}

/* The first that names one. */
static void find_hardware(struct trust_device *ret)
{
	for (size_t i = 0; i < ret->others.n && ret->serial[0] == '\0'; i++) {
		auto_value(buf) der = {0};
		if (hex_decode(ret->others.v[i], strlen(ret->others.v[i]), &der) && der.data[0] == OTHER_NAME)
			read_hardware(buf_bytes(&der), ret);
	}
}

static bool certificate_serial(X509 *certificate, struct trust_device *ret, struct problem *p)
{
	auto(BIGNUM) *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	auto_value(buf) hex = {0};
	uint8_t raw[sizeof(ret->certificate) / 2 - 1];

	if (!number || BN_is_negative(number) || BN_num_bytes(number) > (int)sizeof(raw))
		return refuse(p, "has a serial number that cannot be used");
	buf_add_hex(&hex, BYTES(raw, (size_t)BN_bn2bin(number, raw)));
	if (!buf_check(&hex, p))
		return false;
	snprintf(ret->certificate, sizeof(ret->certificate), "%s", buf_text(&hex));
	return true;
}

bool trust_device_read(X509 *certificate, struct trust_device *ret, struct problem *p)
{
	if (!subject_serial(certificate, ret->serial, sizeof(ret->serial), p) ||
	    !ossl_other_names(certificate, &ret->others, p) || !certificate_serial(certificate, ret, p))
		return false;
	find_hardware(ret);
	return ret->serial[0] != '\0' || refuse(p, "names no device: neither a serialNumber in its subject nor a "
	                                           "hardwareModuleName (IEEE 802.1AR)");
}
