// SPDX-License-Identifier: GPL-2.0-only
/*
 * File locks. /proc/PID/fdinfo/N tells those that were taken by the description N, the POSIX ones
 * only for the process that holds them, so every descriptor is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "fd/fdinfo.h"
#include "fd/locks.h"

static const char *kind_name(uint32_t flag)
{
	switch (flag) {
	case FDINFO_LOCK_POSIX: return "POSIX lock";
	case FDINFO_LOCK_FLOCK: return "flock";
	case FDINFO_LOCK_OFD: return "lock by open file description";
	case FDINFO_LOCK_LEASE: return "lease";
	default: return "lock of unknown kind";
	}
}

/* ---- Dump ---- */

/* The task has the description under another number, where its locks were seen before. */
static bool was_seen(const struct task *task, const struct ofd *ofd, const struct rec_fd *rec)
{
	array_each(const struct fd_slot, slot, &task->fdt->slots)
		if (slot->ofd == ofd && slot->fd < (int)rec->fd)
			return true;
	return false;
}

static int check_lock(const struct fd_extract *x, const struct rec_fd *rec,
		      const struct fdinfo_lock *lock, struct err *err)
{
	if (!x->opts->file_locks)
		return err_set(err, -ENOTSUP, "'%.*s' is locked (%s): use --file-locks",
			       (int)rec->path_len, rec->path, kind_name(lock->kind));
	if (lock->kind == FDINFO_LOCK_OTHER)
		return err_set(err, -ENOTSUP, "'%.*s' has a %s: not supported", (int)rec->path_len,
			       rec->path, kind_name(lock->kind));
	if (lock->breaking)
		return err_set(err, -ENOTSUP,
			       "the lease of '%.*s' is being broken by somebody who "
			       "opens the file: try again later",
			       (int)rec->path_len, rec->path);
	return 0;
}

static void add_lock(struct snapshot *snap, const struct task *task, const struct rec_fd *rec,
		     const struct fdinfo_lock *lock)
{
	FileLockEntry *entry = SNAP_MSG(snap, FileLockEntry, file_lock_entry);

	entry->flag = lock->kind;
	entry->type = (uint32_t)lock->type;
	entry->pid = task->pid;
	entry->fd = (int32_t)rec->fd;
	entry->start = lock->start;
	entry->len = lock->len;
	*array_push(&snap->arena, &snap->locks) = entry;
}

int fd_note_locks(const struct fd_extract *x, const struct task *task, const struct ofd *ofd,
		  const struct rec_fd *rec, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	struct fdinfo_locks locks = { 0 };

	if (rec->unlocked || (!S_ISREG(rec->mode) && !S_ISDIR(rec->mode)) || (rec->flags & O_PATH))
		return 0;
	int ret = fdinfo_read_of(task->pid, rec->fd, &text, err);
	if (ret == 0)
		ret = fdinfo_parse_locks(strbuf_str(&text), &x->snap->arena, &locks, err);
	array_each(const struct fdinfo_lock, lock, &locks.v) {
		bool by_process = lock->kind == FDINFO_LOCK_POSIX;

		if (ret < 0 || (by_process ? was_seen(task, ofd, rec) : ofd->rec != rec))
			continue;
		ret = check_lock(x, rec, lock, err);
		if (ret == 0)
			add_lock(x->snap, task, rec, lock);
	}
	return ret;
}

/* ---- Restore ---- */

int locks_adapt(const struct snapshot *snap, const struct opts *opts, struct err *err)
{
	if (snap->locks.n && !opts->file_locks)
		return err_set(err, -EINVAL, "the image has %zu file locks: use --file-locks",
			       snap->locks.n);
	for (size_t i = 0; i < snap->locks.n; i++) {
		const FileLockEntry *lock = snap->locks.v[i];

		if (lock->flag != FDINFO_LOCK_POSIX && lock->flag != FDINFO_LOCK_FLOCK &&
		    lock->flag != FDINFO_LOCK_OFD && lock->flag != FDINFO_LOCK_LEASE)
			return err_set(err, -ENOTSUP,
				       "task %d: descriptor %d has a lock of kind "
				       "%u: not supported",
				       lock->pid, lock->fd, lock->flag);
		if (!snapshot_find_task(snap, lock->pid))
			return err_set(err, -EBADMSG,
				       "a lock is held by task %d, which is not "
				       "there",
				       lock->pid);
		if (lock->start < 0 || lock->len < 0 ||
		    (lock->type != F_RDLCK && lock->type != F_WRLCK))
			return err_set(err, -EBADMSG,
				       "task %d: descriptor %d has a lock of type "
				       "%u of %lld bytes from %lld on",
				       lock->pid, lock->fd, lock->type, (long long)lock->len,
				       (long long)lock->start);
	}
	return 0;
}

bool fd_lock_is_posix(const FileLockEntry *lock)
{
	return lock->flag == FDINFO_LOCK_POSIX;
}

static bool is_for_actor(const FileLockEntry *lock, const struct task *task)
{
	return lock->pid == task->pid && !fd_lock_is_posix(lock);
}

bool fd_has_locks(const struct snapshot *snap, const struct task *task)
{
	for (size_t i = 0; i < snap->locks.n; i++)
		if (is_for_actor(snap->locks.v[i], task))
			return true;
	return false;
}

static int take_lock(const FileLockEntry *lock)
{
	struct flock range = { .l_type = (short)lock->type,
			       .l_whence = SEEK_SET,
			       .l_start = lock->start,
			       .l_len = lock->len };

	switch (lock->flag) {
	case FDINFO_LOCK_FLOCK:
		return flock(lock->fd, (lock->type == F_WRLCK ? LOCK_EX : LOCK_SH) | LOCK_NB);
	case FDINFO_LOCK_OFD: return fcntl(lock->fd, F_OFD_SETLK, &range);
	default: return fcntl(lock->fd, F_SETLEASE, (int)lock->type);
	}
}

int fd_take_locks(const struct snapshot *snap, const struct task *task, struct err *err)
{
	for (size_t i = 0; i < snap->locks.n; i++) {
		const FileLockEntry *lock = snap->locks.v[i];

		if (!is_for_actor(lock, task) || take_lock(lock) == 0)
			continue;
		return err_sys(err, "take the %s of descriptor %d%s", kind_name(lock->flag),
			       lock->fd, errno == EAGAIN ? ", which somebody else has" : "");
	}
	return 0;
}
