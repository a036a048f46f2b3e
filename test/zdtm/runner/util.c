/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small things that the runner's files share.
 */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Noreturn void die(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fputs("zdtm: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	exit(2);
}

char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	char *text = NULL;
	size_t len = 0, cap = 0;
	ssize_t n;
	do {
		if (len + 1 >= cap) {
			cap = cap ? cap * 2 : 4096;
			text = realloc(text, cap);
			if (!text)
				die("out of memory");
		}
		n = read(fd, text + len, cap - len - 1);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	text[len] = 0;
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

void path_fmt(char *path, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(path, PATH_MAX, fmt, args);
	va_end(args);
	if (n < 0 || n >= PATH_MAX)
		die("path '%s' is too long", path);
}

bool parse_number(const char *text, unsigned int *ret_number)
{
	unsigned int number = 0;
	const char *c = text;
	for (; *c >= '0' && *c <= '9' && number < 100000000; c++)
		number = number * 10 + (unsigned int)(*c - '0');
	if (c == text || *c)
		return false;
	*ret_number = number;
	return true;
}

size_t split_words(char *text, char **words, size_t max)
{
	size_t n = 0;
	char *state;
	for (char *word = strtok_r(text, " \t", &state); word;
	     word = strtok_r(NULL, " \t", &state)) {
		if (n + 1 == max)
			die("too many words before '%s'", word);
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void sleep_ms(unsigned int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	nanosleep(&t, NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	remove(path);
	return 0;
}

void remove_all(const char *dir)
{
	nftw(dir, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
