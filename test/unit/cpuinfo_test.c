// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparing processors for --cpu-cap, on an architecture that can.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpuinfo.h"

enum { ALL = ARCH_CPU_FPU | ARCH_CPU_INS | ARCH_CPU_CPU };

struct fixture {
	struct arena arena;
	CpuinfoEntry *own, *image;
	struct err err;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .err = ERR_INIT };
	fixture.own = arch_cpuinfo(&fixture.arena);
	fixture.image = arch_cpuinfo(&fixture.arena);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	arena_fini(&((struct fixture *)*state)->arena);
	return 0;
}

static void a_processor_is_like_itself(void **state)
{
	struct fixture *f = *state;

	if (!f->own)
		skip();
	assert_int_equal(f->own->n_x86_entry, 1);
	assert_int_equal(arch_cpuinfo_check(f->image, f->own, ALL, &f->err), 0);
}

static void missing_instructions_are_named(void **state)
{
	struct fixture *f = *state;

	if (!f->own)
		skip();
	f->image->x86_entry[0]->capability[9] |= 1U << 5;
	f->own->x86_entry[0]->capability[9] &= ~(1U << 5);
	assert_int_equal(arch_cpuinfo_check(f->image, f->own, ARCH_CPU_INS, &f->err), -ENOTSUP);
	assert_non_null(strstr(f->err.text, " avx2;"));
	assert_int_equal(arch_cpuinfo_check(f->image, f->own, ARCH_CPU_FPU, &f->err), 0);
	/* more than the image had is fine */
	assert_int_equal(arch_cpuinfo_check(f->own, f->image, ARCH_CPU_INS, &f->err), 0);
	assert_int_equal(arch_cpuinfo_check(f->own, f->image, ARCH_CPU_CPU, &f->err), -ENOTSUP);
}

static void missing_state_components_are_named(void **state)
{
	struct fixture *f = *state;

	if (!f->own)
		skip();
	f->image->x86_entry[0]->xfeatures_mask |= 1ULL << 40;
	assert_int_equal(arch_cpuinfo_check(f->image, f->own, ARCH_CPU_FPU, &f->err), -ENOTSUP);
	assert_non_null(strstr(f->err.text, "0x10000000000"));
	assert_int_equal(arch_cpuinfo_check(f->image, f->own, ARCH_CPU_INS, &f->err), 0);
}

static void images_that_cannot_be_understood_are_refused(void **state)
{
	struct fixture *f = *state;

	if (!f->own)
		skip();
	f->image->x86_entry[0]->n_capability--;
	assert_int_equal(arch_cpuinfo_check(f->image, f->own, ALL, &f->err), -EBADMSG);
	f->image->n_x86_entry = 0;
	assert_int_equal(arch_cpuinfo_check(f->image, f->own, ALL, &f->err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_processor_is_like_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_instructions_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_state_components_are_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(images_that_cannot_be_understood_are_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
