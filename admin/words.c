#include "admin/words.h"

#include "base/clock.h"

void words_text(const char *label, const char *text, struct buf *ret)
{
	if (text && *text)
		buf_printf(ret, "%-12s %s\n", label, text);
}

void words_time(const char *label, int64_t t, struct buf *ret)
{
	char text[CLOCK_RFC3339_SIZE];

	if (t == 0)
		return;
	clock_format(t, text);
	words_text(label, text, ret);
}
