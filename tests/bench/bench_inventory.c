/* What the size of the inventory costs: a store filled with rows as issuing makes them (tests/bench/inventory_rows.h),
 * all indexes and the audit log included, then searches and issuances against it, and the same against a store of a
 * thousand. Then once more against the larger one when no page of it is in memory.
 *
 *     bench_inventory COUNT [FOLDER]
 *
 * Prints a table of docs/inventory.md. Both stores are made below FOLDER (TMPDIR) and removed. With BENCH_KEEP the
 * larger one stays, to try commands on; a FOLDER that is such a store of COUNT is used as it is, and stays. */
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/inventory.h"
#include "store/audit.h"
#include "store/key.h"
#include "tests/bench/inventory_search.h"

enum { SMALL = 1000, SEARCHES = 2000, COLD_SEARCHES = 300, ISSUANCES = 300 };

struct filled {
	struct store *store;
	char folder[256];
	size_t n, issued;       /* rows made by filling; and those measured after it */
	double fill_seconds, open_ms;
	bool stays;
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

/* --- filling */

struct batch {
	size_t from, to, of;
};

static bool put_batch(struct store_txn *txn, void *arg, struct problem *p)
{
	const struct batch *b = arg;
	for (size_t i = b->from; i < b->to; i++) {
		auto_value(made) m = {0};
		char actor[64];

		row_make(i, b->of, &m);
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

/* As the server does. */
static void reopen(struct filled *f)
{
	const struct kv_options options = { .random_access = true };
	auto_value(problem) p = {0};

	store_close(f->store);
	double began = now_us();
	check(store_open(f->folder, false, &options, &f->store, &p) && store_lock_server(f->store, &p), &p);
	f->open_ms = (now_us() - began) / 1e3;
}

/* Pages that are mapped or not written stay in memory, so it is closed first, and was synced by its last commit. */
static int drop_pages(struct filled *f)
{
	auto_free char *path = mem_printf("%s/data.mdb", f->folder);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	store_close(f->store);
	f->store = NULL;
	assert(fd >= 0 && fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	return fd;
}

static void make_cold(struct filled *f)
{
	close(drop_pages(f));
	reopen(f);
}

/* What is written or read many pages at a time may stay in memory as large folios, each commit to which costs the kernel
 * more. A store that is in use has come there page by page, and so does this one. */
static void make_warm(struct filled *f)
{
	enum { PIECE = 8 << 20 };
	int fd = drop_pages(f);
	struct stat st;
	char byte;

	assert(fstat(fd, &st) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) == 0);
	for (off_t at = 0; at < st.st_size; at += PIECE) {
		off_t last = at + PIECE < st.st_size ? at + PIECE - 1 : st.st_size - 1;
		assert(posix_fadvise(fd, at, PIECE, POSIX_FADV_WILLNEED) == 0 && pread(fd, &byte, 1, last) == 1);
	}
	close(fd);
	reopen(f);
}

static void fill(struct filled *f, size_t n, const char *below)
{
	auto_value(problem) p = {0};
	double began = now_us();

	snprintf(f->folder, sizeof(f->folder), "%s/enrolld-inventory-XXXXXX", below);
	assert(mkdtemp(f->folder));
	f->n = n;
	check(store_open(f->folder, true, NULL, &f->store, &p), &p);
	for (size_t i = 0; i < n; i += ROWS_BATCH) {
		put(f->store, i, i + ROWS_BATCH < n ? i + ROWS_BATCH : n, n);
		if (n > SMALL && i / ROWS_BATCH % 5 == 4)
			fprintf(stderr, "\r%zu of %zu", i + ROWS_BATCH, n);
	}
	f->fill_seconds = (now_us() - began) / 1e6;
	if (n > SMALL)
		fprintf(stderr, "\r%zu rows in %.0f s\n", n, f->fill_seconds);
	make_warm(f);
}

static bool is_store(const char *folder)
{
	auto_free char *path = mem_printf("%s/data.mdb", folder);

	return path && access(path, F_OK) == 0;
}

/* One that was filled before; what was issued in it then has other numbers than what is now. */
static void use(struct filled *f, size_t n, const char *folder)
{
	snprintf(f->folder, sizeof(f->folder), "%s", folder);
	f->n = n;
	f->issued = (size_t)time(NULL) % 1000 * (n / 10);
	f->stays = true;
	make_warm(f);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void drop(struct filled *f)
{
	store_close(f->store);
	if (f->stays)
		printf("kept: %s\n", f->folder);
	else
		nftw(f->folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* --- searches */

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
	const struct made *made;
};

static bool run_search(struct store_txn *txn, void *arg, struct problem *p)
{
	struct searching *s = arg;

	return s->search->run(txn, s->made, p) > 0 || problem_internal(p, "%s: nothing was found", s->search->what);
}

/* Each time another row, and other ones with another seed. */
static struct times measure(struct filled *f, const struct search *search, size_t times, uint64_t seed)
{
	static double took[SEARCHES];

	for (size_t i = 0; i < times; i++) {
		auto_value(problem) p = {0};
		auto_value(made) made = {0};
		struct searching s = { search, &made };
		uint64_t n;

		rows_random(seed * SEARCHES + i + 1, (uint8_t *)&n, sizeof(n));
		row_make((size_t)(n % f->n), f->n, &made);
		double began = now_us();
		check(store_view(f->store, run_search, &s, &p), &p);
		took[i] = now_us() - began;
	}
	return times_of(took, times);
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

/* --- the log, sizes */

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

/* --- the table */

struct column {
	struct times searches[SEARCH_COUNT];
	struct issuing issuing;
	double open_ms, file_mb;
};

static void measure_all(struct filled *f, size_t times, uint64_t seed, struct column *ret)
{
	for (size_t i = 0; i < SEARCH_COUNT; i++)
		ret->searches[i] = measure(f, &searches[i], times, seed + i);
	ret->issuing = issue(f);
	ret->open_ms = f->open_ms;
	ret->file_mb = file_mb(f);
}

/* Each search and the issuances begin with nothing in memory, also not what the one before them has read. */
static void measure_cold(struct filled *f, struct column *ret)
{
	for (size_t i = 0; i < SEARCH_COUNT; i++) {
		make_cold(f);
		ret->searches[i] = measure(f, &searches[i], COLD_SEARCHES, 100 + i);
	}
	make_cold(f);
	ret->open_ms = f->open_ms;
	ret->issuing = issue(f);
	ret->file_mb = file_mb(f);
}

enum { COLUMNS = 3 };

#define PRINT(what, format, ...)                                                 \
	do {                                                                     \
		printf("| %s", what);                                            \
		for (const struct column *c = columns; c < columns + COLUMNS; c++) \
			printf(" | " format, __VA_ARGS__);                       \
		printf(" |\n");                                                  \
	} while (0)

static void print_table(const struct column columns[COLUMNS], size_t small, size_t large)
{
	printf("| p50 / p95 | %zu certificates | %zu certificates | and not in memory |\n| --- | ---: | ---: | ---: |\n", small, large);
	for (size_t i = 0; i < SEARCH_COUNT; i++)
		PRINT(searches[i].what, "%.0f / %.0f us", c->searches[i].p50, c->searches[i].p95);
	PRINT("an issuance, durable", "%.1f / %.1f ms", c->issuing.wall.p50 / 1e3, c->issuing.wall.p95 / 1e3);
	PRINT("its CPU", "%.0f us", c->issuing.cpu_us);
	PRINT("what it writes", "%.0f kB", c->issuing.written_kb);
	PRINT("opening the store", "%.1f ms", c->open_ms);
	PRINT("file", "%.1f MB", c->file_mb);
	printf("| file, a certificate | | %.2f kB | |\n", columns[1].file_mb * 1e3 / (double)large);
}

/* --- what a certificate takes, by class of key */

struct classes {
	size_t entries[256], bytes[256];
};

static bool weigh(void *arg, struct bytes key, struct bytes value)
{
	struct classes *c = arg;

	c->entries[key.data[0]]++;
	c->bytes[key.data[0]] += key.len + value.len;
	return true;
}

static void print_classes(const struct filled *f)
{
	static const struct {
		const char *name;
		uint8_t byte;
	} names[] = {
#define X(class, class_byte, layout) { #class, class_byte },
		KEY_CLASSES(X)
#undef X
	};
	const struct kv_options options = { .read_only = true };
	auto_value(problem) p = {0};
	auto_struct(kv) *kv = NULL;
	struct kv_txn *txn = NULL;
	struct classes c = {0};

	check(kv_lmdb_open(f->folder, &options, &kv, &p) && kv_begin(kv, KV_READ, &txn, &p), &p);
	kv_scan(txn, BYTES(NULL, 0), BYTES(NULL, 0), weigh, &c);
	kv_abort(&txn);
	printf("\n| a certificate takes | entries | bytes, key and value |\n| --- | ---: | ---: |\n");
	for (size_t i = 0; i < array_length(names); i++)
		if (c.bytes[names[i].byte] > f->n)
			printf("| %s | %.2f | %.0f |\n", names[i].name, (double)c.entries[names[i].byte] / (double)f->n,
			       (double)c.bytes[names[i].byte] / (double)f->n);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	const char *below = argc > 2 ? argv[2] : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	struct filled small = {0}, large = {0};
	static struct column columns[COLUMNS];

	if (n < SMALL) {
		fprintf(stderr, "usage: bench_inventory COUNT [FOLDER], COUNT from %d\n", SMALL);
		return 2;
	}
	fill(&small, SMALL, getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (is_store(below))
		use(&large, n, below);
	else
		fill(&large, n, below);
	large.stays |= getenv("BENCH_KEEP") != NULL;
	measure_all(&small, SEARCHES, 0, &columns[0]);
	measure_all(&large, SEARCHES, 0, &columns[1]);
	measure_cold(&large, &columns[2]);
	print_table(columns, SMALL, n);
	double small_log = verify_seconds(&small);
	printf("\nchecking the audit log: %.2f and %.2f s", small_log, verify_seconds(&large));
	if (large.fill_seconds > 0)
		printf("; filled at %.0f rows a second", (double)n / large.fill_seconds);
	printf("; memory of the process %.1f MB, and %.0f MB of pages of the file that the kernel keeps for it\n",
	       status_mb("RssAnon"), status_mb("RssFile"));
	print_classes(&large);
	drop(&small);
	drop(&large);
	return 0;
}
