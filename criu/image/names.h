/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of an image directory: their names and magic numbers, one line each in names.c.
 */
#ifndef CRIB_IMAGE_NAMES_H
#define CRIB_IMAGE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

enum {
	IMAGE_COMMON_MAGIC = 0x54564319,  /* first word of an image */
	IMAGE_SERVICE_MAGIC = 0x55105940, /* first word of stats and the like */
	IMAGE_NAME_MAX = 48,              /* bytes of the longest name, with its NUL */
};

/* In brackets: what the number in the name is. */
enum image_kind {
	IMG_INVENTORY,
	IMG_CHECKSUMS,
	IMG_PSTREE,
	IMG_CORE,          /* [tid] */
	IMG_IDS,           /* [pid] */
	IMG_MM,            /* [pid] */
	IMG_FS,            /* [pid] */
	IMG_PAGEMAP,       /* [pid] */
	IMG_SHMEM_PAGEMAP, /* [shmid] */
	IMG_PAGES,         /* [pages_id]; no magic number, contents begin at offset 0 */
	IMG_FDINFO,        /* [files_id] */
	IMG_FILES,
	IMG_GHOST_FILE, /* [remap_id] */
	IMG_REMAP_FPATH,
	IMG_MEMFD,
	IMG_PIPES_DATA,
	IMG_FIFO_DATA,
	IMG_TTY_INFO,
	IMG_TTY_DATA,
	IMG_FILE_LOCKS,
	IMG_SECCOMP,
	IMG_CPUINFO,
	IMG_CGROUP,
	IMG_TIMENS, /* [time_ns_id] */
	IMG_STATS_DUMP,
	IMG_STATS_RESTORE,
	IMG_KIND_MAX,
};

struct image_info {
	const char *prefix; /* before the number */
	const char *suffix; /* behind it; NULL: no number */
	bool hex;           /* the number is hexadecimal */
	uint32_t magic[2];  /* as they stand at the file's beginning; 0: no such word */
};

/* Never NULL. */
const struct image_info *image_info(enum image_kind kind);

/* Writes the file name of @kind with number @id (ignored when it has none) to @name. */
void image_name(char name[IMAGE_NAME_MAX], enum image_kind kind, uint64_t id);

/* True when @name could be a file of @kind; its number goes to *@ret_id (0: it has none). */
bool image_name_is(const char *name, enum image_kind kind, uint64_t *ret_id);

#endif /* CRIB_IMAGE_NAMES_H */
