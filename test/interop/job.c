/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job of a shell: its terminal and its session belong to others. It counts on the terminal, in a
 * mode of its own.
 */
#include <termios.h>

#include "interop.h"

static bool terminal_holds(void)
{
	struct termios tio;
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	       tcgetattr(STDIN_FILENO, &tio) == 0 && !(tio.c_lflag & ECHO) &&
	       tcgetpgrp(STDIN_FILENO) == getpgrp() && tcgetsid(STDIN_FILENO) == getsid(0) &&
	       getsid(0) != getpid();
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	struct termios tio;
	if (tcgetattr(STDIN_FILENO, &tio) < 0)
		die("tcgetattr");
	tio.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &tio) < 0)
		die("tcsetattr");
	catch_ask();
	report(argv[1], "ready %d 1\n", (int)getpid());
	for (unsigned int count = 1;; count++) {
		bool written = dprintf(STDOUT_FILENO, "tick %u\n", count) > 0;
		sleep_ms(20);
		if (was_asked())
			report_state(argv[1], "job", written && terminal_holds());
	}
}
