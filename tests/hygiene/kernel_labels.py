"""Every kernel and every View allocation has a label that begins with "boltzcurve::": kernel_labels.py ROOT

Profilers and error messages of Kokkos then say what they are about. A check of the text, not of what runs. It knows parallel_for, reduce and
scan, view_alloc, a View (or one of the aliases of core/views.hpp) that is constructed with a string, and functions that hand on a parameter
called `label`, whose callers must then name it. Nested policies (TeamThreadRange and the like) take no label.
"""
import pathlib
import re
import sys

from tree import conclude, sources, without_comments

KERNEL = re.compile(r"\b(parallel_(?:for|reduce|scan)|view_alloc)\s*\(")
VIEW = re.compile(r"\b((?:Host|Device)?(?:View|Points|Scalars|PointScalars))\s*<")
NESTED = re.compile(r"(Kokkos::)?(TeamThread|TeamVector|ThreadVector)(MD)?Range\b")
WRAPPER = re.compile(r"\b(\w+)\s*\(\s*(?:const char\s*\*|const std::string\s*&|std::string_view)\s*label\b")


def end_of_template(text, start):
    """Index after the bracket that closes the one at `start`; the end of the text when none does."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"<": 1, ">": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    return len(text)


def first_argument(text, start):
    """Text after an opening parenthesis or brace up to the next comma or the end of the statement, whichever comes first."""
    return re.split(r",|;", text[start:start + 400], maxsplit=1)[0].strip()


def labelled_places(text, wrappers):
    """(place, what stands there, its first argument) of everything in the text that needs a label."""
    for match in KERNEL.finditer(text):
        argument = first_argument(text, match.end())
        if not NESTED.match(argument) and argument != "label":
            yield match.start(), match[1], argument
    for match in VIEW.finditer(text):
        constructed = re.compile(r'\s*\w*\s*[({]\s*(?=")').match(text, end_of_template(text, match.end() - 1))
        if constructed:  # else a type, a copy or an unmanaged View: nothing is allocated here
            yield match.start(), match[1], first_argument(text, constructed.end())
    for name in wrappers:
        for match in re.finditer(rf"\b{name}\s*\(", text):
            if not WRAPPER.match(text, match.start()):
                yield match.start(), name, first_argument(text, match.end())


root = pathlib.Path(sys.argv[1])
texts = {path: without_comments(path.read_text()) for path in sources(root)}
wrappers = sorted({name for text in texts.values() for name in WRAPPER.findall(text)})
findings, labels = [], 0
for path, text in texts.items():
    for place, what, argument in labelled_places(text, wrappers):
        labels += 1
        if '"boltzcurve::' not in argument:
            line = text.count("\n", 0, place) + 1
            findings.append(f'{path.relative_to(root)}:{line}: {what}: expected a label "boltzcurve::...", found {argument[:80] or "nothing"}')
conclude("labels of kernels and Views", labels, findings)
