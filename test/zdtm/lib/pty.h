/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pseudoterminals for the tests of terminals. Each function fails the test when it cannot do its
 * work.
 */
#ifndef CRIB_ZDTM_LIB_PTY_H
#define CRIB_ZDTM_LIB_PTY_H

#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct pty {
	int master;
	int slave; /* -1 when it is not open */
	int index; /* N of /dev/pts/N */
};

/* Opens a new master, unlocked, without the slave and not as controlling terminal. */
struct pty pty_open_master(void);

/* The same with its slave, opened without becoming the controlling terminal. */
struct pty pty_open(void);

/* Opens the slave of @pty with @flags. */
int pty_open_slave(const struct pty *pty, int flags);

/* Raw mode, no echo: what is written to one end is what is read at the other. */
void pty_set_raw(int fd);

struct termios pty_get_termios(int fd);

/* Fails the test unless the terminal's modes, characters and speeds are those of @before. */
void pty_check_termios(int fd, const struct termios *before);

void pty_set_size(int fd, unsigned short rows, unsigned short columns);
void pty_check_size(int fd, unsigned short rows, unsigned short columns);

/* Waits until @size bytes can be read from @fd: between the two ends a kernel thread works. */
void pty_await_input(int fd, size_t size);

/* Makes the calling process the leader of a new session with the terminal @slave. */
void pty_become_leader(int slave);

#endif
