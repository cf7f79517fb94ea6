#include "admin/local.h"

#include "ca/verdict.h"

void local_close(struct local *local)
{
	identity_free(local->identity);
	api_close(local->api);
	profiles_unref(local->profiles);
	ca_free(local->ca);
	store_close(local->store);
}

bool local_open(const struct command_call *call, bool signs, struct local *ret, struct problem *p)
{
	const struct admin *admin = call->admin;
	const struct api_options options = { .key_file = admin->key_file };
	char name[ADMIN_ACTOR_SIZE];

	admin_actor(name);
	if (!admin_open_store(admin, &ret->store, p) || !admin->open_profiles(admin->config, &ret->profiles, p))
		return false;
	if (signs && (!admin->open_ca(admin->config, &ret->ca, p) || !ca_follow(ret->ca, ret->store, p)))
		return false;
	if (signs)
		verdict_bind(ret->ca, ret->profiles);
	return api_prepare(&options, ret->store, ret->ca, ret->profiles, &ret->api, p) &&
	       identity_person(name, &ret->identity, p);
}

/* The log reads the names of the rules that a client broke; who stands at the terminal reads what is wrong, a line
 * each. */
static bool tell_parts(struct problem *p)
{
	if (!problem_is_ours(p))
		p->cause[0] = '\0';
	for (size_t i = 0; p->sub_count > 1 && i < p->sub_count; i++)
		fprintf(stderr, "  %s\n", p->subs[i].detail);
	if (p->sub_count > 1)
		snprintf(p->detail, sizeof(p->detail), "refused for %zu reasons", p->sub_count);
	return false;
}

bool local_ask(struct local *local, const char *route, const char *id, const struct buf *body,
               struct http_response *ret, struct problem *p)
{
	const struct api_asking asking = { route, id, buf_bytes(body) };

	return buf_check(body, p) && (api_ask_as(local->api, local->identity, &asking, ret, p) || tell_parts(p));
}
