/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One error, described once. Whoever makes the failing call says what failed on which object;
 * callers put who and where in front. Plain data without pointers, so that it can be handed from
 * one process to another through shared memory.
 */
#ifndef CRIB_BASE_ERR_H
#define CRIB_BASE_ERR_H

#include <stdarg.h>

#include "crib/compiler.h"

struct err {
	int code; /* -errno of the first failure, 0: none */
	char text[600];
};

#define ERR_INIT ((struct err){ 0 })

/*
 * Describes a failure whose number the caller knows. @ret is a negative errno.
 * Returns @ret. A description that is there already is replaced. @err may be NULL.
 */
int err_set(struct err *err, int ret, const char *fmt, ...) __printf_like(3, 4);

/* Describes a system call that has just failed: appends strerror(errno). Returns -errno. */
int err_sys(struct err *err, const char *fmt, ...) __printf_like(2, 3);

/* Like err_sys() for calls that return a negative errno instead of setting it. */
int err_ret(struct err *err, int ret, const char *fmt, ...) __printf_like(3, 4);

/*
 * Puts "fmt: " in front of the description. Returns @ret, and does nothing when @ret >= 0, so a
 * call may be wrapped where it returns.
 */
int err_wrap(struct err *err, int ret, const char *fmt, ...) __printf_like(3, 4);

#endif /* CRIB_BASE_ERR_H */
