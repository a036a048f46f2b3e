/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the test programs: each with every engine and in every mode, several at a time, every case
 * in a worker process of its own. One line per case, and a last line with the numbers.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "opts.h"
#include "util.h"

static const char usage[] =
	"usage: run [OPTION]... [TEST]...\n"
	"Dumps and restores the test programs beside this one. TEST is a name or a glob.\n"
	"\n"
	"  --crib PATH      the crib to test (./crib)\n"
	"  --engine LIST    with commas; none: no --engine is given (bpf,proc)\n"
	"  --mode LIST      plain, leave-running, pidns (these three), again\n"
	"  --no-cr          only start, signal and check the programs\n"
	"  --jobs N         so many cases at a time (number of processors)\n"
	"  --no-parasite    give it to every dump: no code runs in the tree\n"
	"  --slow N         multiply all time limits by N (1)\n"
	"  --keep           keep the folders of all cases\n"
	"  --list           print the names of the tests\n";

enum { MAX_TESTS = 1000, MAX_ENGINES = 8 };

struct worker {
	pid_t pid;
	char name[256]; /* ENGINE MODE TEST, as printed */
	char dir[PATH_MAX];
};

struct runner {
	char bin[PATH_MAX]; /* folder of the test programs */
	char *tests[MAX_TESTS];
	size_t n_tests;
	char *crib;
	char *engines[MAX_ENGINES];
	unsigned int modes;
	unsigned int jobs, slow;
	bool keep, list, no_parasite;
	char dir[PATH_MAX];     /* everything that is made */
	struct worker *workers; /* as many as jobs; a free one has pid 0 */
	unsigned int passed, failed, skipped;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_chosen(const char *name, char *const *globs)
{
	if (!*globs)
		return true;
	for (; *globs; globs++)
		if (!fnmatch(*globs, name, 0))
			return true;
	return false;
}

/* The tests are the programs that have an .opts file. */
static void find_tests(struct runner *runner, char *const *globs)
{
	DIR *dir = opendir(runner->bin);
	if (!dir)
		die("cannot read '%s'", runner->bin);
	for (struct dirent *entry; (entry = readdir(dir));) {
		size_t len = strlen(entry->d_name), suffix = strlen(".opts");
		if (len <= suffix || strcmp(entry->d_name + len - suffix, ".opts"))
			continue;
		char *name = strndup(entry->d_name, len - suffix);
		if (!name || runner->n_tests == MAX_TESTS)
			die("too many tests");
		if (is_chosen(name, globs))
			runner->tests[runner->n_tests++] = name;
		else
			free(name);
	}
	closedir(dir);
	if (!runner->n_tests)
		die("no such test in '%s'", runner->bin);
	qsort(runner->tests, runner->n_tests, sizeof(*runner->tests), by_name);
}

static void split_list(char *list, char **words, size_t max)
{
	for (char *c = list; *c; c++)
		if (*c == ',')
			*c = ' ';
	if (!split_words(list, words, max))
		die("an empty list");
}

static void set_modes(struct runner *runner, char *list)
{
	char *words[MODE_N + 1];
	split_list(list, words, MODE_N + 1);
	runner->modes = 0;
	for (char **word = words; *word; word++) {
		enum mode mode = mode_from_name(*word);
		if (mode == MODE_N)
			die("unknown mode '%s'", *word);
		runner->modes |= 1U << mode;
	}
}

static unsigned int number_of(const char *text)
{
	unsigned int number;
	if (!parse_number(text, &number) || !number)
		die("'%s' is not a number above 0", text);
	return number;
}

static void parse_options(struct runner *runner, int argc, char **argv)
{
	enum { CRIB = 1, ENGINE, MODE, NO_CR, NO_PARASITE, JOBS, SLOW, KEEP, LIST, HELP };
	static const struct option options[] = {
		{ "crib", required_argument, NULL, CRIB },
		{ "engine", required_argument, NULL, ENGINE },
		{ "mode", required_argument, NULL, MODE },
		{ "no-cr", no_argument, NULL, NO_CR },
		{ "no-parasite", no_argument, NULL, NO_PARASITE },
		{ "jobs", required_argument, NULL, JOBS },
		{ "slow", required_argument, NULL, SLOW },
		{ "keep", no_argument, NULL, KEEP },
		{ "list", no_argument, NULL, LIST },
		{ "help", no_argument, NULL, HELP },
		{ 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case CRIB: runner->crib = optarg; break;
		case ENGINE: split_list(optarg, runner->engines, MAX_ENGINES); break;
		case MODE: set_modes(runner, optarg); break;
		case NO_CR: runner->modes = 1U << MODE_NO_CR; break;
		case NO_PARASITE: runner->no_parasite = true; break;
		case JOBS: runner->jobs = number_of(optarg); break;
		case SLOW: runner->slow = number_of(optarg); break;
		case KEEP: runner->keep = true; break;
		case LIST: runner->list = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(2);
		}
	}
}

/* ---- what a case left to be said ---- */

/* Prints the last lines of the file below @title, or nothing when there is no such file. */
static void print_tail(const char *title, const char *dir, const char *name)
{
	enum { LINES = 8 };
	char path[PATH_MAX];
	path_fmt(path, "%s/%s", dir, name);
	char *text = slurp(path);
	size_t len = text ? strlen(text) : 0;
	if (len) {
		const char *from = text + len;
		for (int n = 0; from > text && n <= LINES; from -= n <= LINES)
			n += from[-1] == '\n' && from != text + len;
		printf("    %s:\n", title);
		while (*from) {
			size_t n = strcspn(from, "\n");
			printf("      %.*s\n", (int)n, from);
			from += n + (from[n] == '\n');
		}
	}
	free(text);
}

static void print_report(const struct worker *worker, enum verdict verdict)
{
	char path[PATH_MAX];
	path_fmt(path, "%s/report", worker->dir);
	char *text = slurp(path);
	char *state, *line = text ? strtok_r(text, "\n", &state) : NULL;
	printf("%s %s: %s\n", verdict == VERDICT_SKIP ? "skip" : "FAIL", worker->name,
	       line ? line : "its worker has died");
	while (line && verdict == VERDICT_FAIL && (line = strtok_r(NULL, "\n", &state)))
		printf("    %s\n", line);
	free(text);
	if (verdict != VERDICT_FAIL)
		return;
	print_tail("result", worker->dir, "scratch/result");
	print_tail("crib dump", worker->dir, "dump.out");
	print_tail("dump.log", worker->dir, "images/dump.log");
	print_tail("crib restore", worker->dir, "restore.out");
	print_tail("restore.log", worker->dir, "images/restore.log");
	print_tail("second dump.log", worker->dir, "again/dump.log");
	print_tail("second restore.log", worker->dir, "again/restore.log");
}

static void finish(struct runner *runner, struct worker *worker, int status)
{
	worker->pid = 0;
	if (interrupted)
		return;
	enum verdict verdict = VERDICT_FAIL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == VERDICT_PASS)
		verdict = VERDICT_PASS;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == VERDICT_SKIP)
		verdict = VERDICT_SKIP;
	switch (verdict) {
	case VERDICT_PASS: runner->passed++; break;
	case VERDICT_FAIL: runner->failed++; break;
	case VERDICT_SKIP: runner->skipped++; break;
	}
	if (verdict == VERDICT_PASS)
		printf("ok %s\n", worker->name);
	else
		print_report(worker, verdict);
	fflush(stdout);
	if (!runner->keep)
		remove_all(worker->dir);
}

/* ---- the cases ---- */

static struct worker *worker_of(struct runner *runner, pid_t pid)
{
	for (unsigned int i = 0; i < runner->jobs; i++)
		if (runner->workers[i].pid == pid)
			return &runner->workers[i];
	return NULL;
}

static void wait_for_one(struct runner *runner)
{
	int status;
	pid_t pid = wait(&status);
	if (pid < 0 && errno != EINTR)
		die("wait: %s", strerror(errno));
	if (interrupted)
		for (unsigned int i = 0; i < runner->jobs; i++)
			if (runner->workers[i].pid)
				kill(runner->workers[i].pid, SIGTERM);
	struct worker *worker = pid > 0 ? worker_of(runner, pid) : NULL;
	if (worker)
		finish(runner, worker, status);
}

static void start_case(struct runner *runner, const char *test, const struct test_opts *opts,
		       const char *engine, enum mode mode)
{
	struct worker *worker;
	while (!(worker = worker_of(runner, 0)))
		wait_for_one(runner);
	if (interrupted)
		return;
	const char *words[] = { mode == MODE_NO_CR ? "" : engine, mode == MODE_NO_CR ? "" : " ",
				mode_names[mode] };
	snprintf(worker->name, sizeof(worker->name), "%s%s%s %s", words[0], words[1], words[2],
		 test);
	path_fmt(worker->dir, "%s/%s.%s.%s", runner->dir, test, engine, mode_names[mode]);
	char program[PATH_MAX];
	path_fmt(program, "%s/%s", runner->bin, test);
	struct test_case tc = {
		.program = program,
		.crib = runner->crib,
		.engine = strcmp(engine, "none") ? engine : NULL,
		.mode = mode,
		.no_parasite = runner->no_parasite,
		.dir = worker->dir,
		.opts = opts,
		.slow = runner->slow,
	};
	worker->pid = fork();
	if (worker->pid < 0)
		die("fork: %s", strerror(errno));
	if (worker->pid == 0)
		_exit(case_run(&tc));
}

static void run_test(struct runner *runner, const char *test)
{
	char path[PATH_MAX];
	struct test_opts opts;
	path_fmt(path, "%s/%s.opts", runner->bin, test);
	test_opts_load(&opts, path);
	if (runner->modes == 1U << MODE_NO_CR)
		start_case(runner, test, &opts, "none", MODE_NO_CR);
	for (char **engine = runner->engines; *engine; engine++) {
		if (opts.engine && strcmp(*engine, opts.engine))
			continue;
		for (unsigned int mode = 0; mode < MODE_NO_CR; mode++)
			if (runner->modes & opts.modes & 1U << mode)
				start_case(runner, test, &opts, *engine, mode);
	}
	/* The workers have their copy. */
	test_opts_fini(&opts);
}

static void prepare(struct runner *runner)
{
	const char *tmp = getenv("TMPDIR");
	path_fmt(runner->dir, "%s/crib-zdtm.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(runner->dir) || chmod(runner->dir, 0755))
		die("cannot make folder '%s': %s", runner->dir, strerror(errno));
	runner->workers = calloc(runner->jobs, sizeof(*runner->workers));
	if (!runner->workers)
		die("out of memory");
	struct sigaction action = { .sa_handler = on_interrupt };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

int main(int argc, char **argv)
{
	struct runner runner = {
		.crib = "./crib",
		.engines = { "bpf", "proc" },
		.modes = 1U << MODE_PLAIN | 1U << MODE_LEAVE | 1U << MODE_PIDNS,
		.slow = 1,
	};
	runner.jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	parse_options(&runner, argc, argv);
	ssize_t n = readlink("/proc/self/exe", runner.bin, sizeof(runner.bin) - 1);
	char *slash = n > 0 ? strrchr(runner.bin, '/') : NULL;
	if (!slash)
		die("cannot read /proc/self/exe");
	*slash = 0;
	find_tests(&runner, argv + optind);
	for (size_t i = 0; runner.list && i < runner.n_tests; i++)
		puts(runner.tests[i]);
	if (runner.list)
		return 0;
	char *crib = realpath(runner.crib, NULL);
	if (!crib && runner.modes != 1U << MODE_NO_CR)
		die("no crib at '%s': %s", runner.crib, strerror(errno));
	runner.crib = crib;
	prepare(&runner);
	for (size_t i = 0; i < runner.n_tests && !interrupted; i++)
		run_test(&runner, runner.tests[i]);
	for (unsigned int i = 0; i < runner.jobs; i++)
		while (runner.workers[i].pid)
			wait_for_one(&runner);
	if (runner.keep)
		printf("kept: %s\n", runner.dir);
	else
		remove_all(runner.dir);
	printf("%u passed, %u failed, %u skipped\n", runner.passed, runner.failed, runner.skipped);
	return runner.failed || interrupted;
}
