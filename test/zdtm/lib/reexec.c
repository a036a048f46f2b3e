/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Executes a copy of the running program.
 */
#include "reexec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zdtm.h"

enum { MAX_ENV = 256 };

bool reexec_is_copy(void)
{
	return getenv("ZDTM_COPY");
}

_Noreturn void reexec_copy(const char *path, char *const *argv, char *const *envp)
{
	struct stat st;
	char *env[MAX_ENV] = { "ZDTM_COPY=1" };
	for (int i = 0; envp[i] && i < MAX_ENV - 2; i++)
		env[i + 1] = envp[i];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	zdtm_assert(from >= 0 && to >= 0 && !fstat(from, &st));
	for (off_t done = 0; done < st.st_size;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)(st.st_size - done));
		zdtm_assert(n > 0);
		done += n;
	}
	close(to);
	execve(path, argv, env);
	zdtm_fail("execve '%s': %m", path);
}
