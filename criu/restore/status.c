// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status page, see status.h.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "restore/status.h"

static long futex(uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

static void wake(uint32_t *word)
{
	futex(word, FUTEX_WAKE, INT_MAX, NULL);
}

static void announce(struct status *status)
{
	__atomic_add_fetch(&status->events, 1, __ATOMIC_SEQ_CST);
	wake(&status->events);
}

struct status *status_new(const struct plan *plan, uint32_t nr_tasks, struct err *err)
{
	uint32_t nr_steps = (uint32_t)plan->steps.n;
	size_t regions_off = ALIGN_UP(
		sizeof(struct status) + sizeof(uint32_t) * ((size_t)nr_steps + nr_tasks), 8UL);
	size_t size = regions_off + nr_tasks * sizeof(struct restorer_range);
	struct status *status =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (status == MAP_FAILED) {
		err_sys(err, "map the status page of %zu bytes", size);
		return NULL;
	}
	status->size = size;
	status->regions_off = (uint32_t)regions_off;
	status->nr_steps = nr_steps;
	status->nr_tasks = nr_tasks;
	status->deadline = INT64_MAX;
	for (int phase = 0; phase < PHASE_MAX; phase++)
		status->phase_left[phase] = plan->phase_steps[phase];
	return status;
}

void status_free(struct status *status)
{
	if (status)
		munmap(status, status->size);
}

void status_done(struct status *status, const struct step *step)
{
	__atomic_store_n(&status->words[step->index], STEP_DONE, __ATOMIC_SEQ_CST);
	wake(&status->words[step->index]);
	if (!__atomic_sub_fetch(&status->phase_left[step->phase], 1, __ATOMIC_SEQ_CST)) {
		wake(&status->phase_left[step->phase]);
		announce(status);
	}
}

bool status_step_is_done(const struct status *status, const struct step *step)
{
	return __atomic_load_n(&status->words[step->index], __ATOMIC_SEQ_CST) == STEP_DONE;
}

void status_fail(struct status *status, uint32_t task, const struct err *err)
{
	if (!__atomic_exchange_n(&status->claimed, 1, __ATOMIC_SEQ_CST)) {
		status->error = *err;
		__atomic_store_n(&status->failed, task + 1, __ATOMIC_SEQ_CST);
	}
	for (uint32_t i = 0; i < status->nr_steps; i++)
		wake(&status->words[i]);
	for (int phase = 0; phase < PHASE_MAX; phase++)
		wake(&status->phase_left[phase]);
	announce(status);
}

bool status_decide(struct status *status, enum status_verdict want)
{
	uint32_t before = STATUS_OPEN;

	return __atomic_compare_exchange_n(&status->verdict, &before, want, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST) ||
	       before == want;
}

void status_begin(struct status *status, const char *what, int64_t deadline)
{
	__atomic_store_n(&status->doing, what, __ATOMIC_SEQ_CST);
	__atomic_store_n(&status->deadline, deadline, __ATOMIC_SEQ_CST);
}

/*
 * The kernel tells of the coordinator's death in the futex that it owns. Parent death signals are
 * not enough: who was being forked when it died has not asked for one yet, and the root of
 * --restore-sibling is another's child.
 */
bool status_is_over(const struct status *status)
{
	return __atomic_load_n(&status->failed, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&status->restorer.owner, __ATOMIC_SEQ_CST) & FUTEX_OWNER_DIED;
}

/*
 * Sleeps while *word is @value. Woken late is no harm: the time-out bounds what a wake-up that
 * came between the look at failed and the sleep could cost, and a death of the coordinator.
 */
static int wait_while(struct status *status, uint32_t *word, bool (*pending)(uint32_t))
{
	const struct timespec nap = { .tv_nsec = 100 * 1000 * 1000 };
	uint32_t value;

	while (pending(value = __atomic_load_n(word, __ATOMIC_SEQ_CST))) {
		if (status_is_over(status))
			return -ECANCELED;
		futex(word, FUTEX_WAIT, value, &nap);
	}
	return status_is_over(status) ? -ECANCELED : 0;
}

static bool step_pending(uint32_t value)
{
	return value != STEP_DONE;
}

static bool phase_pending(uint32_t value)
{
	return value != 0;
}

int status_wait_step(struct status *status, uint32_t step)
{
	return wait_while(status, &status->words[step], step_pending);
}

int status_wait_phase(struct status *status, enum plan_phase phase)
{
	return wait_while(status, &status->phase_left[phase], phase_pending);
}

void status_set_alive(struct status *status, uint32_t task)
{
	__atomic_store_n(&status->words[status->nr_steps + task], 1, __ATOMIC_SEQ_CST);
	announce(status);
}

int status_is_alive(const struct status *status, uint32_t task)
{
	return (int)__atomic_load_n(&status->words[status->nr_steps + task], __ATOMIC_SEQ_CST);
}

uint32_t status_wait_event(struct status *status, uint32_t seen, int timeout_ms)
{
	const struct timespec timeout = { .tv_sec = timeout_ms / 1000,
					  .tv_nsec = (timeout_ms % 1000) * 1000000L };

	futex(&status->events, FUTEX_WAIT, seen, &timeout);
	return __atomic_load_n(&status->events, __ATOMIC_SEQ_CST);
}
