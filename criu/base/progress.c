// SPDX-License-Identifier: GPL-2.0-only
/*
 * The progress line, see progress.h.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/progress.h"

enum { QUIET_MS = 1000 };

void progress_line_init(struct progress_line *line)
{
	*line = (struct progress_line){ .start_ms = apart_now(), .enabled = isatty(STDERR_FILENO) };
}

void progress_line_update(struct progress_line *line, const struct progress *progress)
{
	const char *stage = __atomic_load_n(&progress->stage, __ATOMIC_RELAXED);
	uint64_t done = __atomic_load_n(&progress->done, __ATOMIC_RELAXED);
	uint64_t total = __atomic_load_n(&progress->total, __ATOMIC_RELAXED);
	int64_t seconds = (apart_now() - line->start_ms) / 1000;

	if (!line->enabled || !stage || apart_now() - line->start_ms < QUIET_MS)
		return;
	line->shown = true;
	if (total)
		dprintf(STDERR_FILENO, "\r%s: %d%% of %llu MiB, %lld s\033[K", stage,
			(int)(done * 100 / total), (unsigned long long)(total >> 20),
			(long long)seconds);
	else
		dprintf(STDERR_FILENO, "\r%s, %lld s\033[K", stage, (long long)seconds);
}

void progress_line_end(struct progress_line *line)
{
	if (line->shown)
		dprintf(STDERR_FILENO, "\r\033[K");
	line->shown = false;
}
