/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pair of sockets is refused in words, and still carries what was written.
 */
/* refused: a socket: not supported */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	char text[8];
	int fds[2];
	zdtm_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	zdtm_assert(write(fds[0], "kept", 5) == 5);

	zdtm_ready();

	zdtm_assert(read(fds[1], text, sizeof(text)) == 5 && !strcmp(text, "kept"));
	zdtm_pass();
}
