"""Includes between the module folders of src go one way only: include_direction.py ROOT

A public header counts to the module of src that has a source of its name, or that PUBLIC names.
"""
import pathlib
import re
import sys

from tree import conclude, sources

# A module may include what stands on a line above its own. Modules on one line do not know each other.
ORDER = (
    ("core",),
    ("simd", "parallel"),
    ("random",),
    ("energy", "network"),
    ("residual",),
    ("curve",),
    ("pilot",),
    ("collocation",),
    ("ode",),
    ("model",),
    ("training",),
    ("sampling",),
    ("metrics",),
    ("io",),
    ("studies",),
    ("app",),
)
# Public headers without a source of their own.
PUBLIC = {
    "boltzcurve": "io",
    **dict.fromkeys(("error", "choice", "choice_list", "precision", "setting", "shard", "stop", "views"), "core"),
    "reduction": "parallel",
    "training": "training",
    "counter_rng": "random",
    **dict.fromkeys(("dual", "energy_of", "rescaled"), "energy"),
    "network_settings": "network",
    "loss_shape": "residual",
    "curve_settings": "curve",
    "pilot_settings": "pilot",
    "collocation_settings": "collocation",
    "sampling_settings": "ode",
    "training_settings": "training",
    "evaluation_settings": "metrics",
}

LEVEL = {module: level for level, line in enumerate(ORDER) for module in line}


def module_of(path, root):
    """The module folder of a source file, or that of a public header's source."""
    parts = path.relative_to(root).parts
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    if path.stem in PUBLIC:
        return PUBLIC[path.stem]
    homes = sorted({source.relative_to(root / "src").parts[0] for source in (root / "src").rglob(f"{path.stem}.cpp")})
    return homes[0] if len(homes) == 1 else None


def may_include(module, other):
    if module == other:
        return True
    return LEVEL[other] < LEVEL[module]


root = pathlib.Path(sys.argv[1])
files, findings = sources(root), []
for path in files:
    module, name = module_of(path, root), path.relative_to(root)
    if module is None:
        findings.append(f"{name}: belongs to no module: neither below a folder of src, nor a public header with one source of its name")
        continue
    if module not in LEVEL:
        findings.append(f"{name}: folder '{module}' is not a module; known: {', '.join(LEVEL)}")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        private = re.match(r'\s*#\s*include\s*"([^"]*)"', line)
        public = re.match(r"\s*#\s*include\s*<(boltzcurve/[^>]*)>", line)
        if not private and not public:
            continue
        if private and name.parts[0] == "include":
            findings.append(f"{name}:{number}: a public header must not include a private one: {line.strip()}")
            continue
        other = root / "src" / private[1] if private else root / "include" / public[1]
        if not other.exists():
            # Headers that the build writes have neither folder.
            if not private or "/" in private[1]:
                findings.append(f"{name}:{number}: no such header; private ones are named from src, public ones as <boltzcurve/...>: {line.strip()}")
            continue
        included = module_of(other, root)
        if included in LEVEL and not may_include(module, included):
            findings.append(f"{name}:{number}: {module} must not include {included}: {line.strip()}")
conclude("direction of includes", len(files), findings)
