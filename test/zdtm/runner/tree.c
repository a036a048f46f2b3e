/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Process trees, read from the stat files of /proc.
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

bool stat_read(struct stat_fields *stat, const char *path)
{
	*stat = (struct stat_fields){ 0 };
	char *text = slurp(path);
	/* The command name is in brackets and may hold anything, brackets too. */
	char *paren = text ? strrchr(text, ')') : NULL;
	bool ok = paren && strlen(paren) > 2 && strlen(paren) < sizeof(stat->text);
	if (ok)
		memcpy(stat->text, paren + 2, strlen(paren + 2) + 1);
	free(text);
	if (!ok)
		return false;
	size_t i = 3;
	char *state;
	for (char *word = strtok_r(stat->text, " \n", &state); word && i < 53;
	     word = strtok_r(NULL, " \n", &state))
		stat->field[i++] = word;
	for (; i < 53; i++)
		stat->field[i] = "0";
	return true;
}

struct parent {
	pid_t pid, ppid;
};

static int by_pid(const void *a, const void *b)
{
	const struct parent *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* All processes with their parents, to be freed. */
static struct parent *list_parents(size_t *ret_n)
{
	struct parent *parents = NULL;
	size_t n = 0, cap = 0;
	DIR *proc = opendir("/proc");
	if (!proc)
		die("cannot read /proc");
	for (struct dirent *entry; (entry = readdir(proc));) {
		unsigned int pid, ppid;
		char path[PATH_MAX];
		struct stat_fields stat;
		if (!parse_number(entry->d_name, &pid))
			continue;
		path_fmt(path, "/proc/%u/stat", pid);
		if (!stat_read(&stat, path) || !parse_number(stat.field[4], &ppid))
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 256;
			parents = realloc(parents, cap * sizeof(*parents));
			if (!parents)
				die("out of memory");
		}
		parents[n++] = (struct parent){ .pid = (pid_t)pid, .ppid = (pid_t)ppid };
	}
	closedir(proc);
	qsort(parents, n, sizeof(*parents), by_pid);
	*ret_n = n;
	return parents;
}

void tree_list(struct tree *tree, pid_t top)
{
	size_t n;
	struct parent *parents = list_parents(&n);
	tree->n = 0;
	for (size_t i = 0; i < n; i++)
		if (parents[i].pid == top)
			tree->pids[tree->n++] = top;
	for (size_t done = 0; done < tree->n; done++)
		for (size_t i = 0; i < n; i++)
			if (parents[i].ppid == tree->pids[done] && tree->n < TREE_MAX)
				tree->pids[tree->n++] = parents[i].pid;
	free(parents);
}

bool tree_has(const struct tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->pids[i] == pid)
			return true;
	return false;
}

bool tree_kill_mine(void)
{
	uint64_t until = now_ms() + 20000;
	for (;;) {
		struct tree tree;
		tree_list(&tree, getpid());
		for (size_t i = 1; i < tree.n; i++)
			kill(tree.pids[i], SIGKILL);
		pid_t pid;
		do
			pid = waitpid(-1, NULL, WNOHANG);
		while (pid > 0);
		if (pid < 0 && errno == ECHILD)
			return true;
		if (now_ms() > until)
			return false;
		sleep_ms(2);
	}
}
