// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rest of interrupted sleeps, see sleep.h.
 */
#include <compel/compel.h>

#include "arch/arch.h"
#include "dump/sleep.h"

enum { NSEC_PER_SEC = 1000000000, AT_LEAST_NS = 1000000 };

/* 0: not known, or it does not sleep with a relative time-out. */
static uint64_t read_timeout(pid_t tid, const struct compel_regs *regs)
{
	int64_t time[2];
	uint64_t addr, ns = arch_sleep_timeout(regs, &addr);

	if (!addr)
		return ns;
	if (compel_mem_read(tid, addr, time, sizeof(time), NULL) < 0 || time[0] < 0 ||
	    time[0] > INT32_MAX || time[1] < 0 || time[1] >= NSEC_PER_SEC)
		return 0;
	return (uint64_t)time[0] * NSEC_PER_SEC + (uint64_t)time[1];
}

static uint64_t rest_of_sleep(const struct frozen_thread *thread)
{
	struct compel_regs regs;
	uint64_t rest_addr;

	if (thread->slept_ns < 0 || compel_regs_get(thread->tid, &regs, NULL) < 0 ||
	    !arch_sleep_is_interrupted(&regs, &rest_addr) || rest_addr)
		return 0; /* a rest that the kernel has written down is exact */
	uint64_t timeout = read_timeout(thread->tid, &regs);
	if (!timeout)
		return 0;
	return timeout > (uint64_t)thread->slept_ns + AT_LEAST_NS ?
		       timeout - (uint64_t)thread->slept_ns :
		       AT_LEAST_NS;
}

int sleep_complete(const struct frozen_tree *tree, struct gather *gather, struct err *err)
{
	int ret = 0;

	for (size_t t = 0; t < tree->tasks.n; t++) {
		const struct frozen_task *task = tree->tasks.v[t];

		for (size_t i = 0; i < task->threads.n && ret == 0 && !task->zombie; i++) {
			const struct frozen_thread *thread = &task->threads.v[i];
			const struct gathered_thread *have =
				gather_find_thread(gather, task->pid, thread->tid);
			struct rec_thread rec = {
				.hdr = { .type = REC_THREAD,
					 .len = sizeof(rec),
					 .pid = (uint32_t)task->pid,
					 .tid = (uint32_t)thread->tid,
					 .valid = RV_THREAD_RESTART },
			};

			if (have && (have->rec.hdr.valid & RV_THREAD_RESTART))
				continue;
			rec.restart_remaining_ns = rest_of_sleep(thread);
			if (rec.restart_remaining_ns)
				ret = gather->sink.emit(&gather->sink, &rec.hdr, err);
		}
	}
	return ret;
}
