#include "server/config.h"

#include "base/ossl.h"
#include "ca/pkcs11.h"
#include "server/config_check.h"
#include "server/config_policy.h"

static bool replace_text(char **text, const char *with, struct problem *p)
{
	char *copy = strdup(with ?: "");
	if (!copy)
		return problem_memory(p);
	free(*text);
	*text = copy;
	return true;
}

static bool replace_texts(struct strings *texts, const struct strings *with, struct problem *p)
{
	strings_free(texts);
	*texts = (struct strings){0};
	return strings_copy(with, texts) ? true : problem_memory(p);
}

/* "serverAuth" or "1.3.6.1.5.5.7.3.1", as the second. */
static bool add_usage(struct strings *oids, const char *name, struct problem *p)
{
	auto(ASN1_OBJECT) *object = OBJ_txt2obj(name, 0);
	char dotted[80];
	if (!object || OBJ_obj2txt(dotted, sizeof dotted, object, 1) >= (int)sizeof dotted)
		return problem_openssl(p, "an extended key usage");
	return strings_add(oids, dotted) ? true : problem_memory(p);
}

bool config_usages(const struct strings *names, struct strings *ret, struct problem *p)
{
	for (size_t i = 0; i < names->n; i++)
		if (!add_usage(ret, names->v[i], p))
			return false;
	return true;
}

static bool replace_usages(struct strings *oids, const struct strings *names, struct problem *p)
{
	strings_free(oids);
	*oids = (struct strings){0};
	return config_usages(names, oids, p);
}

static bool add_subject(const struct config_profile *row, struct profile *profile, struct problem *p)
{
	for (enum subject_type type = 0; type < SUBJECT_TYPE_MAX; type++)
		for (size_t i = 0; i < row->subject[type].n; i++) {
			const char *value = row->subject[type].v[i];
			if (strlen(value) >= SUBJECT_VALUE_SIZE)
				return problem_set(p, PROBLEM_MALFORMED,
				                   "profile %s: subject: a text of over 255 bytes", profile->name);
			if (!subject_add(&profile->subject, type, value, p))
				return false;
		}
	return true;
}

static const char *hash_name(int bits)
{
	return bits == 256 ? "SHA256" : bits == 384 ? "SHA384" : bits == 512 ? "SHA512" : NULL;
}

static void copy_values(const struct config_profile *row, struct profile *to)
{
	const struct profile *from = &row->profile;
	to->methods = from->methods;
	to->directory_alone = from->directory_alone;
	to->keys = from->keys;
	to->wildcards = from->wildcards;
	to->names_max = from->names_max;
	to->validity = from->validity;
	to->validity_max = from->validity_max;
	to->backdate = from->backdate;
	to->key_usage = from->key_usage;
	to->common_name = from->common_name;
	to->reuse_account_key = from->reuse_account_key;
	to->authorization_lifetime = from->authorization_lifetime;
	to->no_revocation_within = from->no_revocation_within;
	to->star = from->star;
	to->renewal_from = from->renewal_from;
	to->subdomains = from->subdomains;
	to->renewal_until = from->renewal_until;
	to->eab_required = from->eab_required;
	to->require_dnssec = from->require_dnssec;
	to->caa = from->caa;
	to->approvals = from->approvals;
	to->approval_lifetime = from->approval_lifetime;
	to->acme.no_preauthorization = !row->preauthorization;
	to->acme.device_names = from->acme.device_names;
	to->est.renewal_grace = from->est.renewal_grace;
	to->est.server_keys = from->est.server_keys;
	to->est.server_key_encrypted = from->est.server_key_encrypted;
	to->est.csr_attributes = from->est.csr_attributes;
	to->keep_keys = from->keep_keys;
	to->renew_before = from->renew_before;
}

bool config_profile_make(const struct config *config, const struct config_profile *row, struct profile **ret,
                         struct problem *p)
{
	const struct profile *from = &row->profile;
	auto_struct(profile) *profile = NULL;
	if (!profile_new(from->name, &profile, p) ||
	    !replace_text(&profile->description, from->description, p) ||
	    !replace_text(&profile->issuer, from->issuer, p) ||
	    !replace_usages(&profile->extended_key_usage, &from->extended_key_usage, p))
		return false;
	for (enum identifier_type type = 0; type < IDENTIFIER_TYPE_MAX; type++)
		if (!replace_texts(&profile->names[type].allow, &from->names[type].allow, p) ||
		    !replace_texts(&profile->names[type].deny, &from->names[type].deny, p))
			return false;
	copy_values(row, profile);
	profile->hash = hash_name(row->hash);
	if (!replace_texts(&profile->acme.challenges, &from->acme.challenges, p) ||
	    !replace_texts(&profile->acme.attestation_formats, &from->acme.attestation_formats, p) ||
	    !replace_texts(&profile->est.change_names, &from->est.change_names, p) ||
	    !config_usages(&row->csr_names, &profile->est.csr_oids, p) ||
	    !profile_alerts_parse(&row->expiry_alerts, &profile->alerts, p))
		return false;
	if (!replace_texts(&profile->approvers, &from->approvers, p) || !add_subject(row, profile, p) ||
	    (row->policy && !config_policy_find(config, row->policy, &profile->policy, p)) ||
	    !profile_settle(profile, p))
		return false;
	*ret = steal(profile);
	return true;
}

/* The server's own certificate: its names alone, and nobody but the process itself may ask. */
static bool own_profile(const struct config *config, struct profile **ret, struct problem *p)
{
	auto_struct(profile) *profile = NULL;
	if (!profile_new(CONFIG_OWN_PROFILE, &profile, p) ||
	    !replace_text(&profile->description, "the server's own certificate", p))
		return false;
	profile->methods = PROFILE_INTERNAL;
	profile->names_max = (unsigned)config->tls.names.n;
	profile->validity = profile->validity_max = config->tls.lifetime;
	if (profile->backdate > config->tls.lifetime / 2)
		profile->backdate = config->tls.lifetime / 2;
	profile->common_name = PROFILE_CN_NONE;
	*ret = steal(profile);
	return true;
}

struct profile_list {
	struct profile **v;
	size_t n;
};
static void profile_list_done(struct profile_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		profile_free(list->v[i]);
	free(list->v);
}
declare_auto_value(profile_list, profile_list_done);

static bool list_make(const struct config *config, struct profile_list *list, struct problem *p)
{
	list->v = calloc(config->profile_count + 1, sizeof(struct profile *));
	if (!list->v)
		return problem_memory(p);
	for (; list->n < config->profile_count; list->n++)
		if (!config_profile_make(config, &config->profiles[list->n], &list->v[list->n], p))
			return false;
	if (!own_profile(config, &list->v[list->n], p))
		return false;
	list->n++;
	return true;
}

bool config_profiles(const struct config *config, struct profiles **ret, struct problem *p)
{
	auto_value(profile_list) list = {0};
	auto_struct(key_blocklist) *blocklist = NULL;
	if (!list_make(config, &list, p))
		return false;
	if (config->key_blocklists.n > 0 && !key_blocklist_load(&config->key_blocklists, &blocklist, p))
		return false;
	if (!profiles_new(list.v, list.n, config->default_profile, blocklist, ret, p))
		return false;
	blocklist = NULL;
	list.n = 0; /* the set owns them now */
	return true;
}

bool config_pkcs11(const struct config *config, struct problem *p)
{
	const struct secret_source pin = {
		config->ca.pkcs11.file, config->ca.pkcs11.environment, config->ca.pkcs11.credential,
	};

	return pkcs11_configure(config->ca.pkcs11.module, &pin, config->ca.folder, p);
}

const char **config_issuers(const struct config *config)
{
	const struct strings *issuers = &config->ca.issuers;
	const char **names = calloc(issuers->n + 1, sizeof *names);

	for (size_t i = 0; names && i < issuers->n; i++)
		names[i] = issuers->v[i];
	return names;
}
