/* The audit log: audit list, audit verify, audit export. */
#include "store/audit.h"

#include "admin/audit_export.h"
#include "admin/listing.h"
#include "admin/option.h"
#include "base/base64.h"
#include "base/clock.h"

enum { PAGE = 500, CHECK_PAGE = 5000 };

/* --- the walk that list and export share; between two pages other transactions may run */

struct audit_walk {
	struct command_call *call;
	struct audit_query query;
	uint64_t at;                   /* the event before the next one */
	int64_t after, newest;         /* as asked; newest: only so many from the end; 0: all */
	int64_t limit, count;          /* limit 0: none */
	void (*row)(const struct audit_walk *walk, const struct audit_entry *entry, struct buf *ret);
	bool end;
};

static bool print_row(struct audit_walk *walk, const struct audit_entry *entry, struct problem *p)
{
	auto_value(buf) text = {0};
	walk->row(walk, entry, &text);
	if (!buf_check(&text, p))
		return false;
	fputs(buf_text(&text), walk->call->out);
	walk->count++;
	return true;
}

static bool print_page(struct store_txn *txn, void *arg, struct problem *p)
{
	struct audit_walk *walk = arg;
	auto_value(audit_page) page = {0};
	if (!store_audit_read(txn, &walk->query, walk->at, PAGE, &page, p))
		return false;
	for (size_t i = 0; i < page.n && !(walk->limit && walk->count == walk->limit); i++)
		if (!print_row(walk, &page.v[i], p))
			return false;
	walk->at = page.after;
	walk->end = page.end || (walk->limit && walk->count == walk->limit);
	return true;
}

/* Where to begin: the latest of what the options say. */
static bool find_begin(struct store_txn *txn, void *arg, struct problem *p)
{
	struct audit_walk *walk = arg;
	uint64_t since = 0, last = 0, newest = (uint64_t)walk->newest;
	if ((walk->query.since && !store_audit_seek(txn, walk->query.since, &since, p)) ||
	    !store_audit_last(txn, &last, p))
		return false;
	walk->at = (uint64_t)walk->after > since ? (uint64_t)walk->after : since;
	if (newest && last > newest && last - newest > walk->at)
		walk->at = last - newest;
	return true;
}

static bool walk_print(struct store *store, struct audit_walk *walk, struct problem *p)
{
	if (!store_view(store, find_begin, walk, p))
		return false;
	while (!walk->end)
		if (!store_view(store, print_page, walk, p))
			return false;
	return true;
}

static bool finish(const struct command_call *call, struct problem *p)
{
	return fflush(call->out) == 0 ? true : problem_internal(p, "writing: %m");
}

static bool parse_since(const char *text, int64_t *ret, struct problem *p)
{
	int64_t seconds;
	if (!text || clock_parse(text, ret))
		return true;
	if (!clock_parse_duration(text, &seconds))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--since: expected a time such as 2027-01-31T00:00:00Z, or how long ago, as 24h; "
		                   "got `%s`",
		                   text);
	*ret = clock_now() - seconds;
	return true;
}

/* --- audit list */

static const struct command_option list_options[] = {
	{ "--after", "SEQ", "what came after the event of that number" },
	{ "--since", "TIME|DURATION", "from that time on (RFC 3339), or from so long ago on, as 24h" },
	{ "--kind", "KIND", "of that kind alone, see below" },
	{ "--last", "N", "of the last N events alone" },
	{ "--limit", "N", "at most so many" },
	{ 0 },
};

static bool parse_kind(const char *text, const char **ret, struct problem *p)
{
	auto_value(buf) known = {0};
	if (!text)
		return true;
	for (int k = 0; k < AUDIT_KIND_MAX; k++) {
		const char *name = audit_kind_name((enum audit_kind)k);
		if (str_equal(name, text)) {
			*ret = name;
			return true;
		}
		buf_printf(&known, "%s %s", k ? "," : "", name);
	}
	return problem_set(p, PROBLEM_MALFORMED, "--kind: expected one of%s; got `%s`", buf_text(&known), text);
}

/* What a client sent must not steer the operator's terminal: its control characters, C1's too, become '?'. */
static void add_plain(const char *text, struct buf *ret)
{
	for (; *text; text++) {
		bool c1 = (uint8_t)text[0] == 0xc2 && (uint8_t)text[1] >= 0x80 && (uint8_t)text[1] < 0xa0;
		buf_add_char(ret, c1 || (uint8_t)*text < 0x20 || *text == 0x7f ? '?' : *text);
		text += c1;
	}
}

static void add_value(const struct json *value, struct buf *ret)
{
	int64_t n;
	if (json_is_string(value))
		add_plain(json_string(value), ret);
	else if (json_integer(value, &n))
		buf_printf(ret, "%lld", (long long)n);
	for (size_t i = 0; json_is_array(value) && i < json_length(value); i++) {
		if (i)
			buf_add_char(ret, ',');
		add_value(json_at(value, i), ret);
	}
}

static void add_members(const struct json *object, struct buf *ret)
{
	for (size_t i = 0; i < json_length(object); i++) {
		const struct json *member = json_at(object, i);
		buf_printf(ret, "  %s=", json_name(member));
		add_value(member, ret);
	}
}

static void table_row(const struct audit_walk *walk, const struct audit_entry *entry, struct buf *ret)
{
	auto_struct(json) *event = NULL;
	auto_value(buf) actor = {0};
	auto_value(problem) why = {0};
	if (walk->count == 0)
		buf_printf(ret, "%7s  %-20s  %-22s  %-30s  %s\n", "SEQ", "TIME", "KIND", "ACTOR", "ABOUT");
	if (!json_parse(BYTES_STR(entry->line), &event, &why)) {
		buf_printf(ret, "%7llu  (cannot be read)\n", (unsigned long long)entry->seq);
		return;
	}
	add_plain(json_member_string(event, "actor") ?: "", &actor);
	buf_printf(ret, "%7llu  %-20s  %-22s  %-30s", (unsigned long long)entry->seq,
	           json_member_string(event, "time") ?: "", json_member_string(event, "kind") ?: "",
	           buf_text(&actor));
	if (json_member_string(event, "from"))
		buf_printf(ret, "  from=%s", json_member_string(event, "from"));
	add_members(json_member(event, "about"), ret);
	if (json_member(event, "times")) {
		buf_add_str(ret, "  times=");
		add_value(json_member(event, "times"), ret);
	}
	buf_add_char(ret, '\n');
}

/* The event with one member more. */
static void json_row(const struct audit_walk *walk, const struct audit_entry *entry, struct buf *ret)
{
	size_t len = strlen(entry->line);
	buf_printf(ret, "%s%.*s,\"hash\":\"", walk->count ? ",\n" : "[\n", (int)(len ? len - 1 : 0), entry->line);
	buf_add_hex(ret, BYTES(entry->hash, SHA256_SIZE));
	buf_add_str(ret, "\"}");
}

static bool list_begin(struct audit_walk *walk, struct problem *p)
{
	const struct command_call *call = walk->call;
	return option_number("--after", command_value(call, "--after"), 0, &walk->after, p) &&
	       parse_since(command_value(call, "--since"), &walk->query.since, p) &&
	       parse_kind(command_value(call, "--kind"), &walk->query.kind, p) &&
	       option_number("--last", command_value(call, "--last"), 1, &walk->newest, p) &&
	       option_number("--limit", command_value(call, "--limit"), 1, &walk->limit, p);
}

static bool list_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct audit_walk walk = { .call = call, .row = call->json ? json_row : table_row };
	if (!list_begin(&walk, p) || !admin_open_store(call->admin, &store, p) || !walk_print(store, &walk, p))
		return false;
	if (call->json)
		fputs(walk.count == 0 ? "[]\n" : "\n]\n", call->out);
	return finish(call, p);
}

#define KIND_LINE(name, text, meaning) "\n  " text ": " meaning

const struct command admin_audit_list = {
	.name = "audit list", .args = "", .json = true, .admin = true, .options = list_options, .run = list_run,
	.summary = "list what was decided, when and by whom, oldest first",
	.details = "Kinds of events:" AUDIT_KINDS(KIND_LINE),
};

/* --- audit export */

static void export_row(const struct audit_walk *walk, const struct audit_entry *entry, struct buf *ret)
{
	(void)walk;
	audit_export_line(entry, ret);
}

static bool export_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct audit_walk walk = { .call = call, .row = export_row };
	return option_number("--after", command_value(call, "--after"), 0, &walk.after, p) &&
	       admin_open_store(call->admin, &store, p) && walk_print(store, &walk, p) && finish(call, p);
}

static const struct command_option export_options[] = {
	{ "--after", "SEQ", "what came after the event of that number, as the last one of an earlier export" },
	{ 0 },
};
const struct command admin_audit_export = {
	.name = "audit export", .args = "", .admin = true, .options = export_options, .run = export_run,
	.summary = "print the audit log as lines of JSON with their hashes",
	.details = "Each line has the SHA-256 of its event, and each event ends with the hash of the one before it. "
	           "Kept on another\nmachine it shows whether the log here is still the same: `audit verify FILE`.",
};

/* --- audit verify */

struct known {
	uint64_t seq;                  /* 0: nothing is known */
	uint8_t hash[SHA256_SIZE];
	const char *from;              /* who says so, in words */
};

static bool parse_known(const char *text, struct known *ret, struct problem *p)
{
	auto_value(buf) hash = {0};
	char *stop = NULL;
	if (!text)
		return true;
	ret->seq = strtoull(text, &stop, 10);
	if (*stop != ':' || text[0] < '1' || text[0] > '9' || strlen(stop + 1) != 2 * SHA256_SIZE ||
	    !hex_decode(stop + 1, 2 * SHA256_SIZE, &hash))
		return problem_set(p, PROBLEM_MALFORMED,
		                   "--known: expected the number of an event and its hash, as 12:9f86d0...; got "
		                   "`%s`",
		                   text);
	memcpy(ret->hash, hash.data, SHA256_SIZE);
	ret->from = "--known";
	return true;
}

static bool check_page(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_check(txn, arg, CHECK_PAGE, p);
}

static bool read_known(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct known *known = arg;
	const struct audit_query any = {0};
	auto_value(audit_page) page = {0};
	if (!store_audit_read(txn, &any, known->seq - 1, 1, &page, p))
		return false;
	if (page.n == 1 && page.v[0].seq == known->seq && memcmp(page.v[0].hash, known->hash, SHA256_SIZE) == 0)
		return true;
	return problem_set(p, PROBLEM_CONFLICT,
	                   "the log is not the one that %s is of: event %llu is %s", known->from,
	                   (unsigned long long)known->seq, page.n == 1 ? "another one" : "missing");
}

static bool print_check(const struct command_call *call, const struct audit_check *check, struct problem *p)
{
	auto_value(buf) hash = {0}, text = {0};
	buf_add_hex(&hash, BYTES(check->hash, SHA256_SIZE));
	if (!call->json && check->fault == AUDIT_FAULT_NONE) {
		fprintf(call->out, "the log is whole: %llu events\nlast %llu:%s\n", (unsigned long long)check->seq,
		        (unsigned long long)check->seq, buf_text(&hash));
		return finish(call, p);
	}
	if (!call->json)
		return true;
	struct json_writer w = json_writer(&text);
	json_open(&w, NULL);
	json_put_bool(&w, "whole", check->fault == AUDIT_FAULT_NONE);
	json_put(&w, "finding", audit_fault_name(check->fault));
	json_put_integer(&w, "event", (int64_t)check->seq);
	if (check->fault == AUDIT_FAULT_NONE)
		json_put_buf(&w, "hash", &hash);
	json_close(&w);
	return listing_print_object(call, &text, p);
}

static bool judge(const struct command_call *call, const struct audit_check *check, struct problem *p)
{
	auto_value(buf) text = {0};
	if (!print_check(call, check, p))
		return false;
	if (check->fault == AUDIT_FAULT_NONE)
		return true;
	audit_check_tell(check, &text);
	return problem_set(p, PROBLEM_CONFLICT, "the audit log was tampered with, or is damaged: %s", buf_text(&text));
}

static bool read_export(const char *path, struct known *ret, struct problem *p)
{
	struct audit_export export;
	if (!path)
		return true;
	if (!audit_export_read(path, &export, p))
		return false;
	*ret = (struct known){ .seq = export.last, .from = path };
	memcpy(ret->hash, export.hash, SHA256_SIZE);
	return true;
}

static bool verify_run(struct command_call *call, struct problem *p)
{
	auto_struct(store) *store = NULL;
	struct audit_check check = {0};
	struct known known = {0}, exported = {0};
	if (!parse_known(command_value(call, "--known"), &known, p) ||
	    !read_export(call->arg_count ? call->args[0] : NULL, &exported, p) ||
	    !admin_open_store(call->admin, &store, p))
		return false;
	while (!check.done)
		if (!store_view(store, check_page, &check, p))
			return false;
	if (check.fault == AUDIT_FAULT_NONE && ((known.seq && !store_view(store, read_known, &known, p)) ||
	                                        (exported.seq && !store_view(store, read_known, &exported, p))))
		return false;
	return judge(call, &check, p);
}

static const struct command_option verify_options[] = {
	{ "--known", "SEQ:HASH", "what an earlier verify printed last: the log must still have it" },
	{ 0 },
};
const struct command admin_audit_verify = {
	.name = "audit verify", .args = "[EXPORT]", .args_max = 1, .json = true, .admin = true,
	.options = verify_options, .run = verify_run,
	.summary = "check that no event was changed, removed, inserted or moved",
	.details = "EXPORT, an earlier `audit export`, must be whole, and a part of this log. Without it, or --known, "
	           "a store that was put\nback as a whole cannot be told from what it once was.",
};
