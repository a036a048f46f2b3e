/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asynchronous I/O of io_setup(2) is refused in words, and can still be used.
 */
/* refused: asynchronous I/O (io_setup) */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { SIZE = 100 };

int main(void)
{
	aio_context_t context = 0;
	struct io_event event;
	unsigned char text[SIZE];
	fd_make_file("file", SIZE, 1);
	if (syscall(SYS_io_setup, 4, &context))
		zdtm_skip("no asynchronous I/O: %m");
	struct iocb read = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)fd_open("file", O_RDONLY),
		.aio_buf = (uintptr_t)text,
		.aio_nbytes = SIZE,
	};

	zdtm_ready();

	zdtm_assert(syscall(SYS_io_submit, context, 1UL, &(struct iocb *){ &read }) == 1);
	zdtm_assert(syscall(SYS_io_getevents, context, 1UL, 1UL, &event, NULL) == 1);
	zdtm_assert_eq(event.res, SIZE);
	zdtm_pass();
}
