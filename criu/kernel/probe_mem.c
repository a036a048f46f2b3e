// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of what concerns memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "kernel/probe.h"

/* include/uapi/linux/fs.h, 6.7; PAGE_IS_GUARD 6.15 */
struct scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start, end, walk_end;
	uint64_t vec, vec_len;
	uint64_t max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
_Static_assert(sizeof(struct scan_arg) == 96, "struct pm_scan_arg");

struct scan_region {
	uint64_t start, end, categories;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

enum { SCAN_PRESENT = 1 << 3, SCAN_GUARD = 1 << 8 };

/* include/uapi/asm-generic/mman-common.h, 6.13 */
enum { ADVISE_GUARD_INSTALL = 102 };

/* Bits of /proc/pid/pagemap, Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT    (UINT64_C(1) << 63)
#define PAGEMAP_SOFT_DIRTY (UINT64_C(1) << 55)

/* The entry of the page at @addr. */
static int read_pagemap(const void *addr, uint64_t *ret_entry, struct err *err)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t index = (off_t)((uintptr_t)addr / (uintptr_t)sysconf(_SC_PAGESIZE));

	if (fd < 0)
		return err_sys(err, "open '/proc/self/pagemap'");
	ssize_t n = io_pread(fd, ret_entry, sizeof(*ret_entry), index * (off_t)sizeof(*ret_entry));
	if (n != sizeof(*ret_entry))
		return err_ret(err, n < 0 ? (int)n : -EIO, "read '/proc/self/pagemap'");
	return 0;
}

static int try_pagemap(struct err *err)
{
	void *page = probe_page(err);
	uint64_t entry;
	int ret = page ? read_pagemap(page, &entry, err) : -ENOMEM;

	if (ret == 0 && !(entry & PAGEMAP_PRESENT))
		ret = err_set(err, -EIO, "'/proc/self/pagemap' shows a touched page as absent");
	return ret;
}

int probe_pagemap(struct err *err)
{
	return probe_in_child(0, try_pagemap, err);
}

static int scan_page(uint64_t return_mask, struct err *err)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	char *page = probe_page(err);
	struct scan_region region;
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = (uintptr_t)page,
		.end = (uintptr_t)page + (uintptr_t)sysconf(_SC_PAGESIZE),
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.category_mask = SCAN_PRESENT,
		.return_mask = return_mask,
	};

	if (!page)
		return -ENOMEM;
	if (fd < 0)
		return err_sys(err, "open '/proc/self/pagemap'");
	if (ioctl(fd, SCAN_IOCTL, &arg) < 0)
		return err_sys(err, "ioctl(PAGEMAP_SCAN%s)",
			       return_mask & SCAN_GUARD ? ", guard pages" : "");
	return 0;
}

static int try_pagemap_scan(struct err *err)
{
	return scan_page(SCAN_PRESENT, err);
}

int probe_pagemap_scan(struct err *err)
{
	return probe_in_child(0, try_pagemap_scan, err);
}

static int try_pagemap_guard(struct err *err)
{
	return scan_page(SCAN_PRESENT | SCAN_GUARD, err);
}

int probe_pagemap_guard(struct err *err)
{
	return probe_in_child(0, try_pagemap_guard, err);
}

static int try_madv_guard(struct err *err)
{
	void *page = probe_page(err);

	if (!page)
		return -ENOMEM;
	if (madvise(page, (size_t)sysconf(_SC_PAGESIZE), ADVISE_GUARD_INSTALL) < 0)
		return err_sys(err, "madvise(MADV_GUARD_INSTALL)");
	return 0;
}

int probe_madv_guard(struct err *err)
{
	return probe_in_child(0, try_madv_guard, err);
}

/* Some kernels accept the write and have no such bit, so the bit is looked at twice. */
static int try_dirty_track(struct err *err)
{
	volatile char *page = probe_page(err);
	uint64_t before, after;
	int ret = page ? io_write_file(AT_FDCWD, "/proc/self/clear_refs", "4") : -ENOMEM;

	if (ret < 0)
		return err_ret(err, ret, "write '/proc/self/clear_refs'");
	ret = read_pagemap((const char *)page, &before, err);
	page[0] = 2;
	if (ret == 0)
		ret = read_pagemap((const char *)page, &after, err);
	if (ret == 0 && (before & PAGEMAP_SOFT_DIRTY || !(after & PAGEMAP_SOFT_DIRTY)))
		ret = err_set(err, -EOPNOTSUPP, "this kernel has no soft-dirty page tracking");
	return ret;
}

int probe_dirty_track(struct err *err)
{
	return probe_in_child(0, try_dirty_track, err);
}

int probe_process_vm(struct err *err)
{
	char from = 'x', to = 0;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 1)
		return err_sys(err, "process_vm_readv");
	return 0;
}

int probe_memfd(struct err *err)
{
	_cleanup_close_ int fd = memfd_create("crib-probe", MFD_CLOEXEC);

	return fd < 0 ? err_sys(err, "memfd_create") : 0;
}

int probe_memfd_hugetlb(struct err *err)
{
	_cleanup_close_ int fd = memfd_create("crib-probe", MFD_CLOEXEC | MFD_HUGETLB);

	return fd < 0 ? err_sys(err, "memfd_create(MFD_HUGETLB)") : 0;
}

static int check_uffd(uint64_t features, struct err *err)
{
	_cleanup_close_ int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };

	if (fd < 0)
		return err_sys(err, "userfaultfd");
	if (ioctl(fd, UFFDIO_API, &api) < 0)
		return err_sys(err, "ioctl(UFFDIO_API)");
	if (features & ~api.features)
		return err_set(err, -EOPNOTSUPP, "userfaultfd lacks features %#llx",
			       (unsigned long long)(features & ~api.features));
	return 0;
}

int probe_uffd(struct err *err)
{
	return check_uffd(0, err);
}

int probe_uffd_noncoop(struct err *err)
{
	return check_uffd(UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP |
				  UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP,
			  err);
}

/* The size of the mapping that begins at @addr, 0 when there is none. */
static size_t mapping_size(uint64_t addr)
{
	_cleanup_strbuf_ struct strbuf maps = { 0 };

	if (io_read_file(AT_FDCWD, "/proc/self/maps", &maps) < 0)
		return 0;
	const char *pos = strbuf_str(&maps);
	do {
		uint64_t start, end;

		if (scan_hex(&pos, &start) && scan_str(&pos, "-") && scan_hex(&pos, &end) &&
		    start == addr)
			return (size_t)(end - start);
	} while (scan_line(&pos));
	return 0;
}

/* An AIO context is known by the address of its ring: it must still be found after a move. */
static int try_aio_remap(struct err *err)
{
	aio_context_t context = 0;
	struct io_event event;

	if (syscall(SYS_io_setup, 1, &context) < 0)
		return err_sys(err, "io_setup");
	size_t size = mapping_size(context);
	if (!size)
		return err_set(err, -ENOENT, "the ring of an AIO context cannot be found");
	void *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return err_sys(err, "map %zu bytes", size);
	if (mremap((void *)(uintptr_t)context, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
	    MAP_FAILED)
		return err_sys(err, "mremap of the ring of an AIO context");
	if (syscall(SYS_io_getevents, (aio_context_t)(uintptr_t)to, 0L, 1L, &event, NULL) < 0)
		return err_sys(err, "io_getevents of a moved AIO context");
	return 0;
}

int probe_aio_remap(struct err *err)
{
	return probe_in_child(0, try_aio_remap, err);
}
