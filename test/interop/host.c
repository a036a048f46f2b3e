/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a command in a session of its own and reaps all that descends from it, so that the pids of a
 * dumped tree are free at once; ends when nothing of it is left, with the command's exit status.
 *
 *	host COMMAND ARG...		with /dev/null as standard input and output
 *	host -t FILE COMMAND ARG...	in a new terminal, whose output is copied to FILE
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

static volatile sig_atomic_t ended;

static void on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(125);
}

static _Noreturn void run_command(int terminal, char **argv)
{
	if (terminal >= 0) {
		if (login_tty(terminal) < 0)
			die("host: login_tty");
	} else {
		int null = open("/dev/null", O_RDWR);
		if (setsid() < 0 || null < 0)
			die("host: setsid or /dev/null");
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
	}
	/* what this process was started with belongs to others and would be part of the dump */
	close_range(3, ~0U, 0);
	execvp(argv[0], argv);
	die(argv[0]);
}

/* Copies what has come out of the terminal, or lets some time go by. */
static void copy_output(int master, int out)
{
	char buf[4096];
	struct pollfd pfd = { .fd = master, .events = POLLIN };
	if (poll(&pfd, 1, 20) <= 0)
		return;
	ssize_t n = read(master, buf, sizeof(buf));
	if (n > 0 && write(out, buf, (size_t)n) != n)
		die("host: write");
	/* every other side is closed, for the moment or for good: do not spin on that */
	if (n < 0)
		poll(NULL, 0, 20);
}

int main(int argc, char **argv)
{
	int master = -1, slave = -1, out = -1;
	if (argc > 3 && !strcmp(argv[1], "-t")) {
		out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		struct winsize size = { .ws_row = 24, .ws_col = 80 };
		if (out < 0 || openpty(&master, &slave, NULL, NULL, &size) < 0)
			die("host: terminal");
		fcntl(master, F_SETFD, FD_CLOEXEC);
		argv += 2;
		argc -= 2;
	}
	if (argc < 2)
		return 125;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die("host: PR_SET_CHILD_SUBREAPER");
	struct sigaction act = { .sa_handler = on_end };
	sigaction(SIGTERM, &act, NULL);
	pid_t child = fork();
	if (child < 0)
		die("host: fork");
	if (child == 0)
		run_command(slave, argv + 1);
	if (slave >= 0)
		close(slave);

	int result = 125;
	while (!ended) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0)
			return result;
		if (pid == child)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (pid == 0)
			copy_output(master, out);
	}
	/* the terminal hangs up for the rest when this process ends */
	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	return 125;
}
