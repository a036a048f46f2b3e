// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words for mappings and descriptors, see describe.h. In a live tree that was not extracted they
 * have no entry yet: then the record that was collected speaks.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cli/describe.h"
#include "crib/records.h"

/* True when the file is in the image because it has no name any more. */
static bool is_remapped(const struct snapshot *snap, uint32_t id)
{
	for (size_t i = 0; i < snap->remaps.n; i++)
		if (snap->remaps.v[i]->orig_id == id)
			return true;
	return false;
}

static const char *memfd_name(const struct snapshot *snap, uint32_t inode_id)
{
	for (size_t i = 0; i < snap->memfds.n; i++)
		if (snap->memfds.v[i]->inode_id == inode_id)
			return snap->memfds.v[i]->name;
	return NULL;
}

/* ---- Mappings ---- */

static const char *special_kind(const struct mm *mm, const struct vma *vma)
{
	uint64_t stack = mm->entry ? mm->entry->mm_start_stack : 0;

	if (vma->status & VMA_AREA_VDSO)
		return "vdso";
	if (vma->status & VMA_AREA_VVAR)
		return "vvar";
	if (vma->status & VMA_AREA_VSYSCALL)
		return "vsyscall";
	if (vma->status & VMA_AREA_HEAP)
		return "heap";
	if (vma->status & VMA_AREA_SYSVIPC)
		return "sysvipc";
	if (vma->status & VMA_AREA_AIORING)
		return "aio";
	if (vma->status & VMA_AREA_SOCKET)
		return "socket";
	if ((vma->status & VMA_AREA_STACK) ||
	    ((vma->status & VMA_ANON_PRIVATE) && stack >= vma->start && stack < vma->end))
		return "stack";
	return NULL;
}

static void set_path(const char **path, size_t *path_len, const char *str)
{
	*path = str;
	*path_len = str ? strlen(str) : 0;
}

static void describe_mapped_file(const struct snapshot *snap, const struct vma *vma,
				 struct vma_view *view)
{
	const FileEntry *entry = vma->file ? vma->file->entry : NULL;

	view->kind = vma->status & VMA_AREA_MEMFD ? "memfd" : "file";
	view->offset = vma->pgoff;
	view->has_offset = true;
	if (entry && entry->reg) {
		set_path(&view->path, &view->path_len, entry->reg->name);
		view->deleted = is_remapped(snap, entry->id);
	} else if (entry && entry->memfd) {
		set_path(&view->path, &view->path_len, memfd_name(snap, entry->memfd->inode_id));
	} else if (!entry && vma->rec) {
		view->path = vma->rec->name;
		view->path_len = vma->rec->name_len;
		view->deleted =
			vma->rec->file_flags & REC_FILE_DELETED && !(vma->status & VMA_AREA_MEMFD);
	}
}

void describe_vma(const struct snapshot *snap, const struct mm *mm, const struct vma *vma,
		  struct vma_view *ret_view)
{
	struct vma_view view = {
		.prot = {
			vma->prot & PROT_READ ? 'r' : '-', vma->prot & PROT_WRITE ? 'w' : '-',
			vma->prot & PROT_EXEC ? 'x' : '-', vma->flags & MAP_SHARED ? 's' : 'p',
		},
		.kind = special_kind(mm, vma),
	};

	if (!view.kind && (vma->status & (VMA_FILE_PRIVATE | VMA_FILE_SHARED))) {
		describe_mapped_file(snap, vma, &view);
	} else if (!view.kind && (vma->status & VMA_ANON_SHARED)) {
		view.kind = "shared";
		view.offset = vma->pgoff;
		view.has_offset = true;
	} else if (!view.kind) {
		view.kind = "anonymous";
	}
	*ret_view = view;
}

static void add_word(struct strbuf *buf, const char *word)
{
	strbuf_printf(buf, "%s%s", buf->len ? " " : "", word);
}

void describe_vma_flags(struct strbuf *buf, const struct vma *vma)
{
	static const struct {
		int advice;
		const char *word;
	} advices[] = {
		{ MADV_RANDOM, "random" },     { MADV_SEQUENTIAL, "sequential" },
		{ MADV_DONTFORK, "dontfork" }, { MADV_MERGEABLE, "mergeable" },
		{ MADV_HUGEPAGE, "hugepage" }, { MADV_NOHUGEPAGE, "nohugepage" },
		{ MADV_DONTDUMP, "dontdump" }, { MADV_WIPEONFORK, "wipeonfork" },
	};
	uint64_t rest = vma->has_madv ? vma->madv : 0;

	if (vma->flags & MAP_GROWSDOWN)
		add_word(buf, "growsdown");
	if (vma->flags & MAP_LOCKED)
		add_word(buf, vma->locked_onfault ? "locked-onfault" : "locked");
	if (vma->flags & MAP_NORESERVE)
		add_word(buf, "noreserve");
	if (vma->flags & MAP_HUGETLB)
		add_word(buf, "hugetlb");
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		if (rest >> advices[i].advice & 1)
			add_word(buf, advices[i].word);
		rest &= ~(UINT64_C(1) << advices[i].advice);
	}
	if (rest)
		strbuf_printf(buf, "%smadvise:0x%" PRIx64, buf->len ? " " : "", rest);
}

/* ---- Descriptors ---- */

static const char *const kinds[] = {
	[FD_TYPES__REG] = "file",
	[FD_TYPES__PIPE] = "pipe",
	[FD_TYPES__FIFO] = "fifo",
	[FD_TYPES__INETSK] = "inet-socket",
	[FD_TYPES__UNIXSK] = "unix-socket",
	[FD_TYPES__EVENTFD] = "eventfd",
	[FD_TYPES__EVENTPOLL] = "epoll",
	[FD_TYPES__INOTIFY] = "inotify",
	[FD_TYPES__SIGNALFD] = "signalfd",
	[FD_TYPES__PACKETSK] = "packet-socket",
	[FD_TYPES__TTY] = "tty",
	[FD_TYPES__FANOTIFY] = "fanotify",
	[FD_TYPES__NETLINKSK] = "netlink-socket",
	[FD_TYPES__NS] = "namespace",
	[FD_TYPES__TUNF] = "tun",
	[FD_TYPES__EXT] = "external",
	[FD_TYPES__TIMERFD] = "timerfd",
	[FD_TYPES__MEMFD] = "memfd",
	[FD_TYPES__BPFMAP] = "bpf-map",
	[FD_TYPES__PIDFD] = "pidfd",
};

static const RegFileEntry *path_entry(const struct snapshot *snap, uint32_t id)
{
	const struct ofd *ofd = snapshot_find_file(snap, id);

	return ofd ? ofd->entry->reg : NULL;
}

static void set_flags(struct fd_view *view, uint32_t flags)
{
	view->flags = flags;
	view->has_flags = true;
}

/* Of a file whose name and flags are those of another entry: fifo, terminal. */
static void describe_by_path(const struct snapshot *snap, uint32_t id, struct fd_view *view)
{
	const RegFileEntry *reg = path_entry(snap, id);

	if (!reg)
		return;
	set_path(&view->path, &view->path_len, reg->name);
	view->deleted = is_remapped(snap, id);
	set_flags(view, reg->flags);
}

static void describe_reg(const struct snapshot *snap, const RegFileEntry *reg, struct fd_view *view)
{
	set_path(&view->path, &view->path_len, reg->name);
	view->deleted = is_remapped(snap, reg->id);
	set_flags(view, reg->flags);
	view->pos = reg->pos;
	view->has_pos = true;
}

static void describe_entry(const struct snapshot *snap, const FileEntry *entry,
			   struct fd_view *view)
{
	if (entry->reg) {
		describe_reg(snap, entry->reg, view);
	} else if (entry->memfd) {
		set_path(&view->path, &view->path_len, memfd_name(snap, entry->memfd->inode_id));
		set_flags(view, entry->memfd->flags);
		view->pos = entry->memfd->pos;
		view->has_pos = true;
	} else if (entry->fifo) {
		describe_by_path(snap, entry->fifo->has_regf_id ? entry->fifo->regf_id : entry->id,
				 view);
	} else if (entry->tty) {
		describe_by_path(snap, entry->tty->has_regf_id ? entry->tty->regf_id : entry->id,
				 view);
		set_flags(view, entry->tty->flags);
	} else if (entry->pipe) {
		set_flags(view, entry->pipe->flags);
	} else if (entry->efd) {
		set_flags(view, entry->efd->flags & ~1u); /* EFD_SEMAPHORE */
	} else if (entry->epfd) {
		set_flags(view, entry->epfd->flags);
	} else if (entry->sgfd) {
		set_flags(view, entry->sgfd->flags);
	} else if (entry->tfd) {
		set_flags(view, entry->tfd->flags);
	}
}

/* What it is as far as its inode tells. */
static const char *record_kind(const struct rec_fd *rec)
{
	bool named = rec->path_len && rec->path[0] == '/';

	if (S_ISSOCK(rec->mode))
		return "socket";
	if (S_ISFIFO(rec->mode))
		return named ? "fifo" : "pipe";
	if (rec->path_len >= 7 && !memcmp(rec->path, "/memfd:", 7))
		return "memfd";
	return named ? "file" : "anonymous";
}

void describe_fd(const struct snapshot *snap, const struct ofd *ofd, struct fd_view *ret_view)
{
	struct fd_view view = { .kind = "unknown" };

	if (ofd->entry) {
		size_t type = (size_t)ofd->entry->type;

		if (type < ARRAY_SIZE(kinds) && kinds[type])
			view.kind = kinds[type];
		describe_entry(snap, ofd->entry, &view);
	} else if (ofd->rec) {
		view.kind = record_kind(ofd->rec);
		view.path = ofd->rec->path;
		view.path_len = ofd->rec->path_len;
		view.deleted =
			!strcmp(view.kind, "file") && (ofd->rec->file_flags & REC_FILE_DELETED);
		set_flags(&view, ofd->rec->flags);
		view.pos = ofd->rec->pos;
		view.has_pos = !strcmp(view.kind, "file");
	}
	*ret_view = view;
}

static void add_interval(struct strbuf *buf, uint64_t sec, uint64_t nsec, bool armed)
{
	if (!armed)
		strbuf_puts(buf, " disarmed");
	else if (!sec && !nsec)
		strbuf_puts(buf, " armed once");
	else if (nsec)
		strbuf_printf(buf, " armed every %" PRIu64 ".%09" PRIu64 " s", sec, nsec);
	else
		strbuf_printf(buf, " armed every %" PRIu64 " s", sec);
}

void describe_timer(struct strbuf *buf, uint32_t clock, uint64_t sec, uint64_t nsec, bool armed)
{
	const char *name = describe_clock(clock);

	if (name)
		strbuf_puts(buf, name);
	else
		strbuf_printf(buf, "clock %d", (int32_t)clock);
	add_interval(buf, sec, nsec, armed);
}

static void detail_epoll(struct strbuf *buf, const EventpollFileEntry *epoll)
{
	strbuf_puts(buf, epoll->n_tfd ? "watches" : "watches nothing");
	for (size_t i = 0; i < epoll->n_tfd; i++)
		strbuf_printf(buf, " %u", epoll->tfd[i]->tfd);
}

static uint32_t pipe_bytes(const struct pipe_data *data, size_t n, uint32_t pipe_id)
{
	for (size_t i = 0; i < n; i++)
		if (data[i].entry->pipe_id == pipe_id)
			return data[i].entry->bytes;
	return 0;
}

static const TtyInfoEntry *find_tty(const struct snapshot *snap, uint32_t id)
{
	for (size_t i = 0; i < snap->ttys.n; i++)
		if (snap->ttys.v[i]->id == id)
			return snap->ttys.v[i];
	return NULL;
}

static void detail_tty(struct strbuf *buf, const TtyInfoEntry *tty)
{
	if (!tty)
		return;
	if (tty->type == TTY_TYPE__PTY && tty->pty)
		strbuf_printf(buf, "pty %u, ", tty->pty->index);
	strbuf_printf(buf, "session %u, foreground %u", tty->sid, tty->pgrp);
}

void describe_fd_detail(struct strbuf *buf, const struct snapshot *snap, const struct ofd *ofd)
{
	const FileEntry *entry = ofd->entry;

	if (!entry)
		return;
	if (entry->pipe)
		strbuf_printf(
			buf, "pipe %u, holds %u bytes", entry->pipe->pipe_id,
			pipe_bytes(snap->pipe_data.v, snap->pipe_data.n, entry->pipe->pipe_id));
	else if (entry->fifo)
		strbuf_printf(
			buf, "holds %u bytes",
			pipe_bytes(snap->fifo_data.v, snap->fifo_data.n, entry->fifo->pipe_id));
	else if (entry->efd)
		strbuf_printf(buf, "%s %" PRIu64, entry->efd->flags & 1 ? "semaphore" : "counter",
			      entry->efd->counter);
	else if (entry->epfd)
		detail_epoll(buf, entry->epfd);
	else if (entry->sgfd)
		describe_sigset(buf, entry->sgfd->sigmask);
	else if (entry->tfd)
		describe_timer(buf, entry->tfd->clockid, entry->tfd->isec, entry->tfd->insec,
			       entry->tfd->vsec || entry->tfd->vnsec);
	else if (entry->tty)
		detail_tty(buf, find_tty(snap, entry->tty->tty_info_id));
}
