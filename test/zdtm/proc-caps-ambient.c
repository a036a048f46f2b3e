/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A user that is not root has capabilities, and ambient ones among them.
 */
#include <sys/prctl.h>
#include <unistd.h>

#include "caps.h"
#include "zdtm.h"

int main(void)
{
	struct caps caps = {
		.effective = CAP_BIT(CAP_NET_RAW),
		.permitted = CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_CHOWN),
		.inheritable = CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_NET_ADMIN),
	};
	caps_need(caps.permitted | CAP_BIT(CAP_SETUID));
	zdtm_assert(!prctl(PR_SET_KEEPCAPS, 1));
	zdtm_assert(!setresuid(30001, 30001, 30001));
	caps_set(caps);
	zdtm_assert(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0));
	zdtm_ready();
	caps_check(caps);
	zdtm_assert_eq(getuid(), 30001);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		zdtm_assert_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0),
			       cap == CAP_NET_ADMIN);
	zdtm_pass();
}
