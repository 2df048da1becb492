"""Every public header compiles alone, and twice in one file: self_contained_headers.py ROOT COMPILE_COMMANDS SCRATCH"""
import concurrent.futures
import os
import pathlib
import sys

from compiler import Compiler
from tree import conclude, sources

root, compiler = pathlib.Path(sys.argv[1]), Compiler(sys.argv[2], sys.argv[3])


def finding(header):
    include = header.relative_to(root / "include").as_posix()
    complaint = compiler.complaint(include, f"#include <{include}>\n#include <{include}>\n")
    return f"{include} does not compile on its own:\n{complaint}" if complaint else None


headers = sources(root, ("include",), (".hpp", ".h"))
with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
    conclude("self-contained headers", len(headers), [text for text in pool.map(finding, headers) if text])
