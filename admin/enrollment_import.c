/* est-credential import: many devices for the list at once. */
#include <stdio.h>

#include "admin/actor.h"
#include "admin/device_list.h"
#include "admin/input.h"
#include "admin/listing.h"
#include "base/clock.h"
#include "base/file.h"

/* A name mistyped would make a device that no label takes. */
static bool check_profiles(const struct admin *admin, const struct device_list *list, struct problem *p)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].profile && !strings_has(admin->profiles, list->v[i].profile))
			return problem_set(p, PROBLEM_NOT_FOUND, "device %s: there is no profile %s",
			                   list->v[i].device ?: list->v[i].certificate, list->v[i].profile);
	return true;
}

static bool print(const struct command_call *call, const struct device_list_result *counts, struct problem *p)
{
	auto_value(buf) json = {0};
	if (!call->json) {
		fprintf(call->out, "added %lld, changed %lld, unchanged %lld, revoked and left so %lld\n",
		        (long long)counts->added, (long long)counts->changed, (long long)counts->unchanged,
		        (long long)counts->revoked);
		return true;
	}
	device_list_result_json(counts, &json);
	return listing_print_object(call, &json, p);
}

static bool import_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	auto_value(buf) text = {0};
	auto_value(device_list) list = {0};
	struct device_list_result counts;
	char name[ADMIN_ACTOR_SIZE];
	admin_actor(name);
	const struct actor actor = { name, NULL, clock_now() };
	return input_read(call->args[0], DEVICE_LIST_BYTES, &text, p) && device_list_read(buf_bytes(&text), &list, p) &&
	       check_profiles(call->admin, &list, p) && admin_open_store(call->admin, &store, p) &&
	       device_list_store(store, &list, &actor, &counts, p) && print(call, &counts, p);
}

const struct command admin_est_credential_import = {
	.name = "est-credential import",
	.args = "FILE|-",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.run = import_run,
	.summary = "put many devices on the list of those whose manufacturers' certificates EST takes",
	.details = "CSV with a head line, or one JSON object a line, with device (its serial number), certificate "
	           "(that of its\n"
	           "certificate, hexadecimal), profile, names (in CSV with spaces between), note and expires. The "
	           "file is\n"
	           "read whole before anything is stored. A device that is known gets what its row says.",
};
