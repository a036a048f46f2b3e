// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cutting the kernel's BTF, see cut.h. What CO-RE compares are names of structs and fields and the
 * kinds of their types, so pointers lead nowhere here and all other fields are left out.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/io.h"
#include "collect/bpf/cut.h"

/* bpf/embed.S: a string */
extern const char bpf_object_hash[];

static const char KERNEL_BTF[] = "/sys/kernel/btf/vmlinux";

enum { MAX_NESTING = 16 };

struct cut {
	const struct btf *local, *kernel;
	struct btf *btf;       /* what is made */
	struct hashmap types;  /* names of structs that programs know */
	struct hashmap fields; /* names of fields, of any struct */
	__u32 *copied;         /* by the kernel's id: the new one, 0: not yet */
};

/* ---- Names ---- */

static uint64_t hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	return hash;
}

/* Names are known by their hash: one field too many does no harm. */
static void add_name(struct hashmap *map, const char *name, size_t len)
{
	if (len)
		hashmap_put(map, len, hash_bytes(name, len), map);
}

static bool has_name(const struct hashmap *map, const char *name)
{
	size_t len = strlen(name);

	return len && hashmap_get(map, len, hash_bytes(name, len));
}

static bool is_composite(const struct btf_type *type)
{
	return btf_is_struct(type) || btf_is_union(type);
}

/* "task_struct___by_7_2" is a flavour of task_struct. */
static size_t essential_len(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? (size_t)(flavour - name) : strlen(name);
}

static void learn_names(struct cut *cut)
{
	for (__u32 id = 1; id < btf__type_cnt(cut->local); id++) {
		const struct btf_type *type = btf__type_by_id(cut->local, id);
		const char *name = btf__name_by_offset(cut->local, type->name_off);

		if (!is_composite(type))
			continue;
		add_name(&cut->types, name, essential_len(name));
		for (int i = 0; i < btf_vlen(type); i++) {
			const char *field =
				btf__name_by_offset(cut->local, btf_members(type)[i].name_off);

			add_name(&cut->fields, field, strlen(field));
		}
	}
}

/* ---- Copying ---- */

static int copy_type(struct cut *cut, __u32 id, int depth);

static const struct btf_type *resolve(struct cut *cut, __u32 *id)
{
	const struct btf_type *type = btf__type_by_id(cut->kernel, *id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type))) {
		*id = type->type;
		type = btf__type_by_id(cut->kernel, *id);
	}
	return type;
}

static int add_composite(struct cut *cut, const struct btf_type *type)
{
	const char *name = btf__name_by_offset(cut->kernel, type->name_off);

	return btf_is_struct(type) ? btf__add_struct(cut->btf, name, type->size) :
				     btf__add_union(cut->btf, name, type->size);
}

/* Fields can be added to the last type only: the types of all are copied first. */
static int copy_composite(struct cut *cut, const struct btf_type *type, int depth)
{
	_cleanup_free_ int *copies = xzalloc(sizeof(int) * ((size_t)btf_vlen(type) + 1));
	const struct btf_member *members = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(cut->kernel, members[i].name_off);

		if (*name && !has_name(&cut->fields, name))
			continue;
		copies[i] = copy_type(cut, members[i].type, depth + 1);
		if (copies[i] < 0)
			return copies[i];
	}
	int id = add_composite(cut, type);
	for (int i = 0; i < btf_vlen(type) && id > 0; i++) {
		const char *name = btf__name_by_offset(cut->kernel, members[i].name_off);

		if (!copies[i])
			continue;
		int ret = btf__add_field(cut->btf, *name ? name : NULL, copies[i],
					 btf_member_bit_offset(type, (__u32)i),
					 btf_member_bitfield_size(type, (__u32)i));
		if (ret < 0)
			return ret;
	}
	return id;
}

static int copy_array(struct cut *cut, const struct btf_type *type, int depth)
{
	const struct btf_array *array = btf_array(type);
	int element = copy_type(cut, array->type, depth + 1);
	int index = element < 0 ? element : copy_type(cut, array->index_type, depth + 1);

	return index < 0 ? index : btf__add_array(cut->btf, index, element, array->nelems);
}

/* The new id of a type of the kernel's, or -errno. */
static int copy_type(struct cut *cut, __u32 id, int depth)
{
	const struct btf_type *type = resolve(cut, &id);
	int copy;

	if (!type || depth > MAX_NESTING)
		return -EINVAL;
	if (cut->copied[id])
		return (int)cut->copied[id];
	const char *name = btf__name_by_offset(cut->kernel, type->name_off);
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		copy = btf__add_int(cut->btf, name, type->size, btf_int_encoding(type));
		break;
	case BTF_KIND_PTR: copy = btf__add_ptr(cut->btf, 0); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		copy = btf__add_enum(cut->btf, *name ? name : NULL, type->size);
		break;
	case BTF_KIND_ARRAY: copy = copy_array(cut, type, depth); break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: copy = copy_composite(cut, type, depth); break;
	case BTF_KIND_FWD: copy = btf__add_fwd(cut->btf, name, btf_kflag(type)); break;
	default: copy = btf__add_int(cut->btf, "unknown", 4, 0); break;
	}
	if (copy > 0)
		cut->copied[id] = (__u32)copy;
	return copy;
}

static int copy_all(struct cut *cut)
{
	__u32 n = btf__type_cnt(cut->kernel);

	for (__u32 id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(cut->kernel, id);

		if (!is_composite(type) ||
		    !has_name(&cut->types, btf__name_by_offset(cut->kernel, type->name_off)))
			continue;
		int ret = copy_type(cut, id, 0);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* A descriptor of a file in memory with the cut. */
static int write_memory(struct cut *cut, struct err *err)
{
	__u32 size;
	const void *data = btf__raw_data(cut->btf, &size);

	if (!data)
		return err_set(err, -ENOMEM, "write the cut of the kernel's BTF");
	_cleanup_close_ int fd = memfd_create("crib-btf", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "memfd_create");
	int ret = io_write(fd, data, size);
	if (ret < 0)
		return err_ret(err, ret, "write the cut of the kernel's BTF");
	return take_fd(&fd);
}

static bool fits_machine(const struct btf *btf)
{
	const uint16_t probe = 1;
	enum btf_endianness own = *(const uint8_t *)&probe ? BTF_LITTLE_ENDIAN : BTF_BIG_ENDIAN;

	return btf__endianness(btf) == own && btf__pointer_size(btf) == sizeof(void *);
}

/* The kernel's own type information, or what @file says it is. NULL with @err. */
static struct btf *read_kernel(const char *file, struct err *err)
{
	if (!file && !bpf_cut_possible()) {
		err_set(err, -ENOTSUP,
			"this kernel has no type information (CONFIG_DEBUG_INFO_BTF), --btf gives "
			"it from a file");
		return NULL;
	}
	if (file && access(file, R_OK) < 0) {
		err_sys(err, "--btf: open '%s'", file);
		return NULL;
	}
	struct btf *btf = btf__parse(file ? file : KERNEL_BTF, NULL);
	long ret = libbpf_get_error(btf);
	if (ret) {
		err_set(err, ret == -ENOMEM ? -ENOMEM : -EINVAL,
			"%s'%s' holds no type information: it is neither BTF nor an ELF file with "
			"a section .BTF",
			file ? "--btf: " : "", file ? file : KERNEL_BTF);
		return NULL;
	}
	if (file && !fits_machine(btf)) {
		err_set(err, -EINVAL, "--btf: '%s' is of another kind of machine", file);
		btf__free(btf);
		return NULL;
	}
	return btf;
}

static int make(const struct btf *local, const char *file, struct err *err)
{
	struct cut cut = { .local = local };
	int ret = -ENOMEM;

	struct btf *kernel = read_kernel(file, err);
	if (!kernel)
		return err->code;
	cut.kernel = kernel;
	cut.btf = btf__new_empty();
	cut.copied = calloc(btf__type_cnt(kernel), sizeof(*cut.copied));
	if (libbpf_get_error(cut.btf) || !cut.copied) {
		err_ret(err, ret, "cut the kernel's BTF");
	} else {
		learn_names(&cut);
		ret = copy_all(&cut);
		ret = ret < 0 ? err_ret(err, ret, "cut the kernel's BTF") : write_memory(&cut, err);
	}
	hashmap_fini(&cut.types);
	hashmap_fini(&cut.fields);
	free(cut.copied);
	btf__free(cut.btf);
	btf__free(kernel);
	return ret;
}

/* ---- Keeping ---- */

/* The build id that the linker gave the kernel, from its ELF notes; 0: it has none. */
static uint64_t hash_of_notes(void)
{
	struct {
		__u32 namesz, descsz, type;
		char name[4];
		unsigned char id[64];
	} note;

	_cleanup_close_ int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	for (off_t at = 0; fd >= 0;) {
		ssize_t len = io_pread(fd, &note, sizeof(note), at);

		if (len < 16 || note.descsz > 4096 || note.namesz > 64)
			return 0;
		if (note.type == 3 && note.namesz == 4 && !memcmp(note.name, "GNU", 4) &&
		    note.descsz <= sizeof(note.id))
			return hash_bytes(note.id, note.descsz);
		at += (off_t)(12 + ALIGN_UP(note.namesz, 4U) + ALIGN_UP(note.descsz, 4U));
	}
	return 0;
}

void bpf_build_id(char ret_id[BPF_ID_SIZE])
{
	uint64_t kernel = hash_of_notes();
	struct utsname name = { 0 };

	if (!kernel) {
		uname(&name);
		kernel = hash_bytes(&name, sizeof(name));
	}
	snprintf(ret_id, BPF_ID_SIZE, "%016llx-%.16s", (unsigned long long)kernel, bpf_object_hash);
}

static bool is_roots(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
	       !(st.st_mode & 022);
}

static int open_dir(void)
{
	if (geteuid() == 0)
		mkdir(BPF_CUT_DIR, 0700);
	_cleanup_close_ int fd = open(BPF_CUT_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_roots(fd, S_IFDIR) ? take_fd(&fd) : -1;
}

/* Cuts of other kernels and programs: whoever needs them makes them again. */
static void remove_stale(int dirfd, const char *name)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "btf-", 4) && strcmp(entry->d_name, name))
			unlinkat(dirfd, entry->d_name, 0);
}

/* Best effort: what cannot be kept is made again. */
static void keep(int dirfd, const char *name, int memory)
{
	char temporary[64];
	char buf[64 * 1024];
	ssize_t len;
	off_t at = 0;

	snprintf(temporary, sizeof(temporary), ".new-%d", getpid());
	_cleanup_close_ int fd = openat(dirfd, temporary,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	while ((len = io_pread(memory, buf, sizeof(buf), at)) > 0 &&
	       io_write(fd, buf, (size_t)len) == 0)
		at += len;
	if (len != 0 || renameat(dirfd, temporary, dirfd, name) < 0)
		unlinkat(dirfd, temporary, 0);
	else
		remove_stale(dirfd, name);
}

bool bpf_cut_possible(void)
{
	struct stat st;

	/* what is kept is not used without it: who hides it means it */
	return stat(KERNEL_BTF, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

int bpf_cut_open(const struct btf *local, const char *file, struct err *err)
{
	char id[BPF_ID_SIZE], name[BPF_ID_SIZE + 8];

	if (file || !bpf_cut_possible())
		return make(local, file, err);
	bpf_build_id(id);
	snprintf(name, sizeof(name), "btf-%s", id);
	_cleanup_close_ int dirfd = open_dir();
	if (dirfd >= 0) {
		_cleanup_close_ int kept = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (kept >= 0 && is_roots(kept, S_IFREG))
			return take_fd(&kept);
	}
	int fd = make(local, NULL, err);
	if (fd >= 0 && dirfd >= 0)
		keep(dirfd, name, fd);
	return fd;
}
