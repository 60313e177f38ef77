"""documents_test.py DOCUMENT runs every command that the document shows (see documents.py)."""
import sys

import documents
import tree


def main():
    path = sys.argv[1]
    try:
        ran, elsewhere = documents.check_document(path, tree.read(path))
    except documents.Fault as fault:
        print(f"{path}: {fault}", file=sys.stderr)
        return 1
    print(f"{path}: {ran} commands ran, {elsewhere} are run by another script")
    return 0


if __name__ == "__main__":
    sys.exit(main())
