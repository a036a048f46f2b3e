// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of mappings, see vma.h. The numbers of status, flags and madv are those of the image.
 */
#include <errno.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/mman.h>

#include "model/kernel_names.h"
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

/* Why a mapping cannot be dumped, and what its task can do about it; NULL: nothing. */
struct refusal {
	const char *what, *remedy;
};

static const char unmap[] = "unmap it", unregister[] = "unregister it";

/* vm_flags that no call of an ordinary process brings back, or whose state crib does not save. */
static const struct {
	enum rec_vma_flag flag;
	struct refusal refusal;
} unsupported[] = {
	{ REC_VM_IO, { "device memory", unmap } },
	{ REC_VM_PFNMAP, { "device memory", unmap } },
	{ REC_VM_UFFD_MISSING, { "registered with a userfaultfd", unregister } },
	{ REC_VM_UFFD_WP, { "registered with a userfaultfd", unregister } },
	{ REC_VM_UFFD_MINOR, { "registered with a userfaultfd", unregister } },
	{ REC_VM_SHADOW_STACK, { "a shadow stack", NULL } },
	{ REC_VM_SEALED, { "sealed (mseal)", NULL } },
};

static bool is_called(const struct rec_vma *rec, const char *name)
{
	return rec->name_len == strlen(name) && !memcmp(rec->name, name, rec->name_len) &&
	       (rec->file_flags & REC_FILE_DELETED);
}

static bool is_sysv_segment(const struct rec_vma *rec)
{
	static const char prefix[] = "/SYSV"; /* and the key; ipc/shm.c */
	const size_t len = sizeof(prefix) - 1;

	return rec->name_len >= len && !memcmp(rec->name, prefix, len) &&
	       (rec->file_flags & REC_FILE_DELETED) && (rec->flags & REC_VMF(MAYSHARE));
}

/* What has a name of the kernel's own. */
static bool is_refused_by_name(const struct rec_vma *rec, struct refusal *ret)
{
	*ret = (struct refusal){ NULL, unmap };
	if (is_sysv_segment(rec))
		*ret = (struct refusal){ "a System V shared memory segment", "detach it (shmdt)" };
	else if (is_called(rec, "/[aio]"))
		*ret = (struct refusal){ "the ring of asynchronous I/O (io_setup)",
					 "end it (io_destroy)" };
	else if (is_called(rec, "/secretmem"))
		ret->what = "secret memory (memfd_secret)";
	else if (rec->ino && rec->name_len)
		ret->what = kernel_name_words(rec->name, rec->name_len);
	return ret->what;
}

static bool is_refused_by_flags(const struct rec_vma *rec, struct refusal *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		*ret = unsupported[i].refusal;
		if (rec->flags & (1ULL << unsupported[i].flag))
			return true;
	}
	*ret = (struct refusal){ "protected by a key (pkey_mprotect)", "give it the key 0" };
	/* memory that may only be executed has a key of the kernel's own */
	return (rec->flags & REC_VMF(PKEY)) && (rec->flags & (REC_VMF(READ) | REC_VMF(WRITE)));
}

static int refuse(const struct rec_vma *rec, const struct refusal *refusal, struct err *err)
{
	return err_set(err, -ENOTSUP, "mapping %llx-%llx%s%.*s%s is %s: not supported%s%s%s",
		       (unsigned long long)rec->start, (unsigned long long)rec->end,
		       rec->name_len ? " of '" : "", (int)rec->name_len, rec->name,
		       rec->name_len ? "'" : "", refusal->what,
		       refusal->remedy ? "; the task has to " : "",
		       refusal->remedy ? refusal->remedy : "",
		       refusal->remedy ? " before a dump" : "");
}

static int check_supported(const struct rec_vma *rec, struct err *err)
{
	struct refusal refusal = { "a mapping of the kernel that crib does not know", NULL };

	if (rec->special == REC_VMA_OTHER)
		return refuse(rec, &refusal, err);
	if (rec->special != REC_VMA_NORMAL)
		return 0;
	if (is_refused_by_name(rec, &refusal) || is_refused_by_flags(rec, &refusal))
		return refuse(rec, &refusal, err);
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
