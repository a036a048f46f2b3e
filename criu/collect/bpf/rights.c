// SPDX-License-Identifier: GPL-2.0-only
/*
 * Missing rights, see rights.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "collect/bpf/rights.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38 /* Linux 5.8 */
#define CAP_BPF     39
#endif

static bool has(uint64_t capabilities, int cap)
{
	/* who administrates may do both */
	return capabilities & (1ULL << cap | 1ULL << CAP_SYS_ADMIN);
}

/* "0 0 4294967295": that of the user namespace in which capabilities count. */
static bool is_initial(const char *uid_map)
{
	uint64_t numbers[3] = { 0 };

	for (int i = 0; i < 3; i++) {
		scan_blanks(&uid_map);
		if (!scan_u64(&uid_map, &numbers[i]))
			return false;
	}
	return numbers[0] == 0 && numbers[1] == 0 && numbers[2] == UINT32_MAX;
}

int bpf_rights_missing_in(uint64_t capabilities, const char *lockdown, const char *uid_map,
			  struct err *err)
{
	bool bpf = has(capabilities, CAP_BPF), perfmon = has(capabilities, CAP_PERFMON);

	if (!bpf || !perfmon)
		return err_set(err, -EPERM, "BPF programs need %s%s%s, which crib has not got",
			       bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : " and ",
			       perfmon ? "" : "CAP_PERFMON");
	if (strstr(lockdown, "[confidentiality]"))
		return err_set(err, -EPERM,
			       "the kernel is locked down (confidentiality): BPF programs may not "
			       "read its memory");
	if (!is_initial(uid_map))
		return err_set(err, -EPERM,
			       "BPF programs need CAP_BPF and CAP_PERFMON in the initial user "
			       "namespace, and crib is in another one");
	return 0;
}

int bpf_rights_missing(struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	_cleanup_strbuf_ struct strbuf lockdown = { 0 }, uid_map = { 0 };

	if (syscall(SYS_capget, &header, data) < 0 ||
	    io_read_file(AT_FDCWD, "/proc/self/uid_map", &uid_map) < 0)
		return 0;
	/* a kernel without this file is never locked down, or does not tell */
	if (io_read_file(AT_FDCWD, "/sys/kernel/security/lockdown", &lockdown) < 0)
		strbuf_reset(&lockdown);
	return bpf_rights_missing_in((uint64_t)data[1].effective << 32 | data[0].effective,
				     strbuf_str(&lockdown), strbuf_str(&uid_map), err);
}
