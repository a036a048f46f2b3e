// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening the BPF engine: programs that are pinned, or loaded ones, and what is known of how true
 * they are on this kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "collect/bpf/cache.h"
#include "collect/bpf/cut.h"
#include "collect/bpf/engine.h"
#include "collect/bpf/pin.h"
#include "collect/bpf/selftest.h"
#include "collect/compare.h"

enum { MAX_BYTES = 1 << 30, MAX_SPECIMEN_BYTES = 16 << 20 };

/* ---- Verdicts ---- */

static bool read_kept(struct verdict *ret_verdict)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	_cleanup_close_ int fd = bpf_cache_open("verdict");

	return fd >= 0 && io_read_all(fd, &text) == 0 &&
	       verdict_parse(strbuf_str(&text), ret_verdict) && verdict_is_complete(ret_verdict);
}

static void keep(const struct verdict *verdict)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	_cleanup_close_ int fd = memfd_create("crib-verdict", MFD_CLOEXEC);

	verdict_print(verdict, &text);
	if (fd >= 0 && io_write(fd, text.data, text.len) == 0)
		bpf_cache_keep("verdict", fd);
	bpf_pin_judge(verdict);
}

/* Which file of type information it is, 0: the kernel's own. */
static uint64_t types_id(const char *btf)
{
	struct stat st;

	if (!btf || stat(btf, &st) < 0)
		return 0;
	const uint64_t id[] = { (uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size,
				(uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec };
	return bpf_hash(id, sizeof(id)) | 1;
}

/* What loaded programs are worth. */
static int judge(struct bpf_source *self, const struct bpf_setup *setup, struct err *err)
{
	bool spoiled = bpf_selftest_fault() != NULL;
	struct verdict *verdict = &self->verdict;

	if (!setup->retest && !spoiled && read_kept(verdict) &&
	    verdict->tag == self->programs.tag) {
		verdict->types = types_id(setup->btf); /* other words for the same */
		return 0;
	}
	*verdict = (struct verdict){ .tag = self->programs.tag, .types = types_id(setup->btf) };
	/* with types of another kernel a specimen may seem to be of any size */
	self->max_bytes = MAX_SPECIMEN_BYTES;
	int ret = bpf_selftest(&self->source, verdict, err);
	self->max_bytes = MAX_BYTES;
	if (ret < 0)
		return ret;
	for (int type = 1; setup->btf && type < REC_TYPE_MAX; type++)
		if (verdict->state[type] == VERDICT_DIFFERS)
			return err_set(err, -EINVAL,
				       "--btf: '%s' is not of this kernel: records of type %s are "
				       "not true: %s",
				       setup->btf, rec_type_name((enum rec_type)type),
				       verdict->first[type]);
	if (!spoiled)
		keep(verdict);
	return 0;
}

/* ---- Sources ---- */

/* Takes programs over, and closes them on failure. */
static struct bpf_source *new_source(struct bpf_programs *programs, struct err *err)
{
	__u64 *key = programs->control->key;

	if (getrandom(key, sizeof(programs->control->key), 0) != sizeof(programs->control->key)) {
		err_sys(err, "getrandom");
		bpf_programs_close(programs);
		return NULL;
	}
	struct bpf_source *self = xzalloc(sizeof(*self));
	self->source.ops = &bpf_source_ops;
	self->max_bytes = MAX_BYTES;
	self->page_size = (size_t)sysconf(_SC_PAGESIZE);
	self->programs = *programs;
	return self;
}

static struct bpf_source *open_pinned(const struct bpf_setup *setup, struct err *err)
{
	struct bpf_programs programs;
	struct verdict verdict;
	int ret = bpf_pin_open(&programs, &verdict, err);

	if (ret == -ENOENT)
		err_set(err, ret, "the BPF programs are not pinned (crib bpf pin)");
	if (ret < 0)
		return NULL;
	if (setup->btf && verdict.types != types_id(setup->btf)) {
		err_set(err, -ESTALE, "the BPF programs that are pinned were loaded without '%s'",
			setup->btf);
		bpf_programs_close(&programs);
		return NULL;
	}
	struct bpf_source *self = new_source(&programs, err);
	if (self)
		self->verdict = verdict;
	return self;
}

/* The first crib loads them for all that follow. */
static struct bpf_source *load(const struct bpf_setup *setup, bool may_pin, struct err *err)
{
	struct bpf_programs programs;
	struct err why = ERR_INIT;

	if (bpf_programs_load(&programs, BPF_RING_SIZE, setup->btf, err) < 0)
		return NULL;
	struct bpf_source *self = new_source(&programs, err);
	if (!self)
		return NULL;
	int ret = judge(self, setup, err);
	if (ret == 0 && may_pin) {
		ret = bpf_pin_make(&self->programs, &self->verdict, &why);
		if (ret < 0 && setup->must_pin) {
			*err = why;
		} else if (ret < 0) {
			log_debug("%s", why.text);
			ret = 0;
		}
	}
	if (ret == 0)
		return self;
	self->source.ops->free(&self->source);
	return NULL;
}

static struct bpf_source *open_source(const struct bpf_setup *setup, struct err *err)
{
	bool may_pin = !setup->no_pin && !bpf_selftest_fault() && bpf_pin_possible();
	struct bpf_source *self = NULL;
	struct err why = ERR_INIT;

	if (sizeof(long) < 8) {
		err_set(err, -ENOTSUP, "the BPF engine knows no 32-bit kernels");
		return NULL;
	}
	if (may_pin && !setup->retest)
		self = open_pinned(setup, &why);
	if (self)
		return self;
	if (why.code && why.code != -ENOENT) {
		log_debug("pinned BPF programs: %s", why.text);
		may_pin = false; /* what is not to be trusted is not added to */
	}
	if (setup->must_pin && !may_pin) {
		*err = why;
		return NULL;
	}
	if (setup->if_ready && bpf_cut_possible() && !may_pin) {
		err_set(err, -EAGAIN, "the BPF programs are not pinned (crib bpf pin)");
		return NULL;
	}
	return load(setup, may_pin && !setup->retest, err);
}

struct source *bpf_source_new(const struct bpf_setup *setup, struct err *err)
{
	struct bpf_source *self = open_source(setup, err);

	if (!self)
		return NULL;
	self->source.verdict = &self->verdict;
	return &self->source;
}

struct source *bpf_source_new_unpinned(size_t ring_size, struct err *err)
{
	struct bpf_programs programs;

	if (bpf_programs_load(&programs, ring_size, NULL, err) < 0)
		return NULL;
	struct bpf_source *self = new_source(&programs, err);
	return self ? &self->source : NULL;
}
