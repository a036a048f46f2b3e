// SPDX-License-Identifier: GPL-2.0-only
/*
 * Terminal settings, see tty_settings.h and ioctl_tty(2). The kernel's struct termios, not libc's.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fd/tty_settings.h"

/* libc's headers for these clash with the kernel's termios. */
#ifndef TIOCPKT
#include <asm/ioctls.h>
#endif

/*
 * Control characters have 19 words in the format, of which only the first five are used: they hold
 * the characters as memory does, four in a word.
 */
enum { CC_BITS = 8, CC_PER_WORD = 4 };

static TermiosEntry *termios_to_entry(struct snapshot *snap, const struct termios2 *tio)
{
	TermiosEntry *entry = SNAP_MSG(snap, TermiosEntry, termios_entry);

	entry->c_iflag = tio->c_iflag;
	entry->c_oflag = tio->c_oflag;
	entry->c_cflag = tio->c_cflag;
	entry->c_lflag = tio->c_lflag;
	entry->c_line = tio->c_line;
	entry->c_ispeed = tio->c_ispeed;
	entry->c_ospeed = tio->c_ospeed;
	entry->n_c_cc = sizeof(tio->c_cc);
	entry->c_cc = ARENA_ARRAY(&snap->arena, uint32_t, entry->n_c_cc);
	for (size_t i = 0; i < entry->n_c_cc; i++)
		entry->c_cc[i / CC_PER_WORD] |= (uint32_t)tio->c_cc[i] << i % CC_PER_WORD * CC_BITS;
	return entry;
}

static void termios_from_entry(const TermiosEntry *entry, struct termios2 *tio)
{
	tio->c_iflag = entry->c_iflag;
	tio->c_oflag = entry->c_oflag;
	tio->c_cflag = entry->c_cflag;
	tio->c_lflag = entry->c_lflag;
	tio->c_line = (cc_t)entry->c_line;
	tio->c_ispeed = entry->c_ispeed;
	tio->c_ospeed = entry->c_ospeed;
	for (size_t i = 0; i < sizeof(tio->c_cc) && i / CC_PER_WORD < entry->n_c_cc; i++)
		tio->c_cc[i] = (cc_t)(entry->c_cc[i / CC_PER_WORD] >> i % CC_PER_WORD * CC_BITS);
}

static bool read_flag(int fd, unsigned long request)
{
	int value = 0;

	return ioctl(fd, request, &value) == 0 && value;
}

void tty_settings_read(struct snapshot *snap, TtyInfoEntry *info, int fd, bool master)
{
	struct termios2 tio = { 0 };
	struct termios locked = { 0 };
	struct winsize size = { 0 };

	if (ioctl(fd, TCGETS2, &tio))
		return;
	info->termios = termios_to_entry(snap, &tio);
	if (ioctl(fd, TIOCGLCKTRMIOS, &locked) == 0) {
		memset(&tio, 0, sizeof(tio));
		memcpy(&tio, &locked, sizeof(locked));
		info->termios_locked = termios_to_entry(snap, &tio);
	}
	if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
		info->winsize = SNAP_MSG(snap, WinsizeEntry, winsize_entry);
		info->winsize->ws_row = size.ws_row;
		info->winsize->ws_col = size.ws_col;
		info->winsize->ws_xpixel = size.ws_xpixel;
		info->winsize->ws_ypixel = size.ws_ypixel;
	}
	info->exclusive = read_flag(fd, TIOCGEXCL);
	if (master) {
		info->packet_mode = read_flag(fd, TIOCGPKT);
		info->locked = read_flag(fd, TIOCGPTLCK);
	}
}

static int write_winsize(const WinsizeEntry *entry, int fd, struct err *err)
{
	const struct winsize size = {
		.ws_row = (unsigned short)entry->ws_row,
		.ws_col = (unsigned short)entry->ws_col,
		.ws_xpixel = (unsigned short)entry->ws_xpixel,
		.ws_ypixel = (unsigned short)entry->ws_ypixel,
	};

	return ioctl(fd, TIOCSWINSZ, &size) ? err_sys(err, "set the window size") : 0;
}

static int write_termios(const TtyInfoEntry *info, int fd, struct err *err)
{
	struct termios2 tio = { 0 };
	struct termios locked = { 0 };

	if (info->termios_locked) {
		termios_from_entry(info->termios_locked, &tio);
		memcpy(&locked, &tio, sizeof(locked));
		ioctl(fd, TIOCSLCKTRMIOS,
		      &locked); /* needs CAP_SYS_ADMIN, and hardly ever matters */
	}
	if (ioctl(fd, TCGETS2, &tio))
		return err_sys(err, "get the terminal's modes");
	termios_from_entry(info->termios, &tio);
	return ioctl(fd, TCSETS2, &tio) ? err_sys(err, "set the terminal's modes") : 0;
}

int tty_settings_exclusive(const TtyInfoEntry *info, int fd, struct err *err)
{
	return info->exclusive && ioctl(fd, TIOCEXCL) ?
		       err_sys(err, "make the terminal exclusive") :
		       0;
}

int tty_settings_write(const TtyInfoEntry *info, int fd, bool master, bool ours, struct err *err)
{
	int on = 1, ret = 0;

	if (info->termios)
		ret = write_termios(info, fd, err);
	if (ret == 0 && info->winsize && ours)
		ret = write_winsize(info->winsize, fd, err);
	if (ret < 0)
		return ret;
	if (ours)
		ret = tty_settings_exclusive(info, fd, err);
	if (ret < 0)
		return ret;
	if (master && info->packet_mode && ioctl(fd, TIOCPKT, &on))
		return err_sys(err, "set packet mode");
	if (master && info->locked && ioctl(fd, TIOCSPTLCK, &on))
		return err_sys(err, "lock the slave");
	return 0;
}
