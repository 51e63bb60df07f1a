"""Matching of text."""

import re
from types import SimpleNamespace

import pytest
from launch_testing.tools.text import TextPattern, build_text_match, decode, strip_ansi_escapes

TEXT = "one\ntwo words\nthree\n"


@pytest.mark.parametrize(
    ("expected", "matches"),
    [
        ("two", True),
        ("two\nthree", False),
        (["one", "three"], True),
        (["three", "one"], False),
        (["two"], False),
        (["one", "one"], False),
        (re.compile(r"^two \w+$", re.MULTILINE), True),
        (re.compile("four"), False),
        ([re.compile("t.o"), re.compile("t.re+")], True),
        ([re.compile("three"), re.compile("two")], False),
    ],
)
def test_match(expected: TextPattern, matches: bool) -> None:
    assert build_text_match(expected)(TEXT) is matches


@pytest.mark.parametrize("expected", [1, [], None, ["text", re.compile("pattern")], b"bytes"])
def test_other_patterns_are_refused(expected: object) -> None:
    with pytest.raises(ValueError, match="expected output must be"):
        build_text_match(expected)  # type: ignore[arg-type]


def test_colours_are_removed() -> None:
    assert strip_ansi_escapes("\x1b[1;31mred\x1b[0m and \x1b[Kplain") == "red and plain"


def test_character_that_is_split_between_two_pieces() -> None:
    first, second = "µ".encode()[:1], "µ".encode()[1:]
    pieces = [
        SimpleNamespace(text=first, from_stdout=True),
        SimpleNamespace(text=b"error", from_stdout=False),
        SimpleNamespace(text=second, from_stdout=True),
    ]
    assert decode(pieces, stream="stdout") == "µ"
    with pytest.raises(ValueError, match="'stdin'"):
        decode(pieces, stream="stdin")
