// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel features: every name of criu has an answer, every probe leaves no trace.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/feature.h"

static void every_feature_of_criu_is_known(void **state)
{
	/* clang-format off */
	static const char *const names[] = {
		"mnt_id", "mem_dirty_track", "aio_remap", "timerfd", "tun", "tun_ns", "userns",
		"fdinfo_lock", "seccomp_suspend", "seccomp_filters", "loginuid", "cgroupns",
		"autofs", "tcp_half_closed", "compat_cr", "uffd", "uffd-noncoop", "can_map_vdso",
		"sk_ns", "sk_unix_file", "net_diag_raw", "nsid", "link_nsid", "kcmp_epoll",
		"timens", "external_net_ns", "clone3_set_tid", "newifindex", "nftables",
		"has_ipt_legacy", "pidfd_store", "ns_pid", "apparmor_stacking",
		"network_lock_nftables", "sockopt_buf_lock", "memfd_hugetlb",
		"move_mount_set_group", "openat2", "get_rseq_conf", "ipv6_freebind",
		"pagemap_scan", "overlayfs_maps", "timer_cr_ids",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(feature_find(names[i]));
	assert_null(feature_find("list"));
	assert_null(feature_find(""));
}

static size_t count_entries(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	return n;
}

static void read_mounts(struct strbuf *mounts)
{
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/mountinfo", mounts), 0);
}

static void every_probe_answers_and_leaves_no_trace(void **state)
{
	_cleanup_strbuf_ struct strbuf before = { 0 }, after = { 0 };
	size_t fds = count_entries("/proc/self/fd");

	/* others may mount meanwhile; who may not unshare may not mount either */
	if (unshare(CLONE_NEWNS) == 0)
		assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	read_mounts(&before);
	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *feature = &feature_table[i];
		struct err err = ERR_INIT;
		int ret = feature->probe(&err);

		print_message("%s: %s\n", feature->name, ret ? err.text : "there");
		assert_true(ret <= 0);
		assert_int_equal(ret == 0, err.text[0] == '\0');
		assert_int_equal(count_entries("/proc/self/fd"), fds);
	}
	read_mounts(&after);
	assert_string_equal(strbuf_str(&before), strbuf_str(&after));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_feature_of_criu_is_known),
		cmocka_unit_test(every_probe_answers_and_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
