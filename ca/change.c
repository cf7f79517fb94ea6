#include "ca/change.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/chain.h"
#include "ca/foreign.h"
#include "ca/inventory.h"

void change_free(struct change *change)
{
	for (size_t i = 0; i < change->file_count; i++) {
		free(change->files[i].name);
		buf_free(&change->files[i].content);
	}
	for (size_t i = 0; i < change->row_count; i++)
		buf_free(&change->rows[i].der);
	free(change->files);
	free(change->rows);
	*change = (struct change){ 0 };
}

bool change_file(struct change *change, const char *name, const char *ending, struct bytes content, unsigned mode,
                 struct problem *p)
{
	struct change_file *files = reallocarray(change->files, change->file_count + 1, sizeof(*files));

	if (!files)
		return problem_memory(p);
	change->files = files;
	struct change_file *file = &files[change->file_count];
	*file = (struct change_file){ .name = mem_printf("%s%s", name, ending), .mode = mode };
	if (!file->name)
		return problem_memory(p);
	change->file_count++;
	buf_add(&file->content, content.data, content.len);
	return buf_check(&file->content, p);
}

bool change_certificate_file(struct change *change, const char *name, const char *ending, X509 *const *certificates,
                             size_t count, struct problem *p)
{
	auto_value(buf) pem = { 0 };

	for (size_t i = 0; i < count; i++)
		if (!ossl_certificate_pem(certificates[i], &pem, p))
			return false;
	return change_file(change, name, ending, buf_bytes(&pem), 0644, p);
}

bool change_chain_file(struct change *change, const char *name, const ossl_x509_stack *chain, struct problem *p)
{
	X509 *all[CHAIN_LENGTH_MAX];
	int n = sk_X509_num(chain);

	if (n > CHAIN_LENGTH_MAX)
		return problem_set(p, PROBLEM_MALFORMED,
		                   "%s: %d certificates above it, of which %d are the most", name, n, CHAIN_LENGTH_MAX);
	for (int i = 0; i < n; i++)
		all[i] = sk_X509_value(chain, i);
	return change_certificate_file(change, name, ".chain.pem", all, (size_t)n, p);
}

bool change_row(struct change *change, X509 *certificate, const char *by, struct problem *p)
{
	struct change_row *rows = reallocarray(change->rows, change->row_count + 1, sizeof(*rows));

	if (!rows)
		return problem_memory(p);
	change->rows = rows;
	struct change_row *row = &rows[change->row_count++];
	*row = (struct change_row){ 0 };
	strcpy(row->by, by);
	return ossl_der(i2d_X509, certificate, &row->der) ? true : problem_memory(p);
}

/* --- done */

/* A certificate that our root signed can be revoked like any other of ours; one that another CA signed is known
 * as imported. */
static bool record_row(struct store_txn *txn, const struct change_row *made, const char *actor, int64_t now,
                       struct problem *p)
{
	auto_value(certificate) row = { 0 };
	auto_value(certificate) known = { 0 };
	auto_value(problem) why = { 0 };

	if (!foreign_row(buf_bytes(&made->der), "", "the CA", now, &row, p))
		return false;
	if (store_certificate_by_fingerprint(txn, row.fingerprint, &known, &why))
		return true;
	if (*made->by == '\0')
		return foreign_add(txn, &row, actor, NULL, p);
	row.method = "internal";
	row.issuer = made->by;
	row.profile = "ca";
	row.issuer_subject = NULL;
	return inventory_add(txn, &row, actor, NULL, p);
}

bool change_record(struct store_txn *txn, const struct change *change, const char *actor, int64_t now,
                   struct problem *p)
{
	for (size_t i = 0; i < change->row_count; i++)
		if (!record_row(txn, &change->rows[i], actor, now, p))
			return false;
	return true;
}

bool change_apply(const char *folder, const struct change *change, struct problem *p)
{
	for (size_t i = 0; i < change->file_count; i++) {
		const struct change_file *file = &change->files[i];
		auto_free char *path = mem_printf("%s/%s", folder, file->name);
		if (!path)
			return problem_memory(p);
		if (file->content.len > 0 && !file_write(path, buf_bytes(&file->content), file->mode, p))
			return false;
		if (file->content.len == 0 && unlink(path) != 0 && errno != ENOENT)
			return problem_internal(p, "%s: %m", path);
	}
	return true;
}
