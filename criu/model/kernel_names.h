/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel calls the objects of descriptors and mappings that have no path, such as
 * "anon_inode:[io_uring]" and "socket:[17]", in words for messages.
 */
#ifndef CRIB_MODEL_KERNEL_NAMES_H
#define CRIB_MODEL_KERNEL_NAMES_H

#include <stddef.h>

/* The @len bytes at @name in words with an article: "an io_uring". NULL: it is a path. */
const char *kernel_name_words(const char *name, size_t len);

#endif /* CRIB_MODEL_KERNEL_NAMES_H */
