/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The least of a FUSE server, see onefile.h and linux/fuse.h.
 */
#include "onefile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILE_NODE = 2, FILE_SIZE = 4096, FOR_EVER = 1000000 };

int onefile_mount(const char *dir)
{
	char options[64];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	return fd >= 0 && !mount("onefile", dir, "fuse", 0, options) ? fd : -1;
}

static void answer(int fd, const struct fuse_in_header *in, int error, void *data, size_t size)
{
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + size),
		.error = -error,
		.unique = in->unique,
	};
	struct iovec parts[] = { { &out, sizeof(out) }, { data, size } };
	if (writev(fd, parts, size ? 2 : 1) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == FILE_NODE ? FILE_SIZE : 0,
		.blocks = 1,
		.mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755,
		.nlink = 1,
		.blksize = FILE_SIZE,
	};
}

static void serve(int fd, const struct fuse_in_header *in, const char *args)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = 19,
				      .max_write = 4096 };
	struct fuse_entry_out entry = { .nodeid = FILE_NODE,
					.entry_valid = FOR_EVER,
					.attr_valid = FOR_EVER,
					.attr = attributes(FILE_NODE) };
	struct fuse_attr_out attr = { .attr_valid = FOR_EVER, .attr = attributes(in->nodeid) };
	static char content[FILE_SIZE];
	switch (in->opcode) {
	case FUSE_INIT: answer(fd, in, 0, &init, FUSE_COMPAT_22_INIT_OUT_SIZE); break;
	case FUSE_LOOKUP:
		answer(fd, in, strcmp(args, "file") ? ENOENT : 0, &entry,
		       strcmp(args, "file") ? 0 : sizeof(entry));
		break;
	case FUSE_GETATTR: answer(fd, in, 0, &attr, sizeof(attr)); break;
	case FUSE_READ: answer(fd, in, 0, content, sizeof(content)); break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET: break;
	default: answer(fd, in, ENOSYS, NULL, 0); break;
	}
}

void onefile_serve(int fd)
{
	static char request[FUSE_MIN_READ_BUFFER + 4096];
	for (;;) {
		ssize_t n = read(fd, request, sizeof(request) - 1);
		if (n < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (n < (ssize_t)sizeof(struct fuse_in_header))
			exit(1);
		request[n] = 0;
		serve(fd, (struct fuse_in_header *)request,
		      request + sizeof(struct fuse_in_header));
	}
}
