# Set-up, run, test, lint: `make help`.
SHELL := /bin/bash
ROS ?= jazzy
DEMO ?=
PYTEST ?=

setup = python3 tools/setup_workspace.py --ros $(ROS)
shell = export ROS=$(ROS) && source ros2_ws/setup.bash

.PHONY: help setup demo test test-quick study lint format docs site clean
.DEFAULT_GOAL := help

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo "  ROS=kilted          Use the other wheel set, where no genuine ROS 2 is sourced"
	@echo "  DEMO='seed:=3'      Further launch arguments of the demo"

setup:  ## Environment, underlay and packages; quick when nothing changed
	@$(setup) --for demo

demo:  ## Fly through a cluttered room; Ctrl-C lands and ends it
	@$(setup) --for demo
	@$(shell) && exec ros2 launch planner crazyflie_nav.launch.py $(DEMO)

test:  ## Lint, types, unit, integration and system tests
	@$(setup) --for test
	@$(MAKE) --no-print-directory lint
	@$(shell) && exec python -m pytest $(PYTEST)

test-quick:  ## The tests that take seconds
	@$(setup) --for test
	@$(shell) && exec python -m pytest -m "not slow and not browser and not study" $(PYTEST)

study:  ## The tests with bars for an idle machine, with their figures
	@$(setup) --for test
	@$(shell) && exec python -m pytest -m study -s $(PYTEST)

lint:  ## ruff and mypy
	@$(setup) --for test
	@$(shell) && ruff check . && ruff format --check . && tools/check_types

format:  ## Bring the code into its form
	@$(setup) --for test
	@$(shell) && ruff check --fix . && ruff format .

docs:  ## Write the generated reference pages
	@$(setup) --for demo
	@$(shell) && python tools/write_reference.py

site:  ## Build the documentation into site/
	@$(setup) --for test
	@$(shell) && NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet && echo site/index.html

clean:  ## Remove environments, builds and results; sources stay
	rm -rf ros2_ws/.jazzy ros2_ws/.kilted ros2_ws/build ros2_ws/install ros2_ws/log
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf site .pytest_cache .mypy_cache .ruff_cache .hypothesis
