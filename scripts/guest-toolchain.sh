# Sourced by the scripts that build guests in Rust, after common.sh: finds a standard library for
# wasm32-unknown-unknown, the first of these that works, and sets `guest_env` for cargo.
#   rustup   the target is installed, or `rustup target add` gets it
#   debian   Debian's rustc-web compiles it from rust-web-src; unpacked into a cache folder, never installed
# ANTEROOM_GUEST_TOOLCHAIN=rustup|debian allows only that one.
# shellcheck shell=bash

want=${ANTEROOM_GUEST_TOOLCHAIN:-any}
triple=wasm32-unknown-unknown

case $want in any | rustup | debian) ;; *) die "ANTEROOM_GUEST_TOOLCHAIN is '$want'; expected rustup or debian" ;; esac
have cargo || die "cargo is missing: install Rust from https://rustup.rs"

have_target() { compgen -G "$(rustc --print target-libdir --target $triple)/libstd-*.rlib" >/dev/null; }

add_target() {
    have rustup || return 1
    say "adding the Rust target $triple"
    timeout 60 rustup target add $triple >&2
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]; }

# Everything libstd-rust-web-dev needs (its versioned libstd and LLVM among it) and this machine lacks.
debian_packages() {
    local package
    echo rustc-web
    echo rust-web-src
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances libstd-rust-web-dev | grep -E '^[a-z0-9]' | sed 's/:.*//' | sort -u |
        while read -r package; do installed "$package" || echo "$package"; done
}

debian_rustc() { LD_LIBRARY_PATH=$cache/rustc-web/usr/lib/$(uname -m)-linux-gnu "$cache/rustc-web/usr/bin/rustc" "$@"; }

fetch_debian_rustc() {
    debian_rustc --version >/dev/null 2>&1 && return 0
    have apt-get && have dpkg || return 1
    local staging packages
    mkdir -p "$cache"
    rm -rf "$cache"/rustc-web.new.*
    staging=$(mktemp -d "$cache/rustc-web.new.XXXXXX")
    chmod 755 "$staging" # apt's own user reads it
    say "fetching Debian's rustc-web into $cache (about 170 MB; nothing is installed)"
    as_root apt-get update -qq >&2 || say "apt-get update failed; trying with the lists as they are"
    packages=$(debian_packages)
    mkdir "$staging/debs"
    # shellcheck disable=SC2086 # one word per package
    (cd "$staging/debs" && apt-get -o APT::Sandbox::User=root download -qq $packages >&2) || { rm -rf "$staging"; return 1; }
    local deb
    for deb in "$staging"/debs/*.deb; do
        dpkg -x "$deb" "$staging"
    done
    rm -rf "$staging/debs" "$cache/rustc-web"
    mv "$staging" "$cache/rustc-web"
    debian_rustc --version >/dev/null || return 1
}

linker() {
    local lld
    for lld in "$(rustc --print sysroot)"/lib/rustlib/*/bin/rust-lld; do
        [[ -x $lld ]] && { echo "$lld"; return; }
    done
    command -v rust-lld || command -v wasm-ld || die "no rust-lld or wasm-ld was found: install Debian's package lld"
}

# Unsets first, then settings, as env(1) takes them.
guest_toolchain() {
    # The host's flags are not the guest's, and paths of this machine have no place in a component.
    guest_env=(-u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_TARGET
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=--remap-path-prefix=$root=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo")

    if [[ $want != debian ]] && have_target; then
        :
    elif [[ $want == any ]] && ! debian_rustc --version >/dev/null 2>&1 && add_target && have_target; then
        :
    elif [[ $want == rustup ]] && add_target && have_target; then
        :
    elif [[ $want != rustup ]] && fetch_debian_rustc; then
        guest_env+=(CARGO_UNSTABLE_BUILD_STD=std,panic_abort "RUSTC=$cache/rustc-web/usr/bin/rustc" RUSTC_BOOTSTRAP=1
            "LD_LIBRARY_PATH=$cache/rustc-web/usr/lib/$(uname -m)-linux-gnu"
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(linker)")
    else
        die "no standard library for $triple: 'rustup target add $triple' failed, and so did Debian's rustc-web"
    fi
}
