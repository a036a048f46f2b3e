# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the scripts here share: fixtures are started, compared and ended. Their first argument is the
# folder of the built programs.
tools=$1
passed=0 failed=0 skipped=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/crib-engine-XXXXXX") || exit 2
pid=
end()
{
	[ -z "$pid" ] || kill -s KILL -- "-$pid" 2> /dev/null
	rm -rf "$scratch"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

# compare_tree NAME [OPTION...]: the tree below $pid.
compare_tree()
{
	name=$1
	shift
	"$tools/compare" "$@" "$pid" > "$scratch/out" 2>&1
	case $? in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)); echo "skip $name"; sed 's/^/    /' "$scratch/out" ;;
	*) failed=$((failed + 1)); echo "FAIL $name"; head -n 40 "$scratch/out" | sed 's/^/    /' ;;
	esac
}

# wait_for COMMAND...: for at most $limit seconds, while $pid is there.
limit=60
wait_for()
{
	tries=0
	until "$@" || [ $tries -ge $((limit * 20)) ] || ! kill -0 "$pid" 2> /dev/null; do
		sleep 0.05
		tries=$((tries + 1))
	done
	"$@"
}

# fixture [-i] [-t] [-OPTION VALUE]... WHAT...: compares a fixture that has it, with options of compare.
fixture()
{
	options=
	while [ "${1#-}" != "$1" ]; do
		case $1 in
		-i | -t) options="$options $1" ;;
		*) options="$options $1 $2"; shift ;;
		esac
		shift
	done
	: > "$scratch/ready"
	setsid "$tools/fixture" "$@" > "$scratch/ready" 2> "$scratch/errors" < /dev/null &
	pid=$!
	if wait_for test -s "$scratch/ready"; then
		# shellcheck disable=SC2086
		compare_tree "fixture$options $*" $options
		kill -TERM "$pid" 2> /dev/null
		wait "$pid"
	else
		kill -s KILL "$pid" 2> /dev/null
		wait "$pid"
		if [ $? -eq 77 ]; then
			skipped=$((skipped + 1)) word=skip
		else
			failed=$((failed + 1)) word=FAIL
		fi
		echo "$word fixture $*: it does not start: $(cat "$scratch/errors")"
	fi
	pid=
}

totals()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed -eq 0 ]
}
