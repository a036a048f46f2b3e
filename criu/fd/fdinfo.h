/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc/PID/fdinfo/N says beyond position and flags: the state of eventfds, signalfds,
 * timerfds and epoll sets, and file locks. The format is that of proc_pid_fdinfo(5).
 */
#ifndef CRIB_FD_FDINFO_H
#define CRIB_FD_FDINFO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/err.h"
#include "base/strbuf.h"

struct fdinfo_eventfd {
	uint64_t count;
	bool semaphore; /* told since Linux 6.5, false before */
};

struct fdinfo_timerfd {
	int32_t clockid;               /* CLOCK_* */
	uint64_t ticks;                /* expirations not yet read */
	uint32_t settime_flags;        /* TFD_TIMER_* */
	int64_t value_sec, value_nsec; /* time left; 0: not armed, or expired */
	int64_t interval_sec, interval_nsec;
};

/* One descriptor in an epoll set. */
struct fdinfo_watch {
	int32_t fd; /* the number it had when it was added */
	uint32_t events;
	uint64_t data;
	bool has_file; /* pos, ino and dev are told, since Linux 4.13 */
	int64_t pos;
	uint64_t ino;
	uint64_t dev; /* of the superblock, major << 20 | minor */
};

struct fdinfo_watches {
	ARRAY(struct fdinfo_watch) v; /* in the kernel's order, which KCMP_EPOLL_TFD counts by */
};

/* The numbers are those of file_lock_entry.flag. */
enum fdinfo_lock_kind {
	FDINFO_LOCK_POSIX = 1,
	FDINFO_LOCK_FLOCK = 2,
	FDINFO_LOCK_OFD = 4,
	FDINFO_LOCK_LEASE = 8,
	FDINFO_LOCK_OTHER = 0,
};

struct fdinfo_lock {
	enum fdinfo_lock_kind kind;
	bool breaking; /* a lease that somebody waits for */
	int type;      /* F_RDLCK, F_WRLCK, F_UNLCK */
	int64_t start; /* first byte */
	int64_t len;   /* bytes, 0: to the end of the file */
};

struct fdinfo_locks {
	ARRAY(struct fdinfo_lock) v;
};

/* All return 0, or -EBADMSG with @err: a line is missing or is not what it should be. */
int fdinfo_parse_eventfd(const char *text, struct fdinfo_eventfd *ret_info, struct err *err);
int fdinfo_parse_signalfd(const char *text, uint64_t *ret_mask, struct err *err);
int fdinfo_parse_timerfd(const char *text, struct fdinfo_timerfd *ret_info, struct err *err);
/* These append, and find nothing where no line is. */
int fdinfo_parse_epoll(const char *text, struct arena *arena, struct fdinfo_watches *watches,
		       struct err *err);
int fdinfo_parse_locks(const char *text, struct arena *arena, struct fdinfo_locks *locks,
		       struct err *err);

/*
 * Reads the text about descriptor @fd of crib itself, or of task @pid, into @buf. 0 or -errno.
 */
int fdinfo_read_own(int fd, struct strbuf *buf, struct err *err);
int fdinfo_read_of(pid_t pid, uint32_t fd, struct strbuf *buf, struct err *err);

#endif /* CRIB_FD_FDINFO_H */
