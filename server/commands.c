#include "server/commands.h"

#include "acme/acme.h"
#include "acme/routes.h"
#include "admin/api_routes.h"
#include "base/fetch.h"
#include "base/json.h"
#include "est/routes.h"
#include "server/config_files.h"
#include "server/publish.h"
#include "server/revocation.h"
#include "server/status.h"

static const struct strings *approvers(const void *arg, const char *profile)
{
	const struct config *config = arg;

	for (size_t i = 0; i < config->profile_count; i++)
		if (str_equal(config->profiles[i].profile.name, profile))
			return &config->profiles[i].profile.approvers;
	return NULL;
}

static bool open_profiles(const void *arg, struct profiles **ret, struct problem *p)
{
	return config_profiles(arg, ret, p);
}

static bool open_ca(const void *arg, struct ca **ret, struct problem *p)
{
	const struct config *config = arg;
	const struct strings *issuers = &config->ca.issuers;
	const struct secret_source source = { config->ca.passphrase.file, config->ca.passphrase.environment,
		                              config->ca.passphrase.credential };
	auto_value(buf) passphrase = {0};
	auto_free const char **names = calloc(issuers->n + 1, sizeof(*names));
	const struct ca_options options = {
		.folder = config->ca.folder,
		.issuers = names,
		.urls = { .base = config->ca.urls, .shards = config->ca.crl_shards },
	};

	if (!names)
		return problem_memory(p);
	for (size_t i = 0; i < issuers->n; i++)
		names[i] = issuers->v[i];
	return secret_read(&source, config->ca.folder, &passphrase, p) &&
	       ca_open(&options, buf_bytes(&passphrase), ret, p);
}

bool commands_admin(const struct config *config, struct strings *ret_profiles, struct admin *ret,
                    struct problem *p)
{
	for (size_t i = 0; i < config->profile_count; i++)
		if (!strings_add(ret_profiles, config->profiles[i].profile.name))
			return problem_memory(p);
	*ret = (struct admin){
		.data_folder = config->data.folder,
		.ca = {
			.folder = config->ca.folder, .organization = config->ca.organization,
			.root_name = config->ca.root_name, .issuing_name = config->ca.issuing_name,
			.root_key = config->ca.root_key, .issuing_key = config->ca.issuing_key,
			.root_uri = config->ca.root_uri, .issuing_uri = config->ca.issuing_uri,
			.root_lifetime = config->ca.root_lifetime, .issuing_lifetime = config->ca.issuing_lifetime,
			.path_length = (int)config->ca.path_length, .base = config->ca.urls,
			.permitted = &config->ca.permitted, .excluded = &config->ca.excluded,
		},
		.passphrase = { config->ca.passphrase.file, config->ca.passphrase.environment,
		                config->ca.passphrase.credential },
		.profiles = ret_profiles,
		.approvers = approvers, .config = config, .open_profiles = open_profiles, .open_ca = open_ca,
		.key_file = config->api.options.key_file,
		.webhook = &config->webhook.options,
		.cancel_work = acme_account_cancel_work, .cancel_order = acme_order_cancel,
	};
	return config_pkcs11(config, p);
}

/* --- check-config */

static const struct command_option check_options[] = {
	{ "--print-reference", NULL, "print docs/configuration.md instead" },
	{ "--print-example", NULL, "print a file with every key and its default instead" },
	{ 0 },
};

static bool print_result(const struct command_call *call, const struct config *config,
                         const struct strings *skipped, struct problem *p)
{
	auto_value(buf) text = {0};
	const char *path = config->path ?: "built-in defaults";
	for (size_t i = 0; i < skipped->n && !call->json; i++)
		fprintf(stderr, "enrolld: %s: not looked at: %s\n", path, skipped->v[i]);
	if (!call->json) {
		fprintf(call->out, "%s: good\n", path);
		return true;
	}
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put(&w, "file", config->path);
	json_put_bool(&w, "good", true);
	json_put_integer(&w, "listeners", (int64_t)config->listener_count);
	json_put_integer(&w, "profiles", (int64_t)config->profile_count);
	json_put_strings(&w, "notLookedAt", skipped);
	json_close(&w);
	fprintf(call->out, "%s\n", buf_text(&text));
	return buf_check(&text, p);
}

static bool check_config_run(struct command_call *call, struct problem *p)
{
	auto_value(buf) text = {0};
	auto_struct(config) *config = NULL;
	auto_struct(profiles) *profiles = NULL;
	auto_value(strings) skipped = {0};
	bool reference = command_value(call, "--print-reference"), example = command_value(call, "--print-example");
	if (reference)
		config_print_reference(&text);
	if (example)
		config_print_example(&text);
	if (reference || example) {
		fputs(buf_text(&text), call->out);
		return buf_check(&text, p);
	}
	return config_load(call->arg_count ? call->args[0] : call->config, &config, p) &&
	       config_files_check(config, &skipped, p) && config_profiles(config, &profiles, p) &&
	       acme_check_libraries(p) && fetch_load(p) && print_result(call, config, &skipped, p);
}

const struct command server_check_config_command = {
	.name = "check-config",
	.args = "[FILE]",
	.args_max = 1,
	.json = true,
	.options = check_options,
	.run = check_config_run,
	.summary = "judge a configuration file",
	.details = "FILE, or what --config names, or " CONFIG_PATH ". The files that it names are read too: "
	                                                           "certificates, keys and lists must be\n"
	                                                           "what a start would take, and the server's own "
	                                                           "certificate good now. Nothing is changed; a "
	                                                           "token is not asked.",
};

/* --- routes */

static void put_route(const struct command_call *call, struct json_writer *w, const char *wing,
                      const struct http_route *route, const struct acme_route *acme, const struct api_route *api)
{
	if (!call->json) {
		fprintf(call->out, "%-10s %-7s %-46s %s\n", wing, http_method_name(route->method), route->path,
		        route->rfc);
		return;
	}
	json_open(w, NULL);
	json_put(w, "wing", wing);
	json_put(w, "method", http_method_name(route->method));
	json_put(w, "path", route->path);
	json_put(w, "contentType", route->content_type);
	json_put_integer(w, "bodyMax", (int64_t)route->body_max);
	json_put(w, "rfc", route->rfc);
	if (acme) {
		json_put(w, "auth", acme_auth_name(acme->auth));
		json_put(w, "payload", acme_payload_name(acme->payload));
	}
	if (api) {
		json_put(w, "role", api_route_role(api));
		json_put(w, "scope", api_scope_name(api->scope));
		json_put(w, "body", api->body ? api->body->name : NULL);
		json_put(w, "reply", api->reply ? api->reply->name : NULL);
	}
	json_close(w);
}

static bool routes_run(struct command_call *call, struct problem *p)
{
	struct status status = {0};
	auto_value(buf) text = {0};
	struct json_writer w = json_writer(&text);
	status_init(&status);
	const struct http_wing wings[] = { est_routes_wing(NULL), publish_wing(NULL), revocation_wing(NULL),
		                           status.wing };
	json_open_array(&w, NULL);
	for (size_t i = 0; i < acme_route_count(); i++)
		put_route(call, &w, "acme", &acme_route_at(i)->http, acme_route_at(i), NULL);
	for (size_t i = 0; i < api_route_count(); i++)
		put_route(call, &w, "api", &api_route_at(i)->http, NULL, api_route_at(i));
	for (size_t n = 0; n < array_length(wings); n++)
		for (size_t i = 0; i < wings[n].route_count; i++)
			put_route(call, &w, wings[n].name, wings[n].route(wings[n].state, i), NULL, NULL);
	json_close(&w);
	if (call->json)
		fprintf(call->out, "%s\n", buf_text(&text));
	return buf_check(&text, p);
}

const struct command server_routes_command = {
	.name = "routes", .args = "", .json = true, .run = routes_run,
	.summary = "list the requests that the services answer",
};
