"""Reports in the XML format that colcon and CI systems read."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from launch_testing.results import CaseResult, RunResult

_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def results_to_xml(name: str, results: Sequence[RunResult]) -> ElementTree.ElementTree:
    """Build a report with one test suite for each launch."""
    cases = [case for result in results for case in result.cases]
    root = ElementTree.Element("testsuites", {"name": name, **_counts(cases)})
    for result in results:
        time_s = sum(case.time_s for case in result.cases)
        attributes = {"name": result.name, **_counts(result.cases), "time": f"{time_s:.3f}"}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for case in result.cases:
            _add_case(suite, case)
    return ElementTree.ElementTree(root)


def _counts(cases: Sequence[CaseResult]) -> dict[str, str]:
    statuses = [case.status for case in cases]
    return {
        "tests": str(len(statuses)),
        "failures": str(statuses.count("failed")),
        "errors": str(statuses.count("error")),
        "skipped": str(statuses.count("skipped")),
    }


def _add_case(suite: ElementTree.Element, case: CaseResult) -> None:
    element = ElementTree.SubElement(
        suite, "testcase", classname=case.class_name, name=case.name, time=f"{case.time_s:.3f}"
    )
    if case.status in _ELEMENTS:
        lines = _printable(case.details).splitlines() or [case.status]
        problem = ElementTree.SubElement(element, _ELEMENTS[case.status], message=lines[-1])
        problem.text = "\n".join(lines)


def _printable(text: str) -> str:
    # The output of a process may hold control characters, which XML cannot.
    return "".join(character for character in text if character in "\n\t" or character >= " ")
