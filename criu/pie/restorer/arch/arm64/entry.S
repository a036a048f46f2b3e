/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blob's first instruction, and the birth of a thread, on arm64.
 */
#include <asm/unistd.h>

	.section .head, "ax", %progbits
	.globl restorer_entry
	.type restorer_entry, %function
/* x0: struct restorer_header; sp: end of the leader's stack */
restorer_entry:
	mov	x29, #0
	mov	x30, #0
	bl	restorer_main
	brk	#1
	.size restorer_entry, . - restorer_entry

	.text
	.globl restorer_clone
	.type restorer_clone, %function
/* x0, x1: clone_args and its size; x2, x3: what restorer_thread() is called with */
restorer_clone:
	mov	x8, #__NR_clone3
	svc	#0
	cbz	x0, 1f
	ret
1:	mov	x29, #0
	mov	x30, #0
	mov	x0, x2
	mov	x1, x3
	bl	restorer_thread
	brk	#1
	.size restorer_clone, . - restorer_clone

	.section .note.GNU-stack, "", %progbits
