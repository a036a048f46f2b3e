// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON text, see json.h.
 */
#include <assert.h>
#include <inttypes.h>

#include "cli/json.h"

/* Length of the UTF-8 sequence at @p, 0: it is none. Surrogates and overlong forms are none. */
static int utf8_len(const unsigned char *p)
{
	if (p[0] < 0x80)
		return 1;
	int len = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 :
		  p[0] >= 0xe0 && p[0] < 0xf0 ? 3 :
		  p[0] >= 0xf0 && p[0] < 0xf5 ? 4 :
						0;

	for (int i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static void put_string(FILE *out, const char *str)
{
	const unsigned char *p = (const unsigned char *)str;

	fputc('"', out);
	while (*p) {
		int len = utf8_len(p);

		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\u%04x", *p);
		else if (len == 0)
			fputs("\\ufffd", out);
		else
			fwrite(p, 1, (size_t)len, out);
		p += len ? len : 1;
	}
	fputc('"', out);
}

static void indent(struct json *json)
{
	fputc('\n', json->out);
	for (int i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

/* What stands before a value. */
static void begin(struct json *json, const char *key)
{
	if (json->depth) {
		if (json->filled[json->depth - 1])
			fputc(',', json->out);
		json->filled[json->depth - 1] = true;
		indent(json);
	}
	if (key) {
		put_string(json->out, key);
		fputs(": ", json->out);
	}
}

void json_open(struct json *json, const char *key, char opening)
{
	assert(json->depth < JSON_DEPTH_MAX);
	begin(json, key);
	fputc(opening, json->out);
	json->filled[json->depth] = false;
	json->closing[json->depth++] = opening == '{' ? '}' : ']';
}

void json_close(struct json *json)
{
	assert(json->depth > 0);
	bool filled = json->filled[--json->depth];

	if (filled)
		indent(json);
	fputc(json->closing[json->depth], json->out);
	if (!json->depth)
		fputc('\n', json->out);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
	begin(json, key);
	fprintf(json->out, "%" PRId64, value);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->out, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_str(struct json *json, const char *key, const char *value)
{
	begin(json, key);
	if (value)
		put_string(json->out, value);
	else
		fputs("null", json->out);
}
