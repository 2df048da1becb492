"""Asks the compiler whether a text is valid C++, with the flags that the library is compiled with."""
import json
import pathlib
import re
import shlex
import subprocess


class Compiler:
    """Takes the command from the entry of src/pilot/whitening.cpp, which knows Eigen as well, in compile_commands.json, without optimizer, sanitizers and precompiled headers."""

    def __init__(self, commands, scratch):
        entry = next(entry for entry in json.loads(pathlib.Path(commands).read_text()) if entry["file"].endswith("src/pilot/whitening.cpp"))
        words, self.command = iter(shlex.split(entry["command"])), []
        for word in words:
            if word in ("-o", "-c", "-include"):
                next(words)
            elif not re.fullmatch(r"-O.|-g|-fsanitize=.*|-Werror|-Winvalid-pch|-fpch-preprocess", word):
                self.command.append(word)
        self.command += ["-fsyntax-only", "-Werror"]
        self.directory, self.scratch = entry["directory"], pathlib.Path(scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)

    def complaint(self, name, text):
        """What the compiler says against the text, or None."""
        unit = self.scratch / (name.replace("/", "_") + ".cpp")
        unit.write_text(text)
        result = subprocess.run(self.command + [str(unit)], cwd=self.directory, capture_output=True, text=True)
        return result.stderr[:2000] or "no message" if result.returncode else None
