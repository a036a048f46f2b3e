/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which source reads what: --engine, and what of it works on this kernel.
 */
#ifndef CRIB_COLLECT_ENGINE_H
#define CRIB_COLLECT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "collect/source.h"

enum engine_choice { ENGINE_AUTO, ENGINE_BPF, ENGINE_PROC };

struct engines {
	struct source *bpf;  /* owned; NULL: not wanted, or does not work here */
	struct source *proc; /* owned; always there */
	uint8_t choice[RG_MAX];
	struct bpf_setup setup;
	bool used_bpf[RG_MAX]; /* who told the records of the group in the end */
	bool differs[RG_MAX];  /* proc was taken, because the self-test found bpf to be wrong */
	bool may_load;         /* auto has not got bpf, and loads it for a large tree */
	bool fell_back;        /* auto took proc because ... */
	struct err reason;     /* ... of this */
};

/*
 * Opens what @choice, one for each group, needs. 0, or -errno when ENGINE_BPF was asked for and does
 * not work, or when the file of type information given in @setup is a wrong one: it is borrowed
 * until engines_close(). The first call since the machine was started may take a tenth of a second,
 * so it is better made before the tree is frozen.
 */
int engines_open(struct engines *engines, const uint8_t choice[RG_MAX],
		 const struct bpf_setup *setup, struct err *err);
void engines_close(struct engines *engines);

/*
 * Before the tree below @root is frozen: loads the BPF engine when auto left that to the size of
 * the tree, and it is large enough for it to pay.
 */
void engines_prepare(struct engines *engines, pid_t root);

/* Whether @group comes from the BPF engine, as far as is known before. */
bool engines_use_bpf(const struct engines *engines, enum rec_group group);

/* "bpf", "proc", "bpf,fds=proc": who told the records, as --engine would choose it. */
void engines_describe_used(const struct engines *engines, struct strbuf *buf);

/* What the self-test found, for one line. False: nothing. */
bool engines_describe_differing(const struct engines *engines, struct strbuf *buf);

/*
 * Collects one group from the engine it was given to. With ENGINE_AUTO it comes from /proc when the
 * BPF engine fails before it has said anything. 0 or -errno.
 */
int engines_collect(struct engines *engines, enum rec_group group,
		    const struct collect_target *targets, size_t n, struct rec_sink *sink,
		    struct err *err);

#endif /* CRIB_COLLECT_ENGINE_H */
