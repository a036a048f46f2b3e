// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epoll sets. The kernel knows what is watched by the file and the number it had when it was added;
 * the number may be closed or another file's since then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pidref.h"
#include "fd/fdinfo.h"
#include "fd/kinds.h"
#include "fd/reopen.h"

/* Flags that stay when an entry with EPOLLONESHOT has given its event. */
#define EVENT_FLAGS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

static bool epoll_match(const struct rec_fd *rec)
{
	return rec_path_is(rec, "anon_inode:[eventpoll]");
}

static int compare_slot(const void *key, const void *slot)
{
	return *(const int *)key - ((const struct fd_slot *)slot)->fd;
}

/* What descriptor @number of @task is; NULL: closed. */
static struct ofd *ofd_at(const struct task *task, int number)
{
	const struct fd_slot *slot = bsearch(&number, task->fdt->slots.v, task->fdt->slots.n,
					     sizeof(*slot), compare_slot);
	return slot ? slot->ofd : NULL;
}

/* ---- Dump ---- */

/*
 * Names what surely is not in the tree; whether what has the right number is the right file is seen
 * when descriptors are at hand.
 */
static bool may_be_in_tree(const struct snapshot *snap, const struct task *task,
			   const struct fdinfo_watch *watch)
{
	if (ofd_at(task, watch->fd) || !watch->has_file)
		return true;
	for (size_t i = 0; i < snap->files.n; i++) {
		const struct ofd *ofd = snap->files.v[i];

		if (ofd->rec && ofd->rec->ino == watch->ino)
			return true;
	}
	return false;
}

static int refuse(const struct fdinfo_watch *watch, struct err *err)
{
	return err_set(err, -ENOTSUP,
		       "the epoll set watches a file (inode %llu) that was added as "
		       "descriptor %d and that no task of the tree has open: not supported",
		       (unsigned long long)watch->ino, watch->fd);
}

static int epoll_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	struct fdinfo_watches watches = { 0 };
	_cleanup_close_ int fd = pidref_getfd(ofd->owner->pidfd, ofd->owner_fd);

	if (fd < 0)
		return err_ret(err, fd, "pidfd_getfd");
	int ret = fdinfo_read_own(fd, &text, err);
	if (ret == 0)
		ret = fdinfo_parse_epoll(strbuf_str(&text), &x->snap->arena, &watches, err);
	array_each(const struct fdinfo_watch, watch, &watches.v)
		if (ret == 0 && !may_be_in_tree(x->snap, ofd->owner, watch))
			ret = refuse(watch, err);
	return ret;
}

static int epoll_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	EventpollFileEntry *entry = SNAP_MSG(x->snap, EventpollFileEntry, eventpoll_file_entry);
	struct fdinfo_watches *watches = ARENA_NEW(&x->snap->arena, struct fdinfo_watches);
	_cleanup_strbuf_ struct strbuf text = { 0 };
	int ret = fdinfo_read_own(fd, &text, err);

	if (ret == 0)
		ret = fdinfo_parse_epoll(strbuf_str(&text), &x->snap->arena, watches, err);
	if (ret < 0)
		return ret;
	entry->id = ofd->entry->id;
	entry->flags = ofd->rec->flags;
	entry->fown = fd_fown_extract(x->snap, fd);
	ofd->entry->epfd = entry;
	ofd->priv = watches;
	return 0;
}

/* How many entries before @index have the same number: what KCMP_EPOLL_TFD wants to know. */
static uint32_t count_same_number(const struct fdinfo_watches *watches, size_t index)
{
	uint32_t n = 0;

	for (size_t i = 0; i < index; i++)
		n += watches->v.v[i].fd == watches->v.v[index].fd;
	return n;
}

/* Is @ofd what the entry @slot watches? 1 or 0; -errno: the kernel does not tell. */
static int is_watched(const struct ofd *ofd, const struct kcmp_epoll_slot *slot)
{
	long ret;

	if (ofd->borrowed_fd < 0)
		return 0;
	ret = syscall(SYS_kcmp, getpid(), getpid(), KCMP_EPOLL_TFD, ofd->borrowed_fd, slot);
	return ret < 0 ? -errno : ret == 0;
}

/*
 * The number is tried first, in the table of the set's owner. Where kcmp(2) is not there the inode
 * has to do: anonymous files have one in common, so then it must be the number, too.
 */
static const struct ofd *find_watched(const struct snapshot *snap, const struct ofd *epoll,
				      const struct fdinfo_watch *watch,
				      const struct kcmp_epoll_slot *slot)
{
	const struct ofd *at = ofd_at(epoll->owner, watch->fd);
	int same = at ? is_watched(at, slot) : 0;

	if (at && (same == 1 || (same < 0 && at->rec->ino == watch->ino)))
		return at;
	for (size_t i = 0; i < snap->files.n; i++) {
		const struct ofd *ofd = snap->files.v[i];

		if (!ofd->rec || (watch->has_file && ofd->rec->ino != watch->ino))
			continue;
		same = is_watched(ofd, slot);
		if (same == 1)
			return ofd;
		if (same < 0)
			return NULL;
	}
	return NULL;
}

static EventpollTfdEntry *tfd_new(struct snapshot *snap, const struct fdinfo_watch *watch,
				  const struct ofd *target)
{
	EventpollTfdEntry *tfd = SNAP_MSG(snap, EventpollTfdEntry, eventpoll_tfd_entry);

	tfd->tfd = (uint32_t)watch->fd;
	tfd->events = watch->events;
	tfd->data = watch->data;
	tfd->has_dev = tfd->has_inode = tfd->has_pos = watch->has_file;
	tfd->dev = (uint32_t)watch->dev;
	tfd->inode = watch->ino;
	tfd->pos = (uint64_t)watch->pos;
	tfd->has_file_id = true;
	tfd->file_id = target->entry->id;
	return tfd;
}

static int epoll_resolve(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	const struct fdinfo_watches *watches = ofd->priv;
	EventpollFileEntry *entry = ofd->entry->epfd;

	entry->tfd = ARENA_ARRAY(&x->snap->arena, EventpollTfdEntry *, watches->v.n);
	for (size_t i = 0; i < watches->v.n; i++) {
		const struct fdinfo_watch *watch = &watches->v.v[i];
		const struct kcmp_epoll_slot slot = {
			.efd = (uint32_t)fd,
			.tfd = (uint32_t)watch->fd,
			.toff = count_same_number(watches, i),
		};
		const struct ofd *target = find_watched(x->snap, ofd, watch, &slot);

		if (!target)
			return refuse(watch, err);
		entry->tfd[entry->n_tfd++] = tfd_new(x->snap, watch, target);
	}
	return 0;
}

/* ---- Restore ---- */

static int epoll_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	struct hashmap files = { 0 };
	int ret = 0;

	for (size_t i = 0; i < snap->files.n; i++)
		hashmap_put(&files, 0, snap->files.v[i]->entry->id, snap->files.v[i]);
	for (size_t i = 0; i < snap->files.n && ret == 0; i++) {
		struct ofd *ofd = snap->files.v[i];
		const EventpollFileEntry *entry = ofd->entry->epfd;

		if (!ofd->owner || ofd->entry->type != FD_TYPES__EVENTPOLL)
			continue;
		const struct ofd **targets =
			ARENA_ARRAY(&snap->arena, const struct ofd *, entry->n_tfd);
		for (size_t k = 0; k < entry->n_tfd && ret == 0; k++) {
			const EventpollTfdEntry *tfd = entry->tfd[k];

			targets[k] = tfd->has_file_id ? hashmap_get(&files, 0, tfd->file_id) :
							ofd_at(ofd->owner, (int)tfd->tfd);
			if (!targets[k] || !targets[k]->owner || tfd->tfd > INT32_MAX)
				ret = err_set(err, -EBADMSG,
					      "task %d: epoll set at descriptor %d "
					      "watches descriptor %u, which is not open",
					      ofd->owner->pid, ofd->owner_fd, tfd->tfd);
		}
		ofd->priv = targets;
	}
	hashmap_fini(&files);
	return ret;
}

static int epoll_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	const EventpollFileEntry *entry = ofd->entry->epfd;
	_cleanup_close_ int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "make an epoll set");
	int ret = fd_set_status(fd, entry->flags, err);
	if (ret == 0)
		ret = fd_fown_apply(entry->fown, fd, err);
	if (ret == 0)
		*ret_fd = take_fd(&fd);
	return ret;
}

/* It had EPOLLONESHOT, gave its event and waits for EPOLL_CTL_MOD. */
static bool is_disarmed(const EventpollTfdEntry *tfd)
{
	return (tfd->events & EPOLLONESHOT) && !(tfd->events & ~EVENT_FLAGS);
}

static int add_watch(int epfd, const EventpollTfdEntry *tfd)
{
	struct epoll_event event = { .events = tfd->events, .data.u64 = tfd->data };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, (int)tfd->tfd, &event) ? -errno : 0;
}

/*
 * The kernel adds EPOLLERR and EPOLLHUP to whatever it is given, so the event has to be had for the
 * entry to be quite disarmed. Where there is none at this moment these two are left. Nothing else
 * that could give one is in the set yet.
 */
static int add_disarmed(int epfd, const EventpollTfdEntry *tfd)
{
	struct epoll_event event = { .data.u64 = tfd->data };

	event.events = tfd->events | EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP;
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, (int)tfd->tfd, &event))
		return -errno;
	if (epoll_wait(epfd, &event, 1, 0) == 1)
		return 0;
	event = (struct epoll_event){ .events = tfd->events, .data.u64 = tfd->data };
	return epoll_ctl(epfd, EPOLL_CTL_MOD, (int)tfd->tfd, &event) ? -errno : 0;
}

/* The set that is being filled, and which of its entries have a file under another number. */
struct filling {
	struct fd_opener *opener;
	const EventpollFileEntry *entry;
	const struct ofd **targets;
	int *fds; /* by entry: a duplicate of its file, far from all numbers; -1: not needed */
	int epfd;
	size_t nr_moved;
	size_t failed; /* the entry at which it failed */
};

/* The entries that have their file under their number, or in @moved those that have not. */
static int add_watches(struct filling *filling, bool moved, bool disarmed)
{
	for (size_t i = 0; i < filling->entry->n_tfd; i++) {
		const EventpollTfdEntry *tfd = filling->entry->tfd[i];
		int ret = 0;

		filling->failed = i;
		if ((filling->fds[i] >= 0) != moved || is_disarmed(tfd) != disarmed)
			continue;
		if (moved && dup3(filling->fds[i], (int)tfd->tfd, O_CLOEXEC) < 0)
			ret = -errno;
		if (ret == 0)
			ret = disarmed ? add_disarmed(filling->epfd, tfd) :
					 add_watch(filling->epfd, tfd);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Above all numbers that will be needed meanwhile. */
static int first_free_number(const struct filling *filling)
{
	int first = filling->opener->service_fd;

	for (size_t i = 0; i < filling->entry->n_tfd; i++)
		if ((int)filling->entry->tfd[i]->tfd >= first)
			first = (int)filling->entry->tfd[i]->tfd + 1;
	return first;
}

static int duplicate_moved(struct filling *filling, struct err *err)
{
	struct fd_opener *opener = filling->opener;
	int first = first_free_number(filling);

	for (size_t i = 0; i < filling->entry->n_tfd; i++) {
		const struct ofd *target = filling->targets[i];
		_cleanup_close_ int fd = -1;

		if (ofd_at(opener->task, (int)filling->entry->tfd[i]->tfd) == target)
			continue;
		int ret = opener->fetch(opener, target, &fd, err);
		if (ret < 0)
			return ret;
		filling->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, first);
		if (filling->fds[i] < 0)
			return err_sys(err, "duplicate a descriptor");
		filling->nr_moved++;
	}
	return 0;
}

/*
 * Numbers that are closed or another file's by now are taken in a process of its own, which has a
 * copy of the table: other actors look at this one. No signal tells of its end, which the restored
 * task would get.
 */
static int add_moved(struct filling *filling, struct err *err)
{
	const struct clone_args args = { 0 };
	int epfd = fcntl(filling->epfd, F_DUPFD_CLOEXEC, first_free_number(filling)), status;

	if (epfd < 0)
		return err_sys(err, "duplicate a descriptor");
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		filling->epfd = epfd;
		int ret = add_watches(filling, true, true);

		_exit(-(ret < 0 ? ret : add_watches(filling, true, false)));
	}
	close(epfd);
	if (pid < 0)
		return err_sys(err, "fork");
	if (waitpid(pid, &status, __WALL) < 0)
		return err_sys(err, "wait for process %d", pid);
	if (!WIFEXITED(status))
		return err_set(err, -ECHILD, "process %d died while it filled an epoll set", pid);
	return WEXITSTATUS(status) ? err_ret(err, -WEXITSTATUS(status),
					     "add files that have "
					     "another number now") :
				     0;
}

static int fill(struct filling *filling, struct err *err)
{
	int ret = duplicate_moved(filling, err);

	if (ret < 0)
		return ret;
	ret = add_watches(filling, false, true);
	if (ret == 0 && filling->nr_moved) {
		ret = add_moved(filling, err);
		if (ret < 0)
			return ret;
	}
	if (ret == 0)
		ret = add_watches(filling, false, false);
	return ret == 0 ? 0 :
			  err_ret(err, ret, "add descriptor %u",
				  filling->entry->tfd[filling->failed]->tfd);
}

static int epoll_finish(struct fd_opener *opener, const struct ofd *ofd, int fd, struct err *err)
{
	const EventpollFileEntry *entry = ofd->entry->epfd;
	_cleanup_free_ int *fds = xzalloc(sizeof(*fds) * (entry->n_tfd + 1));
	struct filling filling = {
		.opener = opener, .entry = entry, .targets = ofd->priv, .fds = fds, .epfd = fd
	};

	for (size_t i = 0; i < entry->n_tfd; i++)
		fds[i] = -1;
	int ret = fill(&filling, err);
	for (size_t i = 0; i < entry->n_tfd; i++)
		cleanup_close(&fds[i]);
	return ret;
}

const struct fd_kind fd_kind_epoll = {
	.name = "eventpoll",
	.type = FD_TYPES__EVENTPOLL,
	.match = epoll_match,
	.check = epoll_check,
	.extract = epoll_extract,
	.resolve = epoll_resolve,
	.adapt = epoll_adapt,
	.open = epoll_open,
	.finish = epoll_finish,
};
