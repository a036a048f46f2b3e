/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts for single tests: sessions with all that a tree can have, a terminal, shared memory, and
 * what cannot be dumped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "target.h"

/* ---- sessions: a session with groups, zombies, a stopped child, shared and deleted files ---- */

enum { SHARED_POSITION = 1234, EXITED_WITH = 7, DELETED_SIZE = 10000 };

static struct {
	int shared, shared_dup, deleted;
	pid_t exited, killed;
} session;

static pid_t fork_or_die(void)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	return pid;
}

static void check_zombie(const struct board_worker *worker, pid_t pid, int code, int status)
{
	siginfo_t info = { 0 };
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG))
		worker_fail(worker, "zombie %d: waitid: %s", pid, strerror(errno));
	if (info.si_pid != pid || info.si_code != code || info.si_status != status)
		worker_fail(worker, "zombie %d: pid %d, code %d, status %d", pid, info.si_pid,
			    info.si_code, info.si_status);
}

static void check_session(struct process *process)
{
	static unsigned int step;
	struct stat st;
	unsigned char byte;
	off_t at = ++step * 97 % DELETED_SIZE;
	check_zombie(process->worker, session.exited, CLD_EXITED, EXITED_WITH);
	check_zombie(process->worker, session.killed, CLD_KILLED, SIGKILL);
	if (lseek(session.shared, 0, SEEK_CUR) != SHARED_POSITION ||
	    lseek(session.shared_dup, 0, SEEK_CUR) != SHARED_POSITION)
		worker_fail(process->worker, "the shared position is another");
	if (fstat(session.deleted, &st) || st.st_nlink || st.st_size != DELETED_SIZE)
		worker_fail(process->worker, "the deleted file has %u links and %lld bytes",
			    (unsigned int)st.st_nlink, (long long)st.st_size);
	if (pread(session.deleted, &byte, 1, at) != 1 || byte != at % 251)
		worker_fail(process->worker, "the deleted file has %u at %lld", byte,
			    (long long)at);
}

static void make_deleted(void)
{
	unsigned char content[DELETED_SIZE];
	for (int i = 0; i < DELETED_SIZE; i++)
		content[i] = (unsigned char)(i % 251);
	session.deleted = open_here("deleted", O_RDWR | O_CREAT | O_TRUNC);
	if (write(session.deleted, content, sizeof(content)) != DELETED_SIZE || unlink("deleted"))
		die("make a deleted file");
}

static void begin_group(struct process *process)
{
	(void)process;
	setpgid(0, 0);
}

static void begin_session(struct process *process)
{
	static struct process group = { .name = "group", .begin = begin_group };
	pid_t stopped;
	int status;
	(void)process;
	setsid();
	make_deleted();
	session.shared_dup = dup(session.shared);
	session.exited = fork_or_die();
	if (session.exited == 0)
		_exit(EXITED_WITH);
	session.killed = fork_or_die();
	if (session.killed == 0) {
		raise(SIGKILL);
		_exit(1);
	}
	stopped = fork_or_die();
	if (stopped == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	board_add_task(session.exited);
	board_add_task(session.killed);
	board_add_task(stopped);
	if (waitpid(stopped, &status, WUNTRACED) != stopped || !WIFSTOPPED(status))
		die("stop a child");
	siginfo_t info;
	if (waitid(P_PID, (id_t)session.killed, &info, WEXITED | WNOWAIT) ||
	    waitid(P_PID, (id_t)session.exited, &info, WEXITED | WNOWAIT))
		die("wait for zombies");
	process_start(&group);
}

static void start_sessions(void)
{
	static struct process process = { .name = "session",
					  .begin = begin_session,
					  .step = check_session };
	session.shared = open_here("shared", O_RDWR | O_CREAT | O_TRUNC);
	if (lseek(session.shared, SHARED_POSITION, SEEK_SET) < 0)
		die("make a shared file");
	process_start(&process);
}

/* ---- pty: lines to a process on a terminal, and its answers ---- */

static int pty_master, pty_slave;

static int read_line(const struct board_worker *worker, int fd, char *line, size_t size)
{
	size_t n = 0;
	while (n + 1 < size) {
		read_exactly(worker, fd, line + n, 1);
		if (line[n++] == '\n')
			break;
	}
	line[n] = 0;
	return (int)n;
}

static void answer_lines(struct thread *thread)
{
	char line[64], answer[80];
	read_line(thread->worker, pty_slave, line, sizeof(line));
	int n = snprintf(answer, sizeof(answer), "got %s", line);
	write_exactly(thread->worker, pty_slave, answer, (size_t)n);
}

static void begin_terminal(struct process *process)
{
	static struct thread thread = { .name = "pty answers", .step = answer_lines };
	(void)process;
	setsid();
	if (ioctl(pty_slave, TIOCSCTTY, 0))
		die("take the terminal");
	thread_start(&thread);
}

static void check_terminal(struct process *process)
{
	if (tcgetsid(pty_slave) != getpid() || tcgetpgrp(pty_slave) != getpgrp())
		worker_fail(process->worker, "the terminal has session %d and group %d",
			    tcgetsid(pty_slave), tcgetpgrp(pty_slave));
}

static void send_lines(struct thread *thread)
{
	static unsigned int count;
	char line[64], expected[80], answer[80];
	count = (count + 1) % 1000000;
	int n = snprintf(line, sizeof(line), "line %u\n", count);
	snprintf(expected, sizeof(expected), "got %s", line);
	write_exactly(thread->worker, pty_master, line, (size_t)n);
	read_line(thread->worker, pty_master, answer, sizeof(answer));
	if (strcmp(answer, expected))
		worker_fail(thread->worker, "the answer to line %u was '%.*s'", count,
			    (int)strcspn(answer, "\n"), answer);
	nap_us(2000);
}

static void start_pty(void)
{
	static struct process process = { .name = "pty",
					  .begin = begin_terminal,
					  .step = check_terminal };
	static struct thread sender = { .name = "pty lines", .step = send_lines };
	struct termios termios;
	char name[64];
	pty_master = posix_openpt(O_RDWR | O_NOCTTY);
	if (pty_master < 0 || grantpt(pty_master) || unlockpt(pty_master) ||
	    ptsname_r(pty_master, name, sizeof(name)))
		die("open a terminal");
	pty_slave = open(name, O_RDWR | O_NOCTTY);
	if (pty_slave < 0 || tcgetattr(pty_slave, &termios))
		die(name);
	termios.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	termios.c_oflag &= ~(tcflag_t)OPOST;
	if (tcsetattr(pty_slave, TCSANOW, &termios))
		die("set up the terminal");
	process_start(&process);
	thread_start_later(&sender);
}

/* ---- shm: two processes that take turns with shared pages ---- */

enum { SHM_PAGES = 16, SHM_SEED = 500 };

static struct {
	struct page *pages; /* SHM_PAGES of anonymous memory, and as many of a memfd */
	struct page *memfd;
	uint32_t *turn; /* how often the pages were written */
} shm;

static void shm_take_turn(const struct board_worker *worker, uint32_t mine)
{
	uint32_t turn = __atomic_load_n(shm.turn, __ATOMIC_SEQ_CST);
	if (turn % 2 != mine)
		return;
	for (size_t i = 0; i < SHM_PAGES; i++) {
		page_check(worker, &shm.pages[i], SHM_SEED + i, turn);
		page_check(worker, &shm.memfd[i], SHM_SEED + i, turn);
		page_fill(&shm.pages[i], SHM_SEED + i, turn + 1);
		page_fill(&shm.memfd[i], SHM_SEED + i, turn + 1);
	}
	__atomic_store_n(shm.turn, turn + 1, __ATOMIC_SEQ_CST);
}

static void shm_process_step(struct process *process)
{
	shm_take_turn(process->worker, 1);
}

static void shm_thread_step(struct thread *thread)
{
	shm_take_turn(thread->worker, 0);
	nap_us(1000);
}

static void start_shm(void)
{
	static struct process process = { .name = "shm 1", .step = shm_process_step };
	static struct thread thread = { .name = "shm 0", .step = shm_thread_step };
	int fd = memfd_create("safety", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, SHM_PAGES * PAGE))
		die("make a memfd");
	shm.pages = pages_map(SHM_PAGES, MAP_SHARED | MAP_ANONYMOUS, -1);
	shm.turn = (uint32_t *)pages_map(1, MAP_SHARED | MAP_ANONYMOUS, -1);
	shm.memfd = pages_map(SHM_PAGES, MAP_SHARED, fd);
	close(fd);
	for (size_t i = 0; i < SHM_PAGES; i++) {
		page_fill(&shm.pages[i], SHM_SEED + i, 0);
		page_fill(&shm.memfd[i], SHM_SEED + i, 0);
	}
	process_start(&process);
	thread_start_later(&thread);
}

/* ---- filter: a thread with a seccomp filter that nobody else has ---- */

enum { FILTER_ERROR = 501 }; /* which no kernel gives */

static void begin_filter(struct thread *thread)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | FILTER_ERROR),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		worker_fail(thread->worker, "seccomp: %s", strerror(errno));
}

static void check_filter(struct thread *thread)
{
	if (syscall(SYS_getpriority, 0, 0) != -1 || errno != FILTER_ERROR)
		worker_fail(thread->worker, "a call is not filtered");
	nap_us(1000);
}

static void start_filter(void)
{
	static struct thread thread = { .name = "filter",
					.begin = begin_filter,
					.step = check_filter };
	thread_start_later(&thread);
}

/* ---- what cannot be dumped ---- */

enum { SOCKET_FD = 50, INOTIFY_FD = 52 };

static void move_fd(int fd, int to)
{
	if (fd < 0 || dup2(fd, to) < 0)
		die("make a descriptor");
	close(fd);
}

static void start_socket(void)
{
	move_fd(socket(AF_UNIX, SOCK_DGRAM, 0), SOCKET_FD);
}

static void start_inotify(void)
{
	move_fd(inotify_init(), INOTIFY_FD);
	if (inotify_add_watch(INOTIFY_FD, ".", IN_CREATE) < 0)
		die("watch a directory");
}

/*
 * What cannot be stopped: workers whose names begin with a hyphen beat once and then stand in the
 * kernel.
 */
static void vfork_once(struct thread *thread)
{
	worker_beat(thread->worker);
	pid_t child = vfork();
	if (child == 0) {
		/* neither runs a program nor exits; in its parent's memory, so by system calls */
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	}
	worker_fail(thread->worker, "the vfork()ed child is gone");
}

static void start_vfork(void)
{
	static struct thread thread = { .name = "-vfork", .step = vfork_once };
	thread_start_later(&thread);
}

/* ASLEEP_NAME is on a file system that does not answer; when that goes away, so does the sleep. */
#define ASLEEP_NAME "asleep/file"

static void sleep_once(struct thread *thread)
{
	worker_beat(thread->worker);
	int fd = open(ASLEEP_NAME, O_RDONLY);
	if (fd >= 0)
		close(fd);
	for (;;)
		nap_us(1000000);
}

static void start_asleep(void)
{
	static struct thread thread = { .name = "-asleep", .step = sleep_once };
	thread_start_later(&thread);
}

const struct part odd_parts[] = {
	{ "sessions", start_sessions }, { "pty", start_pty },       { "shm", start_shm },
	{ "filter", start_filter },     { "socket", start_socket }, { "inotify", start_inotify },
	{ "vfork", start_vfork },       { "asleep", start_asleep }, { 0 },
};
