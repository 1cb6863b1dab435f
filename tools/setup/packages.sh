# System packages: which a set needs, which are missing, and how this distribution installs them.
# Sourced by the other scripts; `bash packages.sh family | missing SET | command SET | provide SET` on its own.

setup=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$setup/words.sh"
# Daemons are where a person's own PATH may not look.
PATH=$PATH:${KVMNB_SYSTEM_PATH-/usr/sbin:/sbin}

# The distribution's family, a column of packages.table; empty where it is none of them.
family() {
    local name ID='' ID_LIKE=''
    source "${KVMNB_OS_RELEASE:-/etc/os-release}"
    for name in $ID $ID_LIKE; do
        case $name in
            debian | ubuntu | fedora | rhel | opensuse | arch) echo "$name"; return ;;
            centos | rocky | almalinux) echo rhel; return ;;
            opensuse-* | suse | sles) echo opensuse; return ;;
        esac
    done
}

# The newest Python from 3.11 on that can make an environment. KVMNB_PYTHON names another one.
find_python() {
    local name
    for name in ${KVMNB_PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        "$name" -c '
import sys, venv, ensurepip, sqlite3, ssl
if sys.version_info < (3, 11): sys.exit(1)
print(sys.executable)' 2>/dev/null && return
    done
    return 1
}

find_chromium() {
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    return 1
}

is_seen() {
    local python
    case $1 in
        command:*) command -v "${1#*:}" >/dev/null ;;
        pkg-config:*) pkg-config --exists "${1#*:}" 2>/dev/null ;;
        python) find_python >/dev/null ;;
        python-headers)
            python=$(find_python) && "$python" -c '
import os, sys, sysconfig
sys.exit(not os.path.isfile(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' ;;
        chromium) find_chromium >/dev/null ;;
        deb:*) # On other families a Debian package proves nothing either way.
            ! command -v dpkg-query >/dev/null ||
                [ "$(dpkg-query -W -f='${db:Status-Status}' "${1#*:}" 2>/dev/null)" = installed ] ;;
    esac
}

# Lines "need package" of a set for this family; with the word missing, only what is not seen.
needs() {
    local set=$1 only=${2:-all} family set_ need seen debian ubuntu fedora rhel opensuse arch package
    family=$(family)
    while read -r set_ need seen debian ubuntu fedora rhel opensuse arch; do
        [ "$set_" = "$set" ] || continue
        [ "$only" = all ] || ! is_seen "$seen" || continue
        package=${family:+${!family}}
        [ "$package" = - ] || echo "$need ${package:-$need}"
    done <"$setup/packages.table"
}

packages() { needs "$@" | cut -d' ' -f2 | sort -u | tr '\n' ' ' | sed 's/ $//'; }

# The command an administrator types to install these packages.
install_command() {
    case $(family) in
        debian | ubuntu) echo "apt-get install --no-install-recommends $*" ;;
        fedora) echo "dnf install $*" ;;
        rhel) echo "dnf install --enablerepo=crb $*" ;;
        opensuse) echo "zypper install $*" ;;
        arch) echo "pacman -S --needed $*" ;;
        *) echo "(your distribution's installer) $*" ;;
    esac
}

may_use_sudo() { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }

# Installs what a set misses where that can be done, and otherwise says who has to type what.
# Returns 1 where something is still missing.
provide() {
    local missing
    missing=$(packages "$1" missing)
    [ -n "$missing" ] || return 0
    case $(family) in
        debian | ubuntu)
            if [ "$(id -u)" = 0 ]; then
                step "Installing system packages with apt: $missing"
                bash "$setup/apt.sh" $missing || note "apt-get did not succeed; its own words are above."
            elif may_use_sudo; then
                step "Installing system packages with sudo and apt: $missing"
                sudo bash "$setup/apt.sh" $missing || note "apt-get did not succeed; its own words are above."
            fi ;;
    esac
    missing=$(packages "$1" missing)
    [ -n "$missing" ] || return 0
    step "System packages are missing that cannot be installed from here. An administrator (root) types:"
    note "$(install_command "$missing")"
    case $(family) in
        rhel) note "(libvirt-devel is in the CRB repository, chromium in EPEL.)" ;;
        opensuse) note "(On Leap 15 take python312 and python312-devel instead of python313.)" ;;
    esac
    return 1
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    case ${1:-} in
        family) family ;;
        missing) packages "$2" missing ;;
        command) install_command "$(packages "$2")" ;;
        provide) provide "$2" ;;
        *) stop "say one of: family, missing SET, command SET, provide SET; SET is lab or test." ;;
    esac
fi
