// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphores that a task has promised to undo operations on (SEM_UNDO). Nothing tells what is in
 * its list of undos, and threads have one before they use it. So the sets are asked who used them
 * last.
 */
#include <errno.h>
#include <linux/kcmp.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/proc/proc.h"

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20 /* Linux 4.17 */
#endif

/* semctl(2): the caller has to define it */
union semun {
	struct semid_ds *stat;
	struct seminfo *info;
};

/* Index in the kernel's table to the number of the set; or -1. */
static int stat_index(int index, struct semid_ds *ret_stat)
{
	union semun arg = { .stat = ret_stat };
	int id = semctl(index, 0, SEM_STAT_ANY, arg);

	return id < 0 && errno == EINVAL ? semctl(index, 0, SEM_STAT, arg) : id;
}

/* Who used the set @id last: each of its @nr semaphores remembers one. */
static void note_users(struct proc_run *run, struct proc_sem *sem, int id, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		int pid = semctl(id, (int)i, GETPID);

		if (pid > 0)
			*array_push(&run->arena, &sem->users) =
				(struct proc_sem_user){ .pid = pid, .set = id };
	}
}

/* Once in a run: sets of crib's own namespace, which is the only one supported. */
static void look_at_sets(struct proc_run *run, struct proc_sem *sem)
{
	struct seminfo info;
	struct semid_ds stat;
	int last = semctl(0, 0, SEM_INFO, (union semun){ .info = &info });

	sem->looked = true;
	for (int i = 0; i <= last; i++) {
		int id = stat_index(i, &stat);

		if (id >= 0 && stat.sem_otime)
			note_users(run, sem, id, stat.sem_nsems);
	}
}

/* Tasks that never used SEM_UNDO have no list of undos, and so has crib, which never did. */
static bool has_list(const struct proc_task *task)
{
	return syscall(SYS_kcmp, getpid(), task->pid, KCMP_SYSVSEM, 0, 0) > 0;
}

int proc_sem_identify(struct proc_task *task, struct proc_sem *sem, struct rec_task *rec)
{
	struct proc_run *run = task->run;
	uint64_t id = 0;
	int ret = 0;

	if (run->source->has_kcmp && !has_list(task))
		return 0;
	if (run->source->has_kcmp)
		ret = proc_identify(run, &sem->lists, KCMP_SYSVSEM, task->pid, 0, &id);
	rec->sysvsem_id = id;
	if (!sem->looked)
		look_at_sets(run, sem);
	array_each(struct proc_sem_user, user, &sem->users) {
		if (user->pid != task->pid)
			continue;
		rec->sem_undo = REC_SEM_UNDO_PERHAPS;
		rec->sem_set = (__u32)user->set;
	}
	return ret;
}
