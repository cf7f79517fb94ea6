#include "admin/listing.h"

enum { PAGE = 200 };

struct progress {
	const struct listing *listing;
	char after[STORE_CURSOR_SIZE];
	int64_t count;
	bool end;
};

static bool print_row(struct progress *progress, const struct buf *text, struct problem *p)
{
	const struct listing *listing = progress->listing;
	if (!buf_check(text, p))
		return false;
	if (listing->call->json)
		fputs(progress->count == 0 ? "[\n" : ",\n", listing->call->out);
	else if (progress->count == 0)
		fprintf(listing->call->out, "%s\n", listing->heading);
	fprintf(listing->call->out, listing->call->json ? "%s" : "%s\n", buf_text(text));
	progress->count++;
	return true;
}

/* Between two pages other transactions may run: a listing is not a snapshot, and holds none up. */
static bool print_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct progress *progress = arg;
	const struct listing *listing = progress->listing;
	auto_value(store_page) page = {0};
	if (!listing->page(txn, listing->arg, progress->after, PAGE, &page, p))
		return false;
	for (size_t i = 0; i < page.ids.n; i++) {
		auto_value(buf) text = {0};
		if (listing->limit && progress->count == listing->limit)
			break;
		if (!listing->row(txn, listing->arg, page.ids.v[i], listing->call->json, &text, p) ||
		    !print_row(progress, &text, p))
			return false;
	}
	progress->end = !page.next[0] || (listing->limit && progress->count == listing->limit);
	memcpy(progress->after, page.next, sizeof progress->after);
	return true;
}

bool listing_print(struct store *store, const struct listing *listing, struct problem *p)
{
	struct progress progress = { .listing = listing };
	while (!progress.end)
		if (!store_view(store, print_page, &progress, p))
			return false;
	if (listing->call->json)
		fputs(progress.count == 0 ? "[]\n" : "\n]\n", listing->call->out);
	return fflush(listing->call->out) == 0 ? true : problem_internal(p, "writing: %m");
}

bool listing_print_object(const struct command_call *call, const struct buf *text, struct problem *p)
{
	if (!buf_check(text, p))
		return false;
	fprintf(call->out, call->json ? "%s\n" : "%s", buf_text(text));
	return fflush(call->out) == 0 ? true : problem_internal(p, "writing: %m");
}

bool listing_sift(struct store_txn *txn, listing_fits *fits, void *arg, struct store_page *page, struct problem *p)
{
	struct strings *ids = &page->ids;
	size_t kept = 0;

	for (size_t i = 0; i < ids->n; i++) {
		char *id = ids->v[i];
		bool fit = false;

		if (!fits(txn, arg, id, &fit, p))
			return false;
		if (fit) {
			ids->v[i] = ids->v[kept];
			ids->v[kept++] = id;
		}
	}
	while (ids->n > kept)
		free(ids->v[--ids->n]);
	return true;
}
