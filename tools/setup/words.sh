# How the setup scripts speak: a step is announced, a note explains, an error names what to do.

step() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
stop() { printf 'Stopped: %s\n' "$*" >&2; exit 2; }
