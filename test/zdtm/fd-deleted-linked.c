/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that was deleted by the name it was opened with, but has another: the descriptor is of
 * that very file again, and a restore leaves no link that was not there.
 */
/* crib-dump: --link-remap */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 5000 };

int main(void)
{
	fd_make_file("opened", SIZE, 1);
	int fd = fd_open("opened", O_RDWR), second = fd_open("opened", O_RDONLY);
	unsigned char *mem = mem_map_file(fd, 0, SIZE, PROT_READ, MAP_SHARED);
	zdtm_assert(!link("opened", "other name") && !unlink("opened"));
	zdtm_assert(lseek(fd, 100, SEEK_SET) == 100 && lseek(second, 200, SEEK_SET) == 200);
	struct fd_state states[] = { fd_state_take(fd), fd_state_take(second) };
	size_t names = fd_count_names("."); /* to which comes what tells the runner */
	uint64_t born = zdtm_born_ms(getpid());

	zdtm_ready();

	/* A tree that was left running shares the file with the link that the images need. */
	if (zdtm_born_ms(getpid()) > born + 5) {
		zdtm_assert_eq(fd_count_names("."), names + 1);
		fd_state_check_same(&states[0]);
		fd_state_check_same(&states[1]);
	}
	zdtm_assert_eq(lseek(fd, 0, SEEK_CUR), 100);
	zdtm_assert_eq(lseek(second, 0, SEEK_CUR), 200);
	zdtm_assert(access("opened", F_OK));
	int other = fd_open("other name", O_RDWR);
	fd_check_content(fd, 0, SIZE, 1);
	zdtm_assert(write(fd, "through the descriptor", 22) == 22);
	zdtm_assert(lseek(other, 100, SEEK_SET) == 100);
	fd_expect(other, "through the descriptor");
	zdtm_assert(pwrite(other, "name", 4, 200) == 4);
	fd_expect(second, "name");
	zdtm_assert(mem[200] == 'n' && mem[203] == 'e');
	zdtm_pass();
}
