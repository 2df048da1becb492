"""Every kernel and every View allocation has a label that begins with "boltzcurve::", so that profilers and error messages of Kokkos say
what they are about: kernel_labels.py ROOT

A check of the text, not of what runs. It knows parallel_for/reduce/scan, view_alloc, and a View (or one of the aliases of
core/views.hpp) that is constructed with a string; nested policies (TeamThreadRange and the like) take no label.
"""
import pathlib
import re
import sys

from tree import conclude, sources, without_comments

NESTED = re.compile(r"(Kokkos::)?(TeamThread|TeamVector|ThreadVector)(MD)?Range\b")
PATTERN = re.compile(r"\bparallel_(?:for|reduce|scan)\s*\(|\bview_alloc\s*\(|\b(?:Host|Device)?(?:View|Points|Scalars|PointScalars)\s*<")


def end_of_brackets(text, start, opening, closing):
    """Index after the bracket that closes the one at `start`; the end of the text when none does."""
    depth = 0
    for i in range(start, len(text)):
        depth += {opening: 1, closing: -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    return len(text)


def first_argument(text, start):
    """Text after an opening parenthesis or brace up to the next comma or the end of the statement, whichever comes first."""
    return re.split(r",|;", text[start:start + 400], maxsplit=1)[0].strip()


root = pathlib.Path(sys.argv[1])
findings, labels = [], 0
for path in sources(root):
    text = without_comments(path.read_text())
    for match in PATTERN.finditer(text):
        kind = match[0].rstrip("(< \n")
        if match[0].endswith("<"):
            after = end_of_brackets(text, match.end() - 1, "<", ">")
            constructed = re.compile(r'\s*\w*\s*[({]\s*"').match(text, after)
            if not constructed:
                continue  # a type, a copy, an unmanaged View: nothing is allocated here
            argument = first_argument(text, constructed.end() - 1)
        else:
            argument = first_argument(text, match.end())
            if NESTED.match(argument):
                continue
        labels += 1
        if '"boltzcurve::' not in argument:
            line = text.count("\n", 0, match.start()) + 1
            findings.append(f"{path.relative_to(root)}:{line}: {kind}: expected a label \"boltzcurve::...\", found {argument[:80] or 'nothing'}")
conclude("labels of kernels and Views", labels, findings)
