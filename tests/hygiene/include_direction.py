"""Includes between the module folders go one way only: include_direction.py ROOT"""
import pathlib
import re
import sys

from tree import conclude, sources

# A module may include what stands on a line above its own. Modules on one line do not know each other.
ORDER = (
    ("core",),
    ("parallel", "random"),
    ("energy", "network"),
    ("curve",),
    ("collocation",),
    ("training",),
    ("ode",),
    ("sampling",),
    ("metrics",),
    ("io",),
    ("run",),
    ("sweep",),
    ("commands",),
)
# Stands high in the order, since it is used late, and yet knows little.
FEW = {"io": {"core", "parallel"}}

LEVEL = {module: level for level, line in enumerate(ORDER) for module in line}


def module_of(path, root):
    """The module folder of a source file, or None for src/main.cpp."""
    parts = path.relative_to(root).parts
    parts = parts[2:] if parts[0] == "include" else parts[1:]
    return parts[0] if len(parts) > 1 else None


def may_include(module, other):
    if module == other:
        return True
    if module in FEW:
        return other in FEW[module]
    return LEVEL[other] < LEVEL[module]


root = pathlib.Path(sys.argv[1])
files, findings = sources(root), []
for path in files:
    module = module_of(path, root)
    if module is None:
        continue
    name = path.relative_to(root)
    if module not in LEVEL:
        findings.append(f"{name}: folder '{module}' is not a module; known: {', '.join(LEVEL)}")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*[<"]boltzcurve/([^/>"]+)/', line)
        if match and match[1] not in LEVEL:
            findings.append(f"{name}:{number}: includes from '{match[1]}', which is no module")
        elif match and not may_include(module, match[1]):
            findings.append(f"{name}:{number}: {module} must not include {match[1]}: {line.strip()}")
        private = re.match(r'\s*#\s*include\s*"([^"]*)"', line)
        if private and ("/" in private[1] or not (path.parent / private[1]).exists()):
            findings.append(f"{name}:{number}: quotes are for a private header beside the file, else <boltzcurve/...>: {line.strip()}")
conclude("direction of includes", len(files), findings)
