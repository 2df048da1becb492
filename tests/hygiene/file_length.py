"""No source file has more lines than one subject needs: file_length.py ROOT [LIMIT]"""
import pathlib
import sys

from tree import conclude, sources

root, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 600
files = sources(root)
lengths = {path: len(path.read_text().splitlines()) for path in files}
conclude("length of files", len(files),
         [f"{path.relative_to(root)}: {length} lines, at most {limit}; does it still have one subject?"
          for path, length in lengths.items() if length > limit])
