/* SPDX-License-Identifier: Apache-2.0
 *
 * Proton's C examples open a connection without a SASL layer. RabbitMQ 4 refuses that ("Expected AMQP protocol header
 * got: AMQP SASL layer"); RabbitMQ 3.10 takes it as user guest. The linker puts this function in front of Proton's
 * (--wrap), so that the examples' sources stay word for word as Proton ships them.
 *
 *   FOREIGN_USER and FOREIGN_PASSWORD   SASL PLAIN with that user
 *   FOREIGN_SASL=ANONYMOUS              SASL ANONYMOUS
 *   none of them                        no SASL layer, as the examples are shipped
 */
#include <proton/connection.h>
#include <proton/proactor.h>
#include <proton/sasl.h>
#include <proton/transport.h>
#include <stdlib.h>

void __real_pn_proactor_connect2(pn_proactor_t *proactor, pn_connection_t *connection, pn_transport_t *transport,
                                 const char *address);

void __wrap_pn_proactor_connect2(pn_proactor_t *proactor, pn_connection_t *connection, pn_transport_t *transport,
                                 const char *address) {
  const char *user = getenv("FOREIGN_USER");
  const char *password = getenv("FOREIGN_PASSWORD");
  const char *mechanism = user ? "PLAIN" : getenv("FOREIGN_SASL");
  if (mechanism && !transport) {
    transport = pn_transport();
    pn_sasl_t *sasl = pn_sasl(transport);
    pn_sasl_allowed_mechs(sasl, mechanism);
    pn_sasl_set_allow_insecure_mechs(sasl, true); /* loopback only: these programs are for tests */
  }
  if (user && !connection) {
    connection = pn_connection();
    pn_connection_set_user(connection, user);
    pn_connection_set_password(connection, password ? password : "");
  }
  __real_pn_proactor_connect2(proactor, connection, transport, address);
}
