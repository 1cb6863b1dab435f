#!/usr/bin/env bash
# Installs Debian packages as root, and starts or restarts no service on the way.
# A policy-rc.d that answers 101 forbids it while apt runs; one that was there is put back, also after a failure.
set -euo pipefail

policy=${KVMNB_POLICY_RC_D:-/usr/sbin/policy-rc.d}
kept=$policy.kept-by-kvmnb
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

restore() {
    rm -f "$policy"
    [ ! -e "$kept" ] || mv "$kept" "$policy"
}

# A run that was killed outright left these two; what it kept is the true one.
if [ -e "$kept" ]; then restore; fi
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -e "$policy" ]; then mv "$policy" "$kept"; else rm -f "$kept"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 0755 "$policy"

options=(-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0)
apt-get "${options[@]}" update
apt-get "${options[@]}" install --yes --no-install-recommends --no-remove "$@"
