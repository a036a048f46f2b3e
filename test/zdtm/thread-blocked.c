/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that wait in read(), write() and waitpid() go on waiting after the restore, unharmed by
 * the interruption, and get what they wait for.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

enum { BIG = 1 << 20 };

static int empty[2], full[2];
static pid_t child;
static volatile bool may_go;

static void *read_byte(void *unused)
{
	char byte;
	zdtm_assert_eq(read(empty[0], &byte, 1), 1);
	zdtm_assert(may_go && byte == 'x');
	return unused;
}

static void *write_all(void *unused)
{
	char *buf = malloc(BIG);
	zdtm_assert(buf);
	for (int i = 0; i < BIG; i++)
		buf[i] = (char)(i % 251);
	/* More than the pipe holds: the write is stuck in the middle; it may be cut short there. */
	for (ssize_t n, done = 0; done < BIG; done += n) {
		n = write(full[1], buf + done, (size_t)(BIG - done));
		zdtm_assert(n > 0);
	}
	close(full[1]);
	return unused;
}

static void *wait_for_child(void *unused)
{
	int status;
	zdtm_assert_eq(waitpid(child, &status, 0), child);
	zdtm_assert(may_go && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return unused;
}

int main(void)
{
	void *(*const waits[])(void *) = { read_byte, write_all, wait_for_child };
	pthread_t threads[3];
	zdtm_assert(!pipe(empty) && !pipe(full));
	child = zdtm_spawn(zdtm_child_stays, NULL);
	for (int i = 0; i < 3; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, waits[i], NULL));
	zdtm_sleep_ms(100);
	zdtm_ready();
	zdtm_sleep_ms(50);
	may_go = true;
	zdtm_assert_eq(write(empty[1], "x", 1), 1);
	zdtm_assert(!kill(child, SIGTERM));
	int total = 0;
	unsigned char buf[4096];
	for (ssize_t n; (n = read(full[0], buf, sizeof(buf))) != 0; total += (int)n) {
		zdtm_assert(n > 0);
		for (int i = 0; i < n; i++)
			zdtm_assert_eq(buf[i], (unsigned char)((total + i) % 251));
	}
	zdtm_assert_eq(total, BIG);
	for (int i = 0; i < 3; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
