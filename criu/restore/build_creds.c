// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials of a thread in the restore program.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "restore/build_creds.h"

enum { CAP_WORD_BITS = 32 };

/* Words of 32 capabilities, lowest first. */
static uint64_t cap_set(const uint32_t *words, size_t n)
{
	uint64_t set = 0;

	for (size_t i = 0; i < n && i < sizeof(set) / sizeof(*words); i++)
		set |= (uint64_t)words[i] << (CAP_WORD_BITS * i);
	return set;
}

/* The bounding and the ambient set, and all capabilities that this kernel knows. */
static uint64_t read_single_caps(struct restorer_creds *own)
{
	uint64_t known = 0;

	for (unsigned int cap = 0; cap < 64; cap++) {
		int bound = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (bound < 0)
			break;
		known |= UINT64_C(1) << cap;
		if (bound)
			own->cap_bnd |= UINT64_C(1) << cap;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			own->cap_amb |= UINT64_C(1) << cap;
	}
	return known;
}

int builder_read_creds(struct builder *b)
{
	struct restorer_creds *own = &b->own_creds;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (getresuid(&own->uid, &own->euid, &own->suid) ||
	    getresgid(&own->gid, &own->egid, &own->sgid))
		return err_sys(b->err, "getresuid");
	own->fsuid = (uint32_t)setfsuid((uid_t)-1);
	own->fsgid = (uint32_t)setfsgid((gid_t)-1);
	if (syscall(SYS_capget, &header, data))
		return err_sys(b->err, "capget");
	for (int i = 0; i < 2; i++) {
		own->cap_inh |= (uint64_t)data[i].inheritable << (CAP_WORD_BITS * i);
		own->cap_prm |= (uint64_t)data[i].permitted << (CAP_WORD_BITS * i);
		own->cap_eff |= (uint64_t)data[i].effective << (CAP_WORD_BITS * i);
	}
	b->known_caps = read_single_caps(own);
	own->securebits = (uint32_t)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	return 0;
}

static int compare_groups(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* The kernel keeps groups sorted. */
static bool has_groups(const CredsEntry *entry, uint32_t *sorted)
{
	gid_t own[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, own);

	qsort(sorted, entry->n_groups, sizeof(*sorted), compare_groups);
	return n >= 0 && (size_t)n == entry->n_groups &&
	       (!n || !memcmp(own, sorted, (size_t)n * sizeof(*own)));
}

static void fill(struct restorer_creds *creds, const CredsEntry *entry, uint64_t known)
{
	*creds = (struct restorer_creds){
		.uid = entry->uid,
		.euid = entry->euid,
		.suid = entry->suid,
		.fsuid = entry->fsuid,
		.gid = entry->gid,
		.egid = entry->egid,
		.sgid = entry->sgid,
		.fsgid = entry->fsgid,
		.securebits = entry->secbits,
		.cap_inh = cap_set(entry->cap_inh, entry->n_cap_inh) & known,
		.cap_prm = cap_set(entry->cap_prm, entry->n_cap_prm) & known,
		.cap_eff = cap_set(entry->cap_eff, entry->n_cap_eff) & known,
		.cap_bnd = cap_set(entry->cap_bnd, entry->n_cap_bnd) & known,
		.cap_amb = cap_set(entry->cap_amb, entry->n_cap_amb) & known,
	};
}

static uint32_t find_differences(const struct restorer_creds *want,
				 const struct restorer_creds *own)
{
	uint32_t set = 0;

	if (memcmp(&want->uid, &own->uid, 4 * sizeof(want->uid)))
		set |= RCREDS_UIDS | RCREDS_CAPS | RCREDS_BITS;
	if (memcmp(&want->gid, &own->gid, 4 * sizeof(want->gid)))
		set |= RCREDS_GIDS;
	if (want->cap_inh != own->cap_inh || want->cap_prm != own->cap_prm ||
	    want->cap_eff != own->cap_eff)
		set |= RCREDS_CAPS;
	if (want->cap_bnd != own->cap_bnd)
		set |= RCREDS_BOUND;
	if (want->cap_amb != own->cap_amb)
		set |= RCREDS_AMB | RCREDS_CAPS;
	if (want->securebits != own->securebits)
		set |= RCREDS_BITS;
	return set;
}

int build_creds(struct builder *b, struct op_list *list, const struct thread *thread)
{
	const CredsEntry *entry = thread->core->thread_core->creds;
	struct restorer_creds want;

	/* Older images have one set of credentials for the process. */
	if (!entry)
		entry = b->task->threads.v[0].core->thread_core->creds;
	if (!entry)
		return err_set(b->err, -EBADMSG, "no credentials");
	fill(&want, entry, b->known_caps);
	want.set = find_differences(&want, &b->own_creds);
	uint32_t *groups = arena_memdup(&b->prog->arena, entry->groups,
					entry->n_groups * sizeof(*entry->groups));

	if (!has_groups(entry, groups)) {
		want.set |= RCREDS_GROUPS;
		want.nr_groups = (uint32_t)entry->n_groups;
		want.groups = (uint32_t)builder_data(b, groups, entry->n_groups * sizeof(*groups));
	}
	if (entry->no_new_privs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		want.set |= RCREDS_NNP;
	if (want.set)
		BUILDER_OP(b, list, ROP_CREDS, builder_data(b, &want, sizeof(want)));
	return 0;
}
