/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A performance counter is refused in words, and goes on counting.
 */
/* refused: performance counter */
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	struct perf_event_attr attr;
	uint64_t before, after;
	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL);
	if (fd < 0)
		zdtm_skip("no performance counters: %m");
	zdtm_assert(read(fd, &before, sizeof(before)) == sizeof(before));

	zdtm_ready();

	zdtm_assert(read(fd, &after, sizeof(after)) == sizeof(after));
	zdtm_assert(after > before);
	zdtm_pass();
}
