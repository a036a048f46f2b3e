// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images: a snapshot is saved and loaded, damage is found, and what fails leaves nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/strbuf.h"
#include "image/crc32c.h"
#include "image_fixture.h"

#include "pagemap.pb-c.h"

/* ---- Helpers ---- */

struct fixture {
	char path[64];
	struct snapshot snap;
};

static int set_up(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	dir_make(f->path);
	fixture_tree(&f->snap);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	dir_remove(f->path);
	snapshot_fini(&f->snap);
	free(f);
	return 0;
}

static void read_file(const char *dir, const char *name, struct strbuf *buf)
{
	int dirfd = dir_open(dir);

	assert_int_equal(io_read_file(dirfd, name, buf), 0);
	close(dirfd);
}

static void write_file(const char *dir, const char *name, const void *data, size_t len)
{
	int dirfd = dir_open(dir);
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, data, len), 0);
	close(fd);
	close(dirfd);
}

static void remove_file(const char *dir, const char *name)
{
	int dirfd = dir_open(dir);

	assert_int_equal(unlinkat(dirfd, name, 0), 0);
	close(dirfd);
}

static bool has_file(const char *dir, const char *name)
{
	int dirfd = dir_open(dir);
	bool has = faccessat(dirfd, name, F_OK, 0) == 0;

	close(dirfd);
	return has;
}

/* Calls @fn for every file of the directory, which may change it. Returns their number. */
static size_t each_file(const char *path, void (*fn)(const char *path, const char *name))
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	size_t count = 0;

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, "..")) {
			count++;
			if (fn)
				fn(path, entries[i]->d_name);
		}
		free(entries[i]);
	}
	free(entries);
	return count;
}

/* Everything that restore checks before any effect. */
static int load_and_verify(const char *path, struct err *err)
{
	struct snapshot snap;
	int dirfd = dir_open(path);

	int ret = fixture_load(&snap, path, err);
	if (ret == 0)
		ret = image_verify_contents(dirfd, 2, err);
	snapshot_fini(&snap);
	close(dirfd);
	return ret;
}

static void assert_refused(const char *path, int code, const char *text)
{
	struct err err;

	assert_int_equal(load_and_verify(path, &err), code);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

/* ---- Checksums ---- */

static void crc32c_is_what_others_compute(void **state)
{
	char zeros[32] = { 0 };

	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, zeros, sizeof(zeros)), 0x8a9136aa); /* RFC 3720, B.4 */
	assert_int_equal(crc32c(0, "", 0), 0);
}

static void crc32c_is_the_same_by_instruction_and_by_table(void **state)
{
	size_t size = 40000;
	unsigned char *data = xzalloc(size);

	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)(i * i >> 3);
	for (size_t len = 0; len + 7 <= size; len += 1 + len / 3)
		assert_int_equal(crc32c(7, data + len % 7, len),
				 crc32c_portable(7, data + len % 7, len));
	free(data);
}

static void crc32c_of_two_pieces_is_that_of_the_whole(void **state)
{
	const char text[] = "the quick brown fox jumps over the lazy dog";
	uint32_t whole = crc32c(0, text, sizeof(text));

	for (size_t i = 0; i <= sizeof(text); i++) {
		uint32_t first = crc32c(0, text, i);
		uint32_t second = crc32c(0, text + i, sizeof(text) - i);

		assert_int_equal(crc32c_combine(first, second, sizeof(text) - i), whole);
		assert_int_equal(crc32c(first, text + i, sizeof(text) - i), whole);
	}
}

static void names_have_their_numbers(void **state)
{
	char name[IMAGE_NAME_MAX];
	uint64_t id;

	image_name(name, IMG_GHOST_FILE, 0x1f);
	assert_string_equal(name, "ghost-file-1f.img");
	image_name(name, IMG_SHMEM_PAGEMAP, UINT64_MAX);
	assert_string_equal(name, "pagemap-shmem-18446744073709551615.img");
	image_name(name, IMG_STATS_DUMP, 3);
	assert_string_equal(name, "stats-dump");
	assert_true(image_name_is("pages-17.img", IMG_PAGES, &id));
	assert_int_equal(id, 17);
	assert_false(image_name_is("pages-17.img.old", IMG_PAGES, &id));
	assert_false(image_name_is("pages-.img", IMG_PAGES, &id));
	assert_false(image_name_is("pagemap-shmem-1.img", IMG_PAGEMAP, &id));
}

/* ---- Saving and loading ---- */

static void compare_with_second(const char *path, const char *name)
{
	struct strbuf first = { 0 }, second = { 0 };
	char other[80];

	snprintf(other, sizeof(other), "%s.again", path);
	read_file(path, name, &first);
	read_file(other, name, &second);
	if (first.len != second.len || memcmp(first.data, second.data, first.len))
		fail_msg("%s differs", name);
	strbuf_fini(&first);
	strbuf_fini(&second);
}

static void what_was_loaded_is_saved_to_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	struct snapshot snap;
	struct err err;
	char again[80];

	fixture_save(&f->snap, f->path);
	assert_int_equal(fixture_load(&snap, f->path, &err), 0);
	snap.ghosts.v[0].fd = dup(f->snap.ghosts.v[0].fd);
	snprintf(again, sizeof(again), "%s.again", f->path);
	assert_int_equal(mkdir(again, 0700), 0);
	fixture_save(&snap, again);
	assert_int_equal(each_file(f->path, compare_with_second), each_file(again, NULL));
	snapshot_fini(&snap);
	dir_remove(again);
}

static void what_was_saved_is_loaded_with_all_its_links(void **state)
{
	struct fixture *f = *state;
	struct snapshot snap;
	struct err err;

	fixture_save(&f->snap, f->path);
	assert_int_equal(fixture_load(&snap, f->path, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(snap.tasks.n, 3);
	struct task *parent = snap.tasks.v[0], *child = snap.tasks.v[1], *zombie = snap.tasks.v[2];
	assert_ptr_equal(child->parent, parent);
	assert_int_equal(parent->children.n, 2);
	assert_int_equal(parent->threads.n, 2);
	assert_int_equal(child->state, TASK_STATE_STOPPED);
	assert_int_equal(zombie->state, TASK_STATE_DEAD);
	assert_null(zombie->mm);
	assert_string_equal(parent->mm->exe->entry->reg->name, "/usr/bin/counter");
	assert_ptr_equal(parent->mm->vmas.v[0].file, parent->mm->exe);
	assert_ptr_equal(parent->mm->vmas.v[2].shmem, child->mm->vmas.v[2].shmem);
	assert_int_equal(parent->mm->vmas.v[2].shmem->size, 4 * PAGE);
	assert_true(parent->mm->vmas.v[1].locked_onfault);
	assert_string_equal(parent->mm->vmas.v[1].anon_name, "the heap");
	assert_int_equal(child->mm->pages.n, 4);
	assert_ptr_equal(child->mm->pages.v[1].shared_with, parent);
	assert_true(child->mm->pages.v[2].guard);
	assert_int_equal(child->mm->pages.v[3].img_off, PAGE);
	assert_ptr_equal(child->fdt->slots.v[1].ofd, parent->fdt->slots.v[1].ofd);
	assert_ptr_equal(child->fdt->slots.v[1].ofd->owner, parent);
	assert_true(parent->fdt->slots.v[4].cloexec);
	assert_ptr_equal(snap.shmems.v[0]->memfd, parent->fdt->slots.v[5].ofd);
	assert_string_equal(parent->fs->cwd->entry->reg->name, "/srv");
	assert_memory_equal(snap.pipe_data.v[0].data, "water", 5);
	assert_true(snap.next_file_id > parent->fdt->slots.v[6].ofd->entry->id);
	snapshot_fini(&snap);
}

static void holes_of_a_deleted_file_are_kept(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct stat image, copy;
	char letters[2];

	fixture_save(&f->snap, f->path);
	int dirfd = dir_open(f->path);
	int fd = memfd_create("copy", 0);
	assert_int_equal(image_copy_ghost(dirfd, 11, fd, &err), 0);
	assert_int_equal(fstatat(dirfd, "ghost-file-b.img", &image, 0), 0);
	assert_int_equal(fstat(fd, &copy), 0);
	assert_int_equal(copy.st_size, 1 << 20);
	assert_true((uint64_t)image.st_size < 3 * PAGE);
	assert_true((uint64_t)copy.st_blocks * 512 < 5 * PAGE);
	assert_int_equal(pread(fd, letters, 1, 0), 1);
	assert_int_equal(pread(fd, letters + 1, 1, (1 << 20) - 1), 1);
	assert_memory_equal(letters, "az", 2);
	close(fd);
	close(dirfd);
}

static void shared_pages_are_refused_where_criu_must_read_them(void **state)
{
	struct fixture *f = *state;
	struct image_save_opts opts = { .compat_criu = true };
	struct err err = ERR_INIT;
	struct image_dir dir;

	assert_int_equal(image_create(&dir, f->path, &err), 0);
	assert_int_equal(image_save(&f->snap, &dir, &opts, &err), -EINVAL);
	image_fini(&dir);
	assert_int_equal(each_file(f->path, NULL), 0);
}

/* ---- Images of criu ---- */

/* Makes what criu would have written: none of crib's own fields, and no checksums. */
static void save_like_criu(struct fixture *f)
{
	InventoryEntry inventory = INVENTORY_ENTRY__INIT;
	uint8_t packed[256];
	uint32_t words[2] = { image_info(IMG_INVENTORY)->magic[0], 0 };

	fixture_save(&f->snap, f->path);
	inventory.img_version = 2;
	words[1] = (uint32_t)inventory_entry__get_packed_size(&inventory);
	memcpy(packed, words, sizeof(words));
	inventory_entry__pack(&inventory, packed + sizeof(words));
	write_file(f->path, "inventory.img", packed, sizeof(words) + words[1]);
}

static void an_image_of_criu_is_loaded_without_checksums(void **state)
{
	struct fixture *f = *state;
	struct err err;

	save_like_criu(f);
	remove_file(f->path, "crib-checksums.img");
	assert_int_equal(load_and_verify(f->path, &err), 0);
}

static void checksums_of_an_older_image_do_not_count_for_one_of_criu(void **state)
{
	struct fixture *f = *state;
	struct err err;

	save_like_criu(f);
	assert_int_equal(load_and_verify(f->path, &err), 0);
}

/* Appends a range to the pagemap of the child, as criu would. */
static void append_pagemap(struct fixture *f, const PagemapEntry *entry)
{
	struct strbuf buf = { 0 };
	uint8_t packed[64];
	uint32_t size = (uint32_t)pagemap_entry__pack(entry, packed);

	read_file(f->path, "pagemap-102.img", &buf);
	strbuf_add(&buf, &size, sizeof(size));
	strbuf_add(&buf, packed, size);
	write_file(f->path, "pagemap-102.img", buf.data, buf.len);
	strbuf_fini(&buf);
}

static void contents_that_are_elsewhere_are_refused(void **state)
{
	static const struct {
		uint32_t flags;
		int code;
		const char *text;
	} cases[] = {
		{ 1, -ENOTSUP, "--prev-images-dir" },
		{ 2, -ENOTSUP, "--lazy-pages" },
		{ 64, -EBADMSG, "unknown flags 0x40" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PagemapEntry entry = PAGEMAP_ENTRY__INIT;

		save_like_criu(f);
		entry.vaddr = STACK_START + 2 * PAGE;
		entry.compat_nr_pages = 1;
		entry.has_flags = true;
		entry.flags = cases[i].flags;
		append_pagemap(f, &entry);
		assert_refused(f->path, cases[i].code, cases[i].text);
	}
}

/* ---- Damage ---- */

static void assert_flips_are_found(const char *path, const char *name)
{
	struct strbuf buf = { 0 };
	struct err err;

	read_file(path, name, &buf);
	/* Every byte of small files, and some of the pages. */
	size_t step = buf.len > 4 * PAGE ? 997 : buf.len > 1024 ? 61 : 1;
	for (size_t i = 0; i < buf.len; i += step) {
		buf.data[i] ^= (char)(1 << i % 8);
		write_file(path, name, buf.data, buf.len);
		if (load_and_verify(path, &err) == 0)
			fail_msg("bit %zu of byte %zu of %s was flipped, nobody saw it", i % 8, i,
				 name);
		buf.data[i] ^= (char)(1 << i % 8);
	}
	write_file(path, name, buf.data, buf.len);
	strbuf_fini(&buf);
	assert_int_equal(load_and_verify(path, &err), 0);
}

static void a_flipped_bit_in_any_file_is_found(void **state)
{
	struct fixture *f = *state;

	fixture_save(&f->snap, f->path);
	each_file(f->path, assert_flips_are_found);
}

static void assert_truncation_is_found(const char *path, const char *name)
{
	struct strbuf buf = { 0 };
	struct err err;

	read_file(path, name, &buf);
	for (size_t len = 0; len < buf.len; len += 1 + buf.len / 9) {
		write_file(path, name, buf.data, len);
		if (load_and_verify(path, &err) == 0)
			fail_msg("%s was truncated to %zu bytes, nobody saw it", name, len);
		assert_non_null(strstr(err.text, name));
	}
	write_file(path, name, buf.data, buf.len);
	strbuf_fini(&buf);
}

static void a_truncated_file_is_found_and_named(void **state)
{
	struct fixture *f = *state;

	fixture_save(&f->snap, f->path);
	each_file(f->path, assert_truncation_is_found);
}

static void assert_loss_is_found(const char *path, const char *name)
{
	struct strbuf buf = { 0 };
	struct err err;

	read_file(path, name, &buf);
	remove_file(path, name);
	int ret = load_and_verify(path, &err);
	if (!strcmp(name, "inventory.img"))
		assert_int_equal(ret, -ENOENT);
	else if (!strcmp(name, "crib-checksums.img"))
		assert_int_equal(ret, 0); /* like an image of criu */
	else
		assert_int_equal(ret, -EBADMSG);
	if (ret < 0 && !strstr(err.text, name))
		fail_msg("%s is missing, said is '%s'", name, err.text);
	write_file(path, name, buf.data, buf.len);
	strbuf_fini(&buf);
}

static void a_missing_file_is_found_and_named(void **state)
{
	struct fixture *f = *state;

	fixture_save(&f->snap, f->path);
	each_file(f->path, assert_loss_is_found);
}

static void swapped_files_are_found(void **state)
{
	struct fixture *f = *state;
	struct strbuf first = { 0 }, second = { 0 };

	fixture_save(&f->snap, f->path);
	read_file(f->path, "core-100.img", &first);
	read_file(f->path, "core-101.img", &second);
	write_file(f->path, "core-100.img", second.data, second.len);
	write_file(f->path, "core-101.img", first.data, first.len);
	assert_refused(f->path, -EBADMSG, "'core-100.img' has");
	read_file(f->path, "pages-2.img", &first);
	read_file(f->path, "pages-10.img", &second);
	fixture_save(&f->snap, f->path);
	write_file(f->path, "pages-2.img", second.data, second.len);
	write_file(f->path, "pages-10.img", first.data, first.len);
	assert_refused(f->path, -EBADMSG, "is damaged: its checksum");
	strbuf_fini(&first);
	strbuf_fini(&second);
}

static void an_image_without_inventory_is_not_complete(void **state)
{
	struct fixture *f = *state;

	assert_refused(f->path, -ENOENT, "not a complete image");
}

static void an_image_of_another_machine_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->snap.tasks.n; i++)
		array_each(struct thread, thread, &f->snap.tasks.v[i]->threads)
			thread->core->mtype = CORE_ENTRY__MARCH__S390;
	fixture_save(&f->snap, f->path);
	assert_refused(f->path, -ENOTSUP, "s390");
}

static void an_image_with_other_pages_is_refused(void **state)
{
	struct fixture *f = *state;
	struct image_save_opts opts = { 0 };
	struct err err = ERR_INIT;
	struct image_dir dir;

	/* No pages of any size. */
	for (size_t i = 0; i < f->snap.mms.n; i++) {
		f->snap.mms.v[i]->pages.n = 0;
		array_each(struct vma, vma, &f->snap.mms.v[i]->vmas) {
			vma->start *= 16;
			vma->end *= 16;
		}
	}
	f->snap.shmems.v[1]->pages.n = 0;
	f->snap.page_size = (uint32_t)PAGE * 16;
	assert_int_equal(image_create(&dir, f->path, &err), 0);
	assert_int_equal(image_save(&f->snap, &dir, &opts, &err), 0);
	assert_int_equal(image_commit(&dir, &err), 0);
	image_fini(&dir);
	assert_refused(f->path, -ENOTSUP, "under a kernel with that page size");
}

static void another_version_of_the_format_is_refused(void **state)
{
	struct fixture *f = *state;
	struct strbuf buf = { 0 };

	save_like_criu(f);
	read_file(f->path, "inventory.img", &buf);
	buf.data[9] = 3; /* behind the magic number, the length and the tag */
	write_file(f->path, "inventory.img", buf.data, buf.len);
	assert_refused(f->path, -ENOTSUP, "image version 3");
	strbuf_fini(&buf);
}

/* ---- The directory ---- */

static void a_directory_that_cannot_be_used_is_refused_in_one_line(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct image_dir dir;
	char path[80];

	snprintf(path, sizeof(path), "%s/missing", f->path);
	assert_int_equal(image_create(&dir, path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "does not exist"));
	write_file(f->path, "file", "x", 1);
	snprintf(path, sizeof(path), "%s/file", f->path);
	assert_int_equal(image_create(&dir, path, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "is not a directory"));
	assert_int_equal(image_create(&dir, "/proc/self", &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot be written to"));
	image_fini(&dir);
}

static void a_dump_that_fails_leaves_the_older_image(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct image_dir dir;

	fixture_save(&f->snap, f->path);
	size_t n = each_file(f->path, NULL);
	assert_int_equal(image_create(&dir, f->path, &err), 0);
	fixture_save_pages(&dir);
	image_abort(&dir);
	image_fini(&dir);
	assert_int_equal(each_file(f->path, NULL), n);
	assert_int_equal(load_and_verify(f->path, &err), 0);
}

/* Commits an image that somebody has still to agree to. */
static void commit_undecided(struct fixture *f, struct image_dir *dir, int *undecided)
{
	const struct image_save_opts opts = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(image_create(dir, f->path, &err), 0);
	dir->undecided = undecided;
	fixture_save_pages(dir);
	assert_int_equal(image_save(&f->snap, dir, &opts, &err), 0);
	assert_int_equal(*undecided, 0);
	assert_int_equal(image_commit(dir, &err), 0);
	assert_int_equal(*undecided, 1);
	assert_int_equal(load_and_verify(f->path, &err), 0);
}

static void an_image_can_be_taken_back_until_it_is_settled(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct image_dir dir;
	int undecided = 0;

	commit_undecided(f, &dir, &undecided);
	image_fini(&dir);
	assert_int_equal(undecided, 0);
	assert_int_equal(each_file(f->path, NULL), 0);
	commit_undecided(f, &dir, &undecided);
	image_settle(&dir);
	assert_int_equal(undecided, 0);
	image_fini(&dir);
	assert_int_equal(load_and_verify(f->path, &err), 0);
	image_remove(f->path); /* as for a process that was killed */
	assert_int_equal(each_file(f->path, NULL), 0);
}

static void a_new_image_takes_the_place_of_the_older_one(void **state)
{
	struct fixture *f = *state;
	struct err err;

	fixture_save(&f->snap, f->path);
	assert_true(has_file(f->path, "ghost-file-b.img"));
	write_file(f->path, "dump.log", "x", 1);
	f->snap.ghosts.v[0].id = 12;
	f->snap.remaps.v[0]->remap_id = 12;
	fixture_save(&f->snap, f->path);
	assert_false(has_file(f->path, "ghost-file-b.img"));
	assert_true(has_file(f->path, "ghost-file-c.img"));
	assert_true(has_file(f->path, "dump.log"));
	assert_int_equal(load_and_verify(f->path, &err), 0);
}

static void a_file_that_is_not_of_the_image_does_not_count(void **state)
{
	struct fixture *f = *state;
	struct snapshot snap;
	struct err err;

	fixture_save(&f->snap, f->path);
	write_file(f->path, "filelocks.img", "rubbish", 7);
	assert_int_equal(fixture_load(&snap, f->path, &err), 0);
	assert_int_equal(snap.locks.n, 0);
	snapshot_fini(&snap);
}

static void what_a_killed_dump_left_is_removed_by_the_next(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct image_dir dir;

	pid_t pid = fork();
	if (pid == 0) {
		if (image_create(&dir, f->path, NULL) == 0)
			fixture_save_pages(&dir);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	assert_int_equal(each_file(f->path, NULL), 1);
	assert_int_equal(image_create(&dir, f->path, &err), 0);
	assert_int_equal(each_file(f->path, NULL), 1);
	image_fini(&dir);
	assert_int_equal(each_file(f->path, NULL), 0);
}

static void two_dumps_into_one_directory_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct image_dir dir, other;

	assert_int_equal(image_create(&dir, f->path, &err), 0);
	assert_int_equal(image_create(&other, f->path, &err), -EBUSY);
	assert_non_null(strstr(err.text, "in use by another dump"));
	assert_int_equal(each_file(f->path, NULL), 1);
	image_fini(&dir);
}

static void a_commit_that_fails_takes_back_what_it_renamed(void **state)
{
	struct fixture *f = *state;
	struct image_save_opts opts = { 0 };
	struct err err = ERR_INIT;
	struct image_dir dir;
	char path[80];

	/* A folder stands where a file has to go. */
	snprintf(path, sizeof(path), "%s/pstree.img", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(image_create(&dir, f->path, &err), 0);
	fixture_save_pages(&dir);
	assert_int_equal(image_save(&f->snap, &dir, &opts, &err), 0);
	assert_true(image_commit(&dir, &err) < 0);
	assert_non_null(strstr(err.text, "pstree.img"));
	image_fini(&dir);
	assert_int_equal(each_file(f->path, NULL), 1);
}

/* In a mount namespace of its own: 0: as it should be, 77: not permitted, else the failed step. */
static int fill_the_disk(const char *path)
{
	struct err err = ERR_INIT;
	struct image_dir dir;
	struct image_part part;
	static char page[PAGE_MAX];
	int ret = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("crib", path, "tmpfs", 0, "size=256k") < 0)
		return 77;
	if (image_create(&dir, path, &err) < 0 ||
	    image_part_open(&part, &dir, IMG_PAGES, 1, &err) < 0)
		return 1;
	for (int i = 0; i < 1000 && ret == 0; i++)
		ret = image_part_write(&part, page, PAGE, &err);
	if (ret != -ENOSPC || !strstr(err.text, "pages-1.img") ||
	    !strstr(err.text, "No space left"))
		return 2;
	image_part_discard(&part);
	image_fini(&dir);
	return each_file(path, NULL) == 0 ? 0 : 3;
}

static void a_full_disk_is_one_error_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	int status;

	pid_t pid = fork();
	if (pid == 0)
		_exit(fill_the_disk(f->path));
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void bytes_that_others_wrote_are_part_of_the_checksum(void **state)
{
	struct fixture *f = *state;
	struct image_save_opts opts = { 0 };
	struct err err = ERR_INIT;
	struct image_part part;
	struct image_dir dir;

	f->snap.mms.v[1]->pages_id = 20;
	assert_int_equal(image_create(&dir, f->path, &err), 0);
	fixture_save_pages(&dir);
	assert_int_equal(image_part_open(&part, &dir, IMG_PAGES, 20, &err), 0);
	assert_int_equal(image_part_write(&part, "begin", 5, &err), 0);
	assert_int_equal(image_part_flush(&part, &err), 0);
	assert_int_equal(pwrite(part.fd, "middle", 6, 5), 6);
	image_part_adopt(&part, 6, crc32c(0, "middle", 6));
	assert_int_equal(pwrite(part.fd, "more", 4, 11), 4);
	image_part_adopt(&part, 4, crc32c(0, "more", 4));
	assert_int_equal(image_part_write(&part, "end", 3, &err), 0);
	assert_int_equal(part.size, 18);
	for (uint64_t i = 18; i < 2 * PAGE; i++)
		assert_int_equal(image_part_write(&part, "", 1, &err), 0);
	assert_int_equal(image_part_close(&part, &err), 0);
	assert_int_equal(image_save(&f->snap, &dir, &opts, &err), 0);
	assert_int_equal(image_commit(&dir, &err), 0);
	image_fini(&dir);
	assert_int_equal(load_and_verify(f->path, &err), 0);
}

static void statistics_are_a_file_of_their_own(void **state)
{
	struct fixture *f = *state;
	StatsEntry stats = STATS_ENTRY__INIT;
	DumpStatsEntry dump = DUMP_STATS_ENTRY__INIT;
	struct strbuf buf = { 0 };
	struct err err = ERR_INIT;
	int dirfd = dir_open(f->path);
	uint32_t magic[2];

	dump.frozen_time = 5;
	stats.dump = &dump;
	assert_int_equal(image_save_stats(dirfd, IMG_STATS_DUMP, &stats, &err), 0);
	assert_int_equal(image_save_stats(dirfd, IMG_STATS_DUMP, &stats, &err), 0);
	read_file(f->path, "stats-dump", &buf);
	memcpy(magic, buf.data, sizeof(magic));
	assert_int_equal(magic[0], 0x55105940);
	assert_int_equal(magic[1], 0x57093306);
	assert_int_equal(buf.len, 12 + stats_entry__get_packed_size(&stats));
	strbuf_fini(&buf);
	close(dirfd);
}

/* ---- What must hold ---- */

static void assert_invalid(const struct snapshot *snap, const char *text)
{
	struct err err = ERR_INIT;

	assert_int_equal(snapshot_validate(snap, &err), -EBADMSG);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

static void a_snapshot_that_does_not_hold_together_is_refused(void **state)
{
	struct snapshot *snap = &((struct fixture *)*state)->snap;
	struct mm *mm = snap->mms.v[1];
	struct err err = ERR_INIT;

	assert_int_equal(snapshot_validate(snap, &err), 0);
	snap->tasks.v[2]->threads.v[0].tid = 101;
	assert_invalid(snap, "103");
	snap->tasks.v[2]->threads.v[0].tid = 103;
	mm->vmas.v[1].start = TEXT_START;
	assert_invalid(snap, "begins before the end");
	mm->vmas.v[1].start = HEAP_START + 1;
	assert_invalid(snap, "a mapping from 600001");
	mm->vmas.v[1].start = HEAP_START;
	mm->pages.v[1].nr_pages = 3;
	assert_invalid(snap, "are those of task 100, which has none");
	mm->pages.v[1].nr_pages = 100;
	assert_invalid(snap, "belong to no mapping");
	mm->pages.v[1].nr_pages = UINT64_MAX / PAGE;
	assert_invalid(snap, "out of place");
	mm->pages.v[1].nr_pages = 2;
	mm->pages.v[3].img_off = 0;
	assert_invalid(snap, " of the pages instead of ");
	mm->pages.v[3].img_off = PAGE;
	mm->pages_id = 1;
	assert_invalid(snap, "pages file 1 is there twice");
	mm->pages_id = 2;
	snap->tasks.v[0]->fdt->slots.v[2].fd = 1;
	assert_invalid(snap, "descriptor 1 behind 1");
	snap->tasks.v[0]->fdt->slots.v[2].fd = 2;
	snap->remaps.v[0]->remap_id = 1;
	assert_invalid(snap, "deleted file 1 is not there");
	snap->remaps.v[0]->remap_id = 11;
	snap->files.v[5]->entry->id = 1;
	assert_invalid(snap, "file 1 is there twice");
}

int main(void)
{
#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_is_what_others_compute),
		cmocka_unit_test(crc32c_is_the_same_by_instruction_and_by_table),
		cmocka_unit_test(crc32c_of_two_pieces_is_that_of_the_whole),
		cmocka_unit_test(names_have_their_numbers),
		WITH_TREE(what_was_loaded_is_saved_to_the_same_bytes),
		WITH_TREE(what_was_saved_is_loaded_with_all_its_links),
		WITH_TREE(holes_of_a_deleted_file_are_kept),
		WITH_TREE(shared_pages_are_refused_where_criu_must_read_them),
		WITH_TREE(an_image_of_criu_is_loaded_without_checksums),
		WITH_TREE(checksums_of_an_older_image_do_not_count_for_one_of_criu),
		WITH_TREE(contents_that_are_elsewhere_are_refused),
		WITH_TREE(a_flipped_bit_in_any_file_is_found),
		WITH_TREE(a_truncated_file_is_found_and_named),
		WITH_TREE(a_missing_file_is_found_and_named),
		WITH_TREE(swapped_files_are_found),
		WITH_TREE(an_image_without_inventory_is_not_complete),
		WITH_TREE(an_image_of_another_machine_is_refused),
		WITH_TREE(an_image_with_other_pages_is_refused),
		WITH_TREE(another_version_of_the_format_is_refused),
		WITH_TREE(a_directory_that_cannot_be_used_is_refused_in_one_line),
		WITH_TREE(a_dump_that_fails_leaves_the_older_image),
		WITH_TREE(an_image_can_be_taken_back_until_it_is_settled),
		WITH_TREE(a_new_image_takes_the_place_of_the_older_one),
		WITH_TREE(a_file_that_is_not_of_the_image_does_not_count),
		WITH_TREE(what_a_killed_dump_left_is_removed_by_the_next),
		WITH_TREE(two_dumps_into_one_directory_are_refused),
		WITH_TREE(a_commit_that_fails_takes_back_what_it_renamed),
		WITH_TREE(a_full_disk_is_one_error_and_leaves_nothing),
		WITH_TREE(bytes_that_others_wrote_are_part_of_the_checksum),
		WITH_TREE(statistics_are_a_file_of_their_own),
		WITH_TREE(a_snapshot_that_does_not_hold_together_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
