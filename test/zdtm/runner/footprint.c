/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes and compares footprints. The keys, which a test may name in its `varies:` comment: those of
 * status_keys below, and SigBlk State stat maps fds links limits files threads.
 */
#include "footprint.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

struct footprint {
	FILE *out;
	const struct tree *tree;
	const struct test_opts *opts;
	pid_t pid;
	char prefix[32]; /* of the lines: PID or PID/TID */
	char dir[PATH_MAX];
};

static const char *const status_keys[] = {
	"Name",        "Umask",      "TracerPid",       "Uid",
	"Gid",         "Groups",     "Threads",         "SigPnd",
	"ShdPnd",      "SigIgn",     "SigCgt",          "CapInh",
	"CapPrm",      "CapEff",     "CapBnd",          "CapAmb",
	"Seccomp",     "NoNewPrivs", "Seccomp_filters", "Cpus_allowed",
	"THP_enabled",
};

static bool wanted(const struct footprint *fp, const char *key)
{
	if (!strcmp(key, "TracerPid") || !strcmp(key, "State"))
		return true;
	return !test_opts_varies(fp->opts, key) && !test_opts_varies(fp->opts, "all");
}

static char *read_of(const struct footprint *fp, const char *name)
{
	char path[PATH_MAX];
	path_fmt(path, "%s/%s", fp->dir, name);
	return slurp(path);
}

/*
 * A blocked signal that is just waited for, as zdtm_wait() does, is shown as not blocked: the
 * kernel unblocks it for that time.
 */
static void print_mask(struct footprint *fp, const char *value)
{
	unsigned long long mask;
	if (sscanf(value, "%llx", &mask) == 1)
		fprintf(fp->out, "%s SigBlk: %016llx\n", fp->prefix, mask | 1ULL << (SIGTERM - 1));
}

static void take_status(struct footprint *fp)
{
	char *text = read_of(fp, "status");
	char *state;
	for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line;
	     line = strtok_r(NULL, "\n", &state)) {
		char *value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = 0;
		if (!strcmp(line, "SigBlk") && wanted(fp, line)) {
			print_mask(fp, value);
			continue;
		}
		for (size_t i = 0; i < sizeof(status_keys) / sizeof(*status_keys); i++)
			if (!strcmp(status_keys[i], line) && wanted(fp, line))
				fprintf(fp->out, "%s %s: %s\n", fp->prefix, line,
					value + strspn(value, " \t"));
	}
	free(text);
}

/* A task outside the tree has another number after the restore. */
static const char *inside(const struct footprint *fp, const char *field)
{
	unsigned int pid;
	return parse_number(field, &pid) && tree_has(fp->tree, (pid_t)pid) ? field : "outside";
}

/* Prints who the task is to others; false for a zombie, of which there is no more. */
static bool take_stat(struct footprint *fp)
{
	char path[PATH_MAX];
	struct stat_fields stat;
	path_fmt(path, "%s/stat", fp->dir);
	if (!stat_read(&stat, path))
		return false;
	const char *const *field = stat.field;
	/* Stopped, traced and dead are states that stay; R, S and D come and go. */
	fprintf(fp->out, "%s State: %s\n", fp->prefix,
		strpbrk(field[3], "TtZX") ? field[3] : "live");
	bool root = fp->pid == fp->tree->pids[0], dead = strpbrk(field[3], "ZX");
	if (!wanted(fp, "stat"))
		return !dead;
	fprintf(fp->out, "%s stat: parent %s pgrp %s session %s exit-signal %s exit-code %s\n",
		fp->prefix, root ? "outside" : inside(fp, field[4]), inside(fp, field[5]),
		inside(fp, field[6]), root ? "-" : field[38], dead ? field[52] : "-");
	if (dead)
		return false;
	fprintf(fp->out, "%s stat: nice %s rt-priority %s policy %s\n", fp->prefix, field[19],
		field[40], field[41]);
	fprintf(fp->out, "%s stat: code %s-%s stack %s data %s-%s brk %s arg %s-%s env %s-%s\n",
		fp->prefix, field[26], field[27], field[28], field[45], field[46], field[47],
		field[48], field[49], field[50], field[51]);
	return true;
}

/* Prints the target of a link of the task, without what changes: inode numbers, pty numbers. */
static void print_link(struct footprint *fp, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	path_fmt(path, "%s/%s", fp->dir, name);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	char *colon = strstr(target, ":[");
	const char *deleted = " (deleted)";
	size_t len = strlen(target), deleted_len = strlen(deleted);
	if (colon)
		colon[1] = 0;
	else if (!strncmp(target, "/dev/pts/", 9))
		target[9] = 0;
	else if (len > deleted_len && !strcmp(target + len - deleted_len, deleted))
		memmove(target, "(deleted)", sizeof("(deleted)"));
	fputs(target, fp->out);
}

static void take_links(struct footprint *fp)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	for (size_t i = 0; wanted(fp, "links") && i < sizeof(links) / sizeof(*links); i++) {
		fprintf(fp->out, "%s links: %s ", fp->prefix, links[i]);
		print_link(fp, links[i]);
		fputc('\n', fp->out);
	}
}

/* Prints the lines "pos:" and "flags:" of fdinfo. */
static void print_fdinfo(struct footprint *fp, const char *fd)
{
	char name[64];
	snprintf(name, sizeof(name), "fdinfo/%.32s", fd);
	char *text = read_of(fp, name);
	char *state;
	for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line;
	     line = strtok_r(NULL, "\n", &state))
		if (!strncmp(line, "pos:", 4) || !strncmp(line, "flags:", 6))
			fprintf(fp->out, " %.*s %s", (int)strcspn(line, ":"), line,
				strchr(line, '\t') ? strchr(line, '\t') + 1 : "");
	free(text);
}

static void take_fds(struct footprint *fp)
{
	char path[PATH_MAX];
	path_fmt(path, "%s/fd", fp->dir);
	DIR *dir = wanted(fp, "fds") ? opendir(path) : NULL;
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		unsigned int fd;
		char name[64];
		if (!parse_number(entry->d_name, &fd))
			continue;
		snprintf(name, sizeof(name), "fd/%u", fd);
		fprintf(fp->out, "%s fds: %u ", fp->prefix, fd);
		print_link(fp, name);
		print_fdinfo(fp, entry->d_name);
		fputc('\n', fp->out);
	}
	closedir(dir);
}

/* A line of /proc/PID/maps, with neighbours that are alike in all joined to it. */
struct map {
	unsigned long long start, end, offset;
	char perms[8];
	char name[PATH_MAX];
};

static bool map_parse(struct map *map, const char *line)
{
	int name = 0;
	if (sscanf(line, "%llx-%llx %7s %llx %*s %*s%n", &map->start, &map->end, map->perms,
		   &map->offset, &name) != 4)
		return false;
	line += name + strspn(line + name, " ");
	size_t len = strlen(line);
	const char *deleted = " (deleted)";
	size_t deleted_len = strlen(deleted);
	if (len > deleted_len && !strcmp(line + len - deleted_len, deleted))
		line += len - deleted_len + 1;
	snprintf(map->name, sizeof(map->name), "%s", line);
	return true;
}

static void take_maps(struct footprint *fp)
{
	char *text = wanted(fp, "maps") ? read_of(fp, "maps") : NULL;
	char *state;
	struct map all = { 0 }, map = { 0 };
	for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line || all.end;
	     line = strtok_r(NULL, "\n", &state)) {
		bool more = line && map_parse(&map, line);
		bool file = more && map.name[0] && map.name[0] != '[';
		if (more && all.end == map.start && !strcmp(all.name, map.name) &&
		    !strcmp(all.perms, map.perms) &&
		    (!file || all.offset + (all.end - all.start) == map.offset)) {
			all.end = map.end;
			continue;
		}
		if (all.end)
			fprintf(fp->out, "%s maps: %llx-%llx %s %llx %s\n", fp->prefix, all.start,
				all.end, all.perms, all.offset, all.name);
		all = map;
		if (!more)
			break;
	}
	free(text);
}

/* Small files that are compared as they are, and larger ones of which a sum is enough. */
static void take_files(struct footprint *fp)
{
	static const char *const files[] = { "oom_score_adj", "personality", "timerslack_ns",
					     "cmdline",       "environ",     "auxv" };
	for (size_t i = 0; wanted(fp, "files") && i < sizeof(files) / sizeof(*files); i++) {
		char path[PATH_MAX];
		path_fmt(path, "%s/%s", fp->dir, files[i]);
		FILE *file = fopen(path, "re");
		uint64_t sum = 0xcbf29ce484222325;
		size_t n = 0;
		for (int c; file && (c = fgetc(file)) != EOF; n++)
			sum = (sum ^ (unsigned char)c) * 0x100000001b3;
		if (file)
			fclose(file);
		char *text = i < 3 ? slurp(path) : NULL;
		if (text)
			fprintf(fp->out, "%s files: %s %s", fp->prefix, files[i], text);
		else
			fprintf(fp->out, "%s files: %s has %zu bytes, sum %016llx\n", fp->prefix,
				files[i], n, (unsigned long long)sum);
		free(text);
	}
	char *text = wanted(fp, "limits") ? read_of(fp, "limits") : NULL;
	char *state;
	for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line;
	     line = strtok_r(NULL, "\n", &state))
		fprintf(fp->out, "%s limits: %s\n", fp->prefix, line);
	free(text);
}

static void take_threads(struct footprint *fp)
{
	char path[PATH_MAX];
	path_fmt(path, "/proc/%d/task", fp->pid);
	DIR *dir = wanted(fp, "threads") ? opendir(path) : NULL;
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		unsigned int tid;
		if (!parse_number(entry->d_name, &tid) || (pid_t)tid == fp->pid)
			continue;
		snprintf(fp->prefix, sizeof(fp->prefix), "%d/%u", fp->pid, tid);
		path_fmt(fp->dir, "/proc/%d/task/%u", fp->pid, tid);
		if (take_stat(fp))
			take_status(fp);
	}
	closedir(dir);
}

char *footprint_take(const struct tree *tree, const struct test_opts *opts)
{
	char *text = NULL;
	size_t size;
	struct footprint fp = { .out = open_memstream(&text, &size), .tree = tree, .opts = opts };
	if (!fp.out)
		die("out of memory");
	for (size_t i = 0; i < tree->n; i++) {
		fp.pid = tree->pids[i];
		snprintf(fp.prefix, sizeof(fp.prefix), "%d", fp.pid);
		path_fmt(fp.dir, "/proc/%d", fp.pid);
		if (!take_stat(&fp))
			continue;
		take_status(&fp);
		take_links(&fp);
		take_fds(&fp);
		take_maps(&fp);
		take_files(&fp);
		take_threads(&fp);
	}
	fclose(fp.out);
	return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		if (n == len && !memcmp(text, line, len))
			return true;
		text += n + (text[n] == '\n');
	}
	return false;
}

static size_t print_missing(FILE *out, const char *mark, const char *text, const char *other)
{
	enum { MOST = 12 };
	size_t missing = 0;
	while (*text) {
		size_t n = strcspn(text, "\n");
		if (!has_line(other, text, n) && ++missing <= MOST)
			fprintf(out, "%s %.*s\n", mark, (int)n, text);
		text += n + (text[n] == '\n');
	}
	if (missing > MOST)
		fprintf(out, "%s ... %zu lines more\n", mark, missing - MOST);
	return missing;
}

size_t footprint_diff(FILE *out, const char *before, const char *after)
{
	size_t n = print_missing(out, "-", before, after);
	return n + print_missing(out, "+", after, before);
}
