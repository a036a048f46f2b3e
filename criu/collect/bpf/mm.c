// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces and mappings become records.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/strbuf.h"
#include "collect/bpf/engine.h"
#include "collect/dev.h"

static struct rec_hdr header(const struct collect_target *target, enum rec_type type,
			     uint64_t valid)
{
	return (struct rec_hdr){
		.type = type, .pid = (__u32)target->pid, .tid = (__u32)target->pid, .valid = valid
	};
}

int bpf_take_mm(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_mm *raw = (const void *)head;
	const struct rec_mm *mm = &raw->mm;
	uint32_t n = 0;

	if (len < sizeof(*raw) || mm->nr_auxv > RAW_MAX_AUXV ||
	    len != sizeof(*raw) + 8 * (size_t)mm->nr_auxv)
		return bpf_malformed(run, "address space of a wrong length");
	while (n + 1 < mm->nr_auxv && mm->auxv[n]) /* AT_NULL ends it */
		n += 2;
	struct rec_mm rec = *mm;
	rec.hdr = header(bpf_target(run, head), REC_MM,
			 RV_MM_LAYOUT | RV_MM_BRK | RV_MM_AUXV | RV_MM_COUNT);
	rec.nr_auxv = n;
	bpf_put(run, &rec.hdr, sizeof(rec), mm->auxv, n * sizeof(mm->auxv[0]));
	run->layout.start_brk = mm->start_brk;
	run->layout.brk = mm->brk;
	run->layout.start_stack = mm->start_stack;
	return 0;
}

/* fs/proc/task_mmu.c: vma_is_initial_heap(), vma_is_initial_stack() */
static uint32_t special_of_anonymous(const struct bpf_run *run, const struct raw_vma *raw)
{
	if (raw->start < run->layout.brk && raw->end > run->layout.start_brk)
		return REC_VMA_HEAP;
	if (raw->start <= run->layout.start_stack && raw->end >= run->layout.start_stack)
		return REC_VMA_STACK;
	return REC_VMA_NORMAL;
}

static bool begins_with(const struct raw_vma *raw, const char *prefix)
{
	size_t len = strlen(prefix);

	return raw->name_len >= len && !memcmp(raw->name, prefix, len);
}

/* Names of the kernel's own mappings become numbers; those that are not known keep it. */
static uint32_t special_of_name(const struct raw_vma *raw)
{
	if (begins_with(raw, "[vdso]"))
		return REC_VMA_VDSO;
	if (begins_with(raw, "[vvar"))
		return REC_VMA_VVAR;
	return REC_VMA_OTHER;
}

/*
 * stat(2) of a mapped file whose inode does not tell it all. No descriptor leads to it: its path
 * does, if what stands there now is the same in all that can be compared, else its link in /proc.
 */
static int stat_mapped(struct bpf_run *run, pid_t pid, const struct bpf_path *path,
		       struct rec_vma *rec, const struct raw_file *file)
{
	enum { FLAGS = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT };
	char link[96];
	struct statx stx;

	if (!path->file_flags &&
	    statx(AT_FDCWD, path->text, FLAGS | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx) ==
		    0 &&
	    stx.stx_size == file->size && stx.stx_mode == file->mode &&
	    (uint64_t)stx.stx_mtime.tv_sec * 1000000000 + stx.stx_mtime.tv_nsec == file->mtime_ns)
		goto found;
	snprintf(link, sizeof(link), "/proc/%d/map_files/%llx-%llx", pid,
		 (unsigned long long)rec->start, (unsigned long long)rec->end);
	if (statx(AT_FDCWD, link, FLAGS, STATX_BASIC_STATS, &stx) < 0) {
		if (errno == ENOENT || errno == EPERM) /* left with what the inode says */
			return 0;
		return err_sys(run->err, "statx '%s'", link);
	}
found:
	rec->dev = rec_dev(stx.stx_dev_major, stx.stx_dev_minor);
	rec->ino = stx.stx_ino;
	return 0;
}

static int name_file(struct bpf_run *run, pid_t pid, const struct raw_vma *raw,
		     struct bpf_path *path, struct rec_vma *rec)
{
	int ret = bpf_file_path(run, &raw->file, raw->name, path);

	if (ret < 0)
		return ret;
	rec->file_flags = path->file_flags;
	path->text[path->len] = '\0';
	if (bpf_stat_is_inode(&raw->file))
		return 0;
	return stat_mapped(run, pid, path, rec, &raw->file);
}

int bpf_take_vma(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct collect_target *target = bpf_target(run, head);
	const struct raw_vma *raw = (const void *)head;
	struct bpf_path path; /* large: set only for files */
	const char *name = NULL;
	size_t name_len = 0;
	int ret = 0;

	if (len < __builtin_offsetof(struct raw_vma, file) ||
	    (raw->naming != RAW_NAME_NONE && len != sizeof(*raw) + (size_t)raw->name_len))
		return bpf_malformed(run, "mapping of a wrong length");
	struct rec_vma rec = {
		.hdr = header(target, REC_VMA, RV_VMA_RANGE | RV_VMA_FLAGS | RV_VMA_RSS),
		.start = raw->start,
		.end = raw->end,
		.flags = raw->vm_flags, /* translated by bpf_finish_vma() */
		.populated = raw->has_anon,
	};
	if (raw->has_file && raw->naming != RAW_NAME_NONE) {
		rec.offset = raw->pgoff * run->source->page_size;
		rec.dev = raw->file.dev;
		rec.ino = raw->file.ino;
	}
	switch (raw->naming) {
	case RAW_NAME_FILE:
		ret = name_file(run, target->pid, raw, &path, &rec);
		name = path.text;
		name_len = path.len;
		break;
	case RAW_NAME_GIVEN:
		rec.special = raw->has_file ? REC_VMA_NORMAL : special_of_anonymous(run, raw);
		if (rec.special == REC_VMA_NORMAL)
			name = raw->name, name_len = raw->name_len;
		break;
	case RAW_NAME_SPECIAL:
		rec.special = special_of_name(raw);
		if (rec.special == REC_VMA_OTHER)
			name = raw->name, name_len = raw->name_len;
		break;
	default: rec.special = special_of_anonymous(run, raw); break;
	}
	if (ret < 0)
		return err_wrap(run->err, ret, "mapping %llx", (unsigned long long)raw->start);
	rec.name_len = (__u32)name_len;
	bpf_put(run, &rec.hdr, sizeof(rec), name, name_len);
	run->count++;
	return 0;
}

/* ---- The vsyscall page ---- */

/*
 * The page that x86-64 kernels show behind the last mapping of every process is in nobody's tree.
 * Its permissions depend on how the kernel was started; crib's own are those of all.
 */
static void look_for_vsyscall(struct bpf_source *source)
{
	static const char mark[] = "[vsyscall]";
	_cleanup_strbuf_ struct strbuf text = { 0 };
	unsigned long long start, end;
	char perms[5];

	source->knows_vsyscall = true;
	if (io_read_file(AT_FDCWD, "/proc/self/maps", &text) < 0)
		return;
	const char *line = strstr(strbuf_str(&text), mark);
	while (line && line > text.data && line[-1] != '\n')
		line--;
	if (!line || sscanf(line, "%llx-%llx %4s", &start, &end, perms) != 3)
		return;
	source->vsyscall.start = start;
	source->vsyscall.end = end;
	/* these bits are the same in the kernel's numbers, from which they will be translated */
	source->vsyscall.flags =
		(perms[0] == 'r' ? REC_VMF(READ) : 0) | (perms[2] == 'x' ? REC_VMF(EXEC) : 0);
}

void bpf_put_vsyscall(struct bpf_run *run, const struct collect_target *target)
{
	struct bpf_source *source = run->source;

	if (!source->knows_vsyscall)
		look_for_vsyscall(source);
	/* 32-bit processes have none */
	if (!source->vsyscall.end || run->layout.start_stack <= UINT32_MAX)
		return;
	struct rec_vma rec = {
		.hdr = header(target, REC_VMA, RV_VMA_RANGE | RV_VMA_FLAGS | RV_VMA_RSS),
		.start = source->vsyscall.start,
		.end = source->vsyscall.end,
		.flags = source->vsyscall.flags,
		.special = REC_VMA_VSYSCALL,
	};
	bpf_put(run, &rec.hdr, sizeof(rec), NULL, 0);
}
