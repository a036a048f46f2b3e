/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Finds a system call instruction that is already in the target. On x86-64 the bytes may lie inside
 * another instruction: executed at their address they are a system call all the same.
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

#define RANKS     3
#define RANGE_MAX 64

int compel_insn_find_maps(pid_t tid, uint64_t *ret_addr, struct compel_error *err)
{
	struct compel_range ranges[RANKS][RANGE_MAX];
	size_t nr[RANKS] = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	FILE *maps = fopen(path, "re");
	if (!maps)
		return compel_fail_errno(err, errno == ENOENT ? -ESRCH : -errno, "open '%s'", path);

	char *line = NULL;
	size_t room = 0;

	/* The vdso, which mostly stands near the end, is all that is needed. */
	while (nr[0] == 0 && getline(&line, &room, maps) > 0) {
		struct compel_range range;
		int rank;

		if (parse_mapping(line, &range, &rank) && rank >= 0 && nr[rank] < RANGE_MAX)
			ranges[rank][nr[rank]++] = range;
	}
	free(line);
	fclose(maps);

	for (int rank = 0; rank < RANKS; rank++) {
		if (compel_insn_find(tid, ranges[rank], nr[rank], ret_addr, NULL) == 0)
			return 0;
	}
	return compel_fail(err, -ENOENT,
			   "thread %d: no system call instruction in the vdso or in %zu mapped "
			   "files with code",
			   tid, nr[1]);
}
