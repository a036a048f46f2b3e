# SPDX-License-Identifier: GPL-2.0-only
#
# The BPF programs: each file compiled for the BPF machine, linked to one object and put into crib
# as data. Needs no BTF of the building machine's kernel.

BPF_OUT  := $(O)/bpf
BPF_SRCS := $(wildcard bpf/*.bpf.c)
BPF_OBJS := $(BPF_SRCS:%.c=$(O)/%.o)

# <linux/types.h> wants <asm/types.h>, which clang looks for only of its own target.
BPF_MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS := -target bpf -mcpu=v3 -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter \
	      -Wstrict-prototypes -Iinclude -Ibpf \
	      $(filter -I%,$(LIBS_CFLAGS)) -idirafter /usr/include/$(BPF_MULTIARCH)
ifeq ($(WERROR),1)
BPF_CFLAGS += -Werror
endif

EXTRA_OBJS += $(BPF_OUT)/embed.o

$(BPF_OUT)/%.bpf.o: bpf/%.bpf.c bpf/rules.mk
	@mkdir -p $(@D)
	@echo "  BPF     $<"
	@$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(BPF_OUT)/linked/crib.bpf.o: $(BPF_OBJS)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(BPFTOOL) gen object $@ $(BPF_OBJS)

# Sixteen digits: pins and cached cuts of the kernel's BTF are named by them.
$(BPF_OUT)/linked/crib.bpf.hash: $(BPF_OUT)/linked/crib.bpf.o
	@sha256sum $< | cut -c1-16 | tr -d '\n' > $@

$(BPF_OUT)/embed.o: bpf/embed.S $(BPF_OUT)/linked/crib.bpf.o $(BPF_OUT)/linked/crib.bpf.hash
	@$(CC) -Wa,-I$(BPF_OUT)/linked -c -o $@ $<

-include $(BPF_OBJS:.o=.d)
