/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timerfds of all clocks keep what they are set to, what they have counted, and go on: periodic,
 * once, absolute, expired and never set.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { HOUR = 3600, COUNTED = 5, SLACK = 2 };

static const struct {
	clockid_t clock;
	int flags;
	int seconds; /* to the first expiration; 0: not set */
	int interval;
} timers[] = {
	{ CLOCK_MONOTONIC, 0, HOUR, 0 },
	{ CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, HOUR, 7 },
	{ CLOCK_REALTIME, 0, HOUR, HOUR },
	{ CLOCK_REALTIME, TFD_TIMER_ABSTIME, 2 * HOUR, 0 },
	{ CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 3 * HOUR, 1 },
	{ CLOCK_BOOTTIME, 0, HOUR, 5 },
	{ CLOCK_MONOTONIC, 0, 0, 0 },
};
enum { N = sizeof(timers) / sizeof(*timers) };

static int new_timer(clockid_t clock, int flags, struct itimerspec value)
{
	int fd = timerfd_create(clock, TFD_NONBLOCK);
	zdtm_assert(fd >= 0);
	zdtm_assert(!timerfd_settime(fd, flags, &value, NULL));
	return fd;
}

static int new_of_table(size_t i)
{
	struct timespec now = { 0 };
	if (timers[i].flags & TFD_TIMER_ABSTIME)
		zdtm_assert(!clock_gettime(timers[i].clock, &now));
	struct itimerspec value = { .it_interval.tv_sec = timers[i].interval };
	if (timers[i].seconds)
		value.it_value = (struct timespec){ .tv_sec = now.tv_sec + timers[i].seconds,
						    .tv_nsec = now.tv_nsec };
	return new_timer(timers[i].clock, timers[i].flags, value);
}

static uint64_t count_of(int fd)
{
	uint64_t count;
	if (read(fd, &count, sizeof(count)) == sizeof(count))
		return count;
	zdtm_assert(errno == EAGAIN);
	return 0;
}

/* Every line of fdinfo that tells of the timer's settings. */
static void check_info(int fd, const char *key, const char *before)
{
	char now[64];
	zdtm_assert(fd_info(fd, key, now, sizeof(now)));
	if (strcmp(now, before))
		zdtm_fail("timerfd %d: %s is %s, not %s", fd, key, now, before);
}

int main(void)
{
	int fds[N];
	char clocks[N][64], flags[N][64];
	for (size_t i = 0; i < N; i++) {
		fds[i] = new_of_table(i);
		zdtm_assert(fd_info(fds[i], "clockid", clocks[i], sizeof(clocks[i])));
		zdtm_assert(fd_info(fds[i], "settime flags", flags[i], sizeof(flags[i])));
	}
	const struct timespec soon = { .tv_nsec = 2000000 };
	int once = new_timer(CLOCK_MONOTONIC, 0, (struct itimerspec){ .it_value = soon });
	int often = new_timer(CLOCK_MONOTONIC, 0, (struct itimerspec){ soon, soon });
	zdtm_sleep_ms(2 * COUNTED);
	uint64_t begin = zdtm_now_ms();

	zdtm_ready();

	time_t passed = (time_t)((zdtm_now_ms() - begin) / 1000);
	for (size_t i = 0; i < N; i++) {
		struct itimerspec value;
		check_info(fds[i], "clockid", clocks[i]);
		check_info(fds[i], "settime flags", flags[i]);
		zdtm_assert(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
		zdtm_assert(!timerfd_gettime(fds[i], &value));
		zdtm_assert_eq(value.it_interval.tv_sec, timers[i].interval);
		zdtm_assert_eq(value.it_interval.tv_nsec, 0);
		if (!timers[i].seconds)
			zdtm_assert(!value.it_value.tv_sec && !value.it_value.tv_nsec);
		else if (value.it_value.tv_sec > timers[i].seconds ||
			 value.it_value.tv_sec < timers[i].seconds - passed - SLACK)
			zdtm_fail("timer %zu has %lld seconds left of %d", i,
				  (long long)value.it_value.tv_sec, timers[i].seconds);
		zdtm_assert_eq(count_of(fds[i]), 0);
	}
	zdtm_assert_eq(count_of(once), 1);
	zdtm_assert(count_of(often) >= COUNTED - 1);
	zdtm_sleep_ms(50);
	zdtm_assert(count_of(often) >= 1);
	zdtm_assert_eq(count_of(once), 0);
	zdtm_pass();
}
