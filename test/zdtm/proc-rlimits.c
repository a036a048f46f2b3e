/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits that were lowered, the soft and the hard one to different values, are those again.
 */
#include <string.h>
#include <sys/resource.h>

#include "zdtm.h"

static struct limit {
	int resource;
	rlim_t soft, hard; /* wanted; less where the hard limit is lower already */
	struct rlimit before;
} limits[] = {
	{ RLIMIT_AS, 1ULL << 42, 1ULL << 43, { 0 } },
	{ RLIMIT_CORE, 1000000, 2000000, { 0 } },
	{ RLIMIT_CPU, 5000, 6000, { 0 } },
	{ RLIMIT_DATA, 1ULL << 38, 1ULL << 39, { 0 } },
	{ RLIMIT_FSIZE, 1ULL << 40, 1ULL << 41, { 0 } },
	{ RLIMIT_LOCKS, 100, 200, { 0 } },
	{ RLIMIT_MEMLOCK, 32768, 65536, { 0 } },
	{ RLIMIT_MSGQUEUE, 10000, 20000, { 0 } },
	{ RLIMIT_NICE, 0, 0, { 0 } },
	{ RLIMIT_NOFILE, 60, 70, { 0 } },
	{ RLIMIT_NPROC, 1000, 2000, { 0 } },
	{ RLIMIT_RSS, 1ULL << 36, 1ULL << 37, { 0 } },
	{ RLIMIT_RTPRIO, 0, 0, { 0 } },
	{ RLIMIT_RTTIME, 1000000, 2000000, { 0 } },
	{ RLIMIT_SIGPENDING, 50, 60, { 0 } },
	{ RLIMIT_STACK, 4 << 20, 5 << 20, { 0 } },
};
enum { LIMITS = sizeof(limits) / sizeof(*limits) };

static rlim_t lower(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

int main(void)
{
	for (int i = 0; i < LIMITS; i++) {
		struct limit *limit = &limits[i];
		zdtm_assert(!getrlimit(limit->resource, &limit->before));
		limit->before.rlim_max = lower(limit->before.rlim_max, limit->hard);
		limit->before.rlim_cur = lower(limit->before.rlim_max, limit->soft);
		if (setrlimit(limit->resource, &limit->before))
			zdtm_fail("limit %d cannot be lowered: %m", limit->resource);
	}
	zdtm_ready();
	for (int i = 0; i < LIMITS; i++) {
		struct rlimit now;
		zdtm_assert(!getrlimit(limits[i].resource, &now));
		if (memcmp(&now, &limits[i].before, sizeof(now)))
			zdtm_fail("limit %d is %llu and %llu, not %llu and %llu",
				  limits[i].resource, (unsigned long long)now.rlim_cur,
				  (unsigned long long)now.rlim_max,
				  (unsigned long long)limits[i].before.rlim_cur,
				  (unsigned long long)limits[i].before.rlim_max);
	}
	zdtm_pass();
}
