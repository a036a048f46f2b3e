// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpuinfo.img on x86-64: words of CPUID in the order that criu numbers as version 2, which is that
 * of the kernel's (arch/x86/include/asm/cpufeature.h). Words the kernel makes up are left 0.
 */
#include <cpuid.h>
#include <errno.h>
#include <string.h>

#include "arch/cpuinfo.h"
#include "base/strbuf.h"

enum { CAPABILITY_VERSION = 2, WORDS = 19 };

/* Words that are what CPUID says. */
enum {
	WORD_1_EDX = 0,
	WORD_8000_0001_EDX = 1,
	WORD_1_ECX = 4,
	WORD_8000_0001_ECX = 6,
	WORD_7_0_EBX = 9,
	WORD_D_1_EAX = 10,
	WORD_7_0_ECX = 11,
	WORD_7_0_EDX = 18,
};

enum { EAX, EBX, ECX, EDX };

static const struct leaf {
	unsigned int word, leaf, subleaf, reg;
} leaves[] = {
	{ WORD_1_EDX, 1, 0, EDX },
	{ WORD_1_ECX, 1, 0, ECX },
	{ WORD_8000_0001_EDX, 0x80000001, 0, EDX },
	{ WORD_8000_0001_ECX, 0x80000001, 0, ECX },
	{ WORD_7_0_EBX, 7, 0, EBX },
	{ WORD_7_0_ECX, 7, 0, ECX },
	{ WORD_7_0_EDX, 7, 0, EDX },
	{ WORD_D_1_EAX, 0xd, 1, EAX },
};

/* What programs use without asking the kernel, by the names of /proc/cpuinfo. */
static const struct instructions {
	uint8_t word, bit;
	const char *name;
} instruction_sets[] = {
	{ WORD_1_EDX, 8, "cx8" },
	{ WORD_1_EDX, 15, "cmov" },
	{ WORD_1_EDX, 23, "mmx" },
	{ WORD_1_EDX, 24, "fxsr" },
	{ WORD_1_EDX, 25, "sse" },
	{ WORD_1_EDX, 26, "sse2" },
	{ WORD_8000_0001_EDX, 27, "rdtscp" },
	{ WORD_8000_0001_EDX, 30, "3dnowext" },
	{ WORD_8000_0001_EDX, 31, "3dnow" },
	{ WORD_1_ECX, 0, "pni" },
	{ WORD_1_ECX, 1, "pclmulqdq" },
	{ WORD_1_ECX, 9, "ssse3" },
	{ WORD_1_ECX, 12, "fma" },
	{ WORD_1_ECX, 13, "cx16" },
	{ WORD_1_ECX, 19, "sse4_1" },
	{ WORD_1_ECX, 20, "sse4_2" },
	{ WORD_1_ECX, 22, "movbe" },
	{ WORD_1_ECX, 23, "popcnt" },
	{ WORD_1_ECX, 25, "aes" },
	{ WORD_1_ECX, 26, "xsave" },
	{ WORD_1_ECX, 28, "avx" },
	{ WORD_1_ECX, 29, "f16c" },
	{ WORD_1_ECX, 30, "rdrand" },
	{ WORD_8000_0001_ECX, 0, "lahf_lm" },
	{ WORD_8000_0001_ECX, 5, "abm" },
	{ WORD_8000_0001_ECX, 6, "sse4a" },
	{ WORD_8000_0001_ECX, 11, "xop" },
	{ WORD_8000_0001_ECX, 16, "fma4" },
	{ WORD_8000_0001_ECX, 21, "tbm" },
	{ WORD_7_0_EBX, 0, "fsgsbase" },
	{ WORD_7_0_EBX, 3, "bmi1" },
	{ WORD_7_0_EBX, 5, "avx2" },
	{ WORD_7_0_EBX, 8, "bmi2" },
	{ WORD_7_0_EBX, 11, "rtm" },
	{ WORD_7_0_EBX, 14, "mpx" },
	{ WORD_7_0_EBX, 16, "avx512f" },
	{ WORD_7_0_EBX, 17, "avx512dq" },
	{ WORD_7_0_EBX, 18, "rdseed" },
	{ WORD_7_0_EBX, 19, "adx" },
	{ WORD_7_0_EBX, 21, "avx512ifma" },
	{ WORD_7_0_EBX, 23, "clflushopt" },
	{ WORD_7_0_EBX, 24, "clwb" },
	{ WORD_7_0_EBX, 26, "avx512pf" },
	{ WORD_7_0_EBX, 27, "avx512er" },
	{ WORD_7_0_EBX, 28, "avx512cd" },
	{ WORD_7_0_EBX, 29, "sha_ni" },
	{ WORD_7_0_EBX, 30, "avx512bw" },
	{ WORD_7_0_EBX, 31, "avx512vl" },
	{ WORD_D_1_EAX, 1, "xsavec" },
	{ WORD_D_1_EAX, 2, "xgetbv1" },
	{ WORD_7_0_ECX, 1, "avx512vbmi" },
	{ WORD_7_0_ECX, 3, "pku" },
	{ WORD_7_0_ECX, 6, "avx512_vbmi2" },
	{ WORD_7_0_ECX, 8, "gfni" },
	{ WORD_7_0_ECX, 9, "vaes" },
	{ WORD_7_0_ECX, 10, "vpclmulqdq" },
	{ WORD_7_0_ECX, 11, "avx512_vnni" },
	{ WORD_7_0_ECX, 12, "avx512_bitalg" },
	{ WORD_7_0_ECX, 14, "avx512_vpopcntdq" },
	{ WORD_7_0_ECX, 22, "rdpid" },
	{ WORD_7_0_ECX, 27, "movdiri" },
	{ WORD_7_0_ECX, 28, "movdir64b" },
	{ WORD_7_0_EDX, 2, "avx512_4vnniw" },
	{ WORD_7_0_EDX, 3, "avx512_4fmaps" },
	{ WORD_7_0_EDX, 8, "avx512_vp2intersect" },
	{ WORD_7_0_EDX, 14, "serialize" },
	{ WORD_7_0_EDX, 22, "amx_bf16" },
	{ WORD_7_0_EDX, 23, "avx512_fp16" },
	{ WORD_7_0_EDX, 24, "amx_tile" },
	{ WORD_7_0_EDX, 25, "amx_int8" },
};

/* ---- This machine ---- */

/* Zeros where the processor has no such leaf. */
static void cpuid(unsigned int leaf, unsigned int subleaf, uint32_t regs[4])
{
	if (!__get_cpuid_count(leaf, subleaf, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]))
		memset(regs, 0, 4 * sizeof(*regs));
}

static void fill_model(struct arena *arena, CpuinfoX86Entry *entry)
{
	uint32_t regs[4], name[12], vendor[3];

	cpuid(0, 0, regs);
	vendor[0] = regs[EBX];
	vendor[1] = regs[EDX];
	vendor[2] = regs[ECX];
	entry->vendor_id = CPUINFO_X86_ENTRY__VENDOR__UNKNOWN;
	if (!memcmp(vendor, "GenuineIntel", sizeof(vendor)))
		entry->vendor_id = CPUINFO_X86_ENTRY__VENDOR__INTEL;
	else if (!memcmp(vendor, "AuthenticAMD", sizeof(vendor)))
		entry->vendor_id = CPUINFO_X86_ENTRY__VENDOR__AMD;

	cpuid(1, 0, regs);
	entry->stepping = regs[EAX] & 0xf;
	entry->cpu_family = (regs[EAX] >> 8) & 0xf;
	entry->model = (regs[EAX] >> 4) & 0xf;
	if (entry->cpu_family == 6 || entry->cpu_family == 0xf)
		entry->model += ((regs[EAX] >> 16) & 0xf) << 4;
	if (entry->cpu_family == 0xf)
		entry->cpu_family += (regs[EAX] >> 20) & 0xff;

	for (unsigned int i = 0; i < 3; i++)
		cpuid(0x80000002 + i, 0, &name[4 * i]);
	const char *text = (const char *)name;
	size_t len = strnlen(text, sizeof(name)), blanks = strspn(text, " ");
	if (len > blanks)
		entry->model_id = arena_strndup(arena, text + blanks, len - blanks);
}

/* criu leaves out component 1, SSE, of the mask, and so does this: all of x86-64 has it. */
static void fill_xsave(CpuinfoX86Entry *entry)
{
	uint32_t regs[4];

	cpuid(0xd, 0, regs);
	entry->has_xfeatures_mask = entry->has_xsave_size = entry->has_xsave_size_max = true;
	entry->xfeatures_mask = ((uint64_t)regs[EDX] << 32 | regs[EAX]) & ~2ULL;
	entry->xsave_size = regs[EBX];
	entry->xsave_size_max = regs[ECX];
}

CpuinfoEntry *arch_cpuinfo(struct arena *arena)
{
	CpuinfoEntry *info = ARENA_NEW(arena, CpuinfoEntry);
	CpuinfoX86Entry *entry = ARENA_NEW(arena, CpuinfoX86Entry);
	uint32_t regs[4];

	cpuinfo_entry__init(info);
	cpuinfo_x86_entry__init(entry);
	info->n_x86_entry = 1;
	info->x86_entry = arena_memdup(arena, &entry, sizeof(entry));
	fill_model(arena, entry);
	fill_xsave(entry);
	entry->capability_ver = CAPABILITY_VERSION;
	entry->n_capability = WORDS;
	entry->capability = ARENA_ARRAY(arena, uint32_t, WORDS);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		cpuid(leaves[i].leaf, leaves[i].subleaf, regs);
		entry->capability[leaves[i].word] = regs[leaves[i].reg];
	}
	return info;
}

/* ---- Comparing ---- */

static int check_instructions(const CpuinfoX86Entry *image, const CpuinfoX86Entry *own,
			      struct err *err)
{
	_cleanup_strbuf_ struct strbuf missing = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(instruction_sets); i++) {
		const struct instructions *set = &instruction_sets[i];

		if ((image->capability[set->word] & ~own->capability[set->word]) >> set->bit & 1)
			strbuf_printf(&missing, " %s", set->name);
	}
	if (!missing.len)
		return 0;
	return err_set(err, -ENOTSUP,
		       "this processor lacks instructions that the one of the dump "
		       "had:%s; restore on one like that, or use --cpu-cap=none if the tree does "
		       "not need them",
		       strbuf_str(&missing));
}

static int check_components(const CpuinfoX86Entry *image, const CpuinfoX86Entry *own,
			    struct err *err)
{
	uint64_t missing = image->xfeatures_mask & ~own->xfeatures_mask & ~2ULL;

	if (!missing)
		return 0;
	return err_set(
		err, -ENOTSUP,
		"this processor lacks FPU state components %#llx that the one "
		"of the dump had; restore on one like that, or use --cpu-cap=none if the tree "
		"does not need them",
		(unsigned long long)missing);
}

static int check_model(const CpuinfoX86Entry *image, const CpuinfoX86Entry *own, struct err *err)
{
	if (image->vendor_id != own->vendor_id || image->cpu_family != own->cpu_family ||
	    image->model != own->model || image->stepping != own->stepping)
		return err_set(err, -ENOTSUP,
			       "the dump was made on another processor, '%s' (family "
			       "%u, model %u, stepping %u), not '%s' (%u, %u, %u); use "
			       "--cpu-cap=ins,fpu to accept any that can do as much",
			       image->model_id ? image->model_id : "?", image->cpu_family,
			       image->model, image->stepping, own->model_id ? own->model_id : "?",
			       own->cpu_family, own->model, own->stepping);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		unsigned int word = leaves[i].word;

		if (image->capability[word] != own->capability[word])
			return err_set(
				err, -ENOTSUP,
				"this processor has other features than that of "
				"the dump: CPUID %#x gives %#x, not %#x; use --cpu-cap=ins,fpu "
				"to accept any that can do as much",
				leaves[i].leaf, own->capability[word], image->capability[word]);
	}
	return 0;
}

int arch_cpuinfo_check(const CpuinfoEntry *image_info, const CpuinfoEntry *own_info,
		       uint32_t checks, struct err *err)
{
	if (image_info->n_x86_entry != 1)
		return err_set(err, -EBADMSG,
			       "image file 'cpuinfo.img': %zu processors of x86, "
			       "not one",
			       image_info->n_x86_entry);
	const CpuinfoX86Entry *image = image_info->x86_entry[0], *own = own_info->x86_entry[0];
	if (image->capability_ver != CAPABILITY_VERSION || image->n_capability != WORDS)
		return err_set(
			err, -EBADMSG,
			"image file 'cpuinfo.img': %zu words of features in "
			"order %u, only %d in order %d are known; --cpu-cap=none ignores them",
			image->n_capability, image->capability_ver, WORDS, CAPABILITY_VERSION);
	int ret = checks & ARCH_CPU_CPU ? check_model(image, own, err) : 0;
	if (ret == 0 && (checks & ARCH_CPU_INS))
		ret = check_instructions(image, own, err);
	if (ret == 0 && (checks & ARCH_CPU_FPU))
		ret = check_components(image, own, err);
	return ret;
}
