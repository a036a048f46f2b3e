// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parsers of the /proc engine on recorded files: proc/rich is of a program that uses what there
 * is (Linux 6.18, x86-64), proc/old is of kernels before 4.6, proc/arm of 32-bit arm.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/strbuf.h"
#include "collect/dev.h"
#include "collect/proc/parse.h"
#include "target/procstat.h"

/* The recorded file, in @buf. */
static const char *recorded(struct strbuf *buf, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), UNIT_DIR "/proc/%s", name);
	if (io_read_file(AT_FDCWD, path, buf) < 0)
		fail_msg("cannot read '%s'", path);
	return strbuf_str(buf);
}

static void a_stat_line_is_taken_apart(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct procstat stat;
	struct err err;

	assert_int_equal(procstat_parse(recorded(&buf, "rich/stat"), &stat, &err), 0);
	assert_string_equal(stat.comm, "state");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.pid, 15569);
	assert_int_equal(stat.ppid, 1);
	assert_int_equal(stat.pgid, 15569);
	assert_int_equal(stat.sid, 15569);
	assert_int_equal(stat.tty, 0);
	assert_int_equal(stat.tty_pgrp, -1);
	assert_int_equal(stat.flags, 4194560);
	assert_int_equal(stat.nice, 0);
	assert_int_equal(stat.nr_threads, 2);
	assert_int_equal(stat.start_ticks, 359410);
	assert_int_equal(stat.start_code, 94310404321280);
	assert_int_equal(stat.end_code, 94310404323817);
	assert_int_equal(stat.start_stack, 140723018455152);
	assert_int_equal(stat.exit_signal, SIGCHLD);
	assert_int_equal(stat.start_data, 94310404333008);
	assert_int_equal(stat.start_brk, 94311289368576);
	assert_int_equal(stat.arg_start, 140723018461158);
	assert_int_equal(stat.arg_end, 140723018461168);
	assert_int_equal(stat.env_end, 140723018461168);
	assert_int_equal(stat.exit_code, 0);
}

static void a_name_may_hold_parentheses_and_newlines(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct procstat stat;
	struct err err;

	assert_int_equal(procstat_parse(recorded(&buf, "rich/stat-thread"), &stat, &err), 0);
	assert_string_equal(stat.comm, "a)b (c\nd");
	assert_int_equal(stat.pid, 15571);
	assert_int_equal(stat.nice, 5);
	assert_int_equal(stat.exit_signal, -1);
}

static void a_cut_or_wrong_stat_line_is_refused(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct procstat stat;
	struct err err;

	recorded(&buf, "rich/stat");
	/* Without its last field, and everything shorter. */
	for (size_t len = buf.len - 3; len > 0; len--) {
		buf.data[len] = '\0';
		assert_int_equal(procstat_parse(buf.data, &stat, &err), -EBADMSG);
	}
	assert_int_equal(procstat_parse("0 (x) S 1", &stat, &err), -EBADMSG);
	assert_int_equal(procstat_parse(") (", &stat, &err), -EBADMSG);
	assert_int_equal(procstat_parse("1 (", &stat, &err), -EBADMSG);
}

static void status_gives_ids_capabilities_and_groups(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct arena arena = { 0 };
	struct proc_status status;
	struct err err;

	assert_int_equal(proc_parse_status(recorded(&buf, "rich/status"), &arena, &status, &err),
			 0);
	assert_true(status.has_umask && status.has_creds && status.has_seccomp);
	assert_int_equal(status.umask, 027);
	for (int i = 0; i < 4; i++)
		assert_true(status.uid[i] == 0 && status.gid[i] == 0);
	assert_int_equal(status.groups.n, 3);
	assert_int_equal(status.groups.v[0], 4);
	assert_int_equal(status.groups.v[2], 1000);
	assert_int_equal(status.cap_eff, 0x1fffeffffff);
	assert_int_equal(status.cap_inh, 0);
	assert_int_equal(status.no_new_privs, 1);
	assert_int_equal(status.seccomp_mode, 2);
	assert_int_equal(status.seccomp_filters, 1);
	assert_int_equal(status.sig_ignored, 7); /* SIGHUP, SIGINT, SIGQUIT */
	assert_true(status.sig_caught & UINT64_C(1) << 63);
	assert_true(status.sig_caught & 1 << (SIGUSR1 - 1));
	arena_fini(&arena);
}

static void status_of_old_kernels_lacks_lines(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct arena arena = { 0 };
	struct proc_status status;
	struct err err;

	assert_int_equal(proc_parse_status(recorded(&buf, "old/status"), &arena, &status, &err), 0);
	assert_false(status.has_umask);
	assert_true(status.has_creds);
	assert_int_equal(status.uid[0], 1000);
	assert_int_equal(status.uid[2], 0);
	assert_int_equal(status.groups.n, 0);
	assert_int_equal(status.cap_amb, 0);
	assert_int_equal(status.cap_bnd, 0x1fffffffff);
	arena_fini(&arena);
}

static void malformed_status_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"Umask:\t0999\n",
		"Uid:\t0\t0\t0\n",
		"Uid:\t0\t0\t0\t4294967296\n",
		"Gid:\n",
		"Groups:\t4 x\n",
		"CapEff:\tg\n",
		"Seccomp:\t\n",
		"SigCgt:\t10000000000000000\n",
	};
	struct proc_status status;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct arena arena = { 0 };

		assert_int_equal(proc_parse_status(bad[i], &arena, &status, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "status"));
		arena_fini(&arena);
	}
}

static void limits_are_found_by_name(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct rec_limits limits = { 0 };
	struct err err;

	assert_int_equal(proc_parse_limits(recorded(&buf, "rich/limits"), &limits, &err), 0);
	assert_int_equal(limits.limit[RLIMIT_STACK].cur, 8388608);
	assert_int_equal(limits.limit[RLIMIT_STACK].max, ~UINT64_C(0));
	assert_int_equal(limits.limit[RLIMIT_CORE].cur, 0);
	assert_int_equal(limits.limit[RLIMIT_NOFILE].max, 20000);
	assert_int_equal(limits.limit[RLIMIT_RTTIME].cur, ~UINT64_C(0));

	assert_int_equal(proc_parse_limits(recorded(&buf, "arm/limits"), &limits, &err), 0);
	assert_int_equal(limits.limit[RLIMIT_NOFILE].max, 4294967294);
	assert_int_equal(limits.limit[RLIMIT_RTPRIO].cur, 7);
	assert_int_equal(limits.limit[RLIMIT_RTPRIO].max, 9);
}

static void limits_must_be_complete(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct rec_limits limits = { 0 };
	struct err err;

	recorded(&buf, "rich/limits");
	*strstr(buf.data, "Max realtime timeout") = 'm';
	assert_int_equal(proc_parse_limits(buf.data, &limits, &err), -EBADMSG);
	assert_int_equal(proc_parse_limits("", &limits, &err), -EBADMSG);
	assert_int_equal(proc_parse_limits("Max cpu time   -1  0\n", &limits, &err), -EBADMSG);
}

static void timers_come_one_by_one(void **state)
{
	static const struct rec_ptimer expected[] = {
		{ .id = 3,
		  .clock = CLOCK_BOOTTIME,
		  .signo = 10,
		  .notify = SIGEV_THREAD_ID,
		  .notify_tid = 15569,
		  .sigval = 0xdeadbeef },
		{ .id = 2, .clock = -6, .signo = 14, .notify = SIGEV_SIGNAL },
		{ .id = 1,
		  .clock = CLOCK_REALTIME,
		  .signo = 10,
		  .notify = SIGEV_NONE,
		  .sigval = 0xdeadbeef },
		{ .id = 0,
		  .clock = CLOCK_MONOTONIC,
		  .signo = 10,
		  .notify = SIGEV_SIGNAL,
		  .sigval = 0xdeadbeef },
	};
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	const char *pos = recorded(&buf, "rich/timers");
	struct rec_ptimer timer;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		memset(&timer, 0, sizeof(timer));
		assert_int_equal(proc_parse_timer(&pos, &timer, &err), 1);
		assert_memory_equal(&timer, &expected[i], sizeof(timer));
	}
	assert_int_equal(proc_parse_timer(&pos, &timer, &err), 0);
}

static void malformed_timers_are_refused(void **state)
{
	static const char *const bad[] = {
		"signal: 1/0\n",
		"ID: -1\n",
		"ID: 4294967296\n",
		"ID: 0\nsignal: 65/0\n",
		"ID: 0\nsignal: 1\n",
		"ID: 0\nnotify: pigeon/pid.1\n",
		"ID: 0\nnotify: signal/gid.1\n",
		"ID: 0\nClockID: 99999999999\n",
	};
	struct rec_ptimer timer = { 0 };
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *pos = bad[i];

		assert_int_equal(proc_parse_timer(&pos, &timer, &err), -EBADMSG);
		assert_ptr_equal(pos, bad[i]);
	}
}

static void fdinfo_begins_with_position_and_flags(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct proc_fdinfo info;
	struct err err;

	assert_int_equal(proc_parse_fdinfo(recorded(&buf, "rich/fdinfo/3"), &info, &err), 0);
	assert_int_equal(info.pos, 5);
	assert_int_equal(info.flags, 02100002);
	assert_int_equal(info.mnt_id, 27);
	assert_int_equal(proc_parse_fdinfo(recorded(&buf, "rich/fdinfo/8"), &info, &err), 0);
	assert_int_equal(info.flags, O_RDWR);
	/* Before Linux 3.15 mounts were not told; /dev/mem stands at addresses above 2^63. */
	assert_int_equal(proc_parse_fdinfo("pos:\t-4096\nflags:\t02\n", &info, &err), 0);
	assert_int_equal(info.mnt_id, -1);
	assert_int_equal(info.pos, (uint64_t)-4096);
	assert_int_equal(proc_parse_fdinfo("", &info, &err), -EBADMSG);
	assert_int_equal(proc_parse_fdinfo("pos:\t1\nflags:\t9\n", &info, &err), -EBADMSG);
	assert_int_equal(proc_parse_fdinfo("pos:\t1\nflags:\t1\nmnt_id:\t-2\n", &info, &err),
			 -EBADMSG);
}

static void auxv_is_widened_up_to_its_end(void **state)
{
	static const uint32_t narrow[] = { 6, 4096, 25, 0xbeffffd0, 0, 0, 0, 0 };
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	uint64_t words[64];
	struct err err;

	recorded(&buf, "rich/auxv");
	assert_int_equal(proc_parse_auxv(buf.data, buf.len, 8, words, 64, &err), 44);
	assert_int_equal(words[0], 33); /* AT_SYSINFO_EHDR */
	assert_int_equal(words[6], 6);  /* AT_PAGESZ */
	assert_int_equal(words[7], 4096);
	assert_int_equal(proc_parse_auxv(narrow, sizeof(narrow), 4, words, 64, &err), 4);
	assert_int_equal(words[3], 0xbeffffd0);
	assert_int_equal(proc_parse_auxv(narrow, 16, 4, words, 64, &err), -EBADMSG);
	assert_int_equal(proc_parse_auxv(narrow, sizeof(narrow), 4, words, 2, &err), -EBADMSG);
	assert_int_equal(proc_parse_auxv(narrow, 0, 4, words, 64, &err), -EBADMSG);
}

static void a_namespace_link_ends_with_its_number(void **state)
{
	uint64_t ino = 0;
	struct err err;

	assert_int_equal(proc_parse_ns_link("mnt:[4026531832]", &ino, &err), 0);
	assert_int_equal(ino, 4026531832);
	assert_int_equal(proc_parse_ns_link("mnt:[]", &ino, &err), -EBADMSG);
	assert_int_equal(proc_parse_ns_link("mnt:[1", &ino, &err), -EBADMSG);
	assert_int_equal(proc_parse_ns_link("mnt", &ino, &err), -EBADMSG);
}

static void mount_ids_are_the_first_column(void **state)
{
	static const int32_t expected[] = { 22, 24, 26, 27, 131 };
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct arena arena = { 0 };
	struct proc_mount_ids mounts;
	struct err err;

	assert_int_equal(
		proc_parse_mount_ids(recorded(&buf, "rich/mountinfo"), &arena, &mounts, &err), 0);
	assert_int_equal(mounts.ids.n, ARRAY_SIZE(expected));
	assert_memory_equal(mounts.ids.v, expected, sizeof(expected));
	assert_int_equal(proc_parse_mount_ids("x 1 0:1\n", &arena, &mounts, &err), -EBADMSG);
	arena_fini(&arena);
}

/* The mapping of @text that starts at @start. */
static struct proc_vma find_vma(const char *text, uint64_t start)
{
	struct proc_vma vma;
	struct err err;
	int ret;

	while ((ret = proc_parse_vma(&text, &vma, &err)) > 0)
		if (vma.start == start)
			return vma;
	fail_msg("no mapping at %llx: %d %s", (unsigned long long)start, ret, err.text);
	return vma;
}

static void assert_name(const struct proc_vma *vma, enum rec_vma_special special, bool is_file,
			const char *name)
{
	struct proc_vma_name got = proc_vma_name(vma);

	assert_int_equal(got.special, special);
	assert_int_equal(got.is_file, is_file);
	assert_int_equal(got.len, strlen(name));
	assert_memory_equal(got.len ? got.name : "", name, got.len);
}

static void every_mapping_of_smaps_is_met_once_and_ascending(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	const char *pos = recorded(&buf, "rich/smaps");
	struct proc_vma vma;
	uint64_t last_end = 0;
	struct err err;
	int n = 0, ret;

	while ((ret = proc_parse_vma(&pos, &vma, &err)) > 0) {
		assert_true(vma.start >= last_end && vma.end > vma.start);
		assert_true(vma.has_details);
		last_end = vma.end;
		n++;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(n, 43);
	assert_int_equal(last_end, 0xffffffffff601000);
}

static void flags_and_own_pages_come_from_the_lines_below(void **state)
{
	const uint64_t rw = REC_VMF(READ) | REC_VMF(WRITE) | REC_VMF(MAYREAD) | REC_VMF(MAYWRITE) |
			    REC_VMF(MAYEXEC);
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	const char *text = recorded(&buf, "rich/smaps");

	struct proc_vma vma = find_vma(text, 0x55c65a25f000);
	assert_int_equal(vma.end, 0x55c65a260000);
	assert_int_equal(vma.offset, 0x1000);
	assert_int_equal(vma.dev, rec_dev(0xfe, 0));
	assert_int_equal(vma.ino, 1073155);
	assert_int_equal(vma.flags, REC_VMF(READ) | REC_VMF(EXEC) | REC_VMF(MAYREAD) |
					    REC_VMF(MAYWRITE) | REC_VMF(MAYEXEC));
	assert_int_equal(vma.own_kb, 0);
	assert_name(&vma, REC_VMA_NORMAL, true, "/srv/demo/state");

	vma = find_vma(text, 0x7f82b8f03000); /* mlock */
	assert_int_equal(vma.flags, rw | REC_VMF(LOCKED) | REC_VMF(NORESERVE));
	assert_int_equal(vma.own_kb, 4);
	vma = find_vma(text, 0x7f82b8f05000); /* MADV_DONTFORK */
	assert_int_equal(vma.flags, rw | REC_VMF(DONTCOPY) | REC_VMF(NORESERVE));
	vma = find_vma(text, 0x7f82b8f07000); /* MADV_WIPEONFORK */
	assert_int_equal(vma.flags, rw | REC_VMF(WIPEONFORK) | REC_VMF(NORESERVE));
	vma = find_vma(text, 0x7f82b8f0b000); /* MADV_DONTDUMP */
	assert_int_equal(vma.flags, rw | REC_VMF(DONTDUMP) | REC_VMF(NORESERVE));
	vma = find_vma(text, 0x7f82b8f13000); /* MADV_NOHUGEPAGE */
	assert_int_equal(vma.flags, rw | REC_VMF(NOHUGEPAGE) | REC_VMF(NORESERVE));
	vma = find_vma(text, 0x7f82b8ef3000); /* MAP_GROWSDOWN */
	assert_int_equal(vma.flags, rw | REC_VMF(GROWSDOWN) | REC_VMF(ACCOUNT));
	vma = find_vma(text, 0x7f82b91ed000); /* a shared mapping of a memfd */
	assert_int_equal(vma.flags, rw | REC_VMF(SHARED) | REC_VMF(MAYSHARE));
	assert_name(&vma, REC_VMA_NORMAL, true, "/memfd:mymem (deleted)");
}

static void a_protection_key_is_a_flag(void **state)
{
	const char *text = "7f00-7f10 rw-p 00000000 00:00 0 \n"
			   "Private_Hugetlb:       0 kB\n"
			   "ProtectionKey:         3\n"
			   "VmFlags: rd wr mr mw me ac \n"
			   "7f10-7f20 rw-p 00000000 00:00 0 \n"
			   "ProtectionKey:         0\n"
			   "VmFlags: rd wr mr mw me ac \n";

	assert_true(find_vma(text, 0x7f00).flags & REC_VMF(PKEY));
	assert_true(find_vma(text, 0x7f00).flags & REC_VMF(ACCOUNT));
	assert_false(find_vma(text, 0x7f10).flags & REC_VMF(PKEY));
}

static void special_mappings_have_no_name_of_their_own(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	const char *text = recorded(&buf, "rich/smaps");

	static const struct {
		uint64_t start;
		enum rec_vma_special special;
	} cases[] = {
		{ 0x55c68ee6b000, REC_VMA_HEAP },         { 0x7f82b85f2000, REC_VMA_NORMAL },
		{ 0x7f82b91f5000, REC_VMA_VVAR },         { 0x7f82b91f9000, REC_VMA_VVAR },
		{ 0x7f82b91fb000, REC_VMA_VDSO },         { 0x7ffca184e000, REC_VMA_STACK },
		{ 0xffffffffff600000, REC_VMA_VSYSCALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct proc_vma vma = find_vma(text, cases[i].start);

		assert_name(&vma, cases[i].special, false, "");
	}
}

static void maps_alone_give_ranges_and_names(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	const char *text = recorded(&buf, "arm/maps");

	struct proc_vma vma = find_vma(text, 0x10000);
	assert_false(vma.has_details);
	assert_int_equal(vma.flags, REC_VMF(READ) | REC_VMF(EXEC));
	assert_int_equal(vma.dev, rec_dev(0xb3, 2));
	vma = find_vma(text, 0xb6f00000);
	assert_name(&vma, REC_VMA_NORMAL, false, "stack and guard");
	vma = find_vma(text, 0xb6f10000);
	assert_name(&vma, REC_VMA_NORMAL, false, "shared");
	assert_true(vma.flags & REC_VMF(SHARED));
	vma = find_vma(text, 0xb6f20000);
	assert_name(&vma, REC_VMA_NORMAL, true, "/etc/shadow copy");
	vma = find_vma(text, 0xbed41000);
	assert_name(&vma, REC_VMA_OTHER, false, "[sigpage]");
	vma = find_vma(text, 0xffff0000);
	assert_name(&vma, REC_VMA_OTHER, false, "[vectors]");
}

static void smaps_of_old_kernels_are_understood(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	const char *text = recorded(&buf, "old/smaps");

	struct proc_vma vma = find_vma(text, 0x400000);
	assert_true(vma.has_details); /* in spite of a flag without a name */
	assert_false(vma.flags & REC_VMF(WRITE));
	vma = find_vma(text, 0x6ef000);
	assert_int_equal(vma.own_kb, 4); /* swapped out */
	vma = find_vma(text, 0x7f0000000000);
	assert_int_equal(vma.own_kb, 2048);
	assert_true(vma.flags & REC_VMF(HUGETLB));
	vma = find_vma(text, 0x7f3a60021000);
	assert_name(&vma, REC_VMA_NORMAL, false, "");
}

static void malformed_mappings_are_refused(void **state)
{
	static const char *const bad[] = {
		"1000-1000 rw-p 00000000 00:00 0 \n",
		"2000-1000 rw-p 00000000 00:00 0 \n",
		"1000-2000 rwxq 00000000 00:00 0 \n",
		"1000-2000 rw-p 00000000 00:00\n",
		"1000-2000 rw-p 00000000 1000:00 0\n",
		"1000-2000 rw-p 00000000 00:100000 0\n",
		"1000-20000000000000000 rw-p 0 00:00 0\n",
		"Size: 4 kB\n",
		"1000-2000 rw-p 0 00:00 0\nSwap: x kB\n",
		"1000-2000 rw-p 0 00:00 0\nVmFlags: rd w\n",
		"1000-2000 rw-p 0 00:00 0\nSwap: 18446744073709551615 kB\nAnonymous: 1 kB\n",
	};
	struct proc_vma vma;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *pos = bad[i];

		assert_int_equal(proc_parse_vma(&pos, &vma, &err), -EBADMSG);
	}
}

static void device_numbers_survive_both_encodings(void **state)
{
	assert_int_equal(rec_dev(0xfe, 1), 0xfe00001);
	assert_int_equal(rec_dev_from_stat(rec_dev_to_stat(0xfe00001)), 0xfe00001);
	assert_int_equal(rec_dev_from_stat(makedev(4095, 0xfffff)), 0xffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stat_line_is_taken_apart),
		cmocka_unit_test(a_name_may_hold_parentheses_and_newlines),
		cmocka_unit_test(a_cut_or_wrong_stat_line_is_refused),
		cmocka_unit_test(status_gives_ids_capabilities_and_groups),
		cmocka_unit_test(status_of_old_kernels_lacks_lines),
		cmocka_unit_test(malformed_status_lines_are_refused),
		cmocka_unit_test(limits_are_found_by_name),
		cmocka_unit_test(limits_must_be_complete),
		cmocka_unit_test(timers_come_one_by_one),
		cmocka_unit_test(malformed_timers_are_refused),
		cmocka_unit_test(fdinfo_begins_with_position_and_flags),
		cmocka_unit_test(auxv_is_widened_up_to_its_end),
		cmocka_unit_test(a_namespace_link_ends_with_its_number),
		cmocka_unit_test(mount_ids_are_the_first_column),
		cmocka_unit_test(every_mapping_of_smaps_is_met_once_and_ascending),
		cmocka_unit_test(flags_and_own_pages_come_from_the_lines_below),
		cmocka_unit_test(a_protection_key_is_a_flag),
		cmocka_unit_test(special_mappings_have_no_name_of_their_own),
		cmocka_unit_test(maps_alone_give_ranges_and_names),
		cmocka_unit_test(smaps_of_old_kernels_are_understood),
		cmocka_unit_test(malformed_mappings_are_refused),
		cmocka_unit_test(device_numbers_survive_both_encodings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
