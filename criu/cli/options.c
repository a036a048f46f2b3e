// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of options, see options.h. Names, letters and arguments are those of criu 4.2.
 */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/options.h"

enum {
	D = CMD_BIT(CMD_DUMP),
	R = CMD_BIT(CMD_RESTORE),
	C = CMD_BIT(CMD_CHECK),
	I = CMD_BIT(CMD_INSPECT),
	B = CMD_BIT(CMD_BPF),
	P = CMD_BIT(CMD_PRE_DUMP),
	S = CMD_BIT(CMD_PAGE_SERVER) | CMD_BIT(CMD_SERVICE) | CMD_BIT(CMD_LAZY_PAGES),
	ALL = CMD_ALL,
};

#define FIELD(f) .offset = offsetof(struct opts, f)
#define BOOL(f)  .type = OPT_BOOL, FIELD(f)
#define CALL(fn) .type = OPT_CALL, .set = (fn)

#define NO_EFFECT(opt_name, opt_commands, opt_note)                                                \
	.name = (opt_name), .commands = (opt_commands), .status = OPT_NO_EFFECT, .note = (opt_note)
#define NOT_YET(opt_name, opt_commands, opt_note)                                                  \
	.name = (opt_name), .commands = (opt_commands), .status = OPT_NOT_YET, .note = (opt_note)

#define NO_NETWORK   "there are no sockets in what crib dumps yet"
#define NO_MOUNTS    "mount namespaces cannot be dumped yet"
#define NO_NETNS     "network namespaces cannot be dumped yet"
#define NO_CGROUPS   "cgroups are left alone"
#define NO_SERVER    "there is no server that it would apply to"
#define NO_IRMAP     "inotify and fanotify cannot be dumped yet"
#define NO_INCREMENT "incremental dumps are missing, dump in full"

const char *const option_group_titles[GROUP_MAX] = {
	[GROUP_GENERIC] = "What to dump and restore",
	[GROUP_OUTSIDE] = "What the tree shares with the world outside",
	[GROUP_CHECKS] = "What must be the same at restore",
	[GROUP_ENGINE] = "How crib works (not in criu)",
	[GROUP_LOGGING] = "Logging",
	[GROUP_CHECK] = "Check",
	[GROUP_CONFIG] = "Configuration files",
	[GROUP_OTHER] = "Other",
};

/* clang-format off */
const struct option_desc option_table[] = {
	{ .name = "tree", .letter = 't', .arg_name = "PID", .type = OPT_PID, FIELD(tree_pid),
	  .values = "@pid", .commands = D | I | P,
	  .help = "the process tree: this process and all its descendants" },
	{ .name = "images-dir", .letter = 'D', .arg_name = "DIR", .type = OPT_STRING,
	  FIELD(images_dir), .values = "@dir", .commands = ALL & ~(C | B),
	  .help = "directory of the image files (default: the current one)" },
	{ .name = "work-dir", .letter = 'W', .arg_name = "DIR", .type = OPT_STRING,
	  FIELD(work_dir), .values = "@dir", .commands = ALL & ~I,
	  .help = "directory of log, pidfile and statistics, where action scripts run (default: "
		  "that of --images-dir)" },
	{ .name = "leave-running", .letter = 'R', CALL(value_set_leave_running), .commands = D,
	  .help = "let the tree run on after the dump instead of killing it; images and the "
		  "files that the tree changes from then on may not fit together" },
	{ .name = "leave-stopped", .letter = 's', CALL(value_set_leave_stopped),
	  .commands = D | R,
	  .help = "leave the tree stopped after the dump or the restore; SIGCONT lets it run" },
	{ .name = "restore-detached", .letter = 'd', .negatable = true, BOOL(restore_detached),
	  .commands = R,
	  .help = "end when the tree runs; without it, crib stays its parent and ends with it" },
	{ .name = "daemon", .negatable = true, BOOL(restore_detached), .commands = R | S,
	  .help = "another name of --restore-detached" },
	{ .name = "restore-sibling", .letter = 'S', .negatable = true, BOOL(restore_sibling),
	  .commands = R,
	  .help = "make the tree a child of the process that called crib; needs "
		  "--restore-detached" },
	{ .name = "pidfile", .arg_name = "FILE", .type = OPT_STRING, FIELD(pidfile),
	  .values = "@file", .commands = R | S,
	  .help = "write the pid of the restored root task to FILE, which must not exist" },
	{ .name = "status-fd", .arg_name = "FD", .type = OPT_FD, FIELD(status_fd),
	  .commands = D | R | S,
	  .help = "write one zero byte to descriptor FD and close it once the dump is complete "
		  "or the restored tree runs" },
	{ .name = "root", .letter = 'r', .arg_name = "PATH", .type = OPT_STRING, FIELD(root),
	  .values = "@dir", .commands = R,
	  .help = "look up the files of the tree below PATH instead of /" },
	{ .name = "timeout", .arg_name = "SECONDS", .type = OPT_UINT, FIELD(timeout),
	  .commands = D | R | P,
	  .help = "give up when a phase of dump or restore takes longer (default: 10 for "
		  "stopping the tree, no limit for the others; 0: never)" },
	{ .name = "action-script", .arg_name = "FILE", CALL(value_set_action_script),
	  .values = "@file", .commands = D | R | P,
	  .help = "program to run at every stage, see ACTION SCRIPTS in the man page; may be "
		  "given several times" },
	{ .name = "close", .arg_name = "FD", CALL(value_set_close), .commands = ALL,
	  .help = "close descriptor FD before anything else; may be given several times" },
	{ .name = "display-stats", .negatable = true, BOOL(display_stats), .commands = D | R | P,
	  .help = "print the statistics at the end, which stats-dump and stats-restore hold "
		  "too" },

	{ .name = "shell-job", .letter = 'j', .negatable = true, BOOL(shell_job),
	  .commands = D | R | I | P, .group = GROUP_OUTSIDE,
	  .help = "the tree is a job of a shell: its session, process group and terminal are "
		  "replaced by crib's own at restore; needed at both dump and restore" },
	{ .name = "external", .arg_name = "TYPE[ID]:VALUE", CALL(value_set_external),
	  .commands = D | R | I | P, .group = GROUP_OUTSIDE,
	  .help = "an object that is not dumped and is given anew at restore, see EXTERNAL "
		  "RESOURCES in the man page; may be given several times" },
	{ .name = "inherit-fd", .arg_name = "fd[FD]:RESOURCE", CALL(value_set_inherit_fd),
	  .commands = R, .group = GROUP_OUTSIDE,
	  .help = "let crib's descriptor FD take the place of RESOURCE: tty[RDEV:DEV], "
		  "pipe[INODE], socket[INODE], file[MNT_ID:INODE] or a path; may be given "
		  "several times" },
	{ .name = "file-locks", .letter = 'l', .negatable = true, BOOL(file_locks),
	  .commands = D | R | I | P, .group = GROUP_OUTSIDE,
	  .help = "dump and restore file locks; safe only when no process outside of the tree "
		  "wants the same locks" },
	{ .name = "link-remap", .negatable = true, BOOL(link_remap), .commands = D | R | I | P,
	  .group = GROUP_OUTSIDE,
	  .help = "give a deleted file that has other names a temporary one beside its old "
		  "one, until a restore has succeeded" },
	{ .name = "ghost-limit", .arg_name = "SIZE", .type = OPT_SIZE, FIELD(ghost_limit),
	  .commands = D | I | P, .group = GROUP_OUTSIDE,
	  .help = "largest deleted file whose content goes into the images, with K, M or G "
		  "(default: 1M)" },
	{ .name = "evasive-devices", .negatable = true, BOOL(evasive_devices),
	  .commands = D | R | I | P, .group = GROUP_OUTSIDE,
	  .help = "use any device node of the same number when the one that was opened is gone" },

	{ .name = "cpu-cap", .arg_name = "[CAP,..]", CALL(value_set_cpu_cap),
	  .values = "all cpu fpu ins none", .commands = D | R, .group = GROUP_CHECKS,
	  .help = "what of the processor must be the same: cpu (exactly), ins (instructions), "
		  "fpu, all, none; ^CAP takes one away (default: fpu,ins; without CAP: all)" },
	{ .name = "file-validation", .arg_name = "METHOD", .type = OPT_ENUM,
	  FIELD(file_validation), .values = "filesize buildid", .commands = D | R,
	  .group = GROUP_CHECKS,
	  .help = "how an opened file is known to be the same: filesize, or buildid (default), "
		  "which also compares the build id of ELF files" },
	{ .name = "skip-file-rwx-check", .negatable = true, BOOL(skip_file_rwx_check),
	  .commands = R, .group = GROUP_CHECKS,
	  .help = "accept opened files whose permissions are not those of the dump" },

	{ .name = "engine", .own = true, .arg_name = "SPEC", CALL(value_set_engine),
	  .values = "auto bpf proc", .commands = D | C | I, .group = GROUP_ENGINE,
	  .help = "what reads the kernel: auto (default), bpf or proc, and per kind of record, "
		  "as in bpf,fds=proc, of tasks, threads, mm, fds; with check: whether this "
		  "engine works" },
	{ .name = "btf", .own = true, .arg_name = "FILE", .type = OPT_STRING, FIELD(btf),
	  .values = "@file", .commands = D | C | I | B, .group = GROUP_ENGINE,
	  .help = "load the BPF programs with the type information of the running kernel in "
		  "FILE, for a kernel that does not offer its own: BTF, whole or cut, or an ELF "
		  "file such as vmlinux" },
	{ .name = "no-pin", .own = true, BOOL(no_pin), .commands = D | C | I,
	  .group = GROUP_ENGINE,
	  .help = "neither use BPF programs that an earlier crib left in the kernel nor leave "
		  "any there" },
	{ .name = "no-parasite", .own = true, BOOL(no_parasite), .commands = D | I,
	  .group = GROUP_ENGINE,
	  .help = "run no system call in the tree: what the BPF engine and ptrace do not see is "
		  "refused; needs the BPF engine" },
	{ .name = "compat", .own = true, .arg_name = "TOOL", .type = OPT_ENUM, FIELD(compat),
	  .values = "none criu", .commands = D, .group = GROUP_ENGINE,
	  .help = "criu: store a page that several tasks share once for each, so that criu can "
		  "restore the images" },
	{ .name = "show-plan", .own = true, BOOL(show_plan), .commands = R,
	  .group = GROUP_ENGINE,
	  .help = "print the steps of the restore and end without taking any" },
	{ .name = "json", .own = true, BOOL(json), .commands = I, .group = GROUP_ENGINE,
	  .help = "print JSON instead of text" },

	{ .name = "log-file", .letter = 'o', .arg_name = "FILE", .type = OPT_STRING,
	  FIELD(log_file), .values = "@file", .commands = ALL, .group = GROUP_LOGGING,
	  .help = "log into FILE in the work directory (default: standard error)" },
	{ .name = "verbosity", .letter = 'v', .arg_name = "[NUM]", CALL(value_set_verbosity),
	  .commands = ALL, .group = GROUP_LOGGING,
	  .help = "log more (-v, -vv), or exactly: 0 nothing, 1 errors, 2 warnings (default), 3 "
		  "information and time, 4 everything" },
	{ .name = "log-pid", .negatable = true, BOOL(log_pid), .commands = R,
	  .group = GROUP_LOGGING,
	  .help = "give each restored task a log of its own, FILE.PID" },

	{ .name = "feature", .arg_name = "NAME", .type = OPT_STRING, FIELD(feature),
	  .values = "@feature", .commands = C, .group = GROUP_CHECK,
	  .help = "check this feature only; NAME \"list\" lists all of them" },
	{ .name = "extra", .negatable = true, BOOL(check_extra), .commands = C,
	  .group = GROUP_CHECK,
	  .help = "check also what only some trees need" },
	{ .name = "experimental", .negatable = true, BOOL(check_experimental), .commands = C,
	  .group = GROUP_CHECK,
	  .help = "check also what only crib's experiments need" },
	{ .name = "all", CALL(value_set_check_all), .commands = C, .group = GROUP_CHECK,
	  .help = "the same as --extra --experimental" },

	{ .name = "config", .arg_name = "FILE", .type = OPT_STRING, FIELD(config_file),
	  .values = "@file", .commands = ALL, .group = GROUP_CONFIG,
	  .help = "read options from FILE too" },
	{ .name = "no-default-config", BOOL(no_default_config), .commands = ALL,
	  .group = GROUP_CONFIG,
	  .help = "do not read /etc/criu/default.conf and ~/.criu/default.conf" },

	{ .name = "help", .letter = 'h', BOOL(help), .commands = ALL, .group = GROUP_OTHER,
	  .help = "show this text; after a command, only its options" },
	{ .name = "version", .letter = 'V', BOOL(version), .commands = ALL,
	  .group = GROUP_OTHER, .help = "show the version" },

	/* What crib cannot do yet: refused before any effect. */
	{ NOT_YET("manage-cgroups", D | R, NO_CGROUPS ", put the tree into its cgroup by hand"),
	  .arg_name = "[MODE]", .values = "none props soft full strict ignore",
	  .harmless = "ignore" },
	{ NOT_YET("join-ns", R, "enter the namespace with nsenter(1) and restore there"),
	  .letter = 'J', .arg_name = "NS:TARGET" },
	{ NOT_YET("lsm-profile", R, "profiles of security modules cannot be restored"),
	  .arg_name = "TYPE:NAME" },
	{ NOT_YET("exec-cmd", R, "call the command yourself after crib restore -d") },
	{ NOT_YET("lazy-pages", D | R | S, "memory is always restored whole") },
	{ NOT_YET("page-server", D | P, "dump into a directory and copy it"),
	  .negatable = true },
	{ NOT_YET("stream", D | R, "images can be in a directory only"), .negatable = true },
	{ NOT_YET("prev-images-dir", D | P, NO_INCREMENT), .arg_name = "DIR", .values = "@dir" },
	{ NOT_YET("track-mem", D | P, NO_INCREMENT), .negatable = true },
	{ NOT_YET("auto-dedup", D | R | P, "images are never changed"), .negatable = true },
	{ NOT_YET("ms", C, "criu dropped it too, use --extra") },

	/* What changes nothing for the trees that can be dumped. */
	{ NO_EFFECT("address", S | D, NO_SERVER), .arg_name = "ADDRESS" },
	{ NO_EFFECT("port", S | D, NO_SERVER), .arg_name = "PORT" },
	{ NO_EFFECT("ps-socket", S | D, NO_SERVER), .arg_name = "FD" },
	{ NO_EFFECT("tls", S | D, NO_SERVER), .negatable = true },
	{ NO_EFFECT("tls-cacert", S | D, NO_SERVER), .arg_name = "FILE", .values = "@file" },
	{ NO_EFFECT("tls-cacrl", S | D, NO_SERVER), .arg_name = "FILE", .values = "@file" },
	{ NO_EFFECT("tls-cert", S | D, NO_SERVER), .arg_name = "FILE", .values = "@file" },
	{ NO_EFFECT("tls-key", S | D, NO_SERVER), .arg_name = "FILE", .values = "@file" },
	{ NO_EFFECT("tls-no-cn-verify", S | D, NO_SERVER) },
	{ NO_EFFECT("tcp-established", D | R, NO_NETWORK), .negatable = true },
	{ NO_EFFECT("tcp-close", D | R, NO_NETWORK), .negatable = true },
	{ NO_EFFECT("skip-in-flight", D, NO_NETWORK), .negatable = true },
	{ NO_EFFECT("network-lock", D | R, NO_NETWORK), .arg_name = "METHOD",
	  .values = "iptables nftables skip" },
	{ NO_EFFECT("ext-unix-sk", D | R, NO_NETWORK), .letter = 'x', .arg_name = "[INODE,..]" },
	{ NO_EFFECT("empty-ns", D | R, NO_NETNS), .arg_name = "NS", .values = "net" },
	{ NO_EFFECT("veth-pair", R, NO_NETNS), .arg_name = "IN=OUT" },
	{ NO_EFFECT("weak-sysctls", R, NO_NETNS), .negatable = true },
	{ NO_EFFECT("ext-mount-map", D | R, NO_MOUNTS), .letter = 'M', .arg_name = "KEY:VALUE" },
	{ NO_EFFECT("enable-external-sharing", D, NO_MOUNTS) },
	{ NO_EFFECT("enable-external-masters", D, NO_MOUNTS) },
	{ NO_EFFECT("enable-fs", D | R, NO_MOUNTS), .arg_name = "NAME,.." },
	{ NO_EFFECT("skip-mnt", D | R, NO_MOUNTS), .arg_name = "PATH" },
	{ NO_EFFECT("mntns-compat-mode", R, NO_MOUNTS), .negatable = true },
	{ NO_EFFECT("lsm-mount-context", R, NO_MOUNTS), .arg_name = "CONTEXT" },
	{ NO_EFFECT("cgroup-root", D | R, NO_CGROUPS), .arg_name = "[CONTROLLER:]/PATH" },
	{ NO_EFFECT("cgroup-props", D | R, NO_CGROUPS), .arg_name = "TEXT" },
	{ NO_EFFECT("cgroup-props-file", D | R, NO_CGROUPS), .arg_name = "FILE",
	  .values = "@file" },
	{ NO_EFFECT("cgroup-dump-controller", D | R, NO_CGROUPS), .arg_name = "NAME" },
	{ NO_EFFECT("cgroup-yard", D | R, NO_CGROUPS), .arg_name = "DIR", .values = "@dir" },
	{ NO_EFFECT("freeze-cgroup", D, "crib stops tasks with ptrace"), .arg_name = "PATH" },
	{ NO_EFFECT("force-irmap", D, NO_IRMAP), .negatable = true },
	{ NO_EFFECT("irmap-scan-path", D, NO_IRMAP), .arg_name = "PATH" },
	{ NO_EFFECT("ghost-fiemap", D, "holes are found anyway"), .negatable = true },
	{ NO_EFFECT("allow-uprobes", D | R, "probes are not part of the images"),
	  .negatable = true },
	{ NO_EFFECT("pre-dump-mode", P, "there is no pre-dump yet"), .arg_name = "MODE",
	  .values = "splice read" },
	{ NO_EFFECT("libdir", D | R, "there are no plugins"), .letter = 'L', .arg_name = "DIR",
	  .values = "@dir" },
	{ NO_EFFECT("unprivileged", ALL, "crib always does with the capabilities that it has"),
	  .negatable = true },
	{ NO_EFFECT("deprecated", ALL, "no option is kept behind it"), .negatable = true },
};
/* clang-format on */

const size_t option_count = ARRAY_SIZE(option_table);

bool option_arg_is_optional(const struct option_desc *desc)
{
	size_t len = desc->arg_name ? strlen(desc->arg_name) : 0;

	/* "[X]", but not "[X:]Y" */
	return len && desc->arg_name[0] == '[' && desc->arg_name[len - 1] == ']';
}

bool option_is_for_argv(const struct option_desc *desc)
{
	return desc->group == GROUP_CONFIG || desc->group == GROUP_OTHER;
}

/* True when @name is the beginning of what @desc is called, as --no-NAME when @negated. */
static bool name_matches(const struct option_desc *desc, bool negated, const char *name, size_t len,
			 bool *ret_exact)
{
	size_t full = strlen(desc->name);

	if (negated) {
		if (!desc->negatable || strncmp(name, "no-", len < 3 ? len : 3))
			return false;
		name += len < 3 ? len : 3;
		len -= len < 3 ? len : 3;
	}
	*ret_exact = len == full && !strncmp(name, desc->name, len);
	return len <= full && !strncmp(name, desc->name, len);
}

const struct option_desc *option_find(const char *name, size_t len, bool abbreviated,
				      bool *ret_negated, struct err *err)
{
	_cleanup_strbuf_ struct strbuf candidates = { 0 };
	const struct option_desc *found = NULL;
	unsigned int matches = 0;

	for (size_t i = 0; i < option_count * 2; i++) {
		const struct option_desc *desc = &option_table[i / 2];
		bool negated = i % 2, exact;

		if (!name_matches(desc, negated, name, len, &exact))
			continue;
		if (!exact && (!abbreviated || desc->own))
			continue;
		found = desc;
		*ret_negated = negated;
		if (exact)
			return found;
		matches++;
		strbuf_printf(&candidates, " --%s%s", negated ? "no-" : "", desc->name);
	}
	if (matches == 1)
		return found;
	if (matches)
		err_set(err, -EINVAL, "option '--%.*s' is ambiguous:%s", (int)len, name,
			strbuf_str(&candidates));
	else
		err_set(err, -EINVAL, "unknown option '--%.*s', see crib --help", (int)len, name);
	return NULL;
}

const struct option_desc *option_find_letter(char letter)
{
	for (size_t i = 0; i < option_count; i++) {
		if (letter && option_table[i].letter == letter)
			return &option_table[i];
	}
	return NULL;
}

bool option_value_index(const char *values, const char *word, int *ret_index)
{
	size_t len = strlen(word);

	for (int i = 0; *values; i++) {
		size_t end = strcspn(values, " ");

		if (end == len && !strncmp(values, word, len)) {
			*ret_index = i;
			return true;
		}
		values += end;
		values += strspn(values, " ");
	}
	return false;
}
