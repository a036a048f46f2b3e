// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and running the BPF programs, see programs.h.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "collect/bpf/cut.h"
#include "collect/bpf/programs.h"
#include "collect/bpf/rights.h"

/* bpf/embed.S */
extern const char bpf_object_data[], bpf_object_data_end[];

_Static_assert((int)RUN_TASKS == (int)RG_TASK && (int)RUN_THREADS == (int)RG_THREAD &&
		       (int)RUN_MM == (int)RG_MM && (int)RUN_FDS == (int)RG_FD,
	       "the program counts groups as everybody does");

/* Of what libbpf says only failures of its own matter, and those come back as numbers too. */
static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[512];

	if (log_level() < LOG_DEBUG || level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(text, sizeof(text), fmt, args);
	log_debug("%.*s", (int)strcspn(text, "\n"), text);
	return 0;
}

static int load_error(int ret, const char *btf, struct err *err)
{
	int missing = bpf_rights_missing(err);

	if (missing < 0)
		return missing;
	if (ret == -EPERM)
		return err_set(err, ret,
			       "load BPF programs: not permitted: by a security module, a seccomp "
			       "filter or kernel.unprivileged_bpf_disabled");
	if (ret == -ENOSYS)
		return err_set(err, -ENOTSUP, "this kernel has no bpf(2) (CONFIG_BPF_SYSCALL)");
	if (btf)
		return err_ret(err, ret,
			       "--btf: load BPF programs with the types in '%s', which are "
			       "hardly this kernel's",
			       btf);
	return err_ret(err, ret, "load BPF programs");
}

static int map_control(struct bpf_programs *programs, struct err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = ALIGN_UP(sizeof(*programs->control), page);
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, programs->control_fd, 0);

	if (mem == MAP_FAILED)
		return err_sys(err, "mmap the control map of the BPF programs");
	programs->control = mem;
	return 0;
}

static int find_parts(struct bpf_programs *programs, struct err *err)
{
	const struct bpf_object *object = programs->object;

	struct bpf_program *program = bpf_object__find_program_by_name(object, "collect");
	struct bpf_map *ring = bpf_object__find_map_by_name(object, "ring");
	struct bpf_map *control = bpf_object__find_map_by_name(object, ".data.control");
	if (!program || !ring || !control)
		return err_set(err, -EINVAL, "the BPF object lacks its program or maps");
	programs->program_fd = bpf_program__fd(program);
	programs->ring_fd = bpf_map__fd(ring);
	programs->control_fd = bpf_map__fd(control);
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	if (bpf_obj_get_info_by_fd(programs->program_fd, &info, &len) < 0)
		return err_sys(err, "ask the kernel what was loaded");
	memcpy(&programs->tag, info.tag, sizeof(programs->tag));
	return 0;
}

void bpf_programs_init(struct bpf_programs *programs)
{
	*programs = (struct bpf_programs){
		.program_fd = -1, .ring_fd = -1, .control_fd = -1, .lock_fd = -1
	};
}

int bpf_programs_map(struct bpf_programs *programs, size_t ring_size, struct err *err)
{
	int ret = map_control(programs, err);

	return ret == 0 ? bpf_ring_map(&programs->ring, programs->ring_fd, ring_size, err) : ret;
}

static struct bpf_object *open_object(const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "crib", .btf_custom_path = btf_path);
	size_t size = (size_t)(bpf_object_data_end - bpf_object_data);

	return bpf_object__open_mem(bpf_object_data, size, &opts);
}

/* Type information that is not the kernel's whole: the programs are loaded faster. */
static int open_cut(const char *btf, struct err *err)
{
	struct bpf_object *object = open_object(NULL);

	if (!object)
		return err_sys(err, "open the BPF object");
	int fd = bpf_cut_open(bpf_object__btf(object), btf, err);
	bpf_object__close(object);
	return fd;
}

static int load_object(struct bpf_programs *programs, size_t ring_size, const char *btf,
		       struct err *err)
{
	char path[32];

	libbpf_set_print(print_nothing);
	_cleanup_close_ int cut = open_cut(btf, err);
	if (cut < 0)
		return cut;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", cut);
	programs->object = open_object(path);
	if (!programs->object)
		return err_sys(err, "open the BPF object");
	struct bpf_map *ring = bpf_object__find_map_by_name(programs->object, "ring");
	if (ring)
		bpf_map__set_max_entries(ring, (uint32_t)ring_size);
	int ret = bpf_object__load(programs->object);
	return ret < 0 ? load_error(ret, btf, err) : 0;
}

int bpf_programs_load(struct bpf_programs *programs, size_t ring_size, const char *btf,
		      struct err *err)
{
	bpf_programs_init(programs);
	int ret = load_object(programs, ring_size, btf, err);
	if (ret == 0)
		ret = find_parts(programs, err);
	if (ret == 0)
		ret = bpf_programs_map(programs, ring_size, err);
	if (ret < 0)
		bpf_programs_close(programs);
	return ret;
}

void bpf_programs_close(struct bpf_programs *programs)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	bpf_ring_unmap(&programs->ring);
	if (programs->control)
		munmap(programs->control, ALIGN_UP(sizeof(*programs->control), page));
	if (programs->object) {
		bpf_object__close(programs->object);
	} else {
		cleanup_close(&programs->program_fd);
		cleanup_close(&programs->ring_fd);
		cleanup_close(&programs->control_fd);
	}
	cleanup_close(&programs->lock_fd);
	bpf_programs_init(programs);
}

int bpf_programs_run(struct bpf_programs *programs, enum rec_group group, struct run_cursor *cursor,
		     struct err *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = cursor, .ctx_size_in = sizeof(*cursor));
	const struct run_cursor before = *cursor;

	cursor->status = 0;
	cursor->group = group;
	int ret = bpf_prog_test_run_opts(programs->program_fd, &opts);
	if (ret < 0)
		return err_ret(err, ret, "run the BPF program");
	if (cursor->status != RUN_DONE && cursor->status != RUN_INTERRUPTED)
		return err_set(err, -EBADMSG, "the BPF program ended with status %u",
			       cursor->status);
	/* it never would: wrong type information may lead to a list without an end */
	if (cursor->status == RUN_INTERRUPTED && cursor->target == before.target &&
	    cursor->pos == before.pos && !bpf_ring_next(&programs->ring, &(size_t){ 0 }))
		return err_set(err, -EBADMSG, "the BPF program makes no progress");
	return 0;
}
