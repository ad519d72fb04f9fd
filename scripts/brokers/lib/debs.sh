# SPDX-License-Identifier: Apache-2.0
# debs.sh - sourced by the broker scripts; POSIX sh.
#
# debs_fetch SUITE ROOT CACHE DENY PKG...
#   Downloads PKG... and what they depend on from SUITE (bookworm, trixie, sid ...)
#   of the Debian mirror that this machine's apt already uses, and unpacks them
#   under ROOT. Nothing is installed on the host, no package script runs and no
#   service is started. The .deb files stay in CACHE, so a second install of the
#   same versions downloads package lists only, or nothing when there is no mirror. DENY is an extended regular
#   expression of package names that are not needed to run the program; '=' stands
#   for all but PKG... themselves.
#
# debs_wrap_elf ROOT DIR...
#   Makes the ELF programs under DIR... run on ROOT's own libc and libraries,
#   whatever the host's are: each becomes NAME.elf beside a small sh script NAME
#   that calls ROOT's dynamic loader. No chroot, no patchelf, no LD_LIBRARY_PATH.
#
# Needs: apt-get, dpkg-deb, sed, awk, tar (base packages). Works as any user.

debs_die() { echo "${0##*/}: $*" >&2; exit 1; }

# the mirror's address, from apt's own configuration (needs no package lists)
debs_mirror() {
    _code=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    [ -n "$_code" ] || debs_die "cannot tell the Debian release from /etc/os-release"
    _m=$(apt-get update --print-uris 2>/dev/null |
        sed -n "s|^'\(.*\)/dists/$_code/.*InRelease'.*|\1|p" | head -n 1)
    [ -n "$_m" ] || debs_die "apt's sources hold no '$_code' suite to derive the mirror from"
    echo "$_m"
}

_debs_apt() { # STATE CACHE args...
    _st=$1; _ca=$2; shift 2
    apt-get -q -o Dir::State="$_st" -o Dir::State::Lists="$_st/lists" \
        -o Dir::State::status="$_st/status" -o Dir::State::extended_states="$_st/ext" \
        -o Dir::Cache="$_st/cache" -o Dir::Cache::archives="$_ca" \
        -o Dir::Etc::SourceList="$_st/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::Log="$_st" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=true \
        -o Acquire::Retries=3 -o Acquire::Languages=none -o APT::Get::List-Cleanup=false "$@"
}

debs_fetch() {
    _suite=$1; _root=$2; _cache=$3; _deny=$4; shift 4
    _mirror=$(debs_mirror) || exit 1
    _key=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$_key" ] && _opt="[signed-by=$_key] " || _opt=
    mkdir -p "$_cache/partial" || exit 1
    _state=$_cache/state
    mkdir -p "$_state/lists/partial" "$_state/cache"
    : > "$_state/status"
    echo "deb ${_opt}$_mirror $_suite main" > "$_state/sources.list"
    _log=$_state/apt.log
    _saved=$_state/want-$(echo "$*" | tr ' ' '+')
    if _debs_apt "$_state" "$_cache" update > "$_log" 2>&1 && ! grep -q '^[EW]: .*[Ff]ailed' "$_log"; then
        # "Inst NAME (VERSION ...": the closure, seen from an empty machine
        _list=$(_debs_apt "$_state" "$_cache" -s --no-install-recommends install "$@" 2>>"$_log" |
            sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p')
        [ -n "$_list" ] || { tail -n 5 "$_log" >&2; debs_die "'$_suite' has no installable $*"; }
        if [ "$_deny" = = ]; then
            _want=$(echo "$_list" | awk -v keep=" $* " 'index(keep, " " $1 " ") { print $1 "=" $2 }')
        else
            _want=$(echo "$_list" | awk -v deny="^($_deny)\$" '$1 !~ deny { print $1 "=" $2 }')
        fi
    elif [ -s "$_saved" ]; then
        # no mirror, but an earlier install left all packages: use those
        _want=$(cat "$_saved")
    else
        tail -n 5 "$_log" >&2
        debs_die "apt-get update for '$_suite' failed (see $_log)"
    fi
    # shellcheck disable=SC2086
    [ "$_want" = "$(cat "$_saved" 2>/dev/null)" ] ||
        (cd "$_cache" && _debs_apt "$_state" "$_cache" download $_want) >> "$_log" 2>&1 ||
        { tail -n 5 "$_log" >&2; debs_die "download from '$_suite' failed (see $_log)"; }
    rm -rf "$_root.new" && mkdir -p "$_root.new" || exit 1
    for _w in $_want; do
        # file names carry the version with ':' as '%3a'
        _f=$(echo "$_w" | sed 's/:/%3a/g; s/=/_/')
        set -- "$_cache/$_f"_*.deb
        [ -f "$1" ] || debs_die "missing $_f in $_cache"
        dpkg-deb -x "$1" "$_root.new" || debs_die "cannot unpack $1"
    done
    echo "$_want" > "$_saved"
    echo "$_want" | sort > "$_root.new/.packages"
    rm -rf "$_root" && mv "$_root.new" "$_root"
}

debs_wrap_elf() {
    _root=$1; shift
    _ld=
    for _c in "$_root"/usr/lib64/ld-linux-*.so.* "$_root"/lib64/ld-linux-*.so.* \
              "$_root"/usr/lib/ld-linux-*.so.* "$_root"/lib/ld-linux-*.so.*; do
        [ -e "$_c" ] && { _ld=$_c; break; }
    done
    [ -n "$_ld" ] || debs_die "no dynamic loader under $_root"
    _libs=
    for _c in "$_root"/usr/lib/*-linux-gnu "$_root"/lib/*-linux-gnu; do
        [ -d "$_c" ] && _libs=$_libs${_libs:+:}$_c
    done
    find "$@" -type f -perm -u+x ! -name '*.so*' ! -name '*.elf' | while read -r _e; do
        [ "$(dd if="$_e" bs=1 skip=1 count=3 2>/dev/null)" = ELF ] || continue
        mv "$_e" "$_e.elf"
        cat > "$_e" <<EOT
#!/bin/sh
exec "$_ld" --argv0 "\$0" --library-path "$_libs" "$_e.elf" "\$@"
EOT
        chmod 755 "$_e"
    done
}
