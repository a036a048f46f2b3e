// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser of fdinfo texts, see fdinfo.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/parse.h"
#include "fd/fdinfo.h"

static int malformed(const char *key, struct err *err)
{
	return err_set(err, -EBADMSG, "fdinfo: the line '%s' is missing or cannot be read", key);
}

/* Moves *@pos behind the next line that begins with @key, and behind the blanks that follow. */
static bool find_line(const char **pos, const char *key)
{
	do {
		if (scan_str(pos, key)) {
			scan_blanks(pos);
			return true;
		}
	} while (scan_line(pos));
	return false;
}

static bool find_u64(const char *text, const char *key, bool scan(const char **, uint64_t *),
		     uint64_t *ret_value)
{
	return find_line(&text, key) && scan(&text, ret_value);
}

int fdinfo_parse_eventfd(const char *text, struct fdinfo_eventfd *ret_info, struct err *err)
{
	struct fdinfo_eventfd info = { 0 };
	uint64_t semaphore = 0;

	if (!find_u64(text, "eventfd-count:", scan_hex, &info.count))
		return malformed("eventfd-count", err);
	find_u64(text, "eventfd-semaphore:", scan_u64, &semaphore);
	info.semaphore = semaphore;
	*ret_info = info;
	return 0;
}

int fdinfo_parse_signalfd(const char *text, uint64_t *ret_mask, struct err *err)
{
	return find_u64(text, "sigmask:", scan_hex, ret_mask) ? 0 : malformed("sigmask", err);
}

/* "(seconds, nanoseconds)" */
static bool find_timespec(const char *text, const char *key, int64_t *ret_sec, int64_t *ret_nsec)
{
	return find_line(&text, key) && scan_str(&text, "(") && scan_i64(&text, ret_sec) &&
	       scan_str(&text, ", ") && scan_i64(&text, ret_nsec) && scan_str(&text, ")") &&
	       *ret_sec >= 0 && *ret_nsec >= 0 && *ret_nsec < 1000000000;
}

int fdinfo_parse_timerfd(const char *text, struct fdinfo_timerfd *ret_info, struct err *err)
{
	struct fdinfo_timerfd info = { 0 };
	uint64_t clockid, flags;

	if (!find_u64(text, "clockid:", scan_u64, &clockid) || clockid > INT32_MAX)
		return malformed("clockid", err);
	if (!find_u64(text, "ticks:", scan_u64, &info.ticks))
		return malformed("ticks", err);
	if (!find_u64(text, "settime flags:", scan_oct, &flags) || flags > UINT32_MAX)
		return malformed("settime flags", err);
	if (!find_timespec(text, "it_value:", &info.value_sec, &info.value_nsec))
		return malformed("it_value", err);
	if (!find_timespec(text, "it_interval:", &info.interval_sec, &info.interval_nsec))
		return malformed("it_interval", err);
	info.clockid = (int32_t)clockid;
	info.settime_flags = (uint32_t)flags;
	*ret_info = info;
	return 0;
}

/* Blanks, @key and a blank or more: "  pos:0" and "events:       19" alike. */
static bool scan_key(const char **pos, const char *key)
{
	scan_blanks(pos);
	if (!scan_str(pos, key))
		return false;
	scan_blanks(pos);
	return true;
}

static bool scan_watch(const char *pos, struct fdinfo_watch *watch)
{
	uint64_t fd, events;

	if (!scan_u64(&pos, &fd) || fd > INT32_MAX || !scan_key(&pos, "events:") ||
	    !scan_hex(&pos, &events) || events > UINT32_MAX || !scan_key(&pos, "data:") ||
	    !scan_hex(&pos, &watch->data))
		return false;
	watch->fd = (int32_t)fd;
	watch->events = (uint32_t)events;
	if (!scan_key(&pos, "pos:"))
		return true;
	watch->has_file = true;
	return scan_i64(&pos, &watch->pos) && scan_key(&pos, "ino:") &&
	       scan_hex(&pos, &watch->ino) && scan_key(&pos, "sdev:") &&
	       scan_hex(&pos, &watch->dev);
}

int fdinfo_parse_epoll(const char *text, struct arena *arena, struct fdinfo_watches *watches,
		       struct err *err)
{
	while (find_line(&text, "tfd:")) {
		struct fdinfo_watch watch = { 0 };

		if (!scan_watch(text, &watch))
			return malformed("tfd", err);
		*array_push(arena, &watches->v) = watch;
	}
	return 0;
}

struct word {
	const char *text;
	int value;
};

static bool scan_word(const char **pos, const struct word *words, size_t n, int *ret_value)
{
	scan_blanks(pos);
	for (size_t i = 0; i < n; i++) {
		if (!scan_str(pos, words[i].text))
			continue;
		*ret_value = words[i].value;
		return true;
	}
	return false;
}

/* "DEVICE:INODE" is skipped: the lock is one of this descriptor. */
static bool skip_word(const char **pos)
{
	scan_blanks(pos);
	size_t len = strcspn(*pos, " \t\n");

	*pos += len;
	scan_blanks(pos);
	return len > 0;
}

/* "1: POSIX  ADVISORY  WRITE 20584 fe:00:11011302 10 29" */
static bool scan_lock(const char *pos, struct fdinfo_lock *lock)
{
	static const struct word kinds[] = {
		{ "POSIX ", FDINFO_LOCK_POSIX },   { "FLOCK ", FDINFO_LOCK_FLOCK },
		{ "OFDLCK ", FDINFO_LOCK_OFD },    { "LEASE ", FDINFO_LOCK_LEASE },
		{ "DELEG ", FDINFO_LOCK_OTHER },   { "LAYOUT ", FDINFO_LOCK_OTHER },
		{ "UNKNOWN ", FDINFO_LOCK_OTHER }, { "ACCESS ", FDINFO_LOCK_OTHER },
	};
	static const struct word types[] = {
		{ "READ ", F_RDLCK }, { "WRITE ", F_WRLCK }, { "UNLCK ", F_UNLCK },
		{ "NONE ", F_UNLCK }, { "RW ", F_WRLCK },
	};
	int kind, breaking;
	uint64_t number, end;
	int64_t pid;

	if (!scan_u64(&pos, &number) || !scan_str(&pos, ":") ||
	    !scan_word(&pos, kinds, ARRAY_SIZE(kinds), &kind))
		return false;
	scan_blanks(&pos);
	breaking = !strncmp(pos, "BREAK", strlen("BREAK"));
	if (!skip_word(&pos) || !scan_word(&pos, types, ARRAY_SIZE(types), &lock->type) ||
	    !scan_i64(&pos, &pid) || !skip_word(&pos) || !scan_i64(&pos, &lock->start) ||
	    lock->start < 0)
		return false;
	lock->kind = (enum fdinfo_lock_kind)kind;
	lock->breaking = breaking;
	scan_blanks(&pos);
	if (scan_str(&pos, "EOF"))
		return true;
	if (!scan_u64(&pos, &end) || end > INT64_MAX - 1 || (int64_t)end < lock->start)
		return false;
	lock->len = (int64_t)end - lock->start + 1;
	return true;
}

int fdinfo_parse_locks(const char *text, struct arena *arena, struct fdinfo_locks *locks,
		       struct err *err)
{
	while (find_line(&text, "lock:")) {
		struct fdinfo_lock lock = { 0 };

		if (!scan_lock(text, &lock))
			return malformed("lock", err);
		*array_push(arena, &locks->v) = lock;
	}
	return 0;
}

int fdinfo_read_own(int fd, struct strbuf *buf, struct err *err)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	int ret = io_read_file(AT_FDCWD, path, buf);
	return ret < 0 ? err_ret(err, ret, "read '%s'", path) : 0;
}

int fdinfo_read_of(pid_t pid, uint32_t fd, struct strbuf *buf, struct err *err)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%u", pid, fd);
	int ret = io_read_file(AT_FDCWD, path, buf);
	return ret < 0 ? err_ret(err, ret, "read '%s'", path) : 0;
}
