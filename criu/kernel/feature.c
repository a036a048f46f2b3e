// SPDX-License-Identifier: GPL-2.0-only
/*
 * The feature table, see feature.h. Names up to criu 4.2's; the first block is crib's own.
 */
#include <string.h>

#include "kernel/feature.h"
#include "kernel/probe.h"

const struct feature feature_table[] = {
	{ "ptrace_seize", FEATURE_REQUIRED, probe_ptrace_seize, "stopping tasks" },
	{ "ptrace_peek", FEATURE_REQUIRED, probe_ptrace_peek, "pending signals, signal masks" },
	{ "pagemap", FEATURE_REQUIRED, probe_pagemap, "finding used memory" },
	{ "map_files", FEATURE_REQUIRED, probe_map_files, "deleted files that are mapped" },
	{ "process_vm", FEATURE_REQUIRED, probe_process_vm, "reading memory" },
	{ "memfd", FEATURE_REQUIRED, probe_memfd, "running code inside of tasks" },
	{ "pidfd_store", FEATURE_REQUIRED, probe_pidfd, "addressing tasks, copying descriptors" },
	{ "clone3_set_tid", FEATURE_REQUIRED, probe_clone3_set_tid, "restoring pids" },
	{ "mnt_id", FEATURE_REQUIRED, probe_mnt_id, "finding the mount of an opened file" },

	{ "prctl_mm_map", FEATURE_EXTRA, probe_prctl_mm_map, "heap limits, argv, auxv, exe link" },
	{ "proc_children", FEATURE_EXTRA, probe_proc_children, "fast finding of child tasks" },
	{ "posix_timers", FEATURE_EXTRA, probe_posix_timers, "POSIX timers" },
	{ "timer_cr_ids", FEATURE_EXTRA, probe_timer_cr_ids, "fast restore of POSIX timers" },
	{ "timerfd", FEATURE_EXTRA, probe_timerfd, "timerfd descriptors" },
	{ "kcmp_epoll", FEATURE_EXTRA, probe_kcmp_epoll, "epoll with duplicated descriptors" },
	{ "fdinfo_lock", FEATURE_EXTRA, probe_fdinfo_lock, "file locks" },
	{ "get_rseq_conf", FEATURE_EXTRA, probe_rseq_conf, "restartable sequences" },
	{ "seccomp_suspend", FEATURE_EXTRA, probe_seccomp_suspend, "tasks with seccomp filters" },
	{ "seccomp_filters", FEATURE_EXTRA, probe_seccomp_filters, "tasks with seccomp filters" },
	{ "pagemap_scan", FEATURE_EXTRA, probe_pagemap_scan, "fast finding of used memory" },
	{ "pagemap_scan_guard_pages", FEATURE_EXTRA, probe_pagemap_guard, "guard pages" },
	{ "madv_guard", FEATURE_EXTRA, probe_madv_guard, "guard pages" },
	{ "memfd_hugetlb", FEATURE_EXTRA, probe_memfd_hugetlb, "memfds in huge pages" },
	{ "ns_pid", FEATURE_EXTRA, probe_ns_pid, "tasks in pid namespaces" },
	{ "loginuid", FEATURE_EXTRA, probe_loginuid, "the audit login uid" },
	{ "openat2", FEATURE_EXTRA, probe_openat2, "opening files below --root" },
	{ "overlayfs_maps", FEATURE_EXTRA, probe_overlayfs_maps, "mapped files on overlayfs" },
	{ "mem_dirty_track", FEATURE_EXTRA, probe_dirty_track, "incremental dumps" },
	{ "aio_remap", FEATURE_EXTRA, probe_aio_remap, "AIO contexts" },
	{ "uffd", FEATURE_EXTRA, probe_uffd, "restoring pages on demand" },
	{ "uffd-noncoop", FEATURE_EXTRA, probe_uffd_noncoop, "restoring pages on demand" },
	{ "userns", FEATURE_EXTRA, probe_userns, "user namespaces" },
	{ "cgroupns", FEATURE_EXTRA, probe_cgroupns, "cgroup namespaces" },
	{ "timens", FEATURE_EXTRA, probe_timens, "time namespaces" },
	{ "move_mount_set_group", FEATURE_EXTRA, probe_move_mount_set_group, "mount namespaces" },
	{ "tun", FEATURE_EXTRA, probe_tun, "tun and tap devices" },
	{ "tun_ns", FEATURE_EXTRA, probe_tun_ns, "tun devices of other network namespaces" },
	{ "tcp_half_closed", FEATURE_EXTRA, probe_tcp_half_closed, "half-closed connections" },
	{ "sk_ns", FEATURE_EXTRA, probe_sk_ns, "sockets of other network namespaces" },
	{ "sk_unix_file", FEATURE_EXTRA, probe_sk_unix_file, "bound unix sockets" },
	{ "sockopt_buf_lock", FEATURE_EXTRA, probe_sockopt_buf_lock, "fixed socket buffers" },
	{ "ipv6_freebind", FEATURE_EXTRA, probe_ipv6_freebind, "sockets of absent addresses" },
	{ "nsid", FEATURE_EXTRA, probe_nsid, "network namespaces" },
	{ "link_nsid", FEATURE_EXTRA, probe_link_nsid, "veth pairs across namespaces" },
	{ "newifindex", FEATURE_EXTRA, probe_newifindex, "moved network devices" },
	{ "nftables", FEATURE_EXTRA, probe_nftables, "firewall rules" },
	{ "network_lock_nftables", FEATURE_EXTRA, probe_network_lock_nftables,
	  "--network-lock nftables" },

	{ "compat_cr", FEATURE_NAMED, probe_compat_cr, "32-bit tasks" },
	{ "can_map_vdso", FEATURE_NAMED, probe_map_vdso, "32-bit tasks" },
	{ "net_diag_raw", FEATURE_NAMED, probe_net_diag_raw, "raw sockets" },
	{ "autofs", FEATURE_NAMED, probe_autofs, "autofs mounts" },
	{ "has_ipt_legacy", FEATURE_NAMED, probe_ipt_legacy, "--network-lock iptables" },
	{ "apparmor_stacking", FEATURE_NAMED, probe_apparmor_stacking, "AppArmor namespaces" },
	{ "external_net_ns", FEATURE_NAMED, probe_external_net_ns, "--external net[]" },
	{ "breakpoints", FEATURE_NAMED, probe_breakpoints, "nothing, crib does without" },
};

const size_t feature_count = ARRAY_SIZE(feature_table);

const struct feature *feature_find(const char *name)
{
	for (size_t i = 0; i < feature_count; i++) {
		if (!strcmp(feature_table[i].name, name))
			return &feature_table[i];
	}
	return NULL;
}
