// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of image files, see names.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "image/names.h"

#define COMMON(magic)                                                                              \
	{                                                                                          \
		IMAGE_COMMON_MAGIC, magic                                                          \
	}
#define SERVICE(magic)                                                                             \
	{                                                                                          \
		IMAGE_SERVICE_MAGIC, magic                                                         \
	}

static const struct image_info images[IMG_KIND_MAX] = {
	[IMG_INVENTORY] = { "inventory.img", NULL, false, { 0x58313116, 0 } },
	[IMG_CHECKSUMS] = { "crib-checksums.img", NULL, false, COMMON(0x43524942) },
	[IMG_PSTREE] = { "pstree.img", NULL, false, COMMON(0x50273030) },
	[IMG_CORE] = { "core-", ".img", false, COMMON(0x55053847) },
	[IMG_IDS] = { "ids-", ".img", false, COMMON(0x54432030) },
	[IMG_MM] = { "mm-", ".img", false, COMMON(0x57492820) },
	[IMG_FS] = { "fs-", ".img", false, COMMON(0x51403912) },
	[IMG_PAGEMAP] = { "pagemap-", ".img", false, COMMON(0x56084025) },
	[IMG_SHMEM_PAGEMAP] = { "pagemap-shmem-", ".img", false, COMMON(0x56084025) },
	[IMG_PAGES] = { "pages-", ".img", false, { 0, 0 } },
	[IMG_FDINFO] = { "fdinfo-", ".img", false, COMMON(0x56213732) },
	[IMG_FILES] = { "files.img", NULL, false, COMMON(0x56303138) },
	[IMG_GHOST_FILE] = { "ghost-file-", ".img", true, COMMON(0x52583605) },
	[IMG_REMAP_FPATH] = { "remap-fpath.img", NULL, false, COMMON(0x59133954) },
	[IMG_MEMFD] = { "memfd.img", NULL, false, COMMON(0x48453499) },
	[IMG_PIPES_DATA] = { "pipes-data.img", NULL, false, COMMON(0x56453709) },
	[IMG_FIFO_DATA] = { "fifo-data.img", NULL, false, COMMON(0x59333054) },
	[IMG_TTY_INFO] = { "tty-info.img", NULL, false, COMMON(0x59453036) },
	[IMG_TTY_DATA] = { "tty-data.img", NULL, false, COMMON(0x59413026) },
	[IMG_FILE_LOCKS] = { "filelocks.img", NULL, false, COMMON(0x54323616) },
	[IMG_SECCOMP] = { "seccomp.img", NULL, false, COMMON(0x64413049) },
	[IMG_CPUINFO] = { "cpuinfo.img", NULL, false, COMMON(0x61404013) },
	[IMG_CGROUP] = { "cgroup.img", NULL, false, COMMON(0x59383330) },
	[IMG_TIMENS] = { "timens-", ".img", false, COMMON(0x43114433) },
	[IMG_STATS_DUMP] = { "stats-dump", NULL, false, SERVICE(0x57093306) },
	[IMG_STATS_RESTORE] = { "stats-restore", NULL, false, SERVICE(0x57093306) },
};

const struct image_info *image_info(enum image_kind kind)
{
	return &images[kind];
}

void image_name(char name[IMAGE_NAME_MAX], enum image_kind kind, uint64_t id)
{
	const struct image_info *info = &images[kind];

	if (!info->suffix)
		snprintf(name, IMAGE_NAME_MAX, "%s", info->prefix);
	else if (info->hex)
		snprintf(name, IMAGE_NAME_MAX, "%s%" PRIx64 "%s", info->prefix, id, info->suffix);
	else
		snprintf(name, IMAGE_NAME_MAX, "%s%" PRIu64 "%s", info->prefix, id, info->suffix);
}

bool image_name_is(const char *name, enum image_kind kind, uint64_t *ret_id)
{
	const struct image_info *info = &images[kind];
	const char *pos = name;
	uint64_t id = 0;

	if (!scan_str(&pos, info->prefix))
		return false;
	if (info->suffix) {
		if (!(info->hex ? scan_hex(&pos, &id) : scan_u64(&pos, &id)))
			return false;
		if (!scan_str(&pos, info->suffix))
			return false;
	}
	if (*pos)
		return false;
	*ret_id = id;
	return true;
}
