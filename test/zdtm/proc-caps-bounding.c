/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities that were dropped from the bounding set stay dropped, and no other is.
 */
#include <sys/prctl.h>

#include "caps.h"
#include "zdtm.h"

static uint64_t bounding_set(void)
{
	uint64_t set = 0;
	int ret;
	for (int cap = 0; (ret = prctl(PR_CAPBSET_READ, cap)) >= 0; cap++)
		set |= (uint64_t)ret << cap;
	return set;
}

int main(void)
{
	caps_need(CAP_BIT(CAP_SETPCAP));
	uint64_t before = bounding_set();
	zdtm_assert(!prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT));
	zdtm_assert(!prctl(PR_CAPBSET_DROP, CAP_CHOWN));
	zdtm_assert(!prctl(PR_CAPBSET_DROP, CAP_SYSLOG));
	uint64_t set = bounding_set();
	zdtm_assert(set != before);
	zdtm_ready();
	zdtm_assert_eq(bounding_set(), set);
	/* Dropped there, it is still permitted: the sets do not follow one another. */
	zdtm_assert(caps_get().permitted & CAP_BIT(CAP_CHOWN));
	zdtm_pass();
}
