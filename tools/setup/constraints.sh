#!/usr/bin/env bash
# make constraints: the newest versions that fit pyproject.toml, found with the oldest Python that is supported,
# since what installs there installs on the later ones. Written without addresses.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
repo=$(cd "$setup/../.." && pwd)
oldest=3.11.2 # of Debian 12; some packages ask for a later 3.11

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export KVMNB_PYTHON=${KVMNB_PYTHON:-/usr/bin/python3.11}
python=$(find_python) || stop "Python $oldest with its venv module is needed; KVMNB_PYTHON names it."
[ "$("$python" -V)" = "Python $oldest" ] ||
    stop "$python is $("$python" -V); versions that fit everywhere are found with $oldest, which KVMNB_PYTHON names."

step "Resolving with $("$python" -V)"
"$python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install -q --disable-pip-version-check "$repo[libvirt,record,dev]"
{
    echo "# The exact versions that the tests ran with, for every Python that kvmnb supports."
    echo "# Made by \`make constraints\`; used by \`make lab\`, \`make test\` and binder/."
    "$scratch/venv/bin/python" -m pip freeze --disable-pip-version-check --exclude kvmnb
} >"$scratch/constraints.txt"
if grep -nE '@|://' "$scratch/constraints.txt"; then
    stop "the lines above hold an address; constraints.txt is left as it was."
fi
cp "$scratch/constraints.txt" "$repo/constraints.txt"
step "constraints.txt: $(grep -c == "$repo/constraints.txt") packages"
