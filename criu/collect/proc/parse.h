/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsers of /proc files: text in, fields of records out, nothing else is read or asked. Formats
 * are those of proc(5) and fs/proc/ of the kernel. Lines that nobody knows are skipped, because
 * every kernel adds some; a known line that is malformed is -EBADMSG, described.
 */
#ifndef CRIB_COLLECT_PROC_PARSE_H
#define CRIB_COLLECT_PROC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/err.h"
#include "crib/records.h"

/* What of /proc/PID/status is wanted. */
struct proc_status {
	bool has_umask; /* not of zombies, nor before Linux 4.7 */
	bool has_creds;
	bool has_seccomp;
	uint32_t umask;
	uint32_t uid[4], gid[4]; /* real, effective, saved, filesystem */
	uint64_t cap_inh, cap_prm, cap_eff, cap_bnd, cap_amb;
	uint32_t no_new_privs, seccomp_mode, seccomp_filters;
	uint64_t sig_ignored, sig_caught; /* bit n-1: signal n */
	ARRAY(uint32_t) groups;           /* in the arena */
};

int proc_parse_status(const char *text, struct arena *arena, struct proc_status *ret_status,
		      struct err *err);

/* /proc/PID/limits: all sixteen of them. The header of @ret_limits is left alone. */
int proc_parse_limits(const char *text, struct rec_limits *ret_limits, struct err *err);

/*
 * /proc/PID/timers, one timer at a time: fills @ret_timer but its header and moves *@pos behind it.
 * 1; 0 at the end of the text.
 */
int proc_parse_timer(const char **pos, struct rec_ptimer *ret_timer, struct err *err);

/* /proc/PID/fdinfo/N, of which only the first lines are looked at. */
struct proc_fdinfo {
	uint64_t pos;
	uint32_t flags; /* O_* with O_CLOEXEC */
	int32_t mnt_id; /* -1: not known */
};

int proc_parse_fdinfo(const char *text, struct proc_fdinfo *ret_info, struct err *err);

/*
 * /proc/PID/auxv: @size bytes of pairs of words of @word_size (4 or 8) bytes, widened into
 * @ret_words without the AT_NULL at the end. Returns the number of words.
 */
int proc_parse_auxv(const void *data, size_t size, size_t word_size, uint64_t *ret_words,
		    size_t max_words, struct err *err);

/* "mnt:[4026531832]": what readlink(2) of /proc/PID/ns/NAME gives. */
int proc_parse_ns_link(const char *text, uint64_t *ret_ino, struct err *err);

/* Mount ids of /proc/PID/mountinfo, in the order of the text. */
struct proc_mount_ids {
	ARRAY(int32_t) ids;
};

int proc_parse_mount_ids(const char *text, struct arena *arena, struct proc_mount_ids *ret_mounts,
			 struct err *err);

/* One mapping of /proc/PID/smaps, or of maps, which has only the first line of each. */
struct proc_vma {
	uint64_t start, end, offset, dev, ino;
	uint64_t flags;   /* REC_VMF() */
	bool has_details; /* came with more than the first line: flags are all known, and own_kb */
	bool has_key;     /* a protection key that is not 0; flags have it, too */
	uint64_t own_kb;  /* anonymous, swapped and huge pages: all that can be its own */
	const char *name; /* in the text, as printed there, not ended by a NUL */
	size_t name_len;
};

/* Reads the mapping at *@pos and moves *@pos behind it. 1; 0 at the end of the text. */
int proc_parse_vma(const char **pos, struct proc_vma *ret_vma, struct err *err);

/* What the printed name of a mapping says. Points into @vma's name, or nowhere with length 0. */
struct proc_vma_name {
	enum rec_vma_special special;
	bool is_file;     /* @name is a path, or what stands for one ("socket:[17]") */
	const char *name; /* path, PR_SET_VMA_ANON_NAME's, or of a REC_VMA_OTHER */
	size_t len;
};

struct proc_vma_name proc_vma_name(const struct proc_vma *vma);

#endif /* CRIB_COLLECT_PROC_PARSE_H */
