// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the files of an image to a snapshot: the inventory, the process tree and its threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "image/format.h"
#include "image/load.h"
#include "image/machine.h"

#include "pstree.pb-c.h"

enum {
	PID_LIMIT = 1 << 22, /* PID_MAX_LIMIT of the kernel */
	THREADS_MAX = 1 << 22,
};

int load_open(struct load *load, struct frame_reader *reader, enum image_kind kind, uint64_t id,
	      struct err *err)
{
	return frame_open_optional(reader, load->dirfd, kind, id, load->sums, err);
}

static int missing(enum image_kind kind, uint64_t id, struct err *err)
{
	char name[IMAGE_NAME_MAX];

	image_name(name, kind, id);
	return err_set(err, -EBADMSG, "image file '%s' is missing", name);
}

int load_open_needed(struct load *load, struct frame_reader *reader, enum image_kind kind,
		     uint64_t id, struct err *err)
{
	int ret = load_open(load, reader, kind, id, err);

	if (ret == 0)
		return missing(kind, id, err);
	return ret < 0 ? ret : 0;
}

int load_one(struct load *load, enum image_kind kind, uint64_t id,
	     const ProtobufCMessageDescriptor *type, void *ret_msg, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	int ret = load_open(load, &reader, kind, id, err);

	if (ret <= 0)
		return ret;
	ret = frame_read(&reader, type, &load->snap->arena, ret_msg, err);
	if (ret == 0)
		return err_set(err, -EBADMSG, "image file '%s' is empty", reader.name);
	if (ret > 0 && reader.pos != reader.size)
		return err_set(err, -EBADMSG, "image file '%s': %zu bytes too many", reader.name,
			       reader.size - reader.pos);
	return ret;
}

int load_needed(struct load *load, enum image_kind kind, uint64_t id,
		const ProtobufCMessageDescriptor *type, void *ret_msg, struct err *err)
{
	int ret = load_one(load, kind, id, type, ret_msg, err);

	if (ret == 0)
		return missing(kind, id, err);
	return ret < 0 ? ret : 0;
}

static int check_plugins(struct load *load, const PluginsEntry *plugins, struct err *err)
{
	if (!plugins || !plugins->n_plugins || load->opts->any_machine)
		return 0;
	return err_set(err, -ENOTSUP,
		       "image file 'inventory.img': the image needs the criu plugin "
		       "'%s', and plugins cannot be loaded: restore it with criu",
		       plugins->plugins[0]);
}

static int load_inventory(struct load *load, struct err *err)
{
	struct snapshot *snap = load->snap;
	int ret = load_one(load, IMG_INVENTORY, 0, &inventory_entry__descriptor, &snap->inventory,
			   err);

	if (ret == 0)
		return err_set(err, -ENOENT,
			       "not a complete image: there is no 'inventory.img'; "
			       "give the directory of a finished dump with -D");
	if (ret < 0)
		return ret;
	if (snap->inventory->img_version != IMAGE_VERSION)
		return err_set(err, -ENOTSUP,
			       "image file 'inventory.img': image version %u, only "
			       "%d can be read",
			       snap->inventory->img_version, IMAGE_VERSION);
	if (snap->inventory->has_fdinfo_per_id && !snap->inventory->fdinfo_per_id)
		return err_set(err, -ENOTSUP,
			       "image file 'inventory.img': descriptors numbered by "
			       "pid, as criu did before 1.0, cannot be read");
	return check_plugins(load, snap->inventory->plugins_entry, err);
}

/* Images of criu do not say how large a page was: on most machines there is one size only. */
static uint32_t page_size_of(const InventoryEntry *inventory)
{
	return inventory->has_page_size ? inventory->page_size : (uint32_t)sysconf(_SC_PAGESIZE);
}

static int check_machine(struct load *load, struct err *err)
{
	struct snapshot *snap = load->snap;
	uint32_t march = snap->tasks.v[0]->threads.v[0].core->mtype;
	uint32_t own_page_size = (uint32_t)sysconf(_SC_PAGESIZE);
	char name[24], own[24];

	if (load->opts->any_machine)
		return 0;
	if (march != machine_march())
		return err_set(err, -ENOTSUP,
			       "the image is of a %s machine and this is %s: restore it "
			       "on a machine like the first",
			       machine_name(march, name, sizeof(name)),
			       machine_name(machine_march(), own, sizeof(own)));
	if (snap->page_size != own_page_size)
		return err_set(err, -ENOTSUP,
			       "the image is of a machine with pages of %u bytes, and "
			       "here they have %u: restore it under a kernel with that page size",
			       snap->page_size, own_page_size);
	return 0;
}

static int check_page_size(struct load *load, struct err *err)
{
	uint32_t size = page_size_of(load->snap->inventory);

	if (size < 4096 || size > 1 << 20 || (size & (size - 1)))
		return err_set(err, -EBADMSG, "image file 'inventory.img': pages of %u bytes",
			       size);
	load->snap->page_size = size;
	return 0;
}

static int add_task(struct load *load, const PstreeEntry *entry, size_t *nr_threads,
		    struct err *err)
{
	struct snapshot *snap = load->snap;
	struct task *parent =
		entry->ppid ? hashmap_get(&load->objects, KEY_TASK, entry->ppid) : NULL;

	if (!entry->pid || entry->pid > PID_LIMIT || entry->ppid > PID_LIMIT ||
	    entry->pgid > PID_LIMIT || entry->sid > PID_LIMIT)
		return err_set(err, -EBADMSG,
			       "image file 'pstree.img': pid %u, ppid %u, pgid %u, sid "
			       "%u: at least one is none",
			       entry->pid, entry->ppid, entry->pgid, entry->sid);
	if (hashmap_get(&load->objects, KEY_TASK, entry->pid))
		return err_set(err, -EBADMSG, "image file 'pstree.img': task %u is there twice",
			       entry->pid);
	if (!parent != !snap->tasks.n)
		return err_set(err, -EBADMSG,
			       "image file 'pstree.img': task %u has parent %u, which "
			       "does not stand before it",
			       entry->pid, entry->ppid);
	*nr_threads += entry->n_threads;
	if (!entry->n_threads || *nr_threads > THREADS_MAX)
		return err_set(err, -EBADMSG, "image file 'pstree.img': task %u has %zu threads",
			       entry->pid, entry->n_threads);

	struct task *task = snapshot_add_task(snap, (pid_t)entry->pid, parent);
	task->pgid = (pid_t)entry->pgid;
	task->sid = (pid_t)entry->sid;
	hashmap_put(&load->objects, KEY_TASK, entry->pid, task);
	for (size_t i = 0; i < entry->n_threads; i++) {
		struct thread *thread = array_push(&snap->arena, &task->threads);

		thread->tid = (pid_t)entry->threads[i];
		thread->task = task;
	}
	return 0;
}

static int load_pstree(struct load *load, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	size_t nr_threads = 0;
	PstreeEntry *entry;

	int ret = load_open_needed(load, &reader, IMG_PSTREE, 0, err);
	while (ret >= 0) {
		ret = frame_read(&reader, &pstree_entry__descriptor, &load->snap->arena, &entry,
				 err);
		if (ret <= 0)
			break;
		ret = add_task(load, entry, &nr_threads, err);
	}
	if (ret == 0 && !load->snap->tasks.n)
		return err_set(err, -EBADMSG, "image file 'pstree.img' has no task");
	return ret;
}

/* criu takes what /proc shows in hexadecimal for a decimal number; it does not restore it. */
static uint32_t personality_of_criu(uint32_t number)
{
	uint32_t personality = 0;

	for (unsigned int shift = 0; number && shift < 32; shift += 4, number /= 10)
		personality |= number % 10 << shift;
	return personality;
}

/* The leader's, which says what the task is. criu leaves the threads of a zombie undefined. */
static int load_leader(struct load *load, struct task *task, struct err *err)
{
	struct thread *leader = &task->threads.v[0];

	leader->tid = task->pid;
	int ret = load_needed(load, IMG_CORE, (uint64_t)task->pid, &core_entry__descriptor,
			      &leader->core, err);
	if (ret < 0)
		return ret;
	if (!leader->core->tc)
		return err_set(err, -EBADMSG,
			       "image file 'core-%d.img' says nothing of the process", task->pid);
	if (!load->snap->inventory->crib_version)
		leader->core->tc->personality = personality_of_criu(leader->core->tc->personality);
	task->state = (enum task_state)leader->core->tc->task_state;
	if (task->state == TASK_STATE_DEAD)
		task->threads.n = 1;
	else if (task->state != TASK_STATE_ALIVE && task->state != TASK_STATE_STOPPED)
		return err_set(err, -EBADMSG,
			       "image file 'core-%d.img': unknown state %u of the "
			       "process",
			       task->pid, leader->core->tc->task_state);
	return 0;
}

static int load_threads(struct load *load, struct task *task, struct err *err)
{
	struct thread *leader = &task->threads.v[0];

	if (leader->tid != task->pid)
		return err_set(err, -EBADMSG,
			       "image file 'pstree.img': the first thread of task %d "
			       "is %d",
			       task->pid, leader->tid);
	for (size_t i = 1; i < task->threads.n; i++) {
		struct thread *thread = &task->threads.v[i];

		if (thread->tid <= 0 || thread->tid > PID_LIMIT)
			return err_set(err, -EBADMSG,
				       "image file 'pstree.img': a thread %d of task "
				       "%d",
				       thread->tid, task->pid);
		int ret = load_needed(load, IMG_CORE, (uint64_t)thread->tid,
				      &core_entry__descriptor, &thread->core, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int load_fs(struct load *load, struct task *task, uint32_t fs_id, struct err *err)
{
	struct fs *fs = hashmap_get(&load->objects, KEY_FS, fs_id);

	task->fs = fs;
	if (fs)
		return 0;
	fs = ARENA_NEW(&load->snap->arena, struct fs);
	int ret = load_needed(load, IMG_FS, (uint64_t)task->pid, &fs_entry__descriptor, &fs->entry,
			      err);
	if (ret < 0)
		return ret;
	fs->id = fs_id;
	fs->cwd = hashmap_get(&load->objects, KEY_FILE, fs->entry->cwd_id);
	fs->root = hashmap_get(&load->objects, KEY_FILE, fs->entry->root_id);
	if (!fs->cwd || !fs->root)
		return err_set(err, -EBADMSG, "image file 'fs-%d.img': there is no file %u",
			       task->pid, fs->cwd ? fs->entry->root_id : fs->entry->cwd_id);
	hashmap_put(&load->objects, KEY_FS, fs_id, fs);
	task->fs = fs;
	return 0;
}

/*
 * Namespaces of the tree's own are in parts that are not read: a restore without them would put the
 * tree into those of whoever restores it.
 */
static int check_namespaces(struct load *load, const struct task *task, struct err *err)
{
	const TaskKobjIdsEntry *root = load->snap->inventory->root_ids;
	const TaskKobjIdsEntry *ids = task->threads.v[0].core->ids;

	if (!root || !ids || load->opts->any_machine)
		return 0;
	const struct {
		const char *name;
		bool has;
		uint32_t own, outside;
	} spaces[] = {
		{ "pid", ids->has_pid_ns_id && root->has_pid_ns_id, ids->pid_ns_id,
		  root->pid_ns_id },
		{ "network", ids->has_net_ns_id && root->has_net_ns_id, ids->net_ns_id,
		  root->net_ns_id },
		{ "ipc", ids->has_ipc_ns_id && root->has_ipc_ns_id, ids->ipc_ns_id,
		  root->ipc_ns_id },
		{ "uts", ids->has_uts_ns_id && root->has_uts_ns_id, ids->uts_ns_id,
		  root->uts_ns_id },
		{ "mount", ids->has_mnt_ns_id && root->has_mnt_ns_id, ids->mnt_ns_id,
		  root->mnt_ns_id },
		{ "user", ids->has_user_ns_id && root->has_user_ns_id, ids->user_ns_id,
		  root->user_ns_id },
		{ "cgroup", ids->has_cgroup_ns_id && root->has_cgroup_ns_id, ids->cgroup_ns_id,
		  root->cgroup_ns_id },
		{ "time", ids->has_time_ns_id && root->has_time_ns_id, ids->time_ns_id,
		  root->time_ns_id },
	};
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (spaces[i].has && spaces[i].own != spaces[i].outside)
			return err_set(err, -ENOTSUP,
				       "task %d is in a %s namespace of its own, which "
				       "cannot be restored: dump it from inside of that namespace",
				       task->pid, spaces[i].name);
	return 0;
}

static int load_task(struct load *load, struct task *task, struct err *err)
{
	TaskKobjIdsEntry **ids = &task->threads.v[0].core->ids;

	if (task->state == TASK_STATE_DEAD)
		return 0;
	int ret = load_threads(load, task, err);
	if (ret == 0)
		ret = load_needed(load, IMG_IDS, (uint64_t)task->pid,
				  &task_kobj_ids_entry__descriptor, ids, err);
	if (ret == 0)
		ret = check_namespaces(load, task, err);
	if (ret == 0)
		ret = load_mm(load, task, (*ids)->vm_id, err);
	if (ret == 0)
		ret = load_fs(load, task, (*ids)->fs_id, err);
	if (ret == 0)
		ret = load_fdtable(load, task, (*ids)->files_id, err);
	return ret;
}

static int load_checksums(struct load *load, struct err *err)
{
	int ret = checksums_load(load->dirfd, &load->snap->arena, &load->own_sums, err);

	if (ret <= 0)
		return ret;
	load->sums = &load->own_sums;
	return load->opts->any_machine ? 0 : checksums_check_sizes(load->sums, load->dirfd, err);
}

static int load_all(struct load *load, struct err *err)
{
	const struct snapshot *snap = load->snap;

	int ret = load_checksums(load, err);

	if (ret == 0)
		ret = load_inventory(load, err);
	if (ret == 0)
		ret = check_page_size(load, err);
	if (ret == 0)
		ret = load_pstree(load, err);
	for (size_t i = 0; ret == 0 && i < snap->tasks.n; i++)
		ret = load_leader(load, snap->tasks.v[i], err);
	if (ret == 0)
		ret = check_machine(load, err);
	if (ret == 0)
		ret = load_files(load, err);
	for (size_t i = 0; ret == 0 && i < snap->tasks.n; i++)
		ret = load_task(load, snap->tasks.v[i], err);
	if (ret < 0)
		return ret;
	load_anonymous(load);
	return load_shmems(load, err);
}

int image_load(struct snapshot *snap, int dirfd, const struct image_load_opts *opts,
	       struct err *err)
{
	struct load load = { .snap = snap, .dirfd = dirfd, .opts = opts };
	int ret = load_all(&load, err);

	hashmap_fini(&load.objects);
	if (ret < 0)
		return ret;
	snapshot_assign_owners(snap);
	return snapshot_validate(snap, err);
}

int image_open(int dirfd, enum image_kind kind, uint64_t id, struct err *err)
{
	char name[IMAGE_NAME_MAX];

	image_name(name, kind, id);
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open image file '%s'", name) : fd;
}
