"""Compares what a program printed with what was expected, apart from what differs from run to run.

Both sides are normalised, so an expectation may be written with real values (pleasant to read in a document) or with
the marks themselves: [TIME], [DATE], [DURATION], [SHA256], [HEX], [BASE64], [UUID].
"""
import difflib
import re

_RULES = [
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),  # colours and cursor movements
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "[TIME]"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?: ?UTC|Z)?(?![\d:])"), "[TIME]"),
    (re.compile(r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}(?: GMT)?"), "[TIME]"),  # as openssl writes it
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "[DATE]"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "[UUID]"),
    (re.compile(r"\b[0-9a-f]{8}(?: [0-9a-f]{8}){7}\b"), "[SHA256]"),  # grouped, as people read it
    (re.compile(r"\b[0-9a-f]{64}\b"), "[SHA256]"),
    (re.compile(r"\b[0-9A-F]{2}(?::[0-9A-F]{2}){7,}\b"), "[HEX]"),
    (re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){7,}\b"), "[HEX]"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{16,}\b"), "[HEX]"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)? ?(?:us|ms|s)\b"), "[DURATION]"),
    (re.compile(r"(?<![\w.:])\d{1,2}:\d\d(?::\d\d)?(?![\w:])"), "[DURATION]"),  # but not FILE:12:34
    (re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}={0,2}"), "[BASE64]"),
]


def text(value, places=None):
    """Normalises a text. `places` maps folders of this run to their marks."""
    for place, mark in sorted((places or {}).items(), key=lambda item: -len(item[0])):
        value = value.replace(place, mark)
    for pattern, mark in _RULES:
        value = pattern.sub(mark, value)
    return "\n".join(line.rstrip() for line in value.replace("\r\n", "\n").split("\n"))


def _line_fits(expected, actual):
    if "[..]" not in expected:
        return expected == actual
    pattern = ".*".join(re.escape(part) for part in expected.split("[..]"))
    return re.fullmatch(pattern, actual) is not None


def fits(expected, actual):
    """Whether lines fit expected lines; an expected `...` stands for any number of lines, also none."""
    reachable = {0}  # how many actual lines the expected lines so far can have eaten
    for line in expected:
        if line.strip() == "...":
            reachable = set(range(min(reachable), len(actual) + 1)) if reachable else set()
        else:
            reachable = {at + 1 for at in reachable if at < len(actual) and _line_fits(line, actual[at])}
        if not reachable:
            return False
    return len(actual) in reachable


def difference(expected_lines, printed, places=None):
    """Empty when `printed` fits; otherwise a diff to read."""
    expected = text("\n".join(expected_lines), places).split("\n") if expected_lines else []
    actual = text(printed, places).split("\n")
    while actual and not actual[-1]:
        actual.pop()
    if fits(expected, actual):
        return ""
    return "\n".join(difflib.unified_diff(expected, actual, "expected", "printed", lineterm="", n=5))
