#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: the rules of docs/style.md hold without anybody having to remember them.
Method: read the tree as text (and headers with the compiler, functions with ctags); each fault is
one line: file:line: [rule] what is wrong; what to do instead.

A rule may be broken where a comment says why: `tidy allows RULE: reason` on that line or above it.
With --write-index the table of docs/decisions/README.md is written instead of checked.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

FOLDERS = ["proto", "broker", "client", "server", "tools", "tests", "examples", "docs", "cmake"]
TEXT = (".c", ".h", ".py", ".sh", ".md", ".cmake", ".txt", ".proto", ".json", ".in", ".zpl")
CODE = (".c", ".h", ".py", ".sh", ".cmake", ".proto")
COLUMNS_MAX, FUNCTION_MAX, CORE_MEDIAN_MAX, FILE_MAX = 100, 70, 15, 800
PAGES_MAX = {"README.md": 120, "CONTRIBUTING.md": 80, "CMakeLists.txt": 120, "docs/style.md": 150,
             "docs/glossary.md": 60, "docs/architecture.md": 400, "docs/protocol.md": 700,
             "docs/formats.md": 200, "docs/operating.md": 400}

# Which room a file is in: first match wins.
ROOMS = [(re.compile(pattern), room) for pattern, room in [
    (r".*\.pb-c\.h$", "generated"),
    (r"proto/wire[_.]", "wire"), (r"proto/link[_.]", "link"), (r"proto/port[_.]", "port"),
    (r"proto/memory_heap\.", "heap"), (r"proto/", "msg"),
    (r"broker/core/(record|effect|blob|little)[_.]", "record"), (r"broker/core/", "core"),
    (r"broker/replica/", "replica"), (r"broker/store/disk_file\.", "disk"),
    (r"broker/store/", "store"), (r"broker/", "shell"), (r"client/", "client"),
    (r"server/", "server"), (r"tools/", "tools"), (r"examples/", "examples"),
    (r"tests/", "tests"), (r"baton(\.h|/client\.h|/server\.h)$", "client")]]
# What a room may include of ours; its own room always. tests may include all.
MAY = {
    "msg": "", "wire": "msg generated", "link": "msg", "port": "msg", "heap": "msg",
    "record": "msg", "core": "msg record", "replica": "msg record", "store": "msg record",
    "disk": "msg record store",
    "shell": "msg wire port heap record core replica store disk",
    "client": "msg wire link port heap server", "server": "msg wire link port heap client",
    "tools": "msg wire port heap client server", "examples": "client server",
}
PURE = ["msg", "wire", "link", "record", "core", "replica", "store"]
PURE_HEADERS = "stdbool stddef stdint string limits stdalign stdarg stdnoreturn inttypes".split()
# Libraries in quarantine, and the rooms that may see them.
QUARANTINE = {
    "zmq.h": "port tests", "czmq.h": "shell tools tests examples",
    "protobuf-c/protobuf-c.h": "wire generated tests", "xxhash.h": "record core store tests",
}
# Word (as a regular expression over code without comments and strings), what to do instead.
BANNED = [(re.compile(pattern), advice) for pattern, advice in [
    (r"\b(strcpy|strcat|stpcpy)\s*\(", "memcpy with a size that was checked"),
    (r"\bv?sprintf\s*\(", "snprintf, and look at what it returns"),
    (r"\b(atoi|atol|atoll|atof)\s*\(", "strtoull with end pointer and range check"),
    (r"\b(s?rand|random|srandom)\s*\(", "a seeded generator, handed in"),
    (r"\b(time|gettimeofday)\s*\(", "now_ns and utc_ms of the event; the loop reads the clock"),
    (r"\b(usleep|sleep|nanosleep)\s*\(", "wait for a message, a descriptor or a file"),
    (r"\b(gets|strtok|alloca|tmpnam|mktemp)\s*\(", "a function that takes a size or a context"),
    (r"\bassert\s*\(", "ASSERT of proto/assert.h, which stays on"),
    (r"\btypedef\s+(struct|enum|union)\b(?!\s+_?baton_\w+\s+baton_\w+_t;)(?=[^;(]*[;{])",
     "`struct x` without typedef; only baton_*_t handles of the public API have one"),
]]
BOOL_PARAMETER = re.compile(r"[(,]\s*(?:const\s+)?bool\s+\w+\s*(?=[,)])")
UNDONE = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
ADR_STATUS = ["Proposed", "Accepted", "Superseded", "Rejected"]
ADR_HEADS = ["Context", "Decision", "Consequences", "What would change our mind"]


class Tidy:
    def __init__(self, root, cc, generated):
        self.root, self.cc, self.generated = root, cc, generated
        self.files, self.faults = {}, []
        names = [n for n in sorted(os.listdir(root)) if os.path.isfile(os.path.join(root, n))]
        for folder in FOLDERS:
            for at, _, found in os.walk(os.path.join(root, folder)):
                if "__pycache__" not in at:
                    names += [os.path.relpath(os.path.join(at, n), root) for n in sorted(found)]
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                data = file.read()
            if name.endswith(TEXT) or data.startswith(b"#!"):
                self.files[name] = data.decode("utf-8", "replace")

    def fault(self, path, line, rule, text):
        lines = self.files.get(path, "").split("\n")
        near = lines[max(0, line - 2):line]
        if not any(f"tidy allows {rule}:" in one for one in near):
            self.faults.append(f"{path}:{line}: [{rule}] {text}")

    def each(self, *endings):
        return [(path, text) for path, text in self.files.items() if path.endswith(endings)]


def room_of(path):
    return next((room for pattern, room in ROOMS if pattern.match(path)), None)


def without_comments(text):
    """Blanks comments, strings and characters, and keeps every line where it was."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found.group())
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def rule_layers(tidy):
    for path, text in tidy.each(".c", ".h"):
        room = room_of(path)
        if room in (None, "tests"):
            continue
        for found in re.finditer(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.M):
            quote, name = found.groups()
            line = line_of(text, found.start(2))
            beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
            target = beside if quote == '"' and beside in tidy.files else name
            other = room_of(target) if quote == '"' or name.startswith("baton") else None
            if other:
                if other != room and other not in MAY[room].split():
                    tidy.fault(path, line, "layer", f"{room} may not include {other} ({name});"
                               f" allowed: {MAY[room] or 'nothing of ours'}. Move the code, or"
                               " hand the value in")
            elif name in QUARANTINE:
                if room not in QUARANTINE[name].split():
                    tidy.fault(path, line, "layer", f"only {QUARANTINE[name]} may include {name};"
                               " go through the room that wraps it")
            elif room in PURE and name.removesuffix(".h") not in PURE_HEADERS:
                tidy.fault(path, line, "layer", f"{room} is pure and may not include <{name}>;"
                           " let the shell make the call and hand in the result")


def rule_header_alone(tidy):
    for path, _ in tidy.each(".h"):
        command = [tidy.cc, "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic",
                   "-Wstrict-prototypes", "-Werror", "-D_POSIX_C_SOURCE=200809L",
                   "-I", tidy.root, "-I", tidy.root + "/client", "-isystem", tidy.generated,
                   "-x", "c", "-"]
        run = subprocess.run(command, input=f'#include "{path}"\nextern int not_empty;\n',
                             capture_output=True, text=True, cwd=tidy.root)
        if run.returncode != 0:
            first = next((one for one in run.stderr.splitlines() if "error" in one), "?")
            tidy.fault(path, 1, "header-alone", f"does not compile alone ({first.strip()});"
                       " include what it needs")


def functions(tidy):
    """Yields (path, line, name, length) of every function, static and inline ones too."""
    names = [path for path, _ in tidy.each(".c", ".h")]
    command = ["ctags", "--options=NONE", "--language-force=C", "--kinds-C=f", "--fields=+ne",
               "--output-format=json", "-f", "-", "-L", "-"]
    run = subprocess.run(command, input="\n".join(names), capture_output=True, text=True,
                         cwd=tidy.root, check=True)
    for row in map(json.loads, run.stdout.splitlines()):
        if "end" in row:
            yield row["path"], row["line"], row["name"], row["end"] - row["line"] + 1


def rule_function_length(tidy):
    core = []
    for path, line, name, length in functions(tidy):
        if path.startswith("broker/core/") and path.endswith(".c"):
            core.append(length)
        if length > FUNCTION_MAX:
            tidy.fault(path, line, "long-function", f"{name} has {length} lines, {FUNCTION_MAX} are"
                       " the end; split it where it changes its level of talk")
    if core and statistics.median(core) > CORE_MEDIAN_MAX:
        tidy.fault("broker/core", 0, "core-median", f"the median function has"
                   f" {statistics.median(core)} lines, {CORE_MEDIAN_MAX} are the end; split")


def rule_size(tidy):
    for path, text in tidy.files.items():
        count = text.count("\n")
        most = PAGES_MAX.get(path, FILE_MAX if path.endswith((".c", ".h", ".py")) else None)
        if most and count > most:
            tidy.fault(path, count, "long-file", f"{count} lines, {most} are the end; two nouns"
                       " want two files")


def rule_lines(tidy):
    for path, text in tidy.files.items():
        if text and not text.endswith("\n"):
            tidy.fault(path, text.count("\n") + 1, "end-of-file", "end the last line")
        for number, line in enumerate(text.split("\n"), 1):
            if (path.endswith(CODE) or text.startswith("#!")) and len(line) > COLUMNS_MAX:
                tidy.fault(path, number, "long-line", f"{len(line)} columns, {COLUMNS_MAX} are the"
                           " end; name a part of it")
            if line != line.rstrip():
                tidy.fault(path, number, "trailing-space", "take the space away")
            if not line.isascii():
                odd = next(c for c in line if not c.isascii())
                tidy.fault(path, number, "non-ascii", f"U+{ord(odd):04X}; write it in ASCII")
            if "\t" in line and path.endswith((".c", ".h", ".py", ".proto")):
                tidy.fault(path, number, "tab", "four spaces")
            if UNDONE.search(line):
                tidy.fault(path, number, "banned-word", f"{UNDONE.search(line).group()}: make it an"
                           " issue, or do it now")


def rule_words(tidy):
    for path, text in tidy.each(".c", ".h"):
        if not text.startswith("// SPDX-License-Identifier: MPL-2.0\n"):
            tidy.fault(path, 1, "spdx", "first line: // SPDX-License-Identifier: MPL-2.0")
        code = without_comments(text)
        for pattern, advice in BANNED:
            for found in pattern.finditer(code):
                word = found.group().split("(")[0].strip()
                tidy.fault(path, line_of(code, found.start()), "banned-word",
                           f"{word}: use {advice}")
        if path.endswith(".h"):
            for found in BOOL_PARAMETER.finditer(code):
                tidy.fault(path, line_of(code, found.end()), "bool-parameter",
                           "an enum with two names reads at the call")


def adr_rows(tidy):
    """Yields (path, index row) of every decision, and reports heads that are not valid."""
    for path, text in tidy.each(".md"):
        name = os.path.basename(path)
        if not re.match(r"docs/decisions/\d{4}-[a-z0-9-]+\.md$", path) or name[:4] == "0000":
            continue
        title = re.match(r"# (.+)\n", text)
        fields = dict(re.findall(r"^\| (Date|Status|Tags|Updates) \| (.+?) \|$", text, re.M))
        missing = [f for f in ("Date", "Status", "Tags", "Updates") if f not in fields]
        missing += [h for h in ADR_HEADS if f"\n## {h}\n" not in text]
        if not title or missing:
            tidy.fault(path, 1, "adr-head", f"lacks {', '.join(missing) or 'a title'};"
                       " copy docs/decisions/0000-template.md")
            continue
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", fields["Date"]):
            tidy.fault(path, 1, "adr-head", "Date is YYYY-MM-DD")
        if fields["Status"].split()[0] not in ADR_STATUS:
            tidy.fault(path, 1, "adr-head", f"Status is one of {', '.join(ADR_STATUS)}")
        yield path, f"| [{name[:4]}]({name}) | {title[1]} | {fields['Status']} | {fields['Tags']} |"


def rule_decisions(tidy):
    index = "docs/decisions/README.md"
    rows = [row for _, row in adr_rows(tidy)]
    if rows and [r for r in tidy.files.get(index, "").split("\n") if r.startswith("| [")] != rows:
        tidy.fault(index, 1, "adr-index", "not current; run tests/unit/tidy.py --write-index .")


def rule_listed(tidy):
    """What the code can say, the pages explain. A page that does not exist yet is not asked."""
    for source, pattern, prefix, page in [
            ("proto/errors.h", r"^\s+X \((\w+), \d+, \"", "", "docs/protocol.md"),
            ("proto/msg.h", r"^\s+X \((\w+), \d+\)", "", "docs/protocol.md"),
            ("proto/limits.h", r"^#define LIMIT_(\w+)", "LIMIT_", "docs/operating.md")]:
        text = tidy.files.get(source, "")
        if page not in tidy.files:
            continue
        for found in re.finditer(pattern, text, re.M):
            name = prefix + found.group(1)
            if not re.search(rf"\b(BATON_|REFUSAL_)?{name}\b", tidy.files[page]):
                tidy.fault(source, line_of(text, found.start(1)), "listed",
                           f"{name} is not in {page}; say there what it means and what to do")


def rule_references(tidy):
    """A cited requirement, decision, rule file or test must exist."""
    numbers = set(re.findall(r"^\| (\d\.\d+) \|", tidy.files.get("docs/requirements.md", ""), re.M))
    for path, text in tidy.each(".c", ".h", ".md", ".proto"):
        for found in re.finditer(r"\breq (\d\.\d+)\b", text):
            if numbers and found.group(1) not in numbers:
                tidy.fault(path, line_of(text, found.start()), "reference",
                           f"req {found.group(1)} is not in docs/requirements.md")
        for found in re.finditer(r"docs/decisions/(\d{4})", text):
            if not any(p.startswith("docs/decisions/" + found.group(1)) for p in tidy.files):
                tidy.fault(path, line_of(text, found.start()), "reference",
                           f"decision {found.group(1)} does not exist")


def rule_registered(tidy):
    for path, _ in tidy.each(".c", ".py"):
        folder, name = os.path.split(path)
        lists = tidy.files.get(folder + "/CMakeLists.txt", "")
        stem = name.rsplit(".", 1)[0]
        if path.startswith("tests/") and name.startswith("test_") \
                and not re.search(rf"\b{stem}\b", lists):
            tidy.fault(path, 1, "registered", f"no ctest runs it; {folder}/CMakeLists.txt lacks it")


RULES = [rule_layers, rule_header_alone, rule_function_length, rule_size, rule_lines, rule_words,
         rule_decisions, rule_listed, rule_references, rule_registered]


def write_index(tidy):
    path = os.path.join(tidy.root, "docs/decisions/README.md")
    with open(path, encoding="ascii") as file:
        kept = [line for line in file.read().split("\n") if not line.startswith("| [")]
    at = next(i for i, line in enumerate(kept) if line.startswith("| ---")) + 1
    kept[at:at] = [row for _, row in adr_rows(tidy)]
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(kept))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--generated", default="build/sanitize/generated",
                        help="folder of generated headers")
    parser.add_argument("--write-index", action="store_true")
    parser.add_argument("root")
    args = parser.parse_args()
    tidy = Tidy(os.path.abspath(args.root), args.cc, os.path.abspath(args.generated))
    if args.write_index:
        write_index(tidy)
        return 0
    for rule in RULES:
        rule(tidy)
    print("\n".join(sorted(set(tidy.faults))))
    print(f"tidy: {len(tidy.files)} files, {len(RULES)} groups of rules, {len(tidy.faults)} faults")
    return 1 if tidy.faults else 0


if __name__ == "__main__":
    sys.exit(main())
