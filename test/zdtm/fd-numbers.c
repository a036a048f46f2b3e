/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors keep their numbers and each its own close-on-exec flag, also copies of one another,
 * the highest number that the limit allows, and one that a lowered limit no longer allows.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { ABOVE_LIMIT = 900, LIMIT = 200 };

int main(void)
{
	struct rlimit limit;
	zdtm_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max > 5000 ? 5000 : limit.rlim_max;
	zdtm_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	const int highest = (int)limit.rlim_cur - 1;

	fd_make_file("file", 1000, 1);
	int plain = fd_open("file", O_RDONLY), closing = fd_open("file", O_RDONLY | O_CLOEXEC);
	int gap = fd_open("file", O_RDONLY), after_gap = fd_open("file", O_RDONLY);
	close(gap);
	zdtm_assert(dup3(plain, 60, O_CLOEXEC) == 60);
	zdtm_assert(dup2(closing, 61) == 61);
	zdtm_assert(dup3(plain, 64, O_CLOEXEC) == 64);
	zdtm_assert(dup3(closing, ABOVE_LIMIT, O_CLOEXEC) == ABOVE_LIMIT);
	zdtm_assert(dup2(plain, highest) == highest);
	limit.rlim_cur = LIMIT;
	zdtm_assert(!setrlimit(RLIMIT_NOFILE, &limit));

	zdtm_ready();

	static const struct {
		int number, cloexec;
	} fixed[] = {
		{ 60, FD_CLOEXEC }, { 61, 0 }, { 64, FD_CLOEXEC }, { ABOVE_LIMIT, FD_CLOEXEC }
	};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		zdtm_assert_eq(fcntl(fixed[i].number, F_GETFD), fixed[i].cloexec);
	zdtm_assert_eq(fcntl(plain, F_GETFD), 0);
	zdtm_assert_eq(fcntl(closing, F_GETFD), FD_CLOEXEC);
	zdtm_assert_eq(fcntl(highest, F_GETFD), 0);
	fd_check_content(highest, 0, 1000, 1);
	fd_check_content(ABOVE_LIMIT, 0, 1000, 1);
	fd_check_closed(gap);
	fd_check_closed(62);
	fd_check_closed(63);
	fd_check_closed(ABOVE_LIMIT + 1);
	zdtm_assert(lseek(plain, 123, SEEK_SET) == 123);
	zdtm_assert_eq(lseek(highest, 0, SEEK_CUR), 123);
	zdtm_assert_eq(lseek(64, 0, SEEK_CUR), 123);
	zdtm_assert_eq(lseek(after_gap, 0, SEEK_CUR), 0);
	zdtm_assert(fcntl(plain, F_DUPFD, LIMIT) < 0 && errno == EINVAL);
	zdtm_assert_eq(dup(plain), gap);
	zdtm_pass();
}
