/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts that are processes which work together: queued signals, a token that goes round through
 * pipes, and children that come and go.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

/* ---- signals: no queued signal is lost, doubled or late ---- */

enum { QUEUED_AT_ONCE = 3 };

static int signal_fd, acks[2];
static pid_t sender_pid;

static void take_signals(struct thread *thread)
{
	static int32_t expected;
	struct signalfd_siginfo info;
	read_exactly(thread->worker, signal_fd, &info, sizeof(info));
	if (info.ssi_code != SI_QUEUE || (pid_t)info.ssi_pid != sender_pid)
		worker_fail(thread->worker, "a signal with code %d of %u", info.ssi_code,
			    info.ssi_pid);
	if (info.ssi_int != ++expected)
		worker_fail(thread->worker, "signal %d came instead of %d", info.ssi_int, expected);
	write_exactly(thread->worker, acks[1], &expected, sizeof(expected));
}

static void begin_signals(struct process *process)
{
	static struct thread thread = { .name = "signals taken", .step = take_signals };
	(void)process;
	thread_start(&thread);
}

static void send_signals(struct thread *thread)
{
	static int32_t last;
	struct process *to = thread->data;
	for (int i = 1; i <= QUEUED_AT_ONCE; i++)
		if (sigqueue(to->pid, SIGRTMIN + QUEUED_SIGNAL,
			     (union sigval){ .sival_int = last + i }))
			worker_fail(thread->worker, "sigqueue: %s", strerror(errno));
	for (int i = 1; i <= QUEUED_AT_ONCE; i++) {
		int32_t ack;
		read_exactly(thread->worker, acks[0], &ack, sizeof(ack));
		if (ack != ++last)
			worker_fail(thread->worker, "signal %d was taken instead of %d", ack, last);
	}
	nap_us(1000);
}

static void start_signals(void)
{
	static struct process process = { .name = "signals", .begin = begin_signals };
	static struct thread sender = { .name = "signals sent",
					.step = send_signals,
					.data = &process };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + QUEUED_SIGNAL);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (signal_fd < 0)
		die("make a signalfd");
	make_pipe(acks);
	sender_pid = getpid();
	process_start(&process);
	thread_start_later(&sender);
}

/* ---- ring: a token goes from the root through two processes and back ---- */

enum { RING = 3 };

static int ring[RING][2];

static uint64_t receive_token(struct thread *thread, int from)
{
	uint64_t token;
	read_exactly(thread->worker, ring[from][0], &token, sizeof(token));
	return token;
}

static void send_token(struct thread *thread, int to, uint64_t token)
{
	write_exactly(thread->worker, ring[to][1], &token, sizeof(token));
}

static void pass_token(struct thread *thread)
{
	int at = *(int *)thread->data;
	send_token(thread, at, receive_token(thread, at - 1) + 1);
}

static void send_round(struct thread *thread)
{
	static uint64_t sent;
	send_token(thread, 0, sent);
	uint64_t back = receive_token(thread, RING - 1);
	if (back != sent + RING - 1)
		worker_fail(thread->worker, "the token came back as %llu instead of %llu",
			    (unsigned long long)back, (unsigned long long)sent + RING - 1);
	sent = back + 1;
	nap_us(500);
}

static void begin_ring(struct process *process)
{
	static struct thread thread = { .name = "ring passes", .step = pass_token };
	static int at;
	at = process->name[strlen(process->name) - 1] - '0';
	thread.data = &at;
	thread_start(&thread);
}

static void start_ring(void)
{
	static struct process processes[] = {
		{ .name = "ring 1", .begin = begin_ring },
		{ .name = "ring 2", .begin = begin_ring },
	};
	static struct thread sender = { .name = "ring sends", .step = send_round };
	for (int i = 0; i < RING; i++)
		make_pipe(ring[i]);
	process_start(&processes[0]);
	process_start(&processes[1]);
	thread_start_later(&sender);
}

/* ---- churn: children that come and go ---- */

static void churn(struct process *process)
{
	static int count;
	int expected = ++count & 0x7f, status;
	pid_t pid = fork();
	if (pid < 0)
		worker_fail(process->worker, "fork: %s", strerror(errno));
	if (pid == 0)
		_exit(expected);
	if (waitpid(pid, &status, 0) != pid)
		worker_fail(process->worker, "waitpid: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
		worker_fail(process->worker, "the child %d ended with %x instead of %x", pid,
			    (unsigned int)status, (unsigned int)expected << 8);
	nap_us(3000);
}

static void start_churn(void)
{
	static struct process process = { .name = "churn", .step = churn };
	process_start(&process);
}

const struct part process_parts[] = {
	{ "signals", start_signals },
	{ "ring", start_ring },
	{ "churn", start_churn },
	{ 0 },
};
