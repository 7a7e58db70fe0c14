# make demo    the main job on real input, on the embedded model (MODEL=smollm2-135m is the quick one)
# make test    the whole suite; make bench  the ratios; make check  linters and types
# make quality each task against one plain prompt, with a real model

PYTHON ?= python3
MODEL ?= qwen2.5-coder-1.5b
BIN := .venv/bin
READY := .venv/.ready

.PHONY: install demo test bench bench-knowledge bench-scale quality check clean

install: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "taskkit needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --config-settings editable_mode=compat --editable '.[local,postgres,documents,dev]'
	@touch $@
	@echo 'Installed: $(BIN)/taskkit. Next: make demo'

demo: $(READY)
	@$(BIN)/python examples/demo.py --model $(MODEL)

test: $(READY)
	$(BIN)/python -m pytest -m 'not bench' -n 2 --dist loadfile $(ARGS)

bench: $(READY)
	@$(BIN)/python tests/benchmarks/bench.py

bench-knowledge: $(READY)
	@$(BIN)/python tests/benchmarks/bench_knowledge.py

bench-scale: $(READY)
	@$(BIN)/python tests/benchmarks/bench_scale.py $(ARGS)

quality: $(READY)
	@$(BIN)/python tests/benchmarks/quality.py --model $(MODEL) $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .demo .bench
