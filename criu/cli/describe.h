/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words for what a snapshot holds: flags, signals, mappings, descriptors. For inspect.
 */
#ifndef CRIB_CLI_DESCRIBE_H
#define CRIB_CLI_DESCRIBE_H

#include "base/strbuf.h"
#include "model/snapshot.h"

/* "O_RDWR|O_APPEND"; O_LARGEFILE, which every file has, is left out. */
void describe_open_flags(struct strbuf *buf, uint32_t flags);

/* "SIGHUP", "SIG35". */
void describe_signal(struct strbuf *buf, unsigned int signo);
/* "SIGHUP SIGINT": signal n is bit n - 1. */
void describe_sigset(struct strbuf *buf, uint64_t mask);

/* Constant, or NULL for what has no name. */
const char *describe_clock(uint32_t clock);
const char *describe_policy(uint32_t policy);
const char *describe_limit(size_t resource);
const char *describe_state(enum task_state state);

/* "CLOCK_MONOTONIC armed every 5 s"; what is left of the time changes and is not said. */
void describe_timer(struct strbuf *buf, uint32_t clock, uint64_t sec, uint64_t nsec, bool armed);

/* One mapping. Pointers live as long as the snapshot, or are constant. */
struct vma_view {
	char prot[5];     /* "rw-p" */
	const char *kind; /* "anonymous", "file", "shared", "heap", "stack", "vdso" ... */
	const char *path; /* of a file or memfd, NULL: none */
	size_t path_len;
	bool deleted;    /* the file is */
	uint64_t offset; /* in the file or the shared memory, bytes */
	bool has_offset;
};

void describe_vma(const struct snapshot *snap, const struct mm *mm, const struct vma *vma,
		  struct vma_view *ret_view);
/* "growsdown locked nodump": what flags and madvise() add. */
void describe_vma_flags(struct strbuf *buf, const struct vma *vma);

/* One open file description. */
struct fd_view {
	const char *kind; /* "file", "pipe", "eventfd" ... */
	const char *path; /* or NULL */
	size_t path_len;
	bool deleted;
	uint32_t flags; /* O_* */
	uint64_t pos;
	bool has_flags, has_pos;
};

void describe_fd(const struct snapshot *snap, const struct ofd *ofd, struct fd_view *ret_view);
/* What else its kind knows: "counter 3", "watches 5 6", "SIGUSR2". */
void describe_fd_detail(struct strbuf *buf, const struct snapshot *snap, const struct ofd *ofd);

#endif /* CRIB_CLI_DESCRIBE_H */
