#include "base/json.h"

#include <pthread.h>

#include <cjson/cJSON.h>

#include "base/json_scan.h"

/* A document is cJSON's tree, with the members of each container side by side in one array of all
 * values, so that the i-th one is found without a walk. The root is the first element. */
struct json {
	cJSON *item;
	const struct json *members;
	size_t count;
};

/* One block: the array, and behind it what cJSON asks for while it reads. */
struct document {
	size_t size;
	struct json nodes[];
};

enum { ALIGN = 16 };

/* Where the reading thread's cJSON gets its memory: it asks for each item and each text apart. */
static _Thread_local struct {
	uint8_t *at;
	size_t left;
} arena;

static void *arena_take(size_t size)
{
	size_t whole = (size + ALIGN - 1) / ALIGN * ALIGN;

	if (whole > arena.left)
		return NULL;
	arena.at += whole;
	arena.left -= whole;
	return arena.at - whole;
}

/* It goes with its document. */
static void arena_leave(void *p)
{
	(void)p;
}

static void give_arena(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){ arena_take, arena_leave });
}

/* An item for each value, and a name and a text at most, which together are no longer than the document. */
static struct document *document_new(size_t count, size_t len)
{
	size_t array = (sizeof(struct document) + count * sizeof(struct json) + ALIGN - 1) / ALIGN * ALIGN;
	size_t items = count * ((sizeof(cJSON) + ALIGN - 1) / ALIGN * ALIGN), texts = len + count * 2 * (ALIGN + 1);
	struct document *document = malloc(array + items + texts);

	if (!document)
		return NULL;
	document->size = array + items + texts;
	arena.at = (uint8_t *)document + array;
	arena.left = items + texts;
	return document;
}

static struct document *document_of(struct json *root)
{
	return (struct document *)((char *)root - offsetof(struct document, nodes));
}

static void document_index(struct json *nodes, cJSON *root)
{
	size_t known = 1;

	nodes[0].item = root;
	for (size_t i = 0; i < known; i++) {
		size_t begin = known;
		for (cJSON *child = nodes[i].item->child; child; child = child->next)
			nodes[known++].item = child;
		nodes[i].members = &nodes[begin];
		nodes[i].count = known - begin;
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool names_unique(const struct json *object, struct problem *p)
{
	auto_free const char **names = calloc(object->count, sizeof(*names));

	if (!names)
		return problem_memory(p);
	for (size_t i = 0; i < object->count; i++)
		names[i] = object->members[i].item->string;
	qsort(names, object->count, sizeof(*names), compare_names);
	for (size_t i = 1; i < object->count; i++)
		if (str_equal(names[i - 1], names[i]))
			return problem_set(p, PROBLEM_MALFORMED,
			                   "RFC 8259, 4: the name \"%.64s\" stands twice in one object", names[i]);
	return true;
}

static bool document_unique(const struct json *nodes, size_t count, struct problem *p)
{
	for (size_t i = 0; i < count; i++)
		if (json_is_object(&nodes[i]) && nodes[i].count > 1 && !names_unique(&nodes[i], p))
			return false;
	return true;
}

bool json_parse(struct bytes text, struct json **ret, struct problem *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t count;

	pthread_once(&once, give_arena);
	if (!json_scan(text, &count, p))
		return false;
	struct document *document = document_new(count, text.len);
	if (!document)
		return problem_memory(p);
	auto_struct(json) *nodes = document->nodes;
	cJSON *root = cJSON_ParseWithLength((const char *)text.data, text.len);
	if (!root)
		return problem_memory(p);
	document_index(nodes, root);
	if (!document_unique(nodes, count, p))
		return false;
	*ret = steal(nodes);
	return true;
}

/* A string may be a password of the admin API. */
void json_free(struct json *root)
{
	struct document *document = root ? document_of(root) : NULL;

	if (document)
		mem_wipe(document, document->size);
	free(document);
}

bool json_is_object(const struct json *j)
{
	return j && cJSON_IsObject(j->item);
}

bool json_is_array(const struct json *j)
{
	return j && cJSON_IsArray(j->item);
}

bool json_is_string(const struct json *j)
{
	return j && cJSON_IsString(j->item);
}

bool json_is_null(const struct json *j)
{
	return j && cJSON_IsNull(j->item);
}

const struct json *json_member(const struct json *j, const char *name)
{
	if (!json_is_object(j))
		return NULL;
	for (size_t i = 0; i < j->count; i++)
		if (str_equal(j->members[i].item->string, name))
			return &j->members[i];
	return NULL;
}

const struct json *json_given(const struct json *j, const char *name)
{
	const struct json *member = json_member(j, name);

	return json_is_null(member) ? NULL : member;
}

const char *json_string(const struct json *j)
{
	return json_is_string(j) ? j->item->valuestring : NULL;
}

const char *json_member_string(const struct json *j, const char *name)
{
	return json_string(json_member(j, name));
}

bool json_bool(const struct json *j, bool *ret)
{
	if (!j || !cJSON_IsBool(j->item))
		return false;
	*ret = cJSON_IsTrue(j->item);
	return true;
}

/* RFC 8259, 6: between -(2^53)+1 and (2^53)-1 a double is exactly the integer that was written. */
bool json_integer(const struct json *j, int64_t *ret)
{
	const double limit = 9007199254740992.0;
	double value = j && cJSON_IsNumber(j->item) ? j->item->valuedouble : limit;

	if (!(value > -limit && value < limit) || value != (double)(int64_t)value)
		return false;
	*ret = (int64_t)value;
	return true;
}

size_t json_length(const struct json *j)
{
	return j ? j->count : 0;
}

const struct json *json_at(const struct json *j, size_t i)
{
	return i < json_length(j) ? &j->members[i] : NULL;
}

const char *json_name(const struct json *j)
{
	return j ? j->item->string : NULL;
}
