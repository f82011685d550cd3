#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: each rule of tidy.py fires on a sample that breaks it, and on nothing else.
Method: a small tree in a temporary folder per sample; the run must report exactly that rule, and
report nothing once the fault is mended.
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX = "// SPDX-License-Identifier: MPL-2.0\n"
LONG = "int f (void);\nint\nf (void)\n{\n" + "    (void) 0;\n" * 80 + "    return 0;\n}\n"
MIDDLE = "int f (void);\nint\nf (void)\n{\n" + "    (void) 0;\n" * 30 + "    return 0;\n}\n"
ADR = ("# Pure core\n\n| Metadata | Value |\n| --- | --- |\n| Date | 2026-11-20 |\n"
       "| Status | Accepted |\n| Tags | core |\n| Updates | - |\n\n## Context\n\n## Decision\n\n"
       "## Consequences\n\n## What would change our mind\n\nNothing.\n")
INDEX = "| Number | Title | Status | Tags |\n| --- | --- | --- | --- |\n"
ROW = "| [0001](0001-pure-core.md) | Pure core | Accepted | core |\n"
CLOCK = SPDX + "#include <time.h>\n"
WORD = "TO" + "DO"
ERRORS = SPDX + '#define LIST(X) \\\n    X (NO_ROOM, 1, "no room")\n'

# rule, the tree that breaks it, the same tree mended.
SAMPLES = [
    ("layer", {"broker/core/a.c": CLOCK}, {"broker/shell/a.c": CLOCK}),
    ("layer", {"proto/a.h": SPDX + '#include "broker/core/b.h"\n', "broker/core/b.h": SPDX},
     {"broker/shell/a.h": SPDX + '#include "broker/core/b.h"\n', "broker/core/b.h": SPDX}),
    ("layer", {"broker/core/a.c": SPDX + '#include "../shell/b.h"\n', "broker/shell/b.h": SPDX},
     {"broker/shell/a.c": SPDX + '#include "../core/b.h"\n', "broker/core/b.h": SPDX}),
    ("layer", {"broker/core/a.c": SPDX + '#include "broker/store/b.h"\n', "broker/store/b.h": SPDX},
     {"broker/store/a.c": SPDX + '#include "broker/core/record.h"\n',
      "broker/core/record.h": SPDX}),
    ("layer", {"broker/shell/a.c": SPDX + "#include <zmq.h>\n"},
     {"proto/port.c": SPDX + "#include <zmq.h>\n"}),
    ("layer", {"client/a.c": SPDX + "#include <czmq.h>\n"},
     {"tools/a.c": SPDX + "#include <czmq.h>\n"}),
    ("header-alone", {"proto/a.h": SPDX + "extern uint64_t a;\n"},
     {"proto/a.h": SPDX + "#include <stdint.h>\nextern uint64_t a;\n"}),
    ("long-function", {"tools/a.c": SPDX + LONG}, {"tools/a.c": SPDX + MIDDLE}),
    ("long-function", {"tools/a.c": SPDX + LONG.replace("int f (void);\nint", "static int")},
     {"tools/a.c": SPDX + "// tidy allows long-function: a table\n"
      + LONG.replace("int f (void);\nint\n", "static int ")}),
    ("core-median", {"broker/core/a.c": SPDX + MIDDLE}, {"broker/shell/a.c": SPDX + MIDDLE}),
    ("long-file", {"tools/a.c": SPDX + "\n" * 800}, {"tools/a.c": SPDX + "\n" * 700}),
    ("long-file", {"README.md": "a\n" * 121}, {"README.md": "a\n" * 120}),
    ("long-line", {"tools/a.c": SPDX + "//" + "x" * 99 + "\n"},
     {"tools/a.c": SPDX + "//" + "x" * 98 + "\n"}),
    ("long-line", {"tests/run": "#!/bin/sh\n" + "x" * 101 + "\n"},
     {"tests/run": "#!/bin/sh\n", "docs/a.md": "x" * 101 + "\n"}),
    ("trailing-space", {"docs/a.md": "a \n"}, {"docs/a.md": "a\n"}),
    ("end-of-file", {"docs/a.md": "a"}, {"docs/a.md": "a\n"}),
    ("non-ascii", {"docs/a.md": "a\u2013b\n"}, {"docs/a.md": "a-b\n"}),
    ("tab", {"tools/a.c": SPDX + "\tint a;\n"}, {"tools/a.c": SPDX + "    int a;\n"}),
    ("spdx", {"tools/a.c": "int a;\n"}, {"tools/a.c": SPDX + "int a;\n"}),
    ("banned-word", {"docs/a.md": WORD + "\n"}, {"docs/a.md": WORD.lower() + "\n"}),
    ("banned-word", {"tools/a.c": SPDX + "int a = strcpy (b, c);\n"},
     {"tools/a.c": SPDX + '// strcpy (b, c);\nconst char *a = "strcpy (b, c)";\n'}),
    ("banned-word", {"tools/a.c": SPDX + "int a = sprintf (b, c);\n"},
     {"tools/a.c": SPDX + "int a = snprintf (b, c);\n"}),
    ("banned-word", {"tools/a.c": SPDX + "int a = atoi (b);\n"},
     {"tools/a.c": SPDX + "int a = strtoull (b);\n"}),
    ("banned-word", {"tools/a.c": SPDX + "int a = rand ();\n"},
     {"tools/a.c": SPDX + "int a = brand ();\n"}),
    ("banned-word", {"tools/a.c": SPDX + "int a = time (NULL);\n"},
     {"tools/a.c": SPDX + "int a = loop_time (NULL);\n"}),
    ("banned-word", {"tests/end/a.c": SPDX + "int a = usleep (1);\n"},
     {"tests/end/a.c": SPDX + "int a = poll (1);\n"}),
    ("banned-word", {"tools/a.c": SPDX + "void a { assert (1); }\n"},
     {"tools/a.c": SPDX + "void a { ASSERT (1); }\n"}),
    ("banned-word", {"tools/a.h": SPDX + "typedef struct a b;\n"},
     {"tools/a.h": SPDX + "typedef struct baton_a baton_a_t;\ntypedef struct a *b (int c);\n"}),
    ("bool-parameter", {"tools/a.h": SPDX + "#include <stdbool.h>\nvoid a (int b, bool c);\n"},
     {"tools/a.h": SPDX + "#include <stdbool.h>\nbool a (int b, bool *c);\n"}),
    ("adr-head", {"docs/decisions/0001-pure-core.md": ADR.replace("| Updates | - |\n", "")},
     {"docs/decisions/0001-pure-core.md": ADR, "docs/decisions/README.md": INDEX + ROW}),
    ("adr-head", {"docs/decisions/0001-pure-core.md": ADR.replace("Accepted", "Fine"),
                  "docs/decisions/README.md": INDEX + ROW.replace("Accepted", "Fine")},
     {"docs/decisions/0001-pure-core.md": ADR, "docs/decisions/README.md": INDEX + ROW}),
    ("adr-index", {"docs/decisions/0001-pure-core.md": ADR, "docs/decisions/README.md": INDEX},
     {"docs/decisions/0001-pure-core.md": ADR, "docs/decisions/README.md": INDEX + ROW}),
    ("listed", {"proto/errors.h": ERRORS, "docs/protocol.md": "nothing\n"},
     {"proto/errors.h": ERRORS, "docs/protocol.md": "`NO_ROOM`\n"}),
    ("listed", {"proto/limits.h": SPDX + "#define LIMIT_A 1\n", "docs/operating.md": "LIMIT_AB\n"},
     {"proto/limits.h": SPDX + "#define LIMIT_A 1\n", "docs/operating.md": "LIMIT_A\n"}),
    ("reference", {"tools/a.c": SPDX + "// req 1.99\n", "docs/requirements.md": "| 1.1 | a |\n"},
     {"tools/a.c": SPDX + "// req 1.1\n", "docs/requirements.md": "| 1.1 | a |\n"}),
    ("reference", {"tools/a.c": SPDX + "// docs/decisions/0007\n"}, {"tools/a.c": SPDX}),
    ("registered", {"tests/unit/test_a.c": SPDX, "tests/unit/CMakeLists.txt": "test_ab\n"},
     {"tests/unit/test_a.c": SPDX, "tests/unit/CMakeLists.txt": "test_a\n"}),
]


def run_tidy(files, cc):
    """Returns the set of rules that tidy.py reports for a tree of [files], and its output."""
    with tempfile.TemporaryDirectory(prefix="tidy-") as root:
        for name, text in files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        command = [sys.executable, "-B", os.path.join(HERE, "tidy.py"), "--cc", cc, root]
        run = subprocess.run(command, capture_output=True, text=True)
    rules = {line.split("[", 1)[1].split("]", 1)[0] for line in run.stdout.splitlines()
             if ": [" in line}
    if run.returncode != (1 if rules else 0):
        rules.add(f"exit code {run.returncode}")
    return rules, run.stdout + run.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    args = parser.parse_args()
    wrong = 0
    for number, (rule, broken, mended) in enumerate(SAMPLES, 1):
        for files, wanted in ((broken, {rule}), (mended, set())):
            rules, out = run_tidy(files, args.cc)
            if rules != wanted:
                wrong += 1
                print(f"sample {number} ({rule}): wanted {wanted or 'nothing'}, got {rules}\n{out}")
    print(f"tidy_selftest: {len(SAMPLES)} samples, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
