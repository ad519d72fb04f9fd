# SPDX-License-Identifier: Apache-2.0
# common.sh - sourced by the broker scripts; POSIX sh. What every broker script shares.
# The caller sets PROG and DEF_PORT, and defines do_install, load_node, do_start,
# do_env, do_stop and version_line.

BROKERS_DIR=${BROKERS_DIR:-${TMPDIR:-/tmp}/brokers}
case $BROKERS_DIR in /*) ;; *) BROKERS_DIR=$(pwd)/$BROKERS_DIR ;; esac
BROKERS_CACHE=${BROKERS_CACHE:-$BROKERS_DIR/cache}
case $BROKERS_CACHE in /*) ;; *) BROKERS_CACHE=$(pwd)/$BROKERS_CACHE ;; esac
case $BROKERS_DIR$BROKERS_CACHE in *[!A-Za-z0-9_./@%+=:,-]*) echo "$PROG: BROKERS_DIR and BROKERS_CACHE must be plain paths (no blanks)" >&2; exit 1 ;; esac
START_TIMEOUT=${START_TIMEOUT:-90}

die() { echo "$PROG: $*" >&2; exit 1; }

listening() { # PORT: does something listen on it?
    awk -v p=":$(printf %04X "$1")\$" '$4 == "0A" && $2 ~ p { f = 1 } END { exit !f }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

alive() { # PID: a zombie counts as dead
    [ -n "${1:-}" ] && kill -0 "$1" 2>/dev/null || return 1
    _z=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
    [ "$_z" != Z ]
}

# the pid in a file, if that process is still the node's: it runs in NODE_DIR (a pid file
# can outlive its process, and another program may have the number now)
pidof_file() {
    [ -s "$1" ] || return 1
    _pf=$(tr -dc 0-9 < "$1")
    [ -n "$_pf" ] && [ "$(readlink "/proc/$_pf/cwd")" = "$(readlink -f "$NODE_DIR")" ] && echo "$_pf"
}

check_name() { # NODE -> NAME
    case $1 in *[!A-Za-z0-9_-]* | '') die "bad node name '$1'" ;; esac
    NAME=$1
}

choose_port() { # PORT: BASE_PORT, or a known node's, or the first free tens from DEF_PORT
    if [ -n "${BASE_PORT:-}" ]; then
        PORT=$BASE_PORT
    elif [ -s "$NODE_DIR/port" ]; then
        PORT=$(cat "$NODE_DIR/port")
    else
        PORT=$DEF_PORT
        while cat "$BROKERS_DIR"/*/nodes/*/port 2>/dev/null | grep -qx "$PORT" ||
            listening "$PORT" || listening $((PORT + 1)) || listening $((PORT + 2)) ||
            listening $((PORT + 3)) || listening $((PORT + 4)); do
            PORT=$((PORT + 10))
            [ "$PORT" -lt 20000 ] || die "no free ports"
        done
    fi
}

reserve_port() { # so that two new nodes that start at the same time differ
    (flock 7 && load_node "$1" && echo "$PORT" > "$NODE_DIR/port") 7> "$BROKERS_DIR/ports.lock" ||
        die "cannot write $NODE_DIR/port"
}

ports_free() { # PORT...: dies when one is taken
    for _p in "$@"; do
        listening "$_p" || continue
        [ -d "$NODE_DIR/data" ] || rm -rf "$NODE_DIR"
        die "port $_p is in use (BASE_PORT sets the first of the node's ports)"
    done
}

# One start or stop of a node at a time: a second one waits (fd 8 is closed for the server).
node_lock() {
    load_node "$1"
    mkdir -p "$NODE_DIR" || die "cannot make $NODE_DIR"
    exec 8> "$NODE_DIR/lock"
    flock -w 120 8 || die "another $PROG works on $NAME for more than 120 s"
}

wait_listening() { # PID LOG PORT...: until all ports are open; dies when the process does
    _wp=$1 _wl=$2 _n=0
    shift 2
    for _p in "$@"; do
        until listening "$_p"; do
            _n=$((_n + 1))
            if ! alive "$_wp" || [ "$_n" -gt $((5 * START_TIMEOUT)) ]; then
                tail -n 15 "$_wl" >&2
                kill -s KILL -- "-$_wp" 2> /dev/null # setsid made it a process group
                (do_stop "$NAME") > /dev/null 2>&1
                die "$NAME did not open port $_p in ${START_TIMEOUT} s or ended (see $NODE_DIR)"
            fi
            sleep 0.2
        done
    done
}

end_process() { # PIDFILE SIGNAL: signals that process only, waits for its end
    _pid=$(pidof_file "$1")
    if alive "$_pid"; then
        kill -s "$2" "$_pid"
        _n=0
        while alive "$_pid"; do
            _n=$((_n + 1))
            [ "$_n" -eq 300 ] && kill -s KILL "$_pid" 2>/dev/null
            [ "$_n" -gt 320 ] && die "$NAME (pid $_pid) does not stop"
            sleep 0.1
        done
    fi
    rm -f "$1"
}

make_tls() { # a CA, a server certificate for localhost, a client certificate CN=app
    _d=$BROKERS_DIR/tls
    [ -s "$_d/.ready" ] && return 0
    command -v openssl > /dev/null || die "openssl(1) is missing"
    mkdir -p "$_d" || die "cannot make $_d"
    (
        flock 9
        [ -s "$_d/.ready" ] && exit 0
        cd "$_d" || exit 1
        exec 2> openssl.log
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=brokers test CA" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign,cRLSign \
            -keyout ca.key -out ca.pem || exit 1
        for _c in server:localhost:serverAuth client:app:clientAuth; do
            _cn=${_c#*:}
            openssl req -newkey rsa:2048 -nodes -subj "/CN=${_cn%%:*}" -keyout "${_c%%:*}.key" -out "${_c%%:*}.csr" || exit 1
            printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nextendedKeyUsage=%s\n' "${_c##*:}" > "${_c%%:*}.ext"
            openssl x509 -req -in "${_c%%:*}.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
                -extfile "${_c%%:*}.ext" -out "${_c%%:*}.pem" || exit 1
        done
        echo ok > .ready
    ) 9> "$BROKERS_DIR/tls.lock" || die "cannot make certificates (see $_d/openssl.log)"
}

do_status() {
    load_node "$1"
    _pid=$(pidof_file "$NODE_DIR/pid")
    if alive "$_pid" && listening "$PORT"; then
        echo "$PROG: $NAME runs, pid $_pid, $(awk '/VmRSS/ { printf "%d MiB", $2 / 1024 }' "/proc/$_pid/status") resident"
        do_env "$NAME"
        return 0
    fi
    echo "$PROG: $NAME does not run"
    return 1
}

main() {
    _cmd=${1:-help} _node=${2:-default}
    case $_cmd in
        install) do_install; echo "$PROG: $(version_line)" ;;
        start) node_lock "$_node"; reserve_port "$_node"; do_start "$_node" ;;
        stop) node_lock "$_node"; do_stop "$_node" ;;
        kill) node_lock "$_node"; do_stop "$_node" KILL ;;
        restart) node_lock "$_node"; do_stop "$_node" && reserve_port "$_node" && do_start "$_node" ;;
        status) do_status "$_node" ;;
        env) do_env "$_node" ;;
        wipe) node_lock "$_node"; do_stop "$_node" && rm -rf "$NODE_DIR" ;;
        ctl | diag)
            command -v do_ctl > /dev/null && [ $# -ge 3 ] || die "usage: $PROG ctl NODE ARGS..."
            shift 2
            [ "$_cmd" = ctl ] && do_ctl "$_node" rabbitmqctl "$@"
            do_ctl "$_node" rabbitmq-diagnostics "$@" ;;
        *) sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; [ "$_cmd" = help ] || exit 2 ;;
    esac
}
