/* What a disk may hold at a point of its log. */
#include "tests/unit/power_log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { SECTOR = 512, PAGE = 4096 };

/* --- bytes of a file --- */

struct image {
	uint8_t *data;  /* NULL: the file has never been there */
	uint64_t len, cap;
};

static void image_size(struct image *image, uint64_t len)
{
	if (len > image->cap || !image->data) {
		image->cap = len * 2 + PAGE;
		image->data = realloc(image->data, image->cap);
		assert(image->data);
	}
	if (len > image->len)
		memset(image->data + image->len, 0, len - image->len);
	image->len = len;
}

static void image_put(struct image *image, uint64_t at, const uint8_t *data, uint64_t len)
{
	if (at + len > image->len || !image->data)
		image_size(image, at + len);
	if (len > 0)
		memcpy(image->data + at, data, len);
}

static void image_copy(const struct image *from, struct image *ret)
{
	*ret = (struct image){0};
	image_put(ret, 0, from->data, from->len);
}

/* --- a file: what is on the disk, and from there on what was done to it --- */

struct change {
	size_t op;
	bool durable;  /* on the disk, while something before is not */
	bool lost;     /* a flush for it has failed: no other is for it */
};
struct file {
	struct image image;
	struct change *v;
	size_t n, cap;
};

static void file_add(struct file *file, size_t op)
{
	if (file->n == file->cap) {
		file->cap = file->cap * 2 + 16;
		file->v = realloc(file->v, file->cap * sizeof(*file->v));
		assert(file->v);
	}
	file->v[file->n++] = (struct change){ .op = op };
}

static void apply(const struct power *disk, const struct power_op *op, struct image *image)
{
	if (op->kind == POWER_OP_WRITE)
		image_put(image, op->at, disk->data + op->data, op->len);
	else if (op->kind == POWER_OP_SIZE || op->len > image->len)
		image_size(image, op->len);
}

/* Up to the first that is pending. */
static void file_settle(const struct power *disk, struct file *file)
{
	size_t done = 0;

	for (; done < file->n && file->v[done].durable; done++)
		apply(disk, &disk->op[file->v[done].op], &file->image);
	if (done == 0)
		return;
	memmove(file->v, file->v + done, (file->n - done) * sizeof(*file->v));
	file->n -= done;
}

/* --- the whole disk at a point --- */

struct power_replay {
	size_t point;
	struct file file[POWER_FILES_MAX];
	struct power_names names;           /* on the disk */
	size_t *name_op;                    /* pending */
	size_t names_pending, names_cap;
};

void power_replay_free(struct power_replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < POWER_FILES_MAX; i++) {
		free(r->file[i].image.data);
		free(r->file[i].v);
	}
	free(r->name_op);
	free(r);
}

static void name_add(struct power_replay *r, size_t op)
{
	if (r->names_pending == r->names_cap) {
		r->names_cap = r->names_cap * 2 + 16;
		r->name_op = realloc(r->name_op, r->names_cap * sizeof(*r->name_op));
		assert(r->name_op);
	}
	r->name_op[r->names_pending++] = op;
}

static void names_flushed(const struct power *disk, struct power_replay *r, const struct power_op *op)
{
	size_t done = 0;

	if (op->failed)
		return;
	for (; done < r->names_pending && r->name_op[done] < op->of; done++)
		power_names_apply(&r->names, &disk->op[r->name_op[done]]);
	if (done == 0)
		return;
	memmove(r->name_op, r->name_op + done, (r->names_pending - done) * sizeof(*r->name_op));
	r->names_pending -= done;
}

static void flushed(struct file *file, const struct power_op *op)
{
	for (size_t i = 0; i < file->n; i++) {
		struct change *c = &file->v[i];
		bool meant = op->kind == POWER_OP_WRITTEN ? c->op == op->of : c->op < op->of;

		if (meant && op->failed)
			c->lost = !c->durable;
		else if (meant && !c->lost)
			c->durable = true;
	}
}

static void replay_one(const struct power *disk, struct power_replay *r, size_t i)
{
	const struct power_op *op = &disk->op[i];
	struct file *file = &r->file[op->file];

	switch (op->kind) {
	case POWER_OP_MARK:
	case POWER_OP_FLUSH:
		break;
	case POWER_OP_WRITE:
	case POWER_OP_SIZE:
	case POWER_OP_EXTEND:
		file_add(file, i);
		break;
	case POWER_OP_WRITTEN:
	case POWER_OP_FLUSHED:
		if (op->file == 0) {
			names_flushed(disk, r, op);
			break;
		}
		flushed(file, op);
		file_settle(disk, file);
		break;
	case POWER_OP_NAME:
	case POWER_OP_UNNAME:
	case POWER_OP_RENAME:
		name_add(r, i);
		break;
	}
}

static const struct power_replay *replay_to(struct power *disk, size_t point)
{
	assert(point >= disk->begin && point <= disk->n);
	if (disk->replay && disk->replay->point > point) {
		power_replay_free(disk->replay);
		disk->replay = NULL;
	}
	if (!disk->replay) {
		disk->replay = calloc(1, sizeof(*disk->replay));
		assert(disk->replay);
	}
	for (; disk->replay->point < point; disk->replay->point++)
		replay_one(disk, disk->replay, disk->replay->point);
	return disk->replay;
}

/* --- what of the pending is there --- */

static uint64_t roll(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

enum way {
	WAY_NONE,
	WAY_ALL,
	WAY_SECTORS,       /* each sector by itself */
	WAY_WRITES,        /* each write by itself */
	WAY_TORN,          /* the first ones, and of the next its first sectors */
	WAY_LAST,          /* the last ones, without those before */
	WAY_ONE,           /* one alone */
	WAY_ALL_BUT_ONE,
	WAY_MOST_SECTORS,  /* one in eight is missing */
	WAYS
};
static_assert((int)WAYS == (int)POWER_SEEDS_EACH, "a seed is a way to choose");

struct choice {
	enum way way;
	size_t at;        /* among the pending */
	uint64_t random;
};

static bool whole(struct choice *c, size_t i)
{
	switch (c->way) {
	case WAY_ALL:
		return true;
	case WAY_WRITES:
		return roll(&c->random) % 2 == 0;
	case WAY_TORN:
		return i < c->at;
	case WAY_LAST:
		return i >= c->at;
	case WAY_ONE:
		return i == c->at;
	case WAY_ALL_BUT_ONE:
		return i != c->at;
	default:
		return false;
	}
}

static bool sector(struct choice *c)
{
	return c->way == WAY_SECTORS ? roll(&c->random) % 2 == 0 : roll(&c->random) % 8 != 0;
}

/* What each sector holds of a write is whole or nothing. The size may be there without the bytes. */
static void apply_sectors(const struct power *disk, const struct power_op *op, struct choice *c, struct image *image)
{
	uint64_t torn_at = op->at + (op->len > 0 ? roll(&c->random) % op->len : 0), end = op->at + op->len;

	if (end > image->len && roll(&c->random) % 2 == 0)
		image_size(image, end);
	for (uint64_t at = op->at, next; at < end; at = next) {
		next = (at / SECTOR + 1) * SECTOR;
		if (next > end)
			next = end;
		if (c->way == WAY_TORN ? next <= torn_at : sector(c))
			image_put(image, at, disk->data + op->data + (at - op->at), next - at);
	}
}

static void apply_pending(const struct power *disk, const struct power_op *op, struct choice *c, size_t i, struct image *image)
{
	bool parts = c->way == WAY_SECTORS || c->way == WAY_MOST_SECTORS || (c->way == WAY_TORN && i == c->at);

	if (whole(c, i))
		apply(disk, op, image);
	else if (parts && op->kind == POWER_OP_WRITE)
		apply_sectors(disk, op, c, image);
	else if (parts && sector(c))
		apply(disk, op, image);
}

static void file_choose(const struct power *disk, const struct file *file, struct choice c, struct image *ret)
{
	size_t pending = 0, i = 0;

	for (size_t k = 0; k < file->n; k++)
		pending += !file->v[k].durable;
	c.at = pending > 0 ? roll(&c.random) % pending : 0;
	image_copy(&file->image, ret);
	for (size_t k = 0; k < file->n; k++) {
		const struct power_op *op = &disk->op[file->v[k].op];

		if (file->v[k].durable)
			apply(disk, op, ret);
		else
			apply_pending(disk, op, &c, i++, ret);
	}
}

/* --- into a folder --- */

static void write_image(const char *folder, const char *name, const struct image *image)
{
	static const uint8_t zeros[PAGE];
	auto_free char *path = mem_printf("%s/%s", folder, name);
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert(fd >= 0 && ftruncate(fd, (off_t)image->len) == 0);
	for (uint64_t at = 0, len; at < image->len; at += len) {
		len = image->len - at < PAGE ? image->len - at : PAGE;
		if (memcmp(image->data + at, zeros, len) != 0)
			assert(pwrite(fd, image->data + at, len, (off_t)at) == (ssize_t)len);
	}
}

/* Names come to the disk in the order in which they were made. */
static void names_choose(const struct power *disk, const struct power_replay *r, struct choice *c, struct power_names *ret)
{
	size_t n = c->way == WAY_NONE ? 0 : c->way == WAY_ALL ? r->names_pending : roll(&c->random) % (r->names_pending + 1);

	*ret = r->names;
	for (size_t i = 0; i < n; i++)
		power_names_apply(ret, &disk->op[r->name_op[i]]);
}

/* As it is now, zeros, or nothing at all. */
static void write_scratch(const struct power *disk, uint64_t random, const char *folder)
{
	auto_free char *path = mem_printf("%s/%s", disk->folder, disk->scratch);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct image image = {0};
	struct stat st;

	if (random % 3 == 0 || fd < 0)
		return;
	assert(fstat(fd, &st) == 0);
	image_size(&image, (uint64_t)st.st_size);
	if (random % 3 == 1)
		assert(pread(fd, image.data, image.len, 0) == (ssize_t)image.len);
	write_image(folder, disk->scratch, &image);
	free(image.data);
}

static bool is_scratch(const struct power *disk, const char *name)
{
	return str_equal(name, disk->scratch);
}

void power_cut(struct power *disk, size_t point, uint64_t seed, const char *folder)
{
	const struct power_replay *r = replay_to(disk, point);
	struct choice c = { .way = seed % WAYS, .random = seed };
	struct power_names names;

	power_boot_new();
	names_choose(disk, r, &c, &names);
	for (size_t i = 0; i < POWER_FILES_MAX; i++) {
		struct image image;

		if (names.v[i].name[0] == '\0' || is_scratch(disk, names.v[i].name))
			continue;
		/* Of several files each has its own way with every other seed of a way. */
		if (seed / WAYS % 2 == 1)
			c.way = roll(&c.random) % WAYS;
		file_choose(disk, &r->file[names.v[i].file], c, &image);
		write_image(folder, names.v[i].name, &image);
		free(image.data);
	}
	if (power_names_find(&names, disk->scratch) != 0)
		write_scratch(disk, roll(&c.random), folder);
}

/* --- what every process sees --- */

static void image_now(const struct power *disk, const struct file *file, struct image *ret)
{
	file_choose(disk, file, (struct choice){ .way = WAY_ALL }, ret);
}

static void names_now(const struct power *disk, const struct power_replay *r, struct power_names *ret)
{
	struct choice c = { .way = WAY_ALL };

	names_choose(disk, r, &c, ret);
}

/* A signal ends a write between two pages. */
static size_t cut_short(struct power *disk, size_t last, uint64_t seed)
{
	struct power_op *op = &disk->op[last];
	uint64_t pages = (op->at + op->len) / PAGE - op->at / PAGE, whole_len = op->len;

	if (seed % 2 == 1 && op->kind == POWER_OP_WRITE && pages > 0)
		op->len = (op->at / PAGE + 1 + roll(&seed) % pages) * PAGE - op->at;
	return whole_len;
}

static void write_all_now(struct power *disk, size_t point, const char *folder)
{
	const struct power_replay *r = replay_to(disk, point);
	struct power_names names;

	names_now(disk, r, &names);
	for (size_t i = 0; i < POWER_FILES_MAX; i++) {
		struct image image;

		if (names.v[i].name[0] == '\0' || is_scratch(disk, names.v[i].name))
			continue;
		image_now(disk, &r->file[names.v[i].file], &image);
		write_image(folder, names.v[i].name, &image);
		free(image.data);
	}
	if (power_names_find(&names, disk->scratch) != 0)
		write_scratch(disk, 1, folder);
}

void power_kill(struct power *disk, size_t point, uint64_t seed, const char *folder)
{
	power_boot_of(disk);
	if (point == disk->begin) {
		write_all_now(disk, point, folder);
		return;
	}
	uint64_t len = cut_short(disk, point - 1, seed);
	write_all_now(disk, point, folder);
	disk->op[point - 1].len = len;
}

static bool same(const struct power *disk, const char *name, const struct image *image)
{
	auto_free char *path = mem_printf("%s/%s", disk->folder, name);
	auto_free uint8_t *data = malloc(image->len + 1);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && data && pread(fd, data, image->len + 1, 0) == (ssize_t)image->len &&
	       memcmp(data, image->data, image->len) == 0;
}

static bool no_other_names(const struct power *disk, const struct power_names *names, char why[256])
{
	DIR *dir = opendir(disk->folder);
	const struct dirent *entry;
	bool ok = true;

	assert(dir);
	while (ok && (entry = readdir(dir)))
		if (entry->d_type == DT_REG && power_names_find(names, entry->d_name) == 0) {
			snprintf(why, 256, "%.200s was made past the log", entry->d_name);
			ok = false;
		}
	closedir(dir);
	return ok;
}

bool power_check(struct power *disk, char why[256])
{
	const struct power_replay *r = replay_to(disk, disk->n);
	struct power_names names;

	names_now(disk, r, &names);
	for (size_t i = 0; i < POWER_FILES_MAX; i++) {
		struct image image;

		if (names.v[i].name[0] == '\0' || is_scratch(disk, names.v[i].name))
			continue;
		image_now(disk, &r->file[names.v[i].file], &image);
		bool ok = same(disk, names.v[i].name, &image);
		free(image.data);
		if (!ok) {
			snprintf(why, 256, "%s is not what the log says", names.v[i].name);
			return false;
		}
	}
	return no_other_names(disk, &names, why);
}
