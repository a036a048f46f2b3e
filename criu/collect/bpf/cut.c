// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cutting the kernel's BTF, see cut.h. What CO-RE compares are names of structs and fields and the
 * kinds of their types, so pointers lead nowhere here and all other fields are left out.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/io.h"
#include "collect/bpf/cache.h"
#include "collect/bpf/cut.h"

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

/* Names are known by their hash: one field too many does no harm. */
static void add_name(struct hashmap *map, const char *name, size_t len)
{
	if (len)
		hashmap_put(map, len, bpf_hash(name, len), map);
}

static bool has_name(const struct hashmap *map, const char *name)
{
	size_t len = strlen(name);

	return len && hashmap_get(map, len, bpf_hash(name, len));
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

bool bpf_cut_possible(void)
{
	struct stat st;

	/* what is kept is not used without it: who hides it means it */
	return stat(KERNEL_BTF, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

int bpf_cut_open(const struct btf *local, const char *file, struct err *err)
{
	if (file || !bpf_cut_possible())
		return make(local, file, err);
	int fd = bpf_cache_open("btf");
	if (fd >= 0)
		return fd;
	fd = make(local, NULL, err);
	if (fd >= 0)
		bpf_cache_keep("btf", fd);
	return fd;
}
