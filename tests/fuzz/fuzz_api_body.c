/* Bodies of the API: each is held to the schema that its first byte chooses, and read into what is asked for. What the
 * schema lets pass is read without a fault, and becomes a CSR that the parser of all CSRs reads. */
#include <stdlib.h>

#include "admin/api_ask.h"
#include "admin/api_body.h"
#include "admin/api_routes.h"
#include "admin/managed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const struct api_object *choose(uint8_t byte)
{
	const struct api_object *object = NULL;

	for (size_t i = 0; i < api_route_count() && !object; i++)
		object = api_route_at((i + byte) % api_route_count())->body;
	return object;
}

static void make(const struct managed *managed)
{
	static EVP_PKEY *key;
	const struct csr_wish wish = {
		.subject = &managed->subject, .names = &managed->names, .upns = &managed->upns, .key_usage = managed->key_usage,
		.extended_key_usage = &managed->extended_key_usage, .ca = managed->ca, .path_length = managed->path_length,
	};
	auto_value(buf) der = {0};
	auto_value(problem) p = {0};
	auto_struct(csr) *csr = NULL;

	if (!key)
		must(key_make(KEY_EC_P256, &key, &p));
	must(csr_make(&wish, key, 0, &der, &p));
	if (csr_parse(buf_bytes(&der), &csr, &p))
		must(csr->names.n == managed->names.n && csr->subject_count == managed->subject.n);
}

static void read_issue(const struct json *body)
{
	auto_value(managed) managed = {0};
	auto_value(problem) parts = {0};
	auto_value(buf) csr = {0};
	struct issuance e = {0};

	api_ask_period(body, &e, &parts);
	api_ask_metadata(body, &e.metadata, &parts);
	(void)!api_ask_csr(body, &csr, &parts);
	free(e.metadata.v);
	auto_value(problem) wrong = {0};
	managed_refuse(json_member(body, "attributes"), &wrong);
	managed_read(json_member(body, "attributes"), &managed, &wrong);
	if (wrong.sub_count == 0 && !problem_is_set(&wrong))
		make(&managed);
	else if (managed_is_asked(json_member(body, "attributes")))
		make(&managed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_value(problem) p = {0}, parts = {0};
	auto_struct(json) *body = NULL;

	if (size < 1 || !json_parse(BYTES(data + 1, size - 1), &body, &p))
		return 0;
	const struct api_object *object = choose(data[0]);
	api_body_check(object, body, &parts);
	if (parts.sub_count == 0 && !problem_is_set(&parts) && object == &api_issue_body)
		read_issue(body);
	for (size_t i = 0; i < parts.sub_count; i++)
		must(parts.subs[i].detail[0] != '\0');
	return 0;
}
