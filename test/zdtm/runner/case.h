/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One case: a test program with an engine and a mode, from its start to its verdict.
 */
#ifndef CRIB_ZDTM_RUNNER_CASE_H
#define CRIB_ZDTM_RUNNER_CASE_H

#include "opts.h"
#include "util.h"

struct test_case {
	const char *program; /* path of the test program */
	const char *crib;    /* path of crib; unused with MODE_NO_CR */
	const char *engine;  /* for --engine; NULL: the option is not given */
	enum mode mode;
	bool no_parasite; /* give --no-parasite to dumps */
	const char *dir;  /* of this case alone: it holds scratch/, images/ and report */
	const struct test_opts *opts;
	unsigned int slow; /* factor for all time limits */
};

/*
 * Runs the case in the calling process, which it makes a subreaper, and leaves no process behind.
 * The reason for any verdict but VERDICT_PASS is in the file `report` of the case's folder.
 */
enum verdict case_run(const struct test_case *tc);

#endif
