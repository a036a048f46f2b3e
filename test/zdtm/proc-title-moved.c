/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that has told the kernel, by PR_SET_MM, that its arguments are elsewhere now.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "zdtm.h"

enum { AREA = 4096, TITLE_SIZE = 300 };

/* The fields of /proc/self/stat that the kernel wants to be told again. */
static void read_mm(struct prctl_mm_map *map)
{
	enum { START_CODE = 26, BRK_FIELD = 47, FIELDS = 53 };
	char text[2048];
	unsigned long long field[FIELDS] = { 0 };
	zdtm_read_file("/proc/self/stat", text, sizeof(text));
	char *state, *word = strtok_r(strrchr(text, ')') + 2, " ", &state);
	for (int i = 3; i < FIELDS && word; i++, word = strtok_r(NULL, " ", &state))
		sscanf(word, "%llu", &field[i]);
	*map = (struct prctl_mm_map){
		.start_code = field[START_CODE],
		.end_code = field[START_CODE + 1],
		.start_stack = field[START_CODE + 2],
		.start_data = field[45],
		.end_data = field[46],
		.start_brk = field[BRK_FIELD],
		.arg_start = field[48],
		.arg_end = field[49],
		.env_start = field[50],
		.env_end = field[51],
		.exe_fd = (uint32_t)-1,
	};
}

int main(void)
{
	struct prctl_mm_map map;
	char now[AREA];
	char *title = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(title != MAP_FAILED);
	memset(title, 't', TITLE_SIZE);
	read_mm(&map);
	map.brk = (uint64_t)(uintptr_t)sbrk(0);
	map.arg_start = (uint64_t)(uintptr_t)title;
	map.arg_end = map.arg_start + TITLE_SIZE + 1;
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0))
		zdtm_skip("PR_SET_MM_MAP: %m");
	zdtm_assert_eq(zdtm_read_file("/proc/self/cmdline", now, sizeof(now)), TITLE_SIZE + 1);
	zdtm_ready();
	zdtm_assert_eq(zdtm_read_file("/proc/self/cmdline", now, sizeof(now)), TITLE_SIZE + 1);
	zdtm_assert(!memcmp(now, title, TITLE_SIZE + 1));
	title[0] = 'T';
	zdtm_read_file("/proc/self/cmdline", now, sizeof(now));
	zdtm_assert(now[0] == 'T');
	zdtm_pass();
}
