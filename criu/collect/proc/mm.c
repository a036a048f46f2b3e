// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_MM from /proc.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collect/proc/proc.h"
#include "target/procstat.h"

enum { MAX_AUXV_WORDS = 256 };

static int emit_mm(struct proc_task *task)
{
	struct rec_mm rec = {
		.hdr = { .type = REC_MM, .pid = (__u32)task->pid, .tid = (__u32)task->pid },
	};
	struct proc_run *run = task->run;
	uint64_t words[MAX_AUXV_WORDS];
	struct procstat stat;

	int ret = proc_read(task, "stat", false);
	if (ret == 0)
		ret = procstat_parse(strbuf_str(&run->text), &stat, run->err);
	if (ret < 0)
		return ret;
	rec.start_code = stat.start_code;
	rec.end_code = stat.end_code;
	rec.start_data = stat.start_data;
	rec.end_data = stat.end_data;
	rec.start_stack = stat.start_stack;
	rec.start_brk = stat.start_brk;
	rec.arg_start = stat.arg_start;
	rec.arg_end = stat.arg_end;
	rec.env_start = stat.env_start;
	rec.env_end = stat.env_end;

	ret = proc_read(task, "auxv", false);
	if (ret == 0)
		ret = proc_parse_auxv(strbuf_str(&run->text), run->text.len, sizeof(long), words,
				      MAX_AUXV_WORDS, run->err);
	if (ret < 0)
		return ret;
	rec.nr_auxv = (__u32)ret;
	rec.hdr.valid = RV_MM_LAYOUT | RV_MM_AUXV;
	return proc_emit(run, &rec.hdr, sizeof(rec), words, (size_t)ret * sizeof(*words));
}

/* A file that is mapped, as its mappings print it, and what came out of looking at it. */
struct mapped_file {
	const char *name; /* in the text */
	size_t name_len;
	uint64_t dev, ino;
	uint32_t file_flags;
	const char *path;
	size_t path_len;
};

/* One process, whose mappings are looked at. */
struct mm_run {
	struct proc_task *task;
	struct hashmap files; /* by the printed device and inode: struct mapped_file */
};

/*
 * Looks at a mapped file through map_files/, whose link has neither the escapes of the text nor
 * the device numbers that some file systems (btrfs, overlayfs) have for themselves only. Following
 * it takes CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN on old kernels; without, what is printed has to
 * do.
 */
static int look_at_link(struct proc_task *task, const struct proc_vma *vma, struct proc_file *file)
{
	char link[64];

	snprintf(link, sizeof(link), "map_files/%llx-%llx", (unsigned long long)vma->start,
		 (unsigned long long)vma->end);
	int ret = proc_stat_link(task, link, file);
	if (ret == -ENOENT || ret == -EPERM) {
		file->dev = vma->dev;
		file->ino = vma->ino;
		file->mnt_id = -1;
	} else if (ret < 0) {
		return ret;
	}
	ret = proc_read_link(task, link, file);
	if (ret != -ENOENT)
		return ret;
	if (vma->name_len >= sizeof(file->path))
		return err_set(task->run->err, -ENAMETOOLONG, "mapping %llx: the path is too long",
			       (unsigned long long)vma->start);
	memcpy(file->path, vma->name, vma->name_len);
	file->path[vma->name_len] = '\0';
	file->path_len = vma->name_len;
	file->file_flags = 0;
	return 0;
}

/* The file of @vma: mostly other mappings of it have been met. */
static int look_at_file(struct mm_run *mr, const struct proc_vma *vma,
			const struct mapped_file **ret_mapped)
{
	struct arena *arena = &mr->task->run->arena;
	struct mapped_file *mapped = hashmap_get(&mr->files, vma->dev, vma->ino);
	struct proc_file file;

	if (mapped && mapped->name_len == vma->name_len &&
	    !memcmp(mapped->name, vma->name, vma->name_len)) {
		*ret_mapped = mapped;
		return 0;
	}
	int ret = look_at_link(mr->task, vma, &file);
	if (ret == 0)
		ret = proc_judge_path(mr->task, &file);
	if (ret < 0)
		return ret;
	mapped = ARENA_NEW(arena, struct mapped_file);
	mapped->name = vma->name;
	mapped->name_len = vma->name_len;
	mapped->dev = file.dev;
	mapped->ino = file.ino;
	mapped->file_flags = file.file_flags;
	mapped->path = arena_strndup(arena, file.path, file.path_len);
	mapped->path_len = file.path_len;
	hashmap_put(&mr->files, vma->dev, vma->ino, mapped);
	*ret_mapped = mapped;
	return 0;
}

static int emit_vma(struct mm_run *mr, const struct proc_vma *vma)
{
	struct rec_vma rec = {
		.hdr = { .type = REC_VMA,
			 .pid = (__u32)mr->task->pid,
			 .tid = (__u32)mr->task->pid,
			 .valid = RV_VMA_RANGE },
		.start = vma->start,
		.end = vma->end,
		.offset = vma->offset,
		.flags = vma->flags,
		.dev = vma->dev,
		.ino = vma->ino,
		.populated = vma->own_kb != 0,
	};
	struct proc_vma_name name = proc_vma_name(vma);
	const struct mapped_file *mapped;

	rec.special = name.special;
	rec.hdr.valid |= vma->has_details ? RV_VMA_FLAGS | RV_VMA_RSS : 0;
	if (name.is_file) {
		int ret = look_at_file(mr, vma, &mapped);

		if (ret < 0)
			return ret;
		name.name = mapped->path;
		name.len = mapped->path_len;
		rec.dev = mapped->dev;
		rec.ino = mapped->ino;
		rec.file_flags = mapped->file_flags;
	}
	rec.name_len = (__u32)name.len;
	return proc_emit(mr->task->run, &rec.hdr, sizeof(rec), name.name, name.len);
}

static int emit_all(struct mm_run *mr, const char *text)
{
	struct proc_vma vma;
	uint64_t last_end = 0;
	int ret;

	while ((ret = proc_parse_vma(&text, &vma, mr->task->run->err)) > 0) {
		if (vma.start < last_end)
			return err_set(mr->task->run->err, -EBADMSG,
				       "smaps: mapping %llx does not ascend",
				       (unsigned long long)vma.start);
		ret = emit_vma(mr, &vma);
		if (ret < 0)
			return ret;
		last_end = vma.end;
	}
	return ret;
}

static int emit_vmas(struct proc_task *task)
{
	struct proc_run *run = task->run;
	struct mm_run mr = { .task = task };

	/* Missing without CONFIG_PROC_PAGE_MONITOR: then flags stay unknown. */
	int ret = proc_read(task, "smaps", true);
	if (ret == -ENOENT)
		ret = proc_read(task, "maps", false);
	if (ret < 0)
		return ret;
	/* Names stay in the text, while run->text serves for other files. */
	struct strbuf text = run->text;
	run->text = (struct strbuf){ 0 };
	ret = emit_all(&mr, strbuf_str(&text));
	hashmap_fini(&mr.files);
	strbuf_fini(&text);
	return ret;
}

int proc_collect_mm(struct proc_task *task)
{
	int ret = emit_mm(task);

	return ret < 0 ? ret : emit_vmas(task);
}
