#include "admin/input.h"
#include "base/file.h"
#include "base/ossl.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

bool input_read(const char *path, size_t max, struct buf *ret, struct problem *p)
{
	if (!str_equal(path, "-"))
		return file_read(path, max, ret, p);
	while (!feof(stdin) && !ferror(stdin) && ret->len <= max) {
		char part[8192];
		size_t room = max + 1 - ret->len; /* one more than may be: that there is more is seen by it */
		buf_add(ret, part, fread(part, 1, room < sizeof(part) ? room : sizeof(part), stdin));
		mem_wipe(part, sizeof(part));
	}
	if (ferror(stdin))
		return problem_set(p, PROBLEM_MALFORMED, "standard input: %m");
	if (ret->len > max)
		return problem_set(p, PROBLEM_TOO_LARGE, "standard input: over %zu bytes", max);
	return buf_check(ret, p);
}

/* A SEQUENCE begins with 0x30, which is the digit 0 in a text before a PEM block. */
static bool is_der(const struct buf *content)
{
	return content->len > 0 && content->data[0] == 0x30 && !memmem(content->data, content->len, "-----BEGIN", 10);
}

bool input_read_pem(const char *path, const char *label, size_t max, struct buf *ret, struct problem *p)
{
	auto_value(buf) content = {0};

	if (!input_read(path, max, &content, p))
		return false;
	if (is_der(&content))
		ossl_pem(label, buf_bytes(&content), ret);
	else if (memchr(buf_text(&content), '\0', content.len))
		return problem_set(p, PROBLEM_MALFORMED, "%s: expected PEM or DER", path);
	else
		buf_add(ret, content.data, content.len);
	return buf_check(ret, p);
}

/* --- secrets */

enum { LINE_MAX_ = 1024, INTERRUPT = 3 };

static bool read_line(FILE *file, size_t max, struct buf *ret, struct problem *p)
{
	char line[LINE_MAX_];
	size_t len = 0;
	int c = EOF;

	setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays behind */
	while (len < sizeof(line) && (c = getc(file)) != EOF && c != '\n' && c != INTERRUPT)
		line[len++] = (char)c;
	bool ended = c == '\n' || (c == EOF && len > 0);
	len -= len > 0 && line[len - 1] == '\r';
	buf_add(ret, line, len);
	mem_wipe(line, sizeof(line));
	if (c == INTERRUPT)
		return problem_set(p, PROBLEM_MALFORMED, "interrupted");
	if (!ended || len > max)
		return problem_set(p, PROBLEM_MALFORMED, "the password is not to be read, or is over %zu bytes", max);
	return buf_check(ret, p);
}

/* Ctrl-C ends the line instead of the program, which would leave the terminal dumb. */
static bool ask(const char *prompt, size_t max, struct buf *ret, struct problem *p)
{
	struct termios before, quiet;

	fputs(prompt, stderr);
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return problem_set(p, PROBLEM_MALFORMED, "the terminal: %m");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_cc[VEOL] = INTERRUPT;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	bool read = read_line(stdin, max, ret, p);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return read;
}

static bool ask_twice(const struct input_secret *source, struct buf *ret, struct problem *p)
{
	auto_value(buf) again = {0};

	if (!ask(source->prompt, source->max, ret, p))
		return false;
	if (!source->twice)
		return true;
	return ask("Again: ", source->max, &again, p) &&
	       (bytes_equal(buf_bytes(ret), buf_bytes(&again)) ||
	        problem_set(p, PROBLEM_MALFORMED, "the two are not the same"));
}

static bool read_file(const char *path, size_t max, struct buf *ret, struct problem *p)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return problem_set(p, PROBLEM_NOT_FOUND, "%s: %m", path);
	bool read = read_line(file, max, ret, p);
	fclose(file);
	return read;
}

static bool read_environment(const char *name, size_t max, struct buf *ret, struct problem *p)
{
	const char *value = getenv(name);

	if (!value)
		return problem_set(p, PROBLEM_NOT_FOUND, "the environment has no variable %s", name);
	if (strlen(value) > max)
		return problem_set(p, PROBLEM_MALFORMED, "the password is over %zu bytes", max);
	buf_add_str(ret, value);
	return buf_check(ret, p);
}

bool input_secret(const struct input_secret *source, struct buf *ret, struct problem *p)
{
	bool read = source->file        ? read_file(source->file, source->max, ret, p)
	          : source->environment ? read_environment(source->environment, source->max, ret, p)
	          : isatty(STDIN_FILENO) ? ask_twice(source, ret, p)
	                                 : read_line(stdin, source->max, ret, p);

	return read && (ret->len > 0 || problem_set(p, PROBLEM_MALFORMED, "the password is empty"));
}
