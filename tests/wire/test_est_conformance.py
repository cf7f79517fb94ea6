"""What docs/conformance-est.md says is there, is there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted(ROOT.glob("docs/conformance-est.md"))


def known_names():
    names = set()
    for file in [*ROOT.glob("tests/wire/*.py"), *ROOT.glob("tests/clients/*.py")]:
        names |= set(re.findall(r"^def (\w+)", file.read_text(), re.MULTILINE))
    for file in ROOT.glob("tests/unit/test_*.c"):
        names |= {f"{name} ({file.name})" for name in re.findall(r"^static void (\w+)\(void \*\*state\)", file.read_text(), re.MULTILINE)}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_names_of_tests_and_files(page):
    text, known = page.read_text(), known_names()
    for row in re.findall(r"^\| [0-9].*\|$", text, re.MULTILINE):
        where, test = [cell.strip() for cell in row.strip("|").split("|")][-2:]
        named = re.findall(r"`(\w+)`", test)
        unit = re.search(r"\((test_\w+\.c)\)", test)
        for name in named:
            assert name in known or (unit and f"{name} ({unit[1]})" in known), (name, row)
        assert named or "tests/unit/" in test or "not done" in where or "every test" in test, row
        for path in re.findall(r"\b(?:\w+/)+\w+\.[ch]\b", where + " " + test):
            assert (ROOT / path).exists(), (path, row)
