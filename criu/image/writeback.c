// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing back in a thread, see writeback.h.
 */
#include <fcntl.h>
#include <unistd.h>

#include "image/writeback.h"

void writeback_init(struct writeback *wb)
{
	*wb = (struct writeback){ .lock = PTHREAD_MUTEX_INITIALIZER,
				  .more = PTHREAD_COND_INITIALIZER };
}

/* The next range, when there is one; false: there will be none. */
static bool take_range(struct writeback *wb, struct writeback_range *range)
{
	bool found;

	pthread_mutex_lock(&wb->lock);
	while (wb->next == wb->ranges.n && !wb->ending)
		pthread_cond_wait(&wb->more, &wb->lock);
	found = wb->next < wb->ranges.n;
	if (found)
		*range = wb->ranges.v[wb->next++];
	pthread_mutex_unlock(&wb->lock);
	return found;
}

static void *work(void *arg)
{
	struct writeback *wb = arg;
	struct writeback_range range;

	while (take_range(wb, &range)) {
		sync_file_range(range.fd, (off_t)range.off, (off_t)range.len,
				SYNC_FILE_RANGE_WRITE);
		close(range.fd);
	}
	return NULL;
}

void writeback_begin(struct writeback *wb, int fd, uint64_t off, uint64_t len)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return;
	pthread_mutex_lock(&wb->lock);
	if (!wb->started)
		wb->started = pthread_create(&wb->thread, NULL, work, wb) == 0;
	if (wb->started)
		*array_push(&wb->arena, &wb->ranges) =
			(struct writeback_range){ .fd = copy, .off = off, .len = len };
	else
		close(copy);
	pthread_cond_signal(&wb->more);
	pthread_mutex_unlock(&wb->lock);
}

void writeback_end(struct writeback *wb, bool drop)
{
	pthread_mutex_lock(&wb->lock);
	wb->ending = true;
	while (drop && wb->next < wb->ranges.n)
		close(wb->ranges.v[wb->next++].fd);
	pthread_cond_signal(&wb->more);
	pthread_mutex_unlock(&wb->lock);
	if (wb->started)
		pthread_join(wb->thread, NULL);
	wb->started = false;
	arena_fini(&wb->arena);
	wb->ranges.n = 0;
}
