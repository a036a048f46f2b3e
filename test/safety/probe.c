/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests that are scripts ask: about a target, and for things that a shell cannot do. Exit
 * status 0: it is so; 1: it is not, and why is on standard output; 2: the question is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tree.h"
#include "util.h"
#include "watch/onefile.h"
#include "watch/watch.h"

/* The process that "probe host" is, for those below it. */
#define HOST_VARIABLE "SAFETY_HOST"

static int answer(bool yes, const char *why)
{
	if (!yes)
		printf("%s\n", why);
	return yes ? 0 : 1;
}

static pid_t pid_of(const char *text)
{
	unsigned int number;
	if (!parse_number(text, &number))
		die("'%s' is no process", text);
	return (pid_t)number;
}

/* Waits for the board, which a target makes first of all. */
static struct target open_target(const char *dir)
{
	struct target target;
	for (int i = 0; i < 5000; i++, sleep_ms(1))
		if (target_open(&target, dir))
			return target;
	die("there is no target in '%s'", dir);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	interrupted = sig;
}

/* host COMMAND...: what the command leaves behind becomes a child of this and ends with it. */
static int host(char **args)
{
	struct sigaction act = { .sa_handler = on_interrupt };
	char text[16];
	int status = 0;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	close_range(STDERR_FILENO + 1, ~0U, 0); /* what a target would inherit */
	watch_begin();
	snprintf(text, sizeof(text), "%d", getpid());
	setenv(HOST_VARIABLE, text, 1);
	pid_t pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		execvp(args[0], args);
		die("run '%s': %s", args[0], strerror(errno));
	}
	for (pid_t ended = 0; ended != pid && !interrupted;) {
		ended = waitpid(-1, &status, 0);
		if (ended < 0 && errno != EINTR)
			die("wait for '%s': %s", args[0], strerror(errno));
	}
	tree_kill_mine();
	return WIFEXITED(status) && !interrupted ? WEXITSTATUS(status) : 1;
}

static int ready(char **args)
{
	char why[WATCH_WHY];
	struct target target = open_target(args[0]);
	return answer(target_ready(&target, why), why);
}

static int works(char **args)
{
	char why[WATCH_WHY];
	struct target target = open_target(args[0]);
	return answer(target_works(&target, why), why);
}

static int footprint(char **args)
{
	struct target target = open_target(args[0]);
	return fputs(target_footprint(&target), stdout) < 0;
}

/* same DIR FILE: as the footprint in FILE says. */
static int same(char **args)
{
	char why[WATCH_WHY];
	struct target target = open_target(args[0]);
	target.footprint = slurp(args[1]);
	if (!target.footprint)
		die("cannot read '%s'", args[1]);
	return answer(target_same(&target, why), why);
}

static int pids(char **args)
{
	struct target target = open_target(args[0]);
	for (uint32_t i = 0; i < target.board->nr_tasks; i++)
		printf("%d\n", target.board->tasks[i]);
	return 0;
}

static int gone(char **args)
{
	char why[WATCH_WHY];
	struct target target = open_target(args[0]);
	return answer(target_gone(&target, why), why);
}

static int kill_all(char **args)
{
	struct target target = open_target(args[0]);
	target_kill(&target);
	return 0;
}

/* strays DIR SCRIPT: none below the host but those of the process SCRIPT, and the target in DIR. */
static int strays(char **args)
{
	char why[WATCH_WHY];
	struct target target;
	bool has_target = target_open(&target, args[0]);
	const char *top = getenv(HOST_VARIABLE);
	if (!top)
		die("strays are looked for below 'probe host' only");
	return answer(no_strays(pid_of(top), pid_of(args[1]), has_target ? &target : NULL, why),
		      why);
}

/* take PID: becomes the parent of a process with this number, and tells when it is there. */
static int take(char **args)
{
	pid_t pid = pid_of(args[0]);
	struct clone_args clone = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	pid_t child = (pid_t)syscall(SYS_clone3, &clone, sizeof(clone));
	if (child < 0)
		die("clone3 with pid %d: %s", pid, strerror(errno));
	if (child > 0) {
		printf("%d\n", child);
		fflush(stdout);
		fclose(stdout);
		waitpid(child, NULL, 0);
		return 0;
	}
	for (;;)
		pause();
}

/* trace PID: seizes the process and stays. */
static int trace(char **args)
{
	pid_t pid = pid_of(args[0]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		die("seize %d: %s", pid, strerror(errno));
	printf("%d\n", getpid());
	fflush(stdout);
	fclose(stdout);
	for (;;)
		pause();
}

/*
 * deaf DIR: mounts a file system on DIR that answers nothing until this process ends: whoever opens
 * a file there sleeps in the kernel and cannot be stopped. Status 77 where there is no FUSE.
 */
static int deaf(char **args)
{
	char options[64];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (fd < 0 || mount("deaf", args[0], "fuse", 0, options))
		return 77;
	printf("%d\n", getpid());
	fflush(stdout);
	fclose(stdout);
	for (;;)
		pause();
}

/*
 * onefile DIR: serves a file system with one file on DIR, whose content is not told any more once this
 * process is stopped. Status 77 where there is no FUSE.
 */
static int onefile(char **args)
{
	int fd = onefile_mount(args[0]);
	if (fd < 0)
		return 77;
	printf("%d\n", getpid());
	fflush(stdout);
	fclose(stdout);
	onefile_serve(fd);
}

/* patch FILE OFFSET MASK: flips the bits of MASK in the byte at OFFSET, negative: from the end. */
static int patch(char **args)
{
	long offset = atol(args[1]);
	unsigned int mask;
	unsigned char byte;
	int fd = open(args[0], O_RDWR | O_CLOEXEC);
	if (fd < 0 || !parse_number(args[2], &mask))
		die("patch '%s': %s", args[0], strerror(errno));
	off_t at = offset < 0 ? lseek(fd, 0, SEEK_END) + offset : offset;
	if (pread(fd, &byte, 1, at) != 1)
		die("'%s' has no byte %ld", args[0], offset);
	byte = (unsigned char)(byte ^ mask);
	if (pwrite(fd, &byte, 1, at) != 1)
		die("write '%s': %s", args[0], strerror(errno));
	return 0;
}

/* tmpfile DIR FD COMMAND...: the command has a file without a name of the folder DIR open. */
static int nameless_file(char **args)
{
	unsigned int number;
	int fd = open(args[0], O_RDWR | O_TMPFILE, 0600);
	if (fd < 0 || !parse_number(args[1], &number) || dup2(fd, (int)number) < 0)
		die("open a file without a name in '%s': %s", args[0], strerror(errno));
	if (fd != (int)number)
		close(fd);
	execvp(args[2], args + 2);
	die("run '%s': %s", args[2], strerror(errno));
}

/* fill FD: writes into the pipe until it is full. */
static int fill(char **args)
{
	static char bytes[4096];
	unsigned int number;
	if (!parse_number(args[0], &number))
		die("'%s' is no descriptor", args[0]);
	int flags = fcntl((int)number, F_GETFL);
	fcntl((int)number, F_SETFL, flags | O_NONBLOCK);
	while (write((int)number, bytes, sizeof(bytes)) > 0)
		;
	fcntl((int)number, F_SETFL, flags);
	return 0;
}

/* Calls that older kernels do not have, or that filters of containers forbid. */
static const struct {
	const char *name;
	int number;
} calls[] = {
	{ "clone3", SYS_clone3 },
	{ "close_range", SYS_close_range },
	{ "membarrier", SYS_membarrier },
	{ "memfd_create", SYS_memfd_create },
	{ "mlock2", SYS_mlock2 },
	{ "openat2", SYS_openat2 },
	{ "pidfd_getfd", SYS_pidfd_getfd },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pidfd_send_signal", SYS_pidfd_send_signal },
	{ "process_vm_readv", SYS_process_vm_readv },
	{ "process_vm_writev", SYS_process_vm_writev },
	{ "ptrace", SYS_ptrace },
	{ "renameat2", SYS_renameat2 },
	{ "rseq", SYS_rseq },
	{ "sched_setattr", SYS_sched_setattr },
};

static int number_of_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].number;
	die("'%s' is none of the calls that can be taken away", name);
}

/* without CALL ERROR COMMAND...: the command runs where this system call fails so. */
static int without(char **args)
{
	unsigned int number = (unsigned int)number_of_call(args[0]), error;
	if (!parse_number(args[1], &error))
		die("'%s' is no error", args[1]);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 77;
	execvp(args[2], args + 2);
	die("run '%s': %s", args[2], strerror(errno));
}

static const struct {
	const char *name;
	int nr_args;
	int (*run)(char **args);
} questions[] = {
	{ "host", 1, host },       { "ready", 1, ready },
	{ "works", 1, works },     { "footprint", 1, footprint },
	{ "same", 2, same },       { "pids", 1, pids },
	{ "gone", 1, gone },       { "kill", 1, kill_all },
	{ "strays", 2, strays },   { "take", 1, take },
	{ "trace", 1, trace },     { "deaf", 1, deaf },
	{ "patch", 3, patch },     { "tmpfile", 3, nameless_file },
	{ "fill", 1, fill },       { "onefile", 1, onefile },
	{ "without", 3, without },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(questions) / sizeof(*questions); i++)
		if (!strcmp(questions[i].name, argv[1]) && argc - 2 >= questions[i].nr_args)
			return questions[i].run(argv + 2);
	die("usage: probe QUESTION ARGUMENT...");
}
