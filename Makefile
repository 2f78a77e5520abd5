# Everything a newcomer needs: `make demo` runs the main job, `make test` passes the tests.
# Both make a virtual environment of their own in .venv; nothing outside the checkout is changed
# but the Debian packages named here, which `make test` installs when they are missing.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt

# The tests' needs beyond Python packages: curl speaks to the server and to S3 in examples and tests; openssl makes
# certificates; the server is tested on PostgreSQL too, which the tests start themselves, on no port. Pages are tested in
# Chromium; npm brings what checks that everybody can use them. The C compiler builds what hashes several files at once.
DEBIAN_PACKAGES := curl openssl postgresql chromium-headless-shell npm gcc libc6-dev

.PHONY: demo serve test soak lint bench system vendor clean

demo: $(VENV)/.demo
	$(BIN)/cdb demo

serve: $(VENV)/.demo
	$(BIN)/cdb demo --serve

test: system $(VENV)/.test
	$(BIN)/pytest --numprocesses 3 --dist loadfile

# The same properties against new random examples and many more random faults; failures print their seed.
soak: system $(VENV)/.test
	CONNECTOMEDB_EXAMPLES=soak CONNECTOMEDB_FAULTS=3000 CONNECTOMEDB_KILLS=60 CONNECTOMEDB_CROWD=200 CONNECTOMEDB_FAULT_SEED=$$(date +%s) \
	  $(BIN)/pytest --numprocesses 3 --dist loadfile

lint: $(VENV)/.test $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

system:
	@missing=""; for package in $(DEBIAN_PACKAGES); do \
	  command -v $$package > /dev/null 2>&1 || dpkg-query -W -f '$${db:Status-Abbrev}' $$package 2> /dev/null \
	    | grep -q '^ii' || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ]; then echo "Please install:$$missing (apt-get install$$missing)"; exit 1; fi; \
	  apt-get update -qq && apt-get install -y -qq $$missing; fi

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv

$(VENV)/.%: $(BIN)/uv pyproject.toml constraints.txt hatch_build.py src/connectomedb/transfer/md5_lanes.c
	$(UV) --reinstall-package connectomedb --editable '.[$*]'
	@test -e src/connectomedb/web/vendor/niivue.js || echo "Without npm the browser shows still pictures only: install npm, then make vendor."
	@touch $@

# What the image viewer needs from npm, once more: for machines that had no npm when the package was installed.
vendor: $(BIN)/uv
	$(UV) --reinstall-package connectomedb --no-deps --editable .

clean:
	rm -rf $(VENV) build dist demo-output
