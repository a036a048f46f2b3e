/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of one process that have, by raw system calls, different users and capabilities.
 */
#include <linux/capability.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

static pthread_barrier_t set_up, check;

struct ids {
	uid_t real, effective, saved;
};

static struct ids ids_now(void)
{
	struct ids ids;
	zdtm_assert(!syscall(SYS_getresuid, &ids.real, &ids.effective, &ids.saved));
	return ids;
}

static void *other_user(void *unused)
{
	/* The C library's setresuid() would change all threads. */
	zdtm_assert(!syscall(SYS_setresuid, 30001, 30002, 30003));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	struct ids ids = ids_now();
	zdtm_assert_eq(ids.real, 30001);
	zdtm_assert_eq(ids.effective, 30002);
	zdtm_assert_eq(ids.saved, 30003);
	return unused;
}

static void *fewer_rights(void *unused)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct before[2], now[2];
	zdtm_assert(!syscall(SYS_capget, &header, before));
	before[0].effective = 1U << CAP_CHOWN | 1U << CAP_KILL;
	before[0].permitted = before[0].effective | 1U << CAP_NET_RAW;
	before[0].inheritable = 1U << CAP_NET_RAW;
	before[1] = (struct __user_cap_data_struct){ 0 };
	zdtm_assert(!syscall(SYS_capset, &header, before));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert(!syscall(SYS_capget, &header, now));
	zdtm_assert_eq(now[0].effective, before[0].effective);
	zdtm_assert_eq(now[0].permitted, before[0].permitted);
	zdtm_assert_eq(now[0].inheritable, before[0].inheritable);
	zdtm_assert_eq(now[1].permitted, 0);
	return unused;
}

int main(void)
{
	pthread_t threads[2];
	if (getuid())
		zdtm_skip("needs root");
	pthread_barrier_init(&set_up, NULL, 3);
	pthread_barrier_init(&check, NULL, 3);
	zdtm_assert(!pthread_create(&threads[0], NULL, other_user, NULL));
	zdtm_assert(!pthread_create(&threads[1], NULL, fewer_rights, NULL));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	struct ids ids = ids_now();
	zdtm_assert(!ids.real && !ids.effective && !ids.saved);
	pthread_barrier_wait(&check);
	for (int i = 0; i < 2; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
