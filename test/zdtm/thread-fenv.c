/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every thread has its own rounding mode and floating point exceptions, and numbers in registers.
 */
#include <fenv.h>
#include <pthread.h>

#include "zdtm.h"

static const int modes[] = {
#ifdef FE_DOWNWARD
	FE_DOWNWARD,
	FE_UPWARD,
	FE_TOWARDZERO,
#endif
	FE_TONEAREST,
};
enum { THREADS = sizeof(modes) / sizeof(*modes) };

static pthread_barrier_t set_up, check;

static void *compute(void *arg)
{
	const int *mode = arg;
	volatile double zero = 0, one = 1, three = 3;
	zdtm_assert(!fesetround(*mode));
	feclearexcept(FE_ALL_EXCEPT);
	double third = one / three;
	int raised = FE_INEXACT;
#ifdef FE_DIVBYZERO
	if (mode != &modes[0] && one / zero > 0)
		raised |= FE_DIVBYZERO;
#endif
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(fegetround(), *mode);
	zdtm_assert_eq(fetestexcept(FE_ALL_EXCEPT), raised);
	zdtm_assert(one / three == third);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, compute, (void *)&modes[i]));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
