// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restore programs as text, for people and tests.
 */
#include <inttypes.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "restore/program.h"

/* How an argument is shown. */
enum arg_form {
	ARG_END,
	ARG_HEX,
	ARG_DEC,
	ARG_PROT,
	ARG_FLAGS, /* MAP_* */
	ARG_OFF,   /* in the program: "+0x40" */
};

static const struct {
	const char *name;
	enum arg_form args[7];
} forms[ROP_MAX] = {
	[ROP_UNMAP_REST] = { "unmap-rest", { ARG_OFF, ARG_DEC, ARG_HEX } },
	[ROP_UNMAP] = { "unmap", { ARG_HEX, ARG_HEX } },
	[ROP_MREMAP] = { "mremap", { ARG_HEX, ARG_HEX, ARG_HEX, ARG_HEX } },
	[ROP_MMAP] = { "mmap", { ARG_HEX, ARG_HEX, ARG_PROT, ARG_FLAGS, ARG_DEC, ARG_HEX } },
	[ROP_PREAD] = { "pread", { ARG_DEC, ARG_HEX, ARG_OFF, ARG_DEC } },
	[ROP_COPY] = { "copy", { ARG_HEX, ARG_OFF, ARG_HEX } },
	[ROP_MPROTECT] = { "mprotect", { ARG_HEX, ARG_HEX, ARG_PROT } },
	[ROP_MADVISE] = { "madvise", { ARG_HEX, ARG_HEX, ARG_DEC } },
	[ROP_GUARD] = { "guard", { ARG_HEX, ARG_HEX } },
	[ROP_MLOCK] = { "mlock", { ARG_HEX, ARG_HEX, ARG_HEX } },
	[ROP_VMA_NAME] = { "vma-name", { ARG_HEX, ARG_HEX, ARG_OFF } },
	[ROP_SET_MM] = { "set-mm", { ARG_OFF } },
	[ROP_SET_MM_EACH] = { "set-mm-each", { ARG_OFF } },
	[ROP_PRCTL] = { "prctl", { ARG_DEC, ARG_HEX, ARG_HEX, ARG_HEX, ARG_HEX } },
	[ROP_PERSONALITY] = { "personality", { ARG_HEX } },
	[ROP_MEMBARRIER] = { "membarrier", { ARG_HEX } },
	[ROP_UMASK] = { "umask", { ARG_HEX } },
	[ROP_CHROOT] = { "chroot", { ARG_DEC } },
	[ROP_FCHDIR] = { "fchdir", { ARG_DEC } },
	[ROP_CLOSE_RANGE] = { "close-range", { ARG_DEC, ARG_DEC } },
	[ROP_FCNTL] = { "fcntl", { ARG_DEC, ARG_DEC, ARG_OFF } },
	[ROP_SIGACTION] = { "sigaction", { ARG_DEC, ARG_OFF } },
	[ROP_SIGQUEUE] = { "sigqueue", { ARG_DEC, ARG_DEC, ARG_OFF } },
	[ROP_CLONE] = { "clone", { ARG_DEC, ARG_OFF, ARG_OFF, ARG_HEX } },
	[ROP_TIMER_CREATE] = { "timer-create", { ARG_OFF } },
	[ROP_TIMER_ARM] = { "timer-arm", { ARG_OFF, ARG_DEC } },
	[ROP_ITIMER] = { "itimer", { ARG_DEC, ARG_OFF } },
	[ROP_COMM] = { "comm", { ARG_OFF } },
	[ROP_AFFINITY] = { "affinity", { ARG_OFF, ARG_DEC } },
	[ROP_SCHED] = { "sched", { ARG_OFF } },
	[ROP_ALTSTACK] = { "altstack", { ARG_HEX, ARG_HEX, ARG_HEX } },
	[ROP_ROBUST_LIST] = { "robust-list", { ARG_HEX, ARG_DEC } },
	[ROP_TID_ADDRESS] = { "tid-address", { ARG_HEX } },
	[ROP_RSEQ] = { "rseq", { ARG_HEX, ARG_DEC, ARG_HEX } },
	[ROP_CREDS] = { "creds", { ARG_OFF } },
	[ROP_DUMPABLE] = { "dumpable", { ARG_DEC } },
	[ROP_BARRIER] = { "barrier", { ARG_DEC } },
	[ROP_HOLD] = { "hold", { ARG_END } },
	[ROP_PARK] = { "park", { ARG_END } },
};

static const struct {
	uint32_t flag;
	const char *name;
} map_flags[] = {
	{ MAP_ANONYMOUS, "anonymous" }, { MAP_FIXED, "fixed" },     { MAP_GROWSDOWN, "growsdown" },
	{ MAP_NORESERVE, "noreserve" }, { MAP_HUGETLB, "hugetlb" },
};

static void describe_flags(uint64_t flags, struct strbuf *buf)
{
	uint32_t type = (uint32_t)flags & MAP_TYPE;

	strbuf_puts(buf, type == MAP_PRIVATE ? " private" :
			 type == MAP_SHARED  ? " shared" :
					       " droppable");
	for (size_t i = 0; i < ARRAY_SIZE(map_flags); i++)
		if (flags & map_flags[i].flag)
			strbuf_printf(buf, ",%s", map_flags[i].name);
}

void program_describe_op(const struct restorer_op *op, struct strbuf *buf)
{
	if (!op->opcode || op->opcode >= ROP_MAX) {
		strbuf_printf(buf, "opcode %u", op->opcode);
		return;
	}
	strbuf_puts(buf, forms[op->opcode].name);
	for (size_t i = 0; i < ARRAY_SIZE(op->arg); i++) {
		uint64_t arg = op->arg[i];

		switch (forms[op->opcode].args[i]) {
		case ARG_END: return;
		case ARG_HEX: strbuf_printf(buf, " %#" PRIx64, arg); break;
		case ARG_DEC: strbuf_printf(buf, " %" PRId64, (int64_t)arg); break;
		case ARG_OFF: strbuf_printf(buf, " +%#" PRIx64, arg); break;
		case ARG_FLAGS: describe_flags(arg, buf); break;
		case ARG_PROT:
			strbuf_printf(buf, " %c%c%c", arg & PROT_READ ? 'r' : '-',
				      arg & PROT_WRITE ? 'w' : '-', arg & PROT_EXEC ? 'x' : '-');
			break;
		}
	}
}

static void print_thread(const struct program *prog, uint64_t off, FILE *out)
{
	const struct restorer_op *op = (const struct restorer_op *)(prog->code.data + off);

	do {
		_cleanup_strbuf_ struct strbuf text = { 0 };

		program_describe_op(op, &text);
		fprintf(out, "%5u %s\n", op->index, strbuf_str(&text));
	} while (op++->opcode != ROP_PARK);
}

void program_print(const struct program *prog, FILE *out)
{
	const struct restorer_header *header = (const struct restorer_header *)prog->code.data;
	const struct restorer_op *leader =
		(const struct restorer_op *)(prog->code.data + header->leader_ops);

	fprintf(out, "leader %d\n", header->pid);
	print_thread(prog, header->leader_ops, out);
	for (const struct restorer_op *op = leader; op->opcode != ROP_PARK; op++) {
		if (op->opcode != ROP_CLONE)
			continue;
		fprintf(out, "thread %d\n", (int)op->arg[0]);
		print_thread(prog, op->arg[1], out);
	}
}

const char *program_warning_name(enum restorer_warning warning)
{
	static const char *const names[RWARN_MAX] = {
		[RWARN_MM] = "brk, arguments, environment and auxiliary vector (PR_SET_MM)",
		[RWARN_EXE] = "the exe link",
		[RWARN_ANON_NAME] = "names of anonymous mappings",
		[RWARN_MADVISE] = "advice given with madvise(2)",
		[RWARN_MLOCK] = "locked memory",
		[RWARN_GUARD] = "guard pages",
		[RWARN_AFFINITY] = "the CPU affinity",
		[RWARN_TIMERSLACK] = "the timer slack",
		[RWARN_MEMBARRIER] = "a membarrier(2) registration",
		[RWARN_RSEQ] = "an rseq(2) registration",
		[RWARN_THP] = "the switch for transparent huge pages",
	};

	return warning > RWARN_NONE && warning < RWARN_MAX ? names[warning] : "nothing";
}
