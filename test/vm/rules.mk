# SPDX-License-Identifier: GPL-2.0-only
# crib on other kernels, in virtual machines: "make check-vm". Included by test/rules.mk.

VM_PARTS ?=

$(O)/vm/clocks: test/vm/clocks.c $(zdtm_lib)
	@mkdir -p $(@D)
	@$(CC) $(zdtm_cflags) -o $@ $^

.PHONY: check-vm
check-vm: crib zdtm engine-tools $(O)/unit/bpf_test $(O)/vm/clocks
	@O=$(O) test/vm/run $(VM_PARTS)
