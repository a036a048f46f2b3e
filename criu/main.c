// SPDX-License-Identifier: GPL-2.0-only
/*
 * crib: find the command, run it, print the error once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/log_file.h"
#include "cli/parser.h"
#include "cli/usage.h"
#include "version.h"

/* The criu whose command line this is, for callers that ask by "Version:". */
#define CRIU_VERSION "4.2"

static int (*const runners[CMD_MAX])(const struct opts *opts, struct err *err) = {
	[CMD_DUMP] = cmd_dump,       [CMD_RESTORE] = cmd_restore, [CMD_CHECK] = cmd_check,
	[CMD_INSPECT] = cmd_inspect, [CMD_BPF] = cmd_bpf,
};

/* Descriptors 0 to 2 are opened if need be, so that no other file becomes standard error. */
static void open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* For what happens before there is a log, or when the log is a file that nobody looks at. */
static void print_error(const struct err *err)
{
	char line[sizeof(err->text) + 16];
	int n = snprintf(line, sizeof(line), "error: %s\n", err->text);

	log_write(STDERR_FILENO, line, (size_t)n);
}

static void log_surroundings(void)
{
	struct utsname name;

	log_info("Version: %s (crib %s, gitid %s)", CRIU_VERSION, CRIB_VERSION, CRIB_GITID);
	if (uname(&name) == 0)
		log_info("Running on %s %s %s %s %s", name.nodename, name.sysname, name.release,
			 name.version, name.machine);
}

static int run_command(const struct opts *opts, struct err *err)
{
	array_each(const int, fd, &opts->close_fds)
		close(*fd);
	int ret = log_file_open(opts, err);
	if (ret < 0) {
		print_error(err);
		return ret;
	}
	log_surroundings();
	ret = runners[command_id(opts->command)](opts, err);
	if (ret < 0 && err->text[0]) {
		log_error("%s", err->text);
		/* a restore has moved the log's descriptor: whether it is a file is in the options */
		if (opts->log_file || log_level() < LOG_ERROR)
			print_error(err);
	}
	log_close();
	return ret;
}

static int print_version(void)
{
	printf("Version: %s\ncrib %s%s%s\n", CRIU_VERSION, CRIB_VERSION,
	       CRIB_GITID[0] ? ", gitid " : "", CRIB_GITID);
	return fflush(stdout) ? 1 : 0;
}

/* "crib generate-text", see usage_generate(): part of the build, not of the tool. */
static int generate_text(void)
{
	struct err err = ERR_INIT;

	if (usage_generate(stdin, stdout, &err) == 0)
		return 0;
	print_error(&err);
	return 1;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct opts opts;

	open_standard_streams();
	/* a reader that went away must not end a dump half-way */
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "generate-text"))
		return generate_text();
	int ret = opts_parse(&opts, argc, argv, &err);
	if (ret < 0) {
		if (argc < 2)
			usage_print(stderr, NULL);
		else
			print_error(&err);
		ret = 1;
	} else if (opts.help) {
		usage_print(stdout, opts.command);
		ret = fflush(stdout) ? 1 : 0;
	} else if (opts.version) {
		ret = print_version();
	} else {
		ret = run_command(&opts, &err) < 0 ? 1 : 0;
	}
	opts_fini(&opts);
	return ret;
}
