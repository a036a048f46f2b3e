/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * compel: stop the threads of other processes, look at them, run system calls in them, let them go.
 * Nothing is left behind: no code of a target is overwritten, and what is changed is put back.
 *
 * The life of a traced thread:
 *
 *     compel_seize            the thread is traced and still runs
 *     compel_interrupt        it is asked to stop
 *     compel_wait_stop        it stands in an event-stop or a group-stop
 *       compel_*_get          look at it
 *       compel_prepare        borrow it for system calls
 *         compel_syscall      ... any number of times
 *       compel_finish         as it was, to the bit
 *     compel_detach           it goes on: an interrupted system call is restarted by the kernel,
 *                             a signal that came meanwhile is delivered, a stopped task stays so
 *
 * A tracer is a thread, not a process: all calls for one tid must come from the thread that made
 * compel_seize(). When that thread exits, the kernel detaches all that it traces. There are no
 * globals; different threads may trace different tids at the same time.
 *
 * Functions return 0 or a useful number, or -errno, and then describe the failure in @err if that
 * is not NULL. Two numbers mean the same everywhere:
 *   -ESRCH      the thread is gone (exited, killed, or a zombie) or is not traced by the caller
 *   -ETIMEDOUT  the thread did not reach the stop that was waited for in time
 *
 * Kernel interface: ptrace(2), in particular "Stopped states" and PTRACE_SEIZE.
 */
#ifndef CRIB_COMPEL_COMPEL_H
#define CRIB_COMPEL_COMPEL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* struct compel_regs: the general registers as PTRACE_GETREGSET NT_PRSTATUS gives them. */
#include <compel_regs.h>

/* What failed: call, thread and reason in one line, lower case, without full stop. */
struct compel_error {
	int code; /* -errno */
	char text[200];
};

/* ---- Time limits ---- */

#define COMPEL_NO_DEADLINE INT64_MAX

/* The point @timeout_ms from now, for functions that take a deadline (CLOCK_MONOTONIC, ms). */
int64_t compel_deadline(int timeout_ms);

/* ---- Stop and release ---- */

/* PTRACE_O_ bits for compel_seize() that need no PTRACE_SETOPTIONS in compel_prepare() later. */
#define COMPEL_SEIZE_OPTIONS 0x00000001u /* PTRACE_O_TRACESYSGOOD */

enum compel_stop_kind {
	COMPEL_STOP_EVENT,  /* runnable before: the stop that compel_interrupt() asked for */
	COMPEL_STOP_GROUP,  /* the process is stopped by job control; @signo is the stop signal */
	COMPEL_STOP_PTRACE, /* another PTRACE_EVENT_ that the options asked for: see @event */
	COMPEL_STOP_EXITED, /* it is gone and, if it could be, reaped: see @status */
};

struct compel_stop {
	enum compel_stop_kind kind;
	int signo;  /* GROUP: SIGSTOP, SIGTSTP, SIGTTIN or SIGTTOU */
	int event;  /* PTRACE: PTRACE_EVENT_FORK ... PTRACE_EVENT_EXIT */
	int status; /* EXITED: as of waitpid(2); -1 where it cannot be known yet */
};

/*
 * Starts to trace @tid with PTRACE_O_ bits @options, without stopping it (PTRACE_SEIZE).
 * Errors: -ESRCH no such thread, or a zombie; -EBUSY it has another tracer, which is named;
 * -EPERM not permitted (PTRACE_MODE_ATTACH_REALCREDS), or a kernel thread.
 */
int compel_seize(pid_t tid, uint32_t options, struct compel_error *err);

/* Asks a seized thread to stop and does not wait (PTRACE_INTERRUPT). */
int compel_interrupt(pid_t tid, struct compel_error *err);

/*
 * Waits until the interrupted thread @tid stands. A signal or system call stop that was already
 * under way is completed first (the signal takes effect as if it had come before the freeze) and
 * the thread is interrupted anew, so that what is reported in @ret_stop is never a signal stop.
 *
 * -ETIMEDOUT: it sleeps in the kernel and cannot be stopped there, as the parent of a vfork()ed
 * child or a reader of a hanging disk. It is still traced and will stop when it wakes; as ptrace
 * can release only what stands, the caller waits again or lets its tracing thread exit.
 */
int compel_wait_stop(pid_t tid, int64_t deadline, struct compel_stop *ret_stop,
		     struct compel_error *err);

/*
 * Lets a standing thread run on under trace (PTRACE_CONT). @signo is delivered if the thread stood
 * in a signal stop, else it must be 0. For COMPEL_STOP_PTRACE stops; call compel_interrupt() before
 * to have it stop again before its next instruction.
 */
int compel_continue(pid_t tid, int signo, struct compel_error *err);

/*
 * Ends the tracing of a standing thread (PTRACE_DETACH). After a group-stop it stops again by
 * itself, without a new notification to its parent. @signo as for compel_continue().
 */
int compel_detach(pid_t tid, int signo, struct compel_error *err);

/* ---- Registers: all need a standing thread ---- */

/*
 * One register set by its ELF note type (PTRACE_GETREGSET). @size: room at @data, on return what
 * was filled. -ENODEV or -EINVAL: this machine has none such.
 */
int compel_regset_get(pid_t tid, uint32_t note, void *data, size_t *size, struct compel_error *err);
int compel_regset_set(pid_t tid, uint32_t note, const void *data, size_t size,
		      struct compel_error *err);

/* General registers. -EOPNOTSUPP: the thread runs 32-bit code on a 64-bit kernel. */
int compel_regs_get(pid_t tid, struct compel_regs *ret_regs, struct compel_error *err);
int compel_regs_set(pid_t tid, const struct compel_regs *regs, struct compel_error *err);

#define COMPEL_FPU_MAX 65536

/* Floating point and vector state: the best register set that the machine has. */
struct compel_fpu {
	uint32_t note; /* NT_X86_XSTATE, NT_PRFPREG, NT_ARM_VFP; 0 with size 0: no FPU */
	uint32_t size; /* bytes at data */
	uint32_t capacity;
	bool owned; /* data is freed by compel_fpu_fini() */
	void *data;
};

/* With @buf NULL memory is allocated at the first compel_fpu_get(), and reused by later ones. */
void compel_fpu_init(struct compel_fpu *fpu, void *buf, uint32_t capacity);
void compel_fpu_fini(struct compel_fpu *fpu);
/* -ENOSPC: the caller's buffer is too small; COMPEL_FPU_MAX always suffices. */
int compel_fpu_get(pid_t tid, struct compel_fpu *fpu, struct compel_error *err);
int compel_fpu_set(pid_t tid, const struct compel_fpu *fpu, struct compel_error *err);

/*
 * The thread pointer: fs_base, TPIDR_EL0 or TPIDRURO. Setting it is -EOPNOTSUPP on 32-bit arm,
 * where only the system call set_tls can, and without effect inside compel_prepare()/finish() on
 * x86-64, where it is one of the general registers.
 */
int compel_tls_get(pid_t tid, uint64_t *ret_tls, struct compel_error *err);
int compel_tls_set(pid_t tid, uint64_t tls, struct compel_error *err);

/* ---- Attributes: all need a standing thread ---- */

/* Blocked signals, bit (signo - 1). In sigsuspend(2) and its like: the mask it will put back. */
int compel_sigmask_get(pid_t tid, uint64_t *ret_mask, struct compel_error *err);
int compel_sigmask_set(pid_t tid, uint64_t mask, struct compel_error *err);

/*
 * All pending signals of the thread, or with @shared of its process, oldest first, without taking
 * them (PTRACE_PEEKSIGINFO). The array *@ret_infos is the caller's, to free(); NULL when empty.
 * While a process is traced, signals that it ignores are queued too. Returns their number.
 */
int compel_siginfo_peek(pid_t tid, bool shared, siginfo_t **ret_infos, struct compel_error *err);

/* struct ptrace_rseq_configuration (linux/ptrace.h, 5.13). */
struct compel_rseq {
	uint64_t addr; /* of the thread's struct rseq; 0: none is registered */
	uint32_t size;
	uint32_t signature;
	uint32_t flags;
	uint32_t pad;
};

/* -EIO: the kernel cannot tell (before 5.13, or without CONFIG_RSEQ). */
int compel_rseq_get(pid_t tid, struct compel_rseq *ret_rseq, struct compel_error *err);

/*
 * A thread that was stopped inside a restartable sequence (rseq(2)) will be sent to the abort
 * handler by the kernel as soon as it runs. Does that to @regs, for registers that will be set
 * later or elsewhere. Returns 1 if @regs were changed, 0 if not.
 */
int compel_rseq_abort(pid_t tid, struct compel_regs *regs, struct compel_error *err);

/* One instruction of a classic BPF program: struct sock_filter (linux/filter.h). */
struct compel_bpf_insn {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

/*
 * Seccomp filter number @index, 0 being the one installed first, and its SECCOMP_FILTER_FLAG_ bits
 * (PTRACE_SECCOMP_GET_FILTER, PTRACE_SECCOMP_GET_METADATA). The array is the caller's, to free().
 * Returns the number of instructions. -ENOENT: no filter of that number. -EACCES: the caller needs
 * CAP_SYS_ADMIN in the initial user namespace and no filter of its own.
 */
int compel_seccomp_get_filter(pid_t tid, unsigned int index, struct compel_bpf_insn **ret_insns,
			      uint64_t *ret_flags, struct compel_error *err);

/*
 * Switches the thread's seccomp filters off until it is detached, or back on. @options are its
 * other PTRACE_O_ bits, which the call sets anew. -EPERM and -EINVAL as for compel_prepare().
 */
int compel_seccomp_suspend(pid_t tid, bool on, uint32_t options, struct compel_error *err);

/* ---- Memory of the target ---- */

/*
 * Exactly @size bytes from and to address @addr (process_vm_readv(2)). -EFAULT: not all is mapped
 * with that permission; writing may then have been done in part.
 */
int compel_mem_read(pid_t tid, uint64_t addr, void *data, size_t size, struct compel_error *err);
int compel_mem_write(pid_t tid, uint64_t addr, const void *data, size_t size,
		     struct compel_error *err);

/* ---- System calls in the target ---- */

struct compel_range {
	uint64_t start;
	uint64_t end; /* exclusive */
};

/*
 * Finds a system call instruction in executable ranges of the target, the first ranges being
 * preferred: the vdso, then files. It serves all threads of the address space while nothing is
 * unmapped. On 32-bit arm bit 0 says that it is Thumb code. -ENOENT: none there.
 */
int compel_insn_find(pid_t tid, const struct compel_range *ranges, size_t nr, uint64_t *ret_addr,
		     struct compel_error *err);

/* The same with the ranges of /proc/TID/maps, for callers that do not know the mappings. */
int compel_insn_find_maps(pid_t tid, uint64_t *ret_addr, struct compel_error *err);

/*
 * Code of the target that leads home, see "The way home". Offsets are into the mapping in which it
 * was found: other processes often have the same libraries.
 */
struct compel_text {
	uint64_t insn;      /* a system call instruction that is followed by a return */
	uint64_t sigreturn; /* where signal handlers return to; 0: no such code was found */
	uint64_t size;      /* of that mapping */
	uint64_t insn_offset;
	uint64_t sigreturn_offset;
};

/*
 * Finds both in the same one of the ranges, which are to be file mappings. @text may hold what was
 * found in another process, that is looked for first; 32 MiB are searched at most. 0, or -ENOENT
 * with @text->insn and @text->sigreturn 0.
 */
int compel_text_find(pid_t tid, const struct compel_range *ranges, size_t nr,
		     struct compel_text *text, struct compel_error *err);

enum compel_seccomp {
	COMPEL_SECCOMP_ASK,  /* look into /proc/TID/status */
	COMPEL_SECCOMP_NONE, /* the caller knows that the thread is not restricted */
	COMPEL_SECCOMP_ON,   /* it is: filters are suspended until compel_finish() */
};

struct compel_prepare_opts {
	uint32_t options; /* the PTRACE_O_ bits of compel_seize() */
	enum compel_seccomp seccomp;
	uint64_t insn;      /* from compel_text_find() or compel_insn_find(); 0: compel searches */
	uint64_t sigreturn; /* from compel_text_find(), with that insn */
	struct compel_range stack; /* for one thread of a process: the mapping of its first stack */
	int timeout_ms;            /* for each system call; 0: 10 seconds */
};

/*
 * The way home. A tracer can die at any instant, and then its threads run on with the registers
 * that they have just then. So every context that a borrowed thread is given leads back by itself
 * to the one in which it was found: as in a signal handler, a return instruction follows the system
 * call, and the stack pointer stands at a signal frame, below the stack and its red zone, of all
 * registers and the signal mask. A mapping of compel's is taken away on the way.
 *
 * What differs for the thread then: a system call with a time limit that it was in may begin anew
 * or, interrupted for the second time, end with EINTR; its seccomp filters hold for the calls that
 * are left; syscall user dispatch is off if it was on; a process with threads may sleep for a
 * second. There is no way home on arm and arm64, in tasks with a shadow stack, where no such code is
 * found, where the stack has no room, and not for threads that are traced with PTRACE_O_EXITKILL.
 */

#define COMPEL_NO_CALL (-1L)

/* A system call to be made in a thread, and its result. */
struct compel_call {
	long nr;
	uint64_t args[6];
	int64_t val; /* what it returned, -4095..-1 being its -errno */
};

/* Where the way home of a thread is written in its memory. */
struct compel_home {
	bool built;
	bool below;    /* below the thread's stack pointer */
	uint64_t sp;   /* the stack pointer of a context that leads home; 0: there is no way */
	uint64_t last; /* that with which nothing is done on the way */
	uint64_t addr;
	uint64_t fpu; /* address of the floating point state */
	size_t size;
	void *saved; /* what was there */
};

/* A thread that is borrowed. Plain data on memory of the caller, who writes @call and @leave. */
struct compel_task {
	pid_t tid;
	int ret; /* of this thread in the last function of many: 0 or -errno */
	struct compel_call call;
	const struct compel_row *row; /* while compel_row_many() runs */
	int timeout_ms;
	enum compel_seccomp seccomp;
	uint32_t options;     /* what the caller had */
	uint32_t options_set; /* what is in force */
	uint64_t insn;
	uint64_t sigreturn;
	uint64_t leave; /* of code memory, see struct compel_scratch; the caller may set it */
	struct compel_range stack;
	struct compel_home home;
	struct compel_regs regs; /* what compel_finish() gives the thread */
	uint64_t sigmask;        /* the same */
	bool masked;             /* the thread has @mask now */
	uint64_t mask;
	uint64_t dispatch[4]; /* syscall user dispatch, if [0] is not 0 */
	int64_t call_nr;      /* arm, arm64: the call that compel_finish() re-enters; -1: none */
	int64_t deadline;     /* of the stop that is waited for */
	int64_t give_up;      /* on a call that is interrupted again and again */
	int failed;           /* what an earlier part of a function of many made of this thread */
	int phase;
	int entry;
	bool touched;
};

/*
 * Borrows a thread that stands in an event-stop or group-stop: saves its registers and mask, and
 * suspends its seccomp filters and syscall user dispatch. From the first call on its signals are
 * blocked. The other threads that share its memory should stand too. On failure everything is as
 * before.
 *
 * Errors: -EOPNOTSUPP 32-bit code, or a dispatch setting that cannot be put back; -ENOENT no system
 * call instruction; -EPERM, -EINVAL the thread has seccomp filters and the kernel does not let the
 * caller suspend them (CAP_SYS_ADMIN in the initial user namespace, CONFIG_CHECKPOINT_RESTORE).
 */
int compel_prepare(struct compel_task *task, pid_t tid, const struct compel_prepare_opts *opts,
		   struct compel_error *err);

/*
 * Runs one system call in the target. Returns 0 when it ran; *@ret_val is then what it returned,
 * -4095..-1 being its -errno. A call that a stop request or SIGSTOP interrupts is repeated.
 *
 * Calls that would destroy the interrupted call which the thread is to continue later (those with
 * a restart block: nanosleep, poll, futex ... and sigreturn), and those that end, replace or double
 * the task (exit, execve, clone ...), are refused: -EINVAL.
 * -ETIMEDOUT: the call sleeps; it was interrupted. -EFAULT: the instruction raised a signal.
 * After any failure but -ESRCH compel_finish() still is to be called.
 */
int compel_syscall(struct compel_task *task, long nr, const uint64_t args[6], int64_t *ret_val,
		   struct compel_error *err);

/*
 * Makes @regs and @sigmask what compel_finish() gives the thread: for threads that were built, not
 * borrowed. On x86-64 registers inside an interrupted call (orig_ax >= 0, ax -ERESTART*) are
 * treated by the kernel as such.
 */
void compel_set_return(struct compel_task *task, const struct compel_regs *regs, uint64_t sigmask);

/*
 * Gives the thread back: it stands in an event-stop or group-stop with registers, signal mask and
 * filters as before compel_prepare(). On arm and arm64 a thread whose system call was interrupted
 * stands at the entry of the restarted call instead: it may be continued, detached, or borrowed
 * again, but compel_regs_get() shows the inside of the call. There registers are read before
 * compel_prepare() or taken from @task.
 * All is tried even if a part fails; the first failure is returned. Call it once.
 */
int compel_finish(struct compel_task *task, struct compel_error *err);

/* ---- The same in many threads at once ---- */

/*
 * Each of these functions does to @nr different threads what the one of its name does to one, of
 * the same process or of others: all are set going before any is waited for, so that many take
 * little longer than one. A thread that fails does not keep the others from being done; its
 * task->ret says why, that of the others is 0. Returns 0 or the first failure, which is described.
 */

/* What compel_prepare() is told, for compel_prepare_many(). Touches no thread. */
void compel_task_init(struct compel_task *task, pid_t tid, const struct compel_prepare_opts *opts);

/* Those that fail stand as before, the others are borrowed. */
int compel_prepare_many(struct compel_task *const *tasks, size_t nr, struct compel_error *err);

/* Runs the calls that stand in task->call, COMPEL_NO_CALL being none, and puts the results there.
 */
int compel_syscall_many(struct compel_task *const *tasks, size_t nr, struct compel_error *err);

int compel_finish_many(struct compel_task *const *tasks, size_t nr, struct compel_error *err);

/* ---- Scratch memory in the target, for arguments of system calls ---- */

enum compel_scratch_kind {
	COMPEL_SCRATCH_MAP,   /* a new private anonymous mapping: mmap and munmap in the target */
	COMPEL_SCRATCH_STACK, /* bytes below the stack pointer and its red zone, put back after */
	COMPEL_SCRATCH_CODE,  /* as MAP, with a page of code before it, for compel_row_many() */
};

struct compel_scratch {
	enum compel_scratch_kind kind;
	bool shared; /* MAP, CODE: threads other than the one that opens it use it, too */
	struct compel_range gap; /* MAP, CODE: a large hole between mappings, if one is known */
	uint64_t addr; /* aligned to 16 bytes at least; zeroed only for COMPEL_SCRATCH_MAP */
	size_t size;
	uint64_t code;  /* CODE: where it is; readable and executable, never writable */
	uint64_t leave; /* CODE: for compel_task.leave of threads in the same address space */
	void *saved;    /* STACK: what was there */
};

/*
 * MAP leaves no trace but a possibly higher VmPeak, and fails where the target is at a limit
 * (-ENOMEM of RLIMIT_AS, -EAGAIN of mlockall). STACK works there, for small sizes; no thread may
 * run on that stack meanwhile, and pages that were shared copy-on-write are copied. CODE may also
 * be refused by a security module (-EACCES), and is -EOPNOTSUPP where compel has no such code.
 */
int compel_scratch_open(struct compel_task *task, enum compel_scratch_kind kind, size_t size,
			struct compel_scratch *ret_scratch, struct compel_error *err);

/*
 * The same for many, with kind, size, shared and gap in each of @scratches. What fails has size 0
 * then.
 *
 * For the way home of all its users, shared memory is closed when they were given to
 * compel_finish(), and before the one that opened it is. Code leads other threads home without a
 * signal frame, if their leave is set before their first call: it is cheaper, and exact.
 */
int compel_scratch_open_many(struct compel_task *const *tasks, size_t nr,
			     struct compel_scratch *scratches, struct compel_error *err);

/* Must be called before compel_finish(). Nothing is done for size 0. */
int compel_scratch_close(struct compel_task *task, struct compel_scratch *scratch,
			 struct compel_error *err);
int compel_scratch_close_many(struct compel_task *const *tasks, size_t nr,
			      struct compel_scratch *scratches, struct compel_error *err);

/* ---- Calls in a row ---- */

/*
 * Calls that a thread makes by itself, one after the other, by code in a mapping of its own, so
 * that it is woken and waited for only once. All are made, whatever the ones before have answered.
 */
struct compel_row {
	struct compel_call *calls; /* the caller's; refused are the same as by compel_syscall() */
	size_t nr;
	uint64_t code;  /* of scratch memory of kind CODE in the same address space */
	uint64_t table; /* COMPEL_ROW_SIZE(nr) bytes of scratch memory, of this thread alone */
	int signo;      /* from compel_row_signal() */
};

#define COMPEL_ROW_SIZE(nr) (((nr) + 1) * 64)

/*
 * At the end of a row a thread sends itself a signal that its process ignores: who is traced stops
 * with it, who is not notices nothing. Finds one for borrowed threads of one process; 0: it has
 * handlers for all that could serve, or a thread blocks them, or /proc does not tell.
 */
int compel_row_signal(const struct compel_task *tasks, size_t nr);

/*
 * @rows[i] is for @tasks[i]; all threads run at once. 0, or the first failure as of
 * compel_syscall_many(). timeout_ms is for a whole row.
 */
int compel_row_many(struct compel_task *const *tasks, const struct compel_row *rows, size_t nr,
		    struct compel_error *err);

#endif /* CRIB_COMPEL_COMPEL_H */
