"""The C++ in README and CONTRIBUTING compiles: documented_code.py ROOT COMPILE_COMMANDS SCRATCH"""
import pathlib
import re
import sys
import textwrap

from compiler import Compiler
from tree import conclude

root, compiler = pathlib.Path(sys.argv[1]), Compiler(sys.argv[2], sys.argv[3])
findings, looked_at = [], 0
for name in ("README.md", "CONTRIBUTING.md"):
    for indent, code in re.findall(r"^( *)```cpp\n(.*?)^ *```", (root / name).read_text(), re.MULTILINE | re.DOTALL):
        looked_at += 1
        complaint = compiler.complaint(f"{name}_{looked_at}", textwrap.dedent(code))
        if complaint:
            findings.append(f"{name}: C++ block {looked_at} does not compile:\n{complaint}")
conclude("documented code", looked_at, findings)
