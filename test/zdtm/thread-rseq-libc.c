/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rseq area that the C library has registered for a thread follows it to another processor.
 */
#include <sched.h>
#include <unistd.h>

#include "zdtm.h"

#if defined(__has_include) && __has_include(<sys/rseq.h>)

#include <sys/rseq.h>

static void move_to(unsigned int cpu)
{
	volatile struct rseq *area =
		(struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	zdtm_assert(!sched_setaffinity(0, sizeof(set), &set));
	zdtm_assert_eq(area->cpu_id, cpu);
}

int main(void)
{
	cpu_set_t cpus;
	unsigned int found[2], n = 0;
	zdtm_assert(!sched_getaffinity(0, sizeof(cpus), &cpus));
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			found[n++] = cpu;
	if (!__rseq_size || n < 2)
		zdtm_skip("no rseq area of the C library, or one processor");
	move_to(found[0]);
	move_to(found[1]);
	zdtm_ready();
	move_to(found[0]);
	move_to(found[1]);
	zdtm_pass();
}

#else

int main(void)
{
	zdtm_skip("the C library knows no rseq");
}

#endif
