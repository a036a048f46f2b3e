// SPDX-License-Identifier: GPL-2.0-only
/*
 * Terminals: pseudo-terminal masters and slaves, /dev/tty, and the terminal that a shell job was
 * started from. The master of a pair is made by the coordinator, since the number of a pair is
 * given out by the kernel and tasks that looked for theirs at once would take each other's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/pidref.h"
#include "fd/kinds.h"
#include "fd/tty.h"
#include "fd/tty_data.h"
#include "fd/tty_settings.h"
#include "target/procstat.h"

enum {
	TTY_MAJOR = 4,
	TTYAUX_MAJOR = 5,
	PTS_MAJOR_FIRST = 136,
	PTS_MAJOR_LAST = 143,
	MAX_PTS = 1 << 20,
	FIRST_SERIAL = 64,    /* minor of ttyS0 */
	CURRENT_INDEX = 1006, /* what the format has for /dev/tty in place of a number */
};

enum tty_role { TTY_NONE, TTY_MASTER, TTY_SLAVE, TTY_CURRENT };

/* @rdev as records have it. */
static enum tty_role role_of(uint64_t rdev)
{
	uint64_t major = rdev >> 20, minor = rdev & 0xfffff;

	if (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST)
		return TTY_SLAVE;
	if (major == TTYAUX_MAJOR && minor == 2)
		return TTY_MASTER;
	if (major == TTYAUX_MAJOR && minor == 0)
		return TTY_CURRENT;
	return TTY_NONE;
}

/* Images have st_rdev as stat(2) gives it. */
static enum tty_role role_of_info(const TtyInfoEntry *info)
{
	return role_of((uint64_t)major(info->rdev) << 20 | minor(info->rdev));
}

static bool tty_match(const struct rec_fd *rec)
{
	return S_ISCHR(rec->mode) && !(rec->flags & O_PATH) && role_of(rec->rdev) != TTY_NONE;
}

/* ---- Dump ---- */

/*
 * One for each pair and end, as criu has them: the lowest bit tells the ends of a pair apart. Pairs
 * from the number of /dev/tty on make room for it.
 */
static uint32_t info_id(enum tty_role role, uint32_t index)
{
	if (role == TTY_CURRENT)
		return CURRENT_INDEX << 1;
	return (index < CURRENT_INDEX ? index : index + 1) << 1 | (role == TTY_MASTER);
}

static uint32_t tty_index(const struct rec_fd *rec, enum tty_role role, int fd)
{
	unsigned int index = 0;

	if (role == TTY_MASTER)
		ioctl(fd, TIOCGPTN, &index);
	else if (role == TTY_SLAVE)
		index = (unsigned int)(((rec->rdev >> 20) - PTS_MAJOR_FIRST) << 20 |
				       (rec->rdev & 0xfffff));
	return index;
}

/* The controlling terminal is recorded as st_rdev is, other devices as major << 20 | minor. */
static bool is_terminal_of(const struct task *task, uint64_t rdev)
{
	return task->tty_rdev &&
	       ((uint64_t)major(task->tty_rdev) << 20 | minor(task->tty_rdev)) == rdev;
}

static uint64_t slave_rdev(uint32_t index)
{
	return ((uint64_t)PTS_MAJOR_FIRST << 20) + index;
}

/*
 * Whose controlling terminal it is, as the records of the tree tell. The master has it, too: criu
 * takes it from there.
 */
static void fill_session(const struct snapshot *snap, TtyInfoEntry *info, uint64_t rdev)
{
	for (size_t i = 0; i < snap->tasks.n; i++) {
		const struct task *task = snap->tasks.v[i];

		if (is_terminal_of(task, rdev)) {
			info->sid = (uint32_t)task->sid;
			info->pgrp = (uint32_t)task->tty_pgrp;
			return;
		}
	}
}

static TtyInfoEntry *info_new(struct snapshot *snap, const struct ofd *ofd, enum tty_role role,
			      uint32_t index, int fd)
{
	TtyInfoEntry *info = SNAP_MSG(snap, TtyInfoEntry, tty_info_entry);
	struct stat st = { 0 };

	fstat(fd, &st);
	info->id = info_id(role, index);
	info->type = role == TTY_CURRENT ? TTY_TYPE__CTTY : TTY_TYPE__PTY;
	info->rdev = (uint32_t)st.st_rdev;
	info->has_dev = info->has_uid = info->has_gid = true;
	info->dev = (uint32_t)st.st_dev;
	info->uid = st.st_uid;
	info->gid = st.st_gid;
	tty_settings_read(snap, info, fd, role == TTY_MASTER);
	if (role != TTY_CURRENT) {
		info->pty = SNAP_MSG(snap, TtyPtyEntry, tty_pty_entry);
		info->pty->index = index;
		fill_session(snap, info, slave_rdev(index));
	} else if (ofd->owner->tty_rdev) {
		info->sid = (uint32_t)ofd->owner->sid;
		info->pgrp = (uint32_t)ofd->owner->tty_pgrp;
	}
	*array_push(&snap->arena, &snap->ttys) = info;
	return info;
}

/* The path by which it was opened, for criu: an entry of files.img. */
static uint32_t add_path(struct snapshot *snap, const struct rec_fd *rec)
{
	struct ofd *ofd = snapshot_add_file(snap);
	RegFileEntry *reg = SNAP_MSG(snap, RegFileEntry, reg_file_entry);

	ofd->kind = &fd_kind_reg;
	ofd->entry = SNAP_MSG(snap, FileEntry, file_entry);
	ofd->entry->id = snap->next_file_id++;
	ofd->entry->type = FD_TYPES__REG;
	ofd->entry->reg = reg;
	reg->id = ofd->entry->id;
	reg->flags = rec->flags;
	reg->fown = fd_fown_extract(snap, -1);
	reg->name = arena_strndup(&snap->arena, rec->path, rec->path_len);
	reg->has_mode = true;
	reg->mode = rec->mode;
	return reg->id;
}

static int tty_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	struct snapshot *snap = x->snap;
	enum tty_role role = role_of(ofd->rec->rdev);
	uint32_t index = tty_index(ofd->rec, role, fd);
	TtyFileEntry *tty = SNAP_MSG(snap, TtyFileEntry, tty_file_entry);
	TtyInfoEntry *info =
		hashmap_get(&fd_shared(x)->objects, FD_TYPES__TTY, info_id(role, index));

	if (!info) {
		info = info_new(snap, ofd, role, index, fd);
		hashmap_put(&fd_shared(x)->objects, FD_TYPES__TTY, info->id, info);
	}
	ofd->entry->tty = tty;
	ofd->priv = info;
	tty->id = ofd->entry->id;
	tty->tty_info_id = info->id;
	tty->flags = ofd->rec->flags;
	tty->fown = fd_fown_extract(snap, fd);
	tty->has_regf_id = true;
	tty->regf_id = add_path(snap, ofd->rec);
	return 0;
}

static const TtyInfoEntry *find_info(const struct snapshot *snap, uint32_t id)
{
	for (size_t i = 0; i < snap->ttys.n; i++)
		if (snap->ttys.v[i]->id == id)
			return snap->ttys.v[i];
	return NULL;
}

/* One end of a pair, or NULL if nobody in the tree has it. */
static const TtyInfoEntry *find_end(const struct snapshot *snap, enum tty_role role, uint32_t index)
{
	for (size_t i = 0; i < snap->ttys.n; i++) {
		const TtyInfoEntry *info = snap->ttys.v[i];

		if (info->pty && info->pty->index == index && role_of_info(info) == role)
			return info;
	}
	return NULL;
}

/* Whether a task of the tree has the master of pair @index, before anything was extracted. 1, 0. */
static int has_master(const struct snapshot *snap, uint32_t index, struct err *err)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		const struct ofd *ofd = snap->files.v[i];

		if (!ofd->rec || !tty_match(ofd->rec) || role_of(ofd->rec->rdev) != TTY_MASTER)
			continue;
		_cleanup_close_ int fd = pidref_getfd(ofd->owner->pidfd, ofd->owner_fd);
		if (fd < 0)
			return err_ret(err, fd, "pidfd_getfd descriptor %d of task %d",
				       ofd->owner_fd, ofd->owner->pid);
		if (tty_index(ofd->rec, TTY_MASTER, fd) == index)
			return 1;
	}
	return 0;
}

/* A slave whose master nobody in the tree has belongs to somebody else. */
static int check_outside(const struct fd_extract *x, const struct ofd *ofd, const struct stat *st,
			 struct err *err)
{
	char external[32];

	snprintf(external, sizeof(external), "%x:%x", (uint32_t)st->st_rdev, (uint32_t)st->st_dev);
	if (opts_find_external(x->opts, "tty", external))
		return 0;
	const struct task *root = x->snap->tasks.v[0];
	if (x->opts->shell_job && is_terminal_of(root, ofd->rec->rdev))
		return 0;
	return err_set(err, -ENOTSUP,
		       "the other side of '%.*s' is outside of the tree: use "
		       "--shell-job if it is the terminal that the job was started from, else "
		       "--external tty[%s]",
		       (int)ofd->rec->path_len, ofd->rec->path, external);
}

static int tty_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err)
{
	struct termios termios;
	struct stat st;

	if (role_of(ofd->rec->rdev) != TTY_SLAVE)
		return 0;
	_cleanup_close_ int fd = pidref_getfd(ofd->owner->pidfd, ofd->owner_fd);
	if (fd < 0)
		return err_ret(err, fd, "pidfd_getfd");
	/* its master was closed: hung up, which a new pair can be as well */
	if (tcgetattr(fd, &termios) && errno == EIO)
		return 0;
	int ret = has_master(x->snap, tty_index(ofd->rec, TTY_SLAVE, fd), err);
	if (ret != 0)
		return ret;
	if (fstat(fd, &st))
		return err_sys(err, "fstat '%.*s'", (int)ofd->rec->path_len, ofd->rec->path);
	return check_outside(x, ofd, &st, err);
}

static int tty_resolve(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	TtyInfoEntry *info = ofd->priv;

	if (role_of(ofd->rec->rdev) != TTY_MASTER)
		return 0;
	return tty_data_save(x->snap, info, find_end(x->snap, TTY_SLAVE, info->pty->index), fd,
			     err);
}

/* ---- Restore ---- */

static bool is_hung_up(const struct snapshot *snap, const TtyInfoEntry *info)
{
	return !info->termios && !find_end(snap, TTY_MASTER, info->pty->index);
}

/* pid (comm) state ppid pgrp session tty_nr */
static dev_t own_terminal_device(void)
{
	_cleanup_strbuf_ struct strbuf stat = { 0 };
	struct procstat mine;

	if (io_read_file(AT_FDCWD, "/proc/self/stat", &stat) < 0 ||
	    procstat_parse(strbuf_str(&stat), &mine, NULL) < 0)
		return 0;
	return mine.tty;
}

void fd_restore_begin(struct snapshot *snap, const struct opts *opts)
{
	dev_t dev = own_terminal_device();

	if (!dev || !opts->shell_job)
		return;
	snap->may_take_terminal = getsid(0) == getpid();
	if (major(dev) >= PTS_MAJOR_FIRST && major(dev) <= PTS_MAJOR_LAST)
		snap->terminal = arena_printf(&snap->arena, "/dev/pts/%u", minor(dev));
	else if (major(dev) == TTY_MAJOR && minor(dev) < FIRST_SERIAL)
		snap->terminal = arena_printf(&snap->arena, "/dev/tty%u", minor(dev));
	else
		snap->terminal = "/dev/tty";
}

static int open_own_terminal(const struct snapshot *snap, int flags, struct err *err)
{
	if (!snap->terminal)
		return err_set(err, -ENXIO,
			       "the shell job needs a terminal: run crib restore in one");
	int fd = open(snap->terminal, flags | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open terminal '%s' for the shell job", snap->terminal) : fd;
}

static bool tty_resource(const struct snapshot *snap, const struct ofd *ofd, char *buf, size_t size)
{
	const TtyInfoEntry *info = find_info(snap, ofd->entry->tty->tty_info_id);

	return info && snprintf(buf, size, "tty[%x:%x]", info->rdev, info->dev) < (int)size;
}

static int open_slave(struct fd_opener *opener, const struct ofd *ofd, const TtyInfoEntry *info,
		      int flags, struct err *err)
{
	const struct tty_pair *pair = tty_find_pair(opener->snap, info->pty->index);
	char path[32], resource[48];

	if (!pair) {
		tty_resource(opener->snap, ofd, resource, sizeof(resource));
		if (ofd->inherited_fd >= 0) {
			int fd = fcntl(ofd->inherited_fd, F_DUPFD_CLOEXEC, 0);
			return fd < 0 ? err_sys(err, "inherit a descriptor for %s", resource) : fd;
		}
		if (!opener->opts->shell_job)
			return err_set(err, -ENXIO,
				       "the terminal %s is not in the image: use "
				       "--shell-job for this terminal or --inherit-fd fd[N]:%s",
				       resource, resource);
		return open_own_terminal(opener->snap, flags, err);
	}
	snprintf(path, sizeof(path), "/dev/pts/%u", info->pty->index);
	int fd = open(path, flags | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open '%s'", path) : fd;
}

static int open_master(const struct fd_opener *opener, const TtyInfoEntry *info, int flags,
		       struct err *err)
{
	const struct tty_pair *pair = tty_find_pair(opener->snap, info->pty->index);

	if (!pair)
		return err_set(err, -EBADMSG, "pseudo-terminal %u was not made", info->pty->index);
	/* a second open(2) of a master makes another pair, so it is a duplicate */
	int fd = fcntl(pair->master, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || fcntl(fd, F_SETFL, flags) < 0)
		return err_sys(err, "duplicate the master of pseudo-terminal %u", info->pty->index);
	return fd;
}

static int tty_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	const TtyFileEntry *tty = ofd->entry->tty;
	const TtyInfoEntry *info = tty ? find_info(opener->snap, tty->tty_info_id) : NULL;
	_cleanup_close_ int fd = -1;

	if (!info)
		return err_set(err, -EBADMSG, "terminal %u is not in the image", ofd->entry->id);
	int flags = (int)tty->flags & (O_ACCMODE | O_NONBLOCK | O_APPEND | O_ASYNC);
	switch (role_of_info(info)) {
	case TTY_MASTER: fd = open_master(opener, info, flags, err); break;
	case TTY_SLAVE: fd = open_slave(opener, ofd, info, flags, err); break;
	case TTY_CURRENT:
		fd = open("/dev/tty", flags | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "open '/dev/tty'");
		break;
	case TTY_NONE:
		return err_set(err, -ENOTSUP, "terminal of device %x: not supported", info->rdev);
	}
	if (fd < 0)
		return fd;
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool group_exists(const struct snapshot *snap, pid_t pgid)
{
	for (size_t i = 0; i < snap->tasks.n; i++)
		if (snap->tasks.v[i]->pgid == pgid && snap->tasks.v[i]->state != TASK_STATE_HELPER)
			return true;
	return false;
}

/* Of the terminal that crib was started from, unless another job has it. */
static void set_foreground(const struct fd_opener *opener, const TtyInfoEntry *info, int fd)
{
	pid_t pgrp = (pid_t)info->pgrp, now = -1;

	if (!pgrp || !group_exists(opener->snap, pgrp) || ioctl(fd, TIOCGPGRP, &now) ||
	    now != opener->outer_pgid)
		return;
	ioctl(fd, TIOCSPGRP, &pgrp);
}

static int tty_finish(struct fd_opener *opener, const struct ofd *ofd, int fd, struct err *err)
{
	const TtyInfoEntry *info = find_info(opener->snap, ofd->entry->tty->tty_info_id);
	enum tty_role role = role_of_info(info);
	bool ours = role != TTY_CURRENT && tty_find_pair(opener->snap, info->pty->index);

	if (role == TTY_CURRENT || is_hung_up(opener->snap, info))
		return fd_fown_apply(ofd->entry->tty->fown, fd, err);
	if (role == TTY_SLAVE && !ours)
		set_foreground(opener, info, fd);
	/* the modes of a pair are its master's business alone: the task that has that changes them
	 * while it puts back what waits inside */
	int ret = role == TTY_SLAVE && ours ?
			  tty_settings_exclusive(info, fd, err) :
			  tty_settings_write(info, fd, role == TTY_MASTER, ours, err);
	if (ret == 0 && role == TTY_MASTER)
		ret = tty_data_restore(opener->snap, info,
				       find_end(opener->snap, TTY_SLAVE, info->pty->index), fd,
				       err);
	return ret < 0 ? ret : fd_fown_apply(ofd->entry->tty->fown, fd, err);
}

const struct fd_kind fd_kind_tty = {
	.name = "tty",
	.type = FD_TYPES__TTY,
	.match = tty_match,
	.check = tty_check,
	.extract = tty_extract,
	.resolve = tty_resolve,
	.resource = tty_resource,
	.open = tty_open,
	.finish = tty_finish,
};

/* ---- Coordinator ---- */

const struct tty_pair *tty_find_pair(const struct snapshot *snap, uint32_t index)
{
	array_each(struct tty_pair, pair, &snap->tty_pairs)
		if (pair->index == index)
			return pair;
	return NULL;
}

/*
 * The controlling terminal of a session of the tree: one of its own, or the one that crib was
 * started from if nobody else has a use for it (as with "xterm -e crib restore").
 */
static const TtyInfoEntry *terminal_of(const struct snapshot *snap, pid_t sid)
{
	for (size_t i = 0; i < snap->ttys.n; i++) {
		const TtyInfoEntry *info = snap->ttys.v[i];

		if ((pid_t)info->sid != sid || role_of_info(info) != TTY_SLAVE ||
		    is_hung_up(snap, info))
			continue;
		if (find_end(snap, TTY_MASTER, info->pty->index) ||
		    (snap->terminal && snap->may_take_terminal))
			return info;
	}
	return NULL;
}

bool fd_has_terminal(const struct snapshot *snap, pid_t sid)
{
	return terminal_of(snap, sid) != NULL;
}

int fd_take_terminal(const struct snapshot *snap, pid_t sid, struct err *err)
{
	const TtyInfoEntry *info = terminal_of(snap, sid);
	bool ours = find_end(snap, TTY_MASTER, info->pty->index);
	char pts[32];
	const char *path = ours ? pts : snap->terminal;

	snprintf(pts, sizeof(pts), "/dev/pts/%u", info->pty->index);
	_cleanup_close_ int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	return ioctl(fd, TIOCSCTTY, ours ? 0 : 1) ?
		       err_sys(err, "make '%s' the controlling terminal", path) :
		       0;
}

int fd_set_foreground(const struct snapshot *snap, pid_t sid, struct err *err)
{
	const TtyInfoEntry *info = terminal_of(snap, sid);
	pid_t pgrp = (pid_t)info->pgrp;

	if (!pgrp || !group_exists(snap, pgrp))
		return 0;
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '/dev/tty'");
	return ioctl(fd, TIOCSPGRP, &pgrp) ? err_sys(err,
						     "make group %d the foreground of "
						     "/dev/pts/%u",
						     pgrp, info->pty->index) :
					     0;
}

void fd_restore_end(const struct snapshot *snap)
{
	for (size_t i = 0; snap->terminal && i < snap->ttys.n; i++) {
		const TtyInfoEntry *info = snap->ttys.v[i];

		if (role_of_info(info) == TTY_SLAVE && info->pgrp &&
		    !find_end(snap, TTY_MASTER, info->pty->index) &&
		    group_exists(snap, (pid_t)info->pgrp))
			kill(-(pid_t)info->pgrp, SIGWINCH);
	}
}

static int compare_index(const void *a, const void *b)
{
	const struct tty_pair *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

/* The pairs of the tree: those with a master in it, and the hung up ones. */
static void list_pairs(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->ttys.n; i++) {
		const TtyInfoEntry *info = snap->ttys.v[i];
		enum tty_role role = role_of_info(info);

		if (!info->pty || info->pty->index > MAX_PTS)
			continue;
		if (role == TTY_MASTER || (role == TTY_SLAVE && is_hung_up(snap, info)))
			*array_push(&snap->arena, &snap->tty_pairs) = (struct tty_pair){
				.index = info->pty->index,
				.master = -1,
			};
	}
	if (snap->tty_pairs.n)
		qsort(snap->tty_pairs.v, snap->tty_pairs.n, sizeof(struct tty_pair), compare_index);
}

/*
 * The kernel gives out the lowest free number: masters that came out with another are held until
 * the right one has come.
 */
static int make_pair(struct tty_pair *pair, struct arena *arena, int service_fd, struct err *err)
{
	ARRAY(int) wrong = { 0 };
	unsigned int index = UINT32_MAX;
	int fd, ret = 0, unlock = 0;

	for (;;) {
		fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (fd < 0 || ioctl(fd, TIOCGPTN, &index)) {
			ret = errno == ENOENT ?
				      err_set(err, -ENOENT,
					      "open '/dev/ptmx' for pseudo-terminal %u: there is "
					      "none; mount devpts on /dev/pts, and link "
					      "/dev/ptmx to pts/ptmx",
					      pair->index) :
				      err_sys(err, "open '/dev/ptmx' for pseudo-terminal %u",
					      pair->index);
			break;
		}
		if (index == pair->index)
			break;
		*array_push(arena, &wrong) = fd;
		if (index > pair->index) {
			ret = err_set(err, -EBUSY,
				      "pseudo-terminal /dev/pts/%u is in use; close it, "
				      "or restore in a new mount namespace with its own devpts",
				      pair->index);
			fd = -1;
			break;
		}
	}
	for (size_t i = 0; i < wrong.n; i++)
		close(wrong.v[i]);
	if (ret == 0) {
		ioctl(fd, TIOCSPTLCK, &unlock);
		pair->master = fcntl(fd, F_DUPFD_CLOEXEC, service_fd);
		if (pair->master < 0)
			ret = err_sys(err, "keep the master of pseudo-terminal %u", pair->index);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

int tty_prepare(struct snapshot *snap, int service_fd, struct err *err)
{
	list_pairs(snap);
	array_each(struct tty_pair, pair, &snap->tty_pairs) {
		int ret = make_pair(pair, &snap->arena, service_fd, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

void tty_cleanup(struct snapshot *snap)
{
	array_each(struct tty_pair, pair, &snap->tty_pairs)
		cleanup_close(&pair->master);
	snap->tty_pairs.n = 0;
}
