/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that has overwritten its arguments and its environment, to show a title in ps.
 */
#include <string.h>

#include "reexec.h"
#include "zdtm.h"

enum { AREA = 8192 };

int main(int argc, char **argv)
{
	static char cmdline[2][AREA], environment[2][AREA];
	extern char **environ;
	if (!reexec_is_copy()) {
		char *args[] = { "program", "--with", "some arguments to write over", NULL };
		reexec_copy("copy", args, environ);
	}
	/* From the first argument to the end of the last, no 0 between: a title in its own words.
	 */
	char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	memset(argv[0], 0, (size_t)(end - argv[0]));
	memcpy(argv[0], "zdtm: worker (idle)", sizeof("zdtm: worker (idle)"));
	memset(environ[1], 'E', strlen(environ[1]));
	size_t cmdline_size = zdtm_read_file("/proc/self/cmdline", cmdline[0], AREA);
	size_t environment_size = zdtm_read_file("/proc/self/environ", environment[0], AREA);
	zdtm_assert(!strcmp(cmdline[0], "zdtm: worker (idle)"));
	zdtm_ready();
	zdtm_assert_eq(zdtm_read_file("/proc/self/cmdline", cmdline[1], AREA), cmdline_size);
	zdtm_assert(!memcmp(cmdline[0], cmdline[1], cmdline_size));
	zdtm_assert_eq(zdtm_read_file("/proc/self/environ", environment[1], AREA),
		       environment_size);
	zdtm_assert(!memcmp(environment[0], environment[1], environment_size));
	zdtm_pass();
}
