/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The restorer blob as constant data of crib.
 */
	.section .rodata
	.globl restorer_blob, restorer_blob_end
	.balign 64
restorer_blob:
	.incbin "restorer.bin"
restorer_blob_end:

	.section .note.GNU-stack, ""
