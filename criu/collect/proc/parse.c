// SPDX-License-Identifier: GPL-2.0-only
/*
 * The small files of /proc, see parse.h.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/parse.h"
#include "collect/proc/parse.h"

enum {
	MAX_GROUPS = 65536, /* NGROUPS_MAX, include/uapi/linux/limits.h */
	MAX_MOUNTS = 1000000,
};

/* ---- status ---- */

struct status_line {
	const char *key;
	int (*take)(const char *p, struct arena *arena, struct proc_status *status);
};

/* A number goes up to a blank or the end of the line. */
static bool at_end(const char *p)
{
	return *p == ' ' || *p == '\t' || *p == '\n' || !*p;
}

static int scan_u32(const char **p, uint32_t *ret_value)
{
	uint64_t value;

	scan_blanks(p);
	if (!scan_u64(p, &value) || value > UINT32_MAX || !at_end(*p))
		return -EBADMSG;
	*ret_value = (uint32_t)value;
	return 0;
}

static int scan_mask(const char *p, uint64_t *ret_mask)
{
	scan_blanks(&p);
	return scan_hex(&p, ret_mask) && at_end(p) ? 0 : -EBADMSG;
}

static int take_umask(const char *p, struct arena *arena, struct proc_status *status)
{
	uint64_t value;

	scan_blanks(&p);
	if (!scan_oct(&p, &value) || value > 0777 || !at_end(p))
		return -EBADMSG;
	status->umask = (uint32_t)value;
	status->has_umask = true;
	return 0;
}

static int take_ids(const char *p, uint32_t *ids)
{
	int ret = 0;

	for (int i = 0; i < 4 && ret == 0; i++)
		ret = scan_u32(&p, &ids[i]);
	return ret;
}

static int take_uid(const char *p, struct arena *arena, struct proc_status *status)
{
	status->has_creds = true;
	return take_ids(p, status->uid);
}

static int take_gid(const char *p, struct arena *arena, struct proc_status *status)
{
	return take_ids(p, status->gid);
}

static int take_groups(const char *p, struct arena *arena, struct proc_status *status)
{
	for (scan_blanks(&p); *p && *p != '\n'; scan_blanks(&p)) {
		if (status->groups.n >= MAX_GROUPS)
			return -EBADMSG;
		uint32_t *group = array_push(arena, &status->groups);
		if (scan_u32(&p, group) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int take_nnp(const char *p, struct arena *arena, struct proc_status *status)
{
	return scan_u32(&p, &status->no_new_privs);
}

static int take_seccomp(const char *p, struct arena *arena, struct proc_status *status)
{
	status->has_seccomp = true;
	return scan_u32(&p, &status->seccomp_mode);
}

static int take_filters(const char *p, struct arena *arena, struct proc_status *status)
{
	return scan_u32(&p, &status->seccomp_filters);
}

#define MASK_LINE(name, field)                                                                     \
	static int name(const char *p, struct arena *arena, struct proc_status *status)            \
	{                                                                                          \
		return scan_mask(p, &status->field);                                               \
	}

MASK_LINE(take_ignored, sig_ignored)
MASK_LINE(take_caught, sig_caught)
MASK_LINE(take_cap_inh, cap_inh)
MASK_LINE(take_cap_prm, cap_prm)
MASK_LINE(take_cap_eff, cap_eff)
MASK_LINE(take_cap_bnd, cap_bnd)
MASK_LINE(take_cap_amb, cap_amb)

static const struct status_line status_lines[] = {
	{ "Umask:", take_umask },     { "Uid:", take_uid },
	{ "Gid:", take_gid },         { "Groups:", take_groups },
	{ "SigIgn:", take_ignored },  { "SigCgt:", take_caught },
	{ "CapInh:", take_cap_inh },  { "CapPrm:", take_cap_prm },
	{ "CapEff:", take_cap_eff },  { "CapBnd:", take_cap_bnd },
	{ "CapAmb:", take_cap_amb },  { "NoNewPrivs:", take_nnp },
	{ "Seccomp:", take_seccomp }, { "Seccomp_filters:", take_filters },
};

int proc_parse_status(const char *text, struct arena *arena, struct proc_status *ret_status,
		      struct err *err)
{
	struct proc_status status = { 0 };
	const char *line = text;
	bool more = *line;

	/* The task's name stands in the first line with its newlines escaped. */
	for (; more; more = scan_line(&line)) {
		for (size_t i = 0; i < ARRAY_SIZE(status_lines); i++) {
			const char *p = line;

			if (*p != *status_lines[i].key || !scan_str(&p, status_lines[i].key))
				continue;
			if (status_lines[i].take(p, arena, &status) < 0)
				return err_set(err, -EBADMSG, "status: malformed line '%.*s'",
					       (int)strcspn(line, "\n"), line);
			break;
		}
	}
	*ret_status = status;
	return 0;
}

/* ---- limits ---- */

/* fs/proc/base.c: lnames */
static const struct {
	const char *name;
	int resource;
} limit_names[] = {
	{ "Max cpu time", RLIMIT_CPU },
	{ "Max file size", RLIMIT_FSIZE },
	{ "Max data size", RLIMIT_DATA },
	{ "Max stack size", RLIMIT_STACK },
	{ "Max core file size", RLIMIT_CORE },
	{ "Max resident set", RLIMIT_RSS },
	{ "Max processes", RLIMIT_NPROC },
	{ "Max open files", RLIMIT_NOFILE },
	{ "Max locked memory", RLIMIT_MEMLOCK },
	{ "Max address space", RLIMIT_AS },
	{ "Max file locks", RLIMIT_LOCKS },
	{ "Max pending signals", RLIMIT_SIGPENDING },
	{ "Max msgqueue size", RLIMIT_MSGQUEUE },
	{ "Max nice priority", RLIMIT_NICE },
	{ "Max realtime priority", RLIMIT_RTPRIO },
	{ "Max realtime timeout", RLIMIT_RTTIME },
};
_Static_assert(ARRAY_SIZE(limit_names) == REC_NR_LIMITS, "a limit without its name in /proc");

static bool scan_limit(const char **p, __u64 *ret_value)
{
	uint64_t value = ~UINT64_C(0);

	scan_blanks(p);
	if (!scan_str(p, "unlimited") && !scan_u64(p, &value))
		return false;
	*ret_value = value;
	return true;
}

int proc_parse_limits(const char *text, struct rec_limits *ret_limits, struct err *err)
{
	struct rec_limits limits = *ret_limits;
	const char *line = text;
	uint32_t seen = 0;

	for (bool more = *line; more; more = scan_line(&line)) {
		for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++) {
			int resource = limit_names[i].resource;
			const char *p = line;

			if (!scan_str(&p, limit_names[i].name) || *p != ' ')
				continue;
			if (!scan_limit(&p, &limits.limit[resource].cur) ||
			    !scan_limit(&p, &limits.limit[resource].max))
				return err_set(err, -EBADMSG, "limits: malformed line '%.*s'",
					       (int)strcspn(line, "\n"), line);
			seen |= 1U << resource;
		}
	}
	if (seen != (1U << REC_NR_LIMITS) - 1)
		return err_set(err, -EBADMSG, "limits: not all are there (0x%x)", seen);
	*ret_limits = limits;
	return 0;
}

/* ---- timers ---- */

/* "signal/pid.17", "none/tid.18": how it notifies, and whom. */
static bool scan_notify(const char **p, struct rec_ptimer *timer)
{
	uint64_t target;

	if (scan_str(p, "signal/"))
		timer->notify = SIGEV_SIGNAL;
	else if (scan_str(p, "none/"))
		timer->notify = SIGEV_NONE;
	else if (scan_str(p, "thread/"))
		timer->notify = SIGEV_THREAD;
	else
		return false;
	bool to_thread = scan_str(p, "tid.");
	if ((!to_thread && !scan_str(p, "pid.")) || !scan_u64(p, &target) || target > INT32_MAX)
		return false;
	if (to_thread) {
		timer->notify |= SIGEV_THREAD_ID;
		timer->notify_tid = (uint32_t)target;
	}
	return true;
}

static bool scan_timer_line(const char *p, struct rec_ptimer *timer)
{
	uint64_t value, sigval;
	int64_t clock;

	if (scan_str(&p, "signal: ")) {
		if (!scan_u64(&p, &value) || value > REC_NR_SIGNALS || !scan_str(&p, "/") ||
		    !scan_hex(&p, &sigval))
			return false;
		timer->signo = (uint32_t)value;
		timer->sigval = sigval;
	} else if (scan_str(&p, "notify: ")) {
		return scan_notify(&p, timer);
	} else if (scan_str(&p, "ClockID: ")) {
		if (!scan_i64(&p, &clock) || clock < INT32_MIN || clock > INT32_MAX)
			return false;
		timer->clock = (int32_t)clock;
	}
	return true;
}

int proc_parse_timer(const char **pos, struct rec_ptimer *ret_timer, struct err *err)
{
	struct rec_ptimer timer = { .hdr = ret_timer->hdr };
	const char *line = *pos, *p = line;
	uint64_t id;

	if (!*p)
		return 0;
	if (!scan_str(&p, "ID: ") || !scan_u64(&p, &id) || id > INT32_MAX)
		return err_set(err, -EBADMSG, "timers: no timer starts with '%.*s'",
			       (int)strcspn(line, "\n"), line);
	timer.id = (uint32_t)id;
	while (scan_line(&line) && strncmp(line, "ID: ", 4))
		if (!scan_timer_line(line, &timer))
			return err_set(err, -EBADMSG, "timers: malformed line '%.*s'",
				       (int)strcspn(line, "\n"), line);
	*pos = line;
	*ret_timer = timer;
	return 1;
}

/* ---- fdinfo, auxv, ns, mountinfo ---- */

int proc_parse_fdinfo(const char *text, struct proc_fdinfo *ret_info, struct err *err)
{
	struct proc_fdinfo info = { .mnt_id = -1 };
	const char *p = text;
	uint64_t flags, mnt_id;
	int64_t pos;

	/* Positions of files such as /dev/mem are unsigned, and printed as if they were not. */
	if (!scan_str(&p, "pos:\t") || !scan_i64(&p, &pos) || !scan_str(&p, "\nflags:\t") ||
	    !scan_oct(&p, &flags) || flags > UINT32_MAX)
		return err_set(err, -EBADMSG, "fdinfo: it does not begin with pos and flags");
	info.pos = (uint64_t)pos;
	info.flags = (uint32_t)flags;
	if (scan_str(&p, "\nmnt_id:\t")) {
		if (!scan_u64(&p, &mnt_id) || mnt_id > INT32_MAX)
			return err_set(err, -EBADMSG, "fdinfo: malformed mnt_id");
		info.mnt_id = (int32_t)mnt_id;
	}
	*ret_info = info;
	return 0;
}

static uint64_t auxv_word(const char *data, size_t i, size_t word_size)
{
	uint32_t narrow;
	uint64_t wide;

	if (word_size == sizeof(wide)) {
		memcpy(&wide, data + i * sizeof(wide), sizeof(wide));
		return wide;
	}
	memcpy(&narrow, data + i * sizeof(narrow), sizeof(narrow));
	return narrow;
}

int proc_parse_auxv(const void *data, size_t size, size_t word_size, uint64_t *ret_words,
		    size_t max_words, struct err *err)
{
	size_t n = 0;

	for (; (n + 2) * word_size <= size; n += 2) {
		uint64_t type = auxv_word(data, n, word_size);

		if (type == 0) /* AT_NULL */
			return (int)n;
		if (n + 2 > max_words)
			return err_set(err, -EBADMSG, "auxv: more than %zu words", max_words);
		ret_words[n] = type;
		ret_words[n + 1] = auxv_word(data, n + 1, word_size);
	}
	return err_set(err, -EBADMSG, "auxv: %zu bytes without an end", size);
}

int proc_parse_ns_link(const char *text, uint64_t *ret_ino, struct err *err)
{
	const char *p = strstr(text, ":[");
	uint64_t ino;

	if (!p || !scan_str(&p, ":[") || !scan_u64(&p, &ino) || strcmp(p, "]"))
		return err_set(err, -EBADMSG, "namespace link '%s' has no number", text);
	*ret_ino = ino;
	return 0;
}

int proc_parse_mount_ids(const char *text, struct arena *arena, struct proc_mount_ids *ret_mounts,
			 struct err *err)
{
	struct proc_mount_ids mounts = { 0 };
	const char *line = text;
	uint64_t id;

	for (bool more = *line; more; more = scan_line(&line)) {
		const char *p = line;

		if (!scan_u64(&p, &id) || id > INT32_MAX || *p != ' ' || mounts.ids.n >= MAX_MOUNTS)
			return err_set(err, -EBADMSG, "mountinfo: no mount id in '%.*s'",
				       (int)strcspn(line, "\n"), line);
		*array_push(arena, &mounts.ids) = (int32_t)id;
	}
	*ret_mounts = mounts;
	return 0;
}
