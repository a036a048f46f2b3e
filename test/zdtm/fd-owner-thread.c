/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Single threads that get the signal of a descriptor (F_SETOWN_EX, F_OWNER_TID): the first, another
 * one of the process, one of a child, and one for which another user has asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

/* Of the kernel's fcntl.h, which does not go with the C library's. */
#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

enum { USER = 30001 };

/* A pipe whose reading end tells a thread. */
struct teller {
	int fds[2];
	pid_t tid;
};

static struct teller leaders, threads, childs, asked;
static int event, tell_tid[2], own_signal;
static pthread_barrier_t set_up, check;

static void teller_make(struct teller *teller, pid_t tid)
{
	const struct f_owner_ex owner = { F_OWNER_TID, tid };
	teller->tid = tid;
	if (!teller->fds[1])
		zdtm_assert(!pipe2(teller->fds, O_NONBLOCK));
	zdtm_assert(!fcntl(teller->fds[0], F_SETSIG, own_signal));
	zdtm_assert(!fcntl(teller->fds[0], F_SETOWN_EX, &owner));
	zdtm_assert(!fcntl(teller->fds[0], F_SETFL, O_NONBLOCK | O_ASYNC));
}

static void teller_check(const struct teller *teller)
{
	struct f_owner_ex owner;
	zdtm_assert(!fcntl(teller->fds[0], F_GETOWN_EX, &owner));
	zdtm_assert_eq(owner.type, F_OWNER_TID);
	zdtm_assert_eq(owner.pid, teller->tid);
	zdtm_assert_eq(fcntl(teller->fds[0], F_GETSIG), own_signal);
	fd_write_all(teller->fds[1], "x", 1);
}

static void expect_signal(const struct teller *teller)
{
	const struct timespec limit = { .tv_sec = 20 };
	siginfo_t info;
	sigset_t set;
	int got;
	sigemptyset(&set);
	sigaddset(&set, own_signal);
	while ((got = sigtimedwait(&set, &info, &limit)) < 0 && errno == EINTR)
		;
	zdtm_assert_eq(got, own_signal);
	zdtm_assert_eq(info.si_fd, teller->fds[0]);
}

static void *listen_to(void *arg)
{
	struct teller *teller = arg;
	teller->tid = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	expect_signal(teller);
	return NULL;
}

/* Its second thread tells which one it is, and listens to what its parent has made. */
static int child(void *arg)
{
	pthread_t thread;
	(void)arg;
	pthread_barrier_init(&set_up, NULL, 2);
	pthread_barrier_init(&check, NULL, 1);
	zdtm_assert(!pthread_create(&thread, NULL, listen_to, &childs));
	pthread_barrier_wait(&set_up);
	fd_write_all(tell_tid[1], &childs.tid, sizeof(childs.tid));
	zdtm_child_ready();
	zdtm_assert(!pthread_join(thread, NULL));
	return 0;
}

int main(void)
{
	const struct timespec none = { 0 };
	struct f_owner_ex owner = { F_OWNER_TID, 0 };
	pthread_t listeners[2];
	uid_t uids[2], uids_now[2];
	sigset_t set;
	own_signal = SIGRTMIN + 5;
	sigemptyset(&set);
	sigaddset(&set, own_signal);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &set, NULL));
	zdtm_assert(!pipe(tell_tid) && !pipe2(childs.fds, O_NONBLOCK));
	pid_t pid = zdtm_spawn(child, NULL);
	fd_read_all(tell_tid[0], &childs.tid, sizeof(childs.tid));
	teller_make(&childs, childs.tid);
	pthread_barrier_init(&set_up, NULL, 3);
	pthread_barrier_init(&check, NULL, 3);
	zdtm_assert(!pthread_create(&listeners[0], NULL, listen_to, &threads));
	zdtm_assert(!pthread_create(&listeners[1], NULL, listen_to, &asked));
	pthread_barrier_wait(&set_up);
	teller_make(&leaders, getpid());
	teller_make(&threads, threads.tid);
	if (syscall(SYS_setresuid, -1, USER, -1))
		zdtm_skip("setresuid: %m");
	teller_make(&asked, asked.tid);
	zdtm_assert(!syscall(SYS_setresuid, -1, 0, -1));
	/* nobody sends a signal for it, but it can have an owner */
	event = eventfd(0, 0);
	owner.pid = threads.tid;
	zdtm_assert(event >= 0 && !fcntl(event, F_SETOWN_EX, &owner));
	zdtm_assert(!fcntl(asked.fds[0], F_GETOWNER_UIDS, uids) || errno == EINVAL);

	zdtm_ready();

	if (!fcntl(asked.fds[0], F_GETOWNER_UIDS, uids_now))
		zdtm_assert(!memcmp(uids_now, uids, sizeof(uids)));
	zdtm_assert(!fcntl(event, F_GETOWN_EX, &owner));
	zdtm_assert_eq(owner.pid, threads.tid);
	zdtm_assert_eq(owner.type, F_OWNER_TID);
	zdtm_assert(sigtimedwait(&set, NULL, &none) < 0);
	teller_check(&leaders);
	expect_signal(&leaders);
	teller_check(&threads);
	teller_check(&asked);
	teller_check(&childs);
	pthread_barrier_wait(&check);
	zdtm_assert(!pthread_join(listeners[0], NULL) && !pthread_join(listeners[1], NULL));
	zdtm_join(pid);
	zdtm_pass();
}
