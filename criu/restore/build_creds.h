/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credentials of a thread in the restore program.
 */
#ifndef CRIB_RESTORE_BUILD_CREDS_H
#define CRIB_RESTORE_BUILD_CREDS_H

#include "restore/builder.h"

/*
 * Appends ROP_CREDS to @list with what differs from crib's own credentials; nothing if they are the
 * same. 0; -EPERM: the thread had a capability that crib does not have; -EBADMSG.
 */
int build_creds(struct builder *b, struct op_list *list, const struct thread *thread);

#endif /* CRIB_RESTORE_BUILD_CREDS_H */
