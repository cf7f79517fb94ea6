/* cert issue, cert renew, request collect: what the API does with a token, for who runs the server's commands. */
#include "admin/issued.h"
#include "admin/option.h"

/* --- cert issue */

#define PROFILE "--profile"
static const struct {
	const char *option, *member;
} subject_options[] = {
	{ "--cn", "commonName" },
	{ "--organization", "organization" },
	{ "--unit", "organizationalUnit" },
	{ "--country", "country" },
	{ "--state", "state" },
	{ "--locality", "locality" },
	{ "--email", "emailAddress" },
	{ "--serial-number", "serialNumber" },
	{ "--key", "keyAlgorithm" },
};

static const struct command_option issue_options[] = {
	{ "--profile", "NAME", "the profile; it must have the method api" },
	{ "--csr", "FILE|-", "a PKCS #10 request, PEM or DER; without: the server makes the key" },
	{ "--name", "NAME[,NAME...]",
	  "what it is for: www.example.com, 192.0.2.7, a@example.com, uri:spiffe://a/b, upn:a@b" },
	{ "--cn", "TEXT", "the subject's common name" },
	{ "--organization", "TEXT", "O" },
	{ "--unit", "TEXT", "OU" },
	{ "--country", "XX", "C, two letters" },
	{ "--state", "TEXT", "ST" },
	{ "--locality", "TEXT", "L" },
	{ "--email", "ADDRESS", "a mail address in the subject" },
	{ "--serial-number", "TEXT", "serialNumber of the subject, as of a device" },
	{ "--key", "KIND",
	  "of the key that is made: ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-4096, ed25519" },
	{ "--key-usage", "USAGE[,USAGE...]", "digitalSignature, keyEncipherment, ...; without: the profile's" },
	{ "--extended-key-usage", "USAGE[,USAGE...]",
	  "serverAuth, clientAuth, ..., or OIDs; without: the profile's" },
	ISSUED_LIFE_OPTIONS,
	ISSUED_OPTIONS,
	{ 0 },
};

static void put_list(struct json_writer *w, const char *member, const char *text)
{
	auto_value(strings) words = {0};
	auto_value(problem) why = {0};

	if (!text)
		return;
	if (!option_list(text, &words, &why))
		w->out->failed = true;
	json_put_strings(w, member, &words);
}

/* "uri:spiffe://a/b" has its type before it, "www.example.com" is what it looks like. */
static void put_name(struct json_writer *w, const char *name)
{
	static const char *const types[] = { "dns", "ip", "email", "uri", "upn" };

	json_open(w, NULL);
	for (size_t i = 0; i < array_length(types); i++) {
		size_t len = strlen(types[i]);
		if (strncmp(name, types[i], len) != 0 || name[len] != ':')
			continue;
		json_put(w, "type", types[i]);
		name += len + 1;
		break;
	}
	json_put(w, "value", name);
	json_close(w);
}

static void put_names(struct json_writer *w, const char *text)
{
	auto_value(strings) names = {0};
	auto_value(problem) why = {0};

	if (!text)
		return;
	json_open_array(w, "altNames");
	if (!option_list(text, &names, &why))
		w->out->failed = true;
	for (size_t i = 0; i < names.n; i++)
		put_name(w, names.v[i]);
	json_close(w);
}

static void put_wishes(const struct command_call *call, struct json_writer *w)
{
	for (size_t i = 0; i < array_length(subject_options); i++)
		json_put(w, subject_options[i].member, command_value(call, subject_options[i].option));
	put_names(w, command_value(call, "--name"));
	put_list(w, "keyUsages", command_value(call, "--key-usage"));
	put_list(w, "extendedKeyUsages", command_value(call, "--extended-key-usage"));
}

static bool put_issue(const struct command_call *call, struct buf *ret, struct problem *p)
{
	struct json_writer w = json_writer(ret);
	const char *csr = command_value(call, "--csr"), *profile = command_value(call, PROFILE);

	if (!profile)
		return problem_set(p, PROBLEM_MALFORMED, PROFILE " is missing");
	json_open(&w, NULL);
	json_put(&w, "profileId", profile);
	if (csr && !issued_csr(csr, &w, p))
		return false;
	issued_attributes(call, put_wishes, &w);
	json_put_bool(&w, "removeRootsFromChain", !call->json);
	if (!issued_metadata(call, &w, p))
		return false;
	json_close(&w);
	return buf_check(ret, p);
}

static bool ask(const struct command_call *call, const char *route, const struct buf *body, struct problem *p)
{
	auto_value(local) local = {0};
	auto_value(http_response) reply = {0};

	return issued_check(call, p) && local_open(call, true, &local, p) &&
	       local_ask(&local, route, call->arg_count ? call->args[0] : NULL, body, &reply, p) &&
	       issued_print(call, &reply, p);
}

static bool issue_run(struct command_call *call, struct problem *p)
{
	auto_value(buf) body = {0};

	return put_issue(call, &body, p) && ask(call, "issueCertificate", &body, p);
}

const struct command admin_cert_issue = {
	.name = "cert issue",
	.args = "",
	.json = true,
	.admin = true,
	.options = issue_options,
	.run = issue_run,
	.summary = "issue a certificate, for a CSR or with a key that is made for it",
	.details = "Judged as what comes over the API: by the profile's policy, and by people where it demands "
	           "approval. Beside a CSR\n"
	           "only life and metadata can be said. A key that is made is printed this once, unless the profile "
	           "keeps it; with --json\n"
	           "it is in the reply. It needs the passphrase of the CA's folder, as the server does, and works "
	           "while a server runs.",
};

/* --- cert renew */

static const struct command_option renew_options[] = {
	{ "--csr", "FILE|-", "a PKCS #10 request of the same names, PEM or DER" },
	{ "--same-key", NULL, "with the key that the server keeps; without both: with a new one" },
	{ "--key", "KIND", "of the new key, as of `cert issue`; without: as the old one's" },
	ISSUED_LIFE_OPTIONS,
	ISSUED_OPTIONS,
	{ 0 },
};

static void put_key_wish(const struct command_call *call, struct json_writer *w)
{
	json_put(w, "keyAlgorithm", command_value(call, "--key"));
}

static bool put_renew(const struct command_call *call, struct buf *ret, struct problem *p)
{
	struct json_writer w = json_writer(ret);
	const char *csr = command_value(call, "--csr");
	bool same = command_value(call, "--same-key");

	if (csr && same)
		return problem_set(p, PROBLEM_MALFORMED, "--same-key: the key is the CSR's to say");
	json_open(&w, NULL);
	if (csr && !issued_csr(csr, &w, p))
		return false;
	json_put(&w, "renewalKeySource", csr ? "csr" : same ? "sameKey" : "newKey");
	issued_attributes(call, put_key_wish, &w);
	json_put_bool(&w, "removeRootsFromChain", !call->json);
	if (!issued_metadata(call, &w, p))
		return false;
	json_close(&w);
	return buf_check(ret, p);
}

static bool renew_run(struct command_call *call, struct problem *p)
{
	auto_value(buf) body = {0};

	return put_renew(call, &body, p) && ask(call, "renewCertificate", &body, p);
}

const struct command admin_cert_renew = {
	.name = "cert renew",
	.args = "ID|SERIAL|FINGERPRINT",
	.args_min = 1,
	.args_max = 1,
	.json = true,
	.admin = true,
	.options = renew_options,
	.run = renew_run,
	.summary = "renew a certificate: a new one of the same names, which takes its place",
	.details = "The policy judges again, the two are linked, and the old one stays valid. `cert renewal` is "
	           "about what the server\n"
	           "renews by itself, `renew-now` about ACME clients.",
};

/* --- request collect */

static const struct command_option collect_options[] = { ISSUED_OPTIONS, { 0 } };

static bool collect_run(struct command_call *call, struct problem *p)
{
	auto_value(buf) body = {0};
	struct json_writer w = json_writer(&body);

	json_open(&w, NULL);
	json_put_bool(&w, "removeRootsFromChain", !call->json);
	json_close(&w);
	return ask(call, "collectRequest", &body, p);
}

const struct command admin_request_collect = {
	.name = "request collect", .args = "ID", .args_min = 1, .args_max = 1, .json = true, .admin = true,
	.options = collect_options, .run = collect_run,
	.summary = "fetch what was issued for one's own request, once people have approved it",
	.details = "Of one that `cert issue` made. A private key that was made is given this once.",
};
