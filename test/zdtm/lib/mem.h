/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of memory share: patterns that tell every byte's place, and the look at mappings
 * and pages through /proc. Each function fails the test when it cannot do its work.
 */
#ifndef CRIB_ZDTM_LIB_MEM_H
#define CRIB_ZDTM_LIB_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

/* ---- contents ---- */

/* Fills @size bytes at @mem; every byte follows from @seed and from its distance from @mem. */
void mem_fill(void *mem, size_t size, uint32_t seed);

/* Fails the test unless mem_fill(@mem, @size, @seed) would change nothing; @what names the place.
 */
void mem_check(const void *mem, size_t size, uint32_t seed, const char *what);

/* The same for bytes that have to be 0. */
void mem_check_zero(const void *mem, size_t size, const char *what);

/* Whether a read of the byte at @addr succeeds; it does not end the caller as a load would. */
bool mem_readable(const volatile void *addr);

/* ---- making mappings ---- */

size_t mem_page_size(void);

/* mmap() of anonymous memory; MAP_ANONYMOUS is added to @flags. */
void *mem_map(size_t size, int prot, int flags);

/* mmap() of @fd from @offset. */
void *mem_map_file(int fd, off_t offset, size_t size, int prot, int flags);

/* ---- mappings as /proc/self/smaps shows them ---- */

struct mem_vma {
	uintptr_t start, end; /* end is the first byte behind it */
	char perms[5];        /* as "rw-p" */
	uint64_t offset;
	uint64_t inode;
	char name[512];
};

/* The mapping that holds @addr; false when none does. */
bool mem_find_vma(const volatile void *addr, struct mem_vma *ret_vma);

/* The same, but it has to be there and to have the permissions @perms. */
struct mem_vma mem_get_vma(const volatile void *addr, const char *perms);

/* All lines of /proc/self/maps for mappings that begin in the range, to be freed. */
char *mem_maps_text(const volatile void *start, size_t size);

/*
 * The VmFlags of the mapping at @addr, as " rd wr mr ", without sd (written since somebody
 * cleared the bits) and ac (how the kernel accounts for it).
 */
void mem_vma_flags(const volatile void *addr, char *buf, size_t size);

/* Whether the two letters @flag are among the VmFlags of the mapping at @addr. */
bool mem_vma_has_flag(const volatile void *addr, const char *flag);

/* ---- pages as /proc/PID/pagemap shows them ---- */

/* Whether there is a page at @addr, in memory or swapped out; looking does not make one. */
bool mem_page_exists(const volatile void *addr);

/* How many of @pages pages from @addr exist. */
size_t mem_count_pages(const volatile void *addr, size_t pages);

/* The same memory as several tasks see it. */
struct mem_view {
	pid_t pid;
	const volatile void *addr;
};

/*
 * Says for each of @pages pages which of the @n views share it: ret_first[page * n + view] is the
 * lowest view with the same page frame, and MEM_NO_PAGE where there is none in memory. Skips the
 * test when the kernel does not tell frames.
 */
enum { MEM_NO_PAGE = 0xff };
void mem_sharing(const struct mem_view *views, size_t n, size_t pages, uint8_t *ret_first);

/* Fails the test when a page that views shared in @before is not shared by the same ones now. */
void mem_check_sharing(const struct mem_view *views, size_t n, size_t pages, const uint8_t *before);

#endif
