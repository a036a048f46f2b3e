/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timerfds that expire all the time, and are read at once, go on, periodic ones and such as are set
 * anew each time: between the time at which one is due and its interrupt it looks like one that
 * was never set.
 */
#include <pthread.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "zdtm.h"

enum { TIMERS = 16, EXPIRE_NS = 3000000, PATIENCE_MS = 10000 };

static struct reader {
	int fd;
	bool periodic;
	uint64_t reads;
} readers[TIMERS];

static void set_timer(const struct reader *reader)
{
	const struct itimerspec spec = { .it_interval.tv_nsec = reader->periodic ? EXPIRE_NS : 0,
					 .it_value.tv_nsec = EXPIRE_NS };

	zdtm_assert(!timerfd_settime(reader->fd, 0, &spec, NULL));
}

static void *read_timer(void *arg)
{
	struct reader *reader = arg;
	uint64_t count;

	while (read(reader->fd, &count, sizeof(count)) == sizeof(count)) {
		__atomic_add_fetch(&reader->reads, 1, __ATOMIC_SEQ_CST);
		if (!reader->periodic)
			set_timer(reader);
	}
	zdtm_fail("timerfd %d cannot be read", reader->fd);
}

static uint64_t reads_of(const struct reader *reader)
{
	return __atomic_load_n(&reader->reads, __ATOMIC_SEQ_CST);
}

/* The first may have been there before, so it has to come twice. */
static void await_reads(const struct reader *reader)
{
	uint64_t before = reads_of(reader), until = zdtm_now_ms() + PATIENCE_MS;

	while (reads_of(reader) < before + 2) {
		if (zdtm_now_ms() > until)
			zdtm_fail("timerfd %d does not expire any more", reader->fd);
		zdtm_sleep_ms(1);
	}
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < TIMERS; i++) {
		struct reader *reader = &readers[i];

		*reader = (struct reader){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
					   .periodic = i % 2 };
		zdtm_assert(reader->fd >= 0);
		set_timer(reader);
		zdtm_assert(!pthread_create(&thread, NULL, read_timer, reader));
	}
	for (int i = 0; i < TIMERS; i++)
		await_reads(&readers[i]);
	zdtm_ready();
	for (int i = 0; i < TIMERS; i++)
		await_reads(&readers[i]);
	zdtm_pass();
}
