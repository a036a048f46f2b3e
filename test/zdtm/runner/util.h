/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small things that the runner's files share: reading files, numbers, time, words.
 */
#ifndef CRIB_ZDTM_RUNNER_UTIL_H
#define CRIB_ZDTM_RUNNER_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How a case ends; also the exit status of its worker and of the test programs. */
enum verdict { VERDICT_PASS = 0, VERDICT_FAIL = 1, VERDICT_SKIP = 77 };

/* Prints a message and ends the runner with status 2: for what no case can be blamed for. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The file's text, 0-terminated, to be freed; NULL when it cannot be read. */
char *slurp(const char *path);

/* snprintf() into a path of PATH_MAX bytes; dies when it does not fit. */
void path_fmt(char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads a decimal number that is the whole text; returns false for anything else. */
bool parse_number(const char *text, unsigned int *ret_number);

/* Splits @text in place at white space into @words, ended by NULL; returns their number. */
size_t split_words(char *text, char **words, size_t max);

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t now_ms(void);

void sleep_ms(unsigned int ms);

/* Removes a folder with all that is in it, as far as it can. */
void remove_all(const char *dir);

#endif
