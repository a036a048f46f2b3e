/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Attributes of a standing thread that ptrace can read and set: signals, rseq, seccomp.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include "internal.h"

/* The kernel's sigset_t, not libc's. */
#define SIGSET_SIZE 8

int compel_sigmask_get(pid_t tid, uint64_t *ret_mask, struct compel_error *err)
{
	uint64_t mask = 0;
	int ret = compel_ptrace_named(COMPEL_PTRACE_GETSIGMASK, "PTRACE_GETSIGMASK", tid,
				      (void *)SIGSET_SIZE, &mask, err);

	if (ret < 0)
		return ret;
	*ret_mask = mask;
	return 0;
}

int compel_sigmask_set(pid_t tid, uint64_t mask, struct compel_error *err)
{
	return compel_ptrace_named(COMPEL_PTRACE_SETSIGMASK, "PTRACE_SETSIGMASK", tid,
				   (void *)SIGSET_SIZE, &mask, err);
}

/* struct ptrace_peeksiginfo_args (linux/ptrace.h). */
struct peek_args {
	uint64_t off;
	uint32_t flags;
	int32_t nr;
};

#define PEEK_SHARED 1u
#define PEEK_STEP   32
/* RLIMIT_SIGPENDING is the real limit; this one only keeps the number an int. */
#define PEEK_MAX (1u << 24)

int compel_siginfo_peek(pid_t tid, bool shared, siginfo_t **ret_infos, struct compel_error *err)
{
	siginfo_t *infos = NULL;
	size_t nr = 0, room = 0;

	while (nr < PEEK_MAX) {
		if (nr + PEEK_STEP > room) {
			room = room ? room * 2 : PEEK_STEP;
			siginfo_t *grown = reallocarray(infos, room, sizeof(*infos));
			if (!grown) {
				free(infos);
				return compel_fail_errno(err, -ENOMEM,
							 "memory for pending signals");
			}
			infos = grown;
		}
		struct peek_args args = {
			.off = nr,
			.flags = shared ? PEEK_SHARED : 0,
			.nr = PEEK_STEP,
		};
		int got = compel_ptrace_named(COMPEL_PTRACE_PEEKSIGINFO, "PTRACE_PEEKSIGINFO", tid,
					      &args, infos + nr, err);
		if (got < 0) {
			free(infos);
			return got;
		}
		nr += (size_t)got;
		if (got < PEEK_STEP)
			break;
	}
	if (nr == 0) {
		free(infos);
		infos = NULL;
	}
	*ret_infos = infos;
	return (int)nr;
}

int compel_rseq_get(pid_t tid, struct compel_rseq *ret_rseq, struct compel_error *err)
{
	struct compel_rseq rseq = { 0 };
	int ret = compel_ptrace_named(COMPEL_PTRACE_GET_RSEQ, "PTRACE_GET_RSEQ_CONFIGURATION", tid,
				      (void *)sizeof(rseq), &rseq, err);

	if (ret < 0)
		return ret;
	*ret_rseq = rseq;
	return 0;
}

/* linux/rseq.h: the field rseq_cs of struct rseq, and struct rseq_cs to which it points. */
#define RSEQ_CS_OFFSET 8

struct rseq_section {
	uint32_t version;
	uint32_t flags;
	uint64_t start_ip;
	uint64_t post_commit_offset;
	uint64_t abort_ip;
};

int compel_rseq_abort(pid_t tid, struct compel_regs *regs, struct compel_error *err)
{
	struct compel_rseq rseq;
	struct rseq_section section;
	uint64_t section_addr;
	int ret = compel_rseq_get(tid, &rseq, err);

	if (ret == -EIO || ret == -EINVAL)
		return 0; /* before 5.13: nobody can know */
	if (ret < 0)
		return ret;
	if (rseq.addr == 0)
		return 0;
	/*
	 * Addresses that cannot be read are the target's mistake, for which the kernel will kill
	 * it as soon as it runs. There is nothing to abort.
	 */
	if (compel_mem_read(tid, rseq.addr + RSEQ_CS_OFFSET, &section_addr, sizeof(section_addr),
			    NULL) < 0)
		return 0;
	if (section_addr == 0 ||
	    compel_mem_read(tid, section_addr, &section, sizeof(section), NULL) < 0)
		return 0;
	if (compel_arch.pc(regs) - section.start_ip >= section.post_commit_offset)
		return 0;
	compel_arch.set_pc(regs, section.abort_ip);
	return 1;
}

/* struct seccomp_metadata (linux/ptrace.h, 4.16). */
struct filter_metadata {
	uint64_t index;
	uint64_t flags;
};

int compel_seccomp_get_filter(pid_t tid, unsigned int index, struct compel_bpf_insn **ret_insns,
			      uint64_t *ret_flags, struct compel_error *err)
{
	struct filter_metadata meta = { .index = index };
	void *addr = (void *)(uintptr_t)index;
	int nr = compel_ptrace_named(COMPEL_PTRACE_SECCOMP_GET_FILTER, "PTRACE_SECCOMP_GET_FILTER",
				     tid, addr, NULL, err);

	if (nr < 0)
		return nr;
	int ret = compel_ptrace_named(COMPEL_PTRACE_SECCOMP_GET_META, "PTRACE_SECCOMP_GET_METADATA",
				      tid, (void *)sizeof(meta), &meta, err);
	if (ret < 0)
		return ret;

	struct compel_bpf_insn *insns = calloc((size_t)nr, sizeof(*insns));

	if (!insns)
		return compel_fail_errno(err, -ENOMEM, "memory for a seccomp filter");
	/* Filters of a standing thread do not change: SECCOMP_FILTER_FLAG_TSYNC only adds. */
	ret = compel_ptrace_named(COMPEL_PTRACE_SECCOMP_GET_FILTER, "PTRACE_SECCOMP_GET_FILTER",
				  tid, addr, insns, err);
	if (ret < 0) {
		free(insns);
		return ret;
	}
	*ret_insns = insns;
	*ret_flags = meta.flags;
	return nr;
}

int compel_seccomp_suspend(pid_t tid, bool on, uint32_t options, struct compel_error *err)
{
	uint32_t wanted = options | (on ? COMPEL_PTRACE_O_SUSPEND_SECCOMP : 0);
	long ret = compel_ptrace(PTRACE_SETOPTIONS, tid, NULL, (void *)(uintptr_t)wanted);

	if (ret < 0)
		return compel_fail_errno(err, (int)ret,
					 "PTRACE_SETOPTIONS of thread %d: to suspend seccomp "
					 "filters (needs CAP_SYS_ADMIN and a kernel with "
					 "CONFIG_CHECKPOINT_RESTORE)",
					 tid);
	return 0;
}
