/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals that are pending for one thread alone stay that thread's, with their values.
 */
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "zdtm.h"

enum { THREADS = 3 };

static pthread_barrier_t set_up, check;

static siginfo_t take(int sig)
{
	static const struct timespec now;
	sigset_t set;
	siginfo_t info = { 0 };
	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigtimedwait(&set, &info, &now) != sig)
		zdtm_fail("signal %d is not pending", sig);
	return info;
}

static void *hold(void *arg)
{
	int number = *(int *)arg;
	zdtm_assert(!pthread_sigqueue(pthread_self(), SIGUSR1, (union sigval){ number }));
	zdtm_assert(!syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2));
	zdtm_assert(!pthread_sigqueue(pthread_self(), SIGRTMIN, (union sigval){ number + 100 }));
	zdtm_assert(!pthread_sigqueue(pthread_self(), SIGRTMIN, (union sigval){ number + 200 }));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(take(SIGUSR1).si_value.sival_int, number);
	siginfo_t info = take(SIGUSR2);
	/* glibc calls SI_TKILL so. */
	zdtm_assert(info.si_code == SI_USER || info.si_code == SI_TKILL);
	zdtm_assert_eq(info.si_pid, getpid());
	zdtm_assert_eq(take(SIGRTMIN).si_value.sival_int, number + 100);
	zdtm_assert_eq(take(SIGRTMIN).si_value.sival_int, number + 200);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	sigset_t all, pending;
	sigfillset(&all);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &all, NULL));
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &numbers[i]));
	}
	pthread_barrier_wait(&set_up);
	zdtm_assert(!pthread_sigqueue(pthread_self(), SIGUSR1, (union sigval){ 99 }));
	zdtm_ready();
	/* The main thread sees the shared ones and its own. */
	zdtm_assert(!sigpending(&pending));
	zdtm_assert(!sigismember(&pending, SIGUSR2) && !sigismember(&pending, SIGRTMIN));
	zdtm_assert_eq(take(SIGUSR1).si_value.sival_int, 99);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
