/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes behind the feature table, and what they share. Each is 0 when the kernel can do it and
 * a described -errno otherwise.
 */
#ifndef CRIB_KERNEL_PROBE_H
#define CRIB_KERNEL_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

typedef int probe_fn(struct err *err);

/*
 * Runs @fn in a child that has unshared @namespaces (CLONE_NEW*, 0: none) and dies with crib or
 * after some seconds. With CLONE_NEWNS its mounts are private. Returns what @fn returned.
 */
int probe_in_child(int namespaces, probe_fn *fn, struct err *err);

/*
 * Runs @fn on a stopped, seized child, which ran @prepare (may be NULL) before, with ptrace
 * @options. The child is killed afterwards.
 */
int probe_tracee(int (*prepare)(void), uintptr_t options, int (*fn)(pid_t pid, struct err *err),
		 struct err *err);

/* 0 when @path exists; its absence is described as "'PATH' is missing". */
int probe_path(const char *path, struct err *err);

/* 0 when /proc/self/fdinfo of @fd has a line that begins with @key. */
int probe_fdinfo(int fd, const char *key, struct err *err);

/* One touched page of private anonymous memory, NULL with @err. */
void *probe_page(struct err *err);

probe_fn probe_ptrace_seize, probe_ptrace_peek, probe_seccomp_suspend, probe_seccomp_filters,
	probe_rseq_conf, probe_clone3_set_tid, probe_pidfd, probe_kcmp_epoll, probe_prctl_mm_map,
	probe_proc_children, probe_posix_timers, probe_timer_cr_ids, probe_loginuid, probe_ns_pid,
	probe_userns, probe_cgroupns, probe_timens, probe_compat_cr, probe_map_vdso,
	probe_breakpoints;

probe_fn probe_pagemap, probe_pagemap_scan, probe_pagemap_guard, probe_madv_guard,
	probe_dirty_track, probe_process_vm, probe_memfd, probe_memfd_hugetlb, probe_uffd,
	probe_uffd_noncoop, probe_aio_remap;

probe_fn probe_map_files, probe_mnt_id, probe_fdinfo_lock, probe_timerfd, probe_openat2,
	probe_apparmor_stacking, probe_autofs, probe_overlayfs_maps, probe_move_mount_set_group;

probe_fn probe_tun, probe_tun_ns, probe_tcp_half_closed, probe_sk_ns, probe_sk_unix_file,
	probe_net_diag_raw, probe_nsid, probe_link_nsid, probe_newifindex, probe_nftables,
	probe_network_lock_nftables, probe_ipt_legacy, probe_sockopt_buf_lock, probe_ipv6_freebind,
	probe_external_net_ns;

#endif /* CRIB_KERNEL_PROBE_H */
