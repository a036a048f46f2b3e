# SPDX-License-Identifier: GPL-2.0-only
#
# The restorer blob: freestanding code, linked to one flat image and put into crib as data.

NM      ?= nm
OBJCOPY ?= objcopy

PIE_DIR  := criu/pie/restorer
PIE_OUT  := $(O)/$(PIE_DIR)
PIE_SRCS := $(wildcard $(PIE_DIR)/*.c)
PIE_OBJS := $(PIE_SRCS:%.c=$(O)/%.o) $(PIE_OUT)/entry.o

# No vector registers: they hold what the task is about to get. No libc, no unwinding.
PIE_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	      -fpie -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
	      -fno-unwind-tables -fno-strict-aliasing -fvisibility=hidden -fcf-protection=none \
	      -ffunction-sections -Iinclude -I$(PIE_DIR) -I$(PIE_DIR)/arch/$(ARCH)
ifneq ($(ARCH),arm)
PIE_CFLAGS += -mgeneral-regs-only
endif
ifneq ($(ARCH),x86_64)
PIE_CFLAGS := $(filter-out -fcf-protection=none,$(PIE_CFLAGS))
endif
ifeq ($(WERROR),1)
PIE_CFLAGS += -Werror
endif
PIE_LDFLAGS := -nostdlib -static-pie -Wl,--no-dynamic-linker -Wl,-z,noexecstack \
	       -Wl,--build-id=none -Wl,--gc-sections -Wl,--no-undefined -Wl,-T,$(PIE_DIR)/blob.lds

# 64-bit division is a function there.
ifeq ($(ARCH),arm)
PIE_LIBS := $(shell $(CC) -print-libgcc-file-name)
endif

EXTRA_OBJS += $(PIE_OUT)/embed.o

$(PIE_OUT)/%.o: $(PIE_DIR)/%.c $(PIE_DIR)/../rules.mk
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(PIE_CFLAGS) -MMD -MP -c -o $@ $<

$(PIE_OUT)/entry.o: $(PIE_DIR)/arch/$(ARCH)/entry.S
	@mkdir -p $(@D)
	@$(CC) $(PIE_CFLAGS) -c -o $@ $<

$(PIE_OUT)/restorer.elf: $(PIE_OBJS) $(PIE_DIR)/blob.lds
	@echo "  BLOB    $@"
	@$(CC) $(PIE_LDFLAGS) -o $@ $(PIE_OBJS) $(PIE_LIBS)

# The linker script refuses relocations; this refuses symbols that nothing defines.
$(PIE_OUT)/restorer.bin: $(PIE_OUT)/restorer.elf
	@if $(NM) -u $< | grep -q .; then $(NM) -u $<; echo "$<: undefined symbols" >&2; exit 1; fi
	@$(OBJCOPY) -O binary -j .blob $< $@

$(PIE_OUT)/embed.o: $(PIE_DIR)/embed.S $(PIE_OUT)/restorer.bin
	@$(CC) -Wa,-I$(PIE_OUT) -c -o $@ $<

-include $(PIE_OBJS:.o=.d)
