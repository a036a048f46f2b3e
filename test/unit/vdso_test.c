// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vdso of another kernel: its symbols, and its functions redirected to those of the one at hand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "restore/layout.h"
#include "restore/vdso.h"

struct fixture {
	struct arena arena;
	struct layout layout;
	struct vdso_symbols now;
	uint8_t *copy; /* of the vdso, in memory that may be executed later */
	size_t size;
};

static const uint8_t *own_vdso(const struct fixture *f)
{
	return (const uint8_t *)(uintptr_t)f->layout.vdso.vdso.start;
}

static void setup(struct fixture *f)
{
	struct err err = ERR_INIT;

	*f = (struct fixture){ 0 };
	assert_int_equal(layout_read_own(&f->layout, &f->arena, &err), 0);
	if (!f->layout.vdso.vdso.end)
		skip();
	f->size = (size_t)(f->layout.vdso.vdso.end - f->layout.vdso.vdso.start);
	f->copy = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(f->copy != MAP_FAILED);
	memcpy(f->copy, own_vdso(f), f->size);
	if (vdso_read_symbols(own_vdso(f), f->size, &f->arena, &f->now, &err) < 0)
		fail_msg("%s", err.text);
}

static void teardown(struct fixture *f)
{
	munmap(f->copy, f->size);
	arena_fini(&f->arena);
}

static const struct vdso_symbol *find(const struct fixture *f, const char *end_of_name)
{
	array_each(const struct vdso_symbol, symbol, &f->now.v) {
		size_t len = strlen(symbol->name), want = strlen(end_of_name);

		if (len > want && symbol->name[0] == '_' &&
		    !strcmp(symbol->name + len - want, end_of_name))
			return symbol;
	}
	return NULL;
}

typedef int clock_fn(clockid_t clock, struct timespec *ts);

/* Calls clock_gettime of the copy, whose own code would read the wrong memory. */
static int64_t clock_of_copy(struct fixture *f)
{
	const struct vdso_symbol *symbol = find(f, "clock_gettime");
	struct timespec ts = { 0 };

	assert_non_null(symbol);
	assert_int_equal(mprotect(f->copy, f->size, PROT_READ | PROT_EXEC), 0);
	clock_fn *clock = (clock_fn *)(uintptr_t)(f->copy + symbol->value);

	assert_int_equal(clock(CLOCK_MONOTONIC, &ts), 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t own_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void the_kernel_s_vdso_has_a_clock(void **state)
{
	struct fixture f;

	setup(&f);
	assert_non_null(find(&f, "clock_gettime"));
	teardown(&f);
}

static void an_old_vdso_leads_to_the_functions_of_the_new_one(void **state)
{
	struct fixture f;
	struct err err = ERR_INIT;

	setup(&f);
	assert_int_equal(
		vdso_redirect(f.copy, f.size, &f.now, (uintptr_t)own_vdso(&f), &f.arena, &err), 0);
	assert_in_range(clock_of_copy(&f) + 1000, own_clock(), own_clock() + 1001);
	teardown(&f);
}

static void a_function_that_is_gone_becomes_a_system_call(void **state)
{
	struct vdso_symbols fewer = { 0 };
	struct fixture f;
	struct err err = ERR_INIT;

	setup(&f);
	array_each(const struct vdso_symbol, symbol, &f.now.v)
		if (!strstr(symbol->name, "clock_gettime"))
			*array_push(&f.arena, &fewer.v) = *symbol;
	assert_int_equal(
		vdso_redirect(f.copy, f.size, &fewer, (uintptr_t)own_vdso(&f), &f.arena, &err), 0);
	assert_in_range(clock_of_copy(&f) + 1000, own_clock(), own_clock() + 1001);
	teardown(&f);
}

static void a_damaged_vdso_is_refused_or_read_within_its_bounds(void **state)
{
	struct fixture f;
	struct err err = ERR_INIT;
	unsigned int seed = 1;

	setup(&f);
	for (int round = 0; round < 2000; round++) {
		struct arena arena = { 0 };
		struct vdso_symbols symbols = { 0 };
		size_t size = f.size / 2 + (size_t)rand_r(&seed) % (f.size / 2);
		uint8_t *bytes = malloc(size);

		assert_non_null(bytes);
		memcpy(bytes, own_vdso(&f), size);
		for (int i = 0; i < 8; i++)
			bytes[(size_t)rand_r(&seed) % 0x600] ^= (uint8_t)(1 << (rand_r(&seed) % 8));
		if (!vdso_read_symbols(bytes, size, &arena, &symbols, &err))
			array_each(const struct vdso_symbol, symbol, &symbols.v)
				assert_true(symbol->value < size && strlen(symbol->name) < size);
		arena_fini(&arena);
		free(bytes);
	}
	assert_int_equal(vdso_read_symbols(own_vdso(&f), 10, &f.arena, &f.now, &err), -EBADMSG);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_s_vdso_has_a_clock),
		cmocka_unit_test(an_old_vdso_leads_to_the_functions_of_the_new_one),
		cmocka_unit_test(a_function_that_is_gone_becomes_a_system_call),
		cmocka_unit_test(a_damaged_vdso_is_refused_or_read_within_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
