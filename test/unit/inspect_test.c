// SPDX-License-Identifier: GPL-2.0-only
/*
 * inspect prints what is written in test/golden/inspect. With UPDATE_GOLDEN=1 in the environment the
 * texts are written anew, to be looked at in the diff.
 */
#include <errno.h>

#include "base/io.h"
#include "base/strbuf.h"
#include "cli/inspect.h"
#include "image_fixture.h"

#define GOLDEN UNIT_DIR "/../golden/inspect/"

/* What inspect prints; the caller frees it. */
static char *print(const struct snapshot *snap, const struct inspect_opts *opts)
{
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(inspect_print(snap, opts, out, &err), 0);
	fclose(out);
	return text;
}

static void update(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Points at the first line that differs. */
static void assert_same_text(const char *name, const char *is, const char *should)
{
	int line = 1;

	while (*is && *is == *should) {
		line += *is == '\n';
		is++;
		should++;
	}
	if (*is || *should)
		fail_msg("%s differs in line %d: ...%.60s... instead of ...%.60s...", name, line,
			 is, should);
}

static void assert_golden(const struct snapshot *snap, const char *name, struct inspect_opts opts)
{
	struct strbuf golden = { 0 };
	char path[4096];

	for (int json = 0; json < 2; json++) {
		opts.json = json;
		snprintf(path, sizeof(path), GOLDEN "%s.%s", name, json ? "json" : "txt");
		char *text = print(snap, &opts);
		if (getenv("UPDATE_GOLDEN"))
			update(path, text);
		if (io_read_file(AT_FDCWD, path, &golden) < 0)
			fail_msg("there is no %s", path);
		assert_same_text(path, text, strbuf_str(&golden));
		free(text);
	}
	strbuf_fini(&golden);
}

static void an_image_of_criu_is_printed_as_written(void **state)
{
	struct err err = ERR_INIT;
	struct snapshot snap;
	int dirfd = dir_open(GOLDEN "criu");

	snapshot_init(&snap);
	int ret = image_load(&snap, dirfd, &(struct image_load_opts){ .any_machine = true }, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(ret, 0);
	assert_golden(&snap, "criu", (struct inspect_opts){ 0 });
	snapshot_fini(&snap);
	close(dirfd);
}

static void an_image_of_crib_is_printed_as_written(void **state)
{
	struct snapshot made, snap;
	struct err err;
	char path[64];

	if (PAGE != 4096)
		skip(); /* the numbers are of such pages */
	dir_make(path);
	fixture_tree(&made);
	fixture_save(&made, path);
	assert_int_equal(fixture_load(&snap, path, &err), 0);
	assert_golden(&snap, "crib", (struct inspect_opts){ 0 });
	snapshot_fini(&snap);
	snapshot_fini(&made);
	dir_remove(path);
}

static void a_live_tree_is_printed_with_what_cannot_be_dumped(void **state)
{
	static const char *const complaints[] = {
		"task 100: descriptor 7 is 'socket:[1]': not supported",
		"task 102: descriptor 3 is locked: allow it with --file-locks",
	};
	struct snapshot snap;

	if (PAGE != 4096)
		skip();
	fixture_tree(&snap);
	assert_golden(&snap, "live",
		      (struct inspect_opts){
			      .live = true,
			      .complaints = complaints,
			      .nr_complaints = ARRAY_SIZE(complaints),
		      });
	snapshot_fini(&snap);
}

static void strange_names_stay_on_one_line(void **state)
{
	struct snapshot snap;

	fixture_tree(&snap);
	snap.tasks.v[0]->fs->cwd->entry->reg->name = "/a\nb\"\\\x7f\xff\xc3\xa9";
	char *text = print(&snap, &(struct inspect_opts){ 0 });
	char *json = print(&snap, &(struct inspect_opts){ .json = true });
	assert_non_null(strstr(text, "cwd /a\\x0ab\"\\x5c\\x7f\xff\xc3\xa9, root"));
	assert_non_null(strstr(json, "\"cwd\": \"/a\\u000ab\\\"\\\\\\u007f\\ufffd\xc3\xa9\""));
	free(text);
	free(json);
	snapshot_fini(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_of_criu_is_printed_as_written),
		cmocka_unit_test(an_image_of_crib_is_printed_as_written),
		cmocka_unit_test(a_live_tree_is_printed_with_what_cannot_be_dumped),
		cmocka_unit_test(strange_names_stay_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
