/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the files of compel share: the ptrace call, errors, waiting and a look into /proc.
 */
#ifndef CRIB_COMPEL_INTERNAL_H
#define CRIB_COMPEL_INTERNAL_H

#include <compel/arch.h>
#include <compel/compel.h>

#define COMPEL_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* linux/ptrace.h cannot be included beside sys/ptrace.h, and older libcs lack these. */
#define COMPEL_PTRACE_GETREGSET           0x4204
#define COMPEL_PTRACE_SETREGSET           0x4205
#define COMPEL_PTRACE_SEIZE               0x4206
#define COMPEL_PTRACE_INTERRUPT           0x4207
#define COMPEL_PTRACE_PEEKSIGINFO         0x4209
#define COMPEL_PTRACE_GETSIGMASK          0x420a
#define COMPEL_PTRACE_SETSIGMASK          0x420b
#define COMPEL_PTRACE_SECCOMP_GET_FILTER  0x420c
#define COMPEL_PTRACE_SECCOMP_GET_META    0x420d
#define COMPEL_PTRACE_GET_SYSCALL_INFO    0x420e
#define COMPEL_PTRACE_GET_RSEQ            0x420f
#define COMPEL_PTRACE_SET_DISPATCH_CONFIG 0x4210
#define COMPEL_PTRACE_GET_DISPATCH_CONFIG 0x4211
#define COMPEL_PTRACE_EVENT_STOP          128
#define COMPEL_PTRACE_O_TRACESYSGOOD      0x00000001u
#define COMPEL_PTRACE_O_EXITKILL          0x00100000u
#define COMPEL_PTRACE_O_SUSPEND_SECCOMP   0x00200000u

/* ptrace(2) that returns -errno. */
long compel_ptrace(int request, pid_t tid, void *addr, void *data);

/* The same for requests whose failure is described as that of ptrace call @name on thread @tid. */
int compel_ptrace_named(int request, const char *name, pid_t tid, void *addr, void *data,
			struct compel_error *err);

/* Describes a failure: the text, and with _errno the error's own words after it. Returns @ret. */
int compel_fail(struct compel_error *err, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int compel_fail_errno(struct compel_error *err, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Waits for the next change of a traced thread. Returns 0 with the wait status, -ESRCH, or
 * -ETIMEDOUT, both undescribed. A dead thread that cannot be reaped yet gives 0 and status -1.
 */
int compel_wait_status(pid_t tid, int64_t deadline, int *ret_status);

/* A wait status, taken apart. */
enum compel_wait_kind {
	COMPEL_WAIT_DEAD,
	COMPEL_WAIT_EVENT,   /* PTRACE_EVENT_STOP of a runnable thread */
	COMPEL_WAIT_GROUP,   /* PTRACE_EVENT_STOP in a stopped process; signal */
	COMPEL_WAIT_SYSCALL, /* needs PTRACE_O_TRACESYSGOOD */
	COMPEL_WAIT_SIGNAL,  /* signal */
	COMPEL_WAIT_PTRACE,  /* event */
};

struct compel_wait {
	enum compel_wait_kind kind;
	int signo;
	int event;
};

struct compel_wait compel_wait_decode(int status);

/* Of /proc/TID/status; fields that are not there stay as compel_proc_read() sets them: 0. */
struct compel_proc {
	char state; /* R S D T t Z X I */
	uint64_t tracer;
	uint64_t kthread; /* since 6.10 */
	uint64_t seccomp;
	uint64_t ignored; /* signals, bit (signo - 1) */
	uint64_t caught;  /* all bits when it is not known */
};

int compel_proc_read(pid_t tid, struct compel_proc *ret_proc);

/* The largest hole between the mappings of @tid. */
int compel_gap_find(pid_t tid, struct compel_range *ret_gap, struct compel_error *err);

/* As compel_text_find() with the files of /proc/TID/maps. */
int compel_text_find_maps(pid_t tid, struct compel_text *text, struct compel_error *err);

/* Digits of @base 10 or 16 at *@p, which moves behind them. False when there are none. */
bool compel_parse_u64(const char **p, unsigned int base, uint64_t *ret_value);

#endif /* CRIB_COMPEL_INTERNAL_H */
