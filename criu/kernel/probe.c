// SPDX-License-Identifier: GPL-2.0-only
/*
 * What probes share: children to try things in, see probe.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/probe.h"

enum { PROBE_SECONDS = 5 };

struct probe_result {
	int ret;
	struct err err;
};

static int unshare_all(int namespaces, struct err *err)
{
	if (namespaces && unshare(namespaces) < 0)
		return err_sys(err, "unshare(%#x)", (unsigned int)namespaces);
	if (namespaces & CLONE_NEWNS && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make '/' private");
	return 0;
}

/* A probe must not outlive crib, nor hang it. */
static void set_limits(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL);
	alarm(PROBE_SECONDS);
}

static int wait_child(pid_t pid, int *ret_status, struct err *err)
{
	while (waitpid(pid, ret_status, __WALL) < 0) {
		if (errno != EINTR)
			return err_sys(err, "wait for a probe");
	}
	return 0;
}

int probe_in_child(int namespaces, probe_fn *fn, struct err *err)
{
	struct probe_result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, ret;

	if (result == MAP_FAILED)
		return err_sys(err, "map a page");
	result->ret = -EIO;
	pid_t pid = fork();
	if (pid == 0) {
		set_limits();
		ret = unshare_all(namespaces, &result->err);
		result->ret = ret < 0 ? ret : fn(&result->err);
		_exit(0);
	}
	ret = pid < 0 ? err_sys(err, "fork") : wait_child(pid, &status, err);
	if (ret == 0 && WIFSIGNALED(status))
		ret = err_set(err, -EIO, "the probe was killed by signal %d", WTERMSIG(status));
	else if (ret == 0) {
		ret = result->ret;
		if (err)
			*err = result->err;
	}
	munmap(result, sizeof(*result));
	return ret;
}

/* The child's side: says on @fd that it is prepared, or why not, then waits for its end. */
static void run_tracee(int fd, int (*prepare)(void))
{
	set_limits();
	int ret = prepare ? prepare() : 0;
	if (io_write(fd, &ret, sizeof(ret)) < 0)
		_exit(1);
	for (;;)
		pause();
}

static int seize(pid_t pid, uintptr_t options, struct err *err)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, options) < 0)
		return err_sys(err, "ptrace(PTRACE_SEIZE)");
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		return err_sys(err, "ptrace(PTRACE_INTERRUPT)");
	int ret = wait_child(pid, &status, err);
	if (ret == 0 && !WIFSTOPPED(status))
		ret = err_set(err, -ESRCH, "the traced child has died");
	return ret;
}

int probe_tracee(int (*prepare)(void), uintptr_t options, int (*fn)(pid_t pid, struct err *err),
		 struct err *err)
{
	int fds[2], prepared = -EIO, status;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	_cleanup_close_ int read_fd = fds[0];
	_cleanup_close_ int write_fd = fds[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0)
		run_tracee(write_fd, prepare);
	close(take_fd(&write_fd));
	int ret = 0;
	if (io_read(read_fd, &prepared, sizeof(prepared)) != sizeof(prepared))
		prepared = -EIO;
	if (prepared < 0)
		ret = err_ret(err, prepared, "prepare a child to trace");
	if (ret == 0)
		ret = seize(pid, options, err);
	if (ret == 0)
		ret = fn(pid, err);
	kill(pid, SIGKILL);
	do {
		if (wait_child(pid, &status, NULL) < 0)
			break;
	} while (!WIFEXITED(status) && !WIFSIGNALED(status));
	return ret;
}

int probe_path(const char *path, struct err *err)
{
	if (access(path, F_OK) == 0)
		return 0;
	return errno == ENOENT ? err_set(err, -ENOENT, "'%s' is missing", path) :
				 err_sys(err, "access '%s'", path);
}

int probe_fdinfo(int fd, const char *key, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	int ret = io_read_file(AT_FDCWD, path, &text);
	if (ret < 0)
		return err_ret(err, ret, "read '%s'", path);
	for (const char *line = strbuf_str(&text); line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, strlen(key)))
			return 0;
	}
	return err_set(err, -ENOENT, "'%s' has no line '%s'", path, key);
}

void *probe_page(struct err *err)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		err_sys(err, "map a page");
		return NULL;
	}
	memset(page, 1, size);
	return page;
}
