/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes by pidfd: pidfd_open(2), pidfd_getfd(2), pidfd_send_signal(2), which libc may lack.
 */
#ifndef CRIB_BASE_PIDREF_H
#define CRIB_BASE_PIDREF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A close-on-exec pidfd, owned by the caller; -errno. */
int pidref_open(pid_t pid);

/* A close-on-exec duplicate of descriptor @fd of that process, owned by the caller; -errno. */
int pidref_getfd(int pidfd, int fd);

/* 0 or -errno. */
int pidref_kill(int pidfd, int signo);

/* 1: it has exited (a zombie too), 0: it lives, -errno. */
int pidref_has_exited(int pidfd);

/* Waits until it has exited, or @deadline (base/apart.h); true: it has. */
bool pidref_ends_by(int pidfd, int64_t deadline);

#endif /* CRIB_BASE_PIDREF_H */
