#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: docs/requirements.md tells the truth about what is there: each requirement that holds names
the file of its rule and a test that shows it, and both exist.
Method: reads the tables as text, and the names of all tests from their sources.
"""
import argparse
import os
import re
import sys

PAGE = "docs/requirements.md"
ROW = re.compile(r"\| (\d)\.(\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
TEST = re.compile(r"^(\w+) \(void \*\*state\)", re.M)
STATES = ("road", "part", "later")


def read(root, path):
    with open(os.path.join(root, path), encoding="ascii") as file:
        return file.read()


def tests_of(root):
    names = set()
    for at, _, found in os.walk(os.path.join(root, "tests")):
        for name in found:
            if name.endswith(".c"):
                names |= set(TEST.findall(read(root, os.path.join(at, name))))
    return names


def words_of(cell):
    """`a`, `b` as a list; None if the cell is written otherwise."""
    words = re.findall(r"`([^`]+)`", cell)
    return words if words and ", ".join(f"`{word}`" for word in words) == cell else None


def faults_of_row(root, tests, state, rule, test):
    if state not in STATES:
        return [f"state '{state}' is none of {', '.join(STATES)}"]
    if state == "later":
        return [] if (rule, test) == ("-", "-") else ["is not built, and names a rule or a test"]
    rules, shown = words_of(rule), words_of(test)
    if not rules or not shown:
        return ["holds, so rule and test are names in backticks, separated by commas"]
    faults = [f"{one} does not exist" for one in rules
              if not os.path.isfile(os.path.join(root, one))]
    faults += [f"{one} is a test, not the file of a rule" for one in rules
               if one.startswith("tests/")]
    faults += [f"there is no test {one}" for one in shown
               if one not in tests and not ("/" in one and one.startswith("tests/")
                                            and os.path.isfile(os.path.join(root, one)))]
    return faults


def faults_of(root):
    tests, numbers, counts = tests_of(root), {}, dict.fromkeys(STATES, 0)
    for line, text in enumerate(read(root, PAGE).split("\n"), 1):
        if not re.match(r"\| \d", text):
            continue
        found = ROW.fullmatch(text)
        if not found:
            yield line, "a row is | number | sentence | state | rule | test |"
            continue
        section, number, _, state, rule, test = found.groups()
        if int(number) != numbers.get(section, 0) + 1:
            yield line, f"{section}.{number} does not follow {section}.{numbers.get(section, 0)}"
        numbers[section] = int(number)
        counts[state] = counts.get(state, 0) + 1
        for fault in faults_of_row(root, tests, state, rule, test):
            yield line, f"{section}.{number}: {fault}"
    if not all(counts[state] for state in STATES):
        yield 1, f"rows of each state: {counts}; the page is not read as it is meant"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root")
    args = parser.parse_args()
    faults = list(faults_of(args.root))
    for line, text in faults:
        print(f"{PAGE}:{line}: {text}")
    print(f"requirements: {len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
