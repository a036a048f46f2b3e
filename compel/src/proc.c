/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The few looks into /proc: why a thread cannot be seized, whether it has seccomp filters, what it
 * does with signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

bool compel_parse_u64(const char **p, unsigned int base, uint64_t *ret_value)
{
	const char *s = *p;
	uint64_t value = 0;

	for (;; s++) {
		unsigned int digit;

		if (*s >= '0' && *s <= '9')
			digit = (unsigned int)(*s - '0');
		else if (base == 16 && *s >= 'a' && *s <= 'f')
			digit = (unsigned int)(*s - 'a') + 10;
		else
			break;
		if (value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (s == *p)
		return false;
	*p = s;
	*ret_value = value;
	return true;
}

/* What stands behind "@name:\t" at the start of a line, or NULL. */
static const char *status_field(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " \t");
	}
	return NULL;
}

static void status_number(const char *text, const char *name, unsigned int base,
			  uint64_t *ret_value)
{
	const char *s = status_field(text, name);

	if (s)
		compel_parse_u64(&s, base, ret_value);
}

int compel_proc_read(pid_t tid, struct compel_proc *ret_proc)
{
	char path[64], text[8192];
	size_t len = 0;

	/* The thread's own folder: /proc/TID of a thread that is not a leader works, too. */
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < sizeof(text) - 1) {
		ssize_t got = read(fd, text + len, sizeof(text) - 1 - len);

		if (got < 0) {
			int ret = -errno;

			close(fd);
			return ret;
		}
		if (got == 0)
			break;
		len += (size_t)got;
	}
	close(fd);
	text[len] = '\0';

	struct compel_proc proc = { .caught = ~0ULL };
	const char *state = status_field(text, "State");

	if (state)
		proc.state = *state;
	status_number(text, "TracerPid", 10, &proc.tracer);
	status_number(text, "Kthread", 10, &proc.kthread);
	status_number(text, "Seccomp", 10, &proc.seccomp);
	status_number(text, "SigIgn", 16, &proc.ignored);
	status_number(text, "SigCgt", 16, &proc.caught);
	*ret_proc = proc;
	return 0;
}
