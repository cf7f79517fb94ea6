#include "acme/device_attest01.h"

#include "base/file.h"
#include "tests/unit/acme_world.h"

#include "acme/attestation_roots.h"
#include "attestation_maker.h"
#include "store/audit.h"

/* device-attest-01 from the response to what is stored; what each format is held to is in test_acme_attestation*.c. */

#define DEVICE "permanent-identifier:a"
#define NAME_A "3013a01106082b06010505070803a00530030c0161" /* subjectAltName: permanentIdentifier "a" */

struct house {
	struct world *world;
	EVP_PKEY *root_key, *key;    /* the maker's, and the device's */
	X509 *root;
	char file[128];
};

static struct profiles *device_profiles(const char *format)
{
	struct profile *list[1] = {0};
	struct profiles *profiles = NULL;

	world_must(profile_new("default", &list[0], p));
	assert_true(strings_add(&list[0]->names[IDENTIFIER_PERMANENT].allow, "*"));
	assert_true(!format || strings_add(&list[0]->acme.attestation_formats, format));
	world_must(profiles_new(list, 1, "default", NULL, &profiles, p));
	return profiles;
}

static X509 *certify(const struct house *h, struct extension names)
{
	long now = clock_now() - NOW;

	return make_certificate(&(struct plan){
		.name = "device", .key = h->key, .issuer = h->root, .issuer_key = h->root_key, .from = now - DAY, .until = now + DAY,
		.extensions = { names },
	});
}

static int setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	auto_value(buf) der = {0}, pem = {0};
	auto_struct(attestation_roots) *roots = NULL;
	char format[] = "packed", *files[] = { h->file };
	struct attestation_source source = { format, { files, 1 } };
	long now = clock_now() - NOW;

	h->world = world_new();
	h->root_key = EVP_EC_gen("P-256");
	h->key = EVP_EC_gen("P-256");
	h->root = make_certificate(&(struct plan){ .name = "maker", .key = h->root_key, .issuer_key = h->root_key,
	                                           .constraints = "critical,CA:TRUE", .from = now - DAY, .until = now + DAY });
	assert_true(ossl_der(i2d_X509, h->root, &der));
	ossl_pem("CERTIFICATE", buf_bytes(&der), &pem);
	snprintf(h->file, sizeof(h->file), "%s/maker.pem", h->world->folder);
	world_must(file_write(h->file, buf_bytes(&pem), 0600, p));
	world_must(attestation_roots_new(&source, 1, &roots, p));
	profiles_unref(h->world->profiles);
	h->world->profiles = device_profiles(NULL);
	h->world->options.challenges = ACME_HTTP_01 | ACME_DEVICE_ATTEST_01;
	h->world->options.attestation = roots;
	world_open(h->world);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct house *h = *state;

	world_free(h->world);
	EVP_PKEY_free(h->root_key);
	EVP_PKEY_free(h->key);
	X509_free(h->root);
	free(h);
	return 0;
}

/* --- steps */

static void token_of(const struct house *h, const char *authorization, struct buf *ret)
{
	auto_value(reply) r = {0};

	world_call(h->world, 0, acme_challenge_post, authorization, "device-attest-01", NULL, &r);
	assert_done(&r, 200);
	buf_add_str(ret, json_member_string(r.json, "token"));
}

/* The payload of a response for that challenge by the account of that thumbprint. */
static void attest(const struct house *h, const char *authorization, int who, struct buf *ret)
{
	auto_value(buf) text = {0}, signature = {0}, object = {0}, names = {0};

	put_hex(&names, NAME_A);
	token_of(h, authorization, &text);
	buf_add_char(&text, '.');
	buf_add_base64url(&text, BYTES(h->world->thumbprint[who], 32));
	sign(h->key, EVP_sha256(), false, buf_bytes(&text), &signature);
	X509 *leaf = certify(h, (struct extension){ .oid = "2.5.29.17", .value = buf_bytes(&names) });
	put_object(&object, "packed", 3);
	put_text(&object, "alg");
	put_integer(&object, -7);
	put_text(&object, "sig");
	put_bytes(&object, buf_bytes(&signature));
	put_x5c(&object, leaf, NULL);
	X509_free(leaf);
	buf_add_str(ret, "{\"attObj\":\"");
	buf_add_base64url(ret, buf_bytes(&object));
	buf_add_str(ret, "\",\"other\":[1]}");
}

static void respond(const struct house *h, const char *authorization, const char *payload, struct reply *ret)
{
	world_call(h->world, 0, acme_challenge_post, authorization, "device-attest-01", payload, ret);
}

static void refused(const struct house *h, const char *names, const char *payload, const char *want)
{
	struct placed placed = place_order(h->world, 0, names);
	auto_value(reply) r = {0};

	respond(h, placed.authorization[0], payload, &r);
	assert_done(&r, 200);
	assert_member(r.json, "status", "invalid");
	const struct json *error = json_member(r.json, "error");
	assert_member(error, "type", "urn:ietf:params:acme:error:badAttestationStatement");
	if (!strstr(json_member_string(error, "detail"), want))
		fail_msg("%s", json_member_string(error, "detail"));
	authorization_status_is(h->world, placed.authorization[0], "invalid");
	order_status_is(h->world, placed.order, "invalid");
}

struct seen {
	const char *id;
	struct authorization authorization;
	const char *kind;
	size_t events;
};
static bool look(struct store_txn *txn, void *arg, struct problem *p)
{
	struct seen *s = arg;
	const struct audit_query query = { .kind = s->kind };
	auto_value(audit_page) page = {0};

	if (!store_authorization_get(txn, s->id, &s->authorization, p) || !store_audit_read(txn, &query, 0, 100, &page, p))
		return false;
	s->events = page.n;
	return true;
}

/* --- tests */

static void what_is_proven_is_stored_with_its_key(void **state)
{
	const struct house *h = *state;
	struct placed placed = place_order(h->world, 0, DEVICE);
	struct seen seen = { .id = placed.authorization[0], .kind = "device-attested" };
	auto_value(buf) payload = {0}, spki = {0};
	auto_value(reply) first = {0}, again = {0};
	uint8_t digest[SHA256_SIZE];

	attest(h, placed.authorization[0], 0, &payload);
	respond(h, placed.authorization[0], buf_text(&payload), &first);
	assert_done(&first, 200);
	assert_member(first.json, "status", "valid");
	order_status_is(h->world, placed.order, "ready");
	world_must(store_view(h->world->store, look, &seen, p));
	world_must(ossl_public_der(h->key, &spki, p));
	digest_sha256(buf_bytes(&spki), digest);
	assert_true(bytes_equal(seen.authorization.attested_key, BYTES(digest, sizeof(digest))));
	assert_string_equal(seen.authorization.attestation, "packed");
	assert_int_equal(seen.events, 1);
	authorization_free(&seen.authorization);
	/* as it is, however often it is asked for; and a new order is attested anew */
	respond(h, placed.authorization[0], buf_text(&payload), &again);
	assert_member(again.json, "status", "valid");
	placed = place_order(h->world, 0, DEVICE);
	authorization_status_is(h->world, placed.authorization[0], "pending");
}

static void what_is_no_response_leaves_it_pending(void **state)
{
	const struct house *h = *state;
	struct placed placed = place_order(h->world, 0, DEVICE);
	static const char *const payloads[] = { "{}", "{\"attObj\":1}", "{\"attObj\":null}", "{\"attobj\":\"oA\"}" };

	for (size_t i = 0; i < array_length(payloads); i++) {
		auto_value(reply) r = {0};
		respond(h, placed.authorization[0], payloads[i], &r);
		assert_refused(&r, PROBLEM_MALFORMED);
	}
	authorization_status_is(h->world, placed.authorization[0], "pending");
	order_status_is(h->world, placed.order, "pending");
}

static void what_is_refused_ends_it(void **state)
{
	const struct house *h = *state;

	refused(h, DEVICE, "{\"attObj\":\"\"}", "cannot be read");
	refused(h, DEVICE, "{\"attObj\":\"o+A\"}", "not in base64url");
	refused(h, DEVICE, "{\"attObj\":\"oA\"}", "\"fmt\"");
	auto_value(buf) large = {0};
	buf_add_str(&large, "{\"attObj\":\"");
	for (int i = 0; i < ATTESTATION_OBJECT_MAX / 3 + 2; i++)
		buf_add_str(&large, "AAAA");
	buf_add_str(&large, "\"}");
	refused(h, DEVICE, buf_text(&large), "larger than");
}

static void of_another_device_or_account(void **state)
{
	const struct house *h = *state;
	struct placed other = place_order(h->world, 0, "permanent-identifier:b"), foreign = place_order(h->world, 0, DEVICE);
	struct seen seen = { .id = other.authorization[0], .kind = "attestation-refused" };
	auto_value(buf) payload = {0}, by_other = {0};
	auto_value(reply) r = {0}, f = {0};

	attest(h, other.authorization[0], 0, &payload);
	respond(h, other.authorization[0], buf_text(&payload), &r);
	assert_member(r.json, "status", "invalid");
	assert_non_null(strstr(json_member_string(json_member(r.json, "error"), "detail"), "not of permanent-identifier \"b\""));
	attest(h, foreign.authorization[0], 1, &by_other);
	respond(h, foreign.authorization[0], buf_text(&by_other), &f);
	assert_member(f.json, "status", "invalid");
	world_must(store_view(h->world->store, look, &seen, p));
	assert_int_equal(seen.authorization.attested_key.len, 0);
	assert_int_equal(seen.events, 2);
	authorization_free(&seen.authorization);
}

static void profiles_choose_formats(void **state)
{
	const struct house *h = *state;
	struct placed placed = place_order(h->world, 0, DEVICE);
	struct profiles *before = h->world->profiles;
	auto_value(buf) payload = {0};
	auto_value(reply) r = {0};

	attest(h, placed.authorization[0], 0, &payload);
	h->world->profiles = device_profiles("tpm");
	respond(h, placed.authorization[0], buf_text(&payload), &r);
	profiles_unref(h->world->profiles);
	h->world->profiles = before;
	assert_member(r.json, "status", "invalid");
	assert_non_null(strstr(json_member_string(json_member(r.json, "error"), "detail"), "takes no attestation in format packed"));
}

/* From the next response on. */
static void roots_are_replaced(void **state)
{
	const struct house *h = *state;
	struct placed placed = place_order(h->world, 0, DEVICE);
	auto_struct(attestation_roots) *none = NULL;
	auto_value(buf) payload = {0};
	auto_value(reply) r = {0};

	attest(h, placed.authorization[0], 0, &payload);
	world_must(attestation_roots_new(NULL, 0, &none, p));
	acme_set_attestation(h->world->acme, none);
	respond(h, placed.authorization[0], buf_text(&payload), &r);
	assert_member(r.json, "status", "invalid");
	assert_non_null(strstr(json_member_string(json_member(r.json, "error"), "detail"), "\"packed\" is not accepted here"));
}

static void sources_are_checked(void **state)
{
	struct house *h = *state;
	char format[] = "packed", unknown[] = "u2f", nowhere[] = "/nowhere.pem", *good[] = { h->file }, *bad[] = { nowhere };
	const struct {
		struct attestation_source rows[2];
		size_t count;
		const char *want;
	} cases[] = {
		{ { { unknown, { good, 1 } } }, 1, "\"u2f\"" },
		{ { { format, { good, 1 } }, { format, { good, 1 } } }, 2, "two rows" },
		{ { { format, { bad, 1 } } }, 1, "/nowhere.pem" },
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct attestation_roots *roots = NULL;
		auto_value(problem) p = {0};
		assert_false(attestation_roots_new(cases[i].rows, cases[i].count, &roots, &p));
		if (!strstr(p.detail, cases[i].want))
			fail_msg("%s", p.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_proven_is_stored_with_its_key, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_response_leaves_it_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(of_another_device_or_account, setup, teardown),
		cmocka_unit_test_setup_teardown(profiles_choose_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(roots_are_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(sources_are_checked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
