// SPDX-License-Identifier: GPL-2.0-only
/*
 * The base: numbers, buffers, arenas, maps, errors, files, and the signs that a restore is ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/apart.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hashmap.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/ready.h"
#include "base/strbuf.h"

static void numbers_are_whole_strings_of_digits(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int ret;
		uint64_t value;
	} cases[] = {
		{ "0", 9, 0, 0 },
		{ "007", 9, 0, 7 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "10", 9, -ERANGE, 0 },
		{ "", 9, -EINVAL, 0 },
		{ "-1", 9, -EINVAL, 0 },
		{ "+1", 9, -EINVAL, 0 },
		{ " 1", 9, -EINVAL, 0 },
		{ "1 ", 9, -EINVAL, 0 },
		{ "0x1", 9, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 4711;

		assert_int_equal(parse_u64(cases[i].text, cases[i].max, &value), cases[i].ret);
		assert_int_equal(value, cases[i].ret ? 4711 : cases[i].value);
	}
}

static void signed_numbers_keep_to_their_limits(void **state)
{
	int32_t value = 0;

	assert_int_equal(parse_i32("-20", -20, 19, &value), 0);
	assert_int_equal(value, -20);
	assert_int_equal(parse_i32("-21", -20, 19, &value), -ERANGE);
	assert_int_equal(parse_i32("20", -20, 19, &value), -ERANGE);
	assert_int_equal(parse_i32("2147483648", INT32_MIN, INT32_MAX, &value), -ERANGE);
	assert_int_equal(parse_i32("--1", -20, 19, &value), -EINVAL);
	assert_int_equal(parse_i32("-", -20, 19, &value), -EINVAL);
	assert_int_equal(value, -20);
}

static void sizes_have_units_and_do_not_overflow(void **state)
{
	uint64_t size = 0;

	assert_int_equal(parse_size("512", UINT64_MAX, &size), 0);
	assert_int_equal(size, 512);
	assert_int_equal(parse_size("3k", UINT64_MAX, &size), 0);
	assert_int_equal(size, 3072);
	assert_int_equal(parse_size("2G", UINT64_MAX, &size), 0);
	assert_int_equal(size, UINT64_C(2) << 30);
	assert_int_equal(parse_size("18446744073709551615K", UINT64_MAX, &size), -ERANGE);
	assert_int_equal(parse_size("2M", 1 << 20, &size), -ERANGE);
	assert_int_equal(parse_size("2MB", UINT64_MAX, &size), -EINVAL);
	assert_int_equal(parse_size("M", UINT64_MAX, &size), -EINVAL);
}

static void scanners_move_only_when_they_match(void **state)
{
	const char *pos = "7f00-ffffffffffffffff r-xp 0755 -12\nnext";
	uint64_t start = 0, end = 0, mode = 0;
	int64_t number = 0;

	assert_true(scan_hex(&pos, &start));
	assert_false(scan_str(&pos, "+"));
	assert_true(scan_str(&pos, "-"));
	assert_true(scan_hex(&pos, &end));
	scan_blanks(&pos);
	assert_false(scan_u64(&pos, &mode));
	assert_true(scan_str(&pos, "r-xp "));
	assert_true(scan_oct(&pos, &mode));
	scan_blanks(&pos);
	assert_true(scan_i64(&pos, &number));
	assert_int_equal(start, 0x7f00);
	assert_int_equal(end, UINT64_MAX);
	assert_int_equal(mode, 0755);
	assert_int_equal(number, -12);
	assert_true(scan_line(&pos));
	assert_string_equal(pos, "next");
	assert_false(scan_line(&pos));
	const char *large = "1ffffffffffffffff", *before = large;
	assert_false(scan_hex(&large, &start));
	assert_ptr_equal(large, before);
}

static void buffers_grow_and_end_with_a_nul(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };

	assert_string_equal(strbuf_str(&buf), "");
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&buf, "%03d,", i);
	assert_int_equal(buf.len, 4000);
	assert_int_equal(strlen(buf.data), 4000);
	assert_memory_equal(buf.data + 3996, "999,", 5);
	strbuf_reset(&buf);
	strbuf_puts(&buf, "");
	assert_string_equal(strbuf_str(&buf), "");
	strbuf_add(&buf, "a\0b", 3);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.data, "a\0b", 4);
}

static void arenas_give_zeroed_aligned_memory_of_any_size(void **state)
{
	struct arena arena = { 0 };
	static const size_t sizes[] = { 0, 1, 15, 17, 65536, 65537, 1 << 20, 8 };

	for (size_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = arena_alloc(&arena, sizes[i]);

			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xff, sizes[i]);
		}
	}
	assert_string_equal(arena_printf(&arena, "%d-%s", 5, "x"), "5-x");
	assert_string_equal(arena_strndup(&arena, "abcdef", 3), "abc");
	arena_fini(&arena);
	assert_null(arena.last);
}

static void arrays_keep_their_elements_when_they_grow(void **state)
{
	struct arena arena = { 0 };
	ARRAY(int) numbers = { 0 };
	int sum = 0;

	for (int i = 0; i < 1000; i++)
		*array_push(&arena, &numbers) = i;
	array_each(const int, number, &numbers)
		sum += *number;
	assert_int_equal(numbers.n, 1000);
	assert_int_equal(sum, 499500);
	arena_fini(&arena);
}

static void maps_find_what_was_put(void **state)
{
	struct hashmap map = { 0 };
	static char values[2000];

	assert_null(hashmap_get(&map, 1, 2));
	for (uint64_t i = 0; i < ARRAY_SIZE(values); i++)
		hashmap_put(&map, i % 7, i * UINT64_C(4096), &values[i]);
	for (uint64_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_ptr_equal(hashmap_get(&map, i % 7, i * UINT64_C(4096)), &values[i]);
	assert_int_equal(map.n, ARRAY_SIZE(values));
	assert_null(hashmap_get(&map, 8, 0));
	hashmap_put(&map, 0, 0, &values[5]);
	assert_ptr_equal(hashmap_get(&map, 0, 0), &values[5]);
	assert_int_equal(map.n, ARRAY_SIZE(values));
	hashmap_fini(&map);
}

static void errors_say_who_where_and_what(void **state)
{
	struct err err = ERR_INIT;

	errno = ENOENT;
	int ret = err_sys(&err, "open '%s'", "x");
	assert_int_equal(ret, -ENOENT);
	assert_string_equal(err.text, "open 'x': No such file or directory");
	assert_int_equal(err_wrap(&err, ret, "task %d", 7), -ENOENT);
	assert_string_equal(err.text, "task 7: open 'x': No such file or directory");
	assert_int_equal(err.code, -ENOENT);
	assert_int_equal(err_wrap(&err, 3, "not %d", 1), 3);
	assert_string_equal(err.text, "task 7: open 'x': No such file or directory");
	assert_int_equal(err_ret(&err, -EIO, "read"), -EIO);
	assert_string_equal(err.text, "read: Input/output error");
	assert_int_equal(err_set(NULL, -EIO, "nobody listens"), -EIO);
	errno = EPERM;
	assert_int_equal(err_sys(NULL, "nobody listens"), -EPERM);
}

static void long_errors_are_cut(void **state)
{
	struct err err = ERR_INIT;
	char text[sizeof(err.text) * 2];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_ret(&err, -EIO, "%s", text);
	err_wrap(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void files_are_read_whole_and_written(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	_cleanup_close_ int fd = memfd_create("test", MFD_CLOEXEC);
	char path[64], back[4];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < 50000; i++)
		assert_int_equal(io_write(fd, "abc\n", 4), 0);
	strbuf_puts(&buf, "what was there");
	assert_int_equal(io_read_file(AT_FDCWD, path, &buf), 0);
	assert_int_equal(buf.len, 200000);
	assert_memory_equal(buf.data + 199996, "abc\n", 5);
	assert_int_equal(io_pwrite(fd, "xyz", 3, 4), 0);
	assert_int_equal(io_pread(fd, back, 4, 4), 4);
	assert_memory_equal(back, "xyz\n", 4);
	assert_int_equal(io_pread(fd, back, 4, 199998), 2);
	assert_int_equal(io_read_file(AT_FDCWD, "/nonexistent", &buf), -ENOENT);
	assert_int_equal(io_write_file(AT_FDCWD, "/nonexistent", "x"), -ENOENT);
}

static void pidfiles_are_written_once(void **state)
{
	char dir[] = "/tmp/crib-base.XXXXXX";
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	struct err err = ERR_INIT;

	assert_non_null(mkdtemp(dir));
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ready_write_pidfile(dirfd, "pid", 4711, &err), 0);
	assert_int_equal(io_read_file(dirfd, "pid", &buf), 0);
	assert_string_equal(buf.data, "4711");
	assert_int_equal(ready_write_pidfile(dirfd, "pid", 12, &err), -EEXIST);
	assert_string_equal(err.text, "create pidfile 'pid': File exists");
	ready_remove_pidfile(dirfd, "pid");
	assert_int_equal(rmdir(dir), 0);
}

static int answer_apart(void *arg)
{
	*(pid_t *)arg = getpid();
	return -ENOENT;
}

static int die_apart(void *arg)
{
	kill(getpid(), SIGKILL);
	return 0;
}

static int wait_apart(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static void work_apart_is_given_up_at_its_deadline(void **state)
{
	pid_t pid = 0;
	int value = 0;

	assert_int_equal(apart_run(answer_apart, &pid, APART_NO_DEADLINE, &value), APART_DONE);
	assert_int_equal(value, -ENOENT);
	assert_true(pid > 0 && pid != getpid());
	assert_int_equal(apart_run(die_apart, NULL, apart_now() + 60000, &value), APART_KILLED);
	assert_int_equal(apart_run(wait_apart, NULL, apart_now() + 20, &value), APART_LATE);
	assert_int_equal(value, -ENOENT);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void a_full_pipe_is_waited_for_until_the_deadline(void **state)
{
	static char bytes[65536];
	struct err err = ERR_INIT;
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_int_equal(ready_await(fds[1], apart_now() + 60000, &err), 0);
	while (write(fds[1], bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(ready_await(fds[1], apart_now() + 20, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "--timeout"));
	assert_int_equal(ready_await(fds[1], APART_NO_DEADLINE, &err), 0);
	assert_int_equal(ready_await(-1, apart_now(), &err), 0);
	close(fds[0]);
	close(fds[1]);
}

static void readiness_is_one_zero_byte(void **state)
{
	struct err err = ERR_INIT;
	int fds[2], none = -1;
	char got[4] = "xxx";

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(ready_signal(&fds[1], APART_NO_DEADLINE, &err), 0);
	assert_int_equal(fds[1], -1);
	assert_int_equal(io_read(fds[0], got, sizeof(got)), 1);
	assert_memory_equal(got, "\0xx", 3);
	assert_int_equal(ready_signal(&none, APART_NO_DEADLINE, &err), 0);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_strings_of_digits),
		cmocka_unit_test(signed_numbers_keep_to_their_limits),
		cmocka_unit_test(sizes_have_units_and_do_not_overflow),
		cmocka_unit_test(scanners_move_only_when_they_match),
		cmocka_unit_test(buffers_grow_and_end_with_a_nul),
		cmocka_unit_test(arenas_give_zeroed_aligned_memory_of_any_size),
		cmocka_unit_test(arrays_keep_their_elements_when_they_grow),
		cmocka_unit_test(maps_find_what_was_put),
		cmocka_unit_test(errors_say_who_where_and_what),
		cmocka_unit_test(long_errors_are_cut),
		cmocka_unit_test(files_are_read_whole_and_written),
		cmocka_unit_test(pidfiles_are_written_once),
		cmocka_unit_test(readiness_is_one_zero_byte),
		cmocka_unit_test(work_apart_is_given_up_at_its_deadline),
		cmocka_unit_test(a_full_pipe_is_waited_for_until_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
