# The front door to Meson: `make help` says what there is.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60

# In CI warnings are errors.
MESON_FLAGS ?=
ifneq ($(filter-out 0 false,$(CI)),)
MESON_FLAGS += --werror
endif

SANITIZED = --buildtype=debugoptimized -Db_lundef=false
SANITIZERS_STOP = ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:abort_on_error=1 \
	UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1 \
	TSAN_OPTIONS=halt_on_error=1

SOURCES = $(shell find include src cli tests bench examples -name '*.[ch]' 2>/dev/null | sort)

.NOTPARALLEL:
.PHONY: all demo test test-slow test-asan test-tsan test-aarch64 test-avx512 coverage fuzz fuzz-afl install format lint clean help

all: $(BUILD)/build.ninja ## Build the program: build/wick (BUILD=folder for another place)
	@meson compile -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { \
	    echo "meson is missing; 'tools/install-deps.sh build' installs what the build needs" >&2; exit 1; }
	meson setup $(BUILD) --prefix=$(abspath $(PREFIX)) $(MESON_FLAGS)

demo: ## Install what is missing, build, and run the chapter from data to a saved model
	@tools/install-deps.sh build run demo
	@$(MAKE) --no-print-directory all
	$(BUILD)/wick notebook

test: ## Install what is missing, build, and run the whole test suite
	@tools/install-deps.sh build run test
	@$(MAKE) --no-print-directory all
	@tools/run-tests.sh $(BUILD) --no-suite slow

test-slow: ## Run the tests that take minutes
	@tools/install-deps.sh build run test
	@$(MAKE) --no-print-directory all
	@tools/run-tests.sh $(BUILD) --suite slow

test-asan: MESON_FLAGS += $(SANITIZED) -Db_sanitize=address,undefined
test-asan: ## The suite with the address and undefined behaviour sanitizers
	@tools/install-deps.sh build run test
	@$(MAKE) --no-print-directory all BUILD=$(BUILD)-asan MESON_FLAGS='$(MESON_FLAGS)'
	@$(SANITIZERS_STOP) tools/run-tests.sh $(BUILD)-asan --no-suite slow --timeout-multiplier 10

test-tsan: MESON_FLAGS += $(SANITIZED) -Db_sanitize=thread
test-tsan: ## The suite with the thread sanitizer
	@tools/install-deps.sh build run test
	@$(MAKE) --no-print-directory all BUILD=$(BUILD)-tsan MESON_FLAGS='$(MESON_FLAGS)'
	@$(SANITIZERS_STOP) tools/run-tests.sh $(BUILD)-tsan --no-suite slow --timeout-multiplier 20

test-aarch64: ## Cross-compile for AArch64; the kernels' and gradients' tests in an emulator
	@tools/install-deps.sh build run test aarch64
	@tools/test-aarch64.sh $(BUILD)-aarch64

test-avx512: ## The kernels' tests on an emulated processor with AVX-512; some ten minutes
	@tools/install-deps.sh build run test avx512
	@$(MAKE) --no-print-directory all
	@tools/test-avx512.sh $(BUILD)

# Atomic: threads would lose counts, and some come out below zero.
coverage: MESON_FLAGS += --buildtype=debugoptimized -Db_coverage=true -Dc_args=-fprofile-update=atomic
coverage: ## Which lines the suite runs: a summary, and pages in build-coverage/html
	@tools/install-deps.sh build run test coverage
	@$(MAKE) --no-print-directory all BUILD=$(BUILD)-coverage MESON_FLAGS='$(MESON_FLAGS)'
	@tools/run-tests.sh $(BUILD)-coverage --no-suite slow --timeout-multiplier 10
	@mkdir -p $(BUILD)-coverage/html
	gcovr --root . --filter src/ --filter cli/ --exclude-throw-branches --print-summary \
	    --html-details $(BUILD)-coverage/html/index.html $(BUILD)-coverage

fuzz: MESON_FLAGS += $(SANITIZED) -Db_sanitize=address,undefined -Dfuzz=true
fuzz: ## Fuzz every parser for FUZZ_SECONDS (60) each
	@tools/install-deps.sh build run test fuzz
	@CC=clang $(MAKE) --no-print-directory $(BUILD)-fuzz/build.ninja BUILD=$(BUILD)-fuzz MESON_FLAGS='$(MESON_FLAGS)'
	@meson compile -C $(BUILD)-fuzz fuzz_programs
	@$(SANITIZERS_STOP) tools/fuzz.sh $(BUILD)-fuzz $(FUZZ_SECONDS)

fuzz-afl: MESON_FLAGS += $(SANITIZED) -Db_sanitize=address,undefined -Dfuzz=true
fuzz-afl: ## The same with AFL++
	@tools/install-deps.sh build run test fuzz afl
	@CC=afl-clang-fast AFL_QUIET=1 $(MAKE) --no-print-directory $(BUILD)-afl/build.ninja BUILD=$(BUILD)-afl MESON_FLAGS='$(MESON_FLAGS)'
	@AFL_QUIET=1 meson compile -C $(BUILD)-afl fuzz_programs
	@tools/fuzz-afl.sh $(BUILD)-afl $(FUZZ_SECONDS)

install: all ## Install under PREFIX (/usr/local), below DESTDIR if that is set
	@meson configure $(BUILD) --prefix=$(abspath $(PREFIX))
	DESTDIR=$(DESTDIR) meson install -C $(BUILD)

format: ## Lay the sources out as .clang-format says
	@tools/install-deps.sh format
	clang-format -i $(SOURCES)

lint: ## clang-format, clang-tidy and cppcheck, each without a finding
	@tools/install-deps.sh build run test lint
	@$(MAKE) --no-print-directory all
	clang-format --dry-run -Werror $(SOURCES)
	tools/lint.sh $(BUILD)

clean: ## Remove the build folders
	rm -rf $(BUILD) $(BUILD)-aarch64 $(BUILD)-aarch64-sysroot $(BUILD)-avx512 $(BUILD)-asan $(BUILD)-tsan $(BUILD)-coverage $(BUILD)-fuzz $(BUILD)-afl

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
