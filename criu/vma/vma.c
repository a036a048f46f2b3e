// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of mappings, see vma.h. The numbers of status, flags and madv are those of the image.
 */
#include <errno.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/mman.h>

#include "vma/vma.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* vm_flags that madvise(2) sets, and with which advice. */
static const struct {
	enum rec_vma_flag flag;
	unsigned int advice;
} advices[] = {
	{ REC_VM_RAND_READ, MADV_RANDOM },  { REC_VM_SEQ_READ, MADV_SEQUENTIAL },
	{ REC_VM_DONTCOPY, MADV_DONTFORK }, { REC_VM_MERGEABLE, MADV_MERGEABLE },
	{ REC_VM_HUGEPAGE, MADV_HUGEPAGE }, { REC_VM_NOHUGEPAGE, MADV_NOHUGEPAGE },
	{ REC_VM_DONTDUMP, MADV_DONTDUMP }, { REC_VM_WIPEONFORK, MADV_WIPEONFORK },
};

/* vm_flags that no call of an ordinary process brings back, or whose state crib does not save. */
static const struct {
	enum rec_vma_flag flag;
	const char *what;
} unsupported[] = {
	{ REC_VM_IO, "device memory" },
	{ REC_VM_PFNMAP, "device memory" },
	{ REC_VM_UFFD_MISSING, "registered with userfaultfd" },
	{ REC_VM_UFFD_WP, "registered with userfaultfd" },
	{ REC_VM_UFFD_MINOR, "registered with userfaultfd" },
	{ REC_VM_SHADOW_STACK, "a shadow stack" },
	{ REC_VM_SEALED, "sealed by mseal" },
};

static int check_supported(const struct rec_vma *rec, struct err *err)
{
	for (size_t i = 0; rec->special == REC_VMA_NORMAL && i < ARRAY_SIZE(unsupported); i++)
		if (rec->flags & (1ULL << unsupported[i].flag))
			return err_set(err, -ENOTSUP, "mapping %llx-%llx %.*s is %s: not supported",
				       (unsigned long long)rec->start, (unsigned long long)rec->end,
				       (int)rec->name_len, rec->name, unsupported[i].what);
	if (rec->name_len >= 5 && !memcmp(rec->name, "/SYSV", 5) &&
	    (rec->file_flags & REC_FILE_DELETED) && (rec->flags & REC_VMF(MAYSHARE)))
		return err_set(err, -ENOTSUP,
			       "mapping %llx-%llx is a System V shared memory segment: "
			       "not supported",
			       (unsigned long long)rec->start, (unsigned long long)rec->end);
	if (rec->special == REC_VMA_OTHER)
		return err_set(err, -ENOTSUP, "mapping %llx-%llx is %.*s: not supported",
			       (unsigned long long)rec->start, (unsigned long long)rec->end,
			       (int)rec->name_len, rec->name);
	return 0;
}

static uint32_t prot_of(const struct rec_vma *rec)
{
	return (rec->flags & REC_VMF(READ) ? PROT_READ : 0) |
	       (rec->flags & REC_VMF(WRITE) ? PROT_WRITE : 0) |
	       (rec->flags & REC_VMF(EXEC) ? PROT_EXEC : 0);
}

static uint32_t status_of_special(enum rec_vma_special special)
{
	switch (special) {
	case REC_VMA_HEAP: return VMA_AREA_REGULAR | VMA_AREA_HEAP | VMA_ANON_PRIVATE;
	case REC_VMA_STACK: return VMA_AREA_REGULAR | VMA_ANON_PRIVATE;
	case REC_VMA_VDSO: return VMA_AREA_REGULAR | VMA_AREA_VDSO | VMA_ANON_PRIVATE;
	case REC_VMA_VVAR: return VMA_AREA_REGULAR | VMA_AREA_VVAR | VMA_ANON_PRIVATE;
	case REC_VMA_VSYSCALL: return VMA_AREA_VSYSCALL | VMA_ANON_PRIVATE;
	default: return 0;
	}
}

static uint32_t status_of(const struct rec_vma *rec)
{
	bool shared = rec->flags & (REC_VMF(SHARED) | REC_VMF(MAYSHARE));
	bool memfd = rec->name_len >= 7 && !memcmp(rec->name, "/memfd:", 7);

	if (rec->special != REC_VMA_NORMAL)
		return status_of_special(rec->special);
	/* Huge pages of no file are in one that nobody can name. */
	if (!rec->ino || (rec->name_len == 14 && !memcmp(rec->name, "/anon_hugepage", 14) &&
			  (rec->file_flags & REC_FILE_DELETED)))
		return VMA_AREA_REGULAR | (shared ? VMA_ANON_SHARED : VMA_ANON_PRIVATE);
	if (rec->name_len == 9 && !memcmp(rec->name, "/dev/zero", 9) &&
	    (rec->file_flags & REC_FILE_DELETED))
		return VMA_AREA_REGULAR | VMA_ANON_SHARED;
	return VMA_AREA_REGULAR | (shared ? VMA_FILE_SHARED : VMA_FILE_PRIVATE) |
	       (memfd ? VMA_AREA_MEMFD : 0);
}

int vma_from_record(const struct rec_vma *rec, struct vma *vma, struct err *err)
{
	bool shared = rec->flags & (REC_VMF(SHARED) | REC_VMF(MAYSHARE));
	int ret = check_supported(rec, err);

	*vma = (struct vma){ .start = rec->start, .end = rec->end, .pgoff = rec->offset };
	vma->prot = prot_of(rec);
	vma->status = status_of(rec);
	vma->flags = shared ? MAP_SHARED : MAP_PRIVATE;
	if (vma->status & (VMA_ANON_PRIVATE | VMA_ANON_SHARED))
		vma->flags |= MAP_ANONYMOUS;
	if (rec->flags & REC_VMF(GROWSDOWN))
		vma->flags |= MAP_GROWSDOWN;
	if (rec->flags & REC_VMF(LOCKED))
		vma->flags |= MAP_LOCKED;
	if (rec->flags & REC_VMF(NORESERVE))
		vma->flags |= MAP_NORESERVE;
	if (rec->flags & REC_VMF(HUGETLB))
		vma->flags |= MAP_HUGETLB;
	vma->locked_onfault = rec->flags & REC_VMF(LOCKONFAULT);
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (rec->flags & (1ULL << advices[i].flag))
			vma->madv |= 1ULL << advices[i].advice;
	vma->has_madv = vma->madv != 0;
	vma->unpopulated = (rec->hdr.valid & RV_VMA_RSS) && !rec->populated;
	return ret;
}

bool vma_has_file(const struct vma *vma)
{
	return vma->status & (VMA_FILE_PRIVATE | VMA_FILE_SHARED);
}

bool vma_has_private_pages(const struct vma *vma)
{
	if (vma->status & (VMA_AREA_VSYSCALL | VMA_AREA_VVAR))
		return false;
	return (vma->status & VMA_AREA_REGULAR) &&
	       (vma->status & (VMA_ANON_PRIVATE | VMA_FILE_PRIVATE));
}
