# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of this folder share; sourced first of all by each. Builds the programs they need
# and starts the test again below "probe host", which takes in every process that crib leaves.
#
# Environment: CRIB (default: that of this tree), O (where the programs are built, default: build of
# this tree), CRIB_ENGINES (default: those that work), KEEP=1 keeps the folder of a test that failed,
# SAFETY_SHOW=1 prints what crib says when it refuses.
set -u

safety=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$safety/../.." && pwd)
CRIB=$(realpath "${CRIB:-$tree/crib}")
O=$(realpath -m "${O:-$tree/build}")
programs=$O/safety
export CRIB O

if [ "$(id -u)" != 0 ]; then
	echo "skip ${0##*/}: run me as root: dumping and restoring needs it"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
make -s -C "$tree" O="$O" safety >/dev/null || { echo "FAIL the programs cannot be built"; exit 1; }

if [ -z "${CRIB_ENGINES:-}" ]; then
	CRIB_ENGINES=proc
	! "$CRIB" check --engine bpf >/dev/null 2>&1 || CRIB_ENGINES="bpf proc"
fi
export CRIB_ENGINES
