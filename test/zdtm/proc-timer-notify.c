/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * POSIX timers tell nobody, the process, or one thread of it, as it was asked for.
 */
#include <pthread.h>
#include <unistd.h>

#include "ktimer.h"
#include "zdtm.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static pthread_barrier_t set_up, check;
static volatile pid_t thread_tid, handled_by;
static volatile int handled_value;

static void on_timer(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	handled_value = info->si_value.sival_int;
	handled_by = gettid();
}

static void *hold(void *unused)
{
	thread_tid = gettid();
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	return unused;
}

static int create(int notify, int sig, pid_t tid, int value)
{
	struct sigevent event = { .sigev_notify = notify,
				  .sigev_signo = sig,
				  .sigev_value.sival_int = value };
	if (notify == SIGEV_THREAD_ID)
		event.sigev_notify_thread_id = tid;
	int id = ktimer_create(CLOCK_MONOTONIC, &event);
	zdtm_assert(id >= 0);
	return id;
}

static void expect(int id, pid_t tid, int value)
{
	handled_by = 0;
	ktimer_set(id, 1, 0);
	for (int i = 0; i < 1000 && !handled_by; i++)
		zdtm_sleep_ms(10);
	zdtm_assert_eq(handled_by, tid);
	zdtm_assert_eq(handled_value, value);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigset_t usr1;
	pthread_t thread;
	zdtm_assert(!sigaction(SIGUSR1, &action, NULL) && !sigaction(SIGUSR2, &action, NULL));
	pthread_barrier_init(&set_up, NULL, 2);
	pthread_barrier_init(&check, NULL, 2);
	zdtm_assert(!pthread_create(&thread, NULL, hold, NULL));
	pthread_barrier_wait(&set_up);
	int none = create(SIGEV_NONE, 0, 0, 0);
	int process = create(SIGEV_SIGNAL, SIGUSR1, 0, 11);
	int other = create(SIGEV_THREAD_ID, SIGUSR2, thread_tid, 22);
	int own = create(SIGEV_THREAD_ID, SIGUSR2, gettid(), 33);
	ktimer_set(none, 300000, 0);
	zdtm_ready();

	long long left = ktimer_get(none).first_ms;
	zdtm_assert(left > 100000 && left <= 300000);
	ktimer_set(none, 1, 0);
	expect(own, gettid(), 33);
	expect(other, thread_tid, 22);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	zdtm_assert(!pthread_sigmask(SIG_BLOCK, &usr1, NULL));
	/* Who does not block it: the other thread. */
	expect(process, thread_tid, 11);
	zdtm_assert_eq(ktimer_get(none).first_ms, 0);
	pthread_barrier_wait(&check);
	zdtm_assert(!pthread_join(thread, NULL));
	zdtm_pass();
}
