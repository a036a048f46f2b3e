// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running action scripts, see script.h.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/pidref.h"
#include "target/script.h"

enum { LATE_MS = 500 }; /* for a script that was killed to be gone */

const struct script_hook script_hooks[] = {
	{ "pre-dump", "before a dump, the tree still runs" },
	{ "post-dump", "the images are complete, the tree is still stopped" },
	{ "pre-restore", "before a restore, no task exists" },
	{ "setup-namespaces", "the root task and its namespaces exist, and nothing else" },
	{ "post-setup-namespaces", "the namespaces are filled" },
	{ "post-restore", "all is restored, every task waits" },
	{ "pre-resume", "the same, after all scripts of post-restore agreed; its failure is "
			"only logged" },
	{ "post-resume", "the restored tree runs; its failure is only logged" },
	{ "network-lock", "the network of the tree is to be cut off" },
	{ "network-unlock", "the network of the tree is to be let through again" },
	{ "orphan-pts-master", "a terminal without its master was made; only for callers by RPC" },
	{ "query-ext-files", "which files are external; only for callers by RPC" },
	{ "pre-stream", "images are about to be read from or written to a stream" },
	{ "status-ready", "a server takes requests" },
};

const size_t script_hook_count = ARRAY_SIZE(script_hooks);

static bool hook_exists(const char *name)
{
	for (size_t i = 0; i < script_hook_count; i++) {
		if (!strcmp(script_hooks[i].name, name))
			return true;
	}
	return false;
}

/* As criu: these are not told the pid of a tree that is not there, even if it is known. */
static bool comes_before_tree(const char *hook)
{
	return !strcmp(hook, "pre-restore") || !strcmp(hook, "status-ready");
}

static int set_environment(const char *hook, const struct script_env *env, pid_t crib)
{
	bool has_pid = env->init_pid > 0 && !comes_before_tree(hook);
	char dir[64], pid[16];

	snprintf(dir, sizeof(dir), "/proc/%d/fd/%d", (int)crib, env->images_fd);
	snprintf(pid, sizeof(pid), "%d", (int)env->init_pid);
	if (setenv("CRTOOLS_SCRIPT_ACTION", hook, 1) < 0)
		return -errno;
	if (env->images_fd >= 0 && setenv("CRTOOLS_IMAGE_DIR", dir, 1) < 0)
		return -errno;
	int ret = has_pid ? setenv("CRTOOLS_INIT_PID", pid, 1) : unsetenv("CRTOOLS_INIT_PID");
	return ret < 0 ? -errno : 0;
}

/* Standard input is empty, output and errors go to the log. */
static int set_streams(int log)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

/* The child's side: becomes the script, or tells why not on @fd. */
static void become_script(const struct opts *opts, const char *script, const char *hook,
			  const struct script_env *env, pid_t crib, int fd)
{
	char *const argv[] = { (char *)script, NULL };
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	int ret = set_environment(hook, env, crib);
	if (ret == 0)
		ret = set_streams(log_fd());
	if (ret == 0 && chdir(opts->work_dir) < 0)
		ret = -errno;
	if (ret == 0) {
		execvp(script, argv);
		ret = -errno;
	}
	if (io_write(fd, &ret, sizeof(ret)) < 0)
		_exit(126);
	_exit(127);
}

static int describe_end(pid_t pid, const char *script, const char *hook, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_sys(err, "action script '%s' (%s): wait", script, hook);
	}
	if (WIFSIGNALED(status))
		return err_set(err, -ECANCELED, "action script '%s' (%s) was killed by signal %d",
			       script, hook, WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(err, -ECANCELED, "action script '%s' (%s) ended with status %d",
			       script, hook, WEXITSTATUS(status));
	return 0;
}

/* Ends the script and what it has started, when it has not ended in the time that a phase has. */
static bool end_in_time(pid_t pid, int64_t deadline)
{
	_cleanup_close_ int pidfd = deadline == APART_NO_DEADLINE ? -1 : pidref_open(pid);

	if (pidfd < 0 || pidref_ends_by(pidfd, deadline))
		return true;
	kill(-pid, SIGKILL);
	if (pidref_ends_by(pidfd, apart_now() + LATE_MS))
		waitpid(pid, NULL, 0);
	return false;
}

static int run_one(const struct opts *opts, const char *script, const char *hook,
		   const struct script_env *env, struct err *err)
{
	int64_t deadline = opts_deadline(opts);
	pid_t crib = getpid();
	int fds[2], failure;

	/* closed by exec: what comes out of it is the reason why there was none */
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "action script '%s': pipe", script);
	_cleanup_close_ int read_fd = fds[0];
	_cleanup_close_ int write_fd = fds[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, "action script '%s': fork", script);
	if (pid == 0)
		become_script(opts, script, hook, env, crib, write_fd);
	setpgid(pid, pid);
	close(take_fd(&write_fd));
	if (!end_in_time(pid, deadline))
		return err_set(err, -ETIMEDOUT,
			       "action script '%s' (%s) took more than %u s "
			       "(--timeout)",
			       script, hook, opts->timeout);
	bool failed = io_read(read_fd, &failure, sizeof(failure)) == sizeof(failure);
	int ret = describe_end(pid, script, hook, err);
	if (failed)
		return err_ret(err, failure, "action script '%s' (%s), started in '%s'", script,
			       hook, opts->work_dir);
	return ret;
}

int script_run(const struct opts *opts, const char *hook, const struct script_env *env,
	       struct err *err)
{
	int ret = 0;

	assert(hook_exists(hook));
	for (size_t i = opts->action_scripts.n; i-- > 0;) {
		const char *script = opts->action_scripts.v[i];
		struct err mine = ERR_INIT;

		log_debug("running action script '%s' for %s", script, hook);
		int one = run_one(opts, script, hook, env, &mine);
		if (one < 0 && ret == 0) {
			ret = one;
			if (err)
				*err = mine;
		}
	}
	return ret;
}
