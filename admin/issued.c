#include "admin/issued.h"

#include <unistd.h>

#include "admin/input.h"
#include "admin/option.h"
#include "base/file.h"

enum { CSR_MAX = 64 * 1024 };

/* --- what is asked */

/* The file itself, or the folder that it would stand in. */
static bool is_writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");

	return access(path, F_OK) == 0 ? access(path, W_OK) == 0 : folder && access(folder, W_OK) == 0;
}

static bool check_file(const char *option, const char *path, struct problem *p)
{
	return !path || is_writable(path) || problem_set(p, PROBLEM_MALFORMED, "%s: %s: %m", option, path);
}

bool issued_check(const struct command_call *call, struct problem *p)
{
	return check_file("--out", command_value(call, "--out"), p) &&
	       check_file("--key-out", command_value(call, "--key-out"), p);
}

void issued_attributes(const struct command_call *call,
                       void (*more)(const struct command_call *call, struct json_writer *w), struct json_writer *w)
{
	json_open(w, "attributes");
	json_put(w, "ttl", command_value(call, "--ttl"));
	json_put(w, "notBefore", command_value(call, "--not-before"));
	json_put(w, "notAfter", command_value(call, "--not-after"));
	if (more)
		more(call, w);
	json_close(w);
}

bool issued_put_pair(const char *text, struct json_writer *w, struct problem *p)
{
	auto_free char *key = strdup(text);
	char *equals = key ? strchr(key, '=') : NULL;

	if (!key)
		return problem_memory(p);
	if (!equals || equals == key)
		return problem_set(p, PROBLEM_MALFORMED, "expected KEY=VALUE, got `%s`", text);
	*equals = '\0';
	json_open(w, NULL);
	json_put(w, "key", key);
	json_put(w, "value", equals + 1);
	json_close(w);
	return true;
}

bool issued_metadata(const struct command_call *call, struct json_writer *w, struct problem *p)
{
	const char *text = command_value(call, "--metadata");
	auto_value(strings) pairs = {0};

	if (!text)
		return true;
	if (!option_list(text, &pairs, p))
		return false;
	json_open_array(w, "metadata");
	for (size_t i = 0; i < pairs.n; i++)
		if (!issued_put_pair(pairs.v[i], w, p))
			return false;
	json_close(w);
	return true;
}

bool issued_csr(const char *path, struct json_writer *w, struct problem *p)
{
	auto_value(buf) text = {0};

	if (!input_read_pem(path, "CERTIFICATE REQUEST", CSR_MAX, &text, p))
		return false;
	json_put_buf(w, "csr", &text);
	return true;
}

/* --- what came of it */

static bool write_file(const struct command_call *call, const char *path, unsigned mode, const struct buf *text,
                       struct problem *p)
{
	if (!path)
		fputs(buf_text(text), call->out);
	else if (!file_export(path, buf_bytes(text), mode, p))
		return false;
	else
		fprintf(call->out, "wrote %s\n", path);
	return true;
}

/* The key first: whoever is interrupted then has what cannot be had again. */
static bool print_text(const struct command_call *call, const struct json *certificate, struct problem *p)
{
	const char *key = json_member_string(certificate, "privateKey"), *path = command_value(call, "--out");
	auto_value(buf) key_text = {0}, text = {0};

	buf_add_str(&key_text, key ?: "");
	buf_add_str(&text, json_member_string(certificate, "certificate"));
	buf_add_str(&text, json_member_string(certificate, "certificateChain"));
	if (!buf_check(&key_text, p) || !buf_check(&text, p) ||
	    (key && !write_file(call, command_value(call, "--key-out"), 0600, &key_text, p)) ||
	    !write_file(call, path, 0644, &text, p))
		return false;
	if (path)
		fprintf(call->out, "issued %s\n", json_member_string(certificate, "certificateId"));
	return fflush(call->out) == 0 || problem_internal(p, "writing: %m");
}

bool issued_print(const struct command_call *call, const struct http_response *reply, struct problem *p)
{
	auto_struct(json) *json = NULL;

	if (call->json) {
		fprintf(call->out, "%s\n", buf_text(&reply->body));
		return fflush(call->out) == 0 || problem_internal(p, "writing: %m");
	}
	if (!json_parse(buf_bytes(&reply->body), &json, p))
		return false;
	if (json_member(json, "certificate"))
		return print_text(call, json_member(json, "certificate"), p);
	fprintf(call->out, "request %s waits for approval; `enrolld request show` tells what becomes of it\n",
	        json_member_string(json, "certificateRequestId"));
	return true;
}
