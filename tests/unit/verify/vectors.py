"""Writes docs/vectors: an archive of two small records, the roster that vouches for them, and the verdicts.

usage: vectors.py FOLDER     (the corpus test compares what it writes with what stands in docs/vectors)
"""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))

from record_builder import Record, bundle, complete  # noqa: E402


def write(folder):
    first, files = complete(os.path.join(folder, "archive/0001-root-2026"), Record().ceremony_entries())
    origin, size, root, _ = first.checkpoint_text().split("\n")
    previous = {"origin": origin, "size": int(size), "root": base64.b64decode(root).hex()}
    second = Record(ceremony="issuing-2026", previous=previous, number=2, log="log 2").ceremony_entries()
    complete(os.path.join(folder, "archive/0002-issuing-2026"), second)
    for path, content in bundle(first, files, {2, 20}, ["inputs/roster.json"]).items():
        os.makedirs(os.path.dirname(os.path.join(folder, "bundle", path)), exist_ok=True)
        with open(os.path.join(folder, "bundle", path), "wb") as file:
            file.write(content)
    with open(os.path.join(folder, "roster.json"), "wb") as file:
        file.write(first.roster())


if __name__ == "__main__":
    write(sys.argv[1])
