# SPDX-License-Identifier: GPL-2.0-only
#
# The libraries crib stands on, found through pkg-config. A missing one ends make with the package
# that brings it: module, Debian package, Fedora package.

LIBS_TABLE := \
	libprotobuf-c:libprotobuf-c-dev:protobuf-c-devel \
	libcap:libcap-dev:libcap-devel \
	libnl-3.0:libnl-3-dev:libnl3-devel

ifneq ($(BPF),0)
LIBS_TABLE += libbpf:libbpf-dev:libbpf-devel
endif

lib_fields = $(subst :, ,$(1))
lib_check = $(shell $(PKG_CONFIG) --exists $(word 1,$(call lib_fields,$(1))) || \
	echo '$(word 1,$(call lib_fields,$(1))) (Debian: $(word 2,$(call lib_fields,$(1))), Fedora: $(word 3,$(call lib_fields,$(1))))')
tool_check = $(shell command -v $(1) >/dev/null 2>&1 || echo '$(1) (Debian: $(2), Fedora: $(3))')

ifeq ($(filter clean,$(MAKECMDGOALS)),)
LIBS_MISSING := $(strip $(call tool_check,$(PKG_CONFIG),pkg-config,pkgconf-pkg-config))
ifeq ($(LIBS_MISSING),)
LIBS_MISSING := $(strip $(foreach lib,$(LIBS_TABLE),$(call lib_check,$(lib))) \
	$(call tool_check,$(PROTOC_C),protobuf-c-compiler,protobuf-c-compiler))
ifneq ($(BPF),0)
LIBS_MISSING += $(strip $(call tool_check,$(CLANG),clang,clang) $(call tool_check,$(BPFTOOL),bpftool,bpftool))
endif
endif
ifneq ($(strip $(LIBS_MISSING)),)
$(error missing: $(strip $(LIBS_MISSING)); run scripts/install-deps, or make BPF=0 to build without the BPF engine)
endif
LIBS_MODULES := $(foreach lib,$(LIBS_TABLE),$(word 1,$(call lib_fields,$(lib))))
LIBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS_MODULES))
LIBS_LIBS := $(shell $(PKG_CONFIG) --libs $(LIBS_MODULES))
endif
