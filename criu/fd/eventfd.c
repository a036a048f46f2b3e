// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds: a counter.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "fd/fdinfo.h"
#include "fd/kinds.h"
#include "fd/reopen.h"

static bool eventfd_match(const struct rec_fd *rec)
{
	return rec_path_is(rec, "anon_inode:[eventfd]");
}

static int eventfd_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	EventfdFileEntry *entry = SNAP_MSG(x->snap, EventfdFileEntry, eventfd_file_entry);
	_cleanup_strbuf_ struct strbuf text = { 0 };
	struct fdinfo_eventfd info;
	int ret = fdinfo_read_own(fd, &text, err);

	if (ret == 0)
		ret = fdinfo_parse_eventfd(strbuf_str(&text), &info, err);
	if (ret < 0)
		return ret;
	entry->id = ofd->entry->id;
	entry->flags = ofd->rec->flags | (info.semaphore ? EFD_SEMAPHORE : 0);
	entry->counter = info.count;
	entry->fown = fd_fown_extract(x->snap, fd);
	ofd->entry->efd = entry;
	return 0;
}

/* ---- Restore ---- */

static int eventfd_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd,
			struct err *err)
{
	const EventfdFileEntry *entry = ofd->entry->efd;
	_cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC | (int)(entry->flags & EFD_SEMAPHORE));

	if (fd < 0)
		return err_sys(err, "make an eventfd");
	/* by a write, since eventfd(2) takes 32 bits */
	int ret = entry->counter ? io_write(fd, &entry->counter, sizeof(entry->counter)) : 0;
	if (ret < 0)
		return err_ret(err, ret, "set an eventfd to %llu",
			       (unsigned long long)entry->counter);
	ret = fd_set_status(fd, entry->flags, err);
	if (ret == 0)
		ret = fd_fown_apply(entry->fown, fd, err);
	if (ret == 0)
		*ret_fd = take_fd(&fd);
	return ret;
}

const struct fd_kind fd_kind_eventfd = {
	.name = "eventfd",
	.type = FD_TYPES__EVENTFD,
	.match = eventfd_match,
	.extract = eventfd_extract,
	.open = eventfd_open,
};
