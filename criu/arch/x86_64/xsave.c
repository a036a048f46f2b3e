// SPDX-License-Identifier: GPL-2.0-only
/*
 * The XSAVE area in its standard (not compacted) format: Intel SDM volume 1, chapter 13. The first
 * 512 bytes are the FXSAVE image, 64 bytes of header follow, components lie where CPUID 0xD says.
 */
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "arch/x86_64/xsave.h"

struct fxsave {
	uint16_t cwd, swd, twd, fop;
	uint64_t rip, rdp;
	uint32_t mxcsr, mxcsr_mask;
	uint32_t st_space[32];
	uint32_t xmm_space[64];
	uint32_t padding[12];
	uint32_t software[12]; /* the kernel's; the first 8 bytes are the enabled components */
};
_Static_assert(sizeof(struct fxsave) == 512, "hardware layout");

struct xsave_header {
	uint64_t xstate_bv, xcomp_bv;
	uint64_t reserved[6];
};

enum { XSAVE_LEGACY = 512, XSAVE_EXTENDED = 576 };

/* State components that the image has a field for. */
enum {
	XFEATURE_X87,
	XFEATURE_SSE,
	XFEATURE_YMM,
	XFEATURE_BNDREGS,
	XFEATURE_BNDCSR,
	XFEATURE_OPMASK,
	XFEATURE_ZMM_HI256,
	XFEATURE_HI16_ZMM,
	XFEATURE_PT,
	XFEATURE_PKRU,
	XFEATURE_MAX,
};
#define XFEATURES_KNOWN (((1ULL << XFEATURE_MAX) - 1) & ~(1ULL << XFEATURE_PT))

#define COMPONENT(xfeature, field)                                                                 \
	{                                                                                          \
		xfeature, offsetof(UserX86XsaveEntry, n_##field),                                  \
			offsetof(UserX86XsaveEntry, field),                                        \
			sizeof(*((UserX86XsaveEntry *)0)->field)                                   \
	}

/* Where in the message a component is: offsets of its count and its array, size of an element. */
static const struct component {
	unsigned int xfeature;
	size_t count, array, element;
} components[] = {
	COMPONENT(XFEATURE_YMM, ymmh_space),      COMPONENT(XFEATURE_BNDREGS, bndreg_state),
	COMPONENT(XFEATURE_BNDCSR, bndcsr_state), COMPONENT(XFEATURE_OPMASK, opmask_reg),
	COMPONENT(XFEATURE_ZMM_HI256, zmm_upper), COMPONENT(XFEATURE_HI16_ZMM, hi16_zmm),
	COMPONENT(XFEATURE_PKRU, pkru),
};

/*
 * Where the processor puts a component. It is asked once: a virtual machine is left for each answer,
 * which takes longer than all else that is done for a thread.
 */
static struct {
	pthread_once_t once;
	struct {
		uint32_t off, size;
	} at[XFEATURE_MAX];
} layout = { .once = PTHREAD_ONCE_INIT };

static void ask_processor(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
		unsigned int xfeature = components[i].xfeature;
		uint32_t size = 0, off = 0, c, d;

		if (!__get_cpuid_count(0xd, xfeature, &size, &off, &c, &d))
			return;
		layout.at[xfeature].off = off;
		layout.at[xfeature].size = size;
	}
}

/* Size 0: it has none. */
static void locate(unsigned int xfeature, uint32_t area, uint32_t *ret_off, uint32_t *ret_size)
{
	pthread_once(&layout.once, ask_processor);

	uint32_t off = layout.at[xfeature].off, size = layout.at[xfeature].size;

	*ret_off = off;
	*ret_size = off < XSAVE_EXTENDED || off > area || size > area - off ? 0 : size;
}

static uint32_t *copy_words(struct snapshot *snap, const uint32_t *words, size_t n)
{
	return arena_memdup(&snap->arena, words, n * sizeof(*words));
}

static UserX86FpregsEntry *legacy_to_entry(struct snapshot *snap, const struct fxsave *fx)
{
	UserX86FpregsEntry *entry = SNAP_MSG(snap, UserX86FpregsEntry, user_x86_fpregs_entry);

	entry->cwd = fx->cwd;
	entry->swd = fx->swd;
	entry->twd = fx->twd;
	entry->fop = fx->fop;
	entry->rip = fx->rip;
	entry->rdp = fx->rdp;
	entry->mxcsr = fx->mxcsr;
	entry->mxcsr_mask = fx->mxcsr_mask;
	entry->n_st_space = ARRAY_SIZE(fx->st_space);
	entry->st_space = copy_words(snap, fx->st_space, entry->n_st_space);
	entry->n_xmm_space = ARRAY_SIZE(fx->xmm_space);
	entry->xmm_space = copy_words(snap, fx->xmm_space, entry->n_xmm_space);
	/* 24 words in the format: the padding and what follows, which is not the processor's */
	entry->n_padding = 24;
	entry->padding = ARENA_ARRAY(&snap->arena, uint32_t, entry->n_padding);
	return entry;
}

static void component_to_entry(struct snapshot *snap, UserX86XsaveEntry *xsave,
			       const struct component *component, const struct compel_fpu *fpu,
			       bool in_use)
{
	size_t *count = (size_t *)((char *)xsave + component->count);
	void **array = (void **)((char *)xsave + component->array);
	uint32_t off, size;

	locate(component->xfeature, fpu->size, &off, &size);
	if (!size)
		return;
	*count = size / component->element;
	*array = arena_alloc(&snap->arena, size);
	/* a component that is in its initial state may hold old bytes */
	if (in_use)
		memcpy(*array, (const char *)fpu->data + off, size);
}

int xsave_to_entry(struct snapshot *snap, const struct compel_fpu *fpu,
		   UserX86FpregsEntry **ret_entry, struct err *err)
{
	const struct xsave_header *header = (const void *)((const char *)fpu->data + XSAVE_LEGACY);

	if (fpu->size < sizeof(struct fxsave))
		return err_set(err, -ENOTSUP, "FPU state of %u bytes, without SSE: not supported",
			       fpu->size);
	UserX86FpregsEntry *entry = legacy_to_entry(snap, fpu->data);
	if (fpu->note == NT_X86_XSTATE && fpu->size >= XSAVE_EXTENDED) {
		if (header->xstate_bv & ~XFEATURES_KNOWN)
			return err_set(err, -ENOTSUP,
				       "processor state components %#llx (AMX, APX ..) are in use: "
				       "not supported",
				       (unsigned long long)(header->xstate_bv & ~XFEATURES_KNOWN));
		entry->xsave = SNAP_MSG(snap, UserX86XsaveEntry, user_x86_xsave_entry);
		entry->xsave->xstate_bv = header->xstate_bv;
		for (size_t i = 0; i < ARRAY_SIZE(components); i++)
			component_to_entry(snap, entry->xsave, &components[i], fpu,
					   header->xstate_bv & (1ULL << components[i].xfeature));
	}
	*ret_entry = entry;
	return 0;
}

static int legacy_from_entry(const UserX86FpregsEntry *entry, struct fxsave *fx, struct err *err)
{
	if (entry->n_st_space != ARRAY_SIZE(fx->st_space) ||
	    entry->n_xmm_space != ARRAY_SIZE(fx->xmm_space))
		return err_set(err, -EBADMSG, "FPU state with %zu and %zu words", entry->n_st_space,
			       entry->n_xmm_space);
	fx->cwd = (uint16_t)entry->cwd;
	fx->swd = (uint16_t)entry->swd;
	fx->twd = (uint16_t)entry->twd;
	fx->fop = (uint16_t)entry->fop;
	fx->rip = entry->rip;
	fx->rdp = entry->rdp;
	fx->mxcsr = entry->mxcsr & fx->mxcsr_mask;
	memcpy(fx->st_space, entry->st_space, sizeof(fx->st_space));
	memcpy(fx->xmm_space, entry->xmm_space, sizeof(fx->xmm_space));
	return 0;
}

static int component_from_entry(const UserX86XsaveEntry *xsave, const struct component *component,
				struct compel_fpu *fpu, struct err *err)
{
	size_t count = *(const size_t *)((const char *)xsave + component->count);
	const void *array = *(void *const *)((const char *)xsave + component->array);
	uint32_t off, size;

	if (!(xsave->xstate_bv & (1ULL << component->xfeature)))
		return 0;
	locate(component->xfeature, fpu->size, &off, &size);
	if (!size)
		return err_set(err, -ENOTSUP,
			       "the task uses state component %u of the processor, "
			       "which this one does not have",
			       component->xfeature);
	size_t bytes = count * component->element;
	if (bytes > size)
		return err_set(err, -EBADMSG, "processor state component %u has %zu bytes, not %u",
			       component->xfeature, bytes, size);
	memcpy((char *)fpu->data + off, array, bytes);
	return 0;
}

int xsave_from_entry(const UserX86FpregsEntry *entry, struct compel_fpu *fpu, struct err *err)
{
	struct xsave_header *header = (void *)((char *)fpu->data + XSAVE_LEGACY);
	int ret = legacy_from_entry(entry, fpu->data, err);

	if (ret < 0 || fpu->note != NT_X86_XSTATE || fpu->size < XSAVE_EXTENDED)
		return ret;
	/* what an image without xsave means is x87 and SSE state */
	uint64_t present = 1ULL << XFEATURE_X87 | 1ULL << XFEATURE_SSE;
	if (entry->xsave) {
		if (entry->xsave->xstate_bv & ~XFEATURES_KNOWN)
			return err_set(err, -ENOTSUP, "processor state components %#llx",
				       (unsigned long long)entry->xsave->xstate_bv);
		present |= entry->xsave->xstate_bv;
		for (size_t i = 0; i < ARRAY_SIZE(components) && ret == 0; i++)
			ret = component_from_entry(entry->xsave, &components[i], fpu, err);
	}
	memset(header, 0, sizeof(*header));
	header->xstate_bv = present;
	return ret;
}
