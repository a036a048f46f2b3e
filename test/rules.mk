# SPDX-License-Identifier: GPL-2.0-only
#
# Tests: unit (cmocka), golden (texts of inspect and --show-plan), zdtm (programs that are dumped
# and restored), and "make check", which runs them all.

include test/zdtm/rules.mk
-include test/safety/rules.mk
ifneq ($(BPF),0)
include test/engine/rules.mk
-include test/vm/rules.mk
endif

UNIT_SRCS  := $(wildcard test/unit/*_test.c)
UNIT_TESTS := $(UNIT_SRCS:test/unit/%.c=$(O)/unit/%)
UNIT_LIBS  := $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null || echo -lcmocka)

$(O)/unit/%: test/unit/%.c $(O)/libcrib-core.a $(O)/libcribimages.a $(O)/libcompel.a $(O)/flags
	@mkdir -p $(@D)
	@echo "  UNIT    $@"
	@$(CC) $(CPPFLAGS) -Itest/unit -DUNIT_DIR='"$(CURDIR)/test/unit"' $(CRIB_CFLAGS) $(CFLAGS) \
		-MMD -MP $(LDFLAGS) -o $@ $< -Wl,--start-group $(O)/libcrib-core.a \
		$(O)/libcribimages.a $(O)/libcompel.a -Wl,--end-group $(UNIT_LIBS) $(LDLIBS)

.PHONY: unit check-unit check-golden
unit: $(UNIT_TESTS)

check-unit: unit
	@scripts/run-tests $(filter-out $(GOLDEN_TESTS),$(UNIT_TESTS))

# Texts that stay the same: see test/golden/. They are unit tests as well.
GOLDEN_TESTS := $(O)/unit/inspect_test $(O)/unit/plan_test
check-golden: $(GOLDEN_TESTS)
	@scripts/run-tests $(GOLDEN_TESTS)

check: check-unit check-golden check-engine check-zdtm

-include $(wildcard $(O)/unit/*.d)
