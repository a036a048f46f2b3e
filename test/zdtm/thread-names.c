/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each thread keeps its name, with any characters in it that upset a parser of /proc.
 */
#include <pthread.h>
#include <string.h>

#include "zdtm.h"

static const char *const names[] = { "fifteen-letters", "a) S 1 (b", "two\nlines", " \t ", "" };
enum { THREADS = sizeof(names) / sizeof(*names) };

static pthread_barrier_t set_up, check;

static void *hold(void *arg)
{
	const char *const *name = arg;
	char now[16];
	zdtm_assert(!pthread_setname_np(pthread_self(), *name));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert(!pthread_getname_np(pthread_self(), now, sizeof(now)));
	if (strcmp(now, *name))
		zdtm_fail("a thread is named '%s', not '%s'", now, *name);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, (void *)&names[i]));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
