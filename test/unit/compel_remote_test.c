/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compel: system calls run in stopped threads, which go on as if nothing had been.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/ptrace.h>

#include <compel/arch.h>

#include "compel_target.h"

/* ---- Registers ---- */

/* Fails with 1 when a vector register or a variable changes under it. */
static int compute_until_told(struct target_words *w)
{
	volatile double x = 1.0;
	double y = 0.0;
	uint64_t sum = 0;

	w->ready = 1;
	for (uint64_t i = 0; !w->stop; i++) {
		sum += i;
		y = y + x;
		if (y != (double)(i + 1) || sum != i * (i + 1) / 2)
			return 1;
		w->count++;
	}
	return 0;
}

static void registers_are_the_same_to_the_bit(void **state)
{
	struct compel_regs before, after;
	struct compel_fpu fpu_before, fpu_after;
	uint64_t mask_before, mask_after;
	struct target t;

	compel_fpu_init(&fpu_before, NULL, 0);
	compel_fpu_init(&fpu_after, NULL, 0);
	target_start(&t, compute_until_told);
	for (int i = 0; i < 50; i++) {
		target_stop(t.pid, COMPEL_STOP_EVENT);
		ok(compel_regs_get(t.pid, &before, err));
		ok(compel_fpu_get(t.pid, &fpu_before, err));
		ok(compel_sigmask_get(t.pid, &mask_before, err));
		disturb(t.pid);
		ok(compel_regs_get(t.pid, &after, err));
		ok(compel_fpu_get(t.pid, &fpu_after, err));
		ok(compel_sigmask_get(t.pid, &mask_after, err));
		assert_memory_equal(&before, &after, sizeof(before));
		assert_int_equal(fpu_before.size, fpu_after.size);
		assert_memory_equal(fpu_before.data, fpu_after.data, fpu_before.size);
		assert_true(mask_before == mask_after);
		target_release(t.pid);
	}
	compel_fpu_fini(&fpu_before);
	compel_fpu_fini(&fpu_after);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

static void read_maps(pid_t pid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	size_t len = fread(text, 1, size - 1, f);
	fclose(f);
	text[len] = '\0';
}

static void no_mapping_is_left_behind(void **state)
{
	static char before[65536], after[65536];
	struct target t;

	target_start_asleep(&t, sleep_for_ever);
	read_maps(t.pid, before, sizeof(before));
	stop_disturb_release(t.pid, COMPEL_STOP_EVENT);
	read_maps(t.pid, after, sizeof(after));
	assert_string_equal(before, after);
	target_kill(&t);
}

static void stack_that_was_scratch_holds_what_it_held(void **state)
{
	char before[512], written[512], after[512];
	struct compel_scratch scratch;
	struct compel_task task;
	struct compel_error err;
	struct target t;

	target_start_asleep(&t, sleep_for_ever);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	target_borrow(&task, t.pid);
	ok(compel_scratch_open(&task, COMPEL_SCRATCH_STACK, sizeof(before), &scratch, err));
	uint64_t addr = scratch.addr;
	assert_int_equal(addr % 16, 0);
	ok(compel_mem_read(t.pid, addr, before, sizeof(before), err));
	memset(written, 0xa5, sizeof(written));
	ok(compel_mem_write(t.pid, addr, written, sizeof(written), err));
	assert_int_equal(remote(&task, SYS_getcwd, addr, sizeof(written), 0) > 0, 1);
	ok(compel_scratch_close(&task, &scratch, err));
	ok(compel_mem_read(t.pid, addr, after, sizeof(after), err));
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(
		compel_scratch_open(&task, COMPEL_SCRATCH_STACK, 64UL << 20, &scratch, &err),
		-EFAULT);
	ok(compel_finish(&task, err));
	target_release(t.pid);
	target_kill(&t);
}

/* ---- Restricted tasks ---- */

/* getppid fails with 77; everything else, sched_yield apart, is allowed. */
static int filter_and_ask(struct target_words *w)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 6, .filter = insns };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return 1;
	w->ready = 1;
	while (!w->stop)
		;
	return syscall(SYS_getppid) == -1 && errno == 77 ? 0 : 2;
}

static void a_filtered_task_runs_any_call_and_stays_filtered(void **state)
{
	struct compel_prepare_opts opts = { .options = COMPEL_SEIZE_OPTIONS };
	struct compel_error err;
	struct compel_task task;
	struct target t;

	target_start(&t, filter_and_ask);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	int ret = compel_prepare(&task, t.pid, &opts, &err);
	if (ret == -EPERM || ret == -EINVAL) {
		target_kill(&t);
		skip();
	}
	assert_int_equal(ret, 0);
	assert_int_equal(remote(&task, SYS_getppid, 0, 0, 0), getpid());
	assert_int_equal(remote(&task, SYS_sched_yield, 0, 0, 0), 0);
	ok(compel_finish(&task, err));
	target_release(t.pid);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

#ifdef PR_SET_SYSCALL_USER_DISPATCH
static char dispatch_selector; /* 0: allow, 1: block */

static void count_and_allow(int signo)
{
	dispatch_selector = 0;
	count_signal(signo);
}

/* Calls are turned into SIGSYS by the task itself; the first one of its own must be. */
static int dispatch_calls(struct target_words *w)
{
	struct sigaction sa = { .sa_handler = count_and_allow };

	handled = &w->count;
	sigaction(SIGSYS, &sa, NULL);
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &dispatch_selector)) {
		w->ready = -1;
		return 1;
	}
	dispatch_selector = 1;
	w->ready = 1;
	while (!w->stop)
		;
	syscall(SYS_getppid);
	return w->count == 1 ? 0 : 2;
}

/* ptrace can neither see nor suspend it before 6.4. */
static bool dispatch_is_visible(pid_t tid)
{
	uint64_t config[4] = { 0 };

	target_stop(tid, COMPEL_STOP_EVENT);
	long ret = ptrace(0x4211, tid, (void *)sizeof(config), config);
	target_release(tid);
	return ret == 0 && config[0];
}

static void a_dispatching_task_sees_no_call_of_ours(void **state)
{
	struct target t;

	target_start(&t, dispatch_calls);
	if (t.words->ready < 0 || !dispatch_is_visible(t.pid)) {
		target_kill(&t);
		skip();
	}
	stop_disturb_release(t.pid, COMPEL_STOP_EVENT);
	assert_int_equal(t.words->count, 0);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}
#endif

#ifdef __x86_64__
/* Runs a loop in the 32-bit code segment. Dies at once where the kernel has none. */
static int run_32_bit_code(struct target_words *w)
{
	uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (code == MAP_FAILED)
		return 1;
	memcpy(code, "\xeb\xfe", 2); /* jmp . */
	w->ready = 1;
	__asm__ volatile("pushq $0x23; pushq %0; lretq" : : "r"((uint64_t)(uintptr_t)code));
	return 1;
}

static void a_32_bit_task_is_refused_with_words(void **state)
{
	struct compel_prepare_opts opts = { .options = COMPEL_SEIZE_OPTIONS };
	struct compel_error err;
	struct compel_task task;
	struct target t;

	target_start(&t, run_32_bit_code);
	sleep_ms(30);
	if (thread_state(t.pid) != 'R') {
		target_kill(&t);
		skip();
	}
	target_stop(t.pid, COMPEL_STOP_EVENT);
	assert_int_equal(compel_prepare(&task, t.pid, &opts, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "32-bit"));
	target_release(t.pid);
	target_kill(&t);
}

/* linux/rseq.h and the area that libc registers for each thread. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/*
 * Loops inside a restartable sequence that never commits. Each abort is counted; when the kernel
 * forgets the sequence no abort follows any more.
 */
static int loop_in_rseq(struct target_words *w)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
	volatile int32_t *count = &w->count;

	w->ready = 1;
	__asm__ volatile(".pushsection .data.rseq_test, \"aw\"\n"
			 ".balign 32\n"
			 "77: .long 0, 0\n"
			 ".quad 1f, 2f - 1f, 4f\n"
			 ".popsection\n"
			 "5: leaq 77b(%%rip), %%rax\n"
			 "movq %%rax, 8(%[area])\n"
			 "1: jmp 1b\n"
			 "2: jmp 6f\n"
			 ".long 0x53053053\n" /* RSEQ_SIG of libc */
			 "4: incl %[count]\n"
			 "jmp 5b\n"
			 "6:\n"
			 : [count] "+m"(*count)
			 : [area] "r"(area)
			 : "rax", "memory", "cc");
	return 1;
}

static void a_restartable_sequence_is_aborted_not_forgotten(void **state)
{
	struct compel_rseq rseq;
	struct target t;

	if (!&__rseq_size || __rseq_size == 0)
		skip();
	target_start(&t, loop_in_rseq);
	sleep_ms(10);
	for (int i = 0; i < 20; i++) {
		target_stop(t.pid, COMPEL_STOP_EVENT);
		if (compel_rseq_get(t.pid, &rseq, NULL) < 0) {
			target_release(t.pid);
			target_kill(&t);
			skip();
		}
		int32_t count = t.words->count;
		disturb(t.pid);
		target_release(t.pid);
		wait_until(t.words->count != count);
	}
	target_kill(&t);
}
#endif

/* ---- What goes wrong ---- */

static void calls_that_would_harm_are_refused(void **state)
{
	const long nrs[] = { SYS_exit,      SYS_exit_group,   SYS_execve,
			     SYS_clone,     SYS_futex,        SYS_clock_nanosleep,
			     SYS_nanosleep, SYS_rt_sigreturn, SYS_restart_syscall };
	const uint64_t args[6] = { 0 };
	struct compel_error err;
	struct compel_task task;
	struct target t;
	int64_t val;

	target_start(&t, run_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	target_borrow(&task, t.pid);
	for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++)
		assert_int_equal(compel_syscall(&task, nrs[i], args, &val, &err), -EINVAL);
	ok(compel_finish(&task, err));
	target_release(t.pid);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

static void a_call_that_sleeps_is_interrupted_in_time(void **state)
{
	struct compel_prepare_opts opts = { .options = COMPEL_SEIZE_OPTIONS, .timeout_ms = 100 };
	struct compel_error err;
	struct compel_task task;
	struct target t;
	int64_t val;

	target_start(&t, compute_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	ok(compel_prepare(&task, t.pid, &opts, err));

	struct compel_scratch scratch;

	ok(compel_scratch_open(&task, COMPEL_SCRATCH_MAP, 1, &scratch, err));
	const uint64_t args[6] = { (uint64_t)t.words->fd[0], scratch.addr, 1 };
	int64_t start = now_ms();

	assert_int_equal(compel_syscall(&task, SYS_read, args, &val, &err), -ETIMEDOUT);
	assert_in_range(now_ms() - start, 95, 900);
	ok(compel_scratch_close(&task, &scratch, err));
	ok(compel_finish(&task, err));
	target_release(t.pid);
	int32_t count = t.words->count;
	wait_until(t.words->count != count);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

static void a_task_killed_between_calls_is_noticed(void **state)
{
	const uint64_t args[6] = { 0 };
	struct compel_error err;
	struct compel_task task;
	struct target t;
	int64_t val;

	target_start(&t, run_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	target_borrow(&task, t.pid);
	kill(t.pid, SIGKILL);
	assert_int_equal(compel_syscall(&task, SYS_getpid, args, &val, &err), -ESRCH);
	assert_int_equal(compel_finish(&task, &err), -ESRCH);
	target_kill(&t);
}

static void ranges_of_the_caller_are_searched(void **state)
{
	/* A page of this text: libc's syscall() holds the instruction in every process. */
	uint64_t code = (uint64_t)(uintptr_t)syscall & ~1ULL, addr;
	struct compel_range with = { code, code + 128 };
	struct compel_range none = { 4096, 8192 };
	struct compel_error err;
	struct target t;

	target_start(&t, run_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	ok(compel_insn_find(t.pid, &with, 1, &addr, err));
	assert_true(addr >= code && addr < code + 128);
	assert_int_equal(compel_insn_find(t.pid, &none, 1, &addr, &err), -ENOENT);

	struct compel_prepare_opts opts = {
		.options = COMPEL_SEIZE_OPTIONS,
		.seccomp = COMPEL_SECCOMP_NONE,
		.insn = addr,
	};
	struct compel_task task;

	ok(compel_prepare(&task, t.pid, &opts, err));
	assert_int_equal(remote(&task, SYS_getpid, 0, 0, 0), t.pid);
	ok(compel_finish(&task, err));
	target_release(t.pid);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

/* ---- Threads that are built ---- */

static void land_here(void)
{
	_exit(42);
}

static void a_thread_can_be_sent_elsewhere(void **state)
{
	struct compel_regs regs;
	struct compel_task task;
	struct target t;

	target_start_asleep(&t, sleep_for_ever);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	target_borrow(&task, t.pid);
	remote(&task, SYS_getpid, 0, 0, 0);
	regs = task.regs;
	compel_arch.set_pc(&regs, (uintptr_t)land_here);
#ifdef __x86_64__
	regs.native.rsp = ((regs.native.rsp - 1024) & ~15UL) - 8; /* as after a call */
	regs.native.orig_rax = -1UL;
#endif
	compel_set_return(&task, &regs, 0);
	ok(compel_finish(&task, err));
	target_release(t.pid);
	assert_int_equal(target_join(&t), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_the_same_to_the_bit),
		cmocka_unit_test(no_mapping_is_left_behind),
		cmocka_unit_test(stack_that_was_scratch_holds_what_it_held),
		cmocka_unit_test(a_filtered_task_runs_any_call_and_stays_filtered),
#ifdef PR_SET_SYSCALL_USER_DISPATCH
		cmocka_unit_test(a_dispatching_task_sees_no_call_of_ours),
#endif
#ifdef __x86_64__
		cmocka_unit_test(a_32_bit_task_is_refused_with_words),
		cmocka_unit_test(a_restartable_sequence_is_aborted_not_forgotten),
#endif
		cmocka_unit_test(calls_that_would_harm_are_refused),
		cmocka_unit_test(a_call_that_sleeps_is_interrupted_in_time),
		cmocka_unit_test(a_task_killed_between_calls_is_noticed),
		cmocka_unit_test(ranges_of_the_caller_are_searched),
		cmocka_unit_test(a_thread_can_be_sent_elsewhere),
	};

	return cmocka_run_group_tests_name("compel: remote calls", tests, NULL, NULL);
}
