"""Every header, public or not, compiles alone, and twice in one file: self_contained_headers.py ROOT COMPILE_COMMANDS SCRATCH"""
import concurrent.futures
import os
import pathlib
import sys

from compiler import Compiler
from tree import conclude, sources

root, compiler = pathlib.Path(sys.argv[1]), Compiler(sys.argv[2], sys.argv[3])


def finding(header):
    folder = header.relative_to(root).parts[0]
    include = header.relative_to(root / folder).as_posix()
    line = f"#include <{include}>\n" if folder == "include" else f'#include "{include}"\n'
    complaint = compiler.complaint(include, line + line)
    return f"{include} does not compile on its own:\n{complaint}" if complaint else None


headers = sources(root, suffixes=(".hpp", ".h"))
with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
    conclude("self-contained headers", len(headers), [text for text in pool.map(finding, headers) if text])
