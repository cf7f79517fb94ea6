/* CAA records and the values that dns-persist-01 borrows from them: the record's data as it comes. What permits
 * us names us, and a parameter never reaches out of the value. */
#include "acme/acme.h"
#include "acme/caa_record.h"
#include "acme/dns_persist01.h"
#include "acme/issue_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
	if (!held)
		abort();
}

static bool is_inside(struct bytes part, struct bytes whole)
{
	return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

static void value_try(struct bytes text, const struct strings *names)
{
	static const uint8_t thumbprint[32] = { 1 };
	const struct dns_persist_rules rules = { names, ACME_PERSIST_00 | ACME_PERSIST_02 };
	const struct probe_task task = {
		.type = "dns", .value = "a.example", .account_url = "https://ca.example/acme/d/account/1",
		.thumbprints = BYTES(thumbprint, sizeof(thumbprint)),
	};
	auto_value(problem) p = {0};
	struct issue_value value;
	int64_t until;

	if (issue_value_parse(text, &value)) {
		check(is_inside(value.domain, text) && value.n <= ISSUE_PARAMETERS_MAX);
		for (size_t i = 0; i < value.n; i++)
			check(is_inside(value.parameters[i].tag, text) && is_inside(value.parameters[i].value, text) &&
			      value.parameters[i].tag.len > 0);
	}
	if (dns_persist01_judge(&rules, &task, text, 1700000000, &until, &p))
		check(issue_value_domain_is(&value, names) && (until == 0 || until > 1700000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct strings names;
	struct bytes all = BYTES(data, size);
	struct caa_record record;

	if (names.n == 0 && !strings_add(&names, "ca.example"))
		return 0;
	const struct caa_issuance issuance = { &names, "dns-01", "https://ca.example/acme/d/account/1" };
	value_try(all, &names);
	if (!caa_record_parse(all, &record))
		return 0;
	check(is_inside(record.value, all));
	if (caa_record_permits(&record, &issuance))
		check(memmem(record.value.data, record.value.len, ".", 1) != NULL);
	value_try(record.value, &names);
	return 0;
}
