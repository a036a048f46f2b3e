/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * POSIX timers have their numbers, with gaps where others were deleted, and a new timer gets none
 * of them.
 */
#include "ktimer.h"
#include "zdtm.h"

enum { TIMERS = 60 };

static bool is_kept(int number)
{
	return number == 3 || number == 4 || number == 17 || number == TIMERS - 1;
}

int main(void)
{
	int ids[TIMERS];
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	for (int i = 0; i < TIMERS; i++) {
		ids[i] = ktimer_create(CLOCK_MONOTONIC, &none);
		zdtm_assert(ids[i] >= 0);
	}
	for (int i = 0; i < TIMERS; i++) {
		if (is_kept(i))
			ktimer_set(ids[i], 500000, (unsigned int)(1000 * (i + 1)));
		else
			ktimer_delete(ids[i]);
	}
	zdtm_ready();
	for (int i = 0; i < TIMERS; i++) {
		zdtm_assert_eq(ktimer_exists(ids[i]), is_kept(i));
		if (is_kept(i))
			zdtm_assert_eq(ktimer_get(ids[i]).interval_ms, 1000 * (i + 1));
	}
	int id = ktimer_create(CLOCK_MONOTONIC, &none);
	zdtm_assert(id >= 0);
	for (int i = 0; i < TIMERS; i++)
		zdtm_assert(!is_kept(i) || id != ids[i]);
	zdtm_pass();
}
