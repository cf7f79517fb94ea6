#include "acme/attestation_statement.h"

#include <stdio.h>

/* The format of step-ca and of its client: a PIV attestation of a YubiKey, and a signature by the attested key.
 * It follows "packed" (WebAuthn Level 3, 8.2) without authenticator data. */

/* Yubico's PIV attestation: the serial number of the YubiKey, an INTEGER. */
#define YUBICO_SERIAL "1.3.6.1.4.1.41482.3.7"
/* Of smallstep: SEQUENCE { deviceID UTF8String }. */
#define STEP_MANAGED_DEVICE "1.3.6.1.4.1.37476.9000.64.4"

/* step's client puts the signature into a CBOR byte string, and this into another. */
static struct bytes unwrap(struct bytes signature)
{
	struct cbor_run run;
	auto_value(problem) ignored = {0};

	return cbor_read(signature, &run, &ignored) && run.item[0].kind == CBOR_BYTES ? run.item[0].bytes : signature;
}

static bool check_signature(const struct attestation_statement *s, EVP_PKEY *key, struct problem *p)
{
	const struct attestation_algorithm *algorithm = NULL;
	struct bytes signature;

	return attestation_algorithm_of(s, key, true, &algorithm, p) && attestation_bytes(s, "sig", &signature, p) &&
	       attestation_check_signature(s, algorithm, key, s->challenge.to_be_signed, unwrap(signature),
	                                   "the key authorization", p);
}

static bool take_yubico(const struct attestation_statement *s, struct bytes value, struct attestation *ret,
                        struct problem *p)
{
	struct bytes number;
	char text[24];
	uint64_t serial = 0;

	if (!tlv_only(value, TLV_INTEGER, &number) || number.len == 0 || number.len > 7 || number.data[0] >= 0x80)
		return attestation_refuse(s, p, "the YubiKey's serial number (" YUBICO_SERIAL ") is not a "
		                          "positive INTEGER");
	for (size_t i = 0; i < number.len; i++)
		serial = serial << 8 | number.data[i];
	int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)serial);
	attestation_add_name(ret, false, BYTES(text, (size_t)len), BYTES(NULL, 0));
	return true;
}

static bool take_managed(const struct attestation_statement *s, struct bytes value, struct attestation *ret,
                         struct problem *p)
{
	struct bytes sequence;
	struct tlv id;

	if (!tlv_only(value, TLV_SEQUENCE, &sequence) || !tlv_next(&sequence, &id) || sequence.len > 0 ||
	    (id.tag != V_ASN1_UTF8STRING && id.tag != V_ASN1_PRINTABLESTRING))
		return attestation_refuse(s, p, "the device's ID (" STEP_MANAGED_DEVICE ") is not a SEQUENCE of "
		                          "one text");
	attestation_add_name(ret, false, id.value, BYTES(NULL, 0));
	return true;
}

static const struct row {
	const char *oid;
	bool (*take)(const struct attestation_statement *s, struct bytes value, struct attestation *ret,
	             struct problem *p);
} rows[] = {
	{ YUBICO_SERIAL, take_yubico },
	{ STEP_MANAGED_DEVICE, take_managed },
};

static bool take_names(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	struct bytes value;
	bool found;

	for (size_t i = 0; i < array_length(rows); i++)
		if (!attestation_extension(s, rows[i].oid, &found, &value, p) ||
		    (found && !rows[i].take(s, value, ret, p)))
			return false;
	return attestation_add_alt_names(s, ret, p);
}

bool attestation_step(const struct attestation_statement *s, struct attestation *ret, struct problem *p)
{
	EVP_PKEY *key = NULL;

	return attestation_leaf_key(s, &key, p) && check_signature(s, key, p) && take_names(s, ret, p) &&
	       attestation_set_key(key, ret, p);
}
