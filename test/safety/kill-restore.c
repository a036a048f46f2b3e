/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kills crib at random instants of a restore. Either nothing of the tree is left, or all of it is
 * there and works; images and files are as they were, and a restore afterwards works.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"
#include "watch/duel.h"

#define PIDFILE "restored.pid"

enum {
	KILLS = 120,      /* in all */
	MEASURED = 5,     /* restores that are timed */
	FAILURES_MAX = 5, /* of one series, then it ends */
	CHECK_EVERY = 10, /* kills between two undisturbed restores */
};

struct series {
	struct duel *duel;
	const char *name;
	const char *const *parts;
	uint64_t length_us; /* of a restore */
	unsigned int kills, nothing, all, late, failures, left;
	char *listing; /* of all files, before the first restore */
};

static const char *const work_parts[] = { "work", NULL };
static const char *const odd_parts[] = { "threads", "sessions", "pty", "shm", "filter", NULL };

/* ---- what files there are ---- */

static FILE *listing_out; /* nftw() hands nothing to its function */

/* A sum of the content says whether an image has changed. */
static int list_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint64_t sum = 0xcbf29ce484222325;
	(void)ftw;
	if (type == FTW_F && strstr(path, ".img")) {
		FILE *file = fopen(path, "re");
		for (int c; file && (c = getc_unlocked(file)) != EOF;)
			sum = (sum ^ (unsigned char)c) * 0x100000001b3;
		if (file)
			fclose(file);
	}
	fprintf(listing_out, "%s mode %o", path, st->st_mode);
	if (type == FTW_F)
		fprintf(listing_out, " size %lld sum %016llx", (long long)st->st_size,
			(unsigned long long)sum);
	fputc('\n', listing_out);
	return 0;
}

/* Every file of images and target. */
static char *list_files(const struct duel *duel)
{
	char *text = NULL;
	size_t size;
	listing_out = open_memstream(&text, &size);
	if (!listing_out)
		die("out of memory");
	nftw(duel->images, list_one, 16, FTW_PHYS);
	nftw(duel->target_dir, list_one, 16, FTW_PHYS);
	fclose(listing_out);
	return text;
}

/* The first that is new or changed since the listing was made, in @ret_line. */
static bool files_changed(const struct series *series, char *ret_line, size_t size)
{
	char *now = list_files(series->duel), *state;
	bool changed = strcmp(now, series->listing) != 0;
	snprintf(ret_line, size, "a file is gone");
	for (char *line = strtok_r(now, "\n", &state); line && changed;
	     line = strtok_r(NULL, "\n", &state))
		if (!strstr(series->listing, line)) {
			snprintf(ret_line, size, "%s", line);
			break;
		}
	free(now);
	return changed;
}

static const char *wanted_files; /* nor here */

static int remove_new(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char line[PATH_MAX + 10];
	(void)st;
	(void)type;
	(void)ftw;
	snprintf(line, sizeof(line), "%s mode", path);
	if (!strstr(wanted_files, line))
		remove(path);
	return 0;
}

static void remove_new_files(const struct series *series)
{
	wanted_files = series->listing;
	nftw(series->duel->target_dir, remove_new, 16, FTW_PHYS | FTW_DEPTH);
}

/* ---- one restore ---- */

static void restore(struct series *series, struct shot *shot)
{
	struct duel *duel = series->duel;
	char log[PATH_MAX], pidfile[PATH_MAX];
	path_fmt(shot->out, "%s/restore.out", duel->work);
	path_fmt(log, "%s/restore.log", duel->work);
	path_fmt(pidfile, "%s/" PIDFILE, duel->work);
	unlink(pidfile);
	char *argv[] = { (char *)duel->crib,
			 "restore",
			 "-d",
			 "-D",
			 duel->images,
			 "-W",
			 duel->work,
			 "-v4",
			 "-o",
			 log,
			 "--pidfile",
			 PIDFILE,
			 shot->sibling ? "--restore-sibling" : NULL,
			 NULL };
	for (int i = 0; i < PID_PATIENCE; i++) {
		shot_run(shot, argv);
		if (!shot_met_pid(shot))
			break;
	}
}

/* There is one when there is a tree. */
static bool check_pidfile(const struct duel *duel, bool wanted, char why[WATCH_WHY])
{
	char path[PATH_MAX];
	path_fmt(path, "%s/" PIDFILE, duel->work);
	bool there = access(path, F_OK) == 0;
	snprintf(why, WATCH_WHY, there ? "the pidfile is left" : "there is no pidfile");
	return there == wanted;
}

/* All of it or nothing; afterwards there is nothing. */
static bool judge(struct series *series, const struct shot *shot, char why[WATCH_WHY])
{
	struct duel *duel = series->duel;
	if (!no_strays(getpid(), 0, &duel->target, why))
		return false;
	/* what died with crib may need a moment for it */
	bool works = target_lives(&duel->target) && target_works(&duel->target, why);
	if (!works && target_lives(&duel->target))
		return false;
	series->nothing += shot->killed && !works;
	series->all += shot->killed && works;
	series->late += !shot->killed;
	if (works) {
		if (!duel_target_whole(duel, why))
			return false;
		target_kill(&duel->target);
	}
	return duel_target_gone(duel, why) && check_pidfile(duel, works, why);
}

/* Said once; what was left is removed, so that it is held against one restore alone. */
static void check_files(struct series *series, const struct shot *shot)
{
	char line[WATCH_WHY];
	if (!files_changed(series, line, sizeof(line)))
		return;
	if (!series->left++)
		printf("FAIL restore of %s, killed at %llu us of %llu: a file is new or changed: "
		       "%s\n",
		       series->name, (unsigned long long)shot->after_us,
		       (unsigned long long)series->length_us, line);
	remove_new_files(series);
}

static void fail(struct series *series, const struct shot *shot, const char *why)
{
	char path[PATH_MAX];
	printf("FAIL restore of %s%s, killed %sat %llu us of %llu: %s\n", series->name,
	       shot->sibling ? " with --restore-sibling" : "", shot->group ? "as a group " : "",
	       (unsigned long long)shot->after_us, (unsigned long long)series->length_us, why);
	path_fmt(path, "%s/restore.log", series->duel->work);
	char *log = slurp(path);
	size_t len = log ? strlen(log) : 0, most = 600;
	if (len)
		printf("# the log ends:\n%s\n", log + (len > most ? len - most : 0));
	free(log);
	fflush(stdout);
	series->failures++;
	target_kill(&series->duel->target);
}

static bool restore_fully(struct series *series, uint64_t *ret_took_us)
{
	struct shot shot = { .after_us = NEVER };
	char why[WATCH_WHY];
	restore(series, &shot);
	*ret_took_us = shot.took_us;
	bool fine = shot_is_fine(&shot);
	if (!fine)
		shot_explain(&shot, "crib restore", why);
	fine = fine && judge(series, &shot, why);
	if (!fine)
		fail(series, &shot, why);
	check_files(series, &shot);
	return fine;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static bool measure(struct series *series)
{
	uint64_t times[MEASURED];
	for (int i = 0; i < MEASURED; i++)
		if (!restore_fully(series, &times[i]))
			return false;
	qsort(times, MEASURED, sizeof(*times), by_value);
	series->length_us = times[MEASURED / 2];
	series->late = 0;
	return true;
}

static bool dump(struct series *series)
{
	struct duel *duel = series->duel;
	struct shot shot = { .after_us = NEVER };
	char pid[16], log[PATH_MAX], why[WATCH_WHY];
	bool fine = duel_start_target(duel, series->parts, why);
	if (fine) {
		duel_empty_images(duel);
		snprintf(pid, sizeof(pid), "%d", duel->target.board->tasks[0]);
		path_fmt(shot.out, "%s/dump.out", duel->work);
		path_fmt(log, "%s/dump.log", duel->work);
		char *argv[] = { (char *)duel->crib, "dump", "-t", pid, "-D", duel->images, "-W",
				 duel->work,         "-v4",  "-o", log, NULL };
		shot_run(&shot, argv);
		fine = shot_is_fine(&shot);
		if (!fine)
			shot_explain(&shot, "crib dump", why);
	}
	fine = fine && duel_target_gone(duel, why);
	if (!fine)
		printf("FAIL %s is not dumped: %s\n", series->name, why);
	series->failures += !fine;
	return fine;
}

static void kill_one(struct series *series)
{
	/* as many in the second half and a little beyond, where the tree begins to run, as in all
	 */
	uint64_t half = series->length_us / 2, *seed = &series->duel->seed;
	struct shot shot = {
		.after_us =
			1 + (series->kills / 2 % 2 ? half + random_below(seed, half * 140 / 100) :
						     random_below(seed, series->length_us)),
		.group = series->kills % 2,
		.sibling = series->kills % 5 == 4,
	};
	char why[WATCH_WHY];
	restore(series, &shot);
	if (!shot.killed && !shot_is_fine(&shot)) {
		shot_explain(&shot, "crib restore", why);
		fail(series, &shot, why);
	} else if (!judge(series, &shot, why)) {
		fail(series, &shot, why);
	}
	check_files(series, &shot);
}

static void run_series(struct duel *duel, const char *name, const char *const *parts,
		       unsigned int kills)
{
	struct series series = { .duel = duel, .name = name, .parts = parts };
	uint64_t took_us;
	bool going = dump(&series);
	series.listing = list_files(duel);
	going = going && measure(&series);
	for (; going && series.kills < kills && series.failures < FAILURES_MAX; series.kills++) {
		kill_one(&series);
		if (series.kills % CHECK_EVERY == CHECK_EVERY - 1)
			restore_fully(&series, &took_us);
	}
	printf("%s %s: %u kills in %llu us of a restore: %u nothing, %u all, %u late\n",
	       series.failures ? "FAIL" : "ok", name, series.kills,
	       (unsigned long long)series.length_us, series.nothing, series.all, series.late);
	printf("%s %s: files were left or changed after %u of them\n", series.left ? "FAIL" : "ok",
	       name, series.left);
	fflush(stdout);
	free(series.listing);
	duel_end_target(duel);
	duel->passed += !series.failures + !series.left;
	duel->failed += (series.failures != 0) + (series.left != 0);
}

int main(int argc, char **argv)
{
	struct duel duel;
	unsigned int kills = environment_number("SAFETY_KILLS", KILLS);
	duel_begin(&duel, argc, argv);
	run_series(&duel, "threads and processes", work_parts, kills / 2);
	run_series(&duel, "sessions, terminal, shared memory, filter", odd_parts, kills / 2);
	return duel_end(&duel);
}
