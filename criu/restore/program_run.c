// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading a restore program and becoming it; and the status through which it reports.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_include) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#include "arch/restore.h"
#include "restore/program.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { KERNEL_SIGSET_SIZE = 8 };

/* pie/restorer/embed.S */
extern const char restorer_blob[], restorer_blob_end[];

/* The region, in this order. */
struct region {
	uint64_t start;
	size_t blob, memory, status; /* bytes, whole pages */
};

static size_t region_size(const struct region *region)
{
	return region->blob + region->memory + region->status;
}

static void *at(uint64_t addr)
{
	return (void *)(uintptr_t)addr;
}

/* What crib has mapped since the plan was made is found out by trying. */
static int map_region(const struct program *prog, struct region *region, struct err *err)
{
	struct range limits = prog->limits;
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	size_t size = region_size(region);

	for (;;) {
		uint64_t hole = range_set_find_hole(&prog->taken, limits, size, page_size, 0);

		if (!hole)
			return err_set(err, -ENOMEM, "no room for the restorer of %zu bytes", size);
		void *map = mmap(at(hole), size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (map == at(hole)) {
			region->start = hole;
			return 0;
		}
		if (map == MAP_FAILED && errno != EEXIST)
			return err_sys(err, "map %zu bytes for the restorer", size);
		if (map != MAP_FAILED)
			munmap(map, size); /* before Linux 4.17 the address is only a hint */
		limits.start = hole + size;
	}
}

static int load(const struct program *prog, struct region *region, struct err *err)
{
	size_t blob_size = (size_t)(restorer_blob_end - restorer_blob);
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	struct restorer_header *header;

	region->blob = ALIGN_UP(blob_size, page_size);
	region->memory = ALIGN_UP((size_t)prog->memory_size, page_size);
	region->status = ALIGN_UP(prog->status_map_size, page_size);
	int ret = map_region(prog, region, err);

	if (ret < 0)
		return ret;
	uint64_t status = region->start + region->blob + region->memory;

	memcpy(at(region->start), restorer_blob, blob_size);
	header = at(region->start + region->blob);
	memcpy(header, prog->code.data, prog->code.len);
	header->region_start = region->start;
	header->region_size = region_size(region);
	header->status = status + prog->status_off;
	header->events = status + prog->events_off;
	if (mprotect(at(region->start), region->blob, PROT_READ | PROT_EXEC))
		return err_sys(err, "make the restorer executable");
	/* Old size 0: the shared mapping is there twice. */
	if (mremap(prog->status_map, 0, region->status, MREMAP_MAYMOVE | MREMAP_FIXED,
		   at(status)) == MAP_FAILED)
		return err_sys(err, "map the status page for the restorer");
	return 0;
}

/*
 * The kernel writes to crib's area whenever the thread has been preempted, and kills it when that
 * is gone. The size that was registered is not told by every libc.
 */
static void unregister_rseq(void)
{
#ifdef RSEQ_SIG
	enum { STEP = 32, MOST = 512 };
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	for (unsigned int size = STEP; __rseq_size && size <= MOST; size += STEP)
		if (!syscall(SYS_rseq, area, size, 1 /* RSEQ_FLAG_UNREGISTER */, RSEQ_SIG))
			break;
#endif
}

int program_run(struct program *prog, struct err *err)
{
	const uint64_t all = ~UINT64_C(0);
	struct region region = { 0 };
	int ret = load(prog, &region, err);

	if (ret < 0) {
		if (region.start)
			munmap(at(region.start), region_size(&region));
		return ret;
	}
	/* By hand: libc would leave out two signals of its own. */
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, KERNEL_SIGSET_SIZE))
		return err_sys(err, "block all signals");
	*(struct restorer_range *)((char *)prog->status_map + prog->region_off) =
		(struct restorer_range){ .start = region.start, .size = region_size(&region) };
	unregister_rseq();
	arch_enter_blob((uintptr_t)region.start, (uintptr_t)region.start + region.blob,
			(uintptr_t)region.start + region.blob + (uintptr_t)prog->stack_end);
}

int program_status_own(struct restorer_status *status, struct program_owner *owner, struct err *err)
{
	if (syscall(SYS_get_robust_list, 0, &owner->old_head, &owner->old_len))
		return err_sys(err, "get_robust_list");
	owner->head = (struct robust_list_head){ .list.next = &owner->entry };
	owner->head.futex_offset = (char *)&status->owner - (char *)&owner->entry;
	owner->entry.next = &owner->head.list;
	__atomic_store_n(&status->owner, (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS,
			 __ATOMIC_SEQ_CST);
	if (syscall(SYS_set_robust_list, &owner->head, sizeof(owner->head)))
		return err_sys(err, "set_robust_list");
	return 0;
}

void program_status_disown(struct restorer_status *status, struct program_owner *owner)
{
	syscall(SYS_set_robust_list, owner->old_head, owner->old_len);
	__atomic_store_n(&status->owner, 0, __ATOMIC_SEQ_CST);
}

void program_status_release(struct restorer_status *status)
{
	__atomic_store_n(&status->release, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &status->release, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
