/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program's file was deleted: /proc/self/exe says so, and the program can still be read there.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "reexec.h"
#include "zdtm.h"

extern char **environ;

static uint64_t sum_of_exe(void)
{
	unsigned char buf[4096];
	uint64_t sum = 0;
	ssize_t n;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	zdtm_assert(fd >= 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + buf[i];
	zdtm_assert_eq(n, 0);
	close(fd);
	return sum;
}

static void check_is_deleted(void)
{
	static const char deleted[] = " (deleted)";
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	zdtm_assert(n > (ssize_t)sizeof(deleted));
	path[n] = 0;
	if (strcmp(path + n - (sizeof(deleted) - 1), deleted))
		zdtm_fail("/proc/self/exe is '%s'", path);
}

int main(int argc, char **argv)
{
	(void)argc;
	if (!reexec_is_copy())
		reexec_copy("copy", argv, environ);
	zdtm_assert(!unlink("copy"));
	uint64_t sum = sum_of_exe();
	check_is_deleted();
	zdtm_ready();
	check_is_deleted();
	zdtm_assert_eq(sum_of_exe(), sum);
	zdtm_assert(access("copy", F_OK));
	zdtm_pass();
}
