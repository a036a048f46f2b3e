# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests that are scripts share: cases, targets, and runs of crib that are judged. Sourced
# first of all, in place of lib.sh.
# shellcheck source=test/safety/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -n "${SAFETY_HOST:-}" ] || exec "$programs/probe" host "$0" "$@"

dir=$(mktemp -d "${TMPDIR:-/tmp}/crib-safety-XXXXXX")
chmod 711 "$dir"
images=$dir/images work=$dir/work t='' root=''
passed=0 failed=0 skipped=0
problems='' why_skipped=''
as=() # words to put in front of crib
mkdir "$work"

probe()
{
	"$programs/probe" "$@"
}

# ---- cases ----

# Something is not as it should be; the case goes on.
problem()
{
	problems+="    $1"$'\n'
}

# expect_text WHAT IS SHOULD-BE
expect_text()
{
	[ "$2" = "$3" ] || problem "$1 is '$2' instead of '$3'"
}

# prepare SENTENCE COMMAND...: a case without which others cannot be; true when it has passed
prepare()
{
	local name=$1
	shift
	problems='' why_skipped='' as=() pids_are_taken=''
	"$@"
	if [ -n "$problems" ]; then
		echo "FAIL $name"
		printf '%s' "$problems"
		failed=$((failed + 1))
	elif [ -n "$why_skipped" ]; then
		echo "skip $name: $why_skipped"
		skipped=$((skipped + 1))
	else
		echo "ok $name"
		passed=$((passed + 1))
	fi
	[ -z "$problems" ]
}

# run_case SENTENCE COMMAND...: when SAFETY_CASES, a pattern, matches it
run_case()
{
	! grep -qE -- "${SAFETY_CASES:-.}" <<<"$1" || prepare "$@"
}

skip_case()
{
	why_skipped=$1
}

finish()
{
	[ -z "$t" ] || end_target
	if [ "$failed" != 0 ] && [ "${KEEP:-0}" != 0 ]; then
		echo "# kept: $dir"
	else
		rm -rf "$dir"
	fi
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}

# ---- the target: its folder is $t, its root task $root ----

# start_target PART...: a fresh target, in place of the one before. $program: another program.
start_target()
{
	[ -z "$t" ] || end_target
	t=$(mktemp -d "$dir/target-XXXXXX")
	run_target "$@"
}

# run_target PART...: in the folder $t, by way of the words in as[]
run_target()
{
	rm -f "$t/board"
	("${as[@]}" setsid "${program:-$programs/target}" "$t" "$@" </dev/null >"$dir/target.out" 2>&1 &
		echo $! >"$dir/root")
	root=$(cat "$dir/root")
	if ! why=$(probe ready "$t"); then
		problem "no target: $why $(cat "$dir/target.out")"
		return 1
	fi
	probe works "$t" >/dev/null
	probe footprint "$t" >"$t.footprint"
}

end_target()
{
	probe kill "$t"
	rm -rf "$t" "$t.footprint"
	t='' root=''
}

# It works, is as it was, and there is no process too many.
expect_whole()
{
	local why
	why=$(probe strays "$t" $$) || problem "$why"
	why=$(probe works "$t") || problem "$why"
	why=$(probe same "$t" "$t.footprint") || problem "$why"
}

# What of the outside the target has now cannot be as it was; but it works.
expect_works()
{
	local why
	why=$(probe works "$t") || problem "$why"
}

# No task of it is there, nor any other process.
expect_gone()
{
	local why
	why=$(probe gone "$t") || problem "$why"
	why=$(probe strays "$t" $$) || problem "$why"
}

# ---- processes of the test ----

# Until something is in the file, for two seconds at most
wait_for_file()
{
	local i
	for ((i = 0; i < 100; i++)); do
		[ ! -s "$1" ] || return 0
		sleep 0.02
	done
	return 1
}

# end_helper PID: of a probe that runs in the background
end_helper()
{
	kill -KILL "$1"
	while kill -0 "$1" 2>/dev/null; do sleep 0.01; done
	wait 2>/dev/null
}

# ---- crib ----

# run_crib ARGUMENT...: its output is in $dir/out and $dir/err, its status in $status
run_crib()
{
	timeout -s KILL 60 "${as[@]}" "${crib:-$CRIB}" "$@" </dev/null >"$dir/out" 2>"$dir/err"
	status=$?
}

said()
{
	head -c 1500 "$dir/err" | tr '\n' '|'
}

logged()
{
	grep -h Error "$work"/*.log 2>/dev/null | head -n 4 | tr '\n' '|'
}

# The last run ended well and without a word.
expect_fine()
{
	[ "$status" = 0 ] || problem "$1: status $status: $(said) $(logged)"
	[ "$status" != 0 ] || [ ! -s "$dir/err" ] || problem "$1: it says: $(said)"
}

# expect_refused PATTERN...: the last run ended with status 1 and one line that has all of these
expect_refused()
{
	local pattern
	[ -z "${SAFETY_SHOW:-}" ] || sed 's/^/# /' "$dir/err"
	[ "$status" = 1 ] || problem "status is $status instead of 1"
	[ "$(wc -l <"$dir/err")" = 1 ] || problem "not one line: $(said)"
	grep -q '^error: ' "$dir/err" || problem "not an error: $(said)"
	for pattern; do
		grep -qiE -- "$pattern" "$dir/err" || problem "does not say '$pattern': $(said)"
	done
}

fresh_images()
{
	rm -rf "$images"
	mkdir "$images"
}

# run_dump ARGUMENT...: of the target, into $images, by $engine
engine=''
run_dump()
{
	run_crib dump -t "$root" -D "$images" -W "$work" -o crib.log -v4 \
		${engine:+--engine "$engine"} "$@"
}

# While the target is dead, somebody else on this machine may get one of its pids for a while.
pids_are_taken='' # 1: that is what the case is about
run_restore()
{
	local i
	for ((i = 0; i < 20; i++)); do
		run_crib restore -d -D "$images" -W "$work" -o crib.log -v4 "$@"
		[ -z "$pids_are_taken" ] && grep -q "is in use by" "$dir/err" || return 0
		sleep 0.2
	done
}

# dump_target ARGUMENT...: into fresh images; the target is gone
dump_target()
{
	fresh_images
	run_dump "$@"
	expect_fine "dump"
	[ "$status" = 0 ] || return 1
	expect_gone
}

expect_restores()
{
	run_restore "$@"
	expect_fine "restore"
	[ "$status" != 0 ] || expect_whole
}

# A sum of every image, and what there is besides.
sum_images()
{
	(cd "$images" && find . -printf '%p %m %y %s\n' | sort && find . -type f -exec cksum {} + |
		sort)
}

# Of what is dumped, nothing is left: the target is whole and the images directory empty.
expect_untouched()
{
	expect_whole
	[ -z "$(ls -A "$images" 2>&1)" ] || problem "images are left: $(ls -A "$images" | head -3)"
}

# refuse_dump PATTERN... -- ARGUMENT...
refuse_dump()
{
	local patterns=()
	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	fresh_images
	run_dump "$@"
	expect_refused "${patterns[@]}"
	expect_untouched
}

# refuse_restore PATTERN... -- ARGUMENT...: and nothing of the target is there
refuse_restore()
{
	local patterns=()
	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	run_restore "$@"
	expect_refused "${patterns[@]}"
	expect_gone
}
