/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing JSON: values come in order, commas, line breaks and escapes come by themselves.
 *
 *	json_open(&json, NULL, '{');
 *	json_u64(&json, "pid", 7);
 *	json_close(&json);
 */
#ifndef CRIB_CLI_JSON_H
#define CRIB_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH_MAX = 16 };

struct json {
	FILE *out; /* borrowed */
	int depth;
	char closing[JSON_DEPTH_MAX]; /* '}' or ']' of every open level */
	bool filled[JSON_DEPTH_MAX];  /* the level has a value */
};

/* @key is NULL inside an array and at the top. Begins an object '{' or an array '['. */
void json_open(struct json *json, const char *key, char opening);
void json_close(struct json *json);

void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);
/* As a string "0x...": addresses and masks do not fit into every reader's numbers. */
void json_hex(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
/* NULL becomes null. Bytes that are no UTF-8 become U+FFFD. */
void json_str(struct json *json, const char *key, const char *value);

#endif /* CRIB_CLI_JSON_H */
