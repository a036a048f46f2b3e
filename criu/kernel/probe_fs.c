// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of what concerns files and mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "kernel/probe.h"

/* include/uapi/linux/mount.h, 5.15 */
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x00000100
#endif

/* fs/timerfd.c, with CONFIG_CHECKPOINT_RESTORE */
#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

/* Where probes mount, in a mount namespace of their own. */
#define SPOT "/tmp"

int probe_map_files(struct err *err)
{
	return probe_path("/proc/self/map_files", err);
}

int probe_mnt_id(struct err *err)
{
	_cleanup_close_ int fd = open("/", O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open '/'");
	return probe_fdinfo(fd, "mnt_id:", err);
}

int probe_fdinfo_lock(struct err *err)
{
	_cleanup_close_ int fd = memfd_create("crib-probe", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "memfd_create");
	if (flock(fd, LOCK_EX) < 0)
		return err_sys(err, "flock");
	return probe_fdinfo(fd, "lock:", err);
}

int probe_timerfd(struct err *err)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	uint64_t ticks = 1;

	if (fd < 0)
		return err_sys(err, "timerfd_create");
	if (ioctl(fd, TFD_IOC_SET_TICKS, &ticks) < 0)
		return err_sys(err, "ioctl(TFD_IOC_SET_TICKS)");
	return probe_fdinfo(fd, "clockid:", err);
}

int probe_openat2(struct err *err)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	return fd < 0 ? err_sys(err, "openat2(RESOLVE_IN_ROOT)") : 0;
}

int probe_apparmor_stacking(struct err *err)
{
	static const char path[] = "/sys/kernel/security/apparmor/features/domain/stack";
	_cleanup_strbuf_ struct strbuf text = { 0 };
	int ret = io_read_file(AT_FDCWD, path, &text);

	if (ret < 0)
		return err_ret(err, ret, "read '%s'", path);
	if (strncmp(strbuf_str(&text), "yes", 3))
		return err_set(err, -EOPNOTSUPP, "'%s' does not say yes", path);
	return 0;
}

/* A mount whose daemon this process group is: walking into it triggers nothing. */
static int try_autofs(struct err *err)
{
	_cleanup_strbuf_ struct strbuf mounts = { 0 };
	char options[128];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	snprintf(options, sizeof(options), "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", fds[1],
		 (int)getpgrp());
	if (mount("crib-probe", SPOT, "autofs", 0, options) < 0)
		return err_sys(err, "mount autofs on '%s'", SPOT);
	int ret = io_read_file(AT_FDCWD, "/proc/self/mountinfo", &mounts);
	if (ret < 0)
		return err_ret(err, ret, "read '/proc/self/mountinfo'");
	const char *line = strstr(strbuf_str(&mounts), " - autofs crib-probe ");
	const char *ino = line ? strstr(line, "pipe_ino=") : NULL;
	if (!ino || memchr(line, '\n', (size_t)(ino - line)))
		return err_set(err, -EOPNOTSUPP, "mountinfo does not show the pipe of autofs");
	return 0;
}

int probe_autofs(struct err *err)
{
	return probe_in_child(CLONE_NEWNS, try_autofs, err);
}

static int mount_tmpfs(struct err *err)
{
	if (mount("crib-probe", SPOT, "tmpfs", 0, "size=1m") < 0)
		return err_sys(err, "mount tmpfs on '%s'", SPOT);
	return 0;
}

static int make_dirs(const char *const *paths, struct err *err)
{
	for (; *paths; paths++) {
		if (mkdir(*paths, 0700) < 0)
			return err_sys(err, "mkdir '%s'", *paths);
	}
	return 0;
}

/* Device and inode that /proc/self/maps shows for the mapping at @addr. */
static int mapped_file(const void *addr, uint64_t *ret_dev, uint64_t *ret_ino, struct err *err)
{
	_cleanup_strbuf_ struct strbuf maps = { 0 };
	int ret = io_read_file(AT_FDCWD, "/proc/self/maps", &maps);
	uint64_t start, skipped, major, minor;

	if (ret < 0)
		return err_ret(err, ret, "read '/proc/self/maps'");
	const char *pos = strbuf_str(&maps);
	do {
		/* start-end perms offset major:minor inode path */
		if (!scan_hex(&pos, &start) || start != (uintptr_t)addr)
			continue;
		if (!scan_str(&pos, "-") || !scan_hex(&pos, &skipped))
			break;
		pos += strcspn(pos + 1, " ") + 1;
		scan_blanks(&pos);
		if (!scan_hex(&pos, &skipped))
			break;
		scan_blanks(&pos);
		if (!scan_hex(&pos, &major) || !scan_str(&pos, ":") || !scan_hex(&pos, &minor))
			break;
		scan_blanks(&pos);
		if (!scan_u64(&pos, ret_ino))
			break;
		*ret_dev = makedev((unsigned int)major, (unsigned int)minor);
		return 0;
	} while (scan_line(&pos));
	return err_set(err, -EBADMSG, "'/proc/self/maps' does not show a mapped file");
}

static int try_overlayfs_maps(struct err *err)
{
	static const char *const dirs[] = { SPOT "/l", SPOT "/u", SPOT "/w", SPOT "/m", NULL };
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	struct stat st;
	uint64_t dev = 0, ino = 0;
	int ret = mount_tmpfs(err);

	if (ret == 0)
		ret = make_dirs(dirs, err);
	if (ret < 0)
		return ret;
	_cleanup_close_ int lower = open(SPOT "/l/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lower < 0 || ftruncate(lower, (off_t)size) < 0)
		return err_sys(err, "make '%s'", SPOT "/l/file");
	if (mount("crib-probe", SPOT "/m", "overlay", 0,
		  "lowerdir=" SPOT "/l,upperdir=" SPOT "/u,workdir=" SPOT "/w") < 0)
		return err_sys(err, "mount overlay on '%s'", SPOT "/m");
	_cleanup_close_ int file = open(SPOT "/m/file", O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) < 0)
		return err_sys(err, "open '%s'", SPOT "/m/file");
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
	if (map == MAP_FAILED)
		return err_sys(err, "mmap '%s'", SPOT "/m/file");
	ret = mapped_file(map, &dev, &ino, err);
	if (ret == 0 && (dev != st.st_dev || ino != st.st_ino))
		ret = err_set(err, -EOPNOTSUPP,
			      "a file of overlayfs is shown as another one when it is mapped");
	return ret;
}

int probe_overlayfs_maps(struct err *err)
{
	return probe_in_child(CLONE_NEWNS, try_overlayfs_maps, err);
}

/* Lets a private bind mount join the peer group of the mount that it was made from. */
static int try_set_group(struct err *err)
{
	static const char *const dirs[] = { SPOT "/to", NULL };
	int ret = mount_tmpfs(err);

	if (ret == 0)
		ret = make_dirs(dirs, err);
	if (ret < 0)
		return ret;
	if (mount(SPOT "/to", SPOT "/to", NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, SPOT, NULL, MS_SHARED, NULL) < 0)
		return err_sys(err, "mount below '%s'", SPOT);
	if (syscall(SYS_move_mount, AT_FDCWD, SPOT, AT_FDCWD, SPOT "/to", MOVE_MOUNT_SET_GROUP) < 0)
		return err_sys(err, "move_mount(MOVE_MOUNT_SET_GROUP)");
	return 0;
}

int probe_move_mount_set_group(struct err *err)
{
	return probe_in_child(CLONE_NEWNS, try_set_group, err);
}
