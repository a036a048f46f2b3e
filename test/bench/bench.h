/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page through which a target and the sampler that times its dump speak: a file mapped shared,
 * so that its contents are no part of a dump and stay one and the same across it.
 */
#ifndef CRIB_BENCH_BENCH_H
#define CRIB_BENCH_BENCH_H

#include <stdatomic.h>
#include <stdint.h>

struct bench_page {
	/* Processes and threads of the target, and how many of them have been set up. */
	_Atomic uint32_t expect;
	_Atomic uint32_t ready;
	/* How many of them have looked at themselves since the last SIGUSR1 to the first process,
	   and how many of these found something changed. The sampler zeroes both. */
	_Atomic uint32_t checked;
	_Atomic uint32_t wrong;
	/* Microseconds: the longest that the spinning process did not run. It is begun anew when
	   the sampler raises round, and gap_round says of which round gap_us is. */
	_Atomic uint32_t round;
	_Atomic uint32_t gap_round;
	_Atomic uint32_t gap_us;
};

#define BENCH_PAGE_FILE "page"

#endif
