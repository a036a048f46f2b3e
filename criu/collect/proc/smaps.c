// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/smaps and maps, see parse.h. Five thousand mappings are four megabytes of text: every
 * line is looked at by its first letter before anything else.
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "collect/dev.h"
#include "collect/proc/parse.h"

#define MNEMONIC(a, b) (((a) - 'a') * 26 + ((b) - 'a'))

/*
 * VmFlags: two letters each, fs/proc/task_mmu.c: show_smap_vma_flags(). Value: enum rec_vma_flag
 * plus one. Others say nothing that is kept ("sd" soft-dirty, "ar" "bt" "mt" of architectures).
 */
static const uint8_t mnemonics[26 * 26] = {
	[MNEMONIC('r', 'd')] = REC_VM_READ + 1,
	[MNEMONIC('w', 'r')] = REC_VM_WRITE + 1,
	[MNEMONIC('e', 'x')] = REC_VM_EXEC + 1,
	[MNEMONIC('s', 'h')] = REC_VM_SHARED + 1,
	[MNEMONIC('m', 'r')] = REC_VM_MAYREAD + 1,
	[MNEMONIC('m', 'w')] = REC_VM_MAYWRITE + 1,
	[MNEMONIC('m', 'e')] = REC_VM_MAYEXEC + 1,
	[MNEMONIC('m', 's')] = REC_VM_MAYSHARE + 1,
	[MNEMONIC('g', 'd')] = REC_VM_GROWSDOWN + 1,
	[MNEMONIC('p', 'f')] = REC_VM_PFNMAP + 1,
	[MNEMONIC('l', 'o')] = REC_VM_LOCKED + 1,
	[MNEMONIC('l', 'f')] = REC_VM_LOCKONFAULT + 1,
	[MNEMONIC('i', 'o')] = REC_VM_IO + 1,
	[MNEMONIC('s', 'r')] = REC_VM_SEQ_READ + 1,
	[MNEMONIC('r', 'r')] = REC_VM_RAND_READ + 1,
	[MNEMONIC('d', 'c')] = REC_VM_DONTCOPY + 1,
	[MNEMONIC('d', 'e')] = REC_VM_DONTEXPAND + 1,
	[MNEMONIC('a', 'c')] = REC_VM_ACCOUNT + 1,
	[MNEMONIC('n', 'r')] = REC_VM_NORESERVE + 1,
	[MNEMONIC('h', 't')] = REC_VM_HUGETLB + 1,
	[MNEMONIC('s', 'f')] = REC_VM_SYNC + 1,
	[MNEMONIC('w', 'f')] = REC_VM_WIPEONFORK + 1,
	[MNEMONIC('d', 'd')] = REC_VM_DONTDUMP + 1,
	[MNEMONIC('m', 'm')] = REC_VM_MIXEDMAP + 1,
	[MNEMONIC('h', 'g')] = REC_VM_HUGEPAGE + 1,
	[MNEMONIC('n', 'h')] = REC_VM_NOHUGEPAGE + 1,
	[MNEMONIC('m', 'g')] = REC_VM_MERGEABLE + 1,
	[MNEMONIC('u', 'm')] = REC_VM_UFFD_MISSING + 1,
	[MNEMONIC('u', 'w')] = REC_VM_UFFD_WP + 1,
	[MNEMONIC('u', 'i')] = REC_VM_UFFD_MINOR + 1,
	[MNEMONIC('s', 's')] = REC_VM_SHADOW_STACK + 1,
	[MNEMONIC('d', 'p')] = REC_VM_DROPPABLE + 1,
	[MNEMONIC('s', 'l')] = REC_VM_SEALED + 1,
};

static bool scan_perms(const char **pos, uint64_t *ret_flags)
{
	const char *p = *pos;
	uint64_t flags = 0;

	if ((p[0] != 'r' && p[0] != '-') || (p[1] != 'w' && p[1] != '-') ||
	    (p[2] != 'x' && p[2] != '-') || (p[3] != 's' && p[3] != 'p'))
		return false;
	flags |= p[0] == 'r' ? REC_VMF(READ) : 0;
	flags |= p[1] == 'w' ? REC_VMF(WRITE) : 0;
	flags |= p[2] == 'x' ? REC_VMF(EXEC) : 0;
	/* 's' is the kernel's MAYSHARE: SHARED is off where the file cannot be written. */
	flags |= p[3] == 's' ? REC_VMF(SHARED) | REC_VMF(MAYSHARE) : 0;
	*pos = p + 4;
	*ret_flags = flags;
	return true;
}

/* "7f00-7f20 r-xp 00001000 fe:00 17      /path", up to the end of the line. */
static bool scan_header(const char **pos, struct proc_vma *vma)
{
	const char *p = *pos;
	uint64_t major, minor;

	if (!scan_hex(&p, &vma->start) || !scan_str(&p, "-") || !scan_hex(&p, &vma->end) ||
	    !scan_str(&p, " ") || !scan_perms(&p, &vma->flags) || !scan_str(&p, " ") ||
	    !scan_hex(&p, &vma->offset) || !scan_str(&p, " ") || !scan_hex(&p, &major) ||
	    !scan_str(&p, ":") || !scan_hex(&p, &minor) || !scan_str(&p, " ") ||
	    !scan_u64(&p, &vma->ino))
		return false;
	if (vma->start >= vma->end || major >= 1U << (32 - REC_DEV_MINOR_BITS) ||
	    minor >= 1U << REC_DEV_MINOR_BITS)
		return false;
	vma->dev = rec_dev((uint32_t)major, (uint32_t)minor);
	scan_blanks(&p);
	vma->name = p;
	vma->name_len = strcspn(p, "\n");
	*pos = p + vma->name_len;
	return true;
}

static bool scan_vm_flags(const char *p, struct proc_vma *vma)
{
	uint64_t flags = 0;

	for (scan_blanks(&p); *p && *p != '\n'; scan_blanks(&p)) {
		uint8_t flag = 0;

		if (!p[1] || p[1] == '\n')
			return false;
		/* "??" is the kernel's name for a flag that has none. */
		if (p[0] >= 'a' && p[0] <= 'z' && p[1] >= 'a' && p[1] <= 'z')
			flag = mnemonics[MNEMONIC(p[0], p[1])];
		if (flag)
			flags |= UINT64_C(1) << (flag - 1);
		p += 2;
	}
	vma->flags = flags;
	vma->has_details = true;
	return true;
}

static bool scan_own(const char *p, struct proc_vma *vma)
{
	uint64_t kb;

	scan_blanks(&p);
	if (!scan_u64(&p, &kb) || __builtin_add_overflow(vma->own_kb, kb, &vma->own_kb))
		return false;
	return true;
}

static bool scan_key(const char *p, struct proc_vma *vma)
{
	uint64_t key;

	scan_blanks(&p);
	if (!scan_u64(&p, &key))
		return false;
	vma->has_key = key != 0;
	return true;
}

/* A line below the first one of a mapping. */
static bool scan_detail(const char *p, struct proc_vma *vma)
{
	switch (*p) {
	case 'A': return !scan_str(&p, "Anonymous:") || scan_own(p, vma);
	case 'P':
		if (scan_str(&p, "ProtectionKey:"))
			return scan_key(p, vma);
		return !scan_str(&p, "Private_Hugetlb:") || scan_own(p, vma);
	case 'S':
		return (!scan_str(&p, "Swap:") && !scan_str(&p, "Shared_Hugetlb:")) ||
		       scan_own(p, vma);
	case 'V': return !scan_str(&p, "VmFlags:") || scan_vm_flags(p, vma);
	default: return true;
	}
}

int proc_parse_vma(const char **pos, struct proc_vma *ret_vma, struct err *err)
{
	struct proc_vma vma = { 0 };
	const char *line = *pos;

	if (!*line)
		return 0;
	const char *p = line;
	if (!scan_header(&p, &vma))
		return err_set(err, -EBADMSG, "maps: no mapping starts with '%.*s'",
			       (int)strcspn(line, "\n"), line);
	/* Names of the lines below begin with capitals, addresses with digits or small letters. */
	while (scan_line(&p) && *p >= 'A' && *p <= 'Z')
		if (!scan_detail(p, &vma))
			return err_set(err, -EBADMSG, "smaps: malformed line '%.*s'",
				       (int)strcspn(p, "\n"), p);
	vma.flags |= vma.has_key ? REC_VMF(PKEY) : 0;
	*pos = p;
	*ret_vma = vma;
	return 1;
}

static bool has_prefix(const struct proc_vma *vma, const char *prefix)
{
	size_t len = strlen(prefix);

	return vma->name_len >= len && !memcmp(vma->name, prefix, len);
}

struct proc_vma_name proc_vma_name(const struct proc_vma *vma)
{
	static const struct {
		const char *prefix;
		enum rec_vma_special special;
	} special[] = {
		{ "[heap]", REC_VMA_HEAP },
		{ "[stack]", REC_VMA_STACK },
		{ "[stack:", REC_VMA_NORMAL }, /* a thread's, before Linux 4.5 */
		{ "[vdso]", REC_VMA_VDSO },
		{ "[vvar", REC_VMA_VVAR }, /* [vvar_vclock] since Linux 6.13 */
		{ "[vsyscall]", REC_VMA_VSYSCALL },
	};
	static const char *const given[] = { "[anon:", "[anon_shmem:" };
	struct proc_vma_name none = { .special = REC_VMA_NORMAL };

	if (!vma->name_len)
		return none;
	if (vma->name[0] != '[')
		return (struct proc_vma_name){ REC_VMA_NORMAL, true, vma->name, vma->name_len };
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		if (has_prefix(vma, special[i].prefix)) {
			none.special = special[i].special;
			return none;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		size_t skip = strlen(given[i]);

		if (has_prefix(vma, given[i]) && vma->name[vma->name_len - 1] == ']')
			return (struct proc_vma_name){ REC_VMA_NORMAL, false, vma->name + skip,
						       vma->name_len - skip - 1 };
	}
	return (struct proc_vma_name){ REC_VMA_OTHER, false, vma->name, vma->name_len };
}
