// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins, see pin.h.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "collect/bpf/cache.h"
#include "collect/bpf/pin.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif

_Static_assert(BPF_PIN_ID_SIZE >= BPF_ID_SIZE, "a folder's name is an id");

enum { MAX_SLOTS = 16, FOLDER_SIZE = 64, PATH_SIZE = 160, VERDICT_SIZE = 4096 };

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static const char *const parts[] = { "collect", "ring", "control" };

static bool is_bpffs(void)
{
	struct statfs st;

	return statfs(BPF_PIN_ROOT, &st) == 0 && (uint32_t)st.f_type == BPF_FS_MAGIC;
}

bool bpf_pin_possible(void)
{
	return geteuid() == 0 && is_bpffs();
}

/* Opens a folder that root alone can have filled. -ENOENT is not described. */
static int open_dir(int dirfd, const char *path, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = openat(dirfd, path, DIR_FLAGS);

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat '%s'", path);
	if (st.st_uid != 0 || (st.st_mode & 077))
		return err_set(err, -EPERM, "'%s' is not root's alone: remove it", path);
	return take_fd(&fd);
}

/* ---- Taking one ---- */

static int get_part(const char folder[FOLDER_SIZE], unsigned int slot, const char *part,
		    struct err *err)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%u/%s", folder, slot, part);
	struct stat st;
	if (lstat(path, &st) < 0)
		return err_sys(err, "stat '%s'", path);
	if (st.st_uid != 0 || (st.st_mode & 077))
		return err_set(err, -EPERM, "'%s' is not root's alone: crib bpf unpin", path);
	int fd = bpf_obj_get(path);
	if (fd < 0)
		return err_ret(err, fd, "get '%s'", path);
	return fd;
}

/* What is pinned must be what was tested. */
static int check_parts(struct bpf_programs *programs, const struct verdict *verdict,
		       struct err *err)
{
	struct bpf_prog_info program = { 0 };
	struct bpf_map_info ring = { 0 }, control = { 0 };
	__u32 program_len = sizeof(program), ring_len = sizeof(ring), control_len = sizeof(control);

	if (bpf_obj_get_info_by_fd(programs->program_fd, &program, &program_len) < 0 ||
	    bpf_obj_get_info_by_fd(programs->ring_fd, &ring, &ring_len) < 0 ||
	    bpf_obj_get_info_by_fd(programs->control_fd, &control, &control_len) < 0)
		return err_sys(err, "ask what is pinned");
	memcpy(&programs->tag, program.tag, sizeof(programs->tag));
	if (program.type != BPF_PROG_TYPE_SYSCALL || ring.type != BPF_MAP_TYPE_RINGBUF ||
	    ring.max_entries != BPF_RING_SIZE || control.type != BPF_MAP_TYPE_ARRAY ||
	    control.max_entries != 1 || !(control.map_flags & BPF_F_MMAPABLE) ||
	    control.value_size != sizeof(struct run_control) || programs->tag != verdict->tag)
		return err_set(err, -EBADMSG, "what is pinned is not crib's: crib bpf unpin");
	return 0;
}

static int take_slot(struct bpf_programs *programs, const char folder[FOLDER_SIZE],
		     unsigned int slot, const struct verdict *verdict, struct err *err)
{
	int ret = 0;

	programs->program_fd = get_part(folder, slot, parts[0], err);
	programs->ring_fd = programs->program_fd < 0 ? -1 : get_part(folder, slot, parts[1], err);
	programs->control_fd = programs->ring_fd < 0 ? -1 : get_part(folder, slot, parts[2], err);
	if (programs->control_fd < 0)
		ret = err->code;
	if (ret == 0)
		ret = check_parts(programs, verdict, err);
	return ret == 0 ? bpf_programs_map(programs, BPF_RING_SIZE, err) : ret;
}

static void folder_path(char ret_path[FOLDER_SIZE])
{
	char id[BPF_ID_SIZE];

	bpf_build_id(id);
	snprintf(ret_path, FOLDER_SIZE, "%s/%s", BPF_PIN_DIR, id);
}

/* ---- The verdict ---- */

static const char VERDICT[] = "verdict";

/* The folder is root's alone. */
static int read_verdict(int dir, struct verdict *ret_verdict, struct err *err)
{
	char text[VERDICT_SIZE];
	ssize_t len = readlinkat(dir, VERDICT, text, sizeof(text));

	if (len < 0)
		return errno == ENOENT ? -ENOENT : err_sys(err, "read the verdict of pins");
	if ((size_t)len == sizeof(text))
		return err_set(err, -EBADMSG, "the verdict of pins is too long: crib bpf unpin");
	text[len] = '\0';
	if (!verdict_parse(text, ret_verdict) || !verdict_is_complete(ret_verdict))
		return err_set(err, -EBADMSG, "the verdict of pins is malformed: crib bpf unpin");
	return 0;
}

static int write_verdict(int dir, const struct verdict *verdict, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char name[32];

	verdict_print(verdict, &text);
	snprintf(name, sizeof(name), "verdict-%d", getpid());
	unlinkat(dir, name, 0);
	if (symlinkat(strbuf_str(&text), dir, name) < 0 || renameat(dir, name, dir, VERDICT) < 0)
		return err_sys(err, "write the verdict of pins");
	return 0;
}

/* One for all instances: they are of the same instructions. */
static int add_verdict(int dir, const struct verdict *verdict, struct err *err)
{
	struct verdict have;
	int ret = read_verdict(dir, &have, err);

	if (ret == 0 && have.tag == verdict->tag)
		return 0;
	if (ret == 0)
		return err_set(err, -EEXIST,
			       "programs with other types are pinned: crib bpf unpin");
	return ret == -ENOENT ? write_verdict(dir, verdict, err) : ret;
}

/* ---- Opening ---- */

/* Opens and locks the first slot that is free. Returns its descriptor, -ENOENT: there is none. */
static int lock_free_slot(int dir, unsigned int *ret_slot, struct err *err)
{
	for (unsigned int slot = 0; slot < MAX_SLOTS; slot++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", slot);
		_cleanup_close_ int fd = open_dir(dir, name, err);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*ret_slot = slot;
			return take_fd(&fd);
		}
	}
	return -ENOENT;
}

/* The folder of this kernel and these programs. -ENOENT: there is none. */
static int open_folder(const char folder[FOLDER_SIZE], struct err *err)
{
	_cleanup_close_ int top = open_dir(AT_FDCWD, BPF_PIN_DIR, err);

	return top < 0 ? top : open_dir(AT_FDCWD, folder, err);
}

int bpf_pin_open(struct bpf_programs *programs, struct verdict *ret_verdict, struct err *err)
{
	char folder[FOLDER_SIZE];
	unsigned int slot = 0;

	bpf_programs_init(programs);
	if (!bpf_pin_possible())
		return -ENOENT;
	folder_path(folder);
	_cleanup_close_ int dir = open_folder(folder, err);
	if (dir < 0)
		return dir;
	int lock = lock_free_slot(dir, &slot, err);
	if (lock < 0)
		return lock;
	programs->lock_fd = lock;
	int ret = read_verdict(dir, ret_verdict, err);
	if (ret == 0)
		ret = take_slot(programs, folder, slot, ret_verdict, err);
	if (ret < 0)
		bpf_programs_close(programs);
	return ret;
}

void bpf_pin_judge(const struct verdict *verdict)
{
	char folder[FOLDER_SIZE];
	struct verdict have;

	if (!bpf_pin_possible())
		return;
	folder_path(folder);
	_cleanup_close_ int dir = open_folder(folder, NULL);
	if (dir >= 0 && read_verdict(dir, &have, NULL) == 0 && have.tag == verdict->tag)
		write_verdict(dir, verdict, NULL);
}

/* ---- Removing ---- */

static void remove_slot(int dirfd, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%.16s/%s", name, parts[i]);
		unlinkat(dirfd, path, 0);
	}
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

typedef int entry_fn(int dirfd, const char *name, void *ctx, struct err *err);

/* Calls @fn for every folder in @dirfd. */
static int each_entry(int dirfd, entry_fn *fn, void *ctx, struct err *err)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return err_sys(err, "list '%s'", BPF_PIN_DIR);
	while (ret == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = fn(dirfd, entry->d_name, ctx, err);
	return ret;
}

/* Removes an instance, unless somebody holds it; *ctx counts those. */
static int remove_if_free(int dirfd, const char *name, void *ctx, struct err *err)
{
	_cleanup_close_ int fd = openat(dirfd, name, DIR_FLAGS);

	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		++*(int *)ctx;
	else
		remove_slot(dirfd, name);
	return 0;
}

struct removal {
	const char *keep; /* the id that stays, NULL: none */
	int in_use;
};

static int remove_folder(int dirfd, const char *name, void *ctx, struct err *err)
{
	struct removal *removal = ctx;

	if (removal->keep && !strcmp(name, removal->keep))
		return 0;
	_cleanup_close_ int fd = openat(dirfd, name, DIR_FLAGS);
	if (fd < 0)
		return 0;
	int in_use = removal->in_use;
	int ret = each_entry(fd, remove_if_free, &removal->in_use, err);
	if (removal->in_use == in_use)
		unlinkat(fd, VERDICT, 0);
	unlinkat(dirfd, name, AT_REMOVEDIR); /* fails where something is in use */
	return ret;
}

int bpf_pin_remove_all(struct err *err)
{
	struct removal removal = { 0 };

	if (!is_bpffs())
		return 0;
	_cleanup_close_ int dir = open_dir(AT_FDCWD, BPF_PIN_DIR, err);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	int ret = each_entry(dir, remove_folder, &removal, err);
	if (ret == 0 && rmdir(BPF_PIN_DIR) < 0 && !removal.in_use)
		ret = err_sys(err, "remove '%s'", BPF_PIN_DIR);
	return ret < 0 ? ret : removal.in_use;
}

/* ---- Making ---- */

static int make_dir(int dirfd, const char *path, struct err *err)
{
	if (mkdirat(dirfd, path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "create '%s'", path);
	int fd = open_dir(dirfd, path, err);
	return fd == -ENOENT ? err_ret(err, fd, "open '%s'", path) : fd;
}

static int pin_parts(const struct bpf_programs *programs, const char folder[FOLDER_SIZE],
		     const char name[32], struct err *err)
{
	const int fds[ARRAY_SIZE(parts)] = { programs->program_fd, programs->ring_fd,
					     programs->control_fd };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "%s/%s/%s", folder, name, parts[i]);
		int ret = bpf_obj_pin(fds[i], path);
		if (ret < 0)
			return err_ret(err, ret, "pin '%s'", path);
	}
	return 0;
}

/* A complete instance gets its number by one rename. */
static int give_number(int dirfd, const char *name, struct err *err)
{
	for (unsigned int slot = 0; slot < MAX_SLOTS; slot++) {
		char number[16];

		snprintf(number, sizeof(number), "%u", slot);
		if (syscall(SYS_renameat2, dirfd, name, dirfd, number, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return err_sys(err, "rename the pins in '%s'", BPF_PIN_DIR);
	}
	return err_set(err, -ENOSPC, "%d instances are pinned already", MAX_SLOTS);
}

int bpf_pin_make(struct bpf_programs *programs, const struct verdict *verdict, struct err *err)
{
	char folder[FOLDER_SIZE], name[32];
	struct removal stale = { .keep = folder + sizeof(BPF_PIN_DIR) };

	folder_path(folder);
	_cleanup_close_ int top = make_dir(AT_FDCWD, BPF_PIN_DIR, err);
	if (top < 0)
		return top;
	each_entry(top, remove_folder, &stale, NULL);
	_cleanup_close_ int dir = make_dir(AT_FDCWD, folder, err);
	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), "new-%d", getpid());
	_cleanup_close_ int lock = make_dir(dir, name, err);
	if (lock < 0)
		return lock;
	int ret = flock(lock, LOCK_EX | LOCK_NB) < 0 ? err_sys(err, "lock '%s'", folder) : 0;
	if (ret == 0)
		ret = pin_parts(programs, folder, name, err);
	if (ret == 0)
		ret = add_verdict(dir, verdict, err);
	if (ret == 0)
		ret = give_number(dir, name, err);
	if (ret < 0) {
		remove_slot(dir, name);
		return ret;
	}
	programs->lock_fd = take_fd(&lock);
	return 0;
}

int bpf_pin_mount(struct err *err)
{
	if (is_bpffs())
		return 0;
	if (mount("bpf", BPF_PIN_ROOT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return err_sys(err, "mount a bpffs on '%s'", BPF_PIN_ROOT);
	return 1;
}

/* ---- Showing ---- */

struct showing {
	void (*show)(const struct bpf_pin_status *status, void *ctx);
	void *ctx;
	struct bpf_pin_status status;
};

static int show_slot(int dirfd, const char *name, void *ctx, struct err *err)
{
	struct showing *showing = ctx;
	uint64_t slot;

	if (parse_u64(name, MAX_SLOTS, &slot) < 0)
		return 0;
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	showing->status.slot = (unsigned int)slot;
	showing->status.in_use = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
	showing->show(&showing->status, showing->ctx);
	return 0;
}

static int show_folder(int dirfd, const char *name, void *ctx, struct err *err)
{
	struct showing *showing = ctx;
	char id[BPF_ID_SIZE];

	_cleanup_close_ int fd = openat(dirfd, name, DIR_FLAGS);
	if (fd < 0)
		return 0;
	bpf_build_id(id);
	snprintf(showing->status.id, sizeof(showing->status.id), "%.*s",
		 (int)sizeof(showing->status.id) - 1, name);
	showing->status.ours = !strcmp(name, id);
	return each_entry(fd, show_slot, showing, err);
}

int bpf_pin_each(void (*show)(const struct bpf_pin_status *status, void *ctx), void *ctx,
		 struct err *err)
{
	struct showing showing = { .show = show, .ctx = ctx };

	if (!is_bpffs())
		return 0;
	_cleanup_close_ int dir = open_dir(AT_FDCWD, BPF_PIN_DIR, err);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	return each_entry(dir, show_folder, &showing, err);
}
