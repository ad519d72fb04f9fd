# SPDX-License-Identifier: Apache-2.0
# rabbitmq.sh - sourced by rabbitmq3 and rabbitmq4; POSIX sh.
# The caller sets PROG, SUITE (Debian suite), DEF_PORT and PLUGINS.

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/lib/debs.sh"
. "$HERE/lib/common.sh"

BASE=$BROKERS_DIR/rabbitmq-$SUITE
ROOT=$BASE/root
# packages of the closure that a private node does not need
DENY='adduser|passwd|login.*|base-.*|debconf|dpkg|tar|init-system-helpers|lsb-base|sysvinit-utils|usrmerge|python3.*|libpython3.*|perl.*|libperl.*|lib.*-perl|libgdbm.*|libpam.*|libaudit.*|libsem.*|libsepol.*|libdebconf.*|media-types|netbase|tzdata|readline-common|libreadline.*|libsqlite3.*|libdb5.*|libbsd0|libmd0|libattr1|libacl1|systemd.*|libsystemd-shared|libmount1|libblkid1|gcc-.*-base|procps|libproc2.*|openssl|openssl-provider.*|socat|libwrap0|libexpat1|libuuid1|libffi8|libbz2.*|libcap-ng0|libc-gconv.*|libpcre2.*|libselinux1|libcrypt1|libnsl2|libtirpc.*|libkrb5.*|libk5.*|libgssapi.*|libcom-err2|libkeyutils1|rabbitmqadmin.*|logrotate|cron.*|libpopt0'

do_install() {
    mkdir -p "$BASE" "$BROKERS_CACHE" || die "cannot make $BASE"
    (
        flock 9
        if [ ! -e "$ROOT/.ready" ]; then
            debs_fetch "$SUITE" "$ROOT" "$BROKERS_CACHE/debs-$SUITE" "$DENY" rabbitmq-server
            debs_wrap_elf "$ROOT" "$ROOT/usr/lib/erlang"
            _erts=$(basename "$ROOT"/usr/lib/erlang/erts-*)
            cat > "$ROOT/usr/lib/erlang/bin/erl" <<EOT
#!/bin/sh
ROOTDIR='$ROOT/usr/lib/erlang' BINDIR='$ROOT/usr/lib/erlang/$_erts/bin' EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "\$BINDIR/erlexec" "\$@"
EOT
            chmod 755 "$ROOT/usr/lib/erlang/bin/erl"
            "$ROOT/usr/lib/erlang/bin/erl" -noshell -eval \
                '{ok,_}=application:ensure_all_started(crypto), halt(0).' > "$BASE/erl-check.log" 2>&1 ||
                die "the unpacked Erlang does not run (see $BASE/erl-check.log)"
            : > "$ROOT/.ready"
        fi
    ) 9> "$BASE/lock" || exit 1
    SBIN=$(echo "$ROOT"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin)
    [ -x "$SBIN/rabbitmq-server" ] || die "no rabbitmq-server under $ROOT"
    VERSION=${SBIN%/sbin}; VERSION=${VERSION##*rabbitmq_server-}
}

hash_pw() { # RabbitMQ's password hash: base64(salt + sha256(salt + password))
    { printf 'salt'; printf 'salt%s' "$1" | openssl dgst -sha256 -binary; } | base64 | tr -d '\n'
}

load_node() { # NODE -> NAME, NODE_DIR and its ports
    check_name "$1"
    NODE_DIR=$BASE/nodes/$NAME
    choose_port
    AMQPS=$((PORT + 1)) HTTP=$((PORT + 2)) DIST=$((PORT + 3)) EPMD=$((PORT + 4))
}

node_env() {
    unset ERL_LIBS ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS RABBITMQ_NODE_IP_ADDRESS
    export HOME="$NODE_DIR/home" PATH="$ROOT/usr/lib/erlang/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    export LANG=C.UTF-8 LC_ALL=C.UTF-8
    export ERL_EPMD_PORT=$EPMD ERL_EPMD_ADDRESS=127.0.0.1
    export RABBITMQ_NODENAME="$NAME@localhost" RABBITMQ_USE_LONGNAME=false
    export RABBITMQ_DIST_PORT=$DIST
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} ${RABBITMQ_ERL_ARGS:-}"
    export RABBITMQ_CTL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
    export RABBITMQ_CONF_ENV_FILE="$NODE_DIR/env.conf" RABBITMQ_CONFIG_FILE="$NODE_DIR/rabbitmq.conf"
    export RABBITMQ_ADVANCED_CONFIG_FILE="$NODE_DIR/advanced.config"
    export RABBITMQ_MNESIA_BASE="$NODE_DIR/data" RABBITMQ_LOG_BASE="$NODE_DIR/log"
    export RABBITMQ_ENABLED_PLUGINS_FILE="$NODE_DIR/enabled_plugins"
    export RABBITMQ_GENERATED_CONFIG_DIR="$NODE_DIR/generated"
    export RABBITMQ_PID_FILE="$NODE_DIR/pid"
    export RABBITMQ_FEATURE_FLAGS_FILE="$NODE_DIR/data/feature_flags"
    export RABBITMQ_SCHEMA_DIR="$NODE_DIR/schema"
}

write_config() {
    mkdir -p "$NODE_DIR/home" "$NODE_DIR/data" "$NODE_DIR/log" "$NODE_DIR/generated" "$NODE_DIR/schema" ||
        die "cannot make $NODE_DIR"
    : > "$NODE_DIR/env.conf"
    [ -s "$NODE_DIR/home/.erlang.cookie" ] || { echo "brokers-$NAME-cookie" > "$NODE_DIR/home/.erlang.cookie"; }
    chmod 400 "$NODE_DIR/home/.erlang.cookie"
    echo "[${RABBITMQ_PLUGINS:-$PLUGINS}]." > "$NODE_DIR/enabled_plugins"
    [ -e "$NODE_DIR/advanced.config" ] || echo '[].' > "$NODE_DIR/advanced.config"
    cat > "$NODE_DIR/rabbitmq.conf" <<EOT
listeners.tcp.1 = 127.0.0.1:$PORT
listeners.ssl.1 = 127.0.0.1:$AMQPS
ssl_options.cacertfile = $BROKERS_DIR/tls/ca.pem
ssl_options.certfile = $BROKERS_DIR/tls/server.pem
ssl_options.keyfile = $BROKERS_DIR/tls/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_cert_login_from = common_name
management.tcp.ip = 127.0.0.1
management.tcp.port = $HTTP
collect_statistics_interval = 1000
disk_free_limit.absolute = 100MB
log.console = false
log.file = $NODE_DIR/log/rabbit.log
log.file.level = info
load_definitions = $NODE_DIR/definitions.json
EOT
    extra_config >> "$NODE_DIR/rabbitmq.conf"
    [ -n "${RABBITMQ_EXTRA_CONF:-}" ] && { cat "$RABBITMQ_EXTRA_CONF" >> "$NODE_DIR/rabbitmq.conf" || die "cannot read $RABBITMQ_EXTRA_CONF"; }
    cat > "$NODE_DIR/definitions.json" <<EOT
{"rabbit_version":"$VERSION",
 "users":[
 {"name":"guest","password_hash":"$(hash_pw guest)","hashing_algorithm":"rabbit_password_hashing_sha256","tags":["administrator"]},
 {"name":"app","password_hash":"$(hash_pw app)","hashing_algorithm":"rabbit_password_hashing_sha256","tags":["management"]},
 {"name":"migrator","password_hash":"$(hash_pw migrator)","hashing_algorithm":"rabbit_password_hashing_sha256","tags":["impersonator"]},
 {"name":"limited","password_hash":"$(hash_pw limited)","hashing_algorithm":"rabbit_password_hashing_sha256","tags":[]},
 {"name":"novhost","password_hash":"$(hash_pw novhost)","hashing_algorithm":"rabbit_password_hashing_sha256","tags":[]}],
 "vhosts":[{"name":"/"},{"name":"other"}],
 "permissions":[
 {"user":"guest","vhost":"/","configure":".*","write":".*","read":".*"},
 {"user":"guest","vhost":"other","configure":".*","write":".*","read":".*"},
 {"user":"app","vhost":"/","configure":".*","write":".*","read":".*"},
 {"user":"migrator","vhost":"/","configure":".*","write":".*","read":".*"},
 {"user":"limited","vhost":"/","configure":"^allowed","write":"^allowed","read":"^allowed"}],
 "parameters":[],"policies":[],"queues":[],"exchanges":[],"bindings":[]}
EOT
}

do_start() {
    load_node "$1"
    _pid=$(pidof_file "$NODE_DIR/pid")
    if alive "$_pid" && listening "$PORT"; then echo "$PROG: $NAME already runs (pid $_pid)"; do_env "$NAME"; return 0; fi
    do_install
    make_tls
    ports_free "$PORT" "$AMQPS" "$HTTP" "$DIST" "$EPMD"
    write_config
    rm -f "$NODE_DIR/pid"
    node_env
    cd "$NODE_DIR" || exit 1
    setsid "$ROOT"/usr/lib/erlang/erts-*/bin/epmd -port "$EPMD" -address 127.0.0.1 \
        < /dev/null > "$NODE_DIR/epmd.log" 2>&1 8>&- &
    echo $! > "$NODE_DIR/epmd.pid"
    setsid "$SBIN/rabbitmq-server" < /dev/null > "$NODE_DIR/log/console.log" 2>&1 8>&- &
    wait_listening $! "$NODE_DIR/log/console.log" "$PORT" "$AMQPS" "$HTTP"
    echo "$PROG: $NAME runs RabbitMQ $VERSION (pid $(pidof_file "$NODE_DIR/pid"))"
    do_env "$NAME"
}

do_env() {
    load_node "$1"
    [ -s "$NODE_DIR/port" ] || die "no node '$NAME'; start it first"
    cat <<EOT
AMQP_URL=amqp://127.0.0.1:$PORT
AMQPS_URL=amqps://localhost:$AMQPS
MGMT_URL=http://127.0.0.1:$HTTP
TLS_CA=$BROKERS_DIR/tls/ca.pem
TLS_CLIENT_CERT=$BROKERS_DIR/tls/client.pem
TLS_CLIENT_KEY=$BROKERS_DIR/tls/client.key
NODE_DIR=$NODE_DIR
NODE_PID=$(pidof_file "$NODE_DIR/pid")
EOT
}

do_stop() { # NAME [SIGNAL]
    load_node "$1"
    end_process "$NODE_DIR/pid" "${2:-TERM}"
    end_process "$NODE_DIR/epmd.pid" TERM
    echo "$PROG: $NAME is stopped"
}

do_ctl() { # NAME TOOL ARGS...
    load_node "$1"; _tool=$2; shift 2
    [ -s "$NODE_DIR/port" ] || die "no node '$NAME'; start it first"
    do_install
    node_env
    exec "$SBIN/$_tool" "$@"
}

version_line() { echo "RabbitMQ $VERSION is in $ROOT"; }
