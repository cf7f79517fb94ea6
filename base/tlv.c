#include "base/tlv.h"

enum { LENGTH_BYTES_MAX = 3 };

/* The length at in[1]; ret_header is what tag and length take. */
static bool length_read(struct bytes in, size_t *ret_header, size_t *ret_len)
{
	if (in.len < 2)
		return false;
	size_t first = in.data[1], count = first & 0x7f, len = 0;
	if (first < 0x80) {
		*ret_header = 2;
		*ret_len = first;
		return true;
	}
	if (count == 0 || count > LENGTH_BYTES_MAX || count > in.len - 2 || in.data[2] == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		len = len << 8 | in.data[2 + i];
	*ret_header = 2 + count;
	*ret_len = len;
	return len >= 0x80;
}

bool tlv_next(struct bytes *in, struct tlv *ret)
{
	size_t header, len;

	if (!length_read(*in, &header, &len) || len > in->len - header || (in->data[0] & 0x1f) == 0x1f)
		return false;
	ret->tag = in->data[0];
	ret->value = BYTES(in->data + header, len);
	ret->whole = BYTES(in->data, header + len);
	*in = BYTES(in->data + header + len, in->len - header - len);
	return true;
}

bool tlv_take(struct bytes *in, uint8_t tag, struct bytes *ret)
{
	struct bytes rest = *in;
	struct tlv element;

	if (!tlv_next(&rest, &element) || element.tag != tag)
		return false;
	*ret = element.value;
	*in = rest;
	return true;
}

bool tlv_only(struct bytes in, uint8_t tag, struct bytes *ret)
{
	struct bytes value;

	if (!tlv_take(&in, tag, &value) || in.len != 0)
		return false;
	*ret = value;
	return true;
}

/* X.690, 8.1.2.4: numbers from 31 on, seven bits a byte, the last without its highest bit; no more of it than need
 * be. */
static bool high_number(struct bytes *in, uint32_t *ret)
{
	uint32_t number = 0;
	size_t i = 1;

	do {
		if (i == in->len || i > 4 || (i == 1 && in->data[1] == 0x80))
			return false;
		number = number << 7 | (in->data[i] & 0x7f);
	} while (in->data[i++] & 0x80);
	*ret = number;
	*in = BYTES(in->data + i - 1, in->len - i + 1); /* its last byte stands for the tag */
	return number >= 31;
}

bool tlv_take_numbered(struct bytes *in, uint32_t *ret_number, struct bytes *ret)
{
	struct bytes rest = *in;
	size_t header, len;

	if (rest.len < 2 || (rest.data[0] & 0xe0) != 0xa0)
		return false;
	*ret_number = rest.data[0] & 0x1f;
	if (*ret_number == 0x1f && !high_number(&rest, ret_number))
		return false;
	if (!length_read(rest, &header, &len) || len > rest.len - header)
		return false;
	*ret = BYTES(rest.data + header, len);
	*in = BYTES(rest.data + header + len, rest.len - header - len);
	return true;
}

/* One arc, X.690, 8.19.2: seven bits a byte, the first byte not 0x80. */
static bool arc_take(struct bytes *in, uint64_t *ret)
{
	uint64_t arc = 0;

	if (in->len == 0 || in->data[0] == 0x80)
		return false;
	for (size_t i = 0; i < in->len; i++) {
		if (arc >> 57 != 0)
			return false;
		arc = arc << 7 | (in->data[i] & 0x7f);
		if (in->data[i] < 0x80) {
			*in = BYTES(in->data + i + 1, in->len - i - 1);
			*ret = arc;
			return true;
		}
	}
	return false;
}

/* A dot and the number; false: no room. */
static bool arc_write(uint64_t arc, char ret[TLV_OID_SIZE], size_t *used)
{
	char digits[STR_DECIMAL_SIZE];
	const char *text = str_decimal(arc, digits);
	size_t len = strlen(text);

	if (*used + 1 + len >= TLV_OID_SIZE)
		return false;
	ret[(*used)++] = '.';
	memcpy(ret + *used, text, len + 1);
	*used += len;
	return true;
}

bool tlv_oid_text(struct bytes oid, char ret[TLV_OID_SIZE])
{
	uint64_t arc;

	if (!arc_take(&oid, &arc))
		return false;
	unsigned root = arc < 80 ? (unsigned)arc / 40 : 2;
	size_t used = 1;
	ret[0] = (char)('0' + root);
	if (!arc_write(arc - 40 * root, ret, &used))
		return false;
	while (oid.len > 0)
		if (!arc_take(&oid, &arc) || !arc_write(arc, ret, &used))
			return false;
	return true;
}
