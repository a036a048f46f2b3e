/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seccomp filters for tests: each answers one system call with an error of its own, above 500,
 * which no kernel gives.
 */
#ifndef CRIB_ZDTM_LIB_FILTER_H
#define CRIB_ZDTM_LIB_FILTER_H

/*
 * Adds to the calling thread a filter that lets system call @number fail with @error and allows all
 * others. @flags: SECCOMP_FILTER_FLAG_*. Skips the test when there are no filters here.
 */
void filter_add(int number, int error, unsigned int flags);

/* A filter that allows only these @n system calls and kills the process for any other. */
void filter_allow_only(const int *numbers, unsigned int n);

/* Fails the test unless system call @number fails with @error; 0: unless it is not filtered. */
void filter_check(int number, int error);

#endif
