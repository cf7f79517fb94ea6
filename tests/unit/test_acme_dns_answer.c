#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/dns_answer.h"
#include "base/base64.h"

#define HEADER(flags, questions, answers) "0001" flags questions answers "00000000"
#define QUESTION "036f6e65076578616d706c6500" "0001" "0001"
#define A(address) "c00c" "0001" "0001" "0000003c" "0004" address
#define AAAA(address) "c00c" "001c" "0001" "0000003c" "0010" address

static void reads(void **state)
{
	static const struct {
		const char *hex;
		int type, want_rcode;
		const char *want;
	} rows[] = {
		{ HEADER("8180", "0001", "0001") QUESTION A("c0000201"),
		  DNS_TYPE_A, 0, "192.0.2.1 " },
		{ HEADER("8180", "0001", "0002") QUESTION A("c0000201") A("c0000202"),
		  DNS_TYPE_A, 0, "192.0.2.1 192.0.2.2 " },
		{ HEADER("8180", "0001", "0003") QUESTION A("c0000201") A("c0000202") A("c0000203"),
		  DNS_TYPE_A, 0, "192.0.2.1 192.0.2.2 " },
		{ HEADER("8180", "0000", "0001") "03777777c00c" "0001" "0001" "00000000" "0004" "c0000201",
		  DNS_TYPE_A, 0, "192.0.2.1 " },
		{ HEADER("8180", "0001", "0001") QUESTION AAAA("20010db8000000000000000000000001"),
		  DNS_TYPE_AAAA, 0, "2001:db8::1 " },
		{ HEADER("8180", "0001", "0001") QUESTION AAAA("00000000000000000000ffff7f000001"),
		  DNS_TYPE_AAAA, 0, "127.0.0.1 " },
		/* an alias before it, another type, another class, an address of another length */
		{ HEADER("8180", "0001", "0002") QUESTION "c00c" "0005" "0001" "00000000" "0002" "c00c" A("c0000201"),
		  DNS_TYPE_A, 0, "192.0.2.1 " },
		{ HEADER("8180", "0001", "0001") QUESTION A("c0000201"),
		  DNS_TYPE_AAAA, 0, "" },
		{ HEADER("8180", "0001", "0001") QUESTION "c00c" "0001" "0003" "00000000" "0004" "c0000201",
		  DNS_TYPE_A, 0, "" },
		{ HEADER("8180", "0001", "0001") QUESTION "c00c" "0001" "0001" "00000000" "0003" "c00002",
		  DNS_TYPE_A, 0, "" },
		{ HEADER("8180", "0001", "0001") QUESTION "c00c" "001c" "0001" "00000000" "0004" "c0000201",
		  DNS_TYPE_AAAA, 0, "" },
		{ HEADER("8180", "0001", "0001") QUESTION "c00c" "001c" "0001" "00000000" "000f" "20010db80000000000000000000000",
		  DNS_TYPE_AAAA, 0, "" },
		{ HEADER("8180", "0001", "0001") QUESTION "c00c" "0001" "0001" "00000000" "0010" "20010db8000000000000000000000001",
		  DNS_TYPE_A, 0, "" },
		{ HEADER("8183", "0001", "0000") QUESTION,
		  DNS_TYPE_A, DNS_NXDOMAIN, "" },
		{ HEADER("8182", "0001", "0000") QUESTION,
		  DNS_TYPE_A, DNS_SERVFAIL, "" },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) message = {0};
		char text[ADDR_TEXT_SIZE], got[128] = "";
		struct addr v[2];
		size_t n;
		int rcode;

		assert_true(hex_decode(rows[i].hex, strlen(rows[i].hex), &message));
		assert_true(dns_answer_read(buf_bytes(&message), rows[i].type, v, array_length(v), &n, &rcode));
		for (size_t k = 0; k < n; k++) {
			addr_format(&v[k], text);
			strcat(strcat(got, text), " ");
		}
		assert_string_equal(got, rows[i].want);
		assert_int_equal(rcode, rows[i].want_rcode);
	}
}

/* RFC 1035, 3.3.14: strings, each with its length. */
static void texts_are_joined(void **state)
{
	static const struct {
		const char *hex;
		bool want;
		size_t want_len;
		const char *want_text; /* of five characters at most */
	} rows[] = {
		{ "0361626302646500", true, 5, "abcde" }, { "0461626364", true, 4, "abcd" }, { "06616263646566", true, 6, "abcde" },
		{ "00", true, 0, "" }, { "", true, 0, "" }, { "0461626300", true, 4, "abc" },
		{ "046162", false, 0, NULL }, { "01610462", false, 0, NULL }, { "016101", false, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_length(rows); i++) {
		auto_value(buf) data = {0};
		char text[7] = "......";
		size_t len;

		assert_true(hex_decode(rows[i].hex, strlen(rows[i].hex), &data));
		bool good = dns_answer_text(buf_bytes(&data), text, 6, &len);
		if (good != rows[i].want || (good && (len != rows[i].want_len || !str_equal(text, rows[i].want_text))))
			fail_msg("%s: %s", rows[i].hex, good ? text : "none");
		assert_int_equal(text[6], '\0');
	}
}

/* Cut anywhere, a message is none; and one that ends with its last record is not read past it. */
static void a_part_is_no_message(void **state)
{
	static const char hex[] = HEADER("8180", "0001", "0001") QUESTION A("c0000201");
	auto_value(buf) message = {0};
	struct addr v[2];
	size_t n;
	int rcode;

	(void)state;
	assert_true(hex_decode(hex, strlen(hex), &message));
	for (size_t len = 0; len < message.len; len++) {
		/* of its own, so that the sanitizer watches its end */
		auto_free uint8_t *cut = malloc(len ? len : 1);

		memcpy(cut, message.data, len);
		assert_false(dns_answer_read(BYTES(cut, len), DNS_TYPE_A, v, array_length(v), &n, &rcode));
	}
	message.data[12] = 0x40; /* a label of no known kind */
	assert_false(dns_answer_read(buf_bytes(&message), DNS_TYPE_A, v, array_length(v), &n, &rcode));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(texts_are_joined),
		cmocka_unit_test(a_part_is_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
