/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * no_new_privs is set for one thread and not for the others.
 */
#include <pthread.h>
#include <sys/prctl.h>

#include "zdtm.h"

static pthread_barrier_t set_up, check;

static void *hold(void *unused)
{
	zdtm_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	return unused;
}

int main(void)
{
	pthread_t thread;
	pthread_barrier_init(&set_up, NULL, 2);
	pthread_barrier_init(&check, NULL, 2);
	zdtm_assert(!pthread_create(&thread, NULL, hold, NULL));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	zdtm_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	pthread_barrier_wait(&check);
	zdtm_assert(!pthread_join(thread, NULL));
	zdtm_pass();
}
