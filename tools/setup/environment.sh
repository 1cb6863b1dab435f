# The Python environment in .venv: made once, made anew only when what it follows from changes. Sourced.

repo=$(cd "$setup/../.." && pwd)
venv=$repo/.venv

# libvirt-python has no wheels: it is built here, against the headers of the installed libvirt.
can_build_libvirt() { is_seen command:gcc && is_seen pkg-config:libvirt && is_seen python-headers; }

has_libvirt() { "$venv/bin/python" -c 'import libvirt' 2>/dev/null; }

venv_works() { "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# What an environment for a purpose follows from.
fingerprint() {
    { echo "$1"; "$venv/bin/python" -VV; cat "$repo/pyproject.toml" "$repo/constraints.txt"; } |
        sha256sum | cut -d' ' -f1
}

pip_install() {
    local quiet=-qq
    [ ! -t 1 ] || quiet=
    "$venv/bin/python" -m pip install $quiet --disable-pip-version-check -c "$repo/constraints.txt" "$@"
}

build_libvirt() {
    can_build_libvirt || return 0
    step "Building libvirt-python against libvirt $(pkg-config --modversion libvirt)"
    pip_install libvirt-python || note "libvirt-python could not be built; the words of pip are above."
}

make_venv() {
    local python
    python=$(find_python) || stop "no Python 3.11 or newer with its venv module was found." \
        "Debian 12, Ubuntu 24.04 and newer have one; an administrator types:" \
        "$(install_command "$(needs lab | sed -n 's/^python //p')")"
    step "Making the Python environment .venv with $("$python" -V)"
    "$python" -m venv --clear "$venv"
}

# Makes .venv fit for a purpose: lab (to work with kvmnb) or dev (to test it, which serves the lab too).
environment() {
    local purpose=$1
    # The scripts in .venv hold its path: a folder that was copied or moved needs its own.
    if ! venv_works || ! grep -qsF "$venv/bin/python" "$venv/bin/pip"; then make_venv; fi
    if [ "$(cat "$venv/.kvmnb-$purpose" 2>/dev/null)" = "$(fingerprint "$purpose")" ]; then
        has_libvirt || build_libvirt
        return
    fi
    step "Installing Python packages into .venv (a minute or two the first time)"
    pip_install -e "$repo[record$([ "$purpose" = lab ] || echo ",$purpose")]" ||
        stop "pip could not install the Python packages; its own words are above. Can a package index be reached?"
    build_libvirt
    fingerprint lab >"$venv/.kvmnb-lab"
    [ "$purpose" = lab ] || fingerprint "$purpose" >"$venv/.kvmnb-$purpose"
}
