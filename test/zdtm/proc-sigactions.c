/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is to be done for every signal: default, ignored or a handler, with its flags and its mask.
 */
#include "zdtm.h"

static void handler(int sig)
{
	(void)sig;
}

static void info_handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
}

static bool is_settable(int sig)
{
	/* The C library has the first real-time signals for itself. */
	return sig != SIGKILL && sig != SIGSTOP && (sig <= SIGSYS || sig >= SIGRTMIN);
}

/* Another action for each signal, so that no two can be mixed up. */
static struct sigaction action_for(int sig)
{
	static const int flags[] = { SA_RESTART,
				     SA_NODEFER,
				     SA_RESETHAND,
				     SA_ONSTACK,
				     SA_NOCLDSTOP,
				     SA_NOCLDWAIT,
				     SA_RESTART | SA_NODEFER,
				     0 };
	struct sigaction action = { .sa_flags = flags[sig % 8] };
	if (sig % 5 == 0)
		action.sa_handler = SIG_DFL;
	else if (sig % 5 == 1)
		action.sa_handler = SIG_IGN;
	else
		action.sa_handler = handler;
	if (sig % 5 == 4) {
		action.sa_sigaction = info_handler;
		action.sa_flags |= SA_SIGINFO;
	}
	sigemptyset(&action.sa_mask);
	for (int other = 1; other <= SIGRTMAX; other++)
		if (is_settable(other) && (other * sig) % 7 == 3)
			sigaddset(&action.sa_mask, other);
	return action;
}

int main(void)
{
	/* As the C library gives them back: it adds flags of its own. */
	struct sigaction before[NSIG];
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		struct sigaction action = action_for(sig);
		if (!is_settable(sig))
			continue;
		zdtm_assert(!sigaction(sig, &action, NULL));
		zdtm_assert(!sigaction(sig, NULL, &before[sig]));
	}
	zdtm_ready();
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		const struct sigaction *expected = &before[sig];
		struct sigaction now;
		if (!is_settable(sig))
			continue;
		zdtm_assert(!sigaction(sig, NULL, &now));
		if (now.sa_handler != expected->sa_handler)
			zdtm_fail("signal %d has another handler", sig);
		if (now.sa_flags != expected->sa_flags)
			zdtm_fail("signal %d has flags %#x, not %#x", sig,
				  (unsigned int)now.sa_flags, (unsigned int)expected->sa_flags);
		for (int other = 1; other <= SIGRTMAX; other++)
			if (sigismember(&now.sa_mask, other) !=
			    sigismember(&expected->sa_mask, other))
				zdtm_fail("the mask of signal %d is wrong for signal %d", sig,
					  other);
	}
	zdtm_pass();
}
