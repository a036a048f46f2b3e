// SPDX-License-Identifier: GPL-2.0-only
/*
 * crib bpf: the programs of the BPF engine that stay in the kernel from one crib to the next.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "cli/command.h"

#ifdef NO_BPF

int cmd_bpf(const struct opts *opts, struct err *err)
{
	return err_set(err, -ENOTSUP, "this crib was built without the BPF engine (make BPF=0)");
}

#else

#include "collect/bpf/pin.h"

static int pin(const struct opts *opts, struct err *err)
{
	const struct bpf_setup setup = { .must_pin = true, .btf = opts->btf };
	struct bpf_programs programs;
	struct verdict verdict;
	int ret = bpf_pin_mount(err);

	if (ret < 0)
		return ret;
	bool mounted = ret;
	ret = bpf_pin_open(&programs, &verdict, err);
	if (ret == 0) {
		puts("the BPF programs are pinned already");
		bpf_programs_close(&programs);
		return 0;
	}
	/* what is not to be trusted is not written over either */
	if (ret != -ENOENT)
		return ret;
	struct source *source = bpf_source_new(&setup, err);
	if (!source) {
		if (mounted)
			umount2(BPF_PIN_ROOT, UMOUNT_NOFOLLOW);
		return err->code;
	}
	source->ops->free(source);
	if (mounted)
		puts("mounted a bpffs on " BPF_PIN_ROOT);
	puts("pinned the BPF programs below " BPF_PIN_DIR);
	return 0;
}

static int unpin(struct err *err)
{
	int in_use = bpf_pin_remove_all(err);

	if (in_use < 0)
		return in_use;
	if (in_use)
		return err_set(err, -EBUSY,
			       "%d pinned instances are in use by other cribs and "
			       "stay: try again when those have ended",
			       in_use);
	puts("no BPF programs are pinned");
	return 0;
}

static void show(const struct bpf_pin_status *status, void *ctx)
{
	++*(int *)ctx;
	printf("%s/%u: %s, %s\n", status->id, status->slot,
	       status->ours ? "of this kernel and this crib" : "of another crib",
	       status->in_use ? "in use" : "free");
}

static int print_status(struct err *err)
{
	int n = 0;
	int ret = bpf_pin_each(show, &n, err);

	if (ret < 0)
		return ret;
	if (!n)
		printf("no BPF programs are pinned%s\n",
		       bpf_pin_possible() ? "" :
					    ": there is no bpffs on " BPF_PIN_ROOT
					    ", or you are not root");
	return 0;
}

int cmd_bpf(const struct opts *opts, struct err *err)
{
	const char *what = opts->operands.n ? opts->operands.v[0] : "status";
	int ret;

	if (!strcmp(what, "pin"))
		ret = pin(opts, err);
	else if (!strcmp(what, "unpin"))
		ret = unpin(err);
	else if (!strcmp(what, "status"))
		ret = print_status(err);
	else
		return err_set(err, -EINVAL, "bpf: '%s' is none of pin, unpin, status", what);
	if (fflush(stdout) && ret == 0)
		return err_sys(err, "write to standard output");
	return ret;
}

#endif /* NO_BPF */
