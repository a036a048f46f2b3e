// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes inside of terminals, see tty_data.h. Both directions pass a line discipline that would
 * change them, so its settings are put aside while they are written.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/strbuf.h"
#include "fd/tty_data.h"

enum { MAX_WAITING = 1 << 20, VDISABLE = 0, ECHO_TIMEOUT_MS = 2000 };

static int open_slave(const TtyInfoEntry *master, struct err *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/pts/%u", master->pty->index);
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open '%s'", path) : fd;
}

/* Reads no more than is there, since the description may be a blocking one. */
static int drain(int fd, struct strbuf *buf, struct err *err)
{
	int waiting;

	while (ioctl(fd, TIOCINQ, &waiting) == 0 && waiting > 0 && buf->len < MAX_WAITING) {
		ssize_t got = read(fd, strbuf_reserve(buf, (size_t)waiting), (size_t)waiting);

		if (got < 0)
			return err_sys(err, "read what waits in a terminal");
		if (got == 0)
			break;
		buf->len += (size_t)got;
	}
	return 0;
}

/* From slave to master, as it is: without output processing. */
static int write_output(int slave, const void *data, size_t len, struct err *err)
{
	struct termios saved, raw;

	if (tcgetattr(slave, &saved))
		return err_sys(err, "get the terminal's modes");
	raw = saved;
	raw.c_oflag &= ~(tcflag_t)OPOST;
	int ret = tcsetattr(slave, TCSANOW, &raw) ? -errno : io_write(slave, data, len);
	tcsetattr(slave, TCSANOW, &saved);
	return ret < 0 ? err_ret(err, ret, "write %zu bytes of output into a terminal", len) : 0;
}

/*
 * Lines stay lines, but nothing is erased or taken for a signal. Everything is echoed as it is,
 * which tells when the kernel's worker has taken it in: only then may the old modes come back.
 */
static void make_plain(struct termios *tio)
{
	static const int editing[] = { VINTR, VQUIT,    VERASE,   VKILL,   VSTART, VSTOP,
				       VSUSP, VREPRINT, VDISCARD, VWERASE, VLNEXT };

	tio->c_iflag = 0;
	tio->c_oflag &= ~(tcflag_t)OPOST;
	tio->c_lflag = (tio->c_lflag & ICANON) | ECHO;
	for (size_t i = 0; i < ARRAY_SIZE(editing); i++)
		tio->c_cc[editing[i]] = VDISABLE;
}

/* Takes @len bytes of echo away. Nothing else waits at the master. */
static int await_echo(int master, size_t len, struct err *err)
{
	struct pollfd poll_fd = { .fd = master, .events = POLLIN };
	char buf[256];

	while (len) {
		if (poll(&poll_fd, 1, ECHO_TIMEOUT_MS) <= 0)
			return err_set(err, -EIO, "%zu bytes of input were not taken in", len);
		ssize_t got = read(master, buf, len < sizeof(buf) ? len : sizeof(buf));
		if (got <= 0)
			return err_sys(err, "read the echo of a terminal");
		len -= (size_t)got;
	}
	return 0;
}

/*
 * From master to slave. The mark that a line was ended by end-of-file (^D) is a zero byte in the
 * kernel's buffer, and is made again by that character, which has no echo.
 */
static int write_pieces(int master, const struct termios *tio, const char *data, size_t len,
			struct err *err)
{
	int ret = 0;

	for (size_t at = 0; at < len && ret == 0;) {
		size_t part = (tio->c_lflag & ICANON) ? strnlen(data + at, len - at) : len - at;

		ret = io_write(master, data + at, part);
		if (ret < 0)
			return err_ret(err, ret, "write %zu bytes of input into a terminal", part);
		ret = await_echo(master, part, err);
		at += part;
		if (ret == 0 && at < len) {
			ret = io_write(master, &tio->c_cc[VEOF], 1);
			at++;
		}
	}
	return ret;
}

static int write_input(int master, int slave, const char *data, size_t len, struct err *err)
{
	struct termios saved, plain;

	if (tcgetattr(slave, &saved))
		return err_sys(err, "get the terminal's modes");
	plain = saved;
	make_plain(&plain);
	if (tcsetattr(slave, TCSANOW, &plain))
		return err_sys(err, "set the terminal's modes");
	int ret = write_pieces(master, &saved, data, len, err);
	tcsetattr(slave, TCSANOW, &saved);
	return ret;
}

/* In canonical mode a line without end cannot be read; out of it all can, as plain bytes. */
static int drain_input(int slave, struct strbuf *buf, struct err *err)
{
	struct termios saved, raw;

	if (tcgetattr(slave, &saved))
		return 0; /* hung up */
	raw = saved;
	raw.c_lflag &= ~(tcflag_t)ICANON;
	raw.c_cc[VMIN] = raw.c_cc[VTIME] = 0;
	if (tcsetattr(slave, TCSANOW, &raw))
		return err_sys(err, "set the terminal's modes");
	int ret = drain(slave, buf, err);
	tcsetattr(slave, TCSANOW, &saved);
	return ret;
}

static void keep(struct snapshot *snap, uint32_t id, const struct strbuf *buf)
{
	TtyDataEntry *entry = SNAP_MSG(snap, TtyDataEntry, tty_data_entry);

	entry->tty_id = id;
	entry->data.len = buf->len;
	entry->data.data = arena_memdup(&snap->arena, buf->data, buf->len);
	*array_push(&snap->arena, &snap->tty_data) = entry;
}

/* In packet mode every read begins with a byte that says what follows. */
static void set_packet_mode(const TtyInfoEntry *master, int fd, int on)
{
	if (master->packet_mode)
		ioctl(fd, TIOCPKT, &on);
}

/* Output is written back last: until then the master has nothing but echo to read. */
static int save_both(struct snapshot *snap, const TtyInfoEntry *master, const TtyInfoEntry *info,
		     int fd, struct err *err)
{
	_cleanup_strbuf_ struct strbuf output = { 0 }, input = { 0 };
	_cleanup_close_ int slave = open_slave(master, err);

	if (slave < 0)
		return slave;
	int ret = drain(fd, &output, err);
	if (ret == 0 && info)
		ret = drain_input(slave, &input, err);
	if (ret == 0 && input.len)
		ret = write_input(fd, slave, input.data, input.len, err);
	if (output.len) {
		int back = write_output(slave, output.data, output.len, ret == 0 ? err : NULL);

		ret = ret == 0 ? back : ret;
		keep(snap, master->id, &output);
	}
	if (input.len)
		keep(snap, info->id, &input);
	return ret;
}

int tty_data_save(struct snapshot *snap, TtyInfoEntry *master, const TtyInfoEntry *slave, int fd,
		  struct err *err)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int waiting = 0;

	if (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLHUP)) {
		master->has_other_closed = true;
		master->other_closed = true;
	}
	/* a slave that was never open must not be opened for nothing: its master would know */
	if (!slave && (ioctl(fd, TIOCINQ, &waiting) || waiting <= 0))
		return 0;
	set_packet_mode(master, fd, 0);
	int ret = save_both(snap, master, slave, fd, err);
	set_packet_mode(master, fd, 1);
	return err_wrap(err, ret, "pseudo-terminal %u", master->pty->index);
}

static const TtyDataEntry *find_data(const struct snapshot *snap, const TtyInfoEntry *info)
{
	for (size_t i = 0; info && i < snap->tty_data.n; i++)
		if (snap->tty_data.v[i]->tty_id == info->id)
			return snap->tty_data.v[i];
	return NULL;
}

int tty_data_restore(const struct snapshot *snap, const TtyInfoEntry *master,
		     const TtyInfoEntry *slave, int fd, struct err *err)
{
	const TtyDataEntry *output = find_data(snap, master), *input = find_data(snap, slave);
	int ret = 0;

	if (!output && !input && !(master->has_other_closed && master->other_closed))
		return 0;
	/* closing it again is what tells the master that the other side is closed */
	_cleanup_close_ int other = open_slave(master, err);
	if (other < 0)
		return other;
	set_packet_mode(master, fd, 0);
	if (input)
		ret = write_input(fd, other, (const char *)input->data.data, input->data.len, err);
	if (ret == 0 && output)
		ret = write_output(other, output->data.data, output->data.len, err);
	set_packet_mode(master, fd, 1);
	return err_wrap(err, ret, "pseudo-terminal %u", master->pty->index);
}
