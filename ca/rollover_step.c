#include "ca/rollover.h"

#include "base/clock.h"
#include "ca/chain.h"
#include "ca/files.h"
#include "ca/life_inside.h"

#define CERTIFICATES "root", ".rollover.pem"

enum { OLD, NEW, OLD_WITH_NEW, NEW_WITH_OLD, CERTIFICATE_COUNT };

/* --- begin */

static bool make_root(const struct life *life, const struct life_terms *terms, const struct authority *old,
                      struct authority *ret, struct change *change, struct problem *p)
{
	int64_t now = clock_now(), lifetime = terms->lifetime;
	auto(NAME_CONSTRAINTS) *names = NULL;
	struct authority_wish wish = authority_wish_like(old->certificate);

	if (!lifetime && !authority_lifetime(old->certificate, &lifetime))
		return problem_openssl(p, "the life of the root");
	if (!life_set_names(terms, old->certificate, &names, p) ||
	    !life_key_make(life, change->successor, terms, &ret->key, change, p))
		return false;
	wish.key = ret->key;
	wish.key_id = NULL;
	wish.not_before = now - AUTHORITY_BACKDATE;
	wish.not_after = now + lifetime;
	wish.path_length = life_path_length(terms, old->certificate);
	wish.names = names;
	return authority_certify(&wish, NULL, &ret->certificate, p);
}

/* RFC 4210, 4.4.1: it is good while both are, from the day on which the certified key was. */
static bool certify_other(const struct life *life, const struct authority *of, const struct authority *by,
                          const char *name, X509 **ret, struct problem *p)
{
	const struct life_terms same = { 0 };
	auto(NAME_CONSTRAINTS) *names = NULL;
	struct authority_wish wish = authority_wish_like(of->certificate);
	int64_t end;

	if (!ossl_time(X509_get0_notBefore(of->certificate), &wish.not_before) ||
	    !authority_not_after(of->certificate, &wish.not_after, p) || !authority_not_after(by->certificate, &end, p))
		return problem_openssl(p, "the life of the root");
	if (!life_set_names(&same, of->certificate, &names, p))
		return false;
	if (end < wish.not_after)
		wish.not_after = end;
	wish.names = names;
	wish.base = life->base;
	wish.by = name;
	return authority_certify(&wish, by, ret, p);
}

static bool make_certificates(const struct life *life, const struct authority *old, const struct authority *new,
                              struct change *change, struct problem *p)
{
	auto(X509) *old_with_new = NULL, *new_with_old = NULL;

	if (!certify_other(life, old, new, change->successor, &old_with_new, p) ||
	    !certify_other(life, new, old, change->name, &new_with_old, p))
		return false;
	X509 *all[CERTIFICATE_COUNT] = {
		[OLD] = old->certificate, [NEW] = new->certificate, [OLD_WITH_NEW] = old_with_new,
		[NEW_WITH_OLD] = new_with_old,
	};
	return change_certificate_file(change, CERTIFICATES, all, CERTIFICATE_COUNT, p) &&
	       change_row(change, new->certificate, change->successor, p) &&
	       change_row(change, old_with_new, change->successor, p) &&
	       change_row(change, new_with_old, change->name, p);
}

/* The same CA under the new root, for its life as it is. */
static bool certify_below(const struct life *life, const char *name, const struct authority *new, struct change *change,
                          struct problem *p)
{
	auto(X509) *before = NULL, *made = NULL;
	auto(NAME_CONSTRAINTS) *names = NULL;
	const struct life_terms same = { .path_length = LIFE_PATH_LENGTH_SAME };
	auto_free char *ending = mem_printf(".chain-%s.pem", change->successor);
	int64_t end;

	if (!ending)
		return problem_memory(p);
	if (!files_certificate(life->folder, name, &before, p) || !life_set_names(&same, before, &names, p))
		return false;
	struct authority_wish wish = authority_wish_like(before);
	if (!authority_not_after(before, &wish.not_after, p) || !authority_not_after(new->certificate, &end, p))
		return false;
	wish.not_before = clock_now() - AUTHORITY_BACKDATE;
	wish.not_after = end < wish.not_after ? end : wish.not_after;
	wish.names = names;
	wish.base = life->base;
	wish.by = change->successor;
	if (wish.not_after <= clock_now())
		return true;
	if (!authority_certify(&wish, new, &made, p))
		return false;
	X509 *all[] = { made, new->certificate };
	return change_certificate_file(change, name, ending, all, array_length(all), p) &&
	       change_row(change, made, change->successor, p);
}

/* Whether the root signed it. */
static bool is_below(const struct life *life, const char *name, X509 *root, bool *ret, struct problem *p)
{
	auto(ossl_x509_stack) *chain = NULL;
	auto(X509) *certificate = NULL;

	*ret = false;
	if (!files_has(life->folder, name, ".chain.pem"))
		return true;
	if (!files_certificate(life->folder, name, &certificate, p) || !files_chain(life->folder, name, &chain, p))
		return false;
	*ret = X509_cmp(sk_X509_value(chain, sk_X509_num(chain) - 1), root) == 0 &&
	       X509_check_issued(root, certificate) == X509_V_OK;
	return true;
}

static bool certify_all(const struct life *life, const struct authority *old, const struct authority *new,
                        struct change *change, struct problem *p)
{
	auto_value(strings) names = { 0 };
	bool below;

	if (!files_names(life->folder, &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!is_below(life, names.v[i], old->certificate, &below, p) ||
		    (below && !certify_below(life, names.v[i], new, change, p)))
			return false;
	return true;
}

bool rollover_begin(const struct life *life, const struct life_terms *terms, struct change *ret, struct problem *p)
{
	auto_value(authority) old = { 0 }, new = { 0 };
	X509 *root;

	if (files_has(life->folder, CERTIFICATES))
		return problem_set(p, PROBLEM_CONFLICT,
		                   "a rollover of the root is under way: --switch and --end go on with it");
	if (!files_current(life->folder, "root", ret->name, p) || !life_authority(life, ret->name, &old, p) ||
	    !files_next(life->folder, ret->name, ret->successor, p) || !make_root(life, terms, &old, &new, ret, p) ||
	    !certify_all(life, &old, &new, ret, p) || !make_certificates(life, &old, &new, ret, p))
		return false;
	root = new.certificate;
	return change_certificate_file(ret, ret->successor, ".pem", &root, 1, p);
}

/* --- switch and end */

static bool other_root(const struct life *life, struct change *change, struct problem *p)
{
	auto_value(strings) names = { 0 };
	auto(X509) *root = NULL;
	auto(ossl_x509_stack) *file = NULL;
	auto_free char *path = mem_printf("%s/root.rollover.pem", life->folder);

	if (!path)
		return problem_memory(p);
	if (!files_has(life->folder, CERTIFICATES))
		return problem_set(p, PROBLEM_CONFLICT, "no rollover of the root is under way");
	if (!files_current(life->folder, "root", change->name, p) || !files_names(life->folder, &names, p) ||
	    !chain_read(path, &file, p))
		return false;
	for (size_t i = 0; i < names.n && sk_X509_num(file) > NEW; i++) {
		X509_free(steal(root));
		if (!files_certificate(life->folder, names.v[i], &root, p))
			return false;
		if (X509_cmp(root, sk_X509_value(file, NEW)) == 0)
			strcpy(change->successor, names.v[i]);
	}
	return *change->successor || problem_set(p, PROBLEM_MALFORMED, "%s: the new root is not among the CAs", path);
}

/* First a chain that fits the old certificate and the new one alike (ca/chain.h). */
static bool switch_one(const struct life *life, const char *name, const char *ending, struct change *change,
                       struct problem *p)
{
	auto(ossl_x509_stack) *fresh = NULL, *chain = NULL;
	auto(X509) *before = NULL;
	auto_free char *path = mem_printf("%s/%s%s", life->folder, name, ending);
	auto_free char *old = mem_printf(".chain-%s.pem", change->name);

	if (!path || !old)
		return problem_memory(p);
	if (!chain_read(path, &fresh, p) || !files_certificate(life->folder, name, &before, p) ||
	    !files_chain(life->folder, name, &chain, p))
		return false;
	if (sk_X509_num(fresh) != 2)
		return problem_set(p, PROBLEM_MALFORMED, "%s: expected a certificate and its root", path);
	X509 *new[] = { sk_X509_value(fresh, 0), sk_X509_value(fresh, 1) };
	X509 *former[] = { before, sk_X509_value(chain, sk_X509_num(chain) - 1) };
	return change_certificate_file(change, name, old, former, 2, p) &&
	       change_certificate_file(change, name, ".chain.pem", new, 2, p) &&
	       change_certificate_file(change, name, ".pem", new, 1, p) &&
	       change_certificate_file(change, name, ".chain.pem", new + 1, 1, p) &&
	       change_file(change, name, ending, BYTES("", 0), 0, p);
}

bool rollover_switch(const struct life *life, struct change *ret, struct problem *p)
{
	auto_value(strings) names = { 0 };

	if (!other_root(life, ret, p))
		return false;
	if (str_equal(ret->name, ret->successor))
		return problem_set(p, PROBLEM_CONFLICT, "%s is the root already: --end goes on", ret->name);
	auto_free char *ending = mem_printf(".chain-%s.pem", ret->successor);
	if (!ending)
		return problem_memory(p);
	if (!files_names(life->folder, &names, p))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (files_has(life->folder, names.v[i], ending) && !switch_one(life, names.v[i], ending, ret, p))
			return false;
	return life_put_successor(ret->name, ret->successor, ret, p);
}

bool rollover_end(const struct life *life, struct change *ret, struct problem *p)
{
	auto_value(strings) names = { 0 };
	char successor[ISSUER_NAME_SIZE];

	if (!other_root(life, ret, p) || !files_names(life->folder, &names, p))
		return false;
	if (!str_equal(ret->name, ret->successor))
		return problem_set(p, PROBLEM_CONFLICT, "%s is still the root: --switch comes first", ret->name);
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *ending = mem_printf(".chain-%s.pem", names.v[i]);
		if (!ending || !files_successor(life->folder, names.v[i], successor, p))
			return ending ? false : problem_memory(p);
		for (size_t j = 0; str_equal(successor, ret->name) && j < names.n; j++)
			if (files_has(life->folder, names.v[j], ending) &&
			    !change_file(ret, names.v[j], ending, BYTES("", 0), 0, p))
				return false;
	}
	return change_file(ret, CERTIFICATES, BYTES("", 0), 0, p);
}
