"""What the checks of the tree share: where the sources are, source text without comments, and how findings end a check."""
import pathlib
import re
import sys


def sources(root, folders=("include", "src"), suffixes=(".hpp", ".cpp")):
    """Every source file below the folders, sorted."""
    return sorted(path for folder in folders for path in (pathlib.Path(root) / folder).rglob("*") if path.suffix in suffixes)


def without_comments(text):
    """C++ text with comments blanked out, strings kept, line numbers unchanged."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return pattern.sub(lambda match: match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0]), text)


def conclude(subject, looked_at, findings):
    """Prints the findings and ends the program: 0 if there are none, 1 if there are, or if there was nothing to look at."""
    for finding in findings:
        print(finding)
    if not looked_at:
        print(f"{subject}: nothing found to look at; is the root right?")
    else:
        print(f"{subject}: {looked_at} looked at, {len(findings)} finding(s)")
    sys.exit(1 if findings or not looked_at else 0)
