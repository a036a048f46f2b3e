/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compiler helpers that every part may use, blobs and BPF programs included: no libc, no code.
 */
#ifndef CRIB_COMPILER_H
#define CRIB_COMPILER_H

#define __maybe_unused           __attribute__((unused))
#define __printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define __warn_unused            __attribute__((warn_unused_result))

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#define ALIGN_UP(x, a)   (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))

#ifndef container_of
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - __builtin_offsetof(type, member)))
#endif

#endif /* CRIB_COMPILER_H */
