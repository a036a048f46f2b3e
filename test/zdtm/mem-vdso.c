/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own code and data in each process, vdso and vvar, are at their old place and work:
 * the C library calls the clock there, in the parent and in a child.
 */
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

/* The library's clock, which goes by the vdso, lies between two that the kernel was asked for. */
static void check_clock(clockid_t clock)
{
	struct timespec first, second, third;
	zdtm_assert(!syscall(SYS_clock_gettime, clock, &first));
	zdtm_assert(!clock_gettime(clock, &second));
	zdtm_assert(!syscall(SYS_clock_gettime, clock, &third));
	double a = (double)first.tv_sec + (double)first.tv_nsec / 1e9;
	double b = (double)second.tv_sec + (double)second.tv_nsec / 1e9;
	double c = (double)third.tv_sec + (double)third.tv_nsec / 1e9;
	if (b < a - 1e-3 || b > c + 1e-3)
		zdtm_fail("clock %d is %f in the vdso, %f to %f in the kernel", (int)clock, b, a,
			  c);
}

static void check_clocks(void)
{
	check_clock(CLOCK_REALTIME);
	check_clock(CLOCK_MONOTONIC);
	check_clock(CLOCK_BOOTTIME);
	check_clock(CLOCK_MONOTONIC_RAW);
	time_t now = time(NULL);
	struct timespec real;
	zdtm_assert(!syscall(SYS_clock_gettime, CLOCK_REALTIME, &real));
	zdtm_assert(real.tv_sec - now <= 1);
}

static int child(void *vdso)
{
	zdtm_child_wait();
	zdtm_assert(!strcmp(mem_get_vma(vdso, "r-xp").name, "[vdso]"));
	check_clocks();
	return 0;
}

int main(void)
{
	unsigned char *vdso = (unsigned char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	if (!vdso)
		zdtm_skip("this machine has no vdso");
	struct mem_vma before = mem_get_vma(vdso, "r-xp");
	/* The data lie right below the code, in one mapping or more. */
	char *data = mem_maps_text((void *)(before.start - 0x10000), 0x10000);
	check_clocks();
	pid_t pid = zdtm_spawn(child, vdso);

	zdtm_ready();

	zdtm_assert((void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR) == vdso);
	struct mem_vma now = mem_get_vma(vdso, "r-xp");
	zdtm_assert(!strcmp(now.name, "[vdso]"));
	zdtm_assert_eq(now.start, before.start);
	zdtm_assert_eq(now.end, before.end);
	zdtm_assert(!memcmp(vdso, "\177ELF", 4));
	char *data_now = mem_maps_text((void *)(before.start - 0x10000), 0x10000);
	if (strcmp(data, data_now))
		zdtm_fail("below the vdso are now: %s", data_now);
	check_clocks();
	zdtm_join(pid);
	zdtm_pass();
}
