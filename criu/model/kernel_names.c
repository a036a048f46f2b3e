// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of the kernel in words, see kernel_names.h.
 */
#include <string.h>

#include "base/array.h"
#include "model/kernel_names.h"

/* The first that a name begins with. */
static const struct {
	const char *prefix, *words;
} names[] = {
	{ "socket:[", "a socket" },
	{ "pipe:[", "a pipe" },
	{ "pidfd:[", "a pidfd" },
	{ "anon_inode:[pidfd]", "a pidfd" },
	{ "anon_inode:inotify", "an inotify instance" },
	{ "anon_inode:[fanotify]", "a fanotify group" },
	{ "anon_inode:[perf_event]", "a performance counter" },
	{ "anon_inode:bpf", "a BPF object" },
	{ "anon_inode:btf", "a BPF object" },
	{ "anon_inode:[io_uring]", "an io_uring" },
	{ "anon_inode:[userfaultfd]", "a userfaultfd" },
	{ "anon_inode:[landlock-ruleset]", "a Landlock ruleset" },
	{ "anon_inode:[fscontext]", "a file system that is about to be mounted" },
	{ "anon_inode:seccomp notify", "a listener of seccomp filters" },
	{ "anon_inode:kvm", "a virtual machine of KVM" },
	{ "net:[", "a network namespace" },
	{ "cgroup:[", "a namespace" },
	{ "ipc:[", "a namespace" },
	{ "mnt:[", "a namespace" },
	{ "pid:[", "a namespace" },
	{ "time:[", "a namespace" },
	{ "user:[", "a namespace" },
	{ "uts:[", "a namespace" },
};

const char *kernel_name_words(const char *name, size_t len)
{
	if (len && name[0] == '/')
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t prefix = strlen(names[i].prefix);

		if (len >= prefix && !memcmp(name, names[i].prefix, prefix))
			return names[i].words;
	}
	return "an object of the kernel";
}
