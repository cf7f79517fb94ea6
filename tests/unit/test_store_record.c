#include "tests/unit/test_store.h"

#include "base/base64.h"
#include "store/record.h"

enum colour { RED, GREEN, BLUE };
struct leaf {
	const char *name;
	int64_t weight;
};
struct branch {
	const char *name;
	struct record_list leaves;
};
struct tree {
	void *memory;
	char id[RANDOM_ID_SIZE];
	const char *text;
	int64_t number;
	enum colour colour;
	bool flag;
	struct bytes bytes;
	struct record_texts texts;
	struct record_list branches;
	int64_t time;
};
/* One that is nothing without its name. */
struct named {
	void *memory;
	const char *title, *name;
	int64_t number;
};

static const struct record_field leaf_fields[] = { record_text(1, leaf, name), record_integer(2, leaf, weight) };
static const struct record_schema leaf_schema = { "leaf", sizeof(struct leaf), leaf_fields, 2 };
static const struct record_field branch_fields[] = {
	record_text(1, branch, name), record_list(2, branch, leaves, &leaf_schema),
};
static const struct record_schema branch_schema = { "branch", sizeof(struct branch), branch_fields, 2 };
static const struct record_field tree_fields[] = {
	record_id(1, tree, id),
	record_text(2, tree, text),
	record_integer(3, tree, number),
	record_enum(4, tree, colour, colour, BLUE),
	record_bool(5, tree, flag),
	record_bytes(6, tree, bytes),
	record_texts(7, tree, texts),
	record_list(200, tree, branches, &branch_schema),
	record_time(201, tree, time),
};
static const struct record_field named_fields[] = {
	record_text(1, named, title), record_text_always(3, named, name), record_integer(5, named, number),
};
static const struct record_schema named_schema = { "named", sizeof(struct named), named_fields, 3 };
static const struct record_schema tree_schema = { "tree", sizeof(struct tree), tree_fields, array_length(tree_fields) };
/* The same record as an earlier program knew it. */
static const struct record_field old_fields[] = { record_text(2, tree, text), record_enum(4, tree, colour, colour, BLUE) };
static const struct record_schema old_schema = { "tree", sizeof(struct tree), old_fields, 2 };

static struct tree round_trip(const struct tree *tree)
{
	auto_value(buf) bytes = {0};
	struct tree out;

	must(record_encode(&tree_schema, tree, &bytes, p));
	must(record_decode(&tree_schema, buf_bytes(&bytes), &out, p));
	return out;
}

static void test_all_fields(void **state)
{
	static struct leaf leaves[] = { { "a leaf", 1 }, { NULL, 0 }, { "", -1 } };
	static struct branch branches[] = { { "low", { leaves, 3 } }, { "bare", { NULL, 0 } } };
	static const char *const texts[] = { "one", "", "three" };
	const struct tree tree = {
		.id = "ABCDEFGHIJKLMNOPQRSTUA", .text = "text", .number = 1763724960, .colour = BLUE, .flag = true,
		.bytes = BYTES("\0\1\2", 3), .texts = { texts, 3 }, .branches = { branches, 2 },
	};
	struct tree out = round_trip(&tree);

	(void)state;
	assert_string_equal(out.id, tree.id);
	assert_string_equal(out.text, "text");
	assert_int_equal(out.number, tree.number);
	assert_int_equal(out.colour, BLUE);
	assert_true(out.flag);
	assert_true(bytes_equal(out.bytes, tree.bytes));
	assert_int_equal(out.texts.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(out.texts.v[i], texts[i]);
	const struct branch *b = out.branches.v;
	assert_int_equal(out.branches.n, 2);
	assert_string_equal(b[0].name, "low");
	assert_string_equal(b[1].name, "bare");
	assert_int_equal(b[1].leaves.n, 0);
	const struct leaf *l = b[0].leaves.v;
	assert_int_equal(b[0].leaves.n, 3);
	assert_string_equal(l[0].name, "a leaf");
	assert_int_equal(l[0].weight, 1);
	assert_null(l[1].name);
	assert_int_equal(l[1].weight, 0);
	assert_string_equal(l[2].name, "");
	assert_int_equal(l[2].weight, -1);
	record_free(&out);
	assert_null(out.memory);
	record_free(&out);
}

static void test_no_fields(void **state)
{
	const struct tree tree = {0};
	auto_value(buf) bytes = {0};
	struct tree out;

	(void)state;
	must(record_encode(&tree_schema, &tree, &bytes, p));
	assert_int_equal(bytes.len, 0);
	memset(&out, 0xff, sizeof(out));
	must(record_decode(&tree_schema, buf_bytes(&bytes), &out, p));
	assert_string_equal(out.id, "");
	assert_null(out.text);
	assert_int_equal(out.number, 0);
	assert_int_equal(out.colour, RED);
	assert_false(out.flag);
	assert_null(out.bytes.data);
	assert_int_equal(out.bytes.len + out.texts.n + out.branches.n, 0);
	record_free(&out);
}

static void test_integers(void **state)
{
	static const int64_t numbers[] = {
		1, -1, 127, 128, -128, 255, 256, INT32_MAX, INT32_MIN, INT64_C(253402300799), INT64_MAX, INT64_MIN,
	};

	(void)state;
	for (size_t i = 0; i < array_length(numbers); i++) {
		const struct tree tree = { .number = numbers[i] };
		struct tree out = round_trip(&tree);

		assert_true(out.number == numbers[i]);
		record_free(&out);
	}
}

static void test_lengths(void **state)
{
	static const size_t lengths[] = { 1, 127, 128, 16383, 16384, 2097151, 2097152, 3000000 };

	(void)state;
	for (size_t i = 0; i < array_length(lengths); i++) {
		auto_free uint8_t *data = malloc(lengths[i]);
		memset(data, 'x', lengths[i]);
		const struct tree tree = { .bytes = BYTES(data, lengths[i]) };
		struct tree out = round_trip(&tree);

		assert_true(bytes_equal(out.bytes, tree.bytes));
		record_free(&out);
	}
}

static void test_too_large(void **state)
{
	auto_free uint8_t *data = calloc(1, 17 * 1024 * 1024);
	const struct tree tree = { .bytes = BYTES(data, 17 * 1024 * 1024) };
	auto_value(buf) bytes = {0};

	(void)state;
	must_refuse(PROBLEM_TOO_LARGE, record_encode(&tree_schema, &tree, &bytes, p));
}

/* A newer program's fields are skipped, an older one's absence is zero. */
static void test_fields_come_and_go(void **state)
{
	const struct tree tree = { .text = "text", .number = 5, .colour = GREEN, .flag = true };
	auto_value(buf) bytes = {0};
	struct tree out;

	(void)state;
	must(record_encode(&tree_schema, &tree, &bytes, p));
	must(record_decode(&old_schema, buf_bytes(&bytes), &out, p));
	assert_string_equal(out.text, "text");
	assert_int_equal(out.colour, GREEN);
	assert_int_equal(out.number, 0);
	assert_false(out.flag);
	record_free(&out);

	buf_clear(&bytes);
	must(record_encode(&old_schema, &tree, &bytes, p));
	must(record_decode(&tree_schema, buf_bytes(&bytes), &out, p));
	assert_string_equal(out.text, "text");
	assert_int_equal(out.number, 0);
	record_free(&out);
}

static void test_strange_bytes(void **state)
{
	static const struct {
		const char *hex;
		bool want_ok;
	} rows[] = {
		{ "", true },
		{ "0203616263", true },            /* text "abc" */
		{ "020361626300", false },         /* tag 0 */
		{ "02036162", false },             /* length beyond the end */
		{ "02", false },                   /* no length */
		{ "0280", false },                 /* length without an end */
		{ "02ffffffffff7f", false },       /* length too long */
		{ "0203610062", false },           /* zero byte in a text */
		{ "020161020162", false },         /* a tag twice */
		{ "030102020161", false },         /* tags falling */
		{ "0308ffffffffffffffff", true },  /* the lowest integer */
		{ "0309ffffffffffffffffff", false },
		{ "0300", true },                  /* an integer of no bytes is 0 */
		{ "040101", false },               /* an enum below zero */
		{ "040104", true },                /* its last value */
		{ "040106", false },               /* and one beyond */
		{ "0405000000000f", false },       /* an enum that no int holds */
		{ "050102", true },                /* true */
		{ "050104", false },               /* neither true nor false */
		{ "01174142434445464748494a4b4c4d4e4f505152535455565741", false }, /* id of 23 */
		{ "070301610161", false },         /* a text that ends too early */
		{ "07020161", true },
		{ "c80100", true },                /* a list of one branch without fields */
		{ "c80101", false },               /* a branch that ends too early */
		{ "c8050402020000", true },        /* a branch of two leaves without fields */
		{ "c8050402020100", false },       /* ... of a leaf whose one field has no length */
		{ "6300", true },                  /* unknown */
		{ "c900", true },
		{ "c905fe82e8ff75", true },        /* 9999-12-31T23:59:59Z */
		{ "c9050083e8ff75", false },       /* a second more */
		{ "c905ffed23ef1c", true },        /* 0001-01-01T00:00:00Z */
		{ "c90501ee23ef1c", false },       /* a second less */
		{ "c908ffffffffffffff7f", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) in = {0};
		struct problem why = {0};
		struct tree out;

		assert_true(hex_decode(rows[i].hex, strlen(rows[i].hex), &in));
		bool ok = record_decode(&tree_schema, buf_bytes(&in), &out, &why);
		if (ok != rows[i].want_ok)
			fail_msg("%s: %d", rows[i].hex, ok);
		if (ok)
			record_free(&out);
	}
}

/* What could not be read again is not written. */
static void test_times(void **state)
{
	const struct tree good[] = { { .time = 253402300799 }, { .time = -62135596800 } };
	const struct tree bad[] = { { .time = 253402300800 }, { .time = -62135596801 }, { .time = INT64_MIN } };
	auto_value(buf) out = {0};

	(void)state;
	for (size_t i = 0; i < array_length(good); i++) {
		struct tree read = round_trip(&good[i]);

		assert_int_equal(read.time, good[i].time);
		record_free(&read);
	}
	for (size_t i = 0; i < array_length(bad); i++)
		must_refuse(PROBLEM_INTERNAL, record_encode(&tree_schema, &bad[i], &out, p));
	assert_int_equal(out.len, 0);
}

static void test_text_that_is_always_there(void **state)
{
	static const struct {
		const char *hex;
		bool want_ok;
	} rows[] = {
		{ "0300", true }, { "030161", true }, { "01016103016105010e", true }, { "0301610700", true },
		{ "", false }, { "010161", false }, { "05010e", false }, { "01016105010e", false }, { "0700", false },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) in = {0};
		struct problem why = {0};
		struct named out = {0};

		assert_true(hex_decode(rows[i].hex, strlen(rows[i].hex), &in));
		if (record_decode(&named_schema, buf_bytes(&in), &out, &why) != rows[i].want_ok)
			fail_msg("\"%s\"", rows[i].hex);
		assert_true(!rows[i].want_ok || out.name);
		record_free(&out);
	}
}

static void test_refusal_leaves_the_record(void **state)
{
	struct tree out = { .number = 77 };

	(void)state;
	must_refuse(PROBLEM_INTERNAL, record_decode(&tree_schema, BYTES("\2\5a", 3), &out, p));
	assert_int_equal(out.number, 77);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_no_fields),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_fields_come_and_go),
		cmocka_unit_test(test_strange_bytes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_text_that_is_always_there),
		cmocka_unit_test(test_refusal_leaves_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
