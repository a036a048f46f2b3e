// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target for the parsers of /proc. The first byte chooses one, the rest is its file. The
 * recorded files of test/unit/proc, with such a byte in front, are a good corpus.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "collect/proc/parse.h"
#include "target/procstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_stat(const char *text, size_t len)
{
	struct procstat stat;
	struct err err;

	if (procstat_parse(text, &stat, &err) == 0 && (stat.pid <= 0 || stat.comm[15]))
		abort();
}

static void fuzz_status(const char *text, size_t len)
{
	struct proc_status status;
	struct arena arena = { 0 };
	struct err err;

	proc_parse_status(text, &arena, &status, &err);
	arena_fini(&arena);
}

static void fuzz_limits(const char *text, size_t len)
{
	struct rec_limits limits = { 0 };
	struct err err;

	proc_parse_limits(text, &limits, &err);
}

static void fuzz_timers(const char *text, size_t len)
{
	struct rec_ptimer timer = { 0 };
	struct err err;

	for (const char *pos = text; proc_parse_timer(&pos, &timer, &err) > 0;)
		if (pos > text + len)
			abort();
}

static void fuzz_fdinfo(const char *text, size_t len)
{
	struct proc_fdinfo info;
	struct err err;

	proc_parse_fdinfo(text, &info, &err);
}

static void fuzz_auxv(const char *text, size_t len)
{
	uint64_t words[64];
	struct err err;

	if (proc_parse_auxv(text, len, 8, words, 64, &err) > 64 ||
	    proc_parse_auxv(text, len, 4, words, 64, &err) > 64)
		abort();
}

static void fuzz_ns_link(const char *text, size_t len)
{
	uint64_t ino;
	struct err err;

	proc_parse_ns_link(text, &ino, &err);
}

static void fuzz_mountinfo(const char *text, size_t len)
{
	struct proc_mount_ids mounts;
	struct arena arena = { 0 };
	struct err err;

	proc_parse_mount_ids(text, &arena, &mounts, &err);
	arena_fini(&arena);
}

static void fuzz_vmas(const char *text, size_t len)
{
	struct proc_vma vma;
	struct err err;

	for (const char *pos = text; proc_parse_vma(&pos, &vma, &err) > 0;) {
		struct proc_vma_name name = proc_vma_name(&vma);

		if (pos > text + len || vma.start >= vma.end)
			abort();
		if (name.len && (name.name < text || name.name + name.len > text + len))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const char *text, size_t len) = {
		fuzz_stat, fuzz_status,  fuzz_limits,    fuzz_timers, fuzz_fdinfo,
		fuzz_auxv, fuzz_ns_link, fuzz_mountinfo, fuzz_vmas,
	};

	if (size == 0)
		return 0;
	/* A copy of its own size, so that a read behind its end is seen. */
	char *text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	targets[data[0] % ARRAY_SIZE(targets)](text, size - 1);
	free(text);
	return 0;
}
