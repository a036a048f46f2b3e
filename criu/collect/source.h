/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A source of records: the BPF engine, the /proc engine, and the remote system calls for what
 * neither can see ("inside"). Sources observe frozen tasks, emit records and interpret nothing.
 */
#ifndef CRIB_COLLECT_SOURCE_H
#define CRIB_COLLECT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "crib/records.h"

/* What is collected in one go, and may be given to different engines. */
enum rec_group {
	RG_TASK,   /* REC_TASK, REC_LIMITS, REC_SIGACTIONS, REC_ITIMERS, REC_PTIMER, REC_PATH */
	RG_THREAD, /* REC_THREAD */
	RG_MM,     /* REC_MM, REC_VMA */
	RG_FD,     /* REC_FD */
	RG_MAX,
};

/* One process to read. All its threads are stopped and stay so during collect(). */
struct collect_target {
	pid_t pid;
	int pidfd;         /* borrowed */
	const pid_t *tids; /* every thread, the leader first; borrowed */
	size_t nr_tids;
	int zombie; /* nothing but REC_TASK can be had */
};

/* Takes records one by one. @rec is borrowed for the call. 0 or -errno, which ends the run. */
struct rec_sink {
	int (*emit)(struct rec_sink *sink, const struct rec_hdr *rec, struct err *err);
};

struct source;

struct source_ops {
	const char *name; /* as --engine names it */
	/*
	 * Emits the records of @group for all of @targets, in their order.
	 * 0; -ENOTSUP: this source has none of that group; other -errno: described in @err.
	 */
	int (*collect)(struct source *source, enum rec_group group,
		       const struct collect_target *targets, size_t n, struct rec_sink *sink,
		       struct err *err);
	void (*free)(struct source *source);
};

struct verdict;

struct source {
	const struct source_ops *ops;
	const struct verdict *verdict; /* of the self-test; NULL: it needs none */
};

/* Makers. NULL with @err when the source cannot work here. The caller frees by ops->free. */
struct source *proc_source_new(struct err *err);

/* How the programs of the BPF engine may be had. */
struct bpf_setup {
	/*
	 * The programs of an earlier crib stay in the kernel where there is a bpffs; loading them
	 * takes ten milliseconds or more: -EAGAIN when that would be needed.
	 */
	bool if_ready;
	bool no_pin;     /* none of those are used, nor are any left there */
	bool must_pin;   /* it is an error when they cannot be left there */
	bool retest;     /* load and test them anew, whatever was found before */
	const char *btf; /* file with the kernel's type information, NULL: the kernel's own */
};

/*
 * In collect/bpf/. Tests the programs when nobody did so on this kernel before: source.verdict.
 * -EPERM: what is missing is named; -ENOTSUP: not on this kernel or machine; other -errno. A file
 * of other type information than the kernel's is -EINVAL.
 */
struct source *bpf_source_new(const struct bpf_setup *setup, struct err *err);

#endif /* CRIB_COLLECT_SOURCE_H */
