# Sourced by run, test, check and bench: finds a Python and lets _setup.py bring .venv up to date.
# shellcheck shell=bash

# The first interpreter that is new enough; PYTHON=... chooses one.
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    cat >&2 <<'MESSAGE'
shmcache needs Python 3.11 or newer, and none was found on the PATH.
  Debian, Ubuntu:  apt-get install python3 python3-venv python3-dev
  Fedora:          dnf install python3 python3-devel
Another one is used when PYTHON names it:  PYTHON=/opt/python3.12/bin/python3 scripts/run
MESSAGE
    return 1
}

# setup EXTRA...: .venv with the project and these optional dependencies of pyproject.toml.
setup() {
    local python
    python=$(find_python) || exit 1
    "$python" scripts/_setup.py "$@" || exit 1
}

# ensure_redis_server: the oracle of the tests and a peer of the benchmark. Returns 1 when there is none.
ensure_redis_server() {
    command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null && return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        return 1
    fi
    echo "==> Installing redis-server (apt-get)" >&2
    # The package starts a server of its own; policy-rc.d is how Debian lets an installer forbid that.
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=yes
    fi
    {
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
            --no-install-recommends redis-server
    } >/dev/null 2>&1
    [ -z "$made" ] || rm -f "$policy"
    command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null
}

# ensure_node_packages: what tests/ecosystem/node runs, installed beside it. Returns 1 when that cannot be.
ensure_node_packages() {
    local where=tests/ecosystem/node
    if ! command -v npm >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "==> Installing node (apt-get)" >&2
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
            --no-install-recommends nodejs npm; } >/dev/null 2>&1
    fi
    command -v npm >/dev/null || return 1
    if [ ! "$where/node_modules/.package-lock.json" -nt "$where/package.json" ]; then
        echo "==> Installing ioredis and BullMQ (npm)" >&2
        (cd "$where" && npm install --no-audit --no-fund --no-package-lock --ignore-scripts) \
            >/dev/null 2>&1 || return 1
    fi
}
