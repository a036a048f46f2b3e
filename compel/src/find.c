/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Finds code that is already in the target: a system call instruction, and what leads home. On
 * x86-64 the bytes may lie inside another instruction: executed at their address they do the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "internal.h"

#define CHUNK    4096
#define INSN_MAX 4

/* Offset of @insn in @size bytes that were read from @addr, or -1. */
static ptrdiff_t find_in_chunk(const uint8_t *text, size_t size, uint64_t addr,
			       const struct compel_insn *insn)
{
	for (size_t i = 0; i + insn->size <= size; i++) {
		if ((addr + i) % insn->align == 0 && memcmp(text + i, insn->bytes, insn->size) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

/* True with *@ret_addr, or false: not there, or not readable. */
static bool find_in_range(pid_t tid, const struct compel_range *range,
			  const struct compel_insn *insn, uint64_t *ret_addr)
{
	uint8_t text[CHUNK + INSN_MAX];

	/* Chunks overlap, so that an instruction across their border is seen. */
	for (uint64_t addr = range->start; addr < range->end; addr += CHUNK) {
		uint64_t left = range->end - addr;
		size_t size = left < sizeof(text) ? (size_t)left : sizeof(text);
		struct iovec local = { .iov_base = text, .iov_len = size };
		struct iovec remote = {
			.iov_base = (void *)(uintptr_t)addr,
			.iov_len = size,
		};
		ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);

		if (got <= 0)
			return false;
		ptrdiff_t at = find_in_chunk(text, (size_t)got, addr, insn);
		if (at >= 0) {
			*ret_addr = (addr + (uint64_t)at) | insn->tag;
			return true;
		}
	}
	return false;
}

int compel_insn_find(pid_t tid, const struct compel_range *ranges, size_t nr, uint64_t *ret_addr,
		     struct compel_error *err)
{
	for (size_t form = 0; form < compel_arch.nr_insns; form++) {
		for (size_t i = 0; i < nr; i++) {
			if (find_in_range(tid, &ranges[i], &compel_arch.insns[form], ret_addr))
				return 0;
		}
	}
	return compel_fail(err, -ENOENT,
			   "thread %d: no system call instruction in %zu executable mappings", tid,
			   nr);
}

/* ---- The way home ---- */

enum {
	PATTERN_MAX = sizeof(((struct compel_pattern *)0)->bytes),
	SEARCH_CHUNK = 16384,
	SEARCH_MAX = 32 << 20,
};

/* Address of the first of @nr patterns that is in @range; 0: none, or it is not readable. */
static uint64_t find_pattern(pid_t tid, const struct compel_range *range,
			     const struct compel_pattern *patterns, size_t nr)
{
	uint8_t text[SEARCH_CHUNK + PATTERN_MAX];

	/* Chunks overlap, so that a pattern across their border is seen. */
	for (uint64_t addr = range->start; addr < range->end; addr += SEARCH_CHUNK) {
		uint64_t left = range->end - addr;
		size_t size = left < sizeof(text) ? (size_t)left : sizeof(text);

		if (compel_mem_read(tid, addr, text, size, NULL) < 0)
			return 0;
		for (size_t i = 0; i < nr; i++) {
			const uint8_t *at = memmem(text, size, patterns[i].bytes, patterns[i].size);

			if (at)
				return addr + (uint64_t)(at - text);
		}
	}
	return 0;
}

static bool has_pattern(pid_t tid, uint64_t addr, const struct compel_pattern *patterns, size_t nr)
{
	uint8_t text[PATTERN_MAX];

	for (size_t i = 0; i < nr; i++)
		if (compel_mem_read(tid, addr, text, patterns[i].size, NULL) == 0 &&
		    memcmp(text, patterns[i].bytes, patterns[i].size) == 0)
			return true;
	return false;
}

static bool find_text(pid_t tid, const struct compel_range *range, struct compel_text *ret_text)
{
	struct compel_text text = { .size = range->end - range->start };

	text.sigreturn =
		find_pattern(tid, range, compel_arch.sigreturns, compel_arch.nr_sigreturns);
	if (text.sigreturn)
		text.insn = find_pattern(tid, range, compel_arch.call_return, 1);
	if (!text.insn)
		return false;
	text.insn_offset = text.insn - range->start;
	text.sigreturn_offset = text.sigreturn - range->start;
	*ret_text = text;
	return true;
}

/* Whether @text is in this mapping at the place of another one. */
static bool has_text(pid_t tid, const struct compel_range *range, struct compel_text *text)
{
	uint64_t insn = range->start + text->insn_offset;
	uint64_t sigreturn = range->start + text->sigreturn_offset;

	if (range->end - range->start != text->size ||
	    !has_pattern(tid, insn, compel_arch.call_return, 1) ||
	    !has_pattern(tid, sigreturn, compel_arch.sigreturns, compel_arch.nr_sigreturns))
		return false;
	text->insn = insn;
	text->sigreturn = sigreturn;
	return true;
}

/* The smallest range that comes behind @last in the order of size, then address; NULL: none. */
static const struct compel_range *next_larger(const struct compel_range *ranges, size_t nr,
					      const struct compel_range *last)
{
	uint64_t last_size = last ? last->end - last->start : 0;
	const struct compel_range *next = NULL;

	for (size_t i = 0; i < nr; i++) {
		uint64_t size = ranges[i].end - ranges[i].start;

		if (last && (size < last_size || (size == last_size && &ranges[i] <= last)))
			continue;
		if (!next || size < next->end - next->start)
			next = &ranges[i];
	}
	return next;
}

int compel_text_find(pid_t tid, const struct compel_range *ranges, size_t nr,
		     struct compel_text *text, struct compel_error *err)
{
	const struct compel_range *range = NULL;
	uint64_t searched = 0;

	if (!compel_arch.call_return)
		nr = 0;
	for (size_t i = 0; i < nr; i++)
		if (text->size && has_text(tid, &ranges[i], text))
			return 0;
	/* Small ones first: the dynamic loader has it all, and programs may be huge. */
	while (searched < SEARCH_MAX && (range = next_larger(ranges, nr, range))) {
		if (find_text(tid, range, text))
			return 0;
		searched += range->end - range->start;
	}
	text->insn = 0;
	text->sigreturn = 0;
	return compel_fail(err, -ENOENT,
			   "thread %d: no code that leads home in %zu executable mappings", tid,
			   nr);
}

/* ---- With /proc/TID/maps ---- */

/*
 * How well a mapping serves: 0 the vdso, 1 a file, 2 a page of the kernel's, -1 not at all.
 * Anonymous code may be rewritten by its owner, and vsyscall is no real mapping.
 */
static int mapping_rank(const char *perms, const char *name)
{
	if (perms[0] != 'r' || perms[2] != 'x')
		return -1;
	if (strncmp(name, "[vdso]", 6) == 0)
		return 0;
	if (name[0] == '/')
		return 1;
	return strncmp(name, "[sigpage]", 9) == 0 ? 2 : -1;
}

/* "start-end perms offset dev inode   name"; false: another form. */
static bool parse_mapping(const char *line, struct compel_range *ret_range, int *ret_rank)
{
	const char *p = line;
	struct compel_range range;

	if (!compel_parse_u64(&p, 16, &range.start) || *p++ != '-' ||
	    !compel_parse_u64(&p, 16, &range.end) || *p++ != ' ' || strlen(p) < 4)
		return false;

	const char *perms = p;

	for (int field = 0; field < 4; field++) {
		p += strcspn(p, " \n");
		p += strspn(p, " ");
	}
	*ret_range = range;
	*ret_rank = mapping_rank(perms, p);
	return true;
}

static FILE *open_maps(pid_t tid, char path[64])
{
	snprintf(path, 64, "/proc/%d/maps", tid);
	return fopen(path, "re");
}

#define RANKS     3
#define RANGE_MAX 64

enum { RANK_VDSO, RANK_FILE };

struct mappings {
	struct compel_range ranges[RANKS][RANGE_MAX];
	size_t nr[RANKS];
};

static int read_mappings(pid_t tid, struct mappings *ret_maps, struct compel_error *err)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *maps = open_maps(tid, path);

	if (!maps)
		return compel_fail_errno(err, errno == ENOENT ? -ESRCH : -errno, "open '%s'", path);
	memset(ret_maps->nr, 0, sizeof(ret_maps->nr));
	while (getline(&line, &room, maps) > 0) {
		struct compel_range range;
		int rank;

		if (parse_mapping(line, &range, &rank) && rank >= 0 &&
		    ret_maps->nr[rank] < RANGE_MAX)
			ret_maps->ranges[rank][ret_maps->nr[rank]++] = range;
	}
	free(line);
	fclose(maps);
	return 0;
}

int compel_insn_find_maps(pid_t tid, uint64_t *ret_addr, struct compel_error *err)
{
	struct mappings maps;
	int ret = read_mappings(tid, &maps, err);

	if (ret < 0)
		return ret;
	for (int rank = 0; rank < RANKS; rank++) {
		if (compel_insn_find(tid, maps.ranges[rank], maps.nr[rank], ret_addr, NULL) == 0)
			return 0;
	}
	return compel_fail(err, -ENOENT,
			   "thread %d: no system call instruction in the vdso or in %zu mapped "
			   "files with code",
			   tid, maps.nr[RANK_FILE]);
}

int compel_text_find_maps(pid_t tid, struct compel_text *text, struct compel_error *err)
{
	struct mappings maps;
	int ret = read_mappings(tid, &maps, err);

	return ret < 0 ?
		       ret :
		       compel_text_find(tid, maps.ranges[RANK_FILE], maps.nr[RANK_FILE], text, err);
}

int compel_gap_find(pid_t tid, struct compel_range *ret_gap, struct compel_error *err)
{
	char path[64], *line = NULL;
	struct compel_range range, gap = { 0 };
	uint64_t last = 0;
	size_t room = 0;
	int rank;
	FILE *maps = open_maps(tid, path);

	if (!maps)
		return compel_fail_errno(err, errno == ENOENT ? -ESRCH : -errno, "open '%s'", path);
	while (getline(&line, &room, maps) > 0 && !strstr(line, "[vsyscall]")) {
		if (!parse_mapping(line, &range, &rank))
			continue;
		if (last && range.start - last > gap.end - gap.start)
			gap = (struct compel_range){ last, range.start };
		last = range.end;
	}
	free(line);
	fclose(maps);
	*ret_gap = gap;
	return 0;
}
