/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of descriptors: one file per kind, one const table each, one line in kinds.c. A kind says
 * which open file descriptions are its own, how their state becomes a protobuf message, and how
 * they are made again.
 */
#ifndef CRIB_FD_FD_KIND_H
#define CRIB_FD_FD_KIND_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/opts.h"
#include "crib/records.h"
#include "model/snapshot.h"

/* What extraction may use. Lives for one dump. */
struct fd_extract {
	struct snapshot *snap;
	const struct opts *opts;
	void *priv; /* of fd/: shared state of the kinds, such as pipes and ttys already met */
	ARRAY(const char *) links; /* names made for the image, see fd_extract_undo() */
	/* The same for another process, one behind the other; NULL: for none. */
	char *names;
	size_t names_room;
};

/*
 * What opening may use. It runs in the restored task ("the actor") whose table is filled, before
 * its memory is its own.
 */
struct fd_opener {
	const struct snapshot *snap;
	const struct opts *opts;
	struct task *task; /* whose table is being filled */
	int images_fd;     /* the image directory */
	int root_fd;       /* paths of the image are looked up below it */
	int service_fd;    /* descriptors from this number on are crib's own: what must stay open
			    * besides results is moved there with F_DUPFD_CLOEXEC. Numbers that the
			    * table will have are occupied while kinds open, so nothing collides */
	pid_t outer_pgid;  /* crib's own process group */
	/*
	 * A duplicate of a description that has been opened already: one that ->after named.
	 * The caller owns *ret_fd.
	 */
	int (*fetch)(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err);
};

struct fd_kind {
	const char *name; /* as messages show it */
	FdTypes type;     /* of its file_entry */

	/* True for a description of this kind. The first match in the table wins. */
	bool (*match)(const struct rec_fd *rec);

	/*
	 * Dump, before anything was touched and after all tables are known: can @ofd be dumped with
	 * these options? 0, or -ENOTSUP with @err naming value and the option that would help.
	 * Optional.
	 */
	int (*check)(const struct fd_extract *x, const struct ofd *ofd, struct err *err);

	/*
	 * Dump: fills ofd->entry (id is set by the caller before, in ofd->entry->id) from
	 * ofd->rec and @fd, crib's own duplicate (pidfd_getfd), borrowed.
	 */
	int (*extract)(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err);

	/* Dump: after every description was extracted; may refer to others. Optional. */
	int (*resolve)(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err);

	/*
	 * Restore: what --inherit-fd calls @ofd, without a leading slash; false: it has no such
	 * name. A description for which one was given has ofd->inherited_fd >= 0, and ->open has to
	 * use it. Optional.
	 */
	bool (*resource)(const struct snapshot *snap, const struct ofd *ofd, char *buf,
			 size_t size);

	/*
	 * Restore, before the plan is made and anything happens: links all descriptions of the kind
	 * that belong together, by ofd->priv, and refuses what cannot be restored. Optional.
	 */
	int (*adapt)(struct snapshot *snap, const struct opts *opts, struct err *err);

	/* Restore: the description that must be open before this one; NULL: none. Optional. */
	const struct ofd *(*after)(const struct snapshot *snap, const struct ofd *ofd);

	/* Restore: makes it, in the actor of ofd->owner. The caller owns *ret_fd. */
	int (*open)(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err);

	/*
	 * Restore: once every descriptor of every table stands at its number (epoll sets, owners,
	 * foreground groups). @fd: its number in the owner's table. Optional; and so is the other
	 * one, which tells those that need it.
	 */
	int (*finish)(struct fd_opener *opener, const struct ofd *ofd, int fd, struct err *err);
	bool (*needs_finish)(const struct ofd *ofd);
};

/* The kind of a live description, NULL: none. */
const struct fd_kind *fd_kind_of_record(const struct rec_fd *rec);
/* The kind that restores entries of @type, NULL: none. */
const struct fd_kind *fd_kind_of_type(FdTypes type);

/*
 * Before the first check and after the last resolve of a dump. begin allocates x->priv; end frees
 * it, and does nothing a second time.
 */
int fd_extract_begin(struct fd_extract *x, struct err *err);
int fd_extract_end(struct fd_extract *x, struct err *err);
/*
 * When the dump failed: removes the names that --link-remap made. Fine at any time. The other one
 * does it in another process, by what stood in x->names.
 */
void fd_extract_undo(struct fd_extract *x);
void fd_extract_remove_names(const char *names, size_t size);

/*
 * Makes or finds the file entry for something that is not in a descriptor table: mapped file, cwd,
 * root, exe. One entry per (path, dev, ino, flags). @rec carries path, dev, ino, mode, flags
 * (O_RDONLY or O_RDWR); @fd: a descriptor of the file, may be O_PATH, borrowed, or -1.
 */
int fd_extract_path(struct fd_extract *x, const struct rec_fd *rec, int fd, struct ofd **ret_ofd,
		    struct err *err);

/*
 * Restore: opens the file of a reg_file_entry for a mapping, cwd, root or exe, with @flags (O_*).
 * Ghosts and link remaps are resolved. The caller owns *ret_fd.
 */
int fd_open_path(struct fd_opener *opener, const struct ofd *ofd, int flags, int *ret_fd,
		 struct err *err);

/*
 * Dump, for every descriptor of every table: notes the locks of files that are held by it. 0; or
 * -ENOTSUP with words that name --file-locks if that was not given.
 */
int fd_note_locks(const struct fd_extract *x, const struct task *task, const struct ofd *ofd,
		  const struct rec_fd *rec, struct err *err);

/*
 * Restore, before the plan is made; ofd->kind is set. Runs ->adapt of all kinds. 0 or -errno: the
 * image cannot be restored with these options.
 */
int fd_restore_adapt(struct snapshot *snap, const struct opts *opts, struct err *err);

/*
 * Restore, in the coordinator: makes what tables refer to but no task owns alone: ghost files
 * below root, memfds, duplicates of what --inherit-fd gave (all inherited by fork); and removes
 * names that were only needed meanwhile. cleanup is safe after a failed prepare; names that belong
 * to the image are kept unless it was @restored.
 */
int fd_restore_prepare(struct snapshot *snap, const struct opts *opts, int images_fd, int root_fd,
		       int service_fd, struct err *err);
int fd_restore_cleanup(struct snapshot *snap, const struct opts *opts, int root_fd, bool restored,
		       struct err *err);

/* Restore, in the coordinator, when all mappings stand: seals of memfds that forbid such. */
int fd_restore_seal(const struct snapshot *snap, struct err *err);

/*
 * Restore: does @task hold locks, and in its actor, when nothing else is left to be done with its
 * descriptors: takes them. POSIX locks are left to the restore program, since a process loses them
 * whenever it closes any descriptor of the file.
 */
bool fd_lock_is_posix(const FileLockEntry *lock);
bool fd_has_locks(const struct snapshot *snap, const struct task *task);
int fd_take_locks(const struct snapshot *snap, const struct task *task, struct err *err);

/* Restore, before the plan is built: finds the terminal that crib was started from. */
void fd_restore_begin(struct snapshot *snap, const struct opts *opts);

/*
 * Restore, when all tasks run: tells the foreground job on the terminal that crib was started from
 * to look at the window's size, and so to draw its screen, which this terminal has not seen.
 */
void fd_restore_end(const struct snapshot *snap);

/*
 * Restore: has the session @sid a controlling terminal that the image brings back? Its leader takes
 * it right after setsid(), since members of a session get it only by being forked.
 */
bool fd_has_terminal(const struct snapshot *snap, pid_t sid);
int fd_take_terminal(const struct snapshot *snap, pid_t sid, struct err *err);
/* Restore, in the leader, when all groups exist: the terminal's foreground group. */
int fd_set_foreground(const struct snapshot *snap, pid_t sid, struct err *err);

/*
 * Restore, in the finisher, when all threads are there: those that get the signals of a description.
 * fd_fown_apply() has left them out.
 */
int fd_set_thread_owners(const struct snapshot *snap, struct err *err);

/* fown_entry helpers: F_GETOWN_EX and F_GETSIG of @fd; and back. */
FownEntry *fd_fown_extract(struct snapshot *snap, int fd);
int fd_fown_apply(const FownEntry *fown, int fd, struct err *err);

#endif /* CRIB_FD_FD_KIND_H */
