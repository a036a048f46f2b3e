/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers from text, strictly: no sign, no blank, no overflow, where the text must end is checked.
 */
#ifndef CRIB_BASE_PARSE_H
#define CRIB_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* A whole string that must be one number. 0, -EINVAL (not a number) or -ERANGE (above @max). */
int parse_u64(const char *str, uint64_t max, uint64_t *ret_value);
int parse_i32(const char *str, int32_t min, int32_t max, int32_t *ret_value);

/* "10", "4K", "1M", "2G" (powers of 1024) in bytes. */
int parse_size(const char *str, uint64_t max, uint64_t *ret_value);

/*
 * Scanners for /proc text: read a number at *@pos and move *@pos behind it.
 * False when no digit is there or it overflows; *@pos is then unchanged.
 */
bool scan_u64(const char **pos, uint64_t *ret_value);
bool scan_i64(const char **pos, int64_t *ret_value);
bool scan_hex(const char **pos, uint64_t *ret_value);
bool scan_oct(const char **pos, uint64_t *ret_value);
/* Moves *@pos behind @literal when it stands there. */
bool scan_str(const char **pos, const char *literal);
void scan_blanks(const char **pos);
/* Moves *@pos behind the next newline; false at the end of the text. */
bool scan_line(const char **pos);

#endif /* CRIB_BASE_PARSE_H */
