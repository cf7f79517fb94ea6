# enrolld. `make run` serves; `make check` tests; both install what they need from Debian first.
PREFIX  ?= /usr/local
DESTDIR ?=
V       ?= release
B       := build/$(V)
VERSION := 0.1.0

CC      ?= gcc
OPT     ?= -O2 -g
WERROR  ?= -Werror
# What a row of a table leaves out is zero: that is no mistake.
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wcast-qual \
           -Wwrite-strings -Wundef -Wframe-larger-than=16384 -Wno-missing-field-initializers $(WERROR)
HARDEN  := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE -fno-common -fvisibility=hidden
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
LINK    := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
SAN     :=
# The sanitized builds: another folder, other flags, the same rules.
ifeq ($(V),asan)
  CC := clang
  OPT := -O1 -g -fno-omit-frame-pointer
  SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
  FORTIFY :=
endif
ifeq ($(V),tsan)
  CC := clang
  OPT := -O1 -g
  # civetweb's word that it stops is a volatile, unless it is told that the machine needs more.
  SAN := -fsanitize=thread -DSTOP_FLAG_NEEDS_LOCK
  FORTIFY :=
endif
ifeq ($(V),fuzz)
  CC := clang
  OPT := -O1 -g
  SAN := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
  FORTIFY :=
endif
CIVETWEB ?= build/civetweb
# Debian's own: the packages that the tests need are its.
PYTHON  ?= /usr/bin/python3
CFLAGS  += -std=gnu17 -D_GNU_SOURCE -DENROLLD_VERSION='"$(VERSION)"' -I. -I$(CIVETWEB)/include -MMD -MP $(OPT) $(WARN) $(HARDEN) $(FORTIFY) $(SAN)
LDLIBS  := -lcyaml -lyaml -lcjson -lcbor -llz4 -llmdb -lssl -lcrypto -lpthread -ldl

FLOORS  := base store policy ca acme est admin server
SOURCES := $(filter-out server/main.c server/civetweb_seam.c,$(wildcard $(FLOORS:%=%/*.c)))
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(B)/server/civetweb_seam.o
UNITS   := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*$(ONLY)*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*$(ONLY)*.c))
# Programs that see what a disk keeps when the power goes.
POWER   := $(patsubst %.c,%.o,$(wildcard tests/unit/power*.c))
CUTS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_store_cut*.c))
BENCH_PARTS := $(filter-out tests/bench/bench_%,$(wildcard tests/bench/*.c))
BENCHES := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/bench_*.c))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all run check unit asan tsan fuzz fuzzers wire clients interop arch tidy lint bench install clean deps-%

all: $(B)/enrolld

run: deps-build
	@$(MAKE) --no-print-directory all
	@tools/run.sh $(B)/enrolld

check: deps-check
	@tools/check.sh

# --- what is built

$(CIVETWEB)/include/civetweb.h:
	@tools/civetweb.sh $(CIVETWEB)

# civetweb and our seam to it are one unit; the warnings of the one are not ours. A sanitizer's frames are several times
# as large: with CAA to ask for, they went past a stack of 256 KiB, where the compiler proper's take 80.
$(B)/server/civetweb_seam.o: server/civetweb_seam.c Makefile | $(CIVETWEB)/include/civetweb.h
	@mkdir -p $(@D)
	$(CC) -w -std=gnu17 -D_GNU_SOURCE -I. -I$(CIVETWEB)/include -I$(CIVETWEB)/src -MMD -MP $(OPT) $(HARDEN) $(FORTIFY) $(SAN) \
	  -DNO_SSL_DL -DOPENSSL_API_3_0 -DUSE_IPV6 -DNO_FILES -DNO_CGI -DNO_CACHING -DMAX_WORKER_THREADS=4096 \
	  -DUSE_STACK_SIZE=$(if $(SAN),2097152,262144) -c $< -o $@

$(B)/%.o: %.c | $(CIVETWEB)/include/civetweb.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

$(B)/libenrolld.a: $(OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

$(B)/enrolld: $(B)/server/main.o $(B)/libenrolld.a
	$(CC) $(SAN) $(LINK) $^ $(LDLIBS) -o $@

$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(B)/libenrolld.a
	$(CC) $(SAN) $(LINK) $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) -lcmocka -o $@

$(CUTS:%=$(B)/tests/unit/%): $(POWER:%=$(B)/%)

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libenrolld.a
	$(CC) $(SAN) -fsanitize=fuzzer $(LINK) $^ $(LDLIBS) -o $@

$(B)/tests/bench/bench_%: $(B)/tests/bench/bench_%.o $(BENCH_PARTS:%.c=$(B)/%.o) $(B)/libenrolld.a
	$(CC) $(SAN) $(LINK) $^ $(LDLIBS) -o $@

# Programs that a test on the wire runs.
$(B)/tests/wire/%: $(B)/tests/wire/%.o $(B)/libenrolld.a
	$(CC) $(SAN) $(LINK) $^ $(LDLIBS) -o $@

-include $(wildcard $(B)/*/*.d $(B)/tests/*/*.d)

# --- what is tested; ONLY=name picks by part of a name

unit: $(UNITS:%=$(B)/tests/unit/%)
	@tools/units.sh $(V) $^

asan:
	@$(MAKE) --no-print-directory V=asan unit

tsan:
	@$(MAKE) --no-print-directory V=tsan unit

fuzzers: $(FUZZERS:%=$(B)/tests/fuzz/%)
fuzz:
	@$(MAKE) --no-print-directory V=fuzz fuzzers
	@tools/fuzz.sh build/fuzz/tests/fuzz $(FUZZERS)

wire: all $(B)/tests/wire/http_server
	@$(PYTHON) -m pytest -q -n 3 --dist loadfile tests/wire $(if $(ONLY),-k '$(ONLY)')

clients: all
	@$(PYTHON) -m pytest -q tests/clients $(if $(ONLY),-k '$(ONLY)')

# Clients that Debian does not have, from their own registries; no part of `make check`.
interop: all
	@PYTHON=$(PYTHON) tools/interop.sh
	@$(PYTHON) -m pytest -q -rs tests/interop $(if $(ONLY),-k '$(ONLY)')

arch: all
	@tools/arch.sh $(B)

# pkilint is in no Debian release: tests/lint/pkilint.py says how to install it below build/lint.
lint: $(patsubst %,$(B)/tests/unit/%,test_ca_lint test_ca_crl test_ca_ocsp)
	@build/lint/bin/python tests/lint/pkilint.py $(B)/tests/unit

tidy: deps-tidy
	@clang-tidy --quiet $(SOURCES) -- $(filter-out -MMD -MP -fcf-protection,$(CFLAGS))

bench: deps-bench
	@$(MAKE) --no-print-directory all $(BENCHES:%=$(B)/tests/bench/%)
	@tools/bench.sh $(B)

# --- the rest

deps-%:
	@tools/deps.sh $*

install: all
	install -D -m 0755 $(B)/enrolld $(DESTDIR)$(PREFIX)/bin/enrolld
	install -D -m 0644 docs/enrolld.8 $(DESTDIR)$(PREFIX)/share/man/man8/enrolld.8
	install -D -m 0644 deploy/enrolld.yaml $(DESTDIR)$(PREFIX)/share/doc/enrolld/enrolld.yaml
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,' deploy/enrolld.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/enrolld.service

clean:
	rm -rf build
