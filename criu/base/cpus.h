/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processors that crib may run on.
 */
#ifndef CRIB_BASE_CPUS_H
#define CRIB_BASE_CPUS_H

/*
 * Runs for an instant on each of them: every interrupt that was due there before the call has been
 * taken after it, also on a virtual processor that its host had put aside. The calling thread's
 * affinity is as before. Takes some 10 us for each; does what it can, and cannot fail.
 */
void cpus_visit(void);

#endif /* CRIB_BASE_CPUS_H */
