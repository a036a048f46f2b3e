// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_MM: the address space of each target and its mappings, which stand in a maple tree
 * (include/linux/maple_tree.h, lib/maple_tree.c). run.pos is 0 in front of the RAW_MM, then the
 * next address to look at with its lowest bit set, and all ones behind the last.
 */
#include "compat.h"
#include "run.h"

#define LAST_ADDRESS (~0UL)
#define MAX_STEPS    (1 << 22)

/* An encoded node: its type in bits 3 to 6, other marks in the rest of the low byte. */
#define NODE_MASK      255UL
#define NODE_TYPE(n)   ((n) >> 3 & 15)
#define TYPE_LEAF_64   1
#define TYPE_RANGE_64  2
#define TYPE_ARANGE_64 3
#define NODE_BYTES     256
#define MAX_TREE_DEPTH 31

struct tree_state {
	u64 mm;
	u64 root;
	u64 node; /* encoded; while descending */
	u64 addr; /* that is looked for */
	u64 max;  /* the last address that the node covers */
	u32 slot; /* of the leaf, where addr is */
	u32 have_leaf;
	u64 file; /* described last, 0: none */
};

struct tree_state tree;
/* The node that is looked at; what masked offsets may reach behind it is never used. */
char node_bytes[2 * NODE_BYTES];
char vma_bulk[BULK];

static __always_inline u64 node_word(u32 offset)
{
	return *(u64 *)(node_bytes + (offset & (NODE_BYTES - 8)));
}

/* The last address of slot @i, of @pivots; those that are not used are 0. */
static __always_inline u64 pivot(u32 base, u32 pivots, u32 i)
{
	u64 value;

	if (i >= pivots)
		return LAST_ADDRESS;
	value = node_word(base + i * 8);
	return value ? value : LAST_ADDRESS;
}

/* The slot that covers tree.addr: bisection, as sixteen of them are too many to try. */
static __always_inline u32 find_slot(u32 base, u32 pivots)
{
	u32 slot = 0;

	if (pivot(base, pivots, 7) < tree.addr)
		slot = 8;
	if (pivot(base, pivots, slot + 3) < tree.addr)
		slot += 4;
	if (pivot(base, pivots, slot + 1) < tree.addr)
		slot += 2;
	if (pivot(base, pivots, slot) < tree.addr)
		slot += 1;
	return slot;
}

/* One level down. Ends in a leaf, in node_bytes, or with tree.have_leaf not set. */
static int descend(u32 i, void *unused)
{
	u32 type = NODE_TYPE(tree.node), pivots, slots;

	if (bpf_probe_read_kernel(node_bytes, NODE_BYTES, (const void *)(tree.node & ~NODE_MASK)))
		return 1;
	if (type == TYPE_ARANGE_64) {
		pivots = bpf_core_field_offset(struct maple_arange_64, pivot);
		slots = bpf_core_field_offset(struct maple_arange_64, slot);
	} else if (type == TYPE_LEAF_64 || type == TYPE_RANGE_64) {
		pivots = bpf_core_field_offset(struct maple_range_64, pivot);
		slots = bpf_core_field_offset(struct maple_range_64, slot);
	} else {
		return 1;
	}
	u32 nr_pivots = (slots - pivots) / 8;
	u32 slot = find_slot(pivots, nr_pivots);
	u64 max = pivot(pivots, nr_pivots, slot);
	if (type == TYPE_LEAF_64) {
		tree.slot = slot;
		tree.have_leaf = 1;
		return 1;
	}
	if (max < tree.max)
		tree.max = max;
	tree.node = node_word(slots + slot * 8);
	return 0;
}

static __always_inline void name_given(struct raw_vma *raw, u64 name)
{
	long len = bpf_probe_read_kernel_str(
		raw->name, 256, (const void *)inside(name, struct anon_vma_name, name));

	raw->naming = RAW_NAME_GIVEN;
	raw->name_len = len > 0 ? (len - 1) & 255 : 0;
}

/* The name that PR_SET_VMA_ANON_NAME gave. */
static __always_inline u64 given_name(u64 vma, u64 file)
{
	if (!has_field(struct vm_area_struct___named, anon_name))
		return 0;
	/* before Linux 6.2 (d09e8ca6cb93 "mm: anonymous shared memory naming") in a union */
	if (file && bpf_core_field_offset(struct vm_area_struct___named, anon_name) ==
			    bpf_core_field_offset(struct vm_area_struct___named, shared))
		return 0;
	return (u64)field_of(vma, struct vm_area_struct___named, anon_name);
}

static __always_inline void name_special(struct raw_vma *raw, u64 vma, u64 ops)
{
	if (!ops || !field_of(ops, struct vm_operations_struct, name))
		return;
	u64 mapping = (u64)bulk_field(vma_bulk, struct vm_area_struct, vma, vm_private_data);
	u64 name = (u64)field_of(mapping, struct vm_special_mapping, name);
	long len = bpf_probe_read_kernel_str(raw->name, 64, (const void *)name);
	if (len <= 0 || raw->name[0] != '[')
		return;
	raw->naming = RAW_NAME_SPECIAL;
	raw->name_len = (len - 1) & 63;
}

__noinline int emit_vma(u64 vma)
{
	struct raw_vma *raw = (struct raw_vma *)record;

	read_bulk(vma_bulk, struct vm_area_struct, vma);
	u64 file = (u64)bulk_field(vma_bulk, struct vm_area_struct, vma, vm_file);
	raw->head.type = RAW_VMA;
	raw->head.target = run.target;
	raw->start = bulk_field(vma_bulk, struct vm_area_struct, vma, vm_start);
	raw->end = bulk_field(vma_bulk, struct vm_area_struct, vma, vm_end);
	raw->pgoff = bulk_field(vma_bulk, struct vm_area_struct, vma, vm_pgoff);
	raw->vm_flags = bulk_field(vma_bulk, struct vm_area_struct, vma, vm_flags);
	raw->naming = RAW_NAME_NONE;
	raw->name_len = 0;
	raw->has_anon = bulk_field(vma_bulk, struct vm_area_struct, vma, anon_vma) != NULL;
	raw->has_file = file != 0;
	u64 given = given_name(vma, file);
	if (file) {
		if (tree.file != file) {
			tree.file = 0;
			if (file_describe(0, 0, file))
				return -EAGAIN;
			tree.file = file;
		}
		raw->file = described.raw;
		raw->naming = RAW_NAME_FILE;
		raw->name_len = described.raw.name_len;
	} else {
		name_special(raw, vma,
			     (u64)bulk_field(vma_bulk, struct vm_area_struct, vma, vm_ops));
	}
	if (given && raw->naming != RAW_NAME_SPECIAL)
		name_given(raw, given);
	else if (file)
		__builtin_memcpy(raw->name, described.name, 256);
	if (raw->naming == RAW_NAME_NONE)
		return emit(__builtin_offsetof(struct raw_vma, file));
	return emit(sizeof(*raw) + (raw->name_len & 255));
}

/* Finds the leaf of the next address, or goes on in the one that was found. */
static int each_slot(u32 i, void *unused)
{
	u32 pivots = bpf_core_field_offset(struct maple_range_64, pivot);
	u32 slots = bpf_core_field_offset(struct maple_range_64, slot);

	if (run.pos == LAST_ADDRESS)
		return 1;
	if (!tree.have_leaf) {
		tree.node = tree.root;
		tree.addr = run.pos & ~1UL;
		tree.max = LAST_ADDRESS;
		bpf_loop(MAX_TREE_DEPTH, descend, NULL, 0);
		if (!tree.have_leaf) { /* the count will tell */
			run.pos = LAST_ADDRESS;
			return 1;
		}
	}
	u64 last = pivot(pivots, (slots - pivots) / 8, tree.slot);
	u64 entry = node_word(slots + tree.slot * 8);
	/* gaps are NULL, and small numbers mean something that only the tree itself knows */
	if (entry >= 4096 && !(entry & 3) && emit_vma(entry))
		return 1;
	if (last >= tree.max || tree.slot >= 15) {
		last = tree.max;
		tree.have_leaf = 0;
	}
	tree.slot = (tree.slot + 1) & 15;
	/* a tree that changes meanwhile must not lead round in circles: the count will tell */
	if (last < run.pos)
		last = LAST_ADDRESS;
	run.pos = last == LAST_ADDRESS ? LAST_ADDRESS : (last + 1) | 1;
	return time_is_up();
}

static __always_inline int emit_mm(void)
{
	struct raw_mm *raw = (struct raw_mm *)record;
	struct mm_struct *mm = (struct mm_struct *)tree.mm;
	u32 auxv = bpf_core_field_size(struct mm_struct, saved_auxv);

	if (auxv > RAW_MAX_AUXV * 8)
		auxv = RAW_MAX_AUXV * 8;
	raw->head.type = RAW_MM;
	raw->head.target = run.target;
	raw->mm.start_code = BPF_CORE_READ(mm, start_code);
	raw->mm.end_code = BPF_CORE_READ(mm, end_code);
	raw->mm.start_data = BPF_CORE_READ(mm, start_data);
	raw->mm.end_data = BPF_CORE_READ(mm, end_data);
	raw->mm.start_stack = BPF_CORE_READ(mm, start_stack);
	raw->mm.start_brk = BPF_CORE_READ(mm, start_brk);
	raw->mm.brk = BPF_CORE_READ(mm, brk);
	raw->mm.arg_start = BPF_CORE_READ(mm, arg_start);
	raw->mm.arg_end = BPF_CORE_READ(mm, arg_end);
	raw->mm.env_start = BPF_CORE_READ(mm, env_start);
	raw->mm.env_end = BPF_CORE_READ(mm, env_end);
	raw->mm.map_count = BPF_CORE_READ(mm, map_count);
	raw->mm.nr_auxv = auxv / 8;
	bpf_probe_read_kernel(raw + 1, auxv,
			      (const void *)inside(mm, struct mm_struct, saved_auxv));
	return emit(sizeof(*raw) + auxv);
}

static __always_inline int open_mm(void)
{
	int ret = target_find();

	if (ret)
		return ret;
	tree.mm = (u64)field_of(run.task, struct task_struct, mm);
	tree.root = (u64)field_of(tree.mm, struct mm_struct, mm_mt.ma_root);
	tree.have_leaf = 0;
	tree.file = 0;
	return tree.mm ? 0 : -ESRCH;
}

static int each_mm(u32 i, void *unused)
{
	if (run.target >= run.nr_targets || run.stopped)
		return 1;
	int ret = open_mm();
	if (ret)
		return emit_end(ret, 0) != 0;
	if (!run.pos) {
		if (emit_mm())
			return 1;
		run.pos = 1;
	}
	bpf_loop(MAX_STEPS, each_slot, NULL, 0);
	if (run.stopped)
		return 1;
	return emit_end(0, field_of(tree.mm, struct mm_struct, map_count)) != 0;
}

__noinline int collect_mm(void)
{
	bpf_loop(RUN_MAX_TARGETS, each_mm, NULL, 0);
	return 0;
}
