// SPDX-License-Identifier: GPL-2.0-only
/*
 * Build ids, see buildid.h and elf(5). Only headers and notes are read, not the file.
 */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "fd/buildid.h"

/* More program headers, or longer notes, than any file has that was not made to be odd. */
enum { PHDRS_MAX = 64, NOTES_MAX = 4096 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_BYTE_ORDER = ELFDATA2LSB };
#else
enum { OWN_BYTE_ORDER = ELFDATA2MSB };
#endif

/* What is needed of the headers of both classes. */
struct elf_table {
	uint64_t off;
	uint32_t entry_size, n;
};

struct elf_notes {
	uint64_t off, size;
};

static bool read_at(int fd, void *buf, size_t size, uint64_t off)
{
	return off <= INT64_MAX - size && pread(fd, buf, size, (off_t)off) == (ssize_t)size;
}

static bool read_header(int fd, bool *ret_64, struct elf_table *ret_table)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr of_32;
		Elf64_Ehdr of_64;
	} head;

	/* a file that is shorter than the larger header is no program */
	if (!read_at(fd, &head, sizeof(head), 0) || memcmp(head.ident, ELFMAG, SELFMAG) ||
	    head.ident[EI_DATA] != OWN_BYTE_ORDER)
		return false;
	*ret_64 = head.ident[EI_CLASS] == ELFCLASS64;
	if (*ret_64)
		*ret_table = (struct elf_table){ head.of_64.e_phoff, head.of_64.e_phentsize,
						 head.of_64.e_phnum };
	else
		*ret_table = (struct elf_table){ head.of_32.e_phoff, head.of_32.e_phentsize,
						 head.of_32.e_phnum };
	return ret_table->n <= PHDRS_MAX &&
	       ret_table->entry_size == (*ret_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
}

/* The notes that entry @i of the program headers is about; false: it is about something else. */
static bool read_segment(int fd, bool is_64, const struct elf_table *table, uint32_t i,
			 struct elf_notes *ret_notes)
{
	union {
		Elf32_Phdr of_32;
		Elf64_Phdr of_64;
	} seg;

	if (table->off > INT64_MAX / 2 ||
	    !read_at(fd, &seg, table->entry_size, table->off + (uint64_t)i * table->entry_size))
		return false;
	if (is_64)
		*ret_notes = (struct elf_notes){ seg.of_64.p_offset, seg.of_64.p_filesz };
	else
		*ret_notes = (struct elf_notes){ seg.of_32.p_offset, seg.of_32.p_filesz };
	/* the type is the first word of both */
	return seg.of_64.p_type == PT_NOTE;
}

static size_t align_note(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static size_t find_note(const uint8_t *notes, size_t size, uint8_t ret_id[BUILDID_MAX])
{
	static const char owner[] = ELF_NOTE_GNU;
	Elf32_Nhdr note; /* the same in both classes */
	size_t pos = 0;

	while (size - pos >= sizeof(note)) {
		memcpy(&note, notes + pos, sizeof(note));
		pos += sizeof(note);
		if (note.n_namesz > NOTES_MAX || note.n_descsz > NOTES_MAX)
			return 0;
		size_t name = align_note(note.n_namesz), desc = align_note(note.n_descsz);
		if (name > size - pos || note.n_descsz > size - pos - name)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(owner) &&
		    !memcmp(notes + pos, owner, sizeof(owner)) && note.n_descsz <= BUILDID_MAX) {
			memcpy(ret_id, notes + pos + name, note.n_descsz);
			return note.n_descsz;
		}
		if (desc > size - pos - name)
			return 0;
		pos += name + desc;
	}
	return 0;
}

size_t buildid_read(int fd, uint8_t ret_id[BUILDID_MAX])
{
	_Alignas(8) uint8_t buf[NOTES_MAX];
	struct elf_table table;
	struct elf_notes notes;
	bool is_64;
	size_t len = 0;

	if (!read_header(fd, &is_64, &table))
		return 0;
	for (uint32_t i = 0; i < table.n && len == 0; i++) {
		if (!read_segment(fd, is_64, &table, i, &notes))
			continue;
		if (notes.size <= sizeof(buf) && read_at(fd, buf, notes.size, notes.off))
			len = find_note(buf, notes.size, ret_id);
	}
	return len;
}

void buildid_extract(struct snapshot *snap, RegFileEntry *reg, int fd)
{
	uint8_t id[BUILDID_MAX] = { 0 };
	size_t words = align_note(buildid_read(fd, id)) / sizeof(uint32_t);

	if (!words)
		return;
	reg->n_build_id = words;
	reg->build_id = arena_memdup(&snap->arena, id, words * sizeof(uint32_t));
}

bool buildid_is_same(const RegFileEntry *reg, int fd)
{
	uint8_t id[BUILDID_MAX] = { 0 };

	if (!reg->n_build_id)
		return true;
	size_t words = align_note(buildid_read(fd, id)) / sizeof(uint32_t);
	return words == reg->n_build_id && !memcmp(id, reg->build_id, words * sizeof(uint32_t));
}
