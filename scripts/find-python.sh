#!/bin/sh
# Print the path of a Python >= 3.12 that really runs, or say what to install. $PYTHON wins if set.
# A name on PATH can be a version manager's shim that fails, so every candidate is tried.
set -u

works() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

path_of() {
    "$1" -c 'import sys; print(sys.executable)'
}

if [ -n "${PYTHON:-}" ]; then
    if works "$PYTHON"; then path_of "$PYTHON"; exit 0; fi
    echo "PYTHON=$PYTHON is not a working Python >= 3.12 with venv and ensurepip." >&2
    exit 1
fi

for name in python3.13 python3.12 python3.14 python3 python; do
    if command -v "$name" >/dev/null 2>&1 && works "$name"; then path_of "$name"; exit 0; fi
done

for root in "${PYENV_ROOT:-}" "$HOME/.pyenv"; do
    [ -n "$root" ] || continue
    for candidate in "$root"/versions/3.13*/bin/python "$root"/versions/3.12*/bin/python \
        "$root"/versions/3.1[4-9]*/bin/python; do
        if [ -x "$candidate" ] && works "$candidate"; then path_of "$candidate"; exit 0; fi
    done
done

if command -v uv >/dev/null 2>&1; then
    candidate=$(uv python find --no-project '>=3.12' 2>/dev/null) || candidate=
    if [ -n "$candidate" ] && works "$candidate"; then path_of "$candidate"; exit 0; fi
fi

cat >&2 <<'MESSAGE'
bayes_attrib needs Python 3.12 or newer, with venv and pip, and found none that runs.

  Debian, Ubuntu   apt-get install python3.12 python3.12-venv
  macOS            brew install python@3.13
  pyenv            pyenv install 3.13
  uv               uv python install 3.13

If it lies elsewhere, name it: make demo PYTHON=/path/to/python3.13
MESSAGE
exit 1
