/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file system with one file, served by the calling process. When that is stopped, what has not been
 * asked for before is not answered any more.
 */
#ifndef CRIB_SAFETY_ONEFILE_H
#define CRIB_SAFETY_ONEFILE_H

/*
 * Mounts it on @dir and returns a descriptor of it; -1: there is no FUSE. onefile_serve() answers: the
 * file is "file", has a page, may be opened without asking, and everything but its content is told
 * for ever.
 */
int onefile_mount(const char *dir);
_Noreturn void onefile_serve(int fd);

#endif
