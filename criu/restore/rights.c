// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it takes to restore a tree, see rights.h.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pidref.h"
#include "base/strbuf.h"
#include "restore/rights.h"

#define BIT(cap) (UINT64_C(1) << (cap))

/* In the order of their numbers, see capabilities(7). */
static const char *const cap_names[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};

static void describe_caps(uint64_t caps, struct strbuf *buf)
{
	const char *between = "";

	for (unsigned int cap = 0; cap < 64; cap++) {
		if (!(caps & BIT(cap)))
			continue;
		if (cap < ARRAY_SIZE(cap_names))
			strbuf_printf(buf, "%sCAP_%s", between, cap_names[cap]);
		else
			strbuf_printf(buf, "%scapability %u", between, cap);
		between = ", ";
	}
}

/* ---- System calls ---- */

static int try_clone3(void)
{
	return (int)syscall(SYS_clone3, NULL, 0); /* EINVAL */
}

static int try_pidfd_open(void)
{
	_cleanup_close_ int fd = pidref_open(getpid());

	return fd < 0 ? -1 : 0;
}

static int try_pidfd_getfd(void)
{
	return (int)syscall(SYS_pidfd_getfd, -1, 0, 0); /* EBADF */
}

static int try_ptrace(void)
{
	return (int)ptrace(PTRACE_CONT, getpid(), NULL, NULL); /* ESRCH */
}

static int try_process_vm_readv(void)
{
	return (int)process_vm_readv(getpid(), NULL, 0, NULL, 0, 0);
}

static int try_process_vm_writev(void)
{
	return (int)process_vm_writev(getpid(), NULL, 0, NULL, 0, 0);
}

static const struct call {
	int (*try)(void);
	const char *name, *what, *since;
} calls[] = {
	{ try_clone3, "clone3", "gives tasks their old pids", "Linux 5.5" },
	{ try_pidfd_open, "pidfd_open", "watches tasks", "Linux 5.3" },
	{ try_pidfd_getfd, "pidfd_getfd", "hands descriptors from task to task", "Linux 5.6" },
	{ try_ptrace, "ptrace", "sets registers", NULL },
	{ try_process_vm_readv, "process_vm_readv", "looks into tasks",
	  "CONFIG_CROSS_MEMORY_ATTACH" },
	{ try_process_vm_writev, "process_vm_writev", "writes into tasks",
	  "CONFIG_CROSS_MEMORY_ATTACH" },
};

/* A filter of a container, or a kernel without the call, says so whatever the arguments are. */
static int check_calls(struct err *err)
{
	if (access("/proc/self/maps", F_OK))
		return err_set(err, -ENOENT,
			       "there is no /proc here: mount it (mount -t proc proc /proc)");
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct call *call = &calls[i];

		if (call->try() < 0 && (errno == ENOSYS || errno == EPERM))
			return err_set(err, -errno,
				       "%s(2), which %s: %s; it needs %s%sno seccomp filter of a "
				       "container that forbids it",
				       call->name, call->what,
				       errno == ENOSYS ? "there is no such call" : "not permitted",
				       call->since ? call->since : "", call->since ? ", and " : "");
	}
	return 0;
}

/* ---- Capabilities ---- */

/* crib's own sets, with those that this kernel does not know: tasks do not get them either. */
struct own_caps {
	uint64_t effective, permitted, bounding;
};

static int read_own_caps(struct own_caps *own, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return err_sys(err, "capget");
	own->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	own->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	for (unsigned int cap = 0; cap < 64; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		own->effective |= has < 0 ? BIT(cap) : 0;
		own->permitted |= has < 0 ? BIT(cap) : 0;
		own->bounding |= has ? BIT(cap) : 0;
	}
	return 0;
}

bool rights_are_whole(void)
{
	struct own_caps own = { 0 };

	return read_own_caps(&own, NULL) == 0 && !~own.effective;
}

static uint64_t caps_of(const uint32_t *words, size_t n)
{
	return (n > 0 ? words[0] : 0) | (n > 1 ? (uint64_t)words[1] << 32 : 0);
}

static bool is_living(const struct task *task)
{
	return task->state == TASK_STATE_ALIVE || task->state == TASK_STATE_STOPPED;
}

static int check_thread(const struct thread *thread, const struct own_caps *own, struct err *err)
{
	const CredsEntry *creds =
		thread->core && thread->core->thread_core ? thread->core->thread_core->creds : NULL;
	_cleanup_strbuf_ struct strbuf names = { 0 };

	if (!creds)
		return 0;
	uint64_t missing = caps_of(creds->cap_prm, creds->n_cap_prm) & ~own->permitted;
	const char *what = "has";

	if (!missing) {
		missing = caps_of(creds->cap_bnd, creds->n_cap_bnd) & ~own->bounding;
		what = "has in its bounding set";
	}
	if (!missing)
		return 0;
	describe_caps(missing, &names);
	return err_set(err, -EPERM,
		       "thread %d %s %s, which crib has not: run crib as root and with it",
		       thread->tid, what, strbuf_str(&names));
}

static int check_threads(const struct snapshot *snap, const struct own_caps *own, struct err *err)
{
	for (size_t i = 0; i < snap->tasks.n; i++) {
		const struct task *task = snap->tasks.v[i];

		for (size_t t = 0; is_living(task) && t < task->threads.n; t++) {
			int ret = check_thread(&task->threads.v[t], own, err);

			if (ret < 0)
				return err_wrap(err, ret, "task %d", task->pid);
		}
	}
	return 0;
}

static const struct task *find_seccomp_task(const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->tasks.n; i++) {
		const struct task *task = snap->tasks.v[i];

		if (!is_living(task))
			continue;
		array_each(const struct thread, thread, &task->threads)
			if (thread->core && thread->core->thread_core &&
			    thread->core->thread_core->seccomp_mode != SECCOMP_MODE__disabled)
				return task;
	}
	return NULL;
}

/* Seccomp of a restored task can only be suspended by who has a certain right and no seccomp. */
static int check_seccomp(const struct snapshot *snap, const struct own_caps *own, struct err *err)
{
	const struct task *task = find_seccomp_task(snap);

	if (!task)
		return 0;
	if (!(own->effective & BIT(CAP_SYS_ADMIN)))
		return err_set(err, -EPERM,
			       "task %d uses seccomp: to restore that needs CAP_SYS_ADMIN, run "
			       "crib as root",
			       task->pid);
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0)
		return err_set(err, -EPERM,
			       "task %d uses seccomp: to restore that, crib must not run under a "
			       "seccomp filter itself; start it outside of this container",
			       task->pid);
	return 0;
}

int rights_check(const struct snapshot *snap, struct err *err)
{
	struct own_caps own = { 0 };
	int ret = read_own_caps(&own, err);

	if (ret < 0)
		return ret;
	if (!(own.effective & (BIT(CAP_SYS_ADMIN) | BIT(CAP_CHECKPOINT_RESTORE))))
		return err_set(err, -EPERM,
			       "not permitted: to give tasks their old pids needs "
			       "CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; run crib as root, or in "
			       "a namespace of yours (unshare --user --map-current-user "
			       "--keep-caps --pid --fork --mount-proc)");
	ret = check_calls(err);
	if (ret == 0)
		ret = check_threads(snap, &own, err);
	return ret == 0 ? check_seccomp(snap, &own, err) : ret;
}
