# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of this folder share; sourced first of all by each: a folder of their own, programs
# that are started in it, and waiting for what they do. Needs root.
#
# Environment: CRIB (default: that of this tree), O (where it was built, default: build of this tree),
# CRIB_ENGINES (default: those that work), KEEP=1 keeps the folder.
set -u

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CRIB=$(realpath "${CRIB:-$tree/crib}")
O=$(realpath -m "${O:-$tree/build}")
passed=0 failed=0 skipped=0
pids=()      # leaders of process groups that are ended
ended=true   # what else has to be done at the end
why=         # of the last failure

if [ "$(id -u)" != 0 ]; then
	echo "skip ${0##*/}: run me as root: dumping and restoring needs it"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
if [ -z "${CRIB_ENGINES:-}" ]; then
	CRIB_ENGINES=proc
	! "$CRIB" check --engine bpf >/dev/null 2>&1 || CRIB_ENGINES="bpf proc"
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/crib-real-XXXXXX") || exit 2
chmod 755 "$work"
cd "$work" || exit 2

end_programs()
{
	local pid

	$ended
	ended=true
	for pid in "${pids[@]}"; do
		kill -s KILL -- "-$pid" "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	pids=()
}

at_exit()
{
	end_programs
	cd / || exit
	if [ "${KEEP:-}" = 1 ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}
trap at_exit EXIT
trap 'exit 1' HUP INT TERM

has()
{
	command -v "$1" >/dev/null 2>&1
}

# wait_until SECONDS COMMAND...: asks ten times a second.
wait_until()
{
	local tries=$(($1 * 10))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.1
	done
}

# start COMMAND...: in a session of its own, with output in out; $pid.
start()
{
	setsid "$@" </dev/null >out 2>&1 &
	pid=$!
	disown # bash would tell of its death
	pids+=("$pid")
}

fail()
{
	why=$*
	return 1
}

totals()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}
