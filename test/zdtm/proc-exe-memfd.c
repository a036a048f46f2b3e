/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that runs from a sealed memfd, as container runtimes do, and has no descriptor of it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static void run_from_memfd(char **argv)
{
	struct stat stat;
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("program", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	zdtm_assert(from >= 0 && fd >= 0 && !fstat(from, &stat));
	zdtm_assert_eq(sendfile(fd, from, NULL, (size_t)stat.st_size), stat.st_size);
	zdtm_assert(!fcntl(fd, F_ADD_SEALS, ALL));
	setenv("FROM_MEMFD", "1", 1);
	fexecve(fd, argv, environ);
	zdtm_skip("cannot run a memfd: %m");
}

int main(int argc, char **argv)
{
	char link[64] = "";
	(void)argc;
	if (!getenv("FROM_MEMFD"))
		run_from_memfd(argv);

	zdtm_ready();

	zdtm_assert(readlink("/proc/self/exe", link, sizeof(link) - 1) > 0);
	zdtm_assert(!strcmp(link, "/memfd:program (deleted)"));
	int fd = open("/proc/self/exe", O_RDONLY);
	zdtm_assert_eq(fcntl(fd, F_GET_SEALS), ALL);
	zdtm_pass();
}
