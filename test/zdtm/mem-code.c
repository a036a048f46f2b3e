/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Machine code that the program has written itself is still executable and the same, and can be
 * written anew.
 */
#include <string.h>

#include "mem.h"
#include "zdtm.h"

/* Writes a function that returns @value, which is below 0x8000, to @at. */
static void write_code(unsigned char *at, uint16_t value)
{
#if defined(__x86_64__) || defined(__i386__)
	const unsigned char code[] = { 0xb8, value & 0xff, value >> 8, 0, 0, 0xc3 };
#elif defined(__aarch64__)
	const uint32_t code[] = { 0x52800000 | (uint32_t)value << 5, 0xd65f03c0 };
#elif defined(__arm__)
	/* In pieces of a byte, as every ARM can it: mov r0, #high << 8; orr r0, r0, #low; bx lr */
	const uint32_t code[] = { 0xe3a00c00 | value >> 8, 0xe3800000 | (value & 0xff),
				  0xe12fff1e };
#else
	const unsigned char code[] = { value & 0xff };
	zdtm_skip("no machine code for this machine");
#endif
	memcpy(at, code, sizeof(code));
	__builtin___clear_cache((char *)at, (char *)at + sizeof(code));
}

static int call(const unsigned char *at)
{
	int (*function)(void) = (int (*)(void))(uintptr_t)at;
	return function();
}

enum { COUNT = 300, STEP = 64 };

int main(void)
{
	size_t size = COUNT * STEP;
	unsigned char *mem = mem_map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (uint16_t i = 0; i < COUNT; i++)
		write_code(mem + i * STEP, i * 100);
	zdtm_assert(!mprotect(mem, size, PROT_READ | PROT_EXEC));
	zdtm_assert_eq(call(mem + 17 * STEP), 1700);

	zdtm_ready();

	mem_get_vma(mem, "r-xp");
	for (int i = 0; i < COUNT; i++)
		zdtm_assert_eq(call(mem + i * STEP), i * 100);
	zdtm_assert(!mprotect(mem, size, PROT_READ | PROT_WRITE));
	write_code(mem, 12345);
	zdtm_assert(!mprotect(mem, size, PROT_READ | PROT_EXEC));
	zdtm_assert_eq(call(mem), 12345);
	zdtm_pass();
}
