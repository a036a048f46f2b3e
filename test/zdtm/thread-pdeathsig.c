/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The signal that a thread wants when its parent dies is set, for each thread, and comes.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "zdtm.h"

static pthread_barrier_t set_up, check;
static volatile sig_atomic_t *parent_died; /* shared */

static int pdeathsig(void)
{
	int sig = -1;
	zdtm_assert(!prctl(PR_GET_PDEATHSIG, &sig));
	return sig;
}

static void on_death(int sig)
{
	(void)sig;
	*parent_died = 1;
}

static void *other_thread(void *unused)
{
	zdtm_assert(!prctl(PR_SET_PDEATHSIG, SIGURG));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(pdeathsig(), SIGURG);
	return unused;
}

static int below(void *unused)
{
	pthread_t thread;
	(void)unused;
	zdtm_assert(signal(SIGUSR1, on_death) == SIG_DFL);
	zdtm_assert(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
	pthread_barrier_init(&set_up, NULL, 2);
	pthread_barrier_init(&check, NULL, 2);
	zdtm_assert(!pthread_create(&thread, NULL, other_thread, NULL));
	pthread_barrier_wait(&set_up);
	zdtm_child_wait();
	zdtm_assert_eq(pdeathsig(), SIGUSR1);
	pthread_barrier_wait(&check);
	zdtm_assert(!pthread_join(thread, NULL));
	*parent_died = -1; /* checked, and the parent may die now */
	for (;;)
		zdtm_sleep_ms(1000);
	return 0;
}

static int between(void *arg)
{
	*(pid_t *)arg = zdtm_spawn(below, NULL);
	zdtm_child_wait();
	return 0;
}

int main(void)
{
	void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(shared != MAP_FAILED);
	parent_died = shared;
	pid_t *grandchild = (pid_t *)shared + 16;
	zdtm_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t child = zdtm_spawn(between, grandchild);
	zdtm_ready();
	zdtm_assert(!kill(*grandchild, SIGTERM));
	while (*parent_died != -1)
		zdtm_sleep_ms(1);
	zdtm_join(child);
	uint64_t until = zdtm_now_ms() + 10000;
	while (*parent_died != 1) {
		if (zdtm_now_ms() > until)
			zdtm_fail("the parent's death made no signal");
		zdtm_sleep_ms(1);
	}
	zdtm_pass();
}
