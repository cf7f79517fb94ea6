#include "base/delta.h"

#include <limits.h>
#include <pthread.h>

#include <lz4.h>

/* A reference is what LZ4 calls a dictionary. */
static struct bytes as_dictionary(struct bytes reference)
{
	return reference.len <= DELTA_REFERENCE_MAX ? reference : BYTES(reference.data, DELTA_REFERENCE_MAX);
}

/* The state is 16 kB, too much for a stack of ours and for an allocation each time. So all share one, for which hardly
 * anybody waits: writers write one at a time. Zeroes are how it begins. */
static int encode(struct bytes reference, struct bytes in, uint8_t *out, int room)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static LZ4_stream_t stream;
	struct bytes dictionary = as_dictionary(reference);

	pthread_mutex_lock(&lock);
	LZ4_loadDict(&stream, (const char *)dictionary.data, (int)dictionary.len);
	int n = LZ4_compress_fast_continue(&stream, (const char *)in.data, (char *)out, (int)in.len, room, 1);
	pthread_mutex_unlock(&lock);
	return n;
}

void delta_encode(struct bytes reference, struct bytes in, struct buf *ret)
{
	size_t begin = ret->len;
	int room = in.len <= LZ4_MAX_INPUT_SIZE ? LZ4_compressBound((int)in.len) : 0;
	uint8_t *out = room > 0 ? buf_extend(ret, (size_t)room) : NULL;
	int n = out ? encode(reference, in, out, room) : 0;

	if (n > 0)
		buf_shorten(ret, begin + (size_t)n);
	else
		ret->failed = true;
}

bool delta_decode(struct bytes reference, struct bytes delta, size_t max, struct buf *ret)
{
	struct bytes dictionary = as_dictionary(reference);
	size_t begin = ret->len;
	uint8_t *out = max <= LZ4_MAX_INPUT_SIZE && delta.len <= INT_MAX ? buf_extend(ret, max) : NULL;
	int n = out ? LZ4_decompress_safe_usingDict((const char *)delta.data, (char *)out, (int)delta.len, (int)max,
	                                            (const char *)dictionary.data, (int)dictionary.len)
	            : -1;

	if (out)
		buf_shorten(ret, n < 0 ? begin : begin + (size_t)n);
	return n >= 0;
}
