"""The command `launch_test`: runs the launch tests of one file."""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from launch import LaunchDescription
from launch_testing.junitxml import results_to_xml
from launch_testing.loader import InvalidTestFileError, load_test_runs
from launch_testing.results import RunResult
from launch_testing.runner import LaunchTestRunner


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 if all tests passed, otherwise 1; 2 if the command line or the file is wrong.
    """
    parser = _make_parser()
    options = parser.parse_intermixed_args(arguments)
    path = Path(options.launch_test_file).resolve()
    if not path.is_file():
        parser.error(f"test file '{path}' does not exist")
    package = options.package_name or path.stem
    try:
        module = _load(path, package)
        test_runs = load_test_runs(module, f"{package}.{path.stem}.launch_tests")
        if options.show_args:
            description, _ = test_runs[0].describe(ready=lambda: None)
            _print_arguments(description)
            return 0
        runner = LaunchTestRunner(test_runs, options.launch_arguments, options.verbose)
        results = runner.run()
    except (InvalidTestFileError, ValueError) as error:
        parser.error(str(error))
    if options.xmlpath:
        report = results_to_xml(f"{package}.{path.stem}", results)
        report.write(options.xmlpath, encoding="utf-8", xml_declaration=True)
    _print_summary(results)
    return 0 if all(result.wasSuccessful() for result in results) else 1


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="launch_test", description="Run tests against a launched system."
    )
    parser.add_argument("launch_test_file", help="path of the test file")
    parser.add_argument("launch_arguments", nargs="*", help="launch arguments: <name>:=<value>")
    parser.add_argument("--junit-xml", dest="xmlpath", help="write a report to this path")
    parser.add_argument("--package-name", help="package of the test file, for the report")
    parser.add_argument("-v", "--verbose", action="store_true", help="print what launch does")
    parser.add_argument(
        "-s", "--show-args", "--show-arguments", action="store_true", help="list launch arguments"
    )
    return parser


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidTestFileError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _print_arguments(description: LaunchDescription) -> None:
    print("Arguments (pass arguments as '<name>:=<value>'):")
    declared = description.get_launch_arguments()
    if not declared:
        print("\n  No arguments.")
    for argument in declared:
        print(f"\n    '{argument.name}':\n        {argument.description}")
        if argument.default_value is not None:
            parts = " + ".join(part.describe() for part in argument.default_value)
            print(f"        (default: {parts})")


def _print_summary(results: Sequence[RunResult]) -> None:
    cases = [case for result in results for case in result.cases]
    for result in results:
        for case in result.cases:
            if not case.successful:
                print(f"{case.status.upper()}: {result.name}: {case.class_name}.{case.name}")
    bad = sum(not case.successful for case in cases)
    print(f"{len(cases)} tests in {len(results)} launches, {bad} failed", flush=True)


if __name__ == "__main__":
    sys.exit(main())
