"""Keys of configurations stand in the program's folder only, since the library knows settings by their names: keys_outside_app.py ROOT"""
import pathlib
import re
import sys

from tree import conclude, sources, without_comments

SECTIONS = "target|latent|curve|network|normalizer|collocation|optimizer|training|sampling|evaluation|pilot|study|run"
KEY = re.compile(rf"\b(?:{SECTIONS})\.(?!hpp\b|cpp\b|h5\b)[a-z][a-z-]+")
TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"')

root = pathlib.Path(sys.argv[1])
files = [path for path in sources(root) if path.relative_to(root).parts[:2] != ("src", "app")]
findings = []
for path in files:
    for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
        if not line.lstrip().startswith("#include"):
            findings += [f"{path.relative_to(root)}:{number}: names the key {key}; name the setting, the program adds its section"
                         for text in TEXT.findall(line) for key in KEY.findall(text)]
conclude("sources outside src/app", len(files), findings)
