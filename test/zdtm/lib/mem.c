/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Patterns, mappings and pages for the tests of memory.
 */
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "zdtm.h"

/* Bits of an entry of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define PAGE_PRESENT (1ULL << 63)
#define PAGE_SWAPPED (1ULL << 62)
#define PAGE_FRAME   ((1ULL << 55) - 1)

/* ---- contents ---- */

/* Mixes the bits well enough that neither equal pages nor zero bytes are many. */
static uint8_t pattern_byte(size_t offset, uint32_t seed)
{
	uint32_t word = ((uint32_t)(offset / 4) + seed * 0x10001) * 2654435761U;
	word ^= word >> 15;
	word *= 2246822519U;
	return (uint8_t)(word >> (8 * (offset % 4)));
}

void mem_fill(void *mem, size_t size, uint32_t seed)
{
	uint8_t *bytes = mem;
	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern_byte(i, seed);
}

void mem_check(const void *mem, size_t size, uint32_t seed, const char *what)
{
	const uint8_t *bytes = mem;
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != pattern_byte(i, seed))
			zdtm_fail("%s: byte %zu of %zu is 0x%02x, not 0x%02x", what, i, size,
				  bytes[i], pattern_byte(i, seed));
}

void mem_check_zero(const void *mem, size_t size, const char *what)
{
	const uint8_t *bytes = mem;
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			zdtm_fail("%s: byte %zu of %zu is 0x%02x, not 0", what, i, size, bytes[i]);
}

bool mem_readable(const volatile void *addr)
{
	char byte;
	struct iovec to = { .iov_base = &byte, .iov_len = 1 };
	struct iovec from = { .iov_base = (void *)addr, .iov_len = 1 };
	ssize_t n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	if (n < 0 && errno != EFAULT)
		zdtm_fail("process_vm_readv of itself: %m");
	return n == 1;
}

/* ---- making mappings ---- */

size_t mem_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *mem_map(size_t size, int prot, int flags)
{
	void *mem = mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		zdtm_fail("mmap %zu bytes, flags 0x%x: %m", size, (unsigned int)flags);
	return mem;
}

void *mem_map_file(int fd, off_t offset, size_t size, int prot, int flags)
{
	void *mem = mmap(NULL, size, prot, flags, fd, offset);
	if (mem == MAP_FAILED)
		zdtm_fail("mmap %zu bytes of descriptor %d: %m", size, fd);
	return mem;
}

/* ---- mappings ---- */

static FILE *open_proc(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		zdtm_fail("open '%s': %m", path);
	return file;
}

/* False when the line is not the head of a mapping. */
static bool parse_vma(const char *line, struct mem_vma *ret_vma)
{
	int name = 0;
	struct mem_vma vma = { 0 };
	if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %*s %" SCNu64 "%n", &vma.start,
		   &vma.end, vma.perms, &vma.offset, &vma.inode, &name) != 5)
		return false;
	line += name + strspn(line + name, " ");
	snprintf(vma.name, sizeof(vma.name), "%.*s", (int)strcspn(line, "\n"), line);
	*ret_vma = vma;
	return true;
}

bool mem_find_vma(const volatile void *addr, struct mem_vma *ret_vma)
{
	FILE *maps = open_proc("/proc/self/maps");
	char *line = NULL;
	size_t cap = 0;
	bool found = false;
	while (!found && getline(&line, &cap, maps) > 0) {
		struct mem_vma vma;
		found = parse_vma(line, &vma) && (uintptr_t)addr >= vma.start &&
			(uintptr_t)addr < vma.end;
		if (found)
			*ret_vma = vma;
	}
	free(line);
	fclose(maps);
	return found;
}

struct mem_vma mem_get_vma(const volatile void *addr, const char *perms)
{
	struct mem_vma vma;
	if (!mem_find_vma(addr, &vma))
		zdtm_fail("nothing is mapped at %p", (void *)addr);
	if (strcmp(vma.perms, perms))
		zdtm_fail("the mapping at %p, '%s', has permissions %s, not %s", (void *)addr,
			  vma.name, vma.perms, perms);
	return vma;
}

char *mem_maps_text(const volatile void *start, size_t size)
{
	FILE *maps = open_proc("/proc/self/maps");
	char *line = NULL, *text = NULL;
	size_t cap = 0, len;
	FILE *out = open_memstream(&text, &len);
	zdtm_assert(out);
	while (getline(&line, &cap, maps) > 0) {
		struct mem_vma vma;
		if (parse_vma(line, &vma) && vma.start >= (uintptr_t)start &&
		    vma.start - (uintptr_t)start < size)
			fputs(line, out);
	}
	zdtm_assert(!fclose(out));
	free(line);
	fclose(maps);
	return text;
}

void mem_vma_flags(const volatile void *addr, char *buf, size_t size)
{
	FILE *smaps = open_proc("/proc/self/smaps");
	char *line = NULL;
	size_t cap = 0;
	bool inside = false, found = false;
	snprintf(buf, size, " ");
	while (!found && getline(&line, &cap, smaps) > 0) {
		struct mem_vma vma;
		if (parse_vma(line, &vma))
			inside = (uintptr_t)addr >= vma.start && (uintptr_t)addr < vma.end;
		found = inside && !strncmp(line, "VmFlags:", strlen("VmFlags:"));
	}
	if (!found)
		zdtm_fail("/proc/self/smaps: no flags of a mapping at %p", (void *)addr);
	char *state = NULL;
	strtok_r(line, " \n", &state);
	for (char *flag; (flag = strtok_r(NULL, " \n", &state));) {
		size_t len = strlen(buf);
		if (strcmp(flag, "sd") && strcmp(flag, "ac"))
			snprintf(buf + len, size - len, "%s ", flag);
	}
	free(line);
	fclose(smaps);
}

bool mem_vma_has_flag(const volatile void *addr, const char *flag)
{
	char flags[256], word[8];
	mem_vma_flags(addr, flags, sizeof(flags));
	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(flags, word);
}

/* ---- pages ---- */

/* Reads the entries of @pages pages of the task @pid, to be freed. */
static uint64_t *read_pagemap(pid_t pid, const volatile void *addr, size_t pages)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	uint64_t *entries = calloc(pages, sizeof(*entries));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !entries)
		zdtm_fail("open '%s': %m", path);
	size_t want = pages * sizeof(*entries), done = 0;
	off_t offset = (off_t)((uintptr_t)addr / mem_page_size() * sizeof(*entries));
	while (done < want) {
		ssize_t n = pread(fd, (char *)entries + done, want - done, offset + (off_t)done);
		if (n <= 0)
			zdtm_fail("read '%s' for page %p: %m", path, (void *)addr);
		done += (size_t)n;
	}
	close(fd);
	return entries;
}

size_t mem_count_pages(const volatile void *addr, size_t pages)
{
	uint64_t *entries = read_pagemap(getpid(), addr, pages);
	size_t count = 0;
	for (size_t i = 0; i < pages; i++)
		count += (entries[i] & (PAGE_PRESENT | PAGE_SWAPPED)) != 0;
	free(entries);
	return count;
}

bool mem_page_exists(const volatile void *addr)
{
	return mem_count_pages(addr, 1);
}

void mem_sharing(const struct mem_view *views, size_t n, size_t pages, uint8_t *ret_first)
{
	zdtm_assert(n < MEM_NO_PAGE);
	uint64_t **entries = calloc(n, sizeof(*entries));
	zdtm_assert(entries);
	for (size_t v = 0; v < n; v++)
		entries[v] = read_pagemap(views[v].pid, views[v].addr, pages);
	for (size_t page = 0; page < pages; page++) {
		for (size_t v = 0; v < n; v++) {
			uint8_t *first = &ret_first[page * n + v];
			*first = MEM_NO_PAGE;
			if (!(entries[v][page] & PAGE_PRESENT))
				continue;
			uint64_t frame = entries[v][page] & PAGE_FRAME;
			if (!frame)
				zdtm_skip("/proc/PID/pagemap shows no page frames");
			for (*first = 0; *first < v; ++*first)
				if ((entries[*first][page] & PAGE_PRESENT) &&
				    (entries[*first][page] & PAGE_FRAME) == frame)
					break;
		}
	}
	for (size_t v = 0; v < n; v++)
		free(entries[v]);
	free(entries);
}

void mem_check_sharing(const struct mem_view *views, size_t n, size_t pages, const uint8_t *before)
{
	uint8_t *now = malloc(n * pages);
	zdtm_assert(now);
	mem_sharing(views, n, pages, now);
	size_t lost = 0, shared = 0, example = 0;
	for (size_t i = 0; i < n * pages; i++) {
		size_t first = before[i];
		if (first == MEM_NO_PAGE || first == i % n)
			continue;
		shared++;
		/* A page that was swapped out meanwhile does not tell. */
		size_t first_now = now[i - i % n + first];
		if (now[i] == first_now || now[i] == MEM_NO_PAGE || first_now == MEM_NO_PAGE)
			continue;
		if (!lost++)
			example = i;
	}
	zdtm_assert(shared);
	if (lost)
		zdtm_fail("%zu of %zu shared pages are copies now: first page %zu of task %zu, "
			  "which was that of task %d",
			  lost, shared, example / n, example % n, before[example]);
	free(now);
}
