/* SPDX-License-Identifier: Apache-2.0
 * ping - what bus-pinger does for one healthy party on RabbitMQ 4, as bare as it goes on Qpid Proton C.
 *
 * build:  gcc -O2 -o ping ping.c $(pkg-config --cflags --libs libqpid-proton)
 * usage:  ping HOST PORT USER PASSWORD CA-FILE QUEUE
 *
 * Knocks at the port, then over TLS with the certificate verified: SASL PLAIN, open, begin; asks /management for the queue's depth;
 * attaches, sends one message, waits for its outcome; attaches to a queue that cannot exist and is refused; asks for the depth again;
 * closes. Exit 0 when the message was accepted, the other queue refused, and both depths came. It judges and prints nothing. */
#include <netdb.h>
#include <proton/codec.h>
#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/message.h>
#include <proton/proactor.h>
#include <proton/sasl.h>
#include <proton/session.h>
#include <proton/ssl.h>
#include <proton/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *queue;
static pn_proactor_t *proactor;
static pn_connection_t *conn;
static pn_session_t *session, *second;
static pn_link_t *asker, *answers, *sender, *control;
static int answered, accepted, refused, failed, asked, pinged;
static char address[300];

static void knock(const char *host, const char *port) {
    struct addrinfo hints = {0}, *found, *each;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &found)) exit(2);
    for (each = found; each; each = each->ai_next) {
        int s = socket(each->ai_family, each->ai_socktype, 0);
        if (connect(s, each->ai_addr, each->ai_addrlen)) exit(2);
        close(s);
    }
    freeaddrinfo(found);
}

static void put(pn_link_t *l, pn_message_t *m) {
    static unsigned long tag;
    char bytes[1024];
    size_t size = sizeof bytes;
    pn_delivery_t *d;
    tag++;
    d = pn_delivery(l, pn_dtag((char *)&tag, sizeof tag));
    if (pn_message_encode(m, bytes, &size)) exit(3);
    pn_link_send(l, bytes, size);
    pn_link_advance(l);
    if (l == asker) pn_delivery_settle(d);
    pn_message_free(m);
}

static void ask(void) {
    pn_message_t *m = pn_message();
    pn_msgid_t id = {.type = PN_ULONG, .u.as_ulong = (uint64_t)++asked};
    pn_message_set_address(m, address);
    pn_message_set_subject(m, "GET");
    pn_message_set_reply_to(m, "$me");
    pn_message_set_id(m, id);
    pn_message_set_inferred(m, false);
    pn_data_put_null(pn_message_body(m));
    put(asker, m);
}

static void ping(void) {
    pn_message_t *m = pn_message();
    pn_data_t *p = pn_message_properties(m);
    pn_msgid_t id = {.type = PN_STRING, .u.as_bytes = {36, "00000000-0000-4000-8000-000000000000"}};
    pn_message_set_subject(m, "TJENESTEBUSS_PING");
    pn_message_set_ttl(m, 1000);
    pn_message_set_id(m, id);
    pn_message_set_correlation_id(m, id);
    pn_data_put_map(p);
    pn_data_enter(p);
    pn_data_put_string(p, pn_bytes(9, "fromHerId"));
    pn_data_put_int(p, 100);
    pn_data_put_string(p, pn_bytes(7, "toHerId"));
    pn_data_put_int(p, 200);
    pn_data_exit(p);
    pn_message_set_inferred(m, true);
    pn_data_put_binary(pn_message_body(m), pn_bytes(2, "{}"));
    put(sender, m);
    pinged = 1;
}

static void pair(void) {
    pn_link_t *both[2];
    int i;
    both[0] = asker = pn_sender(session, "management");
    both[1] = answers = pn_receiver(session, "management");
    for (i = 0; i < 2; i++) {
        pn_data_t *p = pn_link_properties(both[i]);
        pn_data_put_map(p);
        pn_data_enter(p);
        pn_data_put_symbol(p, pn_bytes(6, "paired"));
        pn_data_put_bool(p, true);
        pn_data_exit(p);
        pn_terminus_set_address(pn_link_source(both[i]), "/management");
        pn_terminus_set_address(pn_link_target(both[i]), "/management");
        pn_link_set_snd_settle_mode(both[i], PN_SND_SETTLED);
        pn_link_open(both[i]);
    }
}

static int handle(pn_event_t *e) {
    pn_condition_t *c;
    switch (pn_event_type(e)) {
    case PN_CONNECTION_INIT:
        pn_connection_open(conn);
        session = pn_session(conn);
        pn_session_open(session);
        pair();
        break;
    case PN_LINK_REMOTE_OPEN:
        if (pn_event_link(e) == answers) pn_link_flow(answers, 10);
        if (pn_event_link(e) == asker && !asked) {}
        break;
    case PN_LINK_FLOW:
        if (pn_event_link(e) == asker && pn_link_credit(asker) > 0 && !asked) ask();
        if (pn_event_link(e) == sender && pn_link_credit(sender) > 0 && !pinged) ping();
        break;
    case PN_DELIVERY: {
        pn_delivery_t *d = pn_event_delivery(e);
        if (pn_delivery_link(d) == answers && pn_delivery_readable(d) && !pn_delivery_partial(d)) {
            char bytes[4096];
            pn_message_t *m = pn_message();
            ssize_t n = pn_link_recv(answers, bytes, sizeof bytes);
            if (n > 0 && pn_message_decode(m, bytes, (size_t)n) == 0 && pn_message_get_subject(m)
                && strcmp(pn_message_get_subject(m), "200") == 0)
                answered++;
            else
                failed = 1;
            pn_message_free(m);
            pn_link_advance(answers);
            pn_delivery_settle(d);
            if (answered == 1) {
                sender = pn_sender(session, "ping");
                pn_terminus_set_address(pn_link_target(sender), address);
                pn_link_open(sender);
            } else {
                pn_connection_close(conn);
            }
        } else if (sender && pn_delivery_link(d) == sender && pn_delivery_updated(d)) {
            accepted = pn_delivery_remote_state(d) == PN_ACCEPTED;
            pn_delivery_settle(d);
            pn_link_close(sender);
            second = pn_session(conn);
            pn_session_open(second);
            control = pn_sender(second, "control");
            pn_terminus_set_address(pn_link_target(control), "/queues/no-such-queue-00000000");
            pn_link_open(control);
        }
        break;
    }
    case PN_SESSION_REMOTE_CLOSE: /* RabbitMQ ends the session of a link that it refuses */
    case PN_LINK_REMOTE_CLOSE:
        c = pn_event_type(e) == PN_LINK_REMOTE_CLOSE ? pn_link_remote_condition(pn_event_link(e))
                                                     : pn_session_remote_condition(pn_event_session(e));
        if (pn_condition_is_set(c)) {
            if (pn_event_session(e) == second && !strcmp(pn_condition_get_name(c), "amqp:not-found")) {
                refused = 1;
                pn_session_close(second);
                ask();
            } else {
                fprintf(stderr, "ping: %s: %s\n", pn_condition_get_name(c), pn_condition_get_description(c));
                failed = 1;
                pn_connection_close(conn);
            }
        }
        break;
    case PN_TRANSPORT_CLOSED:
        c = pn_transport_condition(pn_event_transport(e));
        if (pn_condition_is_set(c)) {
            fprintf(stderr, "ping: %s: %s\n", pn_condition_get_name(c), pn_condition_get_description(c));
            failed = 1;
        }
        break;
    case PN_PROACTOR_INACTIVE:
        return 0;
    default:
        break;
    }
    return 1;
}

int main(int argc, char **argv) {
    char where[PN_MAX_ADDR];
    pn_transport_t *t = pn_transport();
    pn_ssl_domain_t *domain = pn_ssl_domain(PN_SSL_MODE_CLIENT);
    int more = 1;
    if (argc != 7) {
        fprintf(stderr, "usage: ping HOST PORT USER PASSWORD CA-FILE QUEUE\n");
        return 64;
    }
    queue = argv[6];
    snprintf(address, sizeof address, "/queues/%s", queue);
    knock(argv[1], argv[2]);
    proactor = pn_proactor();
    conn = pn_connection();
    if (pn_ssl_domain_set_trusted_ca_db(domain, argv[5])) return 4;
    if (pn_ssl_domain_set_peer_authentication(domain, PN_SSL_VERIFY_PEER_NAME, argv[5])) return 4;
    pn_ssl_init(pn_ssl(t), domain, NULL);
    pn_ssl_set_peer_hostname(pn_ssl(t), argv[1]);
    pn_connection_set_container(conn, "ping");
    pn_connection_set_hostname(conn, argv[1]);
    pn_connection_set_user(conn, argv[3]);
    pn_connection_set_password(conn, argv[4]);
    pn_sasl_allowed_mechs(pn_sasl(t), "PLAIN");
    pn_proactor_addr(where, sizeof where, argv[1], argv[2]);
    pn_proactor_connect2(proactor, conn, t, where);
    while (more) {
        pn_event_batch_t *events = pn_proactor_wait(proactor);
        pn_event_t *e;
        while (more && (e = pn_event_batch_next(events))) more = handle(e);
        pn_proactor_done(proactor, events);
    }
    return accepted && refused && answered == 2 && !failed ? 0 : 1;
}
