/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arguments, environment and auxiliary vector as /proc shows them and as the program sees them.
 */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "reexec.h"
#include "zdtm.h"

enum { AREA = 16384 };

extern char **environ;

static const char *const files[] = { "/proc/self/cmdline", "/proc/self/environ",
				     "/proc/self/auxv" };
enum { FILES = sizeof(files) / sizeof(*files) };

int main(int argc, char **argv)
{
	static char before[FILES][AREA], now[AREA], long_value[8000];
	if (!reexec_is_copy()) {
		int n = snprintf(long_value, sizeof(long_value), "LONG=");
		memset(long_value + n, 'x', sizeof(long_value) - (size_t)n - 1);
		char *args[] = { "an odd name", "", "two words", "\n\t\xff", "", NULL };
		char *env[] = { "A=1", "EMPTY=", "NO_VALUE", long_value, NULL };
		reexec_copy("copy", args, env);
	}
	size_t sizes[FILES];
	for (int i = 0; i < FILES; i++)
		sizes[i] = zdtm_read_file(files[i], before[i], AREA);
	const void *random = (const void *)getauxval(AT_RANDOM);
	char random_before[16];
	memcpy(random_before, random, sizeof(random_before));
	zdtm_ready();
	for (int i = 0; i < FILES; i++) {
		zdtm_assert_eq(zdtm_read_file(files[i], now, AREA), sizes[i]);
		if (memcmp(now, before[i], sizes[i]))
			zdtm_fail("%s is not what it was", files[i]);
	}
	zdtm_assert_eq(argc, 5);
	zdtm_assert(!strcmp(argv[0], "an odd name") && !strcmp(argv[2], "two words"));
	zdtm_assert(!strcmp(environ[3], "NO_VALUE") && !environ[5]);
	zdtm_assert((const void *)getauxval(AT_RANDOM) == random);
	zdtm_assert(!memcmp(random, random_before, sizeof(random_before)));
	zdtm_pass();
}
