// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options: from argv, from configuration files, their defaults, and what is refused with which
 * words.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/parser.h"
#include "cli/usage.h"
#include "kernel/feature.h"
#include "target/script.h"

struct fixture {
	struct opts opts;
	struct err err;
	int ret;
	char dir[32]; /* $HOME during the test */
	char conf[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/crib-opts.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->conf, sizeof(f->conf), "%s/test.conf", f->dir);
	setenv("HOME", f->dir, 1);
	unsetenv("CRIU_CONFIG_FILE");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	opts_fini(&f->opts);
	unlink(f->conf);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* Parses "crib" and the arguments; a second call starts anew. */
static void parse_argv(struct fixture *f, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	opts_fini(&f->opts);
	f->err = ERR_INIT;
	f->ret = opts_parse(&f->opts, argc, argv, &f->err);
}

#define PARSE(f, ...) parse_argv(f, (char *[]){ "crib", "--no-default-config", __VA_ARGS__, NULL })

/* A dump with these further arguments, which must succeed. */
#define PARSE_DUMP(f, ...)                                                                         \
	do {                                                                                       \
		PARSE(f, "dump", "-t", "7", __VA_ARGS__);                                          \
		assert_string_equal((f)->err.text, "");                                            \
		assert_int_equal((f)->ret, 0);                                                     \
	} while (0)

#define ASSERT_REFUSED(f, message)                                                                 \
	do {                                                                                       \
		assert_true((f)->ret < 0);                                                         \
		assert_string_equal((f)->err.text, message);                                       \
	} while (0)

static void write_conf(const struct fixture *f, const char *text)
{
	FILE *file = fopen(f->conf, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A dump whose options come from a file with @text. */
static void parse_conf(struct fixture *f, const char *text)
{
	write_conf(f, text);
	PARSE(f, "dump", "--config", f->conf);
}

static void defaults_are_those_of_criu(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "dump", "-t", "7");
	assert_int_equal(f->ret, 0);
	assert_ptr_equal(f->opts.command, &command_table[CMD_DUMP]);
	assert_int_equal(f->opts.tree_pid, 7);
	assert_string_equal(f->opts.images_dir, ".");
	assert_string_equal(f->opts.work_dir, ".");
	assert_null(f->opts.log_file);
	assert_int_equal(f->opts.verbosity, 2);
	assert_int_equal(f->opts.timeout, OPTS_TIMEOUT_UNSET);
	assert_int_equal(f->opts.ghost_limit, 1 << 20);
	assert_int_equal(f->opts.status_fd, -1);
	assert_int_equal(f->opts.cpu_cap, OPTS_CPU_FPU | OPTS_CPU_INS);
	assert_int_equal(f->opts.file_validation, OPTS_VALIDATE_BUILDID);
	assert_int_equal(f->opts.engine[OPTS_ENGINE_FDS], OPTS_ENGINE_AUTO);
	assert_false(f->opts.leave_running || f->opts.leave_stopped || f->opts.shell_job);
}

static void long_arguments_follow_or_are_attached(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "--tree=12", "dump", "--images-dir", "img", "--work-dir=work");
	assert_int_equal(f->ret, 0);
	assert_int_equal(f->opts.tree_pid, 12);
	assert_string_equal(f->opts.images_dir, "img");
	assert_string_equal(f->opts.work_dir, "work");
}

static void letters_cluster_and_take_arguments(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "-jlRt12", "-Dimg", "dump", "-o", "x.log");
	assert_int_equal(f->ret, 0);
	assert_true(f->opts.shell_job && f->opts.file_locks && f->opts.leave_running);
	assert_int_equal(f->opts.tree_pid, 12);
	assert_string_equal(f->opts.images_dir, "img");
	assert_string_equal(f->opts.work_dir, "img");
	assert_string_equal(f->opts.log_file, "x.log");
}

static void optional_arguments_are_only_taken_when_attached(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "--cpu-cap");
	assert_int_equal(f->opts.cpu_cap, OPTS_CPU_ALL);
	PARSE_DUMP(f, "--cpu-cap=cpu,^cpu,fpu");
	assert_int_equal(f->opts.cpu_cap, OPTS_CPU_FPU);
	PARSE_DUMP(f, "--cpu-cap=^fpu");
	assert_int_equal(f->opts.cpu_cap, OPTS_CPU_INS);
	PARSE_DUMP(f, "--cpu-cap=none");
	assert_int_equal(f->opts.cpu_cap, 0);
	PARSE(f, "dump", "-t", "7", "--cpu-cap", "none");
	ASSERT_REFUSED(f, "dump: what is 'none'? see crib dump --help");
}

static void verbosity_counts_or_is_given(void **state)
{
	static const struct {
		char *arg, *second;
		unsigned int level;
	} cases[] = { { "-v", NULL, 3 },          { "-vv", NULL, 4 },
		      { "-vvvv", NULL, 4 },       { "-v0", NULL, 0 },
		      { "-v4", NULL, 4 },         { "-v3", "-v", 4 },
		      { "--verbosity", NULL, 3 }, { "--verbosity=1", NULL, 1 },
		      { "-v1", "-vv", 3 },        { "-v9", NULL, 4 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PARSE_DUMP(f, cases[i].arg, cases[i].second);
		assert_int_equal(f->opts.verbosity, cases[i].level);
	}
	PARSE(f, "dump", "-t", "7", "-vx");
	ASSERT_REFUSED(f, "--verbosity: 'x' is not a level, use 0 to 4");
}

static void options_of_criu_may_be_abbreviated(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "--leave-r", "--sh", "--ghost-l=2M");
	assert_true(f->opts.leave_running && f->opts.shell_job);
	assert_int_equal(f->opts.ghost_limit, 2 << 20);
	PARSE(f, "dump", "-t", "7", "--leave");
	ASSERT_REFUSED(f, "option '--leave' is ambiguous: --leave-running --leave-stopped");
	/* a full name is never ambiguous */
	PARSE_DUMP(f, "--tls", "--cgroup-props=x");
	PARSE(f, "restore", "--show-p");
	ASSERT_REFUSED(f, "unknown option '--show-p', see crib --help");
}

static void flags_can_be_taken_back(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "--shell-job", "--link-remap", "--no-shell-job", "--no-link");
	assert_false(f->opts.shell_job || f->opts.link_remap);
	PARSE_DUMP(f, "--tcp-established", "--no-tcp-established");
	PARSE(f, "dump", "-t", "7", "--no-tree");
	ASSERT_REFUSED(f, "unknown option '--no-tree', see crib --help");
}

static void the_last_of_leave_running_and_leave_stopped_counts(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "-R", "-s");
	assert_true(f->opts.leave_stopped && !f->opts.leave_running);
	PARSE_DUMP(f, "-s", "-R");
	assert_true(f->opts.leave_running && !f->opts.leave_stopped);
}

static void external_and_inherited_objects_are_taken_apart(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "restore", "--external", "tty[8800:5]", "--external", "mnt[/a b]:/c[1]:d",
	      "--external", "mnt[]", "--inherit-fd", "fd[2]:tty[8800:5]", "--inherit-fd",
	      "fd[1]:tmp/file");
	assert_string_equal(f->err.text, "");
	assert_int_equal(f->opts.externals.n, 3);
	assert_string_equal(opts_find_external(&f->opts, "mnt", "/a b")->value, "/c[1]:d");
	assert_null(opts_find_external(&f->opts, "tty", "8800:5")->value);
	assert_non_null(opts_find_external(&f->opts, "mnt", ""));
	assert_null(opts_find_external(&f->opts, "mnt", "/c"));
	assert_int_equal(opts_find_inherit_fd(&f->opts, "tty[8800:5]"), 2);
	assert_int_equal(opts_find_inherit_fd(&f->opts, "tmp/file"), 1);
	assert_int_equal(opts_find_inherit_fd(&f->opts, "tmp"), -1);
}

static void engines_are_chosen_for_all_and_for_each_kind(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "--engine", "bpf,fds=proc");
	assert_int_equal(f->opts.engine[OPTS_ENGINE_TASKS], OPTS_ENGINE_BPF);
	assert_int_equal(f->opts.engine[OPTS_ENGINE_MM], OPTS_ENGINE_BPF);
	assert_int_equal(f->opts.engine[OPTS_ENGINE_FDS], OPTS_ENGINE_PROC);
	PARSE(f, "dump", "-t", "7", "--engine=ebpf");
	ASSERT_REFUSED(f, "--engine: engine 'ebpf' is none of auto, bpf, proc");
	PARSE(f, "dump", "-t", "7", "--engine=socks=proc");
	ASSERT_REFUSED(f, "--engine: kind of record 'socks' is none of tasks, threads, mm, fds");
}

static void without_a_parasite_only_descriptors_may_come_from_proc(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "--no-parasite", "--engine", "bpf,fds=proc");
	assert_true(f->opts.no_parasite);
	PARSE_DUMP(f, "--no-parasite");
	PARSE(f, "dump", "-t", "7", "--no-parasite", "--engine=proc");
	ASSERT_REFUSED(f, "--no-parasite: with --engine tasks=proc only a system call in the tree "
			  "tells signal actions and timers; use --engine bpf");
	PARSE(f, "inspect", "-t", "7", "--no-parasite", "--engine=mm=proc");
	ASSERT_REFUSED(f, "--no-parasite: with --engine mm=proc only a system call in the tree "
			  "tells the end of the heap; use --engine bpf");
}

static void several_scripts_and_descriptors_are_kept_in_order(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "--action-script", "a", "--action-script=b", "--close=5", "--close=9");
	assert_int_equal(f->opts.action_scripts.n, 2);
	assert_string_equal(f->opts.action_scripts.v[1], "b");
	assert_int_equal(f->opts.close_fds.n, 2);
	assert_int_equal(f->opts.close_fds.v[1], 9);
}

static void wrong_values_are_named(void **state)
{
	static const struct {
		char *option, *arg, *message;
	} cases[] = {
		{ "-t", "0", "--tree: '0' is not a process id" },
		{ "-t", "-5", "--tree: '-5' is not a process id" },
		{ "-t", "12x", "--tree: '12x' is not a process id" },
		{ "-t", "99999999999", "--tree: '99999999999' is not a process id" },
		{ "--timeout", "-1", "--timeout: '-1' is not a number from 0 to 2147483647" },
		{ "--ghost-limit", "1T",
		  "--ghost-limit: '1T' is not a size, give bytes or a number with K, M or G" },
		{ "--file-validation", "md5",
		  "--file-validation: 'md5' is none of filesize, buildid" },
		{ "--compat", "docker", "--compat: 'docker' is none of none, criu" },
		{ "--network-lock", "tc",
		  "--network-lock: 'tc' is none of iptables, nftables, skip" },
		{ "--external", "mnt", "--external: 'mnt' is not TYPE[ID] or TYPE[ID]:VALUE" },
		{ "--external", "mnt[a]b",
		  "--external: 'mnt[a]b' is not TYPE[ID] or TYPE[ID]:VALUE" },
		{ "--inherit-fd", "fd[x]:y", "--inherit-fd: 'fd[x]:y' is not fd[NUMBER]:RESOURCE" },
		{ "--status-fd", "one", "--status-fd: 'one' is not a descriptor number" },
		{ "--status-fd", "987", "--status-fd: descriptor 987 is not open" },
		{ "--images-dir", "", "--images-dir: the argument is empty" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PARSE(f, "dump", "-t", "7", cases[i].option, cases[i].arg);
		ASSERT_REFUSED(f, cases[i].message);
	}
}

static void wrong_use_is_named(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "dump");
	ASSERT_REFUSED(f, "dump: which process? give it by --tree PID");
	PARSE(f, "dumb");
	ASSERT_REFUSED(f, "unknown command 'dumb', see crib --help");
	PARSE(f, "-j");
	ASSERT_REFUSED(f, "no command is given, see crib --help");
	PARSE(f, "dump", "-t");
	ASSERT_REFUSED(f, "option '--tree' needs an argument: PID");
	PARSE(f, "dump", "--shell-job=yes");
	ASSERT_REFUSED(f, "option '--shell-job' takes no argument");
	PARSE(f, "dump", "-q");
	ASSERT_REFUSED(f, "unknown option '-q', see crib --help");
	PARSE(f, "dump", "--", "-t", "7");
	ASSERT_REFUSED(f, "dump: what is '-t'? see crib dump --help");
	PARSE(f, "restore", "-S");
	ASSERT_REFUSED(f, "--restore-sibling makes sense with --restore-detached only");
	PARSE(f, "dump", "-t", "7", "-S");
	ASSERT_REFUSED(f, "--restore-sibling makes sense with --restore-detached only");
	PARSE(f, "dump", "-t", "7", "--inherit-fd", "fd[1]:x");
	ASSERT_REFUSED(f, "--inherit-fd is for restore only");
	PARSE(f, "check", "--feature", "magic");
	ASSERT_REFUSED(f, "--feature: unknown feature 'magic', see crib check --feature list");
}

static void what_crib_cannot_do_yet_is_refused_for_the_commands_it_concerns(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "dump", "-t", "7", "--track-mem");
	ASSERT_REFUSED(f, "--track-mem: not supported yet: incremental dumps are missing, dump in "
			  "full");
	assert_int_equal(f->ret, -EOPNOTSUPP);
	PARSE(f, "check", "--track-mem");
	assert_int_equal(f->ret, 0);
	PARSE_DUMP(f, "--manage-cgroups=ignore");
	PARSE(f, "dump", "-t", "7", "--manage-cgroups");
	assert_int_equal(f->ret, -EOPNOTSUPP);
	PARSE(f, "pre-dump", "-t", "7");
	ASSERT_REFUSED(f, "command pre-dump: incremental dumps are not supported yet, use dump");
}

static void what_changes_nothing_is_accepted(void **state)
{
	struct fixture *f = *state;

	PARSE_DUMP(f, "--skip-in-flight", "--ext-unix-sk", "-x12", "-L", "plugins", "-M", "a:b",
		   "--freeze-cgroup", "/sys/fs/cgroup/x", "--network-lock", "nftables",
		   "--force-irmap", "--unprivileged", "--enable-fs", "fuse", "--port", "12");
}

static void inspect_takes_a_directory_or_a_pid(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "inspect", "img", "--json");
	assert_int_equal(f->ret, 0);
	assert_string_equal(f->opts.images_dir, "img");
	assert_true(f->opts.json);
	PARSE(f, "inspect", "-t", "7");
	assert_int_equal(f->ret, 0);
	PARSE(f, "inspect", "img", "-t", "7");
	ASSERT_REFUSED(f, "inspect: either a directory or --tree PID, not both");
}

static void help_and_version_need_nothing_else(void **state)
{
	struct fixture *f = *state;

	PARSE(f, "dump", "--help", "--config", "/nonexistent");
	assert_int_equal(f->ret, 0);
	assert_true(f->opts.help);
	PARSE(f, "-V");
	assert_int_equal(f->ret, 0);
	assert_true(f->opts.version);
}

static void files_hold_options_without_dashes(void **state)
{
	struct fixture *f = *state;

	parse_conf(f, "# a comment\n"
		      "\n"
		      "  tree 12   # with more\n"
		      "shell-job\n"
		      "ghost-limit=2M\n"
		      "images-dir = img\r\n"
		      "cpu-cap none\n"
		      "work-dir\t\"a \\\"b\\\" #c\\d\"#e\n"
		      "leave-running");
	assert_string_equal(f->err.text, "");
	assert_int_equal(f->opts.tree_pid, 12);
	assert_true(f->opts.shell_job && f->opts.leave_running);
	assert_int_equal(f->opts.ghost_limit, 2 << 20);
	assert_int_equal(f->opts.cpu_cap, 0);
	assert_string_equal(f->opts.images_dir, "img");
	assert_string_equal(f->opts.work_dir, "a \"b\" #c\\d");
}

static void the_command_line_overrides_files(void **state)
{
	struct fixture *f = *state;

	write_conf(f, "tree 12\nshell-job\ntcp-established\nverbosity 1\n");
	PARSE(f, "dump", "--no-shell-job", "--no-tcp-established", "-t", "7", "-v", "--config",
	      f->conf);
	assert_string_equal(f->err.text, "");
	assert_int_equal(f->opts.tree_pid, 7);
	assert_false(f->opts.shell_job);
	assert_int_equal(f->opts.verbosity, 2);
}

static void files_are_read_from_environment_and_home(void **state)
{
	struct fixture *f = *state;
	char dir[64], path[96], wanted[160];

	write_conf(f, "tree 12\n");
	setenv("CRIU_CONFIG_FILE", f->conf, 1);
	PARSE(f, "dump");
	assert_int_equal(f->opts.tree_pid, 12);
	setenv("CRIU_CONFIG_FILE", "/nonexistent", 1);
	PARSE(f, "dump", "-t", "7");
	ASSERT_REFUSED(f,
		       "CRIU_CONFIG_FILE: read configuration file '/nonexistent': No such file or "
		       "directory");
	unsetenv("CRIU_CONFIG_FILE");

	snprintf(dir, sizeof(dir), "%s/.criu", f->dir);
	snprintf(path, sizeof(path), "%s/default.conf", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(rename(f->conf, path), 0);
	parse_argv(f, (char *[]){ "crib", "dump", NULL });
	assert_int_equal(f->opts.tree_pid, 12);
	PARSE(f, "dump");
	assert_true(f->ret < 0);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("\nnonsense\n", file);
	fclose(file);
	parse_argv(f, (char *[]){ "crib", "dump", "-t", "7", NULL });
	snprintf(wanted, sizeof(wanted), "%s:2: unknown option '--nonsense', see crib --help",
		 path);
	ASSERT_REFUSED(f, wanted);
	unlink(path);
	rmdir(dir);
}

static void wrong_lines_of_files_are_named(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "tree\n", ":1: tree: needs an argument: PID" },
		{ "\ntree 1 2\n", ":2: tree: put an argument with blanks into double quotes" },
		{ "tree \"1\n", ":1: tree: a closing \" is missing" },
		{ "shell-job yes\n", ":1: shell-job: takes no argument" },
		{ "--shell-job\n", ":1: --shell-job: leave out the dashes" },
		{ "= 5\n", ":1: no option is named" },
		{ "tree x\n", ":1: tree: 'x' is not a process id" },
		{ "no-default-config\n",
		  ":1: no-default-config: has no effect in a file, use the command line" },
	};
	struct fixture *f = *state;
	char wanted[200];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		parse_conf(f, cases[i].text);
		snprintf(wanted, sizeof(wanted), "--config: %s%s", f->conf, cases[i].message);
		ASSERT_REFUSED(f, wanted);
	}
	parse_conf(f, "tree 7\nstream\n");
	snprintf(wanted, sizeof(wanted),
		 "%s:2: stream: not supported yet: images can be in a directory only", f->conf);
	ASSERT_REFUSED(f, wanted);
}

/* The table is the documentation: nothing may lack its text, or stand there twice. */
static void every_option_is_described_once(void **state)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_desc *desc = &option_table[i];
		bool negated;

		assert_ptr_equal(option_find(desc->name, strlen(desc->name), false, &negated, NULL),
				 desc);
		if (desc->letter)
			assert_ptr_equal(option_find_letter(desc->letter), desc);
		assert_non_null(desc->status == OPT_WORKS ? desc->help : desc->note);
		assert_true(desc->commands);
		assert_true(desc->type != OPT_CALL || desc->set);
		assert_true(desc->type != OPT_NONE || desc->status != OPT_WORKS);
	}
}

static void every_option_of_criu_is_known(void **state)
{
	/* clang-format off */
	static const char *const names[] = {
		"action-script", "address", "all", "allow-uprobes", "auto-dedup",
		"cgroup-dump-controller", "cgroup-props", "cgroup-props-file", "cgroup-root",
		"cgroup-yard", "close", "config", "cpu-cap", "daemon", "deprecated",
		"display-stats", "empty-ns", "enable-external-masters", "enable-external-sharing",
		"enable-fs", "evasive-devices", "exec-cmd", "experimental", "ext-mount-map",
		"ext-unix-sk", "external", "extra", "feature", "file-locks", "file-validation",
		"force-irmap", "freeze-cgroup", "ghost-fiemap", "ghost-limit", "help",
		"images-dir", "inherit-fd", "irmap-scan-path", "join-ns", "lazy-pages",
		"leave-running", "leave-stopped", "libdir", "link-remap", "log-file", "log-pid",
		"lsm-mount-context", "lsm-profile", "manage-cgroups", "mntns-compat-mode", "ms",
		"network-lock", "no-default-config", "page-server", "pidfile", "port",
		"pre-dump-mode", "prev-images-dir", "ps-socket", "restore-detached",
		"restore-sibling", "root", "shell-job", "skip-file-rwx-check", "skip-in-flight",
		"skip-mnt", "status-fd", "stream", "tcp-close", "tcp-established", "timeout",
		"tls", "tls-cacert", "tls-cacrl", "tls-cert", "tls-key", "tls-no-cn-verify",
		"track-mem", "tree", "unprivileged", "verbosity", "version", "veth-pair",
		"weak-sysctls", "work-dir",
	};
	/* clang-format on */
	struct err err;
	bool negated;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(option_find(names[i], strlen(names[i]), false, &negated, &err));
}

static char *generate(const char *template)
{
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;
	FILE *in = fmemopen((void *)template, strlen(template), "r");
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(usage_generate(in, out, &err), 0);
	fclose(in);
	fclose(out);
	return text;
}

static void generated_texts_name_everything(void **state)
{
	char *man = generate(".SH X\n@COMMANDS@\n@OPTIONS@\n@FEATURES@\n@HOOKS@\n");
	char *bash = generate("@COMPLETION@\n");

	assert_non_null(strstr(man, "\\fB\\-t\\fR, \\fB\\-\\-tree\\fR \\fIPID\\fR\n"));
	for (size_t i = 0; i < option_count; i++) {
		char word[64];

		snprintf(word, sizeof(word), "--%s ", option_table[i].name);
		if (option_table[i].status == OPT_WORKS && option_table[i].commands & 0xf)
			assert_non_null(strstr(bash, word));
	}
	for (size_t i = 0; i < feature_count; i++)
		assert_non_null(strstr(bash, feature_table[i].name));
	assert_non_null(strstr(man, script_hooks[0].when));
	free(man);
	free(bash);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_criu),
		TEST(long_arguments_follow_or_are_attached),
		TEST(letters_cluster_and_take_arguments),
		TEST(optional_arguments_are_only_taken_when_attached),
		TEST(verbosity_counts_or_is_given),
		TEST(options_of_criu_may_be_abbreviated),
		TEST(flags_can_be_taken_back),
		TEST(the_last_of_leave_running_and_leave_stopped_counts),
		TEST(external_and_inherited_objects_are_taken_apart),
		TEST(engines_are_chosen_for_all_and_for_each_kind),
		TEST(without_a_parasite_only_descriptors_may_come_from_proc),
		TEST(several_scripts_and_descriptors_are_kept_in_order),
		TEST(wrong_values_are_named),
		TEST(wrong_use_is_named),
		TEST(what_crib_cannot_do_yet_is_refused_for_the_commands_it_concerns),
		TEST(what_changes_nothing_is_accepted),
		TEST(inspect_takes_a_directory_or_a_pid),
		TEST(help_and_version_need_nothing_else),
		TEST(files_hold_options_without_dashes),
		TEST(the_command_line_overrides_files),
		TEST(files_are_read_from_environment_and_home),
		TEST(wrong_lines_of_files_are_named),
		cmocka_unit_test(every_option_is_described_once),
		cmocka_unit_test(every_option_of_criu_is_known),
		cmocka_unit_test(generated_texts_name_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
