// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages in files, see frame.h. What is read here is input from anywhere: every length is checked
 * against what is there, and memory against what the file can be worth.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/checksums.h"
#include "image/crc32c.h"
#include "image/frame.h"

enum {
	FILE_MAX = 512 << 20,   /* bytes of a file that is read whole */
	HEAD_MAX = 64 << 10,    /* bytes that are read of others */
	MESSAGE_MAX = 64 << 20, /* bytes of a packed message */
	STRING_MAX = 16 << 10,  /* bytes of a string: paths have 4096, cgroup lists more */
	/*
	 * Unpacking takes this often the packed size, and some: a repeated message of a few bytes
	 * becomes a struct of 200, and its parser keeps 40 for a field of two.
	 */
	EXPANSION_MAX = 64,
	EXPANSION_BASE = 64 << 10,
	DEPTH_MAX = 16, /* messages in messages */
};

int frame_write(struct image_part *part, const void *msg, struct err *err)
{
	size_t size = protobuf_c_message_get_packed_size(msg);
	uint32_t prefix = (uint32_t)size;

	if (size > MESSAGE_MAX)
		return err_set(err, -E2BIG,
			       "image file '%s': a message of %zu bytes, %d are allowed",
			       part->name, size, MESSAGE_MAX);
	_cleanup_free_ uint8_t *packed = xrealloc(NULL, size);
	protobuf_c_message_pack(msg, packed);
	int ret = image_part_write(part, &prefix, sizeof(prefix), err);
	return ret < 0 ? ret : image_part_write(part, packed, size, err);
}

static int check_magic(struct frame_reader *reader, const struct image_info *info, struct err *err)
{
	for (int i = 0; i < 2; i++) {
		uint32_t magic;

		if (!info->magic[i])
			continue;
		if (reader->size - reader->pos < sizeof(magic))
			return err_set(err, -EBADMSG, "image file '%s' is truncated: %zu bytes",
				       reader->name, reader->size);
		memcpy(&magic, reader->data + reader->pos, sizeof(magic));
		if (magic != info->magic[i])
			return err_set(err, -EBADMSG,
				       "image file '%s' is none of its kind: magic "
				       "number is 0x%08x, not 0x%08x",
				       reader->name, magic, info->magic[i]);
		reader->pos += sizeof(magic);
	}
	return 0;
}

/* Reads up to @max bytes of @fd, which is a file of @file_size bytes. */
static int read_data(struct frame_reader *reader, int fd, uint64_t file_size, size_t max,
		     struct err *err)
{
	size_t want = file_size < max ? (size_t)file_size : max;

	reader->data = malloc(want ? want : 1);
	if (!reader->data)
		return err_set(err, -ENOMEM, "image file '%s': no memory for its %zu bytes",
			       reader->name, want);
	ssize_t n = io_pread(fd, reader->data, want, 0);
	if (n < 0)
		return err_ret(err, (int)n, "read image file '%s'", reader->name);
	reader->size = (size_t)n;
	return 0;
}

static int open_file(struct frame_reader *reader, int dirfd, const struct checksums *sums,
		     int *ret_fd, struct stat *ret_st, struct err *err)
{
	if (sums && !checksums_find(sums, reader->name))
		return err_set(err, -ENOENT, "image file '%s' is not part of the image",
			       reader->name);
	_cleanup_close_ int fd = openat(dirfd, reader->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && sums && errno == ENOENT)
		return err_set(err, -EBADMSG, "image file '%s' is missing", reader->name);
	if (fd < 0)
		return err_sys(err, "open image file '%s'", reader->name);
	if (fstat(fd, ret_st) < 0)
		return err_sys(err, "stat image file '%s'", reader->name);
	if (!S_ISREG(ret_st->st_mode))
		return err_set(err, -EBADMSG, "image file '%s' is not a regular file",
			       reader->name);
	*ret_fd = take_fd(&fd);
	return 0;
}

int frame_open(struct frame_reader *reader, int dirfd, enum image_kind kind, uint64_t id,
	       const struct checksums *sums, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	*reader = (struct frame_reader){ 0 };
	image_name(reader->name, kind, id);
	int ret = open_file(reader, dirfd, sums, &fd, &st, err);
	if (ret < 0)
		return ret;
	if (st.st_size > FILE_MAX)
		return err_set(err, -EBADMSG, "image file '%s' has %lld bytes, %d are allowed",
			       reader->name, (long long)st.st_size, FILE_MAX);
	ret = read_data(reader, fd, (uint64_t)st.st_size, FILE_MAX, err);
	if (ret == 0 && sums)
		ret = checksums_check(sums, reader->name, reader->size,
				      crc32c(0, reader->data, reader->size), err);
	if (ret == 0)
		ret = check_magic(reader, image_info(kind), err);
	if (ret < 0)
		frame_close(reader);
	return ret;
}

int frame_open_optional(struct frame_reader *reader, int dirfd, enum image_kind kind, uint64_t id,
			const struct checksums *sums, struct err *err)
{
	struct err failure = ERR_INIT;
	int ret = frame_open(reader, dirfd, kind, id, sums, &failure);

	if (ret == -ENOENT)
		return 0;
	if (ret < 0 && err)
		*err = failure;
	return ret < 0 ? ret : 1;
}

int frame_open_head(struct frame_reader *reader, int dirfd, enum image_kind kind, uint64_t id,
		    int *ret_fd, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	*reader = (struct frame_reader){ 0 };
	image_name(reader->name, kind, id);
	int ret = open_file(reader, dirfd, NULL, &fd, &st, err);
	if (ret < 0)
		return ret;
	ret = read_data(reader, fd, (uint64_t)st.st_size, HEAD_MAX, err);
	if (ret == 0)
		ret = check_magic(reader, image_info(kind), err);
	if (ret < 0) {
		frame_close(reader);
		return ret;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

/* What one message may take of an arena. */
struct budget {
	struct arena *arena;
	uint64_t left;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;

	if (size > budget->left)
		return NULL;
	budget->left -= size;
	return arena_alloc(budget->arena, size);
}

static void budget_free(void *data, void *ptr)
{
	/* The arena frees all at once. */
}

static int check_message(const struct frame_reader *reader, const ProtobufCMessage *msg, int depth,
			 struct err *err);

/* @value is one value of @field. */
static int check_value(const struct frame_reader *reader, const ProtobufCMessage *msg,
		       const ProtobufCFieldDescriptor *field, const void *value, int depth,
		       struct err *err)
{
	const char *type = msg->descriptor->name;

	if (field->type == PROTOBUF_C_TYPE_STRING) {
		const char *str = *(const char *const *)value;

		if (str && strnlen(str, STRING_MAX + 1) > STRING_MAX)
			return err_set(err, -EBADMSG,
				       "image file '%s': %s.%s is longer than %d "
				       "bytes",
				       reader->name, type, field->name, STRING_MAX);
	} else if (field->type == PROTOBUF_C_TYPE_ENUM) {
		int number = *(const int *)value;

		if (!protobuf_c_enum_descriptor_get_value(field->descriptor, number))
			return err_set(err, -EBADMSG,
				       "image file '%s': %s.%s has the unknown "
				       "value %d",
				       reader->name, type, field->name, number);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessage *inner = *(ProtobufCMessage *const *)value;

		if (inner)
			return check_message(reader, inner, depth + 1, err);
	}
	return 0;
}

static size_t element_size(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_ENUM ? sizeof(int) : sizeof(void *);
}

static int check_field(const struct frame_reader *reader, const ProtobufCMessage *msg,
		       const ProtobufCFieldDescriptor *field, int depth, struct err *err)
{
	const char *base = (const char *)msg;

	if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_ENUM &&
	    field->type != PROTOBUF_C_TYPE_MESSAGE)
		return 0;
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		bool unset = field->label == PROTOBUF_C_LABEL_OPTIONAL &&
			     field->type == PROTOBUF_C_TYPE_ENUM &&
			     !*(const protobuf_c_boolean *)(base + field->quantifier_offset);

		return unset ? 0 :
			       check_value(reader, msg, field, base + field->offset, depth, err);
	}

	size_t n = *(const size_t *)(base + field->quantifier_offset);
	const char *values = *(const char *const *)(base + field->offset);
	for (size_t i = 0; i < n; i++) {
		int ret = check_value(reader, msg, field, values + i * element_size(field->type),
				      depth, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Strings have a reasonable length and enums a value that this program knows. */
static int check_message(const struct frame_reader *reader, const ProtobufCMessage *msg, int depth,
			 struct err *err)
{
	if (depth > DEPTH_MAX)
		return err_set(err, -EBADMSG,
			       "image file '%s': more than %d messages in each other", reader->name,
			       DEPTH_MAX);
	for (unsigned int i = 0; i < msg->descriptor->n_fields; i++) {
		int ret = check_field(reader, msg, &msg->descriptor->fields[i], depth, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_prefix(struct frame_reader *reader, uint32_t *ret_size, struct err *err)
{
	size_t left = reader->size - reader->pos;
	uint32_t size;

	if (left < sizeof(size))
		return err_set(err, -EBADMSG, "image file '%s' is truncated at byte %zu",
			       reader->name, reader->pos);
	memcpy(&size, reader->data + reader->pos, sizeof(size));
	if (size > left - sizeof(size) || size > MESSAGE_MAX)
		return err_set(err, -EBADMSG,
			       "image file '%s': a message of %u bytes at byte %zu, "
			       "%zu are there",
			       reader->name, size, reader->pos, left - sizeof(size));
	*ret_size = size;
	return 0;
}

int frame_read(struct frame_reader *reader, const ProtobufCMessageDescriptor *type,
	       struct arena *arena, void *ret_msg, struct err *err)
{
	uint32_t size = 0;

	if (reader->pos == reader->size)
		return 0;
	int ret = read_prefix(reader, &size, err);
	if (ret < 0)
		return ret;

	struct budget budget = { arena, EXPANSION_BASE + (uint64_t)size * EXPANSION_MAX };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
	const uint8_t *packed = reader->data + reader->pos + sizeof(size);
	ProtobufCMessage *msg = protobuf_c_message_unpack(type, &allocator, size, packed);
	if (!msg)
		return err_set(err, -EBADMSG, "image file '%s': no %s at byte %zu", reader->name,
			       type->name, reader->pos);
	ret = check_message(reader, msg, 0, err);
	if (ret < 0)
		return ret;
	reader->pos += sizeof(size) + size;
	*(ProtobufCMessage **)ret_msg = msg;
	return 1;
}

int frame_read_bytes(struct frame_reader *reader, uint64_t size, const void **ret_data,
		     struct err *err)
{
	if (size > reader->size - reader->pos)
		return err_set(err, -EBADMSG,
			       "image file '%s': %llu bytes at byte %zu, %zu are "
			       "there",
			       reader->name, (unsigned long long)size, reader->pos,
			       reader->size - reader->pos);
	*ret_data = reader->data + reader->pos;
	reader->pos += (size_t)size;
	return 0;
}

void frame_close(struct frame_reader *reader)
{
	free(take_ptr(reader->data));
}
