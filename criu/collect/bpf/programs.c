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
#include "collect/bpf/programs.h"

/* bpf/embed.S */
extern const char bpf_object_data[], bpf_object_data_end[];

static const char *const program_names[RG_MAX] = {
	[RG_TASK] = "collect_tasks",
	[RG_THREAD] = "collect_threads",
	[RG_MM] = "collect_mm",
	[RG_FD] = "collect_fds",
};

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

static int load_error(int ret, struct err *err)
{
	if (ret == -EPERM)
		return err_set(err, ret,
			       "load BPF programs: not permitted; it takes CAP_BPF and CAP_PERFMON, "
			       "and a kernel that is not locked down for confidentiality");
	if (ret == -ESRCH || ret == -ENOENT)
		return err_set(err, -ENOTSUP,
			       "load BPF programs: this kernel has no type information (BTF)");
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

	for (int group = 0; group < RG_MAX; group++) {
		if (!program_names[group])
			continue;
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, program_names[group]);
		programs->program_fd[group] = program ? bpf_program__fd(program) : -1;
	}
	struct bpf_map *ring = bpf_object__find_map_by_name(object, "ring");
	struct bpf_map *control = bpf_object__find_map_by_name(object, ".data.control");
	if (!ring || !control)
		return err_set(err, -EINVAL, "the BPF object lacks its maps");
	programs->ring_fd = bpf_map__fd(ring);
	programs->control_fd = bpf_map__fd(control);
	return 0;
}

static void programs_init(struct bpf_programs *programs)
{
	*programs = (struct bpf_programs){ .ring_fd = -1, .control_fd = -1 };
	for (int group = 0; group < RG_MAX; group++)
		programs->program_fd[group] = -1;
}

static int load_object(struct bpf_programs *programs, size_t ring_size, struct err *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "crib");

	libbpf_set_print(print_nothing);
	programs->object = bpf_object__open_mem(
		bpf_object_data, (size_t)(bpf_object_data_end - bpf_object_data), &opts);
	if (!programs->object)
		return err_sys(err, "open the BPF object");
	struct bpf_map *ring = bpf_object__find_map_by_name(programs->object, "ring");
	if (ring)
		bpf_map__set_max_entries(ring, (uint32_t)ring_size);
	int ret = bpf_object__load(programs->object);
	return ret < 0 ? load_error(ret, err) : 0;
}

int bpf_programs_load(struct bpf_programs *programs, size_t ring_size, struct err *err)
{
	programs_init(programs);
	int ret = load_object(programs, ring_size, err);
	if (ret == 0)
		ret = find_parts(programs, err);
	if (ret == 0)
		ret = map_control(programs, err);
	if (ret == 0)
		ret = bpf_ring_map(&programs->ring, programs->ring_fd, ring_size, err);
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
	/* the descriptors are libbpf's */
	if (programs->object)
		bpf_object__close(programs->object);
	programs_init(programs);
}

int bpf_programs_run(struct bpf_programs *programs, enum rec_group group, struct run_cursor *cursor,
		     struct err *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = cursor, .ctx_size_in = sizeof(*cursor));

	cursor->status = 0;
	int ret = bpf_prog_test_run_opts(programs->program_fd[group], &opts);
	if (ret < 0)
		return err_ret(err, ret, "run BPF program %s", program_names[group]);
	if (cursor->status != RUN_DONE && cursor->status != RUN_INTERRUPTED)
		return err_set(err, -EBADMSG, "BPF program %s ended with status %u",
			       program_names[group], cursor->status);
	return 0;
}
