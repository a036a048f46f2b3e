# SPDX-License-Identifier: GPL-2.0-only
#
# Both engines on one frozen tree: "make check-engine", on large ones: "make check-engine-sizes"; what
# a dump with the BPF engine opens while a tree stands still: "make check-engine-opens". As root.

ENGINE_TOOLS := $(addprefix $(O)/engine/,compare live fixture mutate)

$(O)/engine/compare: test/engine/text.c
$(O)/engine/compare $(O)/engine/live: $(O)/engine/%: test/engine/%.c $(O)/libcrib-core.a \
		$(O)/libcribimages.a $(O)/libcompel.a $(O)/flags
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(CPPFLAGS) $(CRIB_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c,$^) -Wl,--start-group \
		$(O)/libcrib-core.a $(O)/libcribimages.a $(O)/libcompel.a -Wl,--end-group $(LDLIBS)

# Like the programs of test/zdtm: of no interest to sanitizers.
$(O)/engine/fixture $(O)/engine/mutate: $(O)/engine/%: test/engine/%.c
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(CRIB_CFLAGS) -O2 -g -o $@ $< -lrt

.PHONY: engine-tools check-engine check-engine-sizes check-engine-opens check-engine-changing
engine-tools: $(ENGINE_TOOLS)

check-engine: engine-tools crib zdtm
	@test/engine/run $(O)/engine $(O)/crib $(O)/zdtm

check-engine-sizes: engine-tools crib zdtm
	@test/engine/sizes $(O)/engine $(O)/crib $(O)/zdtm

check-engine-opens: crib zdtm
	@test/engine/opens $(O)/crib $(O)/zdtm

check-engine-changing: engine-tools crib
	@test/engine/changing $(O)/engine $(O)/crib
