/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel knows each thread's list of robust futexes, as set_robust_list() has told it.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

enum { THREADS = 3 };

static pthread_barrier_t set_up, check;

static void check_list(const struct robust_list_head *head)
{
	struct robust_list_head *now = NULL;
	size_t size = 0;
	zdtm_assert(!syscall(SYS_get_robust_list, 0, &now, &size));
	zdtm_assert(now == head);
	zdtm_assert_eq(size, sizeof(*head));
}

static void *hold(void *arg)
{
	struct robust_list_head *head = arg;
	head->list.next = &head->list;
	zdtm_assert(!syscall(SYS_set_robust_list, head, sizeof(*head)));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	check_list(head);
	return NULL;
}

int main(void)
{
	static struct robust_list_head heads[THREADS];
	struct robust_list_head *mine = NULL;
	size_t size;
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &heads[i]));
	zdtm_assert(!syscall(SYS_get_robust_list, 0, &mine, &size) && mine);
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	check_list(mine);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
