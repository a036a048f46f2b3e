// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inherited descriptors, see inherit.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fd/inherit.h"

/* Paths may begin with a slash or not; pipes are "pipe:[1]" as in /proc, or "pipe[1]". */
static void normalize(const char *resource, char *buf, size_t size)
{
	if (!strncmp(resource, "pipe[", strlen("pipe[")))
		snprintf(buf, size, "pipe:%s", resource + strlen("pipe"));
	else
		snprintf(buf, size, "%s", resource + strspn(resource, "/"));
}

static void link_all(struct snapshot *snap, const char *wanted, int fd)
{
	char name[PATH_MAX];

	for (size_t i = 0; i < snap->files.n; i++) {
		struct ofd *ofd = snap->files.v[i];

		if (ofd->kind && ofd->kind->resource &&
		    ofd->kind->resource(snap, ofd, name, sizeof(name)) &&
		    !strcmp(name + strspn(name, "/"), wanted))
			ofd->inherited_fd = fd;
	}
}

int inherit_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	array_each(const struct opts_inherit_fd, inherit, &opts->inherit_fds) {
		char wanted[PATH_MAX];

		if (fcntl(inherit->fd, F_GETFD) < 0)
			return err_sys(err, "--inherit-fd fd[%d]:%s: there is no such descriptor",
				       inherit->fd, inherit->resource);
		normalize(inherit->resource, wanted, sizeof(wanted));
		link_all(snap, wanted, inherit->fd);
	}
	return 0;
}

int inherit_prepare(struct snapshot *snap, int service_fd, struct err *err)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		struct ofd *ofd = snap->files.v[i];

		if (ofd->inherited_fd < 0)
			continue;
		int fd = fcntl(ofd->inherited_fd, F_DUPFD_CLOEXEC, service_fd);
		if (fd < 0)
			return err_sys(err, "duplicate inherited descriptor %d", ofd->inherited_fd);
		ofd->inherited_fd = fd;
	}
	return 0;
}

void inherit_cleanup(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->files.n; i++)
		cleanup_close(&snap->files.v[i]->inherited_fd);
}
