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
#include "collect/source.h"
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

static struct source *new_bpf(const struct opts *opts, struct err *err)
{
	return bpf_source_new(&(struct bpf_setup){ .btf = opts->btf, .no_pin = opts->no_pin }, err);
}

static struct source *new_proc(const struct opts *opts, struct err *err)
{
	return proc_source_new(err);
}

/* Each engine that was asked for must be able to start here. */
static int check_engine(const struct opts *opts, struct err *err)
{
	static struct source *(*const makers[])(const struct opts *opts, struct err *err) = {
		[OPTS_ENGINE_BPF] = new_bpf,
		[OPTS_ENGINE_PROC] = new_proc,
	};
	bool checked[ARRAY_SIZE(makers)] = { false };

	for (size_t i = 0; i < OPTS_ENGINE_GROUPS; i++) {
		enum opts_engine engine = opts->engine[i];

		/* auto takes what works, and the proc engine always does */
		if (engine == OPTS_ENGINE_AUTO)
			engine = OPTS_ENGINE_PROC;
		if (checked[engine])
			continue;
		checked[engine] = true;
		struct source *source = makers[engine](opts, err);
		if (!source)
			return err_wrap(err, err->code ? err->code : -EOPNOTSUPP, "engine %s",
					opts_engine_name(engine));
		source->ops->free(source);
		printf("engine %s works\n", opts_engine_name(engine));
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
