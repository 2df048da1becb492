"""No return code of MPI or HDF5 is dropped: return_codes.py ROOT

A check of the text: a call of theirs that stands as a statement of its own, or behind a cast to void, is a finding. Those that say nothing by
their return code are let through.
"""
import pathlib
import re
import sys

from tree import conclude, sources, without_comments

CALL = re.compile(r"\b(MPI_[A-Z][a-z]\w*|H5[A-Z][A-Z]?[a-z]\w*)\s*\(")
SPEAK_OTHERWISE = {
    "MPI_Abort",               # does not return
    "H5Ewalk2", "H5Eclear2",   # on the way to the message of an error that is there already
}
# What stands before a call whose value nothing takes: the end of a statement or of a condition, or the beginning of a loop.
DROPPED = re.compile(r"(?:[;{})]|\bfor\s*\(|\belse|\bdo)\s*$")


root = pathlib.Path(sys.argv[1])
findings, calls = [], 0
for path in sources(root):
    text = without_comments(path.read_text())
    for match in CALL.finditer(text):
        calls += 1
        if match[1] not in SPEAK_OTHERWISE and DROPPED.search(text[max(0, match.start() - 200):match.start()]):
            line = text.count("\n", 0, match.start()) + 1
            findings.append(f"{path.relative_to(root)}:{line}: the return code of {match[1]} is dropped")
conclude("return codes of MPI and HDF5", calls, findings)
