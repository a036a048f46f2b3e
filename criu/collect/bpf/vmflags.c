// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's vm_flags become crib's. Bits below 32 are the same in all kernels that crib knows;
 * those above moved from version to version, and their numbers are macros that no type information
 * holds. So they are learned: crib maps memory that has each of them and looks at itself.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/bpf/engine.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08 /* Linux 6.11 */
#endif
#ifndef SYS_mseal
#define SYS_mseal 462 /* Linux 6.10 */
#endif

enum { HIGH_BITS = 37 }; /* below are protection keys and other things of architectures */

/* include/linux/mm.h. Others say nothing that is kept. */
static const struct {
	uint8_t bit, flag;
} low_bits[] = {
	{ 0, REC_VM_READ },         { 1, REC_VM_WRITE },      { 2, REC_VM_EXEC },
	{ 3, REC_VM_SHARED },       { 4, REC_VM_MAYREAD },    { 5, REC_VM_MAYWRITE },
	{ 6, REC_VM_MAYEXEC },      { 7, REC_VM_MAYSHARE },   { 8, REC_VM_GROWSDOWN },
	{ 9, REC_VM_UFFD_MISSING }, { 10, REC_VM_PFNMAP },    { 12, REC_VM_UFFD_WP },
	{ 13, REC_VM_LOCKED },      { 14, REC_VM_IO },        { 15, REC_VM_SEQ_READ },
	{ 16, REC_VM_RAND_READ },   { 17, REC_VM_DONTCOPY },  { 18, REC_VM_DONTEXPAND },
	{ 19, REC_VM_LOCKONFAULT }, { 20, REC_VM_ACCOUNT },   { 21, REC_VM_NORESERVE },
	{ 22, REC_VM_HUGETLB },     { 23, REC_VM_SYNC },      { 25, REC_VM_WIPEONFORK },
	{ 26, REC_VM_DONTDUMP },    { 28, REC_VM_MIXEDMAP },  { 29, REC_VM_HUGEPAGE },
	{ 30, REC_VM_NOHUGEPAGE },  { 31, REC_VM_MERGEABLE },
};

/* ---- Learning ---- */

/* Reads the vm_flags of crib's own mapping at @addr. 0 or -errno, described. */
static int own_vm_flags(struct bpf_run *run, int pidfd, const void *addr, uint64_t *ret_flags)
{
	struct bpf_programs *programs = &run->source->programs;
	struct run_target saved = programs->control->target[0];
	struct run_cursor cursor = { .nr_targets = 1 };
	const struct raw_head *head;
	size_t len;
	int ret = 0;

	*ret_flags = 0;
	programs->control->target[0] =
		(struct run_target){ .pidfd = pidfd, .pid = (uint32_t)getpid() };
	do {
		ret = bpf_programs_run(programs, RG_MM, &cursor, run->err);
		while ((head = bpf_ring_next(&programs->ring, &len))) {
			const struct raw_vma *vma = (const void *)head;

			if (ret == 0 && head->type == RAW_DIR) /* it is not sent again */
				ret = bpf_take_dir(run, head, len);
			else if (head->type == RAW_VMA && vma->start <= (uintptr_t)addr &&
				 vma->end > (uintptr_t)addr)
				*ret_flags = vma->vm_flags;
			bpf_ring_release(&programs->ring, len);
		}
	} while (ret == 0 && cursor.status == RUN_INTERRUPTED);
	programs->control->target[0] = saved;
	return ret;
}

static void *map_page(struct bpf_run *run, int flags, int fd)
{
	void *mem = mmap(NULL, run->source->page_size, PROT_NONE, flags, fd, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* A page that the kernel promises never to unmap: it stays until crib ends. */
static void *sealed_page(struct bpf_run *run, int *fd)
{
	void *mem = map_page(run, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (mem && syscall(SYS_mseal, mem, run->source->page_size, 0) == 0)
		return mem;
	if (mem)
		munmap(mem, run->source->page_size);
	return NULL;
}

static void *droppable_page(struct bpf_run *run, int *fd)
{
	return map_page(run, MAP_DROPPABLE | MAP_ANONYMOUS, -1);
}

/* @fd becomes the userfaultfd, without which the mapping loses its bit. */
static void *uffd_minor_page(struct bpf_run *run, int *fd)
{
#ifdef UFFD_FEATURE_MINOR_SHMEM
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM };
	size_t size = run->source->page_size;

	_cleanup_close_ int memfd = memfd_create("crib", MFD_CLOEXEC);
	*fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 || memfd < 0 || ftruncate(memfd, (off_t)size) < 0 ||
	    ioctl(*fd, UFFDIO_API, &api) < 0)
		return NULL;
	void *mem = map_page(run, MAP_SHARED, memfd);
	struct uffdio_register range = { .range = { (uintptr_t)mem, size },
					 .mode = UFFDIO_REGISTER_MODE_MINOR };
	if (mem && ioctl(*fd, UFFDIO_REGISTER, &range) == 0)
		return mem;
	if (mem)
		munmap(mem, size);
#endif
	return NULL;
}

static const struct {
	uint8_t flag;
	void *(*map)(struct bpf_run *run, int *fd);
} high_bits[] = {
	{ REC_VM_UFFD_MINOR, uffd_minor_page },
	{ REC_VM_DROPPABLE, droppable_page },
	{ REC_VM_SEALED, sealed_page },
};

_Static_assert(ARRAY_SIZE(high_bits) == BPF_HIGH_FLAGS, "each has its place in the source");

/* Each mapping has one bit above the others; where it cannot be made, nobody else has it either. */
static int learn(struct bpf_run *run)
{
	struct bpf_source *source = run->source;
	int ret = 0;

	source->knows_high_flags = true;
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd < 0)
		return err_sys(run->err, "pidfd_open of crib itself");
	for (size_t i = 0; i < ARRAY_SIZE(high_bits) && ret == 0; i++) {
		_cleanup_close_ int fd = -1;
		uint64_t flags;
		void *mem = high_bits[i].map(run, &fd);

		if (!mem)
			continue;
		ret = own_vm_flags(run, pidfd, mem, &flags);
		source->high_flag[i] = flags >> HIGH_BITS << HIGH_BITS;
		munmap(mem, source->page_size);
	}
	return ret;
}

/* ---- Translating ---- */

/*
 * Memory that cannot be mapped by hand, for threads that the processor checks the returns of. What
 * this bit meant before Linux 6.6 (x86-64) and 6.13 (arm64) was learned under its own name.
 */
static uint64_t shadow_stack_bit(void)
{
#if defined(__x86_64__)
	return UINT64_C(1) << 37; /* VM_HIGH_ARCH_5 */
#elif defined(__aarch64__)
	return UINT64_C(1) << 38; /* VM_HIGH_ARCH_6 */
#else
	return 0;
#endif
}

/* VM_PKEY_BIT0 .. 3: the protection key, 0 without pkey_mprotect(2). */
static uint64_t key_bits(void)
{
#if defined(__x86_64__)
	return UINT64_C(0xf) << 32; /* VM_HIGH_ARCH_0 .. 3 */
#else
	return 0;
#endif
}

int bpf_finish_vma(struct bpf_run *run, struct rec_vma *rec)
{
	struct bpf_source *source = run->source;
	uint64_t raw = rec->flags, flags = 0;

	/* mostly there are few kinds of mappings in turn */
	size_t slot = (raw ^ raw >> 4) % ARRAY_SIZE(run->translated);
	if (run->translated[slot].raw == raw && raw) {
		rec->flags = run->translated[slot].flags;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(low_bits); i++)
		if (raw >> low_bits[i].bit & 1)
			flags |= UINT64_C(1) << low_bits[i].flag;
	if (raw >> HIGH_BITS && !source->knows_high_flags) {
		int ret = learn(run);

		if (ret < 0)
			return err_wrap(run->err, ret, "learn the bits of vm_flags");
	}
	for (size_t i = 0; i < ARRAY_SIZE(high_bits) && raw >> HIGH_BITS; i++) {
		if (!(raw & source->high_flag[i]))
			continue;
		flags |= UINT64_C(1) << high_bits[i].flag;
		raw &= ~source->high_flag[i];
	}
	if (raw & shadow_stack_bit())
		flags |= REC_VMF(SHADOW_STACK);
	if (raw & key_bits())
		flags |= REC_VMF(PKEY);
	run->translated[slot].raw = rec->flags;
	run->translated[slot].flags = flags;
	rec->flags = flags;
	return 0;
}
