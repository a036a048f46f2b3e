/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Effective, permitted and inheritable capabilities, which all differ.
 */
#include "caps.h"
#include "zdtm.h"

int main(void)
{
	struct caps caps = {
		.effective = CAP_BIT(CAP_KILL) | CAP_BIT(CAP_MAC_ADMIN),
		.permitted = CAP_BIT(CAP_KILL) | CAP_BIT(CAP_MAC_ADMIN) | CAP_BIT(CAP_NET_RAW) |
			     CAP_BIT(CAP_SYSLOG),
		.inheritable = CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_WAKE_ALARM),
	};
	caps_need(caps.permitted | caps.inheritable);
	caps_set(caps);
	zdtm_ready();
	caps_check(caps);
	zdtm_pass();
}
