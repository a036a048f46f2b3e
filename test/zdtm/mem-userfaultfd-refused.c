/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory whose faults somebody else is to answer is refused in words, and stays registered.
 */
/* refused: registered with a userfaultfd */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

int main(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		zdtm_skip("no userfaultfd: %m");
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(mem != MAP_FAILED);
	struct uffdio_register range = {
		.range = { (uintptr_t)mem, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	zdtm_assert(!ioctl(fd, UFFDIO_REGISTER, &range));

	zdtm_ready();

	zdtm_assert(mem_vma_has_flag(mem, "um"));
	zdtm_pass();
}
