// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the symbols of a vdso, and redirecting its functions.
 */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

#include "arch/restore.h"
#include "restore/vdso.h"

/* The tables of a vdso, as offsets from its start. */
struct tables {
	uint64_t symtab, strtab, hash, gnu_hash;
	uint64_t base; /* address that the start was linked for */
};

/* Copies @len bytes at @off out of the image; false if they are not in it. */
static bool peek(const uint8_t *image, size_t size, uint64_t off, void *to, size_t len)
{
	if (off > size || len > size - off)
		return false;
	memcpy(to, image + off, len);
	return true;
}

static bool read_dynamic(const uint8_t *image, size_t size, uint64_t off, uint64_t len,
			 struct tables *tables)
{
	for (uint64_t end = off + len; off + sizeof(ElfW(Dyn)) <= end; off += sizeof(ElfW(Dyn))) {
		ElfW(Dyn) dyn;

		if (!peek(image, size, off, &dyn, sizeof(dyn)))
			return false;
		switch (dyn.d_tag) {
		case DT_NULL: return true;
		case DT_SYMTAB: tables->symtab = dyn.d_un.d_ptr - tables->base; break;
		case DT_STRTAB: tables->strtab = dyn.d_un.d_ptr - tables->base; break;
		case DT_HASH: tables->hash = dyn.d_un.d_ptr - tables->base; break;
		case DT_GNU_HASH: tables->gnu_hash = dyn.d_un.d_ptr - tables->base; break;
		}
	}
	return true;
}

static bool read_tables(const uint8_t *image, size_t size, struct tables *tables)
{
	ElfW(Ehdr) ehdr;
	ElfW(Phdr) phdr, dynamic = { 0 };
	bool loaded = false;

	if (!peek(image, size, 0, &ehdr, sizeof(ehdr)) || memcmp(ehdr.e_ident, ELFMAG, SELFMAG) ||
	    ehdr.e_phentsize != sizeof(phdr))
		return false;
	for (unsigned int i = 0; i < ehdr.e_phnum; i++) {
		if (!peek(image, size, ehdr.e_phoff + i * sizeof(phdr), &phdr, sizeof(phdr)))
			return false;
		if (phdr.p_type == PT_LOAD && !loaded) {
			tables->base = phdr.p_vaddr - phdr.p_offset;
			loaded = true;
		}
		if (phdr.p_type == PT_DYNAMIC)
			dynamic = phdr;
	}
	return loaded && dynamic.p_type == PT_DYNAMIC && dynamic.p_offset <= size &&
	       dynamic.p_filesz <= size &&
	       read_dynamic(image, size, dynamic.p_offset, dynamic.p_filesz, tables) &&
	       tables->symtab && tables->strtab && (tables->hash || tables->gnu_hash);
}

/* The chains of a GNU hash table end with an odd word; the last chain's end is the last symbol. */
static uint64_t count_gnu_hash(const uint8_t *image, size_t size, uint64_t off)
{
	uint32_t head[4], word = 0, last = 0;

	if (!peek(image, size, off, head, sizeof(head)))
		return 0;
	uint64_t buckets = off + sizeof(head) + (uint64_t)head[2] * sizeof(ElfW(Addr));
	uint64_t chains = buckets + (uint64_t)head[0] * sizeof(word);

	for (uint32_t i = 0; i < head[0]; i++) {
		if (!peek(image, size, buckets + (uint64_t)i * sizeof(word), &word, sizeof(word)))
			return 0;
		last = word > last ? word : last;
	}
	if (last < head[1])
		return head[1];
	do {
		if (!peek(image, size, chains + (uint64_t)(last - head[1]) * sizeof(word), &word,
			  sizeof(word)))
			return 0;
		last++;
	} while (!(word & 1));
	return last;
}

static uint64_t count_symbols(const uint8_t *image, size_t size, const struct tables *tables)
{
	uint32_t head[2];

	if (tables->hash)
		return peek(image, size, tables->hash, head, sizeof(head)) ? head[1] : 0;
	return count_gnu_hash(image, size, tables->gnu_hash);
}

int vdso_read_symbols(const uint8_t *image, size_t size, struct arena *arena,
		      struct vdso_symbols *symbols, struct err *err)
{
	struct tables tables = { 0 };

	if (!read_tables(image, size, &tables))
		return err_set(err, -EBADMSG, "vdso: not an ELF image with symbols");
	uint64_t n = count_symbols(image, size, &tables);

	for (uint64_t i = 0; i < n; i++) {
		ElfW(Sym) sym;
		int type;

		if (!peek(image, size, tables.symtab + i * sizeof(sym), &sym, sizeof(sym)))
			return err_set(err, -EBADMSG, "vdso: symbol %llu is outside of it",
				       (unsigned long long)i);
		type = sym.st_info & 0xf;
		if (sym.st_shndx == SHN_UNDEF || sym.st_shndx == SHN_ABS ||
		    (type != STT_FUNC && type != STT_NOTYPE))
			continue;
		uint64_t name = tables.strtab + sym.st_name, value = sym.st_value - tables.base;

		if (name >= size || !memchr(image + name, 0, size - name) || value >= size)
			return err_set(err, -EBADMSG, "vdso: symbol %llu is damaged",
				       (unsigned long long)i);
		*array_push(arena, &symbols->v) = (struct vdso_symbol){
			.name = (const char *)image + name,
			.value = value,
		};
	}
	return 0;
}

static const struct vdso_symbol *find_symbol(const struct vdso_symbols *symbols, const char *name)
{
	array_each(const struct vdso_symbol, symbol, &symbols->v)
		if (!strcmp(symbol->name, name))
			return symbol;
	return NULL;
}

/* Up to the next function, or to the end: sizes are not always given. */
static size_t room_at(const struct vdso_symbols *symbols, uint64_t value, size_t size)
{
	uint64_t end = size;

	array_each(const struct vdso_symbol, symbol, &symbols->v)
		if (symbol->value > value && symbol->value < end)
			end = symbol->value;
	return (size_t)(end - value);
}

/* Aliases of a function are at the same place: it has been dealt with under any of its names. */
static int redirect_one(uint8_t *code, const struct vdso_symbols *old, size_t size,
			const struct vdso_symbols *now, uint64_t base, uint64_t value,
			const char **ret_name)
{
	size_t room = room_at(old, value, size);
	int ret = -ENOENT;

	array_each(const struct vdso_symbol, alias, &old->v) {
		const struct vdso_symbol *target = find_symbol(now, alias->name);

		if (alias->value == value && target)
			return arch_vdso_put_jump(code, room, base + target->value);
	}
	array_each(const struct vdso_symbol, alias, &old->v) {
		if (alias->value != value || ret != -ENOENT)
			continue;
		*ret_name = alias->name;
		ret = arch_vdso_put_syscall(code, room, alias->name);
	}
	return ret;
}

int vdso_redirect(uint8_t *image, size_t size, const struct vdso_symbols *now, uint64_t base,
		  struct arena *arena, struct err *err)
{
	struct vdso_symbols old = { 0 };
	int ret = vdso_read_symbols(image, size, arena, &old, err);

	/* The names are in the image, outside of its functions. */
	for (size_t i = 0; i < old.v.n && ret >= 0; i++) {
		const struct vdso_symbol *symbol = &old.v.v[i];
		const char *name = symbol->name;

		ret = redirect_one(image + symbol->value, &old, size, now, base, symbol->value,
				   &name);
		if (ret < 0)
			return err_set(err, -ENOTSUP,
				       "the vdso of the image has %s, which this "
				       "kernel's does not have and no system call replaces",
				       name);
	}
	return ret < 0 ? ret : 0;
}
