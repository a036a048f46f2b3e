/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing what two engines say of the same frozen tasks, record for record, in every field that
 * both of them filled.
 */
#ifndef CRIB_COLLECT_COMPARE_H
#define CRIB_COLLECT_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/hashmap.h"
#include "collect/source.h"

/* "task", "vma" ..; NULL: there is no such type. */
const char *rec_type_name(enum rec_type type);
enum rec_group rec_type_group(enum rec_type type);

/* Keeps copies of what is emitted. */
struct rec_list {
	struct rec_sink sink;
	struct arena arena;
	ARRAY(struct rec_hdr *) v;
};

void rec_list_init(struct rec_list *list);
void rec_list_fini(struct rec_list *list);

struct rec_compare {
	/* What may differ. */
	bool no_actions;   /* the other has neither signal actions nor interval timers */
	bool no_identity;  /* the other cannot tell what is shared */
	uint64_t slack_ns; /* how much later the other may have looked */
	/* Called for each difference; @what: a field, or what else it is. */
	void (*differ)(struct rec_compare *compare, const struct rec_hdr *rec, const char *what,
		       const char *bpf, const char *other);
	/* State: from rec_compare_init(). */
	struct arena arena;
	struct hashmap forth, back; /* identities: (type and offset, one engine's): the other's */
	unsigned int compared, differences;
};

/* @differ, slack_ns and what may differ are set by the caller. */
void rec_compare_init(struct rec_compare *compare);
void rec_compare_fini(struct rec_compare *compare);

/*
 * Compares all of @bpf with @other, of one group or of several, and sorts both. @other may have
 * several records about one thing: each is compared.
 */
void rec_compare_lists(struct rec_compare *compare, struct rec_list *bpf, struct rec_list *other);

/* "fd 3", "vma 7f0000", "thread": what of its process @rec is about. */
struct strbuf;
void rec_describe(struct strbuf *buf, const struct rec_hdr *rec);

#endif /* CRIB_COLLECT_COMPARE_H */
