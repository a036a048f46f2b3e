/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that is in a signal handler on its alternate stack goes on there and returns from it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "zdtm.h"

static stack_t stack;
static volatile sig_atomic_t returned_from;

static bool is_on_stack(void)
{
	stack_t now;
	zdtm_assert(!sigaltstack(NULL, &now));
	zdtm_assert(now.ss_sp == stack.ss_sp && now.ss_size == stack.ss_size);
	return now.ss_flags & SS_ONSTACK;
}

static void on_signal(int sig)
{
	sigset_t mask;
	zdtm_assert(is_on_stack());
	zdtm_ready();
	zdtm_assert(is_on_stack());
	/* The handler's own mask holds too. */
	zdtm_assert(!sigprocmask(SIG_SETMASK, NULL, &mask));
	zdtm_assert(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGUSR2));
	returned_from = sig;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	stack = (stack_t){ .ss_sp = malloc(256 * 1024), .ss_size = 256 * 1024 };
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR2);
	zdtm_assert(stack.ss_sp && !sigaltstack(&stack, NULL));
	zdtm_assert(!sigaction(SIGUSR1, &action, NULL));
	zdtm_assert(!raise(SIGUSR1));
	zdtm_assert_eq(returned_from, SIGUSR1);
	zdtm_assert(!is_on_stack());
	sigset_t mask;
	zdtm_assert(!sigprocmask(SIG_SETMASK, NULL, &mask));
	zdtm_assert(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
	zdtm_pass();
}
