/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of system calls that wait with a time-out and are dumped in the middle of it.
 */
#ifndef CRIB_ZDTM_LIB_TIMEOUT_H
#define CRIB_ZDTM_LIB_TIMEOUT_H

#include <time.h>

/*
 * The whole test: @call has to wait @ms milliseconds, and to return with what shows that its time
 * is over, else it fails the test itself. It is dumped when half of that time is over. It must not
 * end too early, and not wait the whole time anew: the time between dump and restore may count or
 * not.
 */
_Noreturn void timeout_test(void (*call)(unsigned int ms));

/* @ms milliseconds from now on @clock, as the absolute time that some calls want. */
struct timespec timeout_at(int clock, unsigned int ms);

struct timespec timeout_timespec(unsigned int ms);

#endif
