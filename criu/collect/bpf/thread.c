// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads become records.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "base/parse.h"
#include "collect/bpf/engine.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

enum {
	MAX_GROUPS = 65536,        /* NGROUPS_MAX */
	ROBUST_LIST_SIZE = 24,     /* of struct robust_list_head; there is only one length */
	PFA_NO_NEW_PRIVS = 1 << 0, /* of atomic_flags, include/linux/sched.h */
};

/* ---- The cpus that there are ---- */

static void add_cpus(struct bpf_source *source, uint64_t from, uint64_t to)
{
	for (uint64_t cpu = from; cpu <= to && cpu < RAW_MAX_CPU_BYTES * 8; cpu++) {
		source->cpus[cpu / 32] |= 1U << cpu % 32;
		source->cpu_words = (uint32_t)cpu / 32 + 1;
	}
}

/* "0-3,8": sched_getaffinity(2) leaves out the cpus that are not there. */
int bpf_read_cpus(struct bpf_source *source, struct err *err)
{
	static const char path[] = "/sys/devices/system/cpu/online";
	_cleanup_strbuf_ struct strbuf text = { 0 };
	uint64_t from, to;

	int ret = io_read_file(AT_FDCWD, path, &text);
	if (ret < 0)
		return err_ret(err, ret, "read '%s'", path);
	for (const char *p = strbuf_str(&text); scan_u64(&p, &from);) {
		to = from;
		if (scan_str(&p, "-") && !scan_u64(&p, &to))
			break;
		add_cpus(source, from, to);
		if (!scan_str(&p, ","))
			break;
	}
	if (!source->cpu_words)
		return err_set(err, -EBADMSG, "'%s' names no cpu", path);
	source->programs.control->cpu_bytes = ALIGN_UP(source->cpu_words * 4, 8U);
	return 0;
}

/* Appends the words of the mask without zeroes at the end. Returns their number. */
static uint32_t put_affinity(struct bpf_run *run, const struct raw_thread *raw)
{
	const struct bpf_source *source = run->source;
	uint32_t n =
		raw->cpu_bytes / 4 < source->cpu_words ? raw->cpu_bytes / 4 : source->cpu_words;

	strbuf_reset(&run->tail);
	while (n && !(raw->thread.tail[n - 1] & source->cpus[n - 1]))
		n--;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t word = raw->thread.tail[i] & source->cpus[i];

		strbuf_add(&run->tail, &word, sizeof(word));
	}
	return n;
}

/* ---- Interrupted calls ---- */

/* Struct restart_block as each kind of call fills it; three layouts of one union. */
struct restart_sleep {
	__s32 clock;
	__u32 type; /* 0 .. 2 */
	__u64 rmtp, expires;
};

struct restart_poll {
	__u64 ufds;
	__s32 nfds;
	__s32 has_timeout; /* 1: without one there is nothing to restart */
	__u64 sec, nsec;
};

struct restart_futex {
	__u64 uaddr;
	__u32 val, flags, bitset, pad;
	__u64 time;
};

enum {
	MAX_CLOCK = 11,
	MAX_RMTP_TYPE = 2,
	FUTEX_CLOCKRT_OLD = 0x02, /* before Linux 6.7 beside 0x04: has a time-out */
	FUTEX_TIMEOUT_OLD = 0x04,
	FUTEX_CLOCKRT = 0x20,
	FUTEX_TIMEOUT = 0x40,
};

/*
 * How long the interrupted call would have gone on. Which kind of call it was is known from its
 * function, which has no name here, or from what is in the union: a clock and a small number, a
 * lone 1, or flags. What is there when no call was interrupted is old and of no use: whoever uses
 * it looks at the registers first. False: nothing that makes sense.
 */
static bool restart_remaining(const struct raw_thread *raw, uint64_t *ret_ns)
{
	struct restart_sleep sleep;
	struct restart_poll poll;
	struct restart_futex futex;
	uint64_t expires, now;

	memcpy(&sleep, &raw->restart, sizeof(sleep));
	memcpy(&poll, &raw->restart, sizeof(poll));
	memcpy(&futex, &raw->restart, sizeof(futex));
	if (poll.has_timeout == 1 && poll.nsec < 1000000000) {
		expires = poll.sec * 1000000000 + poll.nsec;
		now = raw->now.monotonic;
	} else if (sleep.clock >= 0 && sleep.clock <= MAX_CLOCK && sleep.type <= MAX_RMTP_TYPE &&
		   sleep.clock != CLOCK_PROCESS_CPUTIME_ID &&
		   sleep.clock != CLOCK_THREAD_CPUTIME_ID) {
		expires = sleep.expires;
		now = bpf_clock_now(sleep.clock, &raw->now);
	} else if (futex.flags & (FUTEX_TIMEOUT | FUTEX_TIMEOUT_OLD)) {
		uint32_t realtime = futex.flags & FUTEX_TIMEOUT ? FUTEX_CLOCKRT : FUTEX_CLOCKRT_OLD;

		expires = futex.time;
		now = bpf_clock_now(futex.flags & realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC,
				    &raw->now);
	} else {
		return false;
	}
	*ret_ns = expires > now ? expires - now : 0;
	return expires != 0;
}

/* ---- Records ---- */

static void fill(const struct raw_thread *raw, struct rec_thread *rec)
{
	rec->hdr.valid = RV_THREAD_STAT | RV_THREAD_SCHED | RV_THREAD_AFFINITY | RV_THREAD_SLACK |
			 RV_THREAD_CREDS | RV_THREAD_SECUREBITS | RV_THREAD_SECCOMP |
			 RV_THREAD_ROBUST | RV_THREAD_SAS | RV_THREAD_CTID | RV_THREAD_PDEATH;
	rec->state = (unsigned char)bpf_state_letter(raw->run_state, raw->exit_state);
	rec->no_new_privs = !!(raw->atomic_flags & PFA_NO_NEW_PRIVS);
	rec->robust_list_len = ROBUST_LIST_SIZE;
	/* as sigaltstack(2) says it, but for whether it is stood on */
	rec->sas_flags &= SS_AUTODISARM;
	if (!rec->sas_size)
		rec->sas_flags |= SS_DISABLE;
	uint64_t ns;
	if (restart_remaining(raw, &ns)) {
		rec->restart_remaining_ns = ns;
		rec->hdr.valid |= RV_THREAD_RESTART;
	}
}

int bpf_take_thread(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_thread *raw = (const void *)head;

	if (len < sizeof(*raw) || raw->cpu_bytes > RAW_MAX_CPU_BYTES || raw->cpu_bytes % 8 ||
	    raw->groups_here > RAW_GROUPS_CHUNK ||
	    len != sizeof(*raw) + raw->cpu_bytes + 4 * (size_t)raw->groups_here)
		return bpf_malformed(run, "thread of a wrong length");
	run->count++;
	if (raw->exit_state && raw->thread.hdr.tid != (__u32)bpf_target(run, head)->pid)
		return 0; /* it has ended */
	run->nr_alive++;
	struct rec_thread rec = raw->thread;
	rec.hdr = (struct rec_hdr){ .type = REC_THREAD,
				    .pid = (__u32)bpf_target(run, head)->pid,
				    .tid = raw->thread.hdr.tid };
	fill(raw, &rec);
	rec.nr_cpu_words = put_affinity(run, raw);
	rec.nr_groups = raw->groups_here;
	strbuf_add(&run->tail, raw->thread.tail + raw->cpu_bytes / 4, 4 * (size_t)rec.nr_groups);
	run->last = run->out.len;
	bpf_put(run, &rec.hdr, sizeof(rec), strbuf_str(&run->tail), run->tail.len);
	return 0;
}

/* The record in front grows. Its padding is in the way and goes. */
int bpf_take_groups(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_groups *raw = (const void *)head;

	if (len < sizeof(*raw) || raw->n > RAW_GROUPS_CHUNK ||
	    len != sizeof(*raw) + 4 * (size_t)raw->n)
		return bpf_malformed(run, "groups of a wrong length");
	struct rec_thread rec;
	if (run->last > run->out.len || run->out.len - run->last < sizeof(rec))
		return bpf_malformed(run, "groups of no thread");
	memcpy(&rec, run->out.data + run->last, sizeof(rec));
	if (rec.hdr.type != REC_THREAD || rec.hdr.len != run->out.len - run->last ||
	    rec.nr_groups > MAX_GROUPS)
		return bpf_malformed(run, "groups of no thread");
	run->out.len = run->last + sizeof(rec) + 4 * (size_t)(rec.nr_cpu_words + rec.nr_groups);
	strbuf_add(&run->out, raw->gid, 4 * (size_t)raw->n);
	rec.nr_groups += raw->n;
	if (run->out.len % 8)
		strbuf_add(&run->out, "\0\0\0\0", 4);
	rec.hdr.len = (__u32)(run->out.len - run->last);
	memcpy(run->out.data + run->last, &rec, sizeof(rec));
	return 0;
}
