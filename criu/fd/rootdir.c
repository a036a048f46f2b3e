// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking up paths below a root directory, see rootdir.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd/rootdir.h"

enum {
	MAX_LINKS = 40,  /* as the kernel has it */
	MAX_RETRIES = 8, /* when something was renamed meanwhile */
};

struct rootdir rootdir_of(const struct opts *opts, int root_fd)
{
	return (struct rootdir){ .fd = root_fd, .confined = opts->root };
}

static const char *below(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

/* How far a walk has come: both are paths below the root, of the first no part is a link. */
struct walk {
	char done[PATH_MAX];
	char left[PATH_MAX];
	int links;
};

static int append(char *path, const char *more, size_t len)
{
	size_t have = strlen(path);

	if (have + 1 + len >= PATH_MAX)
		return -ENAMETOOLONG;
	if (have)
		path[have++] = '/';
	memcpy(path + have, more, len);
	path[have + len] = '\0';
	return 0;
}

/* Puts the target of a link in front of what is left, and begins at the root when it is absolute. */
static int follow(struct walk *walk, const char *target)
{
	char left[PATH_MAX];
	int n = snprintf(left, sizeof(left), "%s/%s", target, walk->left);

	if (n >= (int)sizeof(left))
		return -ENAMETOOLONG;
	memcpy(walk->left, left, (size_t)n + 1);
	if (*target == '/')
		walk->done[0] = '\0';
	return ++walk->links > MAX_LINKS ? -ELOOP : 0;
}

/* One part of the path further. @nofollow: not when it is the last one. */
static int walk_part(const struct rootdir *root, struct walk *walk, bool nofollow)
{
	char part[PATH_MAX], target[PATH_MAX];
	size_t len = strcspn(walk->left, "/");
	size_t next = len + strspn(walk->left + len, "/");
	size_t before = strlen(walk->done);

	memcpy(part, walk->left, len);
	part[len] = '\0';
	memmove(walk->left, walk->left + next, strlen(walk->left + next) + 1);
	if (!strcmp(part, ".") || !len)
		return 0;
	if (!strcmp(part, "..")) {
		char *slash = strrchr(walk->done, '/');

		*(slash ? slash : walk->done) = '\0';
		return 0;
	}
	int ret = append(walk->done, part, len);
	if (ret < 0 || (nofollow && !*walk->left))
		return ret;
	ssize_t n = readlinkat(root->fd, walk->done, target, sizeof(target) - 1);
	if (n < 0)
		return 0; /* no link; what it is instead is seen when it is opened */
	target[n] = '\0';
	walk->done[before] = '\0';
	return follow(walk, target);
}

int rootdir_walk(const struct rootdir *root, const char *path, int flags, mode_t mode)
{
	struct walk walk = { .links = 0 };
	int ret = append(walk.left, below(path), strlen(below(path)));

	while (ret == 0 && *walk.left)
		ret = walk_part(root, &walk, flags & O_NOFOLLOW);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return openat(root->fd, *walk.done ? walk.done : ".", flags | O_CLOEXEC, mode);
}

int rootdir_open(const struct rootdir *root, const char *path, int flags, mode_t mode)
{
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT,
	};
	int fd = -1;

	if (!root->confined)
		return openat(root->fd, below(path), flags | O_CLOEXEC, mode);
	for (int i = 0; i < MAX_RETRIES; i++) {
		fd = (int)syscall(SYS_openat2, root->fd, below(path), &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	/* before Linux 5.6 there is none, and filters of containers may forbid it */
	return fd < 0 && (errno == ENOSYS || errno == EPERM) ?
		       rootdir_walk(root, path, flags, mode) :
		       fd;
}

int rootdir_open_parent(const struct rootdir *root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = "";

	*ret_name = slash ? slash + 1 : path;
	if (slash && append(dir, path, (size_t)(slash - path)) < 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return rootdir_open(root, dir, O_PATH | O_DIRECTORY, 0);
}
