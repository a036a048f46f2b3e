// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restore programs: how they are built from a snapshot that was never alive, what they say, and
 * what becomes of a process that runs one.
 */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "image_fixture.h"
#include "restore/program.h"
#include "restore/stage.h"

enum {
	ANON_START = 0x10000000, /* of the task below; the kernel puts nothing there by itself */
	ANON_PAGES = 64,
	LOW_PAGES = 16, /* pages of the small mapping below it */
};

/* Shared with the processes of a test. */
struct board {
	struct restorer_status status;
	uint32_t events;
	struct restorer_range regions[4];
	struct err err;
};

struct world {
	struct snapshot snap;
	struct stage stage;
	struct board *board;
	char dir[64];
	int images_fd;
	uint64_t off; /* in pages-1.img */
	bool hold;    /* threads wait before they change their credentials */
};

static size_t board_size(void)
{
	return ALIGN_UP(sizeof(struct board), (size_t)PAGE);
}

static void world_open(struct world *w)
{
	*w = (struct world){ .images_fd = -1 };
	snapshot_init(&w->snap);
	dir_make(w->dir);
	w->images_fd = dir_open(w->dir);
	w->board =
		mmap(NULL, board_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(w->board != MAP_FAILED);
}

static void world_close(struct world *w)
{
	stage_fini(&w->stage);
	snapshot_fini(&w->snap);
	munmap(w->board, board_size());
	close(w->images_fd);
	dir_remove(w->dir);
}

static CoreEntry *make_core(struct world *w, bool leader)
{
	CoreEntry *core = SNAP_MSG(&w->snap, CoreEntry, core_entry);
	CredsEntry *creds = SNAP_MSG(&w->snap, CredsEntry, creds_entry);

	core->thread_core = SNAP_MSG(&w->snap, ThreadCoreEntry, thread_core_entry);
	core->thread_core->comm = arena_strdup(&w->snap.arena, "restored");
	core->thread_core->creds = creds;
	if (leader) {
		core->tc = SNAP_MSG(&w->snap, TaskCoreEntry, task_core_entry);
		core->tc->task_state = TASK_STATE_ALIVE;
	}
	return core;
}

/* The caller's own credentials: a program then has nothing to change. */
static void own_creds(struct world *w, CredsEntry *creds)
{
	uint64_t sets[5];
	char text[8192], *pos;
	static const char *const names[] = { "CapInh:", "CapPrm:", "CapEff:", "CapBnd:",
					     "CapAmb:" };
	uint32_t **words[] = { &creds->cap_inh, &creds->cap_prm, &creds->cap_eff, &creds->cap_bnd,
			       &creds->cap_amb };
	size_t *counts[] = { &creds->n_cap_inh, &creds->n_cap_prm, &creds->n_cap_eff,
			     &creds->n_cap_bnd, &creds->n_cap_amb };
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t got = read(fd, text, sizeof(text) - 1);
	gid_t groups[64];
	int n = getgroups(64, groups);

	close(fd);
	assert_true(got > 0 && n >= 0);
	text[got] = '\0';
	for (int i = 0; i < 5; i++) {
		pos = strstr(text, names[i]);
		assert_non_null(pos);
		assert_int_equal(sscanf(pos + 7, "%lx", &sets[i]), 1);
		*counts[i] = 2;
		*words[i] = arena_memdup(&w->snap.arena, &sets[i], sizeof(sets[i]));
	}
	creds->uid = creds->suid = getuid();
	creds->euid = creds->fsuid = geteuid();
	creds->gid = creds->sgid = getgid();
	creds->egid = creds->fsgid = getegid();
	creds->secbits = (uint32_t)prctl(PR_GET_SECUREBITS);
	creds->n_groups = (size_t)n;
	creds->groups = arena_memdup(&w->snap.arena, groups, sizeof(*groups) * (size_t)n);
	creds->has_no_new_privs = true;
	creds->no_new_privs = (uint32_t)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static void add_thread(struct world *w, struct task *task, pid_t tid)
{
	CoreEntry *core = make_core(w, tid == task->pid);

	own_creds(w, core->thread_core->creds);
	*array_push(&w->snap.arena, &task->threads) =
		(struct thread){ .tid = tid, .task = task, .core = core };
}

static struct task *add_task(struct world *w, pid_t pid, struct task *parent)
{
	struct task *task = snapshot_add_task(&w->snap, pid, parent);
	struct mm *mm = ARENA_NEW(&w->snap.arena, struct mm);

	task->index = (uint32_t)w->snap.tasks.n - 1;
	task->mm = mm;
	mm->owner = task;
	mm->pages_id = (uint32_t)w->snap.mms.n + 1;
	mm->entry = SNAP_MSG(&w->snap, MmEntry, mm_entry);
	*array_push(&w->snap.arena, &w->snap.mms) = mm;
	add_thread(w, task, pid);
	return task;
}

static struct vma *add_vma(struct world *w, struct task *task, uint64_t start, uint64_t pages,
			   uint32_t prot)
{
	struct vma *vma = array_push(&w->snap.arena, &task->mm->vmas);

	*vma = (struct vma){ .start = start,
			     .end = start + pages * PAGE,
			     .prot = prot,
			     .flags = MAP_PRIVATE | MAP_ANONYMOUS,
			     .status = VMA_AREA_REGULAR | VMA_ANON_PRIVATE };
	return vma;
}

/* Pages of the task's own, each filled with @fill; or those of @with at the same place. */
static void add_pages(struct world *w, struct task *task, uint64_t start, uint64_t pages, char fill,
		      struct task *with)
{
	struct page_range *range = array_push(&w->snap.arena, &task->mm->pages);
	char name[32], *bytes = xzalloc((size_t)(pages * PAGE));
	struct stat st;

	*range = (struct page_range){ .vaddr = start, .nr_pages = pages, .shared_with = with };
	if (!with) {
		snprintf(name, sizeof(name), "pages-%u.img", task->mm->pages_id);
		int fd = openat(w->images_fd, name, O_CREAT | O_WRONLY | O_APPEND, 0600);

		assert_int_equal(fstat(fd, &st), 0);
		range->img_off = (uint64_t)st.st_size;
		memset(bytes, fill, (size_t)(pages * PAGE));
		assert_int_equal(write(fd, bytes, (size_t)(pages * PAGE)), pages * PAGE);
		close(fd);
	}
	free(bytes);
}

/* A task with two mappings: a read-only one of two pages, and a large one with holes. */
static struct task *simple_task(struct world *w, pid_t pid)
{
	struct task *task = add_task(w, pid, NULL);

	add_vma(w, task, ANON_START - 0x1000000, 2, PROT_READ);
	add_vma(w, task, ANON_START, ANON_PAGES, PROT_READ | PROT_WRITE);
	add_pages(w, task, ANON_START - 0x1000000, 1, 'r', NULL);
	add_pages(w, task, ANON_START, 4, 'a', NULL);
	add_pages(w, task, ANON_START + 8 * PAGE, 4, 'b', NULL);
	return task;
}

static int refuse_open(void *ctx, const struct vma *vma, int flags, int *ret_fd, struct err *err)
{
	return err_set(err, -ENOENT, "no file in this test");
}

static struct program_env env_for(struct world *w, struct task *task)
{
	return (struct program_env){
		.snap = &w->snap,
		.task = task,
		.stage = &w->stage,
		.images_fd = w->images_fd,
		.opener = { .open = refuse_open },
		.status_map = w->board,
		.status_map_size = board_size(),
		.status_off = offsetof(struct board, status),
		.events_off = offsetof(struct board, events),
		.region_off = offsetof(struct board, regions[task->index]),
		.exe_fd = -1,
		.cwd_fd = -1,
		.root_fd = -1,
		.service_fd = -1,
		.hold_before_creds = w->hold,
	};
}

static void plan(struct world *w)
{
	struct err err = ERR_INIT;

	if (stage_plan(&w->stage, &w->snap, &err) < 0)
		fail_msg("stage_plan: %s", err.text);
}

static void build(struct world *w, struct task *task, struct program *prog)
{
	const struct program_env env = env_for(w, task);
	struct err err = ERR_INIT;

	if (program_build(&env, prog, &err) < 0)
		fail_msg("program_build: %s", err.text);
}

static const struct restorer_op *leader_ops(const struct program *prog)
{
	const struct restorer_header *header = (const struct restorer_header *)prog->code.data;

	return (const struct restorer_op *)(prog->code.data + header->leader_ops);
}

/* The first op with @opcode of the list at @op, or NULL. */
static const struct restorer_op *find_op(const struct restorer_op *op, enum restorer_opcode opcode)
{
	for (; op->opcode != opcode; op++)
		if (op->opcode == ROP_PARK)
			return NULL;
	return op;
}

/* ---- Ranges ---- */

static void a_hole_is_the_lowest_that_fits(void **state)
{
	struct arena arena = { 0 };
	struct range_set set = { 0 };
	struct range limits = { 0x1000, 0x10000 };

	range_set_add(&arena, &set, 0x8000, 0x9000);
	range_set_add(&arena, &set, 0x2000, 0x4000);
	range_set_add(&arena, &set, 0x3000, 0x5000);
	range_set_normalize(&set);
	assert_int_equal(set.v.n, 2);
	assert_int_equal(range_set_find_hole(&set, limits, 0x1000, 0x1000, 0), 0x1000);
	assert_int_equal(range_set_find_hole(&set, limits, 0x3000, 0x1000, 0), 0x5000);
	assert_int_equal(range_set_find_hole(&set, limits, 0x1000, 0x4000, 0x2000), 0x6000);
	assert_int_equal(range_set_find_hole(&set, limits, 0x7000, 0x1000, 0), 0x9000);
	assert_int_equal(range_set_find_hole(&set, limits, 0x8000, 0x1000, 0), 0);
	arena_fini(&arena);
}

static void a_range_is_cut_to_its_first_free_part(void **state)
{
	struct arena arena = { 0 };
	struct range_set set = { 0 };
	struct range range = { 0x1000, 0x9000 };

	range_set_add(&arena, &set, 0x1000, 0x2000);
	range_set_add(&arena, &set, 0x4000, 0x5000);
	range_set_normalize(&set);
	assert_true(range_set_cut(&set, &range));
	assert_int_equal(range.start, 0x2000);
	assert_int_equal(range.end, 0x4000);
	range = (struct range){ 0x4000, 0x5000 };
	assert_false(range_set_cut(&set, &range));
	arena_fini(&arena);
}

static void own_layout_holds_this_function_and_ends_above_the_stack(void **state)
{
	struct arena arena = { 0 };
	struct layout layout;
	struct err err = ERR_INIT;
	uint64_t code = (uintptr_t)own_layout_holds_this_function_and_ends_above_the_stack;
	uint64_t stack = (uintptr_t)&layout;

	assert_int_equal(layout_read_own(&layout, &arena, &err), 0);
	assert_true(range_set_overlaps(&layout.taken, code, code + 1));
	assert_true(range_set_overlaps(&layout.taken, stack, stack + 1));
	assert_true(layout.task_size > stack);
	arena_fini(&arena);
}

/* ---- Pages ---- */

static void shared_pages_are_found_where_their_first_owner_has_them(void **state)
{
	struct world w;
	struct arena arena = { 0 };
	struct page_extents extents = { 0 };
	struct err err = ERR_INIT;

	world_open(&w);
	struct task *first = simple_task(&w, 100);
	struct task *second = add_task(&w, 101, first), *third = add_task(&w, 102, second);

	add_pages(&w, second, ANON_START, 3, 0, first);
	add_pages(&w, second, ANON_START + 3 * PAGE, 1, 'x', NULL);
	add_pages(&w, third, ANON_START + PAGE, 3, 0, second);
	assert_int_equal(page_extents_resolve(&w.snap, third, ANON_START + PAGE,
					      ANON_START + 4 * PAGE, &arena, &extents, &err),
			 0);
	assert_int_equal(extents.v.n, 2);
	assert_int_equal(extents.v.v[0].pages_id, 1);
	assert_int_equal(extents.v.v[0].nr_pages, 2);
	assert_int_equal(extents.v.v[0].off, 2 * PAGE);
	assert_int_equal(extents.v.v[1].pages_id, 2);
	arena_fini(&arena);
	world_close(&w);
}

static void pages_shared_in_a_circle_are_refused(void **state)
{
	struct world w;
	struct arena arena = { 0 };
	struct page_extents extents = { 0 };
	struct err err = ERR_INIT;

	world_open(&w);
	struct task *one = add_task(&w, 100, NULL), *two = add_task(&w, 101, one);

	add_pages(&w, one, ANON_START, 1, 0, two);
	add_pages(&w, two, ANON_START, 1, 0, one);
	assert_int_equal(page_extents_resolve(&w.snap, two, ANON_START, ANON_START + PAGE, &arena,
					      &extents, &err),
			 -EBADMSG);
	arena_fini(&arena);
	world_close(&w);
}

/* ---- Programs ---- */

static void staging_lies_where_no_task_and_not_crib_is(void **state)
{
	struct world w;
	struct range_set tasks = { 0 };

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	plan(&w);
	assert_true(w.stage.places.v.n > 0);
	array_each(struct vma, vma, &task->mm->vmas)
		range_set_add(&w.snap.arena, &tasks, vma->start, vma->end);
	range_set_normalize(&tasks);
	array_each(struct placed_range, place, &w.stage.places.v) {
		uint64_t end = place->at + (place->end - place->start);

		assert_false(range_set_overlaps(&tasks, place->at, end));
		assert_false(range_set_overlaps(&w.stage.own.taken, place->at, end));
	}
	world_close(&w);
}

static void a_program_unmaps_first_maps_then_reads_and_parks_last(void **state)
{
	static const enum restorer_opcode order[] = {
		ROP_UNMAP_REST,  ROP_SET_MM,    ROP_MMAP,        ROP_PREAD,
		ROP_MPROTECT,    ROP_SIGACTION, ROP_CLOSE_RANGE, ROP_COMM,
		ROP_ROBUST_LIST, ROP_BARRIER,   ROP_PARK,
	};
	struct world w;
	struct program prog;

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	plan(&w);
	build(&w, task, &prog);
	const struct restorer_op *last = leader_ops(&prog);

	assert_int_equal(last->opcode, ROP_UNMAP_REST);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct restorer_op *op = find_op(leader_ops(&prog), order[i]);

		assert_non_null(op);
		assert_true(op >= last);
		last = op;
	}
	assert_null(find_op(leader_ops(&prog), ROP_CREDS));
	assert_null(find_op(leader_ops(&prog), ROP_MREMAP));
	program_fini(&prog);
	world_close(&w);
}

static void every_thread_has_ops_of_its_own_and_a_stack(void **state)
{
	struct world w;
	struct program prog;
	uint64_t stacks[3];
	size_t n = 0;

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	for (pid_t tid = 101; tid <= 103; tid++)
		add_thread(&w, task, tid);
	plan(&w);
	build(&w, task, &prog);
	for (const struct restorer_op *op = leader_ops(&prog); op->opcode != ROP_PARK; op++) {
		if (op->opcode != ROP_CLONE)
			continue;
		const struct restorer_op *own =
			(const struct restorer_op *)(prog.code.data + op->arg[1]);

		assert_int_equal(op->arg[0], 101 + n);
		assert_non_null(find_op(own, ROP_COMM));
		assert_int_equal(find_op(own, ROP_BARRIER)->arg[0], 4);
		assert_true(op->arg[2] - op->arg[3] >= prog.code.len);
		assert_true(op->arg[2] <= prog.memory_size);
		stacks[n++] = op->arg[2];
	}
	assert_int_equal(n, 3);
	assert_true(stacks[0] + 8192 == stacks[1] && stacks[1] + 8192 == stacks[2]);
	program_fini(&prog);
	world_close(&w);
}

static void another_user_is_set_in_every_thread(void **state)
{
	struct world w;
	struct program prog;

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	task->threads.v[0].core->thread_core->creds->euid += 1;
	plan(&w);
	build(&w, task, &prog);
	const struct restorer_op *op = find_op(leader_ops(&prog), ROP_CREDS);

	assert_non_null(op);
	const struct restorer_creds *creds =
		(const struct restorer_creds *)(prog.code.data + op->arg[0]);

	assert_true(creds->set & RCREDS_UIDS);
	assert_false(creds->set & (RCREDS_GIDS | RCREDS_GROUPS | RCREDS_BOUND));
	assert_int_equal(creds->euid, geteuid() + 1);
	program_fini(&prog);
	world_close(&w);
}

static void mappings_that_cannot_be_restored_are_named(void **state)
{
	struct world w;
	struct err err = ERR_INIT;

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	task->mm->vmas.v[1].status |= VMA_AREA_SYSVIPC;
	assert_int_equal(stage_plan(&w.stage, &w.snap, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "System V"));
	world_close(&w);
}

static void the_text_of_a_program_has_a_line_for_each_op(void **state)
{
	struct world w;
	struct program prog;
	char *text = NULL;
	size_t size = 0, lines = 0;

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	add_thread(&w, task, 101);
	plan(&w);
	build(&w, task, &prog);
	FILE *out = open_memstream(&text, &size);

	program_print(&prog, out);
	fclose(out);
	for (const char *pos = text; *pos; pos++)
		lines += *pos == '\n';
	assert_int_equal(lines, ((const struct restorer_header *)prog.code.data)->nr_ops +
					2 /* threads */);
	assert_non_null(strstr(text, "mmap 0x10000000 0x"));
	free(text);
	program_fini(&prog);
	world_close(&w);
}

/* ---- Running them ---- */

/* Stages the memory of @task and forks: returns in each process what it is to become. */
static struct task *stage_and_fork(struct world *w, struct task *task,
				   const struct vma_opener *opener, struct err *err)
{
	for (bool born = true; born;) {
		born = false;
		task->pid = getpid();
		if (stage_task(&w->stage, task, w->images_fd, opener, err) < 0)
			return NULL;
		for (size_t i = 0; i < task->children.n && !born; i++) {
			born = !fork();
			if (born)
				prctl(PR_SET_PDEATHSIG, SIGKILL);
			task = born ? task->children.v[i] : task;
		}
	}
	return task;
}

/* What an actor does. */
static void act(struct world *w, struct task *root, const struct vma_opener *opener)
{
	struct program prog = { 0 };
	struct err err = ERR_INIT;
	struct task *task = stage_and_fork(w, root, opener, &err);
	int ret = task ? stage_finish(&w->stage, task, w->images_fd, opener, &err) : err.code;

	if (!ret) {
		struct program_env env = env_for(w, task);

		env.opener = *opener;
		ret = program_build(&env, &prog, &err);
	}
	if (!ret)
		program_run(&prog, &err);
	w->board->err = err;
	_exit(1);
}

static pid_t run(struct world *w, struct task *task, const struct vma_opener *opener)
{
	static const struct vma_opener refusing = { .open = refuse_open };
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		act(w, task, opener ? opener : &refusing);
	}
	return pid;
}

/* Waits until @n threads are parked, or something failed. */
static bool wait_parked(struct world *w, uint32_t n)
{
	const struct restorer_status *status = &w->board->status;

	for (int i = 0; i < 5000; i++) {
		if (__atomic_load_n(&status->parked, __ATOMIC_SEQ_CST) == n)
			return true;
		if (__atomic_load_n(&status->failed, __ATOMIC_SEQ_CST) || w->board->err.code)
			return false;
		usleep(1000);
	}
	return false;
}

static char peek(pid_t pid, uint64_t addr)
{
	char path[64], byte = '?';

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	int fd = open(path, O_RDONLY);

	if (pread(fd, &byte, 1, (off_t)addr) != 1)
		byte = '!';
	close(fd);
	return byte;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_process_that_runs_a_program_has_nothing_else(void **state)
{
	struct world w;
	char path[64], text[4096];

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	plan(&w);
	pid_t pid = run(&w, task, NULL);

	if (!wait_parked(&w, 1))
		fail_msg("not parked: %s, op %u: %d", w.board->err.text,
			 w.board->status.failed_op.opcode, w.board->status.failed_errno);
	assert_int_equal(peek(pid, ANON_START), 'a');
	assert_int_equal(peek(pid, ANON_START + 5 * PAGE), 0);
	assert_int_equal(peek(pid, ANON_START + 11 * PAGE), 'b');
	assert_int_equal(peek(pid, ANON_START - 0x1000000), 'r');

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	int fd = open(path, O_RDONLY);
	ssize_t got = read(fd, text, sizeof(text) - 1);
	const struct restorer_range *region = &w.board->regions[0];
	unsigned long start, stop;

	close(fd);
	assert_true(got > 0);
	text[got] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_int_equal(sscanf(line, "%lx-%lx", &start, &stop), 2);
		bool ours = start == ANON_START || start == ANON_START - 0x1000000;
		bool blob = start >= region->start && stop <= region->start + region->size;

		if (!ours && !blob && !strstr(line, "[vsyscall]"))
			fail_msg("left over: %s", line);
	}
	end(pid);
	world_close(&w);
}

static uint64_t frame_of(pid_t pid, uint64_t addr)
{
	char path[64];
	uint64_t word = 0;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	int fd = open(path, O_RDONLY);

	if (pread(fd, &word, sizeof(word), (off_t)(addr / PAGE * sizeof(word))) != sizeof(word))
		word = 0;
	close(fd);
	return word & ((UINT64_C(1) << 55) - 1);
}

/* Root has 'p' at page 0 and 1; one child shares page 0, and both children share page 2. */
static void relatives_share_again_what_the_image_holds_once(void **state)
{
	struct world w;
	pid_t pids[3];
	size_t n = 0;

	world_open(&w);
	struct task *root = add_task(&w, 100, NULL);
	struct task *one = add_task(&w, 101, root), *two = add_task(&w, 102, root);
	struct task *all[] = { root, one, two };

	for (size_t i = 0; i < 3; i++)
		add_vma(&w, all[i], ANON_START, ANON_PAGES, PROT_READ | PROT_WRITE);
	add_pages(&w, root, ANON_START, 2, 'p', NULL);
	add_pages(&w, one, ANON_START, 1, 0, root);
	add_pages(&w, one, ANON_START + PAGE, 2, 'c', NULL);
	add_pages(&w, two, ANON_START + 2 * PAGE, 1, 0, one);
	plan(&w);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pids[0] = run(&w, root, NULL);
	assert_true(wait_parked(&w, 3));
	char path[64], text[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pids[0], pids[0]);
	int fd = open(path, O_RDONLY);

	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	for (char *word = strtok(text, " "); word && n < 2; word = strtok(NULL, " "))
		assert_int_equal(sscanf(word, "%d", &pids[++n]), 1);
	assert_int_equal(n, 2);

	static const char expected[3][4] = { "pp\0", "pcc", "\0\0c" };
	for (size_t i = 0; i < 3; i++)
		for (size_t page = 0; page < 3; page++)
			assert_int_equal(peek(pids[i], ANON_START + page * PAGE),
					 expected[i][page]);
	/* Frame numbers are for the privileged. */
	assert_int_equal(frame_of(pids[0], ANON_START), frame_of(pids[1], ANON_START));
	assert_int_equal(frame_of(pids[1], ANON_START + 2 * PAGE),
			 frame_of(pids[2], ANON_START + 2 * PAGE));
	/* The children are this process's once their parent is gone. */
	for (size_t i = 0; i < 3; i++)
		end(pids[i]);
	world_close(&w);
}

static int open_pipe(void *ctx, const struct vma *vma, int flags, int *ret_fd, struct err *err)
{
	int fds[2];

	if (pipe(fds))
		return err_sys(err, "pipe");
	*ret_fd = fds[0];
	return 0;
}

static void the_op_that_failed_is_told_with_its_errno(void **state)
{
	static const struct vma_opener opener = { .open = open_pipe };
	struct world w;
	struct strbuf text = { 0 };
	int how;

	world_open(&w);
	struct task *task = simple_task(&w, 100);
	struct vma *vma = add_vma(&w, task, ANON_START + 0x1000000, 1, PROT_READ);

	vma->flags = MAP_PRIVATE;
	vma->status = VMA_AREA_REGULAR | VMA_FILE_PRIVATE;
	vma->file = snapshot_add_file(&w.snap);
	plan(&w);
	pid_t pid = run(&w, task, &opener);

	assert_false(wait_parked(&w, 1));
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how));
	assert_int_equal(w.board->status.failed_pid, pid);
	assert_int_equal(w.board->status.failed_errno, ENODEV);
	program_describe_op(&w.board->status.failed_op, &text);
	assert_non_null(strstr(strbuf_str(&text), "mmap 0x11000000 "));
	strbuf_fini(&text);
	world_close(&w);
}

/* A coordinator of w->board that is there for an instant only. */
static void let_coordinator_die(struct world *w)
{
	struct program_owner owner;
	struct err err = ERR_INIT;
	pid_t coordinator = fork();

	if (!coordinator) {
		program_status_own(&w->board->status, &owner, &err);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(coordinator, NULL, 0), coordinator);
}

static void parked_tasks_die_with_the_coordinator(void **state)
{
	struct world w;
	int how;

	world_open(&w);
	struct task *task = simple_task(&w, 100);

	plan(&w);
	pid_t pid = fork(); /* not of the coordinator, so that nothing else ends it */

	if (!pid)
		act(&w, task, &(struct vma_opener){ .open = refuse_open });
	assert_true(wait_parked(&w, 1));
	let_coordinator_die(&w);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how));
	world_close(&w);
}

/* Starts a task whose thread stops at ROP_HOLD, and returns when it is there. */
static pid_t run_until_held(struct world *w)
{
	struct task *task = simple_task(w, 100);

	plan(w);
	w->hold = true;
	pid_t pid = fork();

	if (!pid)
		act(w, task, &(struct vma_opener){ .open = refuse_open });
	while (!__atomic_load_n(&w->board->status.held, __ATOMIC_SEQ_CST) &&
	       waitpid(pid, NULL, WNOHANG) == 0)
		usleep(1000);
	assert_int_equal(w->board->status.held, 1);
	return pid;
}

static void held_threads_go_on_when_they_are_released(void **state)
{
	struct world w;

	world_open(&w);
	pid_t pid = run_until_held(&w);

	assert_int_equal(w.board->status.parked, 0);
	program_status_release(&w.board->status);
	assert_true(wait_parked(&w, 1));
	end(pid);
	world_close(&w);
}

static void held_threads_die_with_the_coordinator(void **state)
{
	struct world w;
	int how;

	world_open(&w);
	pid_t pid = run_until_held(&w);

	let_coordinator_die(&w);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_is_the_lowest_that_fits),
		cmocka_unit_test(a_range_is_cut_to_its_first_free_part),
		cmocka_unit_test(own_layout_holds_this_function_and_ends_above_the_stack),
		cmocka_unit_test(shared_pages_are_found_where_their_first_owner_has_them),
		cmocka_unit_test(pages_shared_in_a_circle_are_refused),
		cmocka_unit_test(staging_lies_where_no_task_and_not_crib_is),
		cmocka_unit_test(a_program_unmaps_first_maps_then_reads_and_parks_last),
		cmocka_unit_test(every_thread_has_ops_of_its_own_and_a_stack),
		cmocka_unit_test(another_user_is_set_in_every_thread),
		cmocka_unit_test(mappings_that_cannot_be_restored_are_named),
		cmocka_unit_test(the_text_of_a_program_has_a_line_for_each_op),
		cmocka_unit_test(a_process_that_runs_a_program_has_nothing_else),
		cmocka_unit_test(relatives_share_again_what_the_image_holds_once),
		cmocka_unit_test(the_op_that_failed_is_told_with_its_errno),
		cmocka_unit_test(parked_tasks_die_with_the_coordinator),
		cmocka_unit_test(held_threads_go_on_when_they_are_released),
		cmocka_unit_test(held_threads_die_with_the_coordinator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
