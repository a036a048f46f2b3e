# SPDX-License-Identifier: GPL-2.0-only
#
# Reads what "crib inspect" says of test/engine/mutate and prints what cannot be: lines of no known
# form, names and paths that nobody made, mappings that overlap, counts that are not kept. The folder
# of mutate and its program are to be given in "folder" and "program". Exit status 1: there is some.

function bad(what)
{
	print "line " NR ": " what ": " $0
	wrong = 1
}

# Programs are started meanwhile.
function of_program(path)
{
	return path == program || path ~ /^\/(usr\/)?lib|^\/etc\/ld.so.cache$/
}

function hex(text,    i, value)
{
	for (i = 1; i <= length(text); i++)
		value = value * 16 + index("123456789abcdef", substr(text, i, 1))
	return value
}

function end_of_list()
{
	if (left)
		bad(left " " list " fewer than said")
	left = 0
	list = ""
}

function begin_list(name, count)
{
	list = name
	left = count
	last = name == "mappings" ? 0 : -1
}

# 7f00-8f00 rw-p 4 KiB ...
function mapping(    range, size)
{
	split($1, range, "-")
	size = hex(range[2]) - hex(range[1])
	if (hex(range[1]) < last || size <= 0 || size != $3 * 1024)
		bad("a mapping that cannot stand there")
	last = hex(range[2])
	if ($0 !~ /^    [0-9a-f]+-[0-9a-f]+ [-r][-w][-x][-ps] [0-9]+ KiB (anonymous|shared|heap|stack|vdso|vvar|vsyscall|file \/[^ ]+)( "mutated")?( at 0x[0-9a-f]+)?( \[[a-z ]+\])?$/)
		bad("a mapping of no known form")
	if ($5 == "file" && !of_program($6))
		bad("a file that it does not map")
}

function descriptor()
{
	if ($1 <= last)
		bad("a descriptor out of order")
	last = $1
	if ($2 == "file" && ($3 == "/dev/null" || index($3, folder) == 1 || of_program($3)))
		return
	if ($0 !~ /^    [0-9]+ (pipe|memfd mutated|eventfd|timerfd) O_[A-Z]+(\|O_NONBLOCK)?( cloexec)?(, pipe [0-9]+, holds [0-9]+ bytes|, counter [0-9]+|, CLOCK_MONOTONIC disarmed| pos [0-9]+)(, shared with descriptor [0-9]+( of task [0-9]+)?)?$/)
		bad("a descriptor that nobody opened")
}

function thread()
{
	if ($0 !~ /^    [0-9]+ (mut|mut thread|mut parent|mut [0-9]+|exe|mutate), other(, nice [0-9]+)?(, blocks [A-Z0-9 ]+)?(, pending.*)?$/)
		bad("a thread of no known form")
}

/^    / && list != "" {
	if (!left--)
		bad("one of the " list " more than said")
	if (list == "mappings")
		mapping()
	else if (list == "descriptors")
		descriptor()
	else
		thread()
	next
}

{ end_of_list() }

/^  memory: [0-9]+ mappings/ { begin_list("mappings", $2); next }
/^  descriptors: [0-9]+$/ { begin_list("descriptors", $2); next }
/^  threads: [0-9]+$/ { begin_list("threads", $2); next }

/^  cwd / {
	if ($2 != folder "," && $2 != folder "/below," || $0 !~ /root \/, umask [0-7]+$/)
		bad("a folder where it is not")
	next
}

/^  program / {
	if ($2 != program)
		bad("a program that it is not")
	next
}

/^(task| +)[ ]*[0-9]+ (mut|mut thread|mut parent|mut [0-9]+|exe|mutate)(, [0-9]+ threads)?(, zombie.*|, stopped.*)?$/ {
	tasks += /^task/
	next
}

/^tree: [0-9]+ tasks$/ { said = $2; next }
/^  parent (outside|[0-9]+), group (outside|[0-9]+), session (outside|[0-9]+)$/ { next }
/^  uid 0 [0-9]+ [0-9]+, gid 0 [0-9]+ [0-9]+(, groups [0-9 ]+)?, capabilities [0-9a-f]+$/ { next }
/^  signals: / || /^  pending: / || /^  timer / { next }
/^  oom_score_adj / || /^$/ { next }
{ bad("of no known form") }

END {
	end_of_list()
	if (!said || tasks != said)
		bad(tasks " tasks, not " said)
	if (tasks < 7)
		bad("some of the seven tasks are missing")
	exit wrong
}
