# SPDX-License-Identifier: GPL-2.0-only
# Builds every test/zdtm/*.c to $(O)/zdtm/NAME, with the comments that the runner reads beside it in
# NAME.opts, and the runner to $(O)/zdtm/run. Included by the top Makefile.

O          ?= build
zdtm_src   := $(dir $(lastword $(MAKEFILE_LIST)))
zdtm_out   := $(O)/zdtm
zdtm_names := $(patsubst $(zdtm_src)%.c,%,$(wildcard $(zdtm_src)*.c))
zdtm_tests := $(addprefix $(zdtm_out)/,$(zdtm_names))
zdtm_run   := $(zdtm_out)/run
zdtm_lib   := $(patsubst $(zdtm_src)%.c,$(zdtm_out)/obj/%.o,$(wildcard $(zdtm_src)lib/*.c))
zdtm_runner_objs := $(patsubst $(zdtm_src)%.c,$(zdtm_out)/obj/%.o,$(wildcard $(zdtm_src)runner/*.c))

# What the tests are about must not depend on how the tool is built: own flags, no sanitizer.
ZDTM_CFLAGS ?= -O2 -g -Wall -Wextra $(if $(filter 0,$(WERROR)),,-Werror)
zdtm_cflags := -std=gnu11 -D_GNU_SOURCE $(ZDTM_CFLAGS) -I$(zdtm_src)lib -MMD -MP -pthread

ZDTM_ENGINES ?= $(if $(filter 0,$(BPF)),proc,bpf$(zdtm_comma)proc)
ZDTM_JOBS    ?= 4
ZDTM_FLAGS   ?=
zdtm_comma   := ,

.PHONY: zdtm check-zdtm check-zdtm-no-parasite check-zdtm-no-cr
zdtm: $(zdtm_run) $(zdtm_tests) $(zdtm_tests:=.opts)

check-zdtm: zdtm crib
	$(zdtm_run) --crib $(O)/crib --engine $(ZDTM_ENGINES) --jobs $(ZDTM_JOBS) $(ZDTM_FLAGS)

# No dump may run code in the tree.
check-zdtm-no-parasite: zdtm crib
	$(zdtm_run) --crib $(O)/crib --engine bpf --no-parasite --mode plain --jobs $(ZDTM_JOBS) $(ZDTM_FLAGS)

# The programs alone, without crib: they set up, are signalled and check.
check-zdtm-no-cr: zdtm
	$(zdtm_run) --no-cr --jobs $(ZDTM_JOBS) $(ZDTM_FLAGS)

$(zdtm_out)/obj/%.o: $(zdtm_src)%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(zdtm_cflags) -c -o $@ $<

$(zdtm_tests): $(zdtm_out)/%: $(zdtm_out)/obj/%.o $(zdtm_lib)
	@$(CC) $(zdtm_cflags) -o $@ $^ -Wl,--as-needed -lm

$(zdtm_tests:=.opts): $(zdtm_out)/%.opts: $(zdtm_src)%.c
	@mkdir -p $(@D)
	@sed -n 's|^/\* \([a-z-]*: .*[^ ]\) *\*/$$|\1|p' $< > $@

$(zdtm_run): $(zdtm_runner_objs)
	@echo "  LINK    $@"
	@$(CC) $(zdtm_cflags) -o $@ $^

-include $(wildcard $(zdtm_out)/obj/*.d $(zdtm_out)/obj/*/*.d)
