/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pipes as objects, named or not: which descriptions lead to one, what is in it, how large it is.
 */
#ifndef CRIB_FD_PIPE_DATA_H
#define CRIB_FD_PIPE_DATA_H

#include "base/hashmap.h"
#include "fd/fd_kind.h"

/* ---- Dump ---- */

/* One pipe, and what of the tree has it open. */
struct pipe_object {
	uint32_t id;                     /* pipe_id of the image: the inode number */
	uint32_t nr_readers, nr_writers; /* descriptions */
	const struct ofd *first;         /* of all, in the order of the tree */
	const struct ofd *reader;        /* one that can be read from; NULL: none */
	bool packets;                    /* a writer is in packet mode (O_DIRECT) */
	bool outside; /* the other end is open outside of the tree, and that is accepted */
};

/* The pipe that @ofd leads to. Every description of the tree has been found before. */
struct pipe_object *pipe_object_find(const struct fd_extract *x, const struct ofd *ofd);

/*
 * Makes *@data of the size and contents of @object, nothing of which is consumed. @fd: any
 * descriptor of it. 0 or -errno.
 */
int pipe_data_save(struct fd_extract *x, const struct pipe_object *object, int fd,
		   struct pipe_data *data, struct err *err);

/* ---- Restore ---- */

/* One pipe, and who of the tree shall have it open. Hangs on ofd->priv of each of them. */
struct pipe_group {
	uint32_t id;
	const struct ofd *first; /* it makes the pipe, the others come after it */
	/*
	 * The two descriptions as pipe(2) made them, NULL: gone. Others were opened by /proc, which
	 * shows in their flags.
	 */
	const struct ofd *end[2]; /* to read, to write */
	/*
	 * Where the maker has put the ends that it does not need itself: numbers in its table, in
	 * memory that all actors share. [0] to read, [1] to write.
	 */
	int32_t *parked;
	const struct pipe_data *data; /* NULL: nothing is known */
};

/* The group of pipe @id in @groups, made when it is new. */
struct pipe_group *pipe_group_find(struct snapshot *snap, struct hashmap *groups, uint32_t id);

/* Tells the groups their contents. */
void pipe_groups_link_data(struct hashmap *groups, const struct pipe_data *list, size_t n);

/*
 * Gives a new pipe its size, owner and contents by @fd, which can be written to and does not
 * block; its O_DIRECT may change. Contents that are there already (a FIFO that others have open) are not
 * put in again. 0 or -errno.
 */
int pipe_data_fill(const struct pipe_group *group, int fd, struct err *err);

#endif /* CRIB_FD_PIPE_DATA_H */
