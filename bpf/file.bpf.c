// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_FD: the descriptor table of each target. run.pos is the number of the next descriptor. Behind
 * the last one it is COUNTING, with how many were counted in the upper half and the next word of
 * the bitmap in the lower.
 */
#include "compat.h"
#include "run.h"

#define WORD_BITS   64
#define MAX_STEPS   (1 << 21)
#define COUNTING    (1ULL << 63)
#define COUNT_SHIFT 32

struct table_state {
	u64 slots, close_on_exec, open_fds; /* kernel pointers */
	u32 max_fds;
	u32 word;            /* number of the word below */
	u64 open, cloexec;   /* that word of both bitmaps */
	u64 file[WORD_BITS]; /* and what its bits stand for */
	u32 count, count_at;
};

struct table_state table;
char file_bulk[BULK];
u64 count_words[2 * WORD_BITS];

static __always_inline int open_table(void)
{
	int ret = target_find();

	table.max_fds = 0;
	table.word = -1;
	if (ret)
		return ret;
	u64 fdt = (u64)field_of(run.task, struct task_struct, files, fdt);
	if (!fdt) /* a task that is about to end has none */
		return 0;
	table.slots = (u64)field_of(fdt, struct fdtable, fd);
	table.close_on_exec = (u64)field_of(fdt, struct fdtable, close_on_exec);
	table.open_fds = (u64)field_of(fdt, struct fdtable, open_fds);
	table.max_fds = field_of(fdt, struct fdtable, max_fds);
	return 0;
}

static __always_inline void load_word(u32 word)
{
	table.word = word;
	table.open = table.cloexec = 0;
	bpf_probe_read_kernel(&table.open, sizeof(u64), (const void *)(table.open_fds + word * 8));
	if (!table.open)
		return;
	bpf_probe_read_kernel(&table.cloexec, sizeof(u64),
			      (const void *)(table.close_on_exec + word * 8));
	bpf_probe_read_kernel(table.file, sizeof(table.file),
			      (const void *)(table.slots + (u64)word * WORD_BITS * 8));
}

__noinline int emit_fd(u32 fd)
{
	struct raw_fd *raw = (struct raw_fd *)record;
	u64 file = table.file[fd % WORD_BITS];

	if (!file) /* about to be opened: the count will tell */
		return 0;
	read_bulk(file_bulk, struct file, file);
	int ret = file_describe((u64)bulk_field(file_bulk, struct file, file, f_path.mnt),
				(u64)bulk_field(file_bulk, struct file, file, f_path.dentry), 0);
	if (ret)
		return ret;
	raw->head.type = RAW_FD;
	raw->head.target = run.target;
	raw->fd = fd;
	raw->cloexec = table.cloexec >> (fd % WORD_BITS) & 1;
	raw->ofd_id = identity(file);
	raw->pos = bulk_field(file_bulk, struct file, file, f_pos);
	raw->f_flags = bulk_field(file_bulk, struct file, file, f_flags);
	raw->file = described.raw;
	__builtin_memcpy(raw->name, described.name, 256);
	return emit(sizeof(*raw) + (described.raw.name_len & 255));
}

static int each_fd(u32 i, void *unused)
{
	u32 fd = run.pos;

	if (fd >= table.max_fds)
		return 1;
	if (fd / WORD_BITS != table.word)
		load_word(fd / WORD_BITS);
	u64 rest = table.open >> (fd % WORD_BITS);
	if (!rest) {
		run.pos = (fd | (WORD_BITS - 1)) + 1;
		return time_is_up();
	}
	if ((rest & 1) && emit_fd(fd))
		return 1;
	run.pos = fd + 1;
	return time_is_up();
}

static __always_inline u32 count_bits(u64 x)
{
	x -= x >> 1 & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return x * 0x0101010101010101ULL >> 56;
}

static int count_word(u32 i, void *unused)
{
	table.count += count_bits(count_words[i % WORD_BITS]);
	return 0;
}

/* 64 words at once. */
static int count_chunk(u32 i, void *unused)
{
	u32 words = (table.max_fds + WORD_BITS - 1) / WORD_BITS;
	u32 left = words - table.count_at;

	if (table.count_at >= words)
		return 1;
	if (left > WORD_BITS)
		left = WORD_BITS;
	bpf_probe_read_kernel(count_words, left * 8 & (sizeof(count_words) - 1),
			      (const void *)(table.open_fds + table.count_at * 8));
	bpf_loop(left, count_word, NULL, 0);
	table.count_at += left;
	run.pos = COUNTING | (u64)table.count << COUNT_SHIFT | table.count_at;
	run.ticks += 4;
	return time_is_up();
}

/* All of them anew, so that what changed meanwhile shows. */
static __always_inline void count_fds(void)
{
	table.count = (run.pos & ~COUNTING) >> COUNT_SHIFT;
	table.count_at = run.pos;
	bpf_loop(MAX_STEPS / WORD_BITS, count_chunk, NULL, 0);
}

static int each_table(u32 i, void *unused)
{
	if (run.target >= run.nr_targets || run.stopped)
		return 1;
	int ret = open_table();
	if (ret)
		return emit_end(ret, 0) != 0;
	if (!(run.pos & COUNTING)) {
		bpf_loop(MAX_STEPS, each_fd, NULL, 0);
		if (run.stopped)
			return 1;
		run.pos = COUNTING;
	}
	count_fds();
	if (run.stopped)
		return 1;
	return emit_end(0, table.count) != 0;
}

__noinline int collect_fds(void)
{
	bpf_loop(RUN_MAX_TARGETS, each_table, NULL, 0);
	return 0;
}
