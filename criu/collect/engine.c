// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing engines, see engine.h.
 */
#include <errno.h>
#include <string.h>

#include "collect/engine.h"

#ifdef NO_BPF
struct source *bpf_source_new(struct err *err)
{
	err_set(err, -ENOTSUP, "this crib was built without the BPF engine (make BPF=0)");
	return NULL;
}
#endif

static bool insists_on_bpf(const uint8_t choice[RG_MAX])
{
	return memchr(choice, ENGINE_BPF, RG_MAX) != NULL;
}

int engines_open(struct engines *engines, const uint8_t choice[RG_MAX], struct err *err)
{
	*engines = (struct engines){ 0 };
	memcpy(engines->choice, choice, RG_MAX);
	engines->proc = proc_source_new(err);
	if (!engines->proc)
		return err->code;
	/* Loading costs more than small trees save: auto waits until programs can be pinned. */
	if (!insists_on_bpf(choice))
		return 0;
	engines->bpf = bpf_source_new(&engines->reason);
	if (engines->bpf)
		return 0;
	*err = engines->reason;
	engines_close(engines);
	return err->code;
}

void engines_close(struct engines *engines)
{
	if (engines->bpf)
		engines->bpf->ops->free(engines->bpf);
	if (engines->proc)
		engines->proc->ops->free(engines->proc);
	engines->bpf = engines->proc = NULL;
}

int engines_collect(struct engines *engines, enum rec_group group,
		    const struct collect_target *targets, size_t n, struct rec_sink *sink,
		    struct err *err)
{
	struct source *source = engines->proc;

	if (engines->choice[group] != ENGINE_PROC && engines->bpf)
		source = engines->bpf;
	int ret = source->ops->collect(source, group, targets, n, sink, err);
	if (ret == -ENOTSUP && source != engines->proc && engines->choice[group] == ENGINE_AUTO)
		ret = engines->proc->ops->collect(engines->proc, group, targets, n, sink, err);
	return ret;
}
