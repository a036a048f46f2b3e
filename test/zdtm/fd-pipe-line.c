/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pipeline as a shell makes it, at work while it is dumped: no byte is lost, doubled or out of
 * order, and every part ends when the one before it has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

/* How many numbers have passed, seen by all. */
static volatile uint32_t *passed;

static void put(uint32_t number)
{
	fd_write_all(STDOUT_FILENO, &number, sizeof(number));
}

/* False at the end of the input; a number is never cut in two, being less than PIPE_BUF. */
static bool get(uint32_t *ret_number)
{
	ssize_t n;
	while ((n = read(STDIN_FILENO, ret_number, sizeof(*ret_number))) < 0 && errno == EINTR)
		;
	zdtm_assert(n == 0 || n == sizeof(*ret_number));
	return n > 0;
}

static int produce(void)
{
	sigset_t pending;
	uint32_t number = 0;
	do {
		put(number++);
		sigpending(&pending);
	} while (!sigismember(&pending, SIGTERM));
	return 0;
}

static int filter(void)
{
	for (uint32_t number; get(&number);)
		put(number + 1);
	return 0;
}

/* Slower than the others, so that both pipes are full and the writers sleep. */
static int consume(void)
{
	uint32_t number, expected = 1;
	for (; get(&number); expected++) {
		if (number != expected)
			zdtm_fail("the pipeline gives %u, not %u", number, expected);
		*passed = expected;
		if (expected % 200 == 0)
			zdtm_sleep_ms(1);
	}
	return 0;
}

struct part {
	int (*fn)(void);
	int input, output;
};

static int run(void *arg)
{
	struct part *part = arg;
	zdtm_assert(dup2(part->input, STDIN_FILENO) == STDIN_FILENO);
	zdtm_assert(dup2(part->output, STDOUT_FILENO) == STDOUT_FILENO);
	close(part->input);
	close(part->output);
	zdtm_child_ready();
	return part->fn();
}

/* Consumes both descriptors. */
static pid_t start(int (*fn)(void), int input, int output)
{
	struct part part = { fn, input, output };
	pid_t pid = zdtm_spawn(run, &part);
	close(input);
	close(output);
	return pid;
}

static void await_passed(uint32_t count)
{
	uint64_t until = zdtm_now_ms() + 10000;
	while (*passed < count) {
		if (zdtm_now_ms() > until)
			zdtm_fail("the pipeline stands still at %u", *passed);
		zdtm_sleep_ms(1);
	}
}

int main(void)
{
	int first[2], second[2];
	passed = mem_map(mem_page_size(), PROT_READ | PROT_WRITE, MAP_SHARED);
	zdtm_assert(!pipe(first));
	pid_t producer = start(produce, fd_open("/dev/null", O_RDONLY), first[1]);
	zdtm_assert(!pipe(second));
	pid_t middle = start(filter, first[0], second[1]);
	pid_t consumer = start(consume, second[0], fd_open("/dev/null", O_WRONLY));
	await_passed(2000);

	zdtm_ready();

	await_passed(*passed + 2000);
	zdtm_join(producer);
	zdtm_join(middle);
	zdtm_join(consumer);
	zdtm_pass();
}
