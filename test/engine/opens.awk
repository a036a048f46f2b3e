# SPDX-License-Identifier: GPL-2.0-only
#
# Reads opens.except and then what strace wrote of a dump; prints what the dump must not do between
# the last task's stop and the first one's release. Exit status 1: there is some. The status of the
# dump is to be given in "status".

function complain(what)
{
	if (!(what in said))
		print "while the tree stands: " what
	said[what] = bad = 1
}

# "fd-lock*" as an expression for the whole name.
function matches(glob, text)
{
	gsub(/\*/, ".*", glob)
	return text ~ ("^(" glob ")$")
}

function allowed(file,    i)
{
	for (i = 1; i <= exceptions; i++)
		if (except_file[i] == file && (matches(except_program[i], program) ||
		    (except_program[i] == "forks" && address_spaces > 1)))
			return 1
	return 0
}

FNR == NR {
	for (i = 2; i <= NF && $1 != "#"; i++) {
		except_file[++exceptions] = $1
		except_program[exceptions] = $i
	}
	next
}

{
	own[$1] = 1
	sub(/^[0-9]+ +/, "")
}

/^write\(.*check the tree/ { standing = 1; stood = 1 }
!standing { next }
/^ptrace\(PTRACE_DETACH/ || /^pidfd_send_signal\(.*SIGKILL/ { standing = 0; next }
/^process_vm_writev/ { complain($0); next }

/^ptrace/ {
	request = $0
	sub(/^ptrace\(/, "", request)
	sub(/[ ,)].*/, "", request)
	# those that only ask; 0x4211 is GET_SYSCALL_USER_DISPATCH_CONFIG, which strace learnt late
	if (request !~ /^PTRACE_(GET|PEEK|SECCOMP_GET_)[A-Z_]*$|^PTRACE_INTERRUPT$|^0x4211$/)
		complain(request)
	next
}

/^write/ { next }

# A path below /proc/PID, be it that of a descriptor.
match($0, /\/proc\/[0-9]+[^">]*/) {
	path = substr($0, RSTART, RLENGTH)
	split(path, part, "/")
	if (part[3] in own)
		next
	file = part[4]
	if (file == "pagemap")
		address_spaces++
	if ($0 ~ /O_RDWR|O_WRONLY/)
		complain("for writing: " $0)
	else if (!allowed(file))
		complain($0)
}

END {
	if (!stood && !status)
		complain("nothing: the log does not tell when that was")
	exit bad
}
