#include "tests/bench/inventory_rows.h"

#include <assert.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/digest.h"
#include "ca/extension.h"
#include "ca/inventory.h"
#include "ca/template.h"

enum { ID, ORDER, ACCOUNT, KEY, SIGNATURE };
enum { RAW_ID = 16, POINT_AT = 27, POINT = 64, SIGNATURE_SIZE = 71 };

/* splitmix64 */
void rows_random(uint64_t seed, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		to[i] = (uint8_t)(z ^ z >> 31);
	}
}

static void fill(size_t i, unsigned use, uint8_t *to, size_t len)
{
	rows_random(((uint64_t)i << 8 | use) * UINT64_C(0xd1342543de82ef95), to, len);
}

/* Fingerprints and keys are random, so each new row goes somewhere else in their indexes. Filling a large store so
 * would write all of them again and again; so the rows of one batch are spread at random over a stretch of each index
 * of their own, and its pages fill as they do in life. What is issued after the filling goes anywhere. */
static void place(size_t i, size_t of, uint8_t *key)
{
	uint64_t stretches = (of + ROWS_BATCH - 1) / ROWS_BATCH, width = (UINT64_C(1) << 32) / stretches, at = 0;

	for (size_t k = 0; k < 4; k++)
		at = at << 8 | key[k];
	if (i < of)
		at = i / ROWS_BATCH * width + at % width;
	for (size_t k = 4; k-- > 0; at >>= 8)
		key[k] = (uint8_t)at;
}

static void id_text(const uint8_t raw[RAW_ID], char ret[RANDOM_ID_SIZE])
{
	auto_value(buf) text = {0};

	buf_add_base64url(&text, BYTES(raw, RAW_ID));
	snprintf(ret, RANDOM_ID_SIZE, "%s", buf_text(&text));
}

/* As random_id_timed makes them. */
static void timed_id(size_t i, unsigned use, int64_t time, uint8_t ret[RAW_ID])
{
	uint64_t prefix = (uint64_t)time * 64 + i % 64;

	fill(i, use, ret, RAW_ID);
	for (size_t k = 5; k-- > 0; prefix >>= 8)
		ret[k] = (uint8_t)prefix;
}

/* As certificate_serial_make makes them. */
static void serial_make(size_t i, int64_t time, uint8_t ret[CERTIFICATE_SERIAL_SIZE])
{
	uint32_t prefix = (uint32_t)(time - 1577836800);

	fill(i, ID, ret, CERTIFICATE_SERIAL_SIZE);
	for (size_t k = 4; k-- > 0; prefix >>= 8)
		ret[k] = (uint8_t)prefix;
}

/* --- what an issuer writes --- */

/* Of ten certificates six are of one profile, as in most places. */
static const char *profile_of(size_t i)
{
	static const char *const profiles[] = {
		"tls-server", "tls-server", "device", "tls-server", "tls-client", "tls-server", "device", "tls-server", "service", "tls-server",
	};

	return profiles[i % array_length(profiles)];
}

static const struct template *issuer(void)
{
	/* CN=Example Issuing CA 1,O=Example */
	static const char name[] = "\x30\x31\x31\x10\x30\x0e\x06\x03\x55\x04\x0a\x0c\x07" "Example"
	                           "\x31\x1d\x30\x1b\x06\x03\x55\x04\x03\x0c\x14" "Example Issuing CA 1";
	static struct template template;
	struct issuer_urls urls = { .base = "http://ca.example.com" };
	uint8_t key_id[KEY_IDENTIFIER_SIZE];
	auto_value(problem) p = {0};

	if (template.shards > 0)
		return &template;
	fill(0, SIGNATURE, key_id, sizeof(key_id));
	bool ok = template_make(BYTES(name, sizeof(name) - 1), BYTES(key_id, sizeof(key_id)), "issuing", &urls, &template, &p);
	assert(ok);
	return &template;
}

/* A P-256 key: its point need not be on the curve, for nobody computes with it. */
static void spki_make(size_t i, uint8_t ret[POINT_AT + POINT])
{
	static const uint8_t head[POINT_AT] = {
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
	};

	memcpy(ret, head, sizeof(head));
	fill(i, KEY, ret + POINT_AT, POINT);
}

static void certificate_make(size_t i, const struct approval_facts *facts, struct bytes serial, struct buf *ret)
{
	static const uint8_t ecdsa[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
	uint8_t signature[1 + SIGNATURE_SIZE] = {0};
	auto_value(buf) tbs = {0};
	auto_value(problem) p = {0};
	struct der d = der_writer(ret);

	bool ok = template_write(issuer(), BYTES(ecdsa, sizeof(ecdsa)), serial, facts, &tbs, &p);
	assert(ok);
	fill(i, SIGNATURE, signature + 1, SIGNATURE_SIZE);
	der_open(&d, 0x30);
	der_put_raw(&d, buf_bytes(&tbs));
	der_put_raw(&d, BYTES(ecdsa, sizeof(ecdsa)));
	der_put(&d, 0x03, BYTES(signature, sizeof(signature)));
	der_close(&d);
}

/* --- rows --- */

static void revoke(struct certificate *row)
{
	row->status = CERTIFICATE_REVOKED;
	row->revoked = row->issued + ROWS_DAY;
	row->reason = 4;
	row->revoked_by = "operator bench";
}

static struct approval_facts facts_of(size_t i, size_t of, const struct identifiers *names, struct bytes spki)
{
	static char usage[] = "1.3.6.1.5.5.7.3.1", *usages_v[] = { usage };
	static const struct strings usages = { usages_v, 1 };
	int64_t issued = ROWS_NOW - 90 * ROWS_DAY + (int64_t)((double)i / (double)of * 90 * ROWS_DAY);
	struct approval_facts facts = {
		.spki = spki, .algorithm = KEY_EC_P256, .names = names, .common_name = names->v[0].value, .profile = profile_of(i),
		.not_before = issued - 60, .not_after = issued + 90 * ROWS_DAY, .key_usage = 1, .extended_key_usage = &usages, .method = "acme",
	};

	digest_sha256(spki, facts.key_hash);
	place(i, of, facts.key_hash);
	return facts;
}

/* The bytes are the row's own block. */
static void place_fingerprint(size_t i, size_t of, struct certificate *row)
{
	place(i, of, (uint8_t *)row->memory + (row->fingerprint.data - (const uint8_t *)row->memory));
}

void row_make(size_t i, size_t of, struct made *ret)
{
	uint8_t spki[POINT_AT + POINT], serial[CERTIFICATE_SERIAL_SIZE], order[RAW_ID], account[RAW_ID];
	auto_value(buf) der = {0};
	auto_value(problem) p = {0};
	char order_text[RANDOM_ID_SIZE], account_text[RANDOM_ID_SIZE];
	struct identifier name;

	/* Each name is renewed: four certificates have it. */
	snprintf(ret->host, sizeof(ret->host), "host%zu.unit%zu.corp.example.com", i / 4, i / 4 % 97);
	bool ok = identifier_parse("dns", ret->host, &name, &p);
	assert(ok);
	struct identifiers names = { &name, 1 };
	spki_make(i, spki);
	struct approval_facts facts = facts_of(i, of, &names, BYTES(spki, sizeof(spki)));
	serial_make(i, facts.not_before + 60, serial);
	timed_id(i, ORDER, facts.not_before + 59, order);
	fill(i % ROWS_ACCOUNTS, ACCOUNT, account, sizeof(account));
	id_text(order, order_text);
	id_text(account, account_text);
	facts.order = order_text;
	facts.account = account_text;
	certificate_make(i, &facts, BYTES(serial, sizeof(serial)), &der);
	ok = inventory_row(&facts, "issuing", BYTES(serial, sizeof(serial)), buf_bytes(&der), &ret->row, &p);
	assert(ok);
	place_fingerprint(i, of, &ret->row);
	ret->row.issued = facts.not_before + 60;
	if ((i + i / 10) % 10 == 7) /* of all profiles */
		revoke(&ret->row);
}

void made_free(struct made *made)
{
	certificate_free(&made->row);
}
