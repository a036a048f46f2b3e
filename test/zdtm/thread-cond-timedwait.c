/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pthread_cond_timedwait(), a futex wait until a point of time, ends with ETIMEDOUT.
 */
#include <errno.h>
#include <pthread.h>

#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec at = timeout_at(CLOCK_REALTIME, ms);
	pthread_mutex_lock(&mutex);
	zdtm_assert_eq(pthread_cond_timedwait(&cond, &mutex, &at), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

int main(void)
{
	timeout_test(wait_for);
}
