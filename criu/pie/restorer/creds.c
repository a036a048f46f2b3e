// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials of one thread. The order keeps the capabilities that a later step needs.
 */
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#include "blob.h"

static long cap_get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return sys(__NR_capget, &header, data, 0, 0, 0);
}

static long cap_set(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return sys(__NR_capset, &header, data, 0, 0, 0);
}

/*
 * Capabilities stay when user ids change: by securebits, or where these may not be changed by the
 * older switch, which keeps the permitted set only.
 */
static long keep_caps(void)
{
	long bits = sys_prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (bits >= 0 &&
	    !sys_prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
		return 0;
	return sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/* What is permitted becomes effective again, and what the task inherits is set while all is. */
static long raise_caps(const struct restorer_creds *creds, int set_inheritable)
{
	struct __user_cap_data_struct data[2];
	long ret = cap_get(data);

	for (int i = 0; i < 2 && !ret; i++) {
		data[i].effective = data[i].permitted;
		if (set_inheritable)
			data[i].inheritable = (__u32)(creds->cap_inh >> (32 * i));
	}
	return ret ? ret : cap_set(data);
}

static long drop_bounding(__u64 keep)
{
	long ret = 0;

	for (unsigned int cap = 0; cap < 64 && !ret; cap++) {
		long has = sys_prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break; /* the kernel has no such capability */
		if (has && !(keep & (1ULL << cap)))
			ret = sys_prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	return ret;
}

static long set_gids(const struct restorer_creds *creds)
{
	long ret = sys(__NR_setresgid, creds->gid, creds->egid, creds->sgid, 0, 0);

	if (ret)
		return ret;
	sys(__NR_setfsgid, creds->fsgid, 0, 0, 0, 0);
	return sys(__NR_setfsgid, -1L, 0, 0, 0, 0) == (long)(int)creds->fsgid ? 0 : -BLOB_EPERM;
}

static long set_uids(const struct restorer_creds *creds)
{
	long ret = sys(__NR_setresuid, creds->uid, creds->euid, creds->suid, 0, 0);

	if (ret)
		return ret;
	sys(__NR_setfsuid, creds->fsuid, 0, 0, 0, 0);
	return sys(__NR_setfsuid, -1L, 0, 0, 0, 0) == (long)(int)creds->fsuid ? 0 : -BLOB_EPERM;
}

static long set_ambient(__u64 wanted)
{
	long ret = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

	for (unsigned int cap = 0; cap < 64 && !ret; cap++)
		if (wanted & (1ULL << cap))
			ret = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return ret;
}

static long set_caps(const struct restorer_creds *creds)
{
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].inheritable = (__u32)(creds->cap_inh >> (32 * i));
		data[i].permitted = (__u32)(creds->cap_prm >> (32 * i));
		data[i].effective = (__u32)(creds->cap_eff >> (32 * i));
	}
	return cap_set(data);
}

/* Without CAP_SETPCAP only the switch of keep_caps() can be set back. */
static long set_securebits(__u32 wanted)
{
	long now = sys_prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (now == (long)wanted)
		return 0;
	if (now >= 0 && ((__u32)now ^ wanted) == SECBIT_KEEP_CAPS)
		return sys_prctl(PR_SET_KEEPCAPS, !!(wanted & SECBIT_KEEP_CAPS), 0, 0, 0);
	return sys_prctl(PR_SET_SECUREBITS, wanted, 0, 0, 0);
}

/*
 * Inheritable capabilities may lie outside the bounding set, but only be raised inside it: first.
 * Ambient ones must be permitted and inheritable, and securebits may forbid them: before both
 * shrink. Securebits need CAP_SETPCAP: before the permitted set shrinks.
 */
long op_creds(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_creds *creds = at(ctx, op->arg[0]);
	__u32 set = creds->set;
	long ret = 0;

	if (set & RCREDS_GROUPS)
		ret = sys(__NR_setgroups, creds->nr_groups, at(ctx, creds->groups), 0, 0, 0);
	if (!ret && (set & RCREDS_GIDS))
		ret = set_gids(creds);
	if (!ret && (set & RCREDS_UIDS))
		ret = keep_caps();
	if (!ret && (set & RCREDS_CAPS))
		ret = raise_caps(creds, 1);
	if (!ret && (set & RCREDS_BOUND))
		ret = drop_bounding(creds->cap_bnd);
	if (!ret && (set & RCREDS_UIDS)) {
		ret = set_uids(creds);
		if (!ret)
			ret = raise_caps(creds, 0);
	}
	if (!ret && (set & RCREDS_AMB))
		ret = set_ambient(creds->cap_amb);
	if (!ret && (set & RCREDS_BITS))
		ret = set_securebits(creds->securebits);
	if (!ret && (set & RCREDS_CAPS))
		ret = set_caps(creds);
	if (!ret && (set & RCREDS_NNP))
		ret = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return ret;
}
