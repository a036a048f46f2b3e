/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process tree: a child that echoes through two pipes, a pipe with content that nobody has read,
 * a grandchild in a process group of its own, a zombie, and deleted files, one of which the first
 * process and the grandchild share with its position.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include "interop.h"

#define TEXT          "this stands in a file that has no name any more\n"
#define SHARED_POS    10
#define LOST_POS      20
#define UNREAD_BYTES  5000
#define ZOMBIE_STATUS 23

struct tree {
	const char *path;
	int to_child[2];
	int from_child[2];
	int unread[2];
	int shared_file;
	int own_file;
	pid_t child;
	pid_t zombie;
};

static int open_deleted(const char *name, off_t pos)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, TEXT, sizeof(TEXT)) != sizeof(TEXT) || unlink(name) < 0)
		die(name);
	if (lseek(fd, pos, SEEK_SET) != pos)
		die(name);
	return fd;
}

static bool deleted_holds(int fd, off_t pos)
{
	char text[sizeof(TEXT)];
	struct stat st;
	return lseek(fd, 0, SEEK_CUR) == pos && fstat(fd, &st) == 0 && st.st_nlink == 0 &&
	       pread(fd, text, sizeof(text), 0) == sizeof(text) &&
	       !memcmp(text, TEXT, sizeof(text));
}

static void fill_pipe(int fd)
{
	for (int i = 0; i < UNREAD_BYTES; i++) {
		unsigned char byte = (unsigned char)(i % 251);
		if (write(fd, &byte, 1) != 1)
			die("write to a pipe");
	}
}

/* Reads what was left in the pipe, all of it and no more, and puts it there again. */
static bool unread_holds(const int *fds)
{
	unsigned char got[UNREAD_BYTES + 1];
	if (read(fds[0], got, sizeof(got)) != UNREAD_BYTES)
		return false;
	for (int i = 0; i < UNREAD_BYTES; i++) {
		if (got[i] != (unsigned char)(i % 251))
			return false;
	}
	return write(fds[1], got, UNREAD_BYTES) == UNREAD_BYTES;
}

/* Moves the position that it shares with the first process when that says so. */
static _Noreturn void run_grandchild(const struct tree *t)
{
	if (setpgid(0, 0) < 0)
		die("setpgid");
	report(t->path, "grandchild %d\n", (int)getpid());
	while (true) {
		sleep_ms(10);
		if (!was_asked())
			continue;
		bool fine = deleted_holds(t->shared_file, SHARED_POS) && getpgrp() == getpid();
		if (lseek(t->shared_file, SHARED_POS + 1, SEEK_SET) < 0)
			fine = false;
		report_state(t->path, "grandchild", fine);
	}
}

/* Sends back what it gets; a 'g' is passed on to the grandchild as a signal. */
static _Noreturn void run_child(const struct tree *t)
{
	close(t->to_child[1]);
	close(t->from_child[0]);
	pid_t grandchild = fork();
	if (grandchild < 0)
		die("fork");
	if (grandchild == 0)
		run_grandchild(t);
	while (true) {
		char c;
		ssize_t n = read(t->to_child[0], &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1)
			_exit(0);
		if (c == 'g') {
			kill(grandchild, SIGUSR1);
			report_state(t->path, "child", deleted_holds(t->own_file, LOST_POS));
		}
		if (write(t->from_child[1], &c, 1) != 1)
			_exit(1);
	}
}

static bool echoes(const struct tree *t, char c)
{
	char back = 0;
	return write(t->to_child[1], &c, 1) == 1 && read(t->from_child[0], &back, 1) == 1 &&
	       back == c;
}

static bool zombie_holds(const struct tree *t)
{
	siginfo_t info = { 0 };
	return waitid(P_PID, (id_t)t->zombie, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
	       info.si_pid == t->zombie && info.si_status == ZOMBIE_STATUS;
}

static void make_tree(struct tree *t)
{
	if (pipe(t->to_child) < 0 || pipe(t->from_child) < 0 || pipe(t->unread) < 0)
		die("pipe");
	fill_pipe(t->unread[1]);
	t->shared_file = open_deleted("shared", SHARED_POS);
	t->own_file = open_deleted("own", LOST_POS);
	t->zombie = fork();
	if (t->zombie == 0)
		_exit(ZOMBIE_STATUS);
	t->child = fork();
	if (t->child == 0)
		run_child(t);
	if (t->zombie < 0 || t->child < 0)
		die("fork");
	close(t->to_child[0]);
	close(t->from_child[1]);
}

/* The grandchild moves the shared position by one, which has to be seen here. */
static bool sharing_holds(const struct tree *t)
{
	for (int i = 0; i < 500; i++) {
		if (lseek(t->shared_file, 0, SEEK_CUR) == SHARED_POS + 1)
			return lseek(t->shared_file, SHARED_POS, SEEK_SET) == SHARED_POS;
		sleep_ms(10);
	}
	return false;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	struct tree t = { .path = argv[1] };
	catch_ask();
	make_tree(&t);
	if (!echoes(&t, 'a'))
		die("the child does not answer");
	while (waitid(P_PID, (id_t)t.zombie, &(siginfo_t){ 0 }, WEXITED | WNOWAIT) < 0)
		;
	report(t.path, "ready %d 6\n", (int)getpid());
	while (true) {
		sleep_ms(10);
		if (!was_asked())
			continue;
		report_state(t.path, "pipe content", unread_holds(t.unread));
		report_state(t.path, "zombie", zombie_holds(&t));
		report_state(t.path, "pipes to the child", echoes(&t, 'b') && echoes(&t, 'g'));
		report_state(t.path, "shared position", sharing_holds(&t));
	}
}
