#!/usr/bin/env bash
# make test: installs what the tests need and runs every stage; with names of stages, only these and no system packages.
# Every stage runs, also after one failed; the exit code is 0 only where none failed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
source "$setup/environment.sh"
cd "$repo"

stages=(lint unit labtests notebooks browser)
workers=${KVMNB_TEST_WORKERS:-2}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/kvmnb-test.XXXXXX")
running=

# A stage is a process group of its own; it is ended and waited for, so that what it started is taken down.
finish() {
    if [ -n "$running" ]; then
        kill -TERM -- "-$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Nothing of the person's own settings, history or journal is read or written by a test.
export XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config XDG_DATA_HOME=$scratch/data
export JUPYTER_CONFIG_DIR=$scratch/jupyter IPYTHONDIR=$scratch/ipython
mkdir -p "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$XDG_DATA_HOME"
unset KVMNB_HOST LIBVIRT_DEFAULT_URI
# Hundreds of processes import kvmnb and its tests: each would compile them anew.
unset PYTHONDONTWRITEBYTECODE

lint() {
    local code=0
    "$venv/bin/ruff" check . || code=1
    "$venv/bin/ruff" format --check --output-format concise . || code=1
    "$venv/bin/mypy" || code=1
    return $code
}
unit() {
    "$venv/bin/python" -m pytest -q -n "$workers" -m "not lab and not browser and not soak"
}
# The files that hold tests of a mark: to collect all the others takes each worker ten seconds.
marked() { grep -rlsE --include='test_*.py' "mark\.$1\b" tests | sort; }
# Guests of the lab alone, unless KVMNB_LAB=1 allows host settings to be written and restored too. Each worker has a
# libvirtd of its own. Files are taken by their names: the first one takes longest, and it has few tests.
labtests() {
    local files
    mapfile -t files < <(marked lab)
    KVMNB_LAB=${KVMNB_LAB:-guests} "$venv/bin/python" -m pytest -q -n "$workers" --dist loadfile --no-loadscope-reorder \
        -m "lab and not browser and not soak" "${files[@]}"
}
notebooks() { "$venv/bin/python" tools/run_notebooks.py "$@" --workers "$workers"; }
# Those on the lab are skipped, and say so, unless root runs them with KVMNB_LAB=1; -s shows the figures.
soak() { "$venv/bin/python" -m pytest -q -s -m soak; }
# Each worker has a JupyterLab and a Chromium of its own. In this order the charts that are left to run for minutes are
# the first thing that one of them does; the other one takes tests off it meanwhile.
browser() {
    local files
    mapfile -t files < <(marked browser | sort -r)
    "$venv/bin/python" -m pytest -q -n "$workers" --dist worksteal -m "browser and not soak" "${files[@]}"
}

# Why a stage cannot run on this machine; nothing where it can.
obstacle() {
    case $1 in
        labtests)
            lab_obstacle ;;
        browser) [ -n "${KVMNB_CHROMIUM:-}" ] || echo "no Chromium is installed" ;;
    esac
}
lab_obstacle() {
    if [ "$(id -u)" != 0 ]; then echo "a libvirtd of its own needs root, and this is $(id -un)"
    elif ! has_libvirt; then echo "libvirt-python is not installed"
    elif [ "$(needs test missing | grep -cE '^(libvirtd|qemu-driver|qemu) ')" != 0 ]; then
        echo "missing: $(packages test missing)"
    elif ! command -v apt-get >/dev/null; then echo "the small guest is built from Debian packages"
    elif ! command -v libvirtd >/dev/null; then echo "libvirtd is not installed"
    fi
}

# The small guest's kernel comes through apt, which has to know the packages that its servers hold today.
refresh_apt() {
    local lists=/var/lib/apt/lists
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
    if compgen -G "$lists/*_Packages*" >/dev/null && [ -n "$(find "$lists" -maxdepth 0 -mtime -1)" ]; then return; fi
    step "Refreshing apt's lists of packages"
    apt-get -q -o Acquire::Retries=3 update || note "apt-get did not succeed; its own words are above."
}

# Debian's package serves; Ubuntu has Chromium as a snap only, so there Playwright brings its own.
provide_chromium() {
    KVMNB_CHROMIUM=${KVMNB_CHROMIUM:-$(find_chromium || true)}
    if [ -z "$KVMNB_CHROMIUM" ] && [ "$(family)" = ubuntu ]; then
        step "Installing Chromium through Playwright (Ubuntu has no package of it)"
        if "$venv/bin/playwright" install chromium; then
            KVMNB_CHROMIUM=$("$venv/bin/python" -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as p: print(p.chromium.executable_path)')
        fi
    fi
    export KVMNB_CHROMIUM
}

summary=()
failed=0

# The lines with which pytest closes: "12 passed, 1 skipped in 3.20s".
closing() { grep -E '^(=+ )?([0-9]+ [a-z]+(, )?)+ in [0-9.]+s' "$1" | tr -d = || true; }

run_stage() {
    local name=$1 why log output tee code=0 started=$SECONDS verdict=passed line
    shift
    log=$scratch/$name.log
    why=$(obstacle "$name")
    if [ -n "$why" ]; then
        step "$name: skipped, $why"
        summary+=("$(printf '%-10s skipped: %s' "$name" "$why")")
        # Where nobody reads the words, a stage that cannot run is a failure.
        [ "${CI:-}" != true ] || failed=1
        return
    fi
    step "$name"
    exec {output}> >(trap '' INT TERM; exec tee "$log")
    tee=$!
    set -m
    { trap : TERM; "$name" "$@"; } </dev/null >&"$output" 2>&1 &
    running=$!
    set +m
    wait "$running" || code=$?
    running=
    exec {output}>&-
    if [ "$code" != 0 ]; then
        verdict="FAILED ($code)"
        failed=1
    fi
    # tee ends with the last process that can write to it: the stage and all that it started.
    for _ in {1..50}; do
        kill -0 "$tee" 2>/dev/null || break
        sleep 0.1
    done
    if kill -KILL "$tee" 2>/dev/null; then
        verdict="FAILED (what it started still runs)"
        failed=1
    fi
    summary+=("$(printf '%-10s %s, %d s' "$name" "$verdict" $((SECONDS - started)))")
    while read -r line; do summary+=("           $line"); done < <(closing "$log")
}

if [ $# = 0 ]; then
    provide lab || note "Going on with what is possible without them."
    provide test || note "Going on; stages that need them are skipped and say so."
    refresh_apt
else
    stages=("$@")
fi
environment dev
if [[ " ${stages[*]} " = *" browser "* ]]; then provide_chromium; fi
for name in "${stages[@]}"; do
    case $name in
        lint | unit | labtests | browser | soak) run_stage "$name" ;;
        notebooks)
            why=$(lab_obstacle)
            if [ -n "$why" ]; then
                step "notebooks: on the demo host only, not on a live libvirt: $why"
                [ "${CI:-}" != true ] || failed=1
                run_stage notebooks strict
            else
                run_stage notebooks strict lax
            fi ;;
        *) stop "there is no stage $name; stages: lint unit labtests notebooks browser soak" ;;
    esac
done
step "Summary after $SECONDS s"
printf '%s\n' "${summary[@]}"
exit "$failed"
