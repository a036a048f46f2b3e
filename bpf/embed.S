/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The linked BPF object as constant data of crib, and the hash that names it.
 */
	.section .rodata
	.globl bpf_object_data, bpf_object_data_end, bpf_object_hash
	.balign 64
bpf_object_data:
	.incbin "crib.bpf.o"
bpf_object_data_end:
bpf_object_hash:
	.incbin "crib.bpf.hash"
	.byte 0

	.section .note.GNU-stack, ""
