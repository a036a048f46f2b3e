/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities by capget() and capset().
 */
#include "caps.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

struct caps caps_get(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	zdtm_assert(!syscall(SYS_capget, &header, data));
	return (struct caps){
		.effective = data[0].effective | (uint64_t)data[1].effective << 32,
		.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
		.inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32,
	};
}

void caps_set(struct caps caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(caps.effective >> 32 * i);
		data[i].permitted = (uint32_t)(caps.permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(caps.inheritable >> 32 * i);
	}
	zdtm_assert(!syscall(SYS_capset, &header, data));
}

void caps_need(uint64_t mask)
{
	uint64_t missing = mask & ~caps_get().permitted;
	if (missing)
		zdtm_skip("capabilities %#llx are missing", (unsigned long long)missing);
}

void caps_check(struct caps expected)
{
	struct caps now = caps_get();
	zdtm_assert_eq(now.effective, expected.effective);
	zdtm_assert_eq(now.permitted, expected.permitted);
	zdtm_assert_eq(now.inheritable, expected.inheritable);
}
