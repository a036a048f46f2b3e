/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BPF map is refused in words, and goes on working.
 */
/* refused: BPF object */
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

static long map_element(int cmd, int fd, uint32_t key, uint64_t *value)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	return syscall(SYS_bpf, cmd, &attr, sizeof(attr));
}

int main(void)
{
	union bpf_attr attr;
	uint64_t value = 4711;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(value);
	attr.max_entries = 2;
	int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		zdtm_skip("no BPF maps: %m");
	zdtm_assert(!map_element(BPF_MAP_UPDATE_ELEM, fd, 1, &value));

	zdtm_ready();

	value = 0;
	zdtm_assert(!map_element(BPF_MAP_LOOKUP_ELEM, fd, 1, &value));
	zdtm_assert_eq(value, 4711);
	zdtm_pass();
}
