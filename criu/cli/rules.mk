# SPDX-License-Identifier: GPL-2.0-only
#
# The man page and the bash completion: templates, filled from the tables in the binary.
# When $(O)/crib is for another machine, DOCS_CRIB names one that runs here.

DOCS_CRIB ?= $(O)/crib
DOCS      := $(O)/crib.8 $(O)/crib.bash

all: docs
docs: $(DOCS)

$(O)/crib.8: Documentation/crib.8.in $(DOCS_CRIB)
	@echo "  GEN     $@"
	@$(DOCS_CRIB) generate-text < $< > $@.new && mv $@.new $@

$(O)/crib.bash: scripts/completion/crib.bash.in $(DOCS_CRIB)
	@echo "  GEN     $@"
	@$(DOCS_CRIB) generate-text < $< > $@.new && mv $@.new $@

.PHONY: docs
