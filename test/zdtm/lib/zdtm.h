/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test program needs to set something up, wait until it has been dumped and restored, check
 * that all is as it was, and say how that went. One program tests one behaviour:
 *
 *	int main(void)
 *	{
 *		... set up; a setup that cannot be: zdtm_fail() or zdtm_skip() ...
 *		zdtm_ready();
 *		... check; zdtm_fail() on the first thing that is wrong ...
 *		zdtm_pass();
 *	}
 *
 * The runner starts the program as leader of its own session, with descriptors 0 to 2 on /dev/null
 * and with a scratch directory as working directory; files are made there. Between zdtm_ready()
 * and its return the library holds no descriptor and has no handler: SIGTERM, the signal that ends
 * the wait, is blocked from before main() on in every thread and child, and is waited for.
 *
 * The outcome is one line in the file `result` of the scratch directory, since a restored program
 * has a parent that knows nothing of it, and the exit status: 0 passed, 1 failed, 77 skipped.
 *
 * A comment on a line of its own in the program's source tells the runner more:
 *
 *	crib-dump: OPTIONS      more options for crib dump
 *	crib-restore: OPTIONS   more options for crib restore
 *	engine: NAME            only with this one, as no other can know it
 *	modes: MODE...          only these of plain, leave-running, pidns and again
 *	needs: tty              descriptors 0 to 2 are its controlling terminal
 *	needs: shell-job        the same, and its session leader is outside the tree
 *	signal: NAME            sent in place of SIGTERM: CONT, USR1 or USR2
 *	timeout: SECONDS        for each step of the case, default 30
 *	varies: KEY...          state that changes by itself, not compared (runner/footprint.c)
 *	refused: WORD           the dump has to fail and to name WORD; the program goes on
 */
#ifndef CRIB_ZDTM_LIB_ZDTM_H
#define CRIB_ZDTM_LIB_ZDTM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Tells the runner that all is set up, and returns when it has sent SIGTERM. No polling. */
void zdtm_ready(void);

/*
 * For a test that is to be dumped while it computes: tells the runner that all is set up and
 * returns at once. From then on zdtm_running() is true until the SIGTERM comes, which the calling
 * thread takes by a handler. zdtm_stop is the word that the handler sets to 1, for assembler.
 */
void zdtm_start(void);
extern volatile sig_atomic_t zdtm_stop;
static inline bool zdtm_running(void)
{
	return !zdtm_stop;
}

/* The two halves of zdtm_ready(): for a test whose signal comes to another thread or process. */
void zdtm_tell_ready(void);
void zdtm_wait(void);

/*
 * Say how it went and end the whole process. The text of a failure needs no newline and may use %m;
 * any process of the tree may fail the test, but only one, the first one, should pass it.
 */
_Noreturn void zdtm_pass(void);
_Noreturn void zdtm_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void zdtm_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Fails the test unless @cond holds: the file, the line and the condition are the text. */
#define zdtm_assert(cond)                                                                          \
	do {                                                                                       \
		if (!(cond))                                                                       \
			zdtm_fail("%s:%d: not so: %s (errno: %m)", __FILE__, __LINE__, #cond);     \
	} while (0)

/* Fails the test unless the integers @a and @b are equal, and names both. */
#define zdtm_assert_eq(a, b)                                                                       \
	do {                                                                                       \
		long long zdtm_a_ = (long long)(a), zdtm_b_ = (long long)(b);                      \
		if (zdtm_a_ != zdtm_b_)                                                            \
			zdtm_fail("%s:%d: %s is %lld, not %lld as %s", __FILE__, __LINE__, #a,     \
				  zdtm_a_, zdtm_b_, #b);                                           \
	} while (0)

/*
 * Opens the result file now, for a program that cannot open it later (seccomp, chroot, another
 * root), and returns its descriptor, which stays open across the dump.
 */
int zdtm_hold_result(void);

/* ---- children ---- */

/*
 * Forks a child that runs @fn(@arg) and exits with what it returns. In the parent this returns the
 * child's pid when the child has called zdtm_child_ready() or zdtm_child_wait(), or is dead.
 */
pid_t zdtm_spawn(int (*fn)(void *arg), void *arg);

/* In a child of zdtm_spawn(): lets the parent go on. To be called before it forks by itself. */
void zdtm_child_ready(void);

/* zdtm_child_ready(), then waits until the parent calls zdtm_join(). */
void zdtm_child_wait(void);

/*
 * The same for a child that is not ours at first: its parent runs @parent_does, forks it and dies
 * at once, is reaped, and @fn starts when the child has got its new parent. That is us if we are a
 * subreaper.
 */
pid_t zdtm_spawn_orphan(void (*parent_does)(void), int (*fn)(void *arg), void *arg);

/* Ends the child's wait, reaps it and fails the test unless it exits with 0. */
void zdtm_join(pid_t pid);

/*
 * A child's whole program when all it has to do is to be there: it waits, and its pid, parent,
 * session and process group have to be the same before and after.
 */
int zdtm_child_stays(void *unused);

/* The ids of the calling process, and a test failure unless they are still the same. */
struct zdtm_ids {
	pid_t pid, tid, ppid, sid, pgid;
};
struct zdtm_ids zdtm_ids_get(void);
void zdtm_ids_check(const struct zdtm_ids *before);

/* ---- looking at things ---- */

/* Milliseconds of CLOCK_MONOTONIC, which goes on as if there had been no dump. */
uint64_t zdtm_now_ms(void);
void zdtm_sleep_ms(unsigned int ms);

/* When @pid was made, on the clock of zdtm_now_ms(); of a restored task: when it was restored. */
uint64_t zdtm_born_ms(pid_t pid);

/*
 * Reads the whole file, at most @size - 1 bytes, into @buf and ends it with a 0; returns the number
 * of bytes. Fails the test when the file cannot be read.
 */
size_t zdtm_read_file(const char *path, char *buf, size_t size);

/* The value of the line "@key:" of /proc/@pid/status without white space around it, in @buf. */
void zdtm_status(pid_t pid, const char *key, char *buf, size_t size);

/* The state letter of /proc/@pid/stat; 0 when there is no such task. */
char zdtm_task_state(pid_t pid);

/* Waits until zdtm_task_state(@pid) is @state; fails the test when that does not come. */
void zdtm_await_state(pid_t pid, char state);

#endif
