#include "store/certificate.h"

#include <assert.h>

#include "base/digest.h"
#include "base/random.h"
#include "store/certificate_inside.h"

/* Issuers' names are those of their files (ca/issuer.h). With this the key of a revocation fits a cursor. */
enum { ISSUER_MAX = 64, TIME_SIZE = 4 /* of a serial number */ };

static const struct record_field name_fields[] = {
	record_text_always(1, certificate_name, type),
	record_text_always(2, certificate_name, value),
};
static const struct record_schema name_schema = {
	"certificate name", sizeof(struct certificate_name), name_fields, array_length(name_fields),
};

static const struct record_field metadata_fields[] = {
	record_text_always(1, certificate_metadata, key),
	record_text_always(2, certificate_metadata, value),
};
static const struct record_schema metadata_schema = {
	"certificate metadata", sizeof(struct certificate_metadata), metadata_fields, array_length(metadata_fields),
};

static const struct record_field certificate_fields[] = {
	record_id(1, certificate, id),
	record_enum(2, certificate, status, certificate_status, CERTIFICATE_REVOKED),
	record_bytes(3, certificate, der),
	record_text(4, certificate, issuer),
	record_bytes(5, certificate, serial),
	record_bytes(6, certificate, fingerprint),
	record_bytes(7, certificate, key_hash),
	record_list(8, certificate, names, &name_schema),
	record_text(9, certificate, subject),
	record_text(10, certificate, profile),
	record_time(11, certificate, not_before),
	record_time(12, certificate, not_after),
	record_time(13, certificate, issued),
	record_text(14, certificate, method),
	record_id(15, certificate, account),
	record_id(16, certificate, order),
	record_text(17, certificate, identity),
	record_time(18, certificate, revoked),
	record_integer(19, certificate, reason),
	record_text(20, certificate, revoked_by),
	record_text(21, certificate, replaces),
	record_text(22, certificate, replaced_by),
	record_list(23, certificate, metadata, &metadata_schema),
	record_text(24, certificate, issuer_subject),
	record_bool(25, certificate, key_kept),
	record_integer(26, certificate, renew_before),
	record_time(27, certificate, renew_at),
	record_integer(28, certificate, renew_failures),
	record_text(29, certificate, renew_error),
	record_time(30, certificate, advised_from),
	record_time(31, certificate, advised_until),
	record_text(32, certificate, advised_why),
	record_text(33, certificate, label),
	record_bool(40, certificate, no_revocation),
	record_integer(41, certificate, shard),
	record_time(42, certificate, released),
	record_id(43, certificate, replacing),
	record_integer(44, certificate, issued_us),
	record_time(45, certificate, reason_changed),
};
static const struct record_schema certificate_schema = {
	"certificate", sizeof(struct certificate), certificate_fields, array_length(certificate_fields),
};

/* What an issuer signs for a profile differs in key, signature, names, times and little else. */
static void certificate_kind(const void *record, struct buf *ret)
{
	const struct certificate *certificate = record;

	buf_printf(ret, "%s/%s", certificate->issuer ?: "", certificate->profile ?: "");
}

static bool certificate_is_whole(const void *record)
{
	const struct certificate *certificate = record;

	return certificate->serial.len > 0 && certificate->serial.len <= SERIAL_MAX &&
	       certificate->fingerprint.len == SHA256_SIZE && certificate->key_hash.len == SHA256_SIZE &&
	       (!certificate->issuer || strlen(certificate->issuer) <= ISSUER_MAX);
}

const struct table certificate_table = {
	.class = KEY_CERTIFICATE, .schema = &certificate_schema, .index = certificate_index, .is_whole = certificate_is_whole,
	.kind = certificate_kind,
};

/* --- records --- */

bool certificate_is_imported(const struct certificate *certificate)
{
	return certificate->method && str_equal(certificate->method, CERTIFICATE_IMPORT);
}

bool certificate_copy(const struct certificate *from, struct certificate *ret, struct problem *p)
{
	auto_value(buf) bytes = {0};

	return record_encode(&certificate_schema, from, &bytes, p) &&
	       record_decode(&certificate_schema, buf_bytes(&bytes), ret, p);
}

const char *certificate_status_name(const struct certificate *certificate, int64_t now)
{
	if (certificate->status == CERTIFICATE_REVOKED)
		return "revoked";
	return now > certificate->not_after ? "expired" : "valid";
}

void certificate_free(struct certificate *certificate)
{
	record_free(certificate);
}

bool store_certificate_get(struct store_txn *txn, const char *id, struct certificate *ret, struct problem *p)
{
	return table_get(txn, &certificate_table, id, ret, p);
}

/* --- the serial number of what we issue begins with its id --- */

bool certificate_serial_make(int64_t now, uint8_t ret[CERTIFICATE_SERIAL_SIZE], struct problem *p)
{
	const int64_t begin = 1577836800; /* of 2020 */

	key_put_number((uint64_t)(now - begin) & INT32_MAX, ret, TIME_SIZE);
	ret[0] += ret[0] == 0; /* a clock that is wrong makes no leading zero */
	return random_bytes(ret + TIME_SIZE, CERTIFICATE_SERIAL_SIZE - TIME_SIZE, p);
}

bool certificate_serial_id(struct bytes serial, char ret[RANDOM_ID_SIZE])
{
	if (serial.len != CERTIFICATE_SERIAL_SIZE)
		return false;
	key_id_text(serial.data, ret);
	return true;
}

static bool not_found(struct problem *p)
{
	return problem_set(p, PROBLEM_NOT_FOUND, "there is no such certificate");
}

/* Others than ours can stand under any id. NOT_FOUND. */
static bool by_serial_id(struct store_txn *txn, struct bytes serial, struct certificate *ret, struct problem *p)
{
	auto_value(certificate) row = {0};
	char id[RANDOM_ID_SIZE];

	if (!certificate_serial_id(serial, id))
		return not_found(p);
	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (certificate_is_imported(&row) || !bytes_equal(row.serial, serial))
		return not_found(p);
	*ret = row;
	row = (struct certificate){0};
	return true;
}

bool store_certificate_by_serial(struct store_txn *txn, struct bytes serial, struct certificate *ret, struct problem *p)
{
	struct key key;

	if (serial.len == 0 || serial.len > SERIAL_MAX)
		return not_found(p);
	if (by_serial_id(txn, serial, ret, p))
		return true;
	if (!problem_forgive(p, PROBLEM_NOT_FOUND))
		return false;
	key_begin(&key, KEY_CERTIFICATE_SERIAL);
	key_add(&key, serial);
	return table_find(txn, &certificate_table, &key, ret, p);
}

bool store_certificate_by_fingerprint(struct store_txn *txn, struct bytes fingerprint, struct certificate *ret,
                                      struct problem *p)
{
	enum { SAME_MAX = 16 };
	auto_value(strings) ids = {0};
	struct key prefix;

	if (fingerprint.len != SHA256_SIZE)
		return not_found(p);
	certificate_key_digest(&prefix, KEY_CERTIFICATE_FINGERPRINT, fingerprint);
	if (!page_read_ids(txn, &prefix, SAME_MAX, &ids, p))
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		auto_value(certificate) row = {0};

		if (!store_certificate_get(txn, ids.v[i], &row, p))
			return false;
		if (!bytes_equal(row.fingerprint, fingerprint))
			continue;
		*ret = row;
		row = (struct certificate){0};
		return true;
	}
	return not_found(p);
}

bool store_certificate_put(struct store_txn *txn, const struct certificate *certificate, struct problem *p)
{
	return table_put(txn, &certificate_table, certificate->id, certificate, p);
}

bool store_certificate_add(struct store_txn *txn, const struct certificate *certificate, struct problem *p)
{
	auto_value(certificate) other = {0};

	if (store_certificate_get(txn, certificate->id, &other, p))
		return problem_set(p, PROBLEM_CONFLICT, "another certificate has the id %s already", certificate->id);
	return problem_forgive(p, PROBLEM_NOT_FOUND) && store_certificate_put(txn, certificate, p);
}

bool store_certificate_delete(struct store_txn *txn, const char *id, struct problem *p)
{
	auto_value(certificate) row = {0};

	if (!store_certificate_get(txn, id, &row, p))
		return false;
	if (!certificate_is_imported(&row))
		return problem_set(p, PROBLEM_CONFLICT,
		                   "the certificate %s was issued here and stays in the inventory: revoke it", id);
	return table_delete(txn, &certificate_table, id, p);
}
