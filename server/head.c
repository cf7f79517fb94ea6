#include "server/head.h"

#include "base/ascii.h"
#include "base/http.h"

enum state {
	BEGIN, BEGIN_LF, METHOD, TARGET_FIRST, TARGET, VERSION, LINE_LF, LINE, NAME, VALUE, END_LF, WHOLE, BAD,
};

/* RFC 9110, 5.6.2 */
static bool is_token_char(uint8_t c)
{
	return ascii_is_alnum((char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static unsigned char bad(struct head *head, enum problem_kind kind, const char *fault)
{
	head->kind = kind;
	head->fault = fault;
	return BAD;
}

static unsigned char malformed(struct head *head, const char *fault)
{
	return bad(head, PROBLEM_MALFORMED, fault);
}

static unsigned char take_begin(struct head *head, uint8_t c)
{
	if (c == '\r' && head->length == 0)
		return BEGIN_LF;
	if (is_token_char(c))
		return METHOD;
	return malformed(head, "RFC 9112, 3.1: a request begins with its method");
}

static unsigned char take_method(struct head *head, uint8_t c)
{
	if (is_token_char(c))
		return METHOD;
	return c == ' ' ? TARGET_FIRST : malformed(head, "RFC 9112, 3.1: the method is not a token and one space");
}

static unsigned char take_target(struct head *head, uint8_t c)
{
	if (c > ' ' && c < 0x7f)
		return TARGET;
	if (c == ' ' && head->state == TARGET)
		return VERSION;
	return malformed(head, "RFC 9112, 3.2: the request target is not visible ASCII between single spaces");
}

static unsigned char take_version(struct head *head, uint8_t c)
{
	static const char form[] = "HTTP/d.d";
	char want = form[head->matched];

	if (want == '\0' && c == '\r')
		return LINE_LF;
	if (want == '\0')
		return malformed(head, "RFC 9112, 3: the request line does not end after its version");
	if (want == 'd' ? c < '0' || c > '9' : c != (uint8_t)want)
		return malformed(head, "RFC 9112, 2.3: the version is not HTTP/1.1 or HTTP/1.0");
	head->matched++;
	return VERSION;
}

static unsigned char take_line(struct head *head, uint8_t c)
{
	if (c == '\r')
		return END_LF;
	if (c == ' ' || c == '\t')
		return malformed(head, "RFC 9112, 5.2: a header line is folded");
	if (!is_token_char(c))
		return malformed(head, "RFC 9112, 5: a header name is not a token");
	if (++head->lines > HTTP_HEADERS_MAX)
		return bad(head, PROBLEM_HEADERS_TOO_LARGE, "RFC 6585, 5: the request has more than 64 header fields");
	return NAME;
}

static unsigned char take_name(struct head *head, uint8_t c)
{
	if (is_token_char(c))
		return NAME;
	if (c == ':')
		return VALUE;
	if (c == ' ' || c == '\t')
		return malformed(head, "RFC 9112, 5.1: white space stands before the colon of a header");
	return malformed(head, "RFC 9112, 5: a header name is not a token");
}

/* civetweb takes no tabs, which RFC 9110, 5.5 would allow and nobody sends. */
static unsigned char take_value(struct head *head, uint8_t c)
{
	if (c == '\r')
		return LINE_LF;
	if (c >= ' ' && c != 0x7f)
		return VALUE;
	return malformed(head, "RFC 9110, 5.5: a header value has a control character");
}

static unsigned char take_lf(struct head *head, uint8_t c, unsigned char next)
{
	return c == '\n' ? next : malformed(head, "RFC 9112, 2.2: a carriage return without a line feed");
}

static unsigned char take(struct head *head, uint8_t c)
{
	switch ((enum state)head->state) {
	case BEGIN: return take_begin(head, c);
	case BEGIN_LF: return take_lf(head, c, BEGIN);
	case METHOD: return take_method(head, c);
	case TARGET_FIRST:
	case TARGET: return take_target(head, c);
	case VERSION: return take_version(head, c);
	case LINE_LF: return take_lf(head, c, LINE);
	case LINE: return take_line(head, c);
	case NAME: return take_name(head, c);
	case VALUE: return take_value(head, c);
	case END_LF: return take_lf(head, c, WHOLE);
	case WHOLE:
	case BAD: break;
	}
	return head->state;
}

void head_feed(struct head *head, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && head->state != WHOLE && head->state != BAD; i++) {
		head->state = take(head, data[i]);
		if (++head->length == HEAD_SIZE_MAX && head->state != WHOLE && head->state != BAD)
			head->state = bad(head, PROBLEM_HEADERS_TOO_LARGE,
			                  "RFC 6585, 5: the request's head is longer than 16384 bytes");
	}
}

bool head_is_whole(const struct head *head)
{
	return head->state == WHOLE;
}
