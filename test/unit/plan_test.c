// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans: what sealing refuses, the order it gives, and the whole plan of a recorded image, which is
 * written in test/golden/plan. With UPDATE_GOLDEN=1 in the environment the text is written anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/image.h"
#include "restore/context.h"

#define IMAGE  UNIT_DIR "/../golden/inspect/criu"
#define GOLDEN UNIT_DIR "/../golden/plan/criu.txt"

static int do_nothing(void *ctx, const struct step *step, struct err *err)
{
	(void)ctx, (void)step, (void)err;
	return 0;
}

static void sealing_sorts_by_phase_and_keeps_the_order_within(void **state)
{
	struct plan plan = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	plan_add(&plan, PHASE_OPEN, NULL, do_nothing, NULL, "open a");
	struct step *fork = plan_add(&plan, PHASE_FORK, NULL, do_nothing, NULL, "fork %d", 7);
	struct step *open = plan_add(&plan, PHASE_OPEN, NULL, do_nothing, NULL, "open b");
	plan_depend(&plan, open, fork);
	assert_int_equal(plan_seal(&plan, &err), 0);
	assert_string_equal(plan.steps.v[0]->name, "fork 7");
	assert_string_equal(plan.steps.v[1]->name, "open a");
	assert_string_equal(plan.steps.v[2]->name, "open b");
	assert_int_equal(plan.steps.v[2]->deps.v[0], 0);
	assert_int_equal(plan.phase_steps[PHASE_OPEN], 2);
	plan_fini(&plan);
}

static void a_step_that_waits_for_a_later_one_is_refused(void **state)
{
	struct plan plan = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	struct step *fork = plan_add(&plan, PHASE_FORK, NULL, do_nothing, NULL, "fork");
	struct step *open = plan_add(&plan, PHASE_OPEN, NULL, do_nothing, NULL, "open");
	plan_depend(&plan, fork, open);
	assert_int_equal(plan_seal(&plan, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'fork' waits for 'open'"));
	plan_fini(&plan);
}

static void two_steps_of_one_name_are_refused(void **state)
{
	struct plan plan = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	plan_add(&plan, PHASE_FORK, NULL, do_nothing, NULL, "fork");
	plan_add(&plan, PHASE_OPEN, NULL, do_nothing, NULL, "fork");
	assert_int_equal(plan_seal(&plan, &err), -EINVAL);
	plan_fini(&plan);
}

/* What "crib restore --show-plan" prints of the recorded image. */
static char *plan_of_image(const struct opts *opts)
{
	struct restore restore = { .opts = opts };
	_cleanup_close_ int dirfd = open(IMAGE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;

	snapshot_init(&restore.snap);
	if (image_load(&restore.snap, dirfd, &(struct image_load_opts){ .any_machine = true },
		       &err) < 0 ||
	    genealogy_plan(&restore.genealogy, &restore.snap, 1, 1, &err) < 0)
		fail_msg("%s", err.text);
	snapshot_assign_owners(&restore.snap);
	restore.own_sid = restore.own_pgid = 1;
	if (restore_build_plan(&restore, &err) < 0)
		fail_msg("%s", err.text);
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	plan_print(&restore.plan, out);
	fclose(out); /* only now text is where it stays */
	plan_fini(&restore.plan);
	snapshot_fini(&restore.snap);
	return text;
}

static void the_plan_of_a_recorded_image_is_as_written(void **state)
{
	const struct opts opts = { .file_locks = true, .shell_job = true };
	_cleanup_free_ char *text = plan_of_image(&opts);
	_cleanup_strbuf_ struct strbuf golden = { 0 };

	(void)state;
	if (getenv("UPDATE_GOLDEN")) {
		_cleanup_fclose_ FILE *out = fopen(GOLDEN, "we");

		assert_non_null(out);
		fputs(text, out);
		return;
	}
	assert_int_equal(io_read_file(AT_FDCWD, GOLDEN, &golden), 0);
	assert_string_equal(text, strbuf_str(&golden));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealing_sorts_by_phase_and_keeps_the_order_within),
		cmocka_unit_test(a_step_that_waits_for_a_later_one_is_refused),
		cmocka_unit_test(two_steps_of_one_name_are_refused),
		cmocka_unit_test(the_plan_of_a_recorded_image_is_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
