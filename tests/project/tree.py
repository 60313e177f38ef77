"""What belongs to the project: the files that are in the source tree and not ignored."""
import os
import subprocess

SOURCE = os.path.realpath(os.environ.get("KEYCEREMONY_SOURCE_DIR") or os.path.join(os.path.dirname(__file__), "../.."))
# What .gitignore names, for trees that were unpacked from an archive and have no git.
IGNORED_FOLDERS = {".git", "build", "__pycache__", ".cache"}


def files():
    """All paths of the project relative to its top, sorted. With git, new files count before they are added."""
    if os.path.exists(os.path.join(SOURCE, ".git")):
        try:
            listed = subprocess.run(
                ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=SOURCE, capture_output=True, check=True).stdout.decode()
            return sorted(path for path in set(listed.split("\0"))
                          if path and os.path.exists(os.path.join(SOURCE, path)))
        except (OSError, subprocess.CalledProcessError):
            pass  # no git on this machine: walk
    found = []
    for folder, names, leaves in os.walk(SOURCE):
        names[:] = [name for name in names if name not in IGNORED_FOLDERS and not name.startswith("build-")]
        found += [os.path.relpath(os.path.join(folder, leaf), SOURCE) for leaf in leaves
                  if leaf != "compile_commands.json" and not leaf.endswith(".swp")]
    return sorted(found)


def read(path):
    """The text of a file of the project; None when it is not text."""
    with open(os.path.join(SOURCE, path), "rb") as file:
        data = file.read()
    try:
        return None if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None
