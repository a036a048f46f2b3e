// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of what concerns tasks: ptrace, pids, timers, namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/probe.h"

/* include/uapi/linux/prctl.h, 6.16 */
#ifndef PR_TIMER_CREATE_RESTORE_IDS
#define PR_TIMER_CREATE_RESTORE_IDS     77
#define PR_TIMER_CREATE_RESTORE_IDS_GET 2
#endif

/* include/uapi/linux/ptrace.h; glibc names them by an enum, and not all of them */
enum {
	REQUEST_PEEKSIGINFO = 0x4209,
	REQUEST_GETSIGMASK = 0x420a,
	REQUEST_SECCOMP_GET_FILTER = 0x420c,
	REQUEST_GET_RSEQ_CONFIGURATION = 0x420f,
	OPTION_SUSPEND_SECCOMP = 1 << 21,
};

/* struct ptrace_rseq_configuration of include/uapi/linux/ptrace.h */
struct rseq_configuration {
	uint64_t rseq_abi_pointer;
	uint32_t rseq_abi_size;
	uint32_t signature;
	uint32_t flags;
	uint32_t pad;
};

/* A request whose number glibc's enum may lack. */
static long raw_ptrace(int request, pid_t pid, void *addr, void *data)
{
	return syscall(SYS_ptrace, (long)request, (long)pid, addr, data);
}

static int nothing(pid_t pid, struct err *err)
{
	return 0;
}

int probe_ptrace_seize(struct err *err)
{
	return probe_tracee(NULL, 0, nothing, err);
}

int probe_seccomp_suspend(struct err *err)
{
	return probe_tracee(NULL, OPTION_SUSPEND_SECCOMP, nothing, err);
}

/* The kernel returns how many siginfos it copied: none here. */
static int try_peek(pid_t pid, struct err *err)
{
	struct {
		uint64_t off;
		uint32_t flags;
		int32_t nr;
	} args = { .nr = 1 };
	siginfo_t info;
	uint64_t mask;

	if (raw_ptrace(REQUEST_PEEKSIGINFO, pid, &args, &info) < 0)
		return err_sys(err, "ptrace(PTRACE_PEEKSIGINFO)");
	if (raw_ptrace(REQUEST_GETSIGMASK, pid, (void *)sizeof(mask), &mask) < 0)
		return err_sys(err, "ptrace(PTRACE_GETSIGMASK)");
	return 0;
}

int probe_ptrace_peek(struct err *err)
{
	return probe_tracee(NULL, 0, try_peek, err);
}

static int install_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}

static int try_get_filter(pid_t pid, struct err *err)
{
	if (raw_ptrace(REQUEST_SECCOMP_GET_FILTER, pid, NULL, NULL) < 0)
		return err_sys(err, "ptrace(PTRACE_SECCOMP_GET_FILTER)");
	return 0;
}

int probe_seccomp_filters(struct err *err)
{
	return probe_tracee(install_filter, 0, try_get_filter, err);
}

static int try_rseq_conf(pid_t pid, struct err *err)
{
	struct rseq_configuration conf;

	if (raw_ptrace(REQUEST_GET_RSEQ_CONFIGURATION, pid, (void *)sizeof(conf), &conf) < 0)
		return err_sys(err, "ptrace(PTRACE_GET_RSEQ_CONFIGURATION)");
	return 0;
}

int probe_rseq_conf(struct err *err)
{
	return probe_tracee(NULL, 0, try_rseq_conf, err);
}

/* A pid that nobody has any more: that of a child which has been waited for. */
static pid_t used_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid;
}

int probe_clone3_set_tid(struct err *err)
{
	/* somebody else may get the pid in between */
	for (int attempt = 0; attempt < 16; attempt++) {
		pid_t wanted = used_pid();
		struct clone_args args = {
			.exit_signal = SIGCHLD,
			.set_tid = (uintptr_t)&wanted,
			.set_tid_size = 1,
		};
		if (wanted < 0)
			return err_sys(err, "fork");
		long pid = syscall(SYS_clone3, &args, sizeof(args));

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid((pid_t)pid, NULL, 0);
		if (pid == wanted)
			return 0;
		if (pid < 0 && errno != EEXIST)
			return err_sys(err, "clone3 with set_tid%s",
				       errno == EPERM ? " (needs CAP_CHECKPOINT_RESTORE)" : "");
	}
	return err_set(err, -EAGAIN, "clone3 with set_tid: every pid tried was taken");
}

int probe_pidfd(struct err *err)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (pidfd < 0)
		return err_sys(err, "pidfd_open");
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
		return err_sys(err, "pidfd_send_signal");
	_cleanup_close_ int copy = (int)syscall(SYS_pidfd_getfd, pidfd, pidfd, 0);
	if (copy < 0)
		return err_sys(err, "pidfd_getfd");
	return 0;
}

int probe_kcmp_epoll(struct err *err)
{
	_cleanup_close_ int epoll = epoll_create1(EPOLL_CLOEXEC);
	int fds[2];

	if (epoll < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "make an epoll and a pipe");
	_cleanup_close_ int read_fd = fds[0];
	_cleanup_close_ int write_fd __maybe_unused = fds[1];
	struct epoll_event event = { .events = EPOLLIN };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, read_fd, &event) < 0)
		return err_sys(err, "epoll_ctl");
	struct kcmp_epoll_slot slot = { .efd = (uint32_t)epoll, .tfd = (uint32_t)read_fd };
	if (syscall(SYS_kcmp, getpid(), getpid(), KCMP_EPOLL_TFD, read_fd, &slot) != 0)
		return err_sys(err, "kcmp(KCMP_EPOLL_TFD)");
	return 0;
}

int probe_prctl_mm_map(struct err *err)
{
	unsigned int size;

	if (prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) < 0)
		return err_sys(err, "prctl(PR_SET_MM_MAP_SIZE)");
	return 0;
}

int probe_proc_children(struct err *err)
{
	return probe_path("/proc/thread-self/children", err);
}

int probe_posix_timers(struct err *err)
{
	return probe_path("/proc/self/timers", err);
}

int probe_timer_cr_ids(struct err *err)
{
	if (prctl(PR_TIMER_CREATE_RESTORE_IDS, PR_TIMER_CREATE_RESTORE_IDS_GET, 0, 0, 0) < 0)
		return err_sys(err, "prctl(PR_TIMER_CREATE_RESTORE_IDS)");
	return 0;
}

/* Writes back what is there, so that nothing changes. */
static int try_loginuid(struct err *err)
{
	_cleanup_strbuf_ struct strbuf uid = { 0 };
	int ret = io_read_file(AT_FDCWD, "/proc/self/loginuid", &uid);

	if (ret < 0)
		return err_ret(err, ret, "read '/proc/self/loginuid'");
	ret = io_write_file(AT_FDCWD, "/proc/self/loginuid", strbuf_str(&uid));
	return ret < 0 ? err_ret(err, ret, "write '/proc/self/loginuid'") : 0;
}

int probe_loginuid(struct err *err)
{
	return probe_in_child(0, try_loginuid, err);
}

int probe_ns_pid(struct err *err)
{
	_cleanup_strbuf_ struct strbuf status = { 0 };
	int ret = io_read_file(AT_FDCWD, "/proc/self/status", &status);

	if (ret < 0)
		return err_ret(err, ret, "read '/proc/self/status'");
	if (!strstr(strbuf_str(&status), "\nNSpid:"))
		return err_set(err, -ENOENT, "'/proc/self/status' has no line 'NSpid:'");
	return 0;
}

static int succeed(struct err *err)
{
	return 0;
}

int probe_userns(struct err *err)
{
	int ret = probe_path("/proc/self/ns/user", err);

	return ret < 0 ? ret : probe_in_child(CLONE_NEWUSER, succeed, err);
}

int probe_cgroupns(struct err *err)
{
	int ret = probe_path("/proc/self/ns/cgroup", err);

	return ret < 0 ? ret : probe_in_child(CLONE_NEWCGROUP, succeed, err);
}

int probe_timens(struct err *err)
{
	int ret = probe_path("/proc/self/timens_offsets", err);

	return ret < 0 ? ret : probe_in_child(CLONE_NEWTIME, succeed, err);
}

/*
 * Maps a vdso, which fails with EEXIST in a process that has one, after the kernel has checked that
 * it can. @code is of arch/x86/include/uapi/asm/prctl.h; no other machine has it or needs it.
 */
static int map_vdso(int code, struct err *err)
{
#ifdef SYS_arch_prctl
	if (syscall(SYS_arch_prctl, code, 1) >= 0 || errno == EEXIST)
		return 0;
	return err_sys(err, "arch_prctl(%#x)", (unsigned int)code);
#else
	return err_set(err, -ENOSYS, "there is no arch_prctl(%#x) on this machine",
		       (unsigned int)code);
#endif
}

int probe_compat_cr(struct err *err)
{
	enum { MAP_VDSO_32 = 0x2002 };

	return map_vdso(MAP_VDSO_32, err);
}

int probe_map_vdso(struct err *err)
{
	enum { MAP_VDSO_64 = 0x2003 };

	return map_vdso(MAP_VDSO_64, err);
}

/* perf and ptrace use the same hardware breakpoints. */
int probe_breakpoints(struct err *err)
{
	static uint64_t watched;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = 2, /* HW_BREAKPOINT_W */
		.bp_addr = (uintptr_t)&watched,
		.bp_len = 4,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0)
		return err_sys(err, "perf_event_open of a breakpoint");
	return 0;
}
