# Shared by the scripts of this folder; sourced, not run.
# shellcheck shell=bash

# shellcheck disable=SC2034 # used by the scripts that source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What is fetched or built once per machine. Safe to delete.
# shellcheck disable=SC2034 # used by the scripts that source this
cache=${ANTEROOM_CACHE:-$HOME/.cache/anteroom}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        return 1
    fi
}

# apt_install PACKAGE...: asks for a password where sudo wants one.
apt_install() {
    have apt-get || die "please install the counterparts of these Debian packages: $*"
    say "installing $*"
    as_root apt-get update -qq >&2 || say "apt-get update failed; trying with the lists as they are"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
        die "could not install $*; as root: apt-get update && apt-get install $*"
}
