// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser of fdinfo texts, on texts of Linux 6.18 and of older kernels.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fd/fdinfo.h"

#define HEAD "pos:\t0\nflags:\t02\nmnt_id:\t17\nino:\t1038\n"

static void an_eventfd_has_a_hexadecimal_counter(void **state)
{
	struct fdinfo_eventfd info;
	struct err err = ERR_INIT;

	assert_int_equal(fdinfo_parse_eventfd(HEAD "eventfd-count:               1f\n"
						   "eventfd-id: 2\neventfd-semaphore: 1\n",
					      &info, &err),
			 0);
	assert_int_equal(info.count, 0x1f);
	assert_true(info.semaphore);
}

static void an_eventfd_of_an_old_kernel_is_no_semaphore(void **state)
{
	struct fdinfo_eventfd info;
	struct err err = ERR_INIT;

	assert_int_equal(
		fdinfo_parse_eventfd(HEAD "eventfd-count: fffffffffffffffe\n", &info, &err), 0);
	assert_true(info.count == UINT64_MAX - 1);
	assert_false(info.semaphore);
}

static void an_eventfd_without_a_counter_is_refused(void **state)
{
	struct fdinfo_eventfd info;
	struct err err = ERR_INIT;

	assert_int_equal(fdinfo_parse_eventfd(HEAD, &info, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "eventfd-count"));
	assert_int_equal(fdinfo_parse_eventfd("", &info, &err), -EBADMSG);
	assert_int_equal(fdinfo_parse_eventfd("eventfd-count: none\n", &info, &err), -EBADMSG);
}

static void a_signalfd_has_a_mask(void **state)
{
	struct err err = ERR_INIT;
	uint64_t mask;

	assert_int_equal(fdinfo_parse_signalfd(HEAD "sigmask:\t8000000000000200\n", &mask, &err),
			 0);
	assert_true(mask == 0x8000000000000200);
	assert_int_equal(fdinfo_parse_signalfd(HEAD, &mask, &err), -EBADMSG);
}

static void a_timerfd_is_taken_apart(void **state)
{
	struct fdinfo_timerfd info;
	struct err err = ERR_INIT;

	assert_int_equal(fdinfo_parse_timerfd(HEAD "clockid: 7\nticks: 12\nsettime flags: 03\n"
						   "it_value: (4999, 102285063)\n"
						   "it_interval: (1, 5)\n",
					      &info, &err),
			 0);
	assert_int_equal(info.clockid, 7);
	assert_int_equal(info.ticks, 12);
	assert_int_equal(info.settime_flags, 3);
	assert_int_equal(info.value_sec, 4999);
	assert_int_equal(info.value_nsec, 102285063);
	assert_int_equal(info.interval_sec, 1);
	assert_int_equal(info.interval_nsec, 5);
}

static void a_timerfd_with_a_time_that_is_none_is_refused(void **state)
{
	static const char *const times[] = {
		"(1, 1000000000)", "(-1, 0)", "(1, -1)", "(1,2)", "1, 2", "(1, 2", ""
	};
	struct fdinfo_timerfd info;
	struct err err = ERR_INIT;
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		snprintf(text, sizeof(text),
			 HEAD "clockid: 1\nticks: 0\nsettime flags: 00\n"
			      "it_value: %s\nit_interval: (0, 0)\n",
			 times[i]);
		assert_int_equal(fdinfo_parse_timerfd(text, &info, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "it_value"));
	}
}

static void an_epoll_set_lists_what_it_watches(void **state)
{
	struct fdinfo_watches watches = { 0 };
	struct arena arena = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(fdinfo_parse_epoll(HEAD "tfd:        3 events: 80000019 data: "
						 "ffffffff0000004e  pos:0 ino:1b5e05 sdev:f\n"
						 "tfd:   12 events: 40000000 data:             4d  "
						 "pos:-7 ino:40e sdev:fe00000\n",
					    &arena, &watches, &err),
			 0);
	assert_int_equal(watches.v.n, 2);
	assert_int_equal(watches.v.v[0].fd, 3);
	assert_int_equal(watches.v.v[0].events, 0x80000019);
	assert_true(watches.v.v[0].data == 0xffffffff0000004e);
	assert_true(watches.v.v[0].has_file);
	assert_int_equal(watches.v.v[0].ino, 0x1b5e05);
	assert_int_equal(watches.v.v[0].dev, 0xf);
	assert_int_equal(watches.v.v[1].fd, 12);
	assert_int_equal(watches.v.v[1].pos, -7);
	assert_int_equal(watches.v.v[1].dev, 0xfe00000);
	arena_fini(&arena);
}

static void old_kernels_do_not_tell_the_file_of_a_watch(void **state)
{
	struct fdinfo_watches watches = { 0 };
	struct arena arena = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(fdinfo_parse_epoll(HEAD "tfd:        3 events:       19 data:          "
						 "     4e\n",
					    &arena, &watches, &err),
			 0);
	assert_int_equal(watches.v.n, 1);
	assert_false(watches.v.v[0].has_file);
	arena_fini(&arena);
}

static void an_empty_epoll_set_has_no_lines_and_a_broken_one_is_refused(void **state)
{
	struct fdinfo_watches watches = { 0 };
	struct arena arena = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(fdinfo_parse_epoll(HEAD, &arena, &watches, &err), 0);
	assert_int_equal(watches.v.n, 0);
	assert_int_equal(fdinfo_parse_epoll("tfd: 3 events: 1\n", &arena, &watches, &err),
			 -EBADMSG);
	assert_int_equal(fdinfo_parse_epoll("tfd: 3 events: 1 data: 1 pos:0 ino:x\n", &arena,
					    &watches, &err),
			 -EBADMSG);
	arena_fini(&arena);
}

static void locks_of_every_kind_are_told_apart(void **state)
{
	static const struct fdinfo_lock expected[] = {
		{ FDINFO_LOCK_FLOCK, false, F_WRLCK, 0, 0 },
		{ FDINFO_LOCK_POSIX, false, F_WRLCK, 10, 20 },
		{ FDINFO_LOCK_OFD, false, F_RDLCK, 10, 0 },
		{ FDINFO_LOCK_LEASE, false, F_WRLCK, 0, 0 },
		{ FDINFO_LOCK_LEASE, true, F_UNLCK, 0, 0 },
	};
	struct fdinfo_locks locks = { 0 };
	struct arena arena = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(
		fdinfo_parse_locks(HEAD
				   "lock:\t1: FLOCK  ADVISORY  WRITE 20584 fe:00:11010832 0 EOF\n"
				   "lock:\t1: POSIX  ADVISORY  WRITE 20584 fe:00:11011302 10 29\n"
				   "lock:\t2: OFDLCK ADVISORY  READ -1 fe:00:11011303 10 EOF\n"
				   "lock:\t3: LEASE  ACTIVE    WRITE 20584 fe:00:11011304 0 EOF\n"
				   "lock:\t4: LEASE  BREAKING  UNLCK 20584 fe:00:11011304 0 EOF\n",
				   &arena, &locks, &err),
		0);
	assert_int_equal(locks.v.n, 5);
	for (size_t i = 0; i < locks.v.n; i++) {
		assert_int_equal(locks.v.v[i].kind, expected[i].kind);
		assert_int_equal(locks.v.v[i].breaking, expected[i].breaking);
		assert_int_equal(locks.v.v[i].type, expected[i].type);
		assert_int_equal(locks.v.v[i].start, expected[i].start);
		assert_int_equal(locks.v.v[i].len, expected[i].len);
	}
	arena_fini(&arena);
}

static void a_lock_that_cannot_be_read_is_refused(void **state)
{
	static const char *const lines[] = {
		"lock:\t1: WHAT   ADVISORY  WRITE 1 fe:00:1 0 EOF\n",
		"lock:\t1: POSIX  ADVISORY  MAYBE 1 fe:00:1 0 EOF\n",
		"lock:\t1: POSIX  ADVISORY  WRITE 1 fe:00:1 5 3\n",
		"lock:\t1: POSIX  ADVISORY  WRITE 1 fe:00:1 -5 3\n",
		"lock:\t1: POSIX  ADVISORY  WRITE 1 fe:00:1 5\n",
		"lock:\t1: POSIX\n",
		"lock:\n",
	};
	struct fdinfo_locks locks = { 0 };
	struct arena arena = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(fdinfo_parse_locks(lines[i], &arena, &locks, &err), -EBADMSG);
	assert_int_equal(locks.v.n, 0);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_eventfd_has_a_hexadecimal_counter),
		cmocka_unit_test(an_eventfd_of_an_old_kernel_is_no_semaphore),
		cmocka_unit_test(an_eventfd_without_a_counter_is_refused),
		cmocka_unit_test(a_signalfd_has_a_mask),
		cmocka_unit_test(a_timerfd_is_taken_apart),
		cmocka_unit_test(a_timerfd_with_a_time_that_is_none_is_refused),
		cmocka_unit_test(an_epoll_set_lists_what_it_watches),
		cmocka_unit_test(old_kernels_do_not_tell_the_file_of_a_watch),
		cmocka_unit_test(an_empty_epoll_set_has_no_lines_and_a_broken_one_is_refused),
		cmocka_unit_test(locks_of_every_kind_are_told_apart),
		cmocka_unit_test(a_lock_that_cannot_be_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
