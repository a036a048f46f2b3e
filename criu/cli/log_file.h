/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log that the options ask for.
 */
#ifndef CRIB_CLI_LOG_FILE_H
#define CRIB_CLI_LOG_FILE_H

#include "base/err.h"
#include "cli/opts.h"

/* Opens --log-file and makes it the log; standard error without it. 0 or -errno. */
int log_file_open(const struct opts *opts, struct err *err);

#endif /* CRIB_CLI_LOG_FILE_H */
