# SPDX-License-Identifier: GPL-2.0-only
# Builds what the tests of test/safety run: $(O)/safety/target, the process tree that looks at itself;
# $(O)/safety/probe, which looks at it from outside; and the tests that are programs. Included by
# test/rules.mk; the tests build it themselves when it is not there.

O          ?= build
safety_src := $(dir $(lastword $(MAKEFILE_LIST)))
safety_out := $(O)/safety
# reading and comparing process trees is the runner's of test/zdtm
safety_runner := $(safety_src)../zdtm/runner/

safety_target := $(patsubst $(safety_src)%.c,$(safety_out)/obj/%.o,$(wildcard $(safety_src)target/*.c))
safety_watch  := $(patsubst $(safety_src)%.c,$(safety_out)/obj/%.o,$(wildcard $(safety_src)watch/*.c))
safety_shared := $(addprefix $(safety_out)/obj/runner/,footprint.o opts.o tree.o util.o)
safety_progs  := $(addprefix $(safety_out)/,probe kill-dump kill-restore)

# What the tests are about must not depend on how the tool is built: own flags, no sanitizer.
SAFETY_CFLAGS ?= -O2 -g -Wall -Wextra $(if $(filter 0,$(WERROR)),,-Werror)
safety_cflags := -std=gnu11 -D_GNU_SOURCE $(SAFETY_CFLAGS) -I$(safety_src) -I$(safety_runner) \
		 -MMD -MP -pthread

SAFETY_TESTS ?= kill-dump kill-restore fail-steps bad-input bad-images bad-files options option-hooks option-effects option-root option-timeout bad-rights

.PHONY: safety check-safety
safety: $(safety_out)/target $(safety_progs)

check: check-safety

check-safety: safety crib
	@status=0; for test in $(SAFETY_TESTS); do \
		echo "== $$test"; \
		O=$(O) CRIB=$(O)/crib $(safety_src)$$test || status=1; \
	done; exit $$status

$(safety_out)/obj/%.o: $(safety_src)%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(safety_cflags) -c -o $@ $<

$(safety_out)/obj/runner/%.o: $(safety_runner)%.c
	@mkdir -p $(@D)
	@$(CC) $(safety_cflags) -c -o $@ $<

$(safety_out)/target: $(safety_target)
	@$(CC) $(safety_cflags) -o $@ $^

# One main() for each: the file with the program's name.
$(safety_progs): $(safety_out)/%: $(safety_out)/obj/%.o $(safety_watch) $(safety_shared)
	@$(CC) $(safety_cflags) -o $@ $^

-include $(wildcard $(safety_out)/obj/*.d $(safety_out)/obj/*/*.d)
