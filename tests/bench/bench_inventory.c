/* What the size of the inventory costs: a store filled with rows as issuing makes them, all indexes and the audit
 * log included, then searches and issuances against it, and the same against a store of a thousand.
 *
 *     bench_inventory COUNT [FOLDER]
 *
 * Prints a table of docs/inventory.md. Both stores are made below FOLDER (TMPDIR) and removed; with BENCH_KEEP the
 * larger one stays, to try commands on. */
#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "ca/inventory.h"
#include "store/audit.h"

enum { SMALL = 1000, BATCH = 10000, SEARCHES = 2000, ISSUANCES = 300, PAGE = 50, ACCOUNTS = 1000, DER_SIZE = 650, DAY = 86400 };
#define NOW INT64_C(1800000000)

struct filled {
	struct store *store;
	char folder[256];
	size_t n, issued;       /* rows made by filling; and those measured after it */
	double fill_seconds, open_ms;
};

static void check(bool ok, const struct problem *p)
{
	if (ok)
		return;
	fprintf(stderr, "bench_inventory: %s%s\n", p->detail, p->cause);
	exit(1);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* --- rows: the same for the same number (splitmix64), and as random as ids, serials and keys are */

static void fill_random(uint64_t seed, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		to[i] = (uint8_t)(z ^ z >> 31);
	}
}

static uint64_t seed_of(size_t i, unsigned use)
{
	return ((uint64_t)i << 8 | use) * UINT64_C(0xd1342543de82ef95);
}

/* Ids, serials, fingerprints and keys are random, so each new row goes somewhere else in five indexes. Filling a large
 * store so would write all of it again and again; so the rows of one batch are spread at random over a stretch of
 * each index of their own. Its pages fill as they do in life. What is issued after the filling goes anywhere. */
static void place(size_t i, size_t of, uint8_t *key)
{
	uint64_t stretches = (of + BATCH - 1) / BATCH, width = (UINT64_C(1) << 32) / stretches, at = 0;

	for (size_t k = 0; k < 4; k++)
		at = at << 8 | key[k];
	if (i < of)
		at = i / BATCH * width + at % width;
	for (size_t k = 4; k-- > 0; at >>= 8)
		key[k] = (uint8_t)at;
}

static void make_id(size_t i, size_t of, unsigned use, char ret[RANDOM_ID_SIZE])
{
	uint8_t raw[16];
	auto_value(buf) text = {0};

	fill_random(seed_of(i, use), raw, sizeof(raw));
	place(i, of, raw);
	buf_add_base64url(&text, BYTES(raw, sizeof(raw)));
	snprintf(ret, RANDOM_ID_SIZE, "%s", buf_text(&text));
}

enum { ID, ORDER, ACCOUNT, SERIAL, KEY, DER };

struct made {
	struct certificate row;
	uint8_t serial[16], key_hash[SHA256_SIZE], fingerprint[SHA256_SIZE], der[DER_SIZE];
	struct certificate_name names[2];
	char host[64], subject[72];
};

/* Of ten certificates six are of one profile, as in most places. */
static const char *profile_of(size_t i)
{
	static const char *const profiles[] = {
		"tls-server", "tls-server", "device", "tls-server", "tls-client", "tls-server", "device", "tls-server", "service", "tls-server",
	};

	return profiles[i % array_length(profiles)];
}

static void make_names(size_t i, struct made *m)
{
	/* Each name is renewed: four certificates have it. */
	snprintf(m->host, sizeof(m->host), "host%zu.unit%zu.corp.example.com", i / 4, i / 4 % 97);
	snprintf(m->subject, sizeof(m->subject), "CN=%s", m->host);
	m->names[0] = (struct certificate_name){ "dns", m->host };
	m->names[1] = (struct certificate_name){ "cn", m->host };
}

static void make_row(size_t i, size_t of, struct made *m)
{
	int64_t issued = NOW - 90 * DAY + (int64_t)((double)i / (double)of * 90 * DAY);

	make_names(i, m);
	fill_random(seed_of(i, SERIAL), m->serial, sizeof(m->serial));
	place(i, of, m->serial + 1);
	m->serial[0] = 0x7f;
	fill_random(seed_of(i, KEY), m->key_hash, sizeof(m->key_hash));
	place(i, of, m->key_hash);
	fill_random(seed_of(i, DER), m->der, sizeof(m->der));
	digest_sha256(BYTES(m->der, sizeof(m->der)), m->fingerprint);
	place(i, of, m->fingerprint);
	m->row = (struct certificate){
		.der = BYTES(m->der, DER_SIZE), .issuer = "issuing", .serial = BYTES(m->serial, sizeof(m->serial)),
		.fingerprint = BYTES(m->fingerprint, SHA256_SIZE), .key_hash = BYTES(m->key_hash, SHA256_SIZE), .names = { m->names, 2 },
		.subject = m->subject, .profile = profile_of(i), .not_before = issued - 3600, .not_after = issued + 90 * DAY,
		.issued = issued, .method = "acme",
	};
	if (i % 100 == 7) {
		m->row.status = CERTIFICATE_REVOKED;
		m->row.revoked = issued + DAY;
		m->row.reason = 4;
		m->row.revoked_by = "operator bench";
	}
	make_id(i, of, ID, m->row.id);
	make_id(i, of, ORDER, m->row.order);
	make_id(i % ACCOUNTS, 1, ACCOUNT, m->row.account);
}

/* --- filling */

struct batch {
	size_t from, to, of;
};

static bool put_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct batch *b = arg;
	static struct made m;

	for (size_t i = b->from; i < b->to; i++) {
		make_row(i, b->of, &m);
		char actor[64];
		snprintf(actor, sizeof(actor), "account %s", m.row.account);
		if (!inventory_add(txn, &m.row, actor, "192.0.2.7", p))
			return false;
	}
	return true;
}

static void put(struct store *store, size_t from, size_t to, size_t of)
{
	auto_value(problem) p = {0};

	check(store_update(store, put_batch, &(struct batch){ from, to, of }, &p), &p);
}

static void fill(struct filled *f, size_t n, const char *below)
{
	auto_value(problem) p = {0};
	double began = now_us();

	snprintf(f->folder, sizeof(f->folder), "%s/enrolld-inventory-XXXXXX", below);
	assert(mkdtemp(f->folder));
	f->n = n;
	check(store_open(f->folder, true, NULL, &f->store, &p), &p);
	for (size_t i = 0; i < n; i += BATCH) {
		put(f->store, i, i + BATCH < n ? i + BATCH : n, n);
		if (n > SMALL && i / BATCH % 10 == 9)
			fprintf(stderr, "\r%zu of %zu", i + BATCH, n);
	}
	f->fill_seconds = (now_us() - began) / 1e6;
	if (n > SMALL)
		fprintf(stderr, "\r%zu rows in %.0f s\n", n, f->fill_seconds);
	store_close(f->store);
	began = now_us();
	check(store_open(f->folder, false, NULL, &f->store, &p), &p);
	f->open_ms = (now_us() - began) / 1e3;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void drop(struct filled *f)
{
	store_close(f->store);
	nftw(f->folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* --- searches: what each is given is the row of that number */

static void read_rows(struct store_txn *txn, const struct store_page *page, struct problem *p)
{
	for (size_t i = 0; i < page->ids.n; i++) {
		auto_value(certificate) row = {0};
		check(store_certificate_get(txn, page->ids.v[i], &row, p), p);
	}
}

static size_t list(struct store_txn *txn, enum certificate_index index, const char *value, const char *after,
                   struct problem *p)
{
	auto_value(store_page) page = {0};

	check(store_certificate_list(txn, index, value, after, PAGE, &page, p), p);
	read_rows(txn, &page, p);
	return page.ids.n;
}

static size_t by_id(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(certificate) row = {0};

	return store_certificate_get(txn, m->row.id, &row, p);
}

static size_t by_serial(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(certificate) row = {0};

	return store_certificate_by_serial(txn, m->row.serial, &row, p);
}

static size_t by_fingerprint(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(certificate) row = {0};

	return store_certificate_by_fingerprint(txn, m->row.fingerprint, &row, p);
}

static size_t by_name(struct store_txn *txn, const struct made *m, struct problem *p)
{
	char value[80];

	snprintf(value, sizeof(value), "dns:%s", m->host);
	return list(txn, CERTIFICATE_BY_NAME, value, "", p);
}

static size_t by_key(struct store_txn *txn, const struct made *m, struct problem *p)
{
	auto_value(buf) hex = {0};

	buf_add_hex(&hex, m->row.key_hash);
	return list(txn, CERTIFICATE_BY_KEY, buf_text(&hex), "", p);
}

static size_t by_account(struct store_txn *txn, const struct made *m, struct problem *p)
{
	return list(txn, CERTIFICATE_BY_ACCOUNT, m->row.account, "", p);
}

static size_t by_profile(struct store_txn *txn, const struct made *m, struct problem *p)
{
	return list(txn, CERTIFICATE_BY_PROFILE, m->row.profile, "", p);
}

static size_t by_expiry(struct store_txn *txn, const struct made *m, struct problem *p)
{
	char from[CLOCK_RFC3339_SIZE];

	clock_format(m->row.not_after, from);
	return list(txn, CERTIFICATE_BY_EXPIRY, from, "", p);
}

static size_t revoked(struct store_txn *txn, const struct made *m, struct problem *p)
{
	(void)m;
	return list(txn, CERTIFICATE_REVOKED_OF, "issuing", "", p);
}

static size_t not_there(struct store_txn *txn, const struct made *m, struct problem *p)
{
	(void)m;
	return list(txn, CERTIFICATE_BY_NAME, "dns:nobody.example.com", "", p) == 0;
}

static const struct search {
	const char *what;
	size_t (*run)(struct store_txn *txn, const struct made *m, struct problem *p);
} searches[] = {
	{ "row by id", by_id },
	{ "row by serial number", by_serial },
	{ "row by fingerprint", by_fingerprint },
	{ "rows of a name (4)", by_name },
	{ "rows of a name that is not there", not_there },
	{ "rows of a key (1)", by_key },
	{ "page of an account", by_account },
	{ "page of a profile", by_profile },
	{ "page by expiry, from a time", by_expiry },
	{ "page of the revoked", revoked },
};

struct times {
	double p50, p95;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct times times_of(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return (struct times){ v[n / 2], v[n * 95 / 100] };
}

struct searching {
	const struct search *search;
	struct made made;
};

static bool run_search(struct store_txn *txn, void *arg, struct problem *p)
{
	struct searching *s = arg;

	return s->search->run(txn, &s->made, p) > 0 || problem_internal(p, "%s: nothing was found", s->search->what);
}

static struct times measure(struct filled *f, const struct search *search)
{
	static double took[SEARCHES];
	static struct searching s;

	s.search = search;
	for (size_t i = 0; i < SEARCHES; i++) {
		auto_value(problem) p = {0};
		uint8_t random[8];
		uint64_t n = 0;

		fill_random(i + 1, random, sizeof(random));
		memcpy(&n, random, sizeof(n));
		make_row((size_t)(n % f->n), f->n, &s.made);
		double began = now_us();
		check(store_view(f->store, run_search, &s, &p), &p);
		took[i] = now_us() - began;
	}
	return times_of(took, SEARCHES);
}

/* --- issuances: one row with its indexes and its event, durable each */

struct issuing {
	struct times wall;
	double cpu_us, written_kb;
};

static double written_bytes(void)
{
	char line[128];
	long long bytes = 0;
	FILE *file = fopen("/proc/self/io", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "wchar: %lld", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return (double)bytes;
}

static struct issuing issue(struct filled *f)
{
	static double took[ISSUANCES];
	double written = written_bytes();
	int64_t cpu = clock_cpu_us();
	struct issuing result;

	for (size_t i = 0; i < ISSUANCES; i++) {
		size_t number = f->n + f->issued++;
		double began = now_us();
		put(f->store, number, number + 1, f->n);
		took[i] = now_us() - began;
	}
	result.cpu_us = (double)(clock_cpu_us() - cpu) / ISSUANCES;
	result.written_kb = (written_bytes() - written) / ISSUANCES / 1024;
	result.wall = times_of(took, ISSUANCES);
	return result;
}

/* --- the log, sizes, the table */

static bool check_log(struct store_txn *txn, void *arg, struct problem *p)
{
	return store_audit_check(txn, arg, 10000, p);
}

static double verify_seconds(struct filled *f)
{
	struct audit_check log = {0};
	double began = now_us();

	while (!log.done) {
		auto_value(problem) p = {0};
		check(store_view(f->store, check_log, &log, &p), &p);
	}
	assert(log.fault == AUDIT_FAULT_NONE);
	return (now_us() - began) / 1e6;
}

static double file_mb(const struct filled *f)
{
	auto_free char *path = mem_printf("%s/data.mdb", f->folder);
	struct stat st;

	assert(path && stat(path, &st) == 0);
	return (double)st.st_blocks * 512 / 1e6;
}

static double status_mb(const char *field)
{
	char line[128];
	long long kb = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (str_starts(line, field) && sscanf(line + strlen(field), ": %lld", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return (double)kb / 1024;
}

static void print_issuing(const char *when, struct issuing small, struct issuing large)
{
	printf("| an issuance, durable%s | %.0f / %.0f us | %.0f / %.0f us |\n", when, small.wall.p50, small.wall.p95,
	       large.wall.p50, large.wall.p95);
	printf("| its CPU | %.0f us | %.0f us |\n", small.cpu_us, large.cpu_us);
	printf("| what it writes | %.0f kB | %.0f kB |\n", small.written_kb, large.written_kb);
}

static void compare_stores(struct filled *small, struct filled *large)
{
	printf("| p50 / p95 | %zu certificates | %zu certificates |\n| --- | ---: | ---: |\n", small->n, large->n);
	for (size_t i = 0; i < array_length(searches); i++) {
		struct times s = measure(small, &searches[i]), l = measure(large, &searches[i]);

		printf("| %s | %.0f / %.0f us | %.0f / %.0f us |\n", searches[i].what, s.p50, s.p95, l.p50, l.p95);
	}
	struct issuing s = issue(small), l = issue(large);
	print_issuing("", s, l);
	printf("| opening the store | %.1f ms | %.1f ms |\n", small->open_ms, large->open_ms);
	printf("| checking the audit log | %.2f s | %.2f s |\n", verify_seconds(small), verify_seconds(large));
	printf("| file | %.1f MB | %.1f MB |\n", file_mb(small), file_mb(large));
	printf("| file, a certificate | %.2f kB | %.2f kB |\n", file_mb(small) * 1e3 / (double)small->n,
	       file_mb(large) * 1e3 / (double)large->n);
	printf("\nfilled at %.0f rows a second; memory of the process %.1f MB, and %.0f MB of pages of the file that the kernel keeps "
	       "for it\n", (double)large->n / large->fill_seconds, status_mb("RssAnon"), status_mb("RssFile"));
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	const char *below = argc > 2 ? argv[2] : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	struct filled small = {0}, large = {0};

	if (n < SMALL) {
		fprintf(stderr, "usage: bench_inventory COUNT [FOLDER], COUNT from %d\n", SMALL);
		return 2;
	}
	fill(&small, SMALL, below);
	fill(&large, n, below);
	compare_stores(&small, &large);
	drop(&small);
	if (getenv("BENCH_KEEP"))
		printf("kept: %s\n", large.folder);
	else
		drop(&large);
	return 0;
}
