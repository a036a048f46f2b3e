/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blob's first instruction, and the birth of a thread, on x86-64.
 */
#include <asm/unistd.h>

	.section .head, "ax", @progbits
	.globl restorer_entry
	.type restorer_entry, @function
/* rdi: struct restorer_header; rsp: end of the leader's stack */
restorer_entry:
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	call	restorer_main
	ud2
	.size restorer_entry, . - restorer_entry

	.text
	.globl restorer_clone
	.type restorer_clone, @function
/* rdi, rsi: clone_args and its size; rdx, rcx: what restorer_thread() is called with */
restorer_clone:
	movq	%rcx, %r8
	movl	$__NR_clone3, %eax
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:	xorl	%ebp, %ebp
	movq	%rdx, %rdi
	movq	%r8, %rsi
	call	restorer_thread
	ud2
	.size restorer_clone, . - restorer_clone

	.section .note.GNU-stack, "", @progbits
