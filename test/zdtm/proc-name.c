/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process has given itself a name, another one than its program's.
 */
#include <string.h>
#include <sys/prctl.h>

#include "zdtm.h"

int main(void)
{
	static const char name[16] = ") Z 1 2 3\x80(\\n";
	char now[32] = "";
	zdtm_assert(!prctl(PR_SET_NAME, name));
	zdtm_ready();
	zdtm_assert(!prctl(PR_GET_NAME, now));
	if (strcmp(now, name))
		zdtm_fail("the name is '%s'", now);
	zdtm_read_file("/proc/self/comm", now, sizeof(now));
	zdtm_assert(!strncmp(now, name, strlen(name)));
	zdtm_pass();
}
