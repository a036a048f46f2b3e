// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signalfds: a mask. What they give is pending with the task.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fd/fdinfo.h"
#include "fd/kinds.h"
#include "fd/reopen.h"

static bool signalfd_match(const struct rec_fd *rec)
{
	return rec_path_is(rec, "anon_inode:[signalfd]");
}

static int signalfd_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	SignalfdEntry *entry = SNAP_MSG(x->snap, SignalfdEntry, signalfd_entry);
	_cleanup_strbuf_ struct strbuf text = { 0 };
	int ret = fdinfo_read_own(fd, &text, err);

	if (ret == 0)
		ret = fdinfo_parse_signalfd(strbuf_str(&text), &entry->sigmask, err);
	if (ret < 0)
		return ret;
	entry->id = ofd->entry->id;
	entry->flags = ofd->rec->flags;
	entry->fown = fd_fown_extract(x->snap, fd);
	ofd->entry->sgfd = entry;
	return 0;
}

/* ---- Restore ---- */

/* The kernel's set of 64 signals, as an array of its words: libc's has another size. */
static int make_signalfd(uint64_t mask)
{
	unsigned long words[sizeof(mask) / sizeof(unsigned long)];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = (unsigned long)(mask >> (i * 8 * sizeof(words[0])));
	return (int)syscall(SYS_signalfd4, -1, words, sizeof(mask), SFD_CLOEXEC);
}

static int signalfd_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd,
			 struct err *err)
{
	const SignalfdEntry *entry = ofd->entry->sgfd;
	_cleanup_close_ int fd = make_signalfd(entry->sigmask);

	if (fd < 0)
		return err_sys(err, "make a signalfd");
	int ret = fd_set_status(fd, entry->flags, err);
	if (ret == 0)
		ret = fd_fown_apply(entry->fown, fd, err);
	if (ret == 0)
		*ret_fd = take_fd(&fd);
	return ret;
}

const struct fd_kind fd_kind_signalfd = {
	.name = "signalfd",
	.type = FD_TYPES__SIGNALFD,
	.match = signalfd_match,
	.extract = signalfd_extract,
	.open = signalfd_open,
};
