/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame of tests that kill crib, see duel.h.
 */
#include "watch/duel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"
#include "util.h"

void duel_begin(struct duel *duel, int argc, char **argv)
{
	static char program[PATH_MAX];
	const char *crib = getenv("CRIB"), *tmp = getenv("TMPDIR");
	if (argc != 2 || !crib)
		die("usage: CRIB=PATH %s FOLDER-OF-PROGRAMS", argv[0]);
	path_fmt(program, "%s/target", argv[1]);
	*duel = (struct duel){
		.crib = crib,
		.program = program,
		.seed = environment_number("SAFETY_SEED", (unsigned int)clock_us() % 1000000),
	};
	watch_begin();
	path_fmt(duel->dir, "%s/crib-safety-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(duel->dir))
		die("make a folder '%s': %s", duel->dir, strerror(errno));
	path_fmt(duel->images, "%s/images", duel->dir);
	path_fmt(duel->work, "%s/work", duel->dir);
	path_fmt(duel->target_dir, "%s/target", duel->dir);
	if (mkdir(duel->work, 0700))
		die("make a folder '%s': %s", duel->work, strerror(errno));
	printf("# seed %llu (SAFETY_SEED)\n", (unsigned long long)duel->seed);
	fflush(stdout);
}

int duel_end(struct duel *duel)
{
	duel_end_target(duel);
	tree_kill_mine();
	if (duel->failed && getenv("KEEP"))
		printf("# kept: %s\n", duel->dir);
	else
		remove_all(duel->dir);
	printf("%u passed, %u failed, %u skipped\n", duel->passed, duel->failed, duel->skipped);
	return duel->failed != 0;
}

bool duel_start_target(struct duel *duel, const char *const *parts, char why[WATCH_WHY])
{
	duel_end_target(duel);
	remove_all(duel->target_dir);
	if (mkdir(duel->target_dir, 0700))
		die("make a folder '%s': %s", duel->target_dir, strerror(errno));
	target_start(duel->program, duel->target_dir, parts);
	for (int i = 0; i < 5000 && !duel->has_target; i++, sleep_ms(1))
		duel->has_target = target_open(&duel->target, duel->target_dir);
	if (!duel->has_target) {
		snprintf(why, WATCH_WHY, "the target does not start");
		return false;
	}
	if (!target_ready(&duel->target, why) || !target_works(&duel->target, why))
		return false;
	duel->target.footprint = target_footprint(&duel->target);
	return target_same(&duel->target, why);
}

void duel_end_target(struct duel *duel)
{
	if (!duel->has_target)
		return;
	target_kill(&duel->target);
	target_close(&duel->target);
	duel->has_target = false;
}

bool duel_target_whole(struct duel *duel, char why[WATCH_WHY])
{
	return no_strays(getpid(), 0, &duel->target, why) && target_works(&duel->target, why) &&
	       target_same(&duel->target, why);
}

bool duel_target_gone(struct duel *duel, char why[WATCH_WHY])
{
	return target_gone(&duel->target, why) && no_strays(getpid(), 0, NULL, why);
}

void duel_empty_images(struct duel *duel)
{
	remove_all(duel->images);
	if (mkdir(duel->images, 0700))
		die("make a folder '%s': %s", duel->images, strerror(errno));
}

bool duel_restore(struct duel *duel, char why[WATCH_WHY])
{
	struct shot shot = { .after_us = NEVER };
	char log[PATH_MAX];
	path_fmt(shot.out, "%s/restore.out", duel->work);
	path_fmt(log, "%s/restore.log", duel->work);
	char *argv[] = { (char *)duel->crib, "restore", "-d", "-D", duel->images, "-W",
			 duel->work,         "-v4",     "-o", log,  NULL };
	for (int i = 0; i < PID_PATIENCE; i++) {
		shot_run(&shot, argv);
		if (!shot_met_pid(&shot))
			break;
	}
	if (!shot_is_fine(&shot)) {
		shot_explain(&shot, "crib restore", why);
		return false;
	}
	return duel_target_whole(duel, why);
}
