// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures of a restore in words, see describe.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "restore/describe.h"
#include "restore/program.h"
#include "restore/rights.h"
#include "target/procstat.h"

/* What helps when an op fails so. */
static const struct {
	enum restorer_opcode op;
	int error;
	const char *what;
} remedies[] = {
	{ ROP_CREDS, EPERM, "it needs CAP_SETUID, CAP_SETGID and CAP_SETPCAP: run crib as root" },
	{ ROP_SCHED, EPERM, "its priority needs CAP_SYS_NICE: run crib as root" },
	{ ROP_SCHED, EBUSY, "its deadline is more than this machine has left: stop others" },
	{ ROP_CHROOT, EPERM, "it needs CAP_SYS_CHROOT: run crib as root" },
	{ ROP_CLONE, EAGAIN, "raise the limit of processes (ulimit -u, pids.max of the cgroup)" },
	{ ROP_SIGQUEUE, EAGAIN, "raise the limit of pending signals (ulimit -i)" },
	{ ROP_TIMER_CREATE, EAGAIN, "raise the limit of pending signals (ulimit -i)" },
	{ ROP_TIMER_CREATE, EPERM, "its clock needs CAP_WAKE_ALARM: run crib as root" },
	{ ROP_FCNTL, EAGAIN, "somebody else has that file lock: end it" },
	{ ROP_MMAP, ENOMEM, "make room, or raise limits (ulimit -v, vm.max_map_count)" },
	{ ROP_MREMAP, ENOMEM, "make room, or raise limits (ulimit -v, vm.max_map_count)" },
	{ ROP_MPROTECT, ENOMEM, "make room, or raise limits (ulimit -v, vm.max_map_count)" },
	{ ROP_MMAP, EPERM, "is it below vm.mmap_min_addr, or on a file system mounted noexec?" },
	{ ROP_MMAP, EACCES, "a security module forbids it" },
	{ ROP_MPROTECT, EACCES, "a security module forbids it, or the file system is noexec" },
};

/* The same for any call of which nobody has said it. */
static const struct {
	int error;
	const char *what;
} general_remedies[] = {
	{ EMFILE, "raise the limit of open files (ulimit -n)" },
	{ ENFILE, "raise the system's limit of open files (sysctl fs.file-max)" },
	{ ENOSPC, "make room on that file system" },
	{ EDQUOT, "raise the quota of that file system" },
	{ ENOMEM, "make room in memory, or raise limits (ulimit -v, memory.max of the cgroup)" },
	{ EROFS, "mount that file system for writing" },
};

static const char *find_remedy(const struct restorer_op *op, int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++)
		if (remedies[i].op == op->opcode && remedies[i].error == error)
			return remedies[i].what;
	return NULL;
}

/* The address that an op is about; 0: none. */
static uint64_t address_of(const struct restorer_op *op)
{
	switch (op->opcode) {
	case ROP_MREMAP: return op->arg[2];
	case ROP_MMAP:
	case ROP_COPY:
	case ROP_MPROTECT:
	case ROP_MADVISE:
	case ROP_GUARD:
	case ROP_MLOCK:
	case ROP_VMA_NAME: return op->arg[0];
	default: return 0;
	}
}

/* The name of the file that is mapped there, NULL: of none. */
static const char *find_file(const struct snapshot *snap, pid_t pid, uint64_t address)
{
	const struct task *task = address ? snapshot_find_task(snap, pid) : NULL;

	if (!task || !task->mm)
		return NULL;
	array_each(const struct vma, vma, &task->mm->vmas)
		if (address >= vma->start && address < vma->end && vma->file &&
		    vma->file->entry->reg)
			return vma->file->entry->reg->name;
	return NULL;
}

static void add_remedy(struct err *err, const char *what)
{
	const struct err before = *err;

	err_set(err, err->code, "%s; %s", before.text, what);
}

/* Words of a failure that tell what to do have a semicolon or name an option. */
void describe_remedy(struct err *err)
{
	bool is_permission = err->code == -EPERM || err->code == -EACCES;

	if (strchr(err->text, ';') || strstr(err->text, "--") || strstr(err->text, "run crib"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(general_remedies); i++)
		if (err->code == -general_remedies[i].error)
			add_remedy(err, general_remedies[i].what);
	if (is_permission && !rights_are_whole())
		add_remedy(err, "run crib as root, with all capabilities");
}

/* The kernel says the same of a number that is too high and of what it does not know. */
static int describe_bad_pid(pid_t pid, int failed, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	uint64_t max = 0;

	if (io_read_file(AT_FDCWD, "/proc/sys/kernel/pid_max", &text) == 0) {
		const char *pos = strbuf_str(&text);

		scan_u64(&pos, &max);
	}
	if (max && (uint64_t)pid >= max)
		return err_set(err, -failed,
			       "pid %d is above what this system gives out: raise "
			       "kernel.pid_max, which is %llu",
			       pid, (unsigned long long)max);
	return err_set(err, -failed,
		       "clone3 with set_tid %d: invalid; the kernel needs to be 5.5 or newer", pid);
}

int describe_clone_failure(pid_t pid, int failed, struct err *err)
{
	struct procstat stat = { .comm = "?" };

	switch (failed) {
	case EEXIST:
		procstat_read(pid, pid, &stat, NULL);
		return err_set(err, -failed,
			       "pid %d is in use by '%.16s'; end that process, or restore "
			       "in a new pid namespace (unshare -p -f --mount-proc)",
			       pid, stat.comm);
	case EPERM:
		return err_set(err, -failed,
			       "clone3 with set_tid %d: not permitted; it needs "
			       "CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN",
			       pid);
	case EINVAL: return describe_bad_pid(pid, failed, err);
	case EAGAIN:
		return err_set(err, -failed,
			       "clone3 with set_tid %d: there are too many processes; raise the "
			       "limit (ulimit -u, kernel.pid_max, pids.max of the cgroup)",
			       pid);
	}
	return err_ret(err, -failed, "clone3 with set_tid %d", pid);
}

int describe_blob_failure(const struct snapshot *snap, const struct restorer_status *status,
			  struct err *err)
{
	const struct restorer_op *op = &status->failed_op;
	int error = status->failed_errno;
	_cleanup_strbuf_ struct strbuf what = { 0 };

	if (!__atomic_load_n(&status->failed, __ATOMIC_SEQ_CST))
		return 0;
	if (op->opcode == ROP_CLONE)
		return err_wrap(err, describe_clone_failure((pid_t)op->arg[0], error, err),
				"restore memory %d", status->failed_pid);
	const char *file = find_file(snap, status->failed_pid, address_of(op));
	const char *remedy = find_remedy(op, error);

	program_describe_op(op, &what);
	return err_set(err, -error, "restore memory %d: thread %d: %s%s%s%s: %s%s%s",
		       status->failed_pid, status->failed_tid, strbuf_str(&what),
		       file ? " of '" : "", file ? file : "", file ? "'" : "", strerror(error),
		       remedy ? "; " : "", remedy ? remedy : "");
}
