/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a case. A step returns VERDICT_PASS and the case goes on, or it has said in the
 * report why not. What the test program itself found comes last, from its result file.
 */
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "footprint.h"
#include "job.h"
#include "tree.h"

struct run {
	const struct test_case *tc;
	FILE *report;
	struct job job;      /* the test program */
	struct job terminal; /* on which it was restored */
	pid_t root;
	struct tree before; /* the tree at the dump, and all that is known of it */
	struct tree others; /* our other children then, which are none of crib's */
	char *footprint;
	const char *images; /* folder below the case's */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

__attribute__((format(printf, 2, 3))) static enum verdict failed(struct run *run, const char *fmt,
								 ...)
{
	va_list args;
	va_start(args, fmt);
	vfprintf(run->report, fmt, args);
	va_end(args);
	fputc('\n', run->report);
	return VERDICT_FAIL;
}

static uint64_t time_limit(const struct run *run)
{
	return now_ms() + (uint64_t)run->tc->opts->timeout_ms * run->tc->slow;
}

/* Waits a little; false when the time is over. */
static bool wait_more(uint64_t until)
{
	sleep_ms(2);
	return !interrupted && now_ms() < until;
}

/* The first line of the result file that starts with @word, to be freed; NULL when there is none.
 */
static char *result_line(const struct run *run, const char *word)
{
	char path[PATH_MAX];
	path_fmt(path, "%s/scratch/result", run->tc->dir);
	char *text = slurp(path);
	char *found = NULL, *state;
	for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &state))
		if (!strncmp(line, word, strlen(word)))
			found = strdup(line);
	free(text);
	return found;
}

/* What the result file says. @status: how the program ended, or -1 when that is not known. */
static enum verdict judge(struct run *run, int status)
{
	char *fail = result_line(run, "fail"), *skip = result_line(run, "skip");
	char *pass = result_line(run, "pass");
	enum verdict verdict = VERDICT_PASS;
	if (fail) {
		failed(run, "%s", fail);
		verdict = VERDICT_FAIL;
	} else if (skip) {
		failed(run, "%s", skip);
		verdict = VERDICT_SKIP;
	} else if (!pass || (status != -1 && status != 0)) {
		if (status == -1)
			failed(run, "ended without a result");
		else if (WIFSIGNALED(status))
			failed(run, "ended by signal %d", WTERMSIG(status));
		else
			failed(run, "ended with exit status %d and %s result", WEXITSTATUS(status),
			       pass ? "passing" : "no");
		verdict = VERDICT_FAIL;
	}
	free(fail);
	free(skip);
	free(pass);
	return verdict;
}

static bool is_ready(const struct run *run)
{
	char path[PATH_MAX];
	path_fmt(path, "%s/scratch/ready", run->tc->dir);
	char *line = access(path, F_OK) ? result_line(run, "ready") : strdup("ready");
	free(line);
	return line != NULL;
}

static enum verdict start_test(struct run *run)
{
	char *argv[] = { (char *)run->tc->program, NULL };
	char scratch[PATH_MAX];
	path_fmt(scratch, "%s/scratch", run->tc->dir);
	struct program program = { .argv = argv, .dir = scratch, .start = run->tc->opts->start };
	job_start(&run->job, &program);
	run->root = run->job.pid;
	uint64_t until = time_limit(run);
	while (!is_ready(run)) {
		int status;
		if (job_ended(&run->job, &status, NULL))
			return judge(run, status) == VERDICT_SKIP ? VERDICT_SKIP : VERDICT_FAIL;
		if (!wait_more(until))
			return failed(run, "is not ready in time");
	}
	return VERDICT_PASS;
}

/* Reaps what is ours; true when the root of the tree is gone, with its wait status if known. */
static bool root_ended(struct run *run, int *status)
{
	int other;
	pid_t pid;
	if (run->job.leader && job_ended(&run->job, &other, NULL))
		*status = other;
	while ((pid = waitpid(-1, &other, WNOHANG)) > 0)
		if (pid == run->root)
			*status = other;
	return kill(run->root, 0) && errno == ESRCH;
}

/* Sends the signal on which the test checks, and waits for its verdict. */
static enum verdict let_check(struct run *run)
{
	if (kill(run->root, run->tc->opts->signal))
		return failed(run, "the tree's root %d cannot be signalled: %s", run->root,
			      strerror(errno));
	int status = -1;
	uint64_t until = time_limit(run);
	while (!root_ended(run, &status))
		if (!wait_more(until)) {
			char *fail = result_line(run, "fail");
			failed(run, "does not end after the signal");
			if (fail)
				failed(run, "%s", fail);
			free(fail);
			return VERDICT_FAIL;
		}
	return judge(run, status);
}

/* ---- running crib ---- */

struct argv {
	char *v[2 * OPTS_WORDS];
	size_t n;
};

static void add(struct argv *argv, const char *word)
{
	if (argv->n + 1 < sizeof(argv->v) / sizeof(*argv->v))
		argv->v[argv->n++] = (char *)word;
}

static void add_all(struct argv *argv, char *const *words)
{
	for (; *words; words++)
		add(argv, *words);
}

/* Runs @argv, @what of crib, with its output in @what.out; its status or -1 when out of time. */
static int run_crib(struct run *run, const struct argv *argv, const char *what, enum start start,
		    struct job *job)
{
	char out[PATH_MAX];
	path_fmt(out, "%s/%s.out", run->tc->dir, what);
	struct program program = { .argv = argv->v, .out = out, .start = start };
	FILE *terminal = start == START_NULL ? NULL : fopen(out, "we");
	job_start(job, &program);
	uint64_t until = time_limit(run);
	int status = -1;
	while (!job_ended(job, &status, terminal))
		if (!wait_more(until)) {
			kill(job->pid, SIGKILL);
			status = -1;
			failed(run, "crib %s does not end in time", what);
			break;
		}
	if (terminal)
		fclose(terminal);
	if (status != -1 && WIFSIGNALED(status))
		failed(run, "crib %s was ended by signal %d", what, WTERMSIG(status));
	else if (status > 0)
		failed(run, "crib %s ended with status %d", what, WEXITSTATUS(status));
	return status;
}

static int run_dump(struct run *run)
{
	char images[PATH_MAX], pid[16];
	path_fmt(images, "%s/%s", run->tc->dir, run->images);
	snprintf(pid, sizeof(pid), "%d", run->root);
	struct argv argv = { { (char *)run->tc->crib, "dump" }, 2 };
	if (run->tc->engine) {
		add(&argv, "--engine");
		add(&argv, run->tc->engine);
	}
	add_all(&argv, (char *[]){ "-t", pid, "-D", images, "-o", "dump.log", "-v4", NULL });
	if (run->tc->mode == MODE_LEAVE)
		add(&argv, "--leave-running");
	if (run->tc->no_parasite)
		add(&argv, "--no-parasite");
	if (run->tc->opts->start != START_NULL)
		add(&argv, "--shell-job");
	add_all(&argv, run->tc->opts->dump);
	struct job job;
	int status = run_crib(run, &argv, "dump", START_NULL, &job);
	job_fini(&job);
	return status;
}

static int run_restore(struct run *run)
{
	char images[PATH_MAX];
	path_fmt(images, "%s/%s", run->tc->dir, run->images);
	struct argv argv = { { (char *)run->tc->crib, "restore" }, 2 };
	add_all(&argv, (char *[]){ "-D", images, "-o", "restore.log", "-v4", "-d", NULL });
	bool on_terminal = run->tc->opts->start != START_NULL;
	if (on_terminal)
		add(&argv, "--shell-job");
	add_all(&argv, run->tc->opts->restore);
	return run_crib(run, &argv, "restore", on_terminal ? START_JOB : START_NULL,
			&run->terminal);
}

/* ---- what is there before and after ---- */

static void take_before(struct run *run)
{
	tree_list(&run->before, run->root);
	tree_list(&run->others, getpid());
	run->footprint = footprint_take(&run->before, run->tc->opts);
}

/* The tree has to be as it was before the dump. A test that has failed already says more. */
static enum verdict compare(struct run *run, const char *when)
{
	char *fail = result_line(run, "fail");
	if (fail) {
		failed(run, "%s", fail);
		free(fail);
		return VERDICT_FAIL;
	}
	struct tree now;
	tree_list(&now, run->root);
	char *text = footprint_take(&now, run->tc->opts);
	char *diff = NULL;
	size_t size, n;
	FILE *out = open_memstream(&diff, &size);
	if (!out)
		die("out of memory");
	n = footprint_diff(out, run->footprint, text);
	fclose(out);
	free(text);
	if (n)
		failed(run, "the tree is not as it was %s:\n%s", when, diff);
	free(diff);
	return n ? VERDICT_FAIL : VERDICT_PASS;
}

/* A process below us that is neither in the tree nor was there before is crib's. */
static enum verdict no_strays(struct run *run)
{
	enum { GRACE_MS = 2000 }; /* helpers may end a moment after crib */
	uint64_t until = now_ms() + GRACE_MS * run->tc->slow;
	pid_t stray;
	do {
		struct tree now;
		int status = -1;
		root_ended(run, &status); /* reaps */
		tree_list(&now, getpid());
		stray = 0;
		for (size_t i = 1; i < now.n; i++)
			if (!tree_has(&run->before, now.pids[i]) &&
			    !tree_has(&run->others, now.pids[i]) &&
			    now.pids[i] != run->terminal.leader)
				stray = now.pids[i];
	} while (stray && wait_more(until));
	return stray ? failed(run, "crib left process %d behind", stray) : VERDICT_PASS;
}

static enum verdict tree_gone(struct run *run, const char *when)
{
	uint64_t until = now_ms() + 5000 * run->tc->slow;
	pid_t left;
	do {
		int status = -1;
		root_ended(run, &status); /* reaps */
		left = 0;
		for (size_t i = 0; i < run->before.n && !left; i++)
			if (!kill(run->before.pids[i], 0) || errno != ESRCH)
				left = run->before.pids[i];
	} while (left && wait_more(until));
	return left ? failed(run, "task %d is there %s", left, when) : VERDICT_PASS;
}

/* ---- the modes ---- */

/* What the test itself says is of interest too when /proc has shown that something is wrong. */
static enum verdict check_too(struct run *run, enum verdict verdict)
{
	char *fail = result_line(run, "fail");
	enum verdict checked = fail ? VERDICT_FAIL : let_check(run);
	free(fail);
	return verdict ? verdict : checked;
}

static enum verdict restore(struct run *run)
{
	if (run_restore(run)) {
		tree_gone(run, "after the restore that failed");
		return VERDICT_FAIL;
	}
	enum verdict verdict = compare(run, "after the restore");
	return verdict ? verdict : no_strays(run);
}

/* A test that is restored and not as it was is asked all the same. */
static enum verdict restore_and_check(struct run *run)
{
	enum verdict verdict = restore(run);
	return kill(run->root, 0) ? verdict : check_too(run, verdict);
}

/* The first dump is done: restores, and dumps and restores what that has made. */
static enum verdict restore_again(struct run *run)
{
	enum verdict verdict = restore(run);
	if (verdict)
		return verdict;
	run->images = "again";
	verdict = run_dump(run) ? VERDICT_FAIL : tree_gone(run, "after the second dump");
	return verdict ? verdict : restore_and_check(run);
}

/* As the first process of a fresh pid namespace with its own /proc. */
static enum verdict restore_in_namespace(struct run *run)
{
	fflush(run->report);
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS, .exit_signal = SIGCHLD };
	pid_t init = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (init < 0) {
		failed(run, "no new pid namespace: %s", strerror(errno));
		return errno == EPERM || errno == EINVAL ? VERDICT_SKIP : VERDICT_FAIL;
	}
	if (init == 0) {
		enum verdict verdict = VERDICT_FAIL;
		if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
			failed(run, "no fresh /proc: %s", strerror(errno));
		else
			verdict = restore_and_check(run);
		fflush(run->report);
		_exit(verdict);
	}
	int status;
	uint64_t until = time_limit(run) + 2 * run->tc->opts->timeout_ms * run->tc->slow;
	while (waitpid(init, &status, WNOHANG) != init)
		if (!wait_more(until))
			return failed(run, "does not end in its namespace");
	return WIFEXITED(status) ?
		       (enum verdict)WEXITSTATUS(status) :
		       failed(run, "its namespace was ended by signal %d", WTERMSIG(status));
}

/* Whether dump.log or the output of crib dump has @word, in any case of letters. */
static bool dump_named(const struct run *run, const char *word)
{
	bool found = false;
	static const char *const names[] = { "images/dump.log", "dump.out" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[PATH_MAX];
		path_fmt(path, "%s/%s", run->tc->dir, names[i]);
		char *text = slurp(path);
		found = found || (text && strcasestr(text, word));
		free(text);
	}
	return found;
}

static enum verdict after_refusal(struct run *run, int status)
{
	const char *word = run->tc->opts->refused;
	if (status <= 0 || !WIFEXITED(status))
		return failed(run, "crib dump did not refuse it");
	rewind(run->report);
	if (ftruncate(fileno(run->report), 0) || !dump_named(run, word))
		return failed(run, "crib dump failed without naming '%s'", word);
	enum verdict verdict = compare(run, "after the dump was refused");
	return verdict ? verdict : let_check(run);
}

static enum verdict dump_and_check(struct run *run)
{
	take_before(run);
	int status = run_dump(run);
	if (run->tc->opts->refused)
		return after_refusal(run, status);
	if (status) {
		compare(run, "after the dump failed");
		return VERDICT_FAIL;
	}
	enum verdict verdict;
	if (run->tc->mode == MODE_LEAVE) {
		verdict = compare(run, "after the dump");
		if (!verdict)
			verdict = no_strays(run);
		return check_too(run, verdict);
	}
	verdict = tree_gone(run, "after the dump");
	if (!verdict)
		verdict = no_strays(run);
	if (verdict)
		return verdict;
	job_fini(&run->job);
	switch (run->tc->mode) {
	case MODE_PIDNS: return restore_in_namespace(run);
	case MODE_AGAIN: return restore_again(run);
	default: return restore_and_check(run);
	}
}

/*
 * With a /dev/pts of its own, where no case running at the same time takes the numbers that a
 * restore has to give its ptys again. Without the right to do that the case goes on all the same.
 */
static void take_own_ptys(void)
{
	if (!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666");
}

/* Other users than root write to both, so no mode bit is missing. */
static void make_scratch(const struct test_case *tc)
{
	char path[PATH_MAX];
	umask(0);
	if (mkdir(tc->dir, 0755))
		die("mkdir '%s': %s", tc->dir, strerror(errno));
	path_fmt(path, "%s/images", tc->dir);
	if (mkdir(path, 0755))
		die("mkdir '%s': %s", path, strerror(errno));
	path_fmt(path, "%s/again", tc->dir);
	if (tc->mode == MODE_AGAIN && mkdir(path, 0755))
		die("mkdir '%s': %s", path, strerror(errno));
	path_fmt(path, "%s/scratch", tc->dir);
	if (mkdir(path, 0777))
		die("mkdir '%s': %s", path, strerror(errno));
	path_fmt(path, "%s/scratch/result", tc->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		die("create '%s': %s", path, strerror(errno));
	close(fd);
	umask(022);
}

enum verdict case_run(const struct test_case *tc)
{
	char path[PATH_MAX];
	struct run *run = calloc(1, sizeof(*run));
	if (!run)
		die("out of memory");
	take_own_ptys();
	make_scratch(tc);
	path_fmt(path, "%s/report", tc->dir);
	*run = (struct run){ .tc = tc, .report = fopen(path, "we"), .images = "images" };
	run->job.master = run->terminal.master = run->job.report = run->terminal.report = -1;
	struct sigaction action = { .sa_handler = on_interrupt };
	if (!run->report || prctl(PR_SET_CHILD_SUBREAPER, 1) || sigaction(SIGTERM, &action, NULL))
		die("cannot run cases: %s", strerror(errno));
	enum verdict verdict = start_test(run);
	if (!verdict)
		verdict = tc->mode == MODE_NO_CR ? let_check(run) : dump_and_check(run);
	job_fini(&run->job);
	job_fini(&run->terminal);
	if (!tree_kill_mine())
		verdict = failed(run, "some process of this case cannot be killed");
	fclose(run->report);
	free(run->footprint);
	free(run);
	return verdict;
}
