/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The secure bits, some of them locked, and what they do: a change of user keeps capabilities.
 */
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "caps.h"
#include "zdtm.h"

int main(void)
{
	unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			     SECBIT_KEEP_CAPS | SECBIT_NO_CAP_AMBIENT_RAISE;
	caps_need(CAP_BIT(CAP_SETPCAP) | CAP_BIT(CAP_SETUID));
	zdtm_assert(!prctl(PR_SET_SECUREBITS, bits));
	zdtm_ready();
	zdtm_assert_eq(prctl(PR_GET_SECUREBITS), bits);
	zdtm_assert_eq(prctl(PR_GET_KEEPCAPS), 1);
	struct caps before = caps_get();
	zdtm_assert(!setresuid(30001, 30001, 30001));
	caps_check(before);
	zdtm_pass();
}
