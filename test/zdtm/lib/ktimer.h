/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * POSIX timers by the kernel's own numbers, which the C library's timer_t hides.
 */
#ifndef CRIB_ZDTM_LIB_KTIMER_H
#define CRIB_ZDTM_LIB_KTIMER_H

#include <signal.h>
#include <time.h>

/* Fail the test when the call fails, but ktimer_create(): that returns -1 with errno. */
int ktimer_create(int clock, const struct sigevent *event);
void ktimer_delete(int id);
int ktimer_overrun(int id);

/* Sets the timer to @first_ms and @interval_ms from now; 0 disarms it. */
void ktimer_set(int id, unsigned int first_ms, unsigned int interval_ms);

/* What is left of the timer's time in ms, and its interval. */
struct ktimer_left {
	long long first_ms, interval_ms;
};
struct ktimer_left ktimer_get(int id);

/* Whether there is a timer @id. */
int ktimer_exists(int id);

#endif
