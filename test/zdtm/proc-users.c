/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real, effective and saved user and group, which all differ, and the supplementary groups.
 */
#include <errno.h>
#include <grp.h>
#include <unistd.h>

#include "zdtm.h"

enum { GROUPS = 40 };

int main(void)
{
	gid_t groups[GROUPS], now[GROUPS + 1];
	for (unsigned int i = 0; i < GROUPS; i++)
		groups[i] =
			i ? 20000 + 3 * i : 4294967000u; /* ascending, as the kernel keeps them */
	if (setgroups(GROUPS, groups))
		zdtm_skip("setgroups: %m");
	zdtm_assert_eq(getgroups(GROUPS, groups), GROUPS);
	zdtm_assert(!setresgid(30011, 30012, 30013));
	zdtm_assert(!setresuid(30001, 30002, 30003));
	zdtm_ready();

	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	zdtm_assert(!getresuid(&uid, &euid, &suid) && !getresgid(&gid, &egid, &sgid));
	zdtm_assert_eq(uid, 30001);
	zdtm_assert_eq(euid, 30002);
	zdtm_assert_eq(suid, 30003);
	zdtm_assert_eq(gid, 30011);
	zdtm_assert_eq(egid, 30012);
	zdtm_assert_eq(sgid, 30013);
	zdtm_assert_eq(getgroups(GROUPS + 1, now), GROUPS);
	for (int i = 0; i < GROUPS; i++)
		zdtm_assert_eq(now[i], groups[i]);
	/* The saved one can be taken, others cannot. */
	zdtm_assert(!seteuid(30003));
	zdtm_assert(seteuid(0) && errno == EPERM);
	zdtm_pass();
}
