# SPDX-License-Identifier: GPL-2.0-only
#
# crib: make builds ./crib with everything inside it.
#
#   make                 the tool           make O=DIR           build in DIR (default: build)
#   make check           every test         make BPF=0           without clang, bpftool, libbpf
#   make install         DESTDIR, PREFIX    make SANITIZE=1      with ASan and UBSan
#   make lint            style and layers   make WERROR=0        warnings stay warnings
#   make clean

O       ?= build
ARCH    ?= $(shell uname -m | sed -e 's/amd64/x86_64/' -e 's/aarch64/arm64/' -e 's/armv.*/arm/')
BPF     ?= 1
WERROR  ?= 1
PREFIX  ?= /usr/local
PKG_CONFIG ?= pkg-config
PROTOC_C ?= protoc-c
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)

VERSION := 0.1
GITID   := $(shell git describe --always --dirty 2>/dev/null)

# The first goal is the tool, whatever the fragments below define.
all: crib

include scripts/libs.mk

CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Icriu -Iinclude -I$(O)/images -Icompel/include \
	    -Icompel/arch/$(ARCH) -Icompel/arch/generic -I$(O) \
	    $(LIBS_CFLAGS)
CFLAGS   ?= -O2 -g
CRIB_CFLAGS := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wstrict-prototypes -Wmissing-prototypes \
	    -Wvla -fno-strict-aliasing -pthread
LDLIBS   += $(LIBS_LIBS) -pthread
ifeq ($(WERROR),1)
CRIB_CFLAGS += -Werror
endif
ifeq ($(SANITIZE),1)
# gcc 12 warns of truncation that cannot be, once its own instrumentation is in
CRIB_CFLAGS += -Wno-format-truncation
CRIB_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS  += -fsanitize=address,undefined
endif
ifeq ($(BPF),0)
CPPFLAGS += -DNO_BPF
endif

# What is compiled into crib: every .c below criu/ but the blobs and other architectures.
SRCS := $(shell find criu -name '*.c' -not -path 'criu/arch/*' -not -path 'criu/pie/*' \
		-not -path 'criu/collect/bpf/*' | sort)
SRCS += $(wildcard criu/arch/$(ARCH)/*.c)
ifneq ($(BPF),0)
SRCS += $(wildcard criu/collect/bpf/*.c)
endif
COMPEL_SRCS := $(wildcard compel/src/*.c compel/arch/$(ARCH)/*.c)
PROTOS := $(wildcard images/*.proto)

OBJS        := $(SRCS:%.c=$(O)/%.o)
COMPEL_OBJS := $(COMPEL_SRCS:%.c=$(O)/%.o)
PROTO_C     := $(PROTOS:images/%.proto=$(O)/images/%.pb-c.c)
PROTO_OBJS  := $(PROTO_C:%.c=%.o)
# Objects that fragments add: the embedded blobs and BPF skeletons.
EXTRA_OBJS  :=
# Headers that must stand before anything is compiled.
GENERATED   := $(PROTO_C:%.c=%.h) $(O)/version.h

-include criu/pie/rules.mk
-include criu/cli/rules.mk
ifneq ($(BPF),0)
-include bpf/rules.mk
endif

# ./crib is that of the default build; others stay where they were built.
crib: $(O)/crib
ifeq ($(O),build)
	@ln -sf $< $@
endif

$(O)/crib: $(OBJS) $(EXTRA_OBJS) $(O)/libcribimages.a $(O)/libcompel.a
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# All but main(): what unit tests and fuzzers link.
$(O)/libcrib-core.a: $(filter-out $(O)/criu/main.o,$(OBJS)) $(EXTRA_OBJS)
	@rm -f $@; $(AR) rcs $@ $^

$(O)/libcompel.a: $(COMPEL_OBJS)
	@rm -f $@; $(AR) rcs $@ $^

$(O)/libcribimages.a: $(PROTO_OBJS)
	@rm -f $@; $(AR) rcs $@ $^

$(O)/images/%.pb-c.c $(O)/images/%.pb-c.h: images/%.proto
	@mkdir -p $(@D)
	@echo "  PROTO   $<"
	@$(PROTOC_C) --proto_path=images --c_out=$(O)/images $<

$(O)/images/%.pb-c.o: $(O)/images/%.pb-c.c | $(GENERATED)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.o: %.c $(O)/flags | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) $(CRIB_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# "version.h": written anew only when the version changes, so that a commit rebuilds one file.
$(O)/version.h: force
	@mkdir -p $(@D)
	@printf '#define CRIB_VERSION "%s"\n#define CRIB_GITID "%s"\n' '$(VERSION)' '$(GITID)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# Other flags, another build: objects depend on this file, which changes only when they do.
FLAGS_NOW := $(CC) $(CPPFLAGS) $(CRIB_CFLAGS) $(CFLAGS) $(LDFLAGS)
$(O)/flags: force
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@
force:

-include test/rules.mk

lint:
	@scripts/lint

DESTDIR ?=
BINDIR  ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man/man8
COMPDIR ?= $(PREFIX)/share/bash-completion/completions

install: crib docs
	install -D -m 755 $(O)/crib $(DESTDIR)$(BINDIR)/crib
	install -D -m 644 $(O)/crib.8 $(DESTDIR)$(MANDIR)/crib.8
	install -D -m 644 $(O)/crib.bash $(DESTDIR)$(COMPDIR)/crib

clean:
	rm -rf $(O) crib

.PHONY: all check install lint clean force
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJS:.o=.d) $(COMPEL_OBJS:.o=.d) $(PROTO_OBJS:.o=.d)
