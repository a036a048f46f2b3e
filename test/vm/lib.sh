# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts of this folder share: counting, and waiting for states instead of times. They run
# inside a machine of scripts/vm, where everything that they need lies in the working folder.
set -u

passed=0 failed=0 skipped=0
export CRIB=$PWD/crib

ok()
{
	echo "ok $1"
	passed=$((passed + 1))
}

# fail NAME WHY
fail()
{
	echo "FAIL $1: $2"
	failed=$((failed + 1))
}

skip()
{
	echo "skip $1: $2"
	skipped=$((skipped + 1))
}

# check NAME COMMAND...: the command must succeed; what it says is shown when it does not.
check()
{
	local name=$1 status=0
	shift
	"$@" > /tmp/check.out 2>&1 < /dev/null || status=$?
	if [ $status = 0 ]; then
		ok "$name"
	else
		fail "$name" "status $status of $*"
		tail -n 20 /tmp/check.out | sed 's/^/    /'
	fi
}

# says WORDS COMMAND...: the command ends as it may, and says these words.
says()
{
	local words=$1 name="$1"
	shift
	"$@" > /tmp/says.out 2>&1 < /dev/null
	if grep -q -- "$words" /tmp/says.out; then
		ok "says '$name'"
	else
		fail "says '$name'" "not said by $*"
		tail -n 20 /tmp/says.out | sed 's/^/    /'
	fi
}

# part NAME COMMAND...: adds its "N passed, N failed, N skipped" to the totals.
part()
{
	local name=$1 status line p f s
	shift
	echo "== $name"
	"$@" 2>&1 < /dev/null | tee /tmp/part.out
	status=${PIPESTATUS[0]}
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' /tmp/part.out | tail -n 1)
	if [ -z "$line" ]; then
		fail "$name" "ended with status $status and without totals"
		return
	fi
	read -r p f s < <(echo "$line" | tr -dc '0-9 ' | tr -s ' ')
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ "$status" = 0 ] || [ "$f" != 0 ] || fail "$name" "ended with status $status"
}

# wait_for COMMAND...: for two minutes at most, since everything is slow here.
wait_for()
{
	local end=$((SECONDS + 120))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# dump_sleeper OPTION...: dumps a process and lets it run on.
dump_sleeper()
{
	local pid status
	setsid sleep 1000 < /dev/null > /dev/null 2>&1 &
	pid=$!
	disown
	wait_for grep -q sleep "/proc/$pid/comm"
	rm -rf sleeper
	mkdir sleeper
	"$CRIB" dump -t $pid -D sleeper --leave-running "$@"
	status=$?
	kill -0 $pid || status=99
	kill -KILL $pid
	return $status
}

# What the kernel has to complain of.
check_kernel_log()
{
	check "nothing wrong in the kernel log" \
		sh -c "! dmesg | grep -E 'BUG|WARNING:|Oops|Call Trace|blocked for more than'"
}

totals()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
