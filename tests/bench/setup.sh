#!/bin/sh
# setup.sh FOLDER: the Python packages of the benchmark, in a virtual environment in FOLDER; prints the Python
# to use.  Where pip gets nothing, that is the python3 that is there, with what is installed for it.
here=$(dirname "$0")
venv=$1
done=$venv/done
fail() {
    echo "bench: $1; going on with $(command -v python3) and the packages that it has" >&2
    command -v python3
    exit 0
}

if [ ! -e "$done" ] || [ -n "$(find "$here"/requirements*.txt -newer "$done")" ]; then
    python3 -m venv "$venv" >&2 || fail "no virtual environment (Debian: python3-venv)"
    pip="$venv/bin/python -m pip --disable-pip-version-check -q install"
    $pip -r "$here/requirements.txt" >&2 || fail "pip could not install requirements.txt"
    # One by one: a peer without a wheel for this machine is skipped by itself.
    grep -v '^#' "$here/requirements-peers.txt" | while read -r peer; do
        $pip --no-deps "$peer" >&2 || echo "bench: pip could not install $peer" >&2
    done
    touch "$done"
fi
echo "$venv/bin/python"
