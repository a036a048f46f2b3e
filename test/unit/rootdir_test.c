// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths below a root directory, with openat2(2) and without.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "fd/rootdir.h"

static char top[64];
static struct rootdir root;

static void write_file(const char *path)
{
	int fd = openat(root.fd, path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, path, strlen(path)), strlen(path));
	close(fd);
}

static int make_tree(void **state)
{
	static const char *const links[][2] = {
		{ "/a/b", "absolute" },      { "../../../a/b", "up" },
		{ "absolute", "chain" },     { "loop", "loop" },
		{ "../a/b/./file", "a/up" }, { "/a/b/file", "a/b/to-file" },
		{ "/nowhere", "dangling" }
	};

	snprintf(top, sizeof(top), "/tmp/rootdir-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	root = (struct rootdir){ .fd = open(top, O_PATH | O_DIRECTORY), .confined = true };
	assert_true(root.fd >= 0);
	assert_int_equal(mkdirat(root.fd, "a", 0700), 0);
	assert_int_equal(mkdirat(root.fd, "a/b", 0700), 0);
	write_file("a/b/file");
	write_file("a/file");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlinkat(links[i][0], root.fd, links[i][1]), 0);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int remove_tree(void **state)
{
	close(root.fd);
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

typedef int open_fn(const struct rootdir *root, const char *path, int flags, mode_t mode);

static void expect_content(open_fn *look_up, const char *path, const char *content)
{
	char buf[64] = "";
	_cleanup_close_ int fd = look_up(&root, path, O_RDONLY, 0);

	if (fd < 0)
		fail_msg("'%s': %s", path, strerror(errno));
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	assert_string_equal(buf, content);
}

static void expect_errno(open_fn *look_up, const char *path, int flags, int error)
{
	int fd = look_up(&root, path, flags, 0);

	assert_int_equal(fd, -1);
	assert_int_equal(errno, error);
}

static void look_around(open_fn *look_up)
{
	struct stat at_top, found;
	_cleanup_close_ int made = -1, here = look_up(&root, "/", O_PATH, 0);

	assert_true(here >= 0);
	assert_int_equal(fstat(here, &found), 0);
	assert_int_equal(stat(top, &at_top), 0);
	assert_true(found.st_ino == at_top.st_ino);
	expect_content(look_up, "/a/b/file", "a/b/file");
	expect_content(look_up, "//absolute/file", "a/b/file");
	expect_content(look_up, "/chain/file", "a/b/file");
	expect_content(look_up, "/up/file", "a/b/file");
	expect_content(look_up, "/a/up", "a/b/file");
	expect_content(look_up, "/absolute/../file", "a/file");
	expect_content(look_up, "/absolute/to-file", "a/b/file");
	expect_content(look_up, "/../../a/./b/../file", "a/file");
	expect_errno(look_up, "/loop/file", O_RDONLY, ELOOP);
	expect_errno(look_up, "/dangling", O_RDONLY, ENOENT);
	expect_errno(look_up, "/none/file", O_RDONLY, ENOENT);
	expect_errno(look_up, "/a/file/file", O_RDONLY, ENOTDIR);
	expect_errno(look_up, "/a/b/to-file", O_RDONLY | O_NOFOLLOW, ELOOP);
	made = look_up(&root, "/dangling", O_WRONLY | O_CREAT, 0640);
	assert_true(made >= 0);
	assert_int_equal(fstatat(root.fd, "nowhere", &found, 0), 0);
	assert_int_equal(unlinkat(root.fd, "nowhere", 0), 0);
}

static void links_stay_below_the_root(void **state)
{
	look_around(rootdir_open);
}

static void they_do_without_openat2(void **state)
{
	look_around(rootdir_walk);
}

/* For the rest of the process: the last filter's error is the one that counts. */
static void forbid_openat2(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		skip();
	assert_int_equal(syscall(SYS_openat2, -1, "", NULL, 0), -1);
	assert_int_equal(errno, error);
}

static void a_kernel_without_openat2_will_do(void **state)
{
	forbid_openat2(ENOSYS);
	look_around(rootdir_open);
}

static void a_filter_that_forbids_openat2_will_do(void **state)
{
	forbid_openat2(EPERM);
	look_around(rootdir_open);
}

static void a_parent_is_the_directory_of_the_last_part(void **state)
{
	struct stat found, wanted;
	const char *name;
	_cleanup_close_ int dir = rootdir_open_parent(&root, "/absolute/new", &name);

	assert_true(dir >= 0);
	assert_string_equal(name, "new");
	assert_int_equal(fstat(dir, &found), 0);
	assert_int_equal(fstatat(root.fd, "a/b", &wanted, 0), 0);
	assert_true(found.st_ino == wanted.st_ino);
	_cleanup_close_ int highest = rootdir_open_parent(&root, "/new", &name);
	assert_true(highest >= 0);
	assert_string_equal(name, "new");
	assert_int_equal(fstat(highest, &found), 0);
	assert_int_equal(stat(top, &wanted), 0);
	assert_true(found.st_ino == wanted.st_ino);
	assert_int_equal(rootdir_open_parent(&root, "/none/new", &name), -1);
	assert_int_equal(errno, ENOENT);
}

static void without_a_root_of_its_own_links_lead_where_they_do(void **state)
{
	const struct rootdir open_root = { .fd = root.fd };
	_cleanup_close_ int fd = rootdir_open(&open_root, "/a/b/file", O_RDONLY, 0);

	assert_true(fd >= 0);
	assert_int_equal(rootdir_open(&open_root, "/absolute/file", O_RDONLY, 0), -1);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	char *path = malloc(2 * 4096 + 1);

	memset(path, 'x', 2 * 4096);
	path[2 * 4096] = '\0';
	expect_errno(rootdir_open, path, O_RDONLY, ENAMETOOLONG);
	expect_errno(rootdir_walk, path, O_RDONLY, ENAMETOOLONG);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_stay_below_the_root),
		cmocka_unit_test(they_do_without_openat2),
		cmocka_unit_test(a_parent_is_the_directory_of_the_last_part),
		cmocka_unit_test(without_a_root_of_its_own_links_lead_where_they_do),
		cmocka_unit_test(a_path_that_is_too_long_is_refused),
		cmocka_unit_test(a_kernel_without_openat2_will_do),
		cmocka_unit_test(a_filter_that_forbids_openat2_will_do),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
