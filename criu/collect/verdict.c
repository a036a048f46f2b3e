// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verdicts and their text, see verdict.h:
 *
 *   tag 0123456789abcdef types 0
 *   task true
 *   ..
 *   fd differs: fd 3: size
 */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "collect/compare.h"
#include "collect/verdict.h"

bool verdict_is_complete(const struct verdict *verdict)
{
	for (int type = 1; type < REC_TYPE_MAX; type++)
		if (verdict->state[type] == VERDICT_UNTRIED)
			return false;
	return true;
}

bool verdict_group_differs(const struct verdict *verdict, enum rec_group group)
{
	for (int type = 1; type < REC_TYPE_MAX; type++)
		if (verdict->state[type] == VERDICT_DIFFERS &&
		    (group == RG_MAX || rec_type_group((enum rec_type)type) == group))
			return true;
	return false;
}

void verdict_describe(const struct verdict *verdict, enum rec_group group, struct strbuf *buf)
{
	const char *gap = "";

	for (int type = 1; type < REC_TYPE_MAX; type++) {
		if (verdict->state[type] != VERDICT_DIFFERS ||
		    (group != RG_MAX && rec_type_group((enum rec_type)type) != group))
			continue;
		strbuf_printf(buf, "%s%s (%s)", gap, rec_type_name((enum rec_type)type),
			      verdict->first[type]);
		gap = ", ";
	}
}

void verdict_print(const struct verdict *verdict, struct strbuf *buf)
{
	strbuf_printf(buf, "tag %016llx types %llx\n", (unsigned long long)verdict->tag,
		      (unsigned long long)verdict->types);
	for (int type = 1; type < REC_TYPE_MAX; type++) {
		strbuf_puts(buf, rec_type_name((enum rec_type)type));
		if (verdict->state[type] == VERDICT_DIFFERS)
			strbuf_printf(buf, " differs: %s\n", verdict->first[type]);
		else
			strbuf_puts(buf, verdict->state[type] == VERDICT_TRUE ? " true\n" :
										" untried\n");
	}
}

static bool parse_type(const char **pos, enum rec_type type, struct verdict *verdict)
{
	size_t len;

	if (!scan_str(pos, rec_type_name(type)))
		return false;
	if (scan_str(pos, " true\n")) {
		verdict->state[type] = VERDICT_TRUE;
		return true;
	}
	if (scan_str(pos, " untried\n"))
		return true;
	if (!scan_str(pos, " differs: "))
		return false;
	len = strcspn(*pos, "\n");
	snprintf(verdict->first[type], sizeof(verdict->first[type]), "%.*s",
		 (int)(len < sizeof(verdict->first[type]) ? len : sizeof(verdict->first[type]) - 1),
		 *pos);
	verdict->state[type] = VERDICT_DIFFERS;
	*pos += len;
	return scan_str(pos, "\n");
}

bool verdict_parse(const char *text, struct verdict *ret_verdict)
{
	struct verdict verdict = { 0 };

	if (!scan_str(&text, "tag ") || !scan_hex(&text, &verdict.tag) ||
	    !scan_str(&text, " types ") || !scan_hex(&text, &verdict.types) ||
	    !scan_str(&text, "\n"))
		return false;
	for (int type = 1; type < REC_TYPE_MAX; type++)
		if (!parse_type(&text, (enum rec_type)type, &verdict))
			return false;
	*ret_verdict = verdict;
	return !*text;
}
