#!/usr/bin/env bash
# make install-root: installs kvmnb-root, the program that writes host settings for ordinary users, and its polkit
# policy. As root; PREFIX (default /usr/local/lib/kvmnb-root) and every folder above it must be root's alone.
#
#   install_root.sh [--prefix FOLDER] [--policy FOLDER | --no-policy]     install, or install anew
#   install_root.sh --remove [--prefix FOLDER] [--policy FOLDER | --no-policy]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
repo=$(cd "$setup/../.." && pwd)
umask 022

prefix=/usr/local/lib/kvmnb-root
policy=/usr/share/polkit-1/actions
remove=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) prefix=${2:?--prefix needs a folder}; shift ;;
        --policy) policy=${2:?--policy needs a folder}; shift ;;
        --no-policy) policy= ;;
        --remove) remove=1 ;;
        *) stop "say [--remove] [--prefix FOLDER] [--policy FOLDER | --no-policy]" ;;
    esac
    shift
done
case $prefix in
    /*[!A-Za-z0-9/._-]* | */../* | */.. | [!/]* | /) stop "the prefix has to be a whole path of plain letters: $prefix" ;;
esac
policy_file=${policy:+$policy/org.kvmnb.root.policy}
# What is installed for root; nothing of the notebooks, the charts and the measuring is.
parts=(core machine facts tunable probe place advise plan apply)
programs=(kvmnb-root kvmnb-root-guard)

[ "$(id -u)" = 0 ] || stop "kvmnb-root is installed by root: sudo make install-root"

# The files of an installation are listed in it; they are removed one by one, never a whole tree.
uninstall() {
    local path
    [ -f "$prefix/files" ] || return 0
    while read -r path; do
        case $path in /* | *..*) stop "$prefix/files names $path, which is none of its own" ;; esac
        rm -f -- "$prefix/$path"
    done <"$prefix/files"
    rm -f -- "$prefix/files"
    # Folders that are empty now, the deepest first; one that holds anything else stays.
    find "$prefix" -xdev -depth -type d -exec rmdir --ignore-fail-on-non-empty -- {} + 2>/dev/null || true
}

root_owned() {
    local folder
    folder=$(realpath -m -- "$1")
    while :; do
        if [ -e "$folder" ]; then
            [ "$(stat -c %u -- "$folder")" = 0 ] || stop "$folder is not root's"
            [ -z "$(find "$folder" -maxdepth 0 -perm /022)" ] || stop "$folder can be written by others than root"
        fi
        [ "$folder" != / ] || return 0
        folder=$(dirname "$folder")
    done
}

# The system's own Python: root's, and reachable by nobody else's writing.
system_python() {
    local name found
    for name in ${KVMNB_ROOT_PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        for found in "/usr/bin/$name" "/usr/local/bin/$name"; do
            [ -x "$found" ] || continue
            found=$(realpath "$found")
            (root_owned "$found") 2>/dev/null || continue
            "$found" -IS -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
            echo "$found"
            return
        done
    done
    stop "no Python 3.11 or newer that is root's was found in /usr/bin; $(install_command "$(needs lab | sed -n 's/^python //p')")"
}

if [ -n "$remove" ]; then
    uninstall
    [ -z "$policy_file" ] || rm -f -- "$policy_file"
    step "Removed kvmnb-root from $prefix; what it journalled stays in /var/lib/kvmnb"
    exit
fi

root_owned "$prefix"
python=$(system_python)
minor=$("$python" -IS -c 'import sys; print("%d.%d" % sys.version_info[:2])')
uninstall
install -d -m 0755 "$prefix" "$prefix/lib" "$prefix/lib/kvmnb"

copy() { # FROM A FOLDER, the names in it
    local from=$1
    shift
    (cd "$from" && find "$@" -type f \( -name '*.py' -o -name '*.so' -o -name '*.txt' \) ! -path '*/tests/*' -print0) |
        while IFS= read -r -d '' name; do install -D -m 0644 "$from/$name" "$prefix/lib/$name"; done
}
copy "$repo" kvmnb/__init__.py "${parts[@]/#/kvmnb/}"

# Packages with compiled parts serve one minor version of Python: .venv's where it is the same, else fetched anew.
needed=(msgspec)
! grep -q '^ *"pyroute2' "$repo/pyproject.toml" || needed+=(pyroute2)
venv=${KVMNB_VENV:-$repo/.venv}
site=$venv/lib/python$minor/site-packages
fetched=
if [ ! -d "$site/msgspec" ]; then
    site=$(mktemp -d)
    fetched=$site
    trap 'find "$fetched" -xdev -delete' EXIT
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --only-binary=:all: --no-compile \
        --python-version "$minor" --target "$site" -c "$repo/constraints.txt" "${needed[@]}"
fi
copy "$site" "${needed[@]}"

for name in "${programs[@]}"; do
    { echo "#!$python -IS"; cat "$repo/kvmnb/apply/root/launcher.py"; } >"$prefix/$name"
done
"$python" -ISm compileall -q "$prefix/lib"
chmod 0755 "$prefix/kvmnb-root"
chmod 0700 "$prefix/kvmnb-root-guard" # started by kvmnb-root alone
(cd "$prefix" && find . -xdev -type d -exec chmod 0755 {} + && find . -xdev ! -type d -printf '%P\n' >files)
chown -R --no-dereference 0:0 "$prefix"

if [ -n "$policy_file" ] && [ -d "$policy" ]; then
    sed "s|/usr/local/lib/kvmnb-root/kvmnb-root|$prefix/kvmnb-root|" "$setup/org.kvmnb.root.policy" >"$policy_file"
    chmod 0644 "$policy_file"
fi
"$prefix/kvmnb-root" --check || stop "kvmnb-root was installed and does not run; its own words are above."
step "Installed $prefix/kvmnb-root for $python"
note "Through polkit an administrator is asked for a password. Without polkit, let people in with sudo (visudo):"
note "%kvmnb ALL=(root) NOPASSWD: $prefix/kvmnb-root \"\""
