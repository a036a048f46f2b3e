// SPDX-License-Identifier: GPL-2.0-only
/*
 * Action scripts: what they see, and what becomes of their end.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "target/script.h"

struct fixture {
	char dir[32]; /* the work directory, with the script in it */
	struct opts opts;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/crib-script.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->opts.work_dir = f->dir;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int dirfd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	unlinkat(dirfd, "hook", 0);
	unlinkat(dirfd, "seen", 0);
	rmdir(f->dir);
	arena_fini(&f->opts.arena);
	free(f);
	return 0;
}

/* Writes the script ./hook, to be run by its relative name. */
static void add_script(struct fixture *f, const char *body)
{
	_cleanup_close_ int dirfd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd =
		openat(dirfd, "hook", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, body, strlen(body)), 0);
	*array_push(&f->opts.arena, &f->opts.action_scripts) = "./hook";
}

/* What the script has written to ./seen. */
static void read_seen(const struct fixture *f, struct strbuf *seen)
{
	_cleanup_close_ int dirfd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(io_read_file(dirfd, "seen", seen), 0);
}

static void scripts_see_the_stage_the_images_and_the_root(void **state)
{
	struct fixture *f = *state;
	_cleanup_strbuf_ struct strbuf seen = { 0 };
	char wanted[200];

	add_script(f,
		   "#!/bin/sh\n"
		   "echo $CRTOOLS_SCRIPT_ACTION $CRTOOLS_IMAGE_DIR $CRTOOLS_INIT_PID $# >> seen\n"
		   "cat >> seen\n");
	const struct script_env env = { .images_fd = 9, .init_pid = 4711 };
	assert_int_equal(script_run(&f->opts, "pre-dump", &env, &f->err), 0);
	const struct script_env none = { .images_fd = -1 };
	assert_int_equal(script_run(&f->opts, "pre-restore", &none, &f->err), 0);
	read_seen(f, &seen);
	snprintf(wanted, sizeof(wanted), "pre-dump /proc/%d/fd/9 4711 0\npre-restore 0\n",
		 (int)getpid());
	assert_string_equal(strbuf_str(&seen), wanted);
}

static void before_there_is_a_tree_nothing_is_said_of_it(void **state)
{
	struct fixture *f = *state;
	_cleanup_strbuf_ struct strbuf seen = { 0 };
	const struct script_env env = { .images_fd = -1, .init_pid = 4711 };

	setenv("CRTOOLS_INIT_PID", "17", 1);
	add_script(f, "#!/bin/sh\necho $CRTOOLS_SCRIPT_ACTION $CRTOOLS_INIT_PID >> seen\n");
	assert_int_equal(script_run(&f->opts, "pre-restore", &env, &f->err), 0);
	assert_int_equal(script_run(&f->opts, "post-restore", &env, &f->err), 0);
	unsetenv("CRTOOLS_INIT_PID");
	read_seen(f, &seen);
	assert_string_equal(strbuf_str(&seen), "pre-restore\npost-restore 4711\n");
}

static void the_script_that_was_given_last_runs_first(void **state)
{
	struct fixture *f = *state;
	_cleanup_strbuf_ struct strbuf seen = { 0 };
	const struct script_env env = { .images_fd = -1 };

	add_script(f, "#!/bin/sh\necho first >> seen\n");
	*array_push(&f->opts.arena, &f->opts.action_scripts) = "./absent";
	f->opts.action_scripts.v[1] = f->opts.action_scripts.v[0];
	f->opts.action_scripts.v[0] = "./seen"; /* it can be run once the other has made it */
	assert_int_equal(script_run(&f->opts, "pre-dump", &env, &f->err), -EACCES);
	read_seen(f, &seen);
	assert_string_equal(strbuf_str(&seen), "first\n");
}

static void every_script_runs_and_the_first_failure_counts(void **state)
{
	struct fixture *f = *state;
	_cleanup_strbuf_ struct strbuf seen = { 0 };
	const struct script_env env = { .images_fd = -1 };

	add_script(f, "#!/bin/sh\necho ran >> seen\nexit 3\n");
	*array_push(&f->opts.arena, &f->opts.action_scripts) = "./absent";
	assert_int_equal(script_run(&f->opts, "post-dump", &env, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "'./absent' (post-dump)"));
	read_seen(f, &seen);
	assert_string_equal(strbuf_str(&seen), "ran\n");
	f->opts.action_scripts.v[1] = "true";
	assert_int_equal(script_run(&f->opts, "post-dump", &env, &f->err), -ECANCELED);
	assert_string_equal(f->err.text, "action script './hook' (post-dump) ended with status 3");
}

static void without_scripts_nothing_happens(void **state)
{
	struct fixture *f = *state;
	const struct script_env env = { .images_fd = -1 };

	assert_int_equal(script_run(&f->opts, "post-resume", &env, &f->err), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(scripts_see_the_stage_the_images_and_the_root),
		TEST(before_there_is_a_tree_nothing_is_said_of_it),
		TEST(the_script_that_was_given_last_runs_first),
		TEST(every_script_runs_and_the_first_failure_counts),
		TEST(without_scripts_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
