#!/usr/bin/env bash
# make lab: installs what is missing, says which host will be opened, and opens JupyterLab on the notebooks.
# Installs no hypervisor, starts no service, creates no bridge. `--prepare` stops before JupyterLab.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
source "$setup/environment.sh"

hypervisor_is_installed() {
    command -v libvirtd >/dev/null || command -v virtqemud >/dev/null
}

choose_host() {
    if [ -n "${KVMNB_HOST:-}" ]; then
        step "Opening the host that KVMNB_HOST names: $KVMNB_HOST"
    elif ! has_libvirt; then
        step "libvirt-python is not installed: opening the demo host, a recorded server"
        export KVMNB_HOST=demo
    elif [ -n "${LIBVIRT_DEFAULT_URI:-}" ]; then
        step "Opening the host that LIBVIRT_DEFAULT_URI names: $LIBVIRT_DEFAULT_URI"
    elif hypervisor_is_installed; then
        step "Opening this machine's libvirt (qemu:///system)"
    else
        step "No hypervisor is installed here: opening the demo host, a recorded server"
        export KVMNB_HOST=demo
    fi
}

# The demo host needs nothing but Python; everything else is asked for where it is missing.
if [ "${KVMNB_HOST:-}" = demo ] && find_python >/dev/null; then :
else provide lab || note "Going on with what is possible without them."
fi
environment lab
if [ "${1:-}" = --prepare ]; then exit; fi
choose_host
if [ "$(id -u)" = 0 ]; then
    step "Running as root: JupyterLab and every notebook in it have root's rights on this machine"
fi
exec "$venv/bin/kvmnb" lab "$@"
