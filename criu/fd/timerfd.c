// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timerfds: the time left, the interval, and the expirations that were not read yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cpus.h"
#include "fd/fdinfo.h"
#include "fd/kinds.h"
#include "fd/reopen.h"

/* linux/timerfd.h cannot stand beside libc's header. */
#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

enum { MAX_READS = 10 };

#define NSEC_PER_SEC INT64_C(1000000000)

static bool timerfd_match(const struct rec_fd *rec)
{
	return rec_path_is(rec, "anon_inode:[timerfd]");
}

/* ---- Dump ---- */

static int read_info(int fd, struct fdinfo_timerfd *info, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	int ret = fdinfo_read_own(fd, &text, err);

	return ret < 0 ? ret : fdinfo_parse_timerfd(strbuf_str(&text), info, err);
}

/*
 * A periodic timer that has expired stands still until somebody asks for it, and fdinfo does not
 * tell when it would expire next. timerfd_gettime() lets it catch up, which nobody else can tell
 * from what a read of it would have done. A short one may have expired again when it is read.
 */
static int read_state(int fd, struct fdinfo_timerfd *info, struct err *err)
{
	struct itimerspec value;
	int ret = read_info(fd, info, err);

	for (int i = 0; i < MAX_READS && ret == 0; i++) {
		if (info->value_sec || info->value_nsec ||
		    !(info->interval_sec || info->interval_nsec) || !info->ticks)
			return 0;
		if (timerfd_gettime(fd, &value))
			return err_sys(err, "timerfd_gettime");
		ret = read_info(fd, info, err);
	}
	if (ret == 0 && !info->value_sec && !info->value_nsec) {
		info->value_sec = value.it_value.tv_sec;
		info->value_nsec = value.it_value.tv_nsec;
		if (!info->value_sec && !info->value_nsec)
			info->value_nsec = 1; /* due again */
	}
	return ret;
}

static bool is_time_of_day(uint32_t settime_flags, uint32_t clockid)
{
	return (settime_flags & TFD_TIMER_ABSTIME) &&
	       (clockid == CLOCK_REALTIME || clockid == CLOCK_REALTIME_ALARM);
}

static int fill_state(TimerfdEntry *entry, int fd, struct err *err)
{
	struct fdinfo_timerfd info;
	struct timespec now;
	int ret = read_state(fd, &info, err);

	if (ret < 0)
		return ret;
	clock_gettime(CLOCK_REALTIME, &now);
	entry->clockid = (uint32_t)info.clockid;
	entry->ticks = info.ticks;
	entry->settime_flags = info.settime_flags;
	entry->vsec = (uint64_t)info.value_sec;
	entry->vnsec = (uint64_t)info.value_nsec;
	entry->isec = (uint64_t)info.interval_sec;
	entry->insec = (uint64_t)info.interval_nsec;
	if (is_time_of_day(entry->settime_flags, entry->clockid) && (entry->vsec || entry->vnsec)) {
		entry->has_expires_ns = true;
		entry->expires_ns = (uint64_t)((now.tv_sec + info.value_sec) * NSEC_PER_SEC +
					       now.tv_nsec + info.value_nsec);
	}
	return 0;
}

static int timerfd_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	TimerfdEntry *entry = SNAP_MSG(x->snap, TimerfdEntry, timerfd_entry);

	entry->id = ofd->entry->id;
	entry->flags = ofd->rec->flags;
	entry->fown = fd_fown_extract(x->snap, fd);
	ofd->entry->tfd = entry;
	return fill_state(entry, fd, err);
}

/*
 * One that is due, and whose interrupt has not been taken yet, looks like one that is not set. On
 * a virtual machine that lasts for milliseconds.
 */
static int timerfd_resolve(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	const TimerfdEntry *entry = ofd->entry->tfd;
	struct fd_shared *shared = fd_shared(x);

	if (entry->vsec || entry->vnsec || entry->ticks)
		return 0;
	if (!shared->timers_settled)
		cpus_visit();
	shared->timers_settled = true;
	return fill_state(ofd->entry->tfd, fd, err);
}

/* ---- Restore ---- */

static int64_t to_ns(uint64_t sec, uint64_t nsec)
{
	return (int64_t)(sec * NSEC_PER_SEC + nsec);
}

static struct timespec to_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				  .tv_nsec = (long)(ns % NSEC_PER_SEC) };
}

static int64_t now_of(uint32_t clockid)
{
	struct timespec now;

	clock_gettime((clockid_t)clockid, &now);
	return to_ns((uint64_t)now.tv_sec, (uint64_t)now.tv_nsec);
}

static int check_entry(const TimerfdEntry *entry, struct err *err)
{
	const uint64_t most = INT64_MAX / NSEC_PER_SEC / 2;

	if (entry->vsec > most || entry->isec > most || entry->vnsec >= NSEC_PER_SEC ||
	    entry->insec >= NSEC_PER_SEC || entry->expires_ns > INT64_MAX)
		return err_set(err, -EBADMSG, "file %u is a timer of times that are none",
			       entry->id);
	return 0;
}

/*
 * A time of day stays what it was; any other absolute time is on a clock that began anew. What has
 * expired and goes on has no time left in images of criu, which is as good as a whole interval.
 */
static int set_time(const TimerfdEntry *entry, int fd, struct err *err)
{
	int64_t interval = to_ns(entry->isec, entry->insec);
	int64_t value = to_ns(entry->vsec, entry->vnsec);
	struct itimerspec spec = { .it_interval = to_timespec(interval) };

	if (!value && entry->ticks)
		value = interval;

	if (value && entry->has_expires_ns)
		value = (int64_t)entry->expires_ns;
	else if (value && (entry->settime_flags & TFD_TIMER_ABSTIME))
		value += now_of(entry->clockid);
	spec.it_value = to_timespec(value);
	if (timerfd_settime(fd, (int)entry->settime_flags, &spec, NULL))
		return err_sys(err, "timerfd_settime flags %#x", entry->settime_flags);
	return 0;
}

/*
 * Where the kernel cannot be told the number (CONFIG_CHECKPOINT_RESTORE is off) the timer is set
 * to a time as long ago as it takes for so many expirations.
 */
static int emulate_ticks(const TimerfdEntry *entry, int fd, struct err *err)
{
	int64_t interval = to_ns(entry->isec, entry->insec);
	int64_t start = now_of(entry->clockid) + to_ns(entry->vsec, entry->vnsec);
	struct itimerspec spec = { .it_interval = to_timespec(interval) };
	int64_t back;

	if (__builtin_mul_overflow(interval, (int64_t)entry->ticks, &back) || back >= start)
		back = start - 1;
	spec.it_value = to_timespec(interval ? start - back : 1);
	if (timerfd_settime(fd, (int)entry->settime_flags | TFD_TIMER_ABSTIME, &spec, NULL))
		return err_sys(err, "timerfd_settime flags %#x", entry->settime_flags);
	return 0;
}

static int set_ticks(const TimerfdEntry *entry, int fd, struct err *err)
{
	uint64_t ticks = entry->ticks;

	if (!ticks || !ioctl(fd, TFD_IOC_SET_TICKS, &ticks))
		return 0;
	if (errno != ENOTTY)
		return err_sys(err, "TFD_IOC_SET_TICKS %llu", (unsigned long long)ticks);
	return emulate_ticks(entry, fd, err);
}

static int timerfd_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd,
			struct err *err)
{
	const TimerfdEntry *entry = ofd->entry->tfd;
	int ret = check_entry(entry, err);

	if (ret < 0)
		return ret;
	_cleanup_close_ int fd = timerfd_create((clockid_t)entry->clockid, TFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "make a timerfd of clock %u%s", entry->clockid,
			       errno == EPERM ? ", which needs CAP_WAKE_ALARM" : "");
	ret = set_time(entry, fd, err);
	if (ret == 0)
		ret = set_ticks(entry, fd, err);
	if (ret == 0)
		ret = fd_set_status(fd, entry->flags, err);
	if (ret == 0)
		ret = fd_fown_apply(entry->fown, fd, err);
	if (ret == 0)
		*ret_fd = take_fd(&fd);
	return ret;
}

const struct fd_kind fd_kind_timerfd = {
	.name = "timerfd",
	.type = FD_TYPES__TIMERFD,
	.match = timerfd_match,
	.extract = timerfd_extract,
	.resolve = timerfd_resolve,
	.open = timerfd_open,
};
