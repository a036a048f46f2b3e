// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of address ranges, and this process's own layout.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "restore/layout.h"

enum { LOWEST_ADDRESS = 1 << 20 }; /* above any vm.mmap_min_addr in use, and null pointers */

void range_set_add(struct arena *arena, struct range_set *set, uint64_t start, uint64_t end)
{
	if (start < end)
		*array_push(arena, &set->v) = (struct range){ start, end };
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

void range_set_normalize(struct range_set *set)
{
	range_set_join(set, 0);
}

void range_set_join(struct range_set *set, uint64_t gap)
{
	size_t last = 0;

	if (!set->v.n)
		return;
	qsort(set->v.v, set->v.n, sizeof(*set->v.v), compare_ranges);
	for (size_t i = 1; i < set->v.n; i++) {
		struct range *here = &set->v.v[i], *before = &set->v.v[last];

		if (here->start <= before->end || here->start - before->end < gap) {
			if (here->end > before->end)
				before->end = here->end;
		} else {
			set->v.v[++last] = *here;
		}
	}
	set->v.n = last + 1;
}

/* Index of the first range that ends above @addr. */
static size_t first_ending_above(const struct range_set *set, uint64_t addr)
{
	size_t low = 0, high = set->v.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (set->v.v[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

bool range_set_overlaps(const struct range_set *set, uint64_t start, uint64_t end)
{
	size_t i = first_ending_above(set, start);

	return i < set->v.n && set->v.v[i].start < end;
}

bool range_set_cut(const struct range_set *set, struct range *range)
{
	size_t i = first_ending_above(set, range->start);

	for (; i < set->v.n && set->v.v[i].start <= range->start; i++)
		range->start = set->v.v[i].end;
	if (i < set->v.n && set->v.v[i].start < range->end)
		range->end = set->v.v[i].start;
	return range->start < range->end;
}

uint64_t range_set_find_hole(const struct range_set *set, struct range limits, uint64_t size,
			     uint64_t align, uint64_t phase)
{
	uint64_t from = limits.start;

	for (size_t i = first_ending_above(set, from); from < limits.end; i++) {
		uint64_t to = i < set->v.n ? set->v.v[i].start : limits.end;
		uint64_t at = from + ((phase - from) & (align - 1));

		if (to > limits.end)
			to = limits.end;
		if (at >= from && at < to && to - at >= size)
			return at;
		if (i >= set->v.n)
			break;
		from = set->v.v[i].end;
	}
	return 0;
}

const struct placed_range *range_map_find(const struct range_map *map, uint64_t addr)
{
	size_t low = 0, high = map->v.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct placed_range *here = &map->v.v[mid];

		if (addr < here->start)
			high = mid;
		else if (addr >= here->end)
			low = mid + 1;
		else
			return here;
	}
	return NULL;
}

/*
 * The end of user space: munmap(2) of what is not mapped succeeds below it and fails beyond.
 * @top: end of the highest mapping.
 */
static uint64_t probe_task_size(uint64_t top)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t good = top, bad = (uint64_t)(uintptr_t)-1 - page + 1;

	while (bad - good > page) {
		uint64_t mid = ALIGN_DOWN(good + (bad - good) / 2, page);

		if (munmap((void *)(uintptr_t)top, (size_t)(mid - top)))
			bad = mid;
		else
			good = mid;
	}
	return good;
}

static void note_mapping(struct layout *layout, struct arena *arena, uint64_t start, uint64_t end,
			 const char *name)
{
	struct vdso_maps *maps = &layout->vdso;

	if (scan_str(&name, "[vsyscall]") || scan_str(&name, "[vectors]"))
		return;
	range_set_add(arena, &layout->taken, start, end);
	if (scan_str(&name, "[vdso]"))
		maps->vdso = (struct range){ start, end };
	else if (scan_str(&name, "[vvar") && maps->nr_vvar < VVAR_MAX)
		maps->vvar[maps->nr_vvar++] = (struct range){ start, end };
}

int layout_read_own(struct layout *layout, struct arena *arena, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	uint64_t top = 0;
	int ret = io_read_file(AT_FDCWD, "/proc/self/maps", &text);

	if (ret < 0)
		return err_ret(err, ret, "read /proc/self/maps");
	*layout = (struct layout){ .lowest = LOWEST_ADDRESS };
	for (const char *pos = strbuf_str(&text); *pos; scan_line(&pos)) {
		uint64_t start, end;

		if (!scan_hex(&pos, &start) || !scan_str(&pos, "-") || !scan_hex(&pos, &end))
			return err_set(err, -EBADMSG, "/proc/self/maps: no range in '%.60s'", pos);
		for (int field = 0; field < 4; field++) {
			scan_blanks(&pos);
			while (*pos && *pos != ' ' && *pos != '\n')
				pos++;
		}
		scan_blanks(&pos);
		note_mapping(layout, arena, start, end, pos);
	}
	range_set_normalize(&layout->taken);
	if (layout->taken.v.n)
		top = layout->taken.v.v[layout->taken.v.n - 1].end;
	layout->task_size = probe_task_size(top);
	return 0;
}
