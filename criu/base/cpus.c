// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processors that crib may run on, see cpus.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>

#include "base/cpus.h"

enum { CPUS_MAX = 1 << 16 };

static void visit(const cpu_set_t *all, cpu_set_t *one, int cpus, size_t size)
{
	for (int cpu = 0; cpu < cpus; cpu++) {
		if (!CPU_ISSET_S(cpu, size, all))
			continue;
		CPU_ZERO_S(size, one);
		CPU_SET_S(cpu, size, one);
		sched_setaffinity(0, size,
				  one); /* one that has gone meanwhile takes no interrupts */
	}
	sched_setaffinity(0, size, all);
}

void cpus_visit(void)
{
	/* the kernel refuses masks that are smaller than its own, whose size it does not tell */
	for (int cpus = CPU_SETSIZE; cpus <= CPUS_MAX; cpus *= 2) {
		size_t size = CPU_ALLOC_SIZE(cpus);
		cpu_set_t *all = CPU_ALLOC(cpus), *one = CPU_ALLOC(cpus);
		int ret = all && one ? sched_getaffinity(0, size, all) : -1;
		bool too_small = ret < 0 && all && one && errno == EINVAL;

		if (ret == 0)
			visit(all, one, cpus, size);
		CPU_FREE(all);
		CPU_FREE(one);
		if (!too_small)
			return;
	}
}
