// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads processes that nobody has stopped with the BPF engine, as no dump does, again and again:
 *
 *   live SECONDS PID...
 *
 * Each time the engine says either all that its counts promise, or that they changed while they were
 * read, or that they are gone. Prints how often; exit status 1: it said something else.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/pidref.h"
#include "collect/source.h"

enum { MAX_PIDS = 64 };

struct live {
	struct source *source;
	struct collect_target target[MAX_PIDS];
	size_t nr_targets;
	uint64_t whole, changed, gone, records;
};

struct counter {
	struct rec_sink sink;
	uint64_t records;
};

static int count(struct rec_sink *sink, const struct rec_hdr *rec, struct err *err)
{
	container_of(sink, struct counter, sink)->records++;
	return 0;
}

/* The threads that it has at the moment. */
static void list_threads(struct collect_target *target, struct arena *arena)
{
	ARRAY(pid_t) tids = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", target->pid);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		uint64_t tid;

		if (parse_u64(entry->d_name, INT32_MAX, &tid) == 0)
			*array_push(arena, &tids) = (pid_t)tid;
	}
	if (dir)
		closedir(dir);
	target->tids = tids.v;
	target->nr_tids = tids.n;
}

static int read_group(struct live *live, enum rec_group group)
{
	struct counter counter = { .sink.emit = count };
	struct arena arena = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < live->nr_targets; i++)
		list_threads(&live->target[i], &arena);
	int ret = live->source->ops->collect(live->source, group, live->target, live->nr_targets,
					     &counter.sink, &err);
	arena_fini(&arena);
	live->records += counter.records;
	if (ret == 0) {
		live->whole++;
	} else if (ret == -EAGAIN) {
		live->changed++;
	} else if (ret == -ESRCH) {
		live->gone++;
	} else {
		printf("live: %s\n", err.text);
		return ret;
	}
	return 0;
}

static int read_all(struct live *live, uint64_t seconds)
{
	time_t until = time(NULL) + (time_t)seconds;
	int ret = 0;

	while (ret == 0 && time(NULL) < until)
		for (enum rec_group group = 0; group < RG_MAX && ret == 0; group++)
			ret = read_group(live, group);
	printf("read %" PRIu64 " times whole, %" PRIu64 " times changed, %" PRIu64
	       " times gone: %" PRIu64 " records\n",
	       live->whole, live->changed, live->gone, live->records);
	return ret;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct live live = { 0 };
	uint64_t seconds, pid;

	if (argc < 3 || parse_u64(argv[1], 3600, &seconds) < 0)
		return 2;
	for (int i = 2; i < argc && live.nr_targets < MAX_PIDS; i++) {
		if (parse_u64(argv[i], INT32_MAX, &pid) < 0)
			return 2;
		int pidfd = pidref_open((pid_t)pid);
		if (pidfd >= 0)
			live.target[live.nr_targets++] =
				(struct collect_target){ .pid = (pid_t)pid, .pidfd = pidfd };
	}
	live.source = bpf_source_new(&(struct bpf_setup){ 0 }, &err);
	if (!live.source) {
		fprintf(stderr, "live: %s\n", err.text);
		return 77;
	}
	int ret = read_all(&live, seconds);
	live.source->ops->free(live.source);
	return ret < 0;
}
