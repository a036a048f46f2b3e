// SPDX-License-Identifier: GPL-2.0-only
/*
 * crib check: whether this kernel can do what dump and restore need.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "collect/compare.h"
#include "collect/source.h"
#include "collect/verdict.h"
#include "kernel/feature.h"

/* What is missing, by class. */
struct missing {
	struct strbuf names[FEATURE_NAMED + 1];
};

static void missing_fini(struct missing *missing)
{
	for (size_t i = 0; i < ARRAY_SIZE(missing->names); i++)
		strbuf_fini(&missing->names[i]);
}

static void list_features(void)
{
	for (size_t i = 0; i < feature_count; i++)
		printf("%-26s %s\n", feature_table[i].name, feature_table[i].needed_for);
}

static int check_feature(const char *name, struct err *err)
{
	const struct feature *feature = feature_find(name);
	int ret = feature->probe(err);

	if (ret < 0)
		return err_wrap(err, ret, "feature %s (%s)", name, feature->needed_for);
	printf("%s is supported\n", name);
	return 0;
}

/* ---- Engines ---- */

/* One line for each type of record. */
static void print_verdict(const struct verdict *verdict)
{
	for (int type = 1; type < REC_TYPE_MAX; type++) {
		const char *name = rec_type_name((enum rec_type)type);

		if (verdict->state[type] == VERDICT_DIFFERS)
			printf("engine bpf: records %-10s differ: %s\n", name,
			       verdict->first[type]);
		else
			printf("engine bpf: records %-10s %s\n", name,
			       verdict->state[type] == VERDICT_TRUE ? "are true" :
								      "are not tested");
	}
}

/* What was found once is told, or found now. */
static void tell_bpf(const struct opts *opts)
{
	struct err why = ERR_INIT;
	struct source *source = bpf_source_new(
		&(struct bpf_setup){ .btf = opts->btf, .no_pin = opts->no_pin }, &why);

	if (!source) {
		printf("engine bpf: not here, /proc is used: %s\n", why.text);
		return;
	}
	print_verdict(source->verdict);
	source->ops->free(source);
}

static int check_bpf(const struct opts *opts, struct err *err)
{
	_cleanup_strbuf_ struct strbuf what = { 0 };
	struct source *source =
		bpf_source_new(&(struct bpf_setup){ .btf = opts->btf, .retest = true }, err);
	int ret = 0;

	if (!source)
		return err_wrap(err, err->code, "engine bpf");
	print_verdict(source->verdict);
	if (verdict_group_differs(source->verdict, RG_MAX)) {
		verdict_describe(source->verdict, RG_MAX, &what);
		ret = err_set(err, -EOPNOTSUPP,
			      "engine bpf: the self-test found records that are not true, for "
			      "which /proc will be used: %s",
			      strbuf_str(&what));
	} else {
		puts("engine bpf works");
	}
	source->ops->free(source);
	return ret;
}

static int check_proc(const struct opts *opts, struct err *err)
{
	struct source *source = proc_source_new(err);

	if (!source)
		return err_wrap(err, err->code, "engine proc");
	puts("engine proc works");
	source->ops->free(source);
	return 0;
}

/* Each engine that was asked for must work here. */
static int check_engine(const struct opts *opts, struct err *err)
{
	static int (*const checks[])(const struct opts *opts, struct err *err) = {
		[OPTS_ENGINE_BPF] = check_bpf,
		[OPTS_ENGINE_PROC] = check_proc,
	};
	bool checked[ARRAY_SIZE(checks)] = { false };

	for (size_t i = 0; i < OPTS_ENGINE_GROUPS; i++) {
		enum opts_engine engine = opts->engine[i];

		/* auto takes what works, and the proc engine always does */
		if (engine == OPTS_ENGINE_AUTO)
			engine = OPTS_ENGINE_PROC;
		if (checked[engine])
			continue;
		checked[engine] = true;
		int ret = checks[engine](opts, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static bool is_wanted(const struct opts *opts, const struct feature *feature)
{
	switch (feature->class) {
	case FEATURE_REQUIRED: return true;
	case FEATURE_EXTRA: return opts->check_extra;
	case FEATURE_EXPERIMENTAL: return opts->check_experimental;
	case FEATURE_NAMED: return false;
	}
	return false;
}

static int check_all(const struct opts *opts, struct err *err)
{
	_cleanup_(missing_fini) struct missing missing = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *feature = &feature_table[i];
		struct err why = ERR_INIT;

		if (!is_wanted(opts, feature))
			continue;
		if (feature->probe(&why) == 0) {
			log_debug("feature %s works", feature->name);
			continue;
		}
		log_warn("feature %s (%s): %s", feature->name, feature->needed_for, why.text);
		strbuf_printf(&missing.names[feature->class], " %s", feature->name);
		count++;
	}
	tell_bpf(opts);
	if (!count) {
		puts("Looks good.");
		return 0;
	}
	/* all is said: no more than the status is left */
	*err = ERR_INIT;
	if (missing.names[FEATURE_REQUIRED].len)
		printf("Does not look good, these are missing:%s\n",
		       strbuf_str(&missing.names[FEATURE_REQUIRED]));
	else
		printf("Looks good but trees that need one of these cannot be dumped or "
		       "restored:%s%s\n",
		       strbuf_str(&missing.names[FEATURE_EXTRA]),
		       strbuf_str(&missing.names[FEATURE_EXPERIMENTAL]));
	return -EOPNOTSUPP;
}

int cmd_check(const struct opts *opts, struct err *err)
{
	int ret;

	if (opts->feature && !strcmp(opts->feature, "list")) {
		list_features();
		ret = 0;
	} else if (opts->feature) {
		ret = check_feature(opts->feature, err);
	} else if (opts->engine_given) {
		ret = check_engine(opts, err);
	} else {
		ret = check_all(opts, err);
	}
	if (fflush(stdout))
		return err_sys(err, "write to standard output");
	return ret;
}
