// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats-dump and stats-restore: written when all is over, so not parts of an image.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/strbuf.h"
#include "image/image.h"

int image_save_stats(int dirfd, enum image_kind kind, const StatsEntry *stats, struct err *err)
{
	const struct image_info *info = image_info(kind);
	uint32_t size = (uint32_t)stats_entry__get_packed_size(stats);
	_cleanup_strbuf_ struct strbuf buf = { 0 };

	strbuf_add(&buf, info->magic, sizeof(info->magic));
	strbuf_add(&buf, &size, sizeof(size));
	stats_entry__pack(stats, (uint8_t *)strbuf_reserve(&buf, size));
	buf.len += size;

	_cleanup_close_ int fd = openat(
		dirfd, info->prefix, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "create '%s'", info->prefix);
	int ret = io_write(fd, buf.data, buf.len);
	return ret < 0 ? err_ret(err, ret, "write '%s'", info->prefix) : 0;
}
