/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads without privileges and without no_new_privs, each with a filter of its own above a common
 * one, and one with the common one only.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "zdtm.h"

static const int calls[] = { SYS_sched_rr_get_interval, SYS_sched_get_priority_max, 0 };
enum { THREADS = sizeof(calls) / sizeof(*calls) };

static pthread_barrier_t set_up, check;

static void *hold(void *arg)
{
	const int *call = arg;
	int number = (int)(call - calls);
	if (*call)
		filter_add(*call, 510 + number, 0);
	zdtm_assert(!syscall(SYS_setresuid, 30001, 30001, 30001 + number));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		if (calls[i])
			filter_check(calls[i], i == number ? 510 + number : 0);
	filter_check(SYS_getpriority, 520);
	uid_t ids[3];
	zdtm_assert(!syscall(SYS_getresuid, &ids[0], &ids[1], &ids[2]));
	zdtm_assert_eq(ids[0], 30001);
	zdtm_assert_eq(ids[2], 30001 + number);
	zdtm_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	filter_add(SYS_getpriority, 520, 0);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, (void *)&calls[i]));
	pthread_barrier_wait(&set_up);
	zdtm_assert(!syscall(SYS_setresuid, 30002, 30002, 30002));
	zdtm_ready();
	zdtm_assert_eq(getuid(), 30002);
	filter_check(SYS_getpriority, 520);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
