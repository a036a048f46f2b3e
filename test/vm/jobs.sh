# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The jobs that live through a reboot: a shell script on a terminal, an interpreter with threads, and
# programs that speak the protocol of test/zdtm. Each has a folder that stays: its pid, what it
# writes, and its images.

all_jobs()
{
	echo counter python clocks thread-registers thread-nanosleep mem-cow tree-sessions fd-shared
}

job_options()
{
	[ "$1" != counter ] || echo --shell-job
}

has_line()
{
	[ -e "$2" ] && tr -d '\r' < "$2" | grep -q -- "$1"
}

last_count()
{
	tr -d '\r' < "$1/terminal" | sed -n 's/^count \([0-9]*\)$/\1/p' | tail -n 1
}

# start_job JOB DIR: and waits until it is ready; its pid is in DIR/pid.
start_job()
{
	case $1 in
	counter)
		setsid script -qfc "echo \$\$ > $2/pid; exec $PWD/test/vm/counter" "$2/terminal" \
			< /dev/null > /dev/null 2>&1 &
		disown
		wait_for has_line '^count 3$' "$2/terminal"
		;;
	python)
		(cd "$2" && exec setsid python3 "$OLDPWD/test/interop/python.py" "$2/result") \
			< /dev/null > "$2/output" 2>&1 &
		echo $! > "$2/pid"
		disown
		wait_for has_line '^ready' "$2/result"
		;;
	*)
		(cd "$2" && exec setsid "$OLDPWD/zdtm/$1") < /dev/null > "$2/output" 2>&1 &
		echo $! > "$2/pid"
		disown
		wait_for test -d "$2/ready"
		;;
	esac
}

# restore_job JOB DIR: copies of the images, since a restore writes its log there. What it restores
# is no child of this shell.
restore_job()
{
	rm -rf "$2/now"
	[ "$1" = counter ] || [ "$1" = python ] || rm -f "$2/result"
	cp -a "$2/images" "$2/now" || return
	local options="-D $2/now -v4 -o restore.log"
	if [ "$1" = counter ]; then
		last_count "$2" > "$2/last"
		setsid script -qfac "$CRIB restore $options --shell-job" "$2/terminal" \
			< /dev/null > /dev/null 2>&1 &
		disown
		wait_for grep -qE 'Restore finished|error' "$2/now/restore.log" 2> /dev/null
		grep -q "Restore finished successfully" "$2/now/restore.log"
	else
		# shellcheck disable=SC2086
		"$CRIB" restore -d $options
	fi || { tail -n 5 "$2/now/restore.log"; return 1; }
}

counts_on()
{
	[ "$(last_count "$1")" -gt $(($(cat "$1/last") + 3)) ]
}

# job_goes_on JOB DIR: it does its work, and what it knows of itself is as it was.
job_goes_on()
{
	case $1 in
	counter)
		wait_for counts_on "$2"
		[ "$(tr -d '\r' < "$2/terminal" | grep -cx 'count 1')" = 1 ]
		;;
	python)
		kill -USR1 "$(cat "$2/pid")" && wait_for has_line '^[a-z]* file' "$2/result" &&
			! grep wrong "$2/result"
		;;
	*)
		kill -TERM "$(cat "$2/pid")" && wait_for grep -E '^(pass|fail)' "$2/result" &&
			! grep -v '^pass' "$2/result"
		;;
	esac
}

# A job that was restored is a child of init or of crib; what is on its terminal ends with it.
end_job()
{
	kill -KILL "$(cat "$1/pid")" 2> /dev/null
	return 0
}
