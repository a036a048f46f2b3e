// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strict number parsing, see parse.h.
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"

static int digit_of(char c, unsigned int base)
{
	unsigned int d = 99;

	if (c >= '0' && c <= '9')
		d = (unsigned int)(c - '0');
	else if (c >= 'a' && c <= 'f')
		d = (unsigned int)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		d = (unsigned int)(c - 'A') + 10;
	return d < base ? (int)d : -1;
}

static bool scan_base(const char **pos, unsigned int base, uint64_t *ret_value)
{
	const char *p = *pos;
	uint64_t value = 0;
	int d = digit_of(*p, base);

	if (d < 0)
		return false;
	for (; (d = digit_of(*p, base)) >= 0; p++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)d, &value))
			return false;
	}
	*pos = p;
	*ret_value = value;
	return true;
}

bool scan_u64(const char **pos, uint64_t *ret_value)
{
	return scan_base(pos, 10, ret_value);
}

bool scan_hex(const char **pos, uint64_t *ret_value)
{
	return scan_base(pos, 16, ret_value);
}

bool scan_oct(const char **pos, uint64_t *ret_value)
{
	return scan_base(pos, 8, ret_value);
}

bool scan_i64(const char **pos, int64_t *ret_value)
{
	const char *p = *pos;
	bool negative = *p == '-';
	uint64_t value;

	if (negative)
		p++;
	if (!scan_u64(&p, &value) || value > INT64_MAX)
		return false;
	*pos = p;
	*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

bool scan_str(const char **pos, const char *literal)
{
	size_t len = strlen(literal);

	if (strncmp(*pos, literal, len))
		return false;
	*pos += len;
	return true;
}

void scan_blanks(const char **pos)
{
	while (**pos == ' ' || **pos == '\t')
		(*pos)++;
}

bool scan_line(const char **pos)
{
	const char *newline = strchr(*pos, '\n');

	*pos = newline ? newline + 1 : *pos + strlen(*pos);
	return **pos != '\0';
}

int parse_u64(const char *str, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;

	if (digit_of(*str, 10) < 0)
		return -EINVAL;
	if (!scan_u64(&str, &value))
		return -ERANGE;
	if (*str)
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int parse_i32(const char *str, int32_t min, int32_t max, int32_t *ret_value)
{
	int64_t value;

	if (!scan_i64(&str, &value) || *str)
		return -EINVAL;
	if (value < min || value > max)
		return -ERANGE;
	*ret_value = (int32_t)value;
	return 0;
}

int parse_size(const char *str, uint64_t max, uint64_t *ret_value)
{
	uint64_t value, unit = 1;

	if (!scan_u64(&str, &value))
		return -EINVAL;
	switch (*str) {
	case 'k':
	case 'K':
		unit = UINT64_C(1) << 10;
		str++;
		break;
	case 'm':
	case 'M':
		unit = UINT64_C(1) << 20;
		str++;
		break;
	case 'g':
	case 'G':
		unit = UINT64_C(1) << 30;
		str++;
		break;
	}
	if (*str)
		return -EINVAL;
	if (__builtin_mul_overflow(value, unit, &value) || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}
