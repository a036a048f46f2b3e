/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blob's first instruction, and the birth of a thread, on 32-bit arm.
 */
#include <asm/unistd.h>

	.syntax unified
	.arm
	.section .head, "ax", %progbits
	.globl restorer_entry
	.type restorer_entry, %function
/* r0: struct restorer_header; sp: end of the leader's stack */
restorer_entry:
	mov	fp, #0
	mov	lr, #0
	bl	restorer_main
	udf	#0
	.size restorer_entry, . - restorer_entry

	.text
	.globl restorer_clone
	.type restorer_clone, %function
/* r0, r1: clone_args and its size; r2, r3: what restorer_thread() is called with */
restorer_clone:
	push	{r7, lr}
	mov	r7, #(__NR_clone3 & 0xff)
	orr	r7, r7, #(__NR_clone3 & 0xff00)
	svc	#0
	cmp	r0, #0
	beq	1f
	pop	{r7, pc}
1:	mov	fp, #0
	mov	r0, r2
	mov	r1, r3
	bl	restorer_thread
	udf	#0
	.size restorer_clone, . - restorer_clone

	.section .note.GNU-stack, "", %progbits
