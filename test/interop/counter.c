/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts, in memory and in a file: after a restore the three counts still agree, so nothing was
 * lost, repeated or begun anew.
 */
#include "interop.h"

#define MEM_BYTES (1u << 20)

static bool memory_holds(const unsigned char *mem)
{
	for (size_t i = 0; i < MEM_BYTES; i++) {
		if (mem[i] != (unsigned char)(i * 7 + i / 4096))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	unsigned char *mem = malloc(MEM_BYTES);
	int fd = open("count", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (!mem || fd < 0)
		die("setup");
	for (size_t i = 0; i < MEM_BYTES; i++)
		mem[i] = (unsigned char)(i * 7 + i / 4096);
	catch_ask();
	unsigned int count = 0;
	static volatile unsigned int second;
	report(argv[1], "ready %d 1\n", (int)getpid());
	while (true) {
		count++;
		second++;
		if (write(fd, ".", 1) != 1)
			die("write");
		sleep_ms(5);
		if (was_asked())
			report_state(argv[1], "counter",
				     memory_holds(mem) && second == count &&
					     lseek(fd, 0, SEEK_CUR) == (off_t)count &&
					     lseek(fd, 0, SEEK_END) == (off_t)count);
	}
}
