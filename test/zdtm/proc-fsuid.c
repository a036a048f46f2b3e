/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user and group for access to files, which differ from the effective ones.
 */
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	struct stat st;
	if (getuid())
		zdtm_skip("needs root");
	setfsgid(30012);
	setfsuid(30002);
	zdtm_ready();
	zdtm_assert_eq(setfsuid((uid_t)-1), 30002);
	zdtm_assert_eq(setfsgid((gid_t)-1), 30012);
	zdtm_assert_eq(geteuid(), 0);
	zdtm_assert(open("made", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) >= 0);
	zdtm_assert(!stat("made", &st));
	zdtm_assert_eq(st.st_uid, 30002);
	zdtm_assert_eq(st.st_gid, 30012);
	zdtm_pass();
}
