/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kills crib at random instants of a dump. Either the dump had been committed, then the images are
 * complete and a restore brings the target back; or there is no image, and the target goes on.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"
#include "watch/duel.h"

enum {
	KILLS = 320,      /* in all */
	MEASURED = 5,     /* dumps that are timed */
	FAILURES_MAX = 5, /* of one series, then it ends */
};

struct series {
	struct duel *duel;
	const char *engine;
	bool leave_running;
	uint64_t length_us; /* of a dump */
	unsigned int kills, undone, committed, late, failures;
};

enum { PARTS_MAX = 16 };

/* What the target is made of. */
static char *parts[PARTS_MAX] = { "work", "sessions", "pty", "shm" };

static void dump(struct series *series, struct shot *shot)
{
	struct duel *duel = series->duel;
	char pid[16], log[PATH_MAX];
	snprintf(pid, sizeof(pid), "%d", duel->target.board->tasks[0]);
	path_fmt(shot->out, "%s/dump.out", duel->work);
	path_fmt(log, "%s/dump.log", duel->work);
	char *argv[] = { (char *)duel->crib,
			 "dump",
			 "-t",
			 pid,
			 "-D",
			 duel->images,
			 "-W",
			 duel->work,
			 "-v4",
			 "-o",
			 log,
			 "--engine",
			 (char *)series->engine,
			 series->leave_running ? "--leave-running" : NULL,
			 NULL };
	duel_empty_images(duel);
	shot_run(shot, argv);
}

/* What is in the images directory. */
struct images {
	bool inventory, temporary;
	unsigned int n;
	char one[80];
};

static struct images look_at_images(const struct duel *duel)
{
	struct images images = { 0 };
	DIR *dir = opendir(duel->images);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!strcmp(entry->d_name, "inventory.img"))
			images.inventory = true;
		if (entry->d_name[0] == '.')
			images.temporary = true;
		if (!images.n++ || images.temporary)
			snprintf(images.one, sizeof(images.one), "%.70s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return images;
}

static bool restore_dumped(struct series *series, char why[WATCH_WHY])
{
	target_kill(&series->duel->target);
	return duel_target_gone(series->duel, why) && duel_restore(series->duel, why);
}

/* After crib is dead and what it left had its time. */
static bool judge(struct series *series, const struct shot *shot, char why[WATCH_WHY])
{
	struct duel *duel = series->duel;
	if (!no_strays(getpid(), 0, &duel->target, why))
		return false;
	struct images images = look_at_images(duel);
	bool complete = images.inventory, lives = target_lives(&duel->target);
	if (images.temporary || (images.n && !complete)) {
		snprintf(why, WATCH_WHY, "%s: %u files are left, such as %s",
			 complete ? "beside an image" : "half an image", images.n, images.one);
		return false;
	}
	if (complete ? lives != series->leave_running : !lives) {
		snprintf(why, WATCH_WHY, "there is %s image and the target %s",
			 complete ? "an" : "no", lives ? "runs" : "is dead");
		return false;
	}
	series->undone += shot->killed && !complete;
	series->committed += shot->killed && complete;
	series->late += !shot->killed;
	if (lives && !duel_target_whole(duel, why))
		return false;
	return !complete || restore_dumped(series, why);
}

static bool restart(struct series *series)
{
	char why[WATCH_WHY];
	if (duel_start_target(series->duel, (const char *const *)parts, why))
		return true;
	printf("FAIL no target: %s\n", why);
	series->failures = FAILURES_MAX;
	return false;
}

static void fail(struct series *series, const struct shot *shot, const char *why)
{
	char path[PATH_MAX];
	printf("FAIL dump with %s%s, killed %sat %llu us of %llu: %s\n", series->engine,
	       series->leave_running ? ", --leave-running" : "", shot->group ? "as a group " : "",
	       (unsigned long long)shot->after_us, (unsigned long long)series->length_us, why);
	path_fmt(path, "%s/dump.log", series->duel->work);
	char *log = slurp(path);
	size_t len = log ? strlen(log) : 0, most = 600;
	if (len)
		printf("# the log ends:\n%s\n", log + (len > most ? len - most : 0));
	free(log);
	fflush(stdout);
	series->failures++;
	restart(series);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* The median of undisturbed dumps, whose outcome is judged too. */
static bool measure(struct series *series)
{
	uint64_t times[MEASURED];
	char why[WATCH_WHY];
	for (int i = 0; i < MEASURED; i++) {
		struct shot shot = { .after_us = NEVER };
		dump(series, &shot);
		times[i] = shot.took_us;
		bool fine = shot_is_fine(&shot);
		if (!fine)
			shot_explain(&shot, "crib dump", why);
		if (!fine || !judge(series, &shot, why)) {
			fail(series, &shot, why);
			return false;
		}
	}
	qsort(times, MEASURED, sizeof(*times), by_value);
	series->length_us = times[MEASURED / 2];
	series->late = 0;
	return true;
}

static void run_series(struct duel *duel, const char *engine, bool leave_running,
		       unsigned int kills)
{
	struct series series = { .duel = duel, .engine = engine, .leave_running = leave_running };
	char why[WATCH_WHY];
	if (restart(&series) && measure(&series)) {
		for (; series.kills < kills && series.failures < FAILURES_MAX; series.kills++) {
			struct shot shot = {
				.after_us =
					1 + random_below(&duel->seed, series.length_us * 120 / 100),
				.group = series.kills % 2,
			};
			dump(&series, &shot);
			if (!shot.killed && !shot_is_fine(&shot)) {
				shot_explain(&shot, "crib dump", why);
				fail(&series, &shot, why);
			} else if (!judge(&series, &shot, why)) {
				fail(&series, &shot, why);
			}
		}
	}
	printf("%s engine %s%s: %u kills in %llu us of a dump: %u undone, %u committed, %u late\n",
	       series.failures ? "FAIL" : "ok", engine, leave_running ? ", --leave-running" : "",
	       series.kills, (unsigned long long)series.length_us, series.undone, series.committed,
	       series.late);
	fflush(stdout);
	duel->passed += !series.failures;
	duel->failed += series.failures != 0;
}

int main(int argc, char **argv)
{
	enum { ENGINES_MAX = 4 };
	char *names[ENGINES_MAX + 1];
	struct duel duel;
	const char *list = getenv("CRIB_ENGINES"), *other_parts = getenv("SAFETY_PARTS");
	char *text = strdup(list ? list : "bpf proc");
	unsigned int kills = environment_number("SAFETY_KILLS", KILLS);
	size_t n = split_words(text, names, ENGINES_MAX + 1);
	duel_begin(&duel, argc, argv);
	if (other_parts)
		split_words(strdup(other_parts), parts, PARTS_MAX);
	for (size_t i = 0; i < n; i++)
		for (int leave_running = 0; leave_running < 2; leave_running++)
			run_series(&duel, names[i], leave_running, kills / (unsigned int)n / 2);
	free(text);
	return duel_end(&duel);
}
