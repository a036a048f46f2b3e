// SPDX-License-Identifier: GPL-2.0-only
/*
 * Build ids: of this program, and of files that are odd.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fd/buildid.h"

struct small_elf {
	Elf64_Ehdr head;
	Elf64_Phdr segments[2];
	Elf64_Nhdr other;
	char other_owner[8];
	Elf64_Nhdr note;
	char owner[4];
	uint8_t id[20];
};

static struct small_elf small_elf(void)
{
	struct small_elf elf = {
		.head = { .e_phoff = offsetof(struct small_elf, segments),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 2 },
		.segments = { { .p_type = PT_LOAD },
			      { .p_type = PT_NOTE,
				.p_offset = offsetof(struct small_elf, other),
				.p_filesz = sizeof(elf) - offsetof(struct small_elf, other) } },
		.other = { .n_namesz = 6, .n_type = NT_GNU_BUILD_ID },
		.other_owner = "other",
		.note = { .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID },
		.owner = "GNU",
		.id = { 1, 2, 3, 4, 5 },
	};
	memcpy(elf.head.e_ident, ELFMAG, SELFMAG);
	elf.head.e_ident[EI_CLASS] = ELFCLASS64;
	elf.head.e_ident[EI_DATA] =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	return elf;
}

static int file_of(const void *data, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	return fd;
}

static size_t length_in(const struct small_elf *elf, size_t size)
{
	_cleanup_close_ int fd = file_of(elf, size);
	uint8_t id[BUILDID_MAX];

	return buildid_read(fd, id);
}

static void the_note_is_found_behind_another_one(void **state)
{
	struct small_elf elf = small_elf();
	_cleanup_close_ int fd = file_of(&elf, sizeof(elf));
	uint8_t id[BUILDID_MAX];

	assert_int_equal(buildid_read(fd, id), 20);
	assert_memory_equal(id, elf.id, 20);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), sizeof(elf));
}

static void damaged_files_have_none(void **state)
{
	struct small_elf elf = small_elf();

	for (size_t size = 0; size < sizeof(elf); size++)
		assert_int_equal(length_in(&elf, size), 0);
	elf.note.n_descsz = UINT32_MAX;
	assert_int_equal(length_in(&elf, sizeof(elf)), 0);
	elf = small_elf();
	elf.other.n_namesz = UINT32_MAX - 2;
	assert_int_equal(length_in(&elf, sizeof(elf)), 0);
	elf = small_elf();
	elf.head.e_phoff = UINT64_MAX - 8;
	assert_int_equal(length_in(&elf, sizeof(elf)), 0);
	elf = small_elf();
	elf.segments[1].p_filesz = UINT64_MAX;
	assert_int_equal(length_in(&elf, sizeof(elf)), 0);
	elf = small_elf();
	elf.head.e_phentsize = 1;
	assert_int_equal(length_in(&elf, sizeof(elf)), 0);
}

static void other_byte_orders_are_left_alone(void **state)
{
	struct small_elf elf = small_elf();

	elf.head.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	assert_int_equal(length_in(&elf, sizeof(elf)), 0);
}

static void a_changed_id_is_told(void **state)
{
	struct small_elf elf = small_elf();
	RegFileEntry reg = REG_FILE_ENTRY__INIT;
	struct snapshot snap;

	snapshot_init(&snap);
	_cleanup_close_ int fd = file_of(&elf, sizeof(elf));
	assert_true(buildid_is_same(&reg, fd));
	buildid_extract(&snap, &reg, fd);
	assert_int_equal(reg.n_build_id, 5);
	assert_memory_equal(reg.build_id, elf.id, 20);
	assert_true(buildid_is_same(&reg, fd));
	elf.id[19] = 1;
	_cleanup_close_ int changed = file_of(&elf, sizeof(elf));
	assert_false(buildid_is_same(&reg, changed));
	_cleanup_close_ int none = file_of("text", 4);
	assert_false(buildid_is_same(&reg, none));
	snapshot_fini(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_note_is_found_behind_another_one),
		cmocka_unit_test(damaged_files_have_none),
		cmocka_unit_test(other_byte_orders_are_left_alone),
		cmocka_unit_test(a_changed_id_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
