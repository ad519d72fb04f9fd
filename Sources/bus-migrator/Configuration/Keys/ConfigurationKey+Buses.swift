// SPDX-License-Identifier: Apache-2.0

import BusModel

extension ConfigurationKey {
  static let bus: [ConfigurationKey] =
    [
      .value("name", .text, .needed, "Its name here and in pulje files."),
      .value("dialect", .choice(Dialect.allCases.map(\.rawValue)), .needed, "What kind of bus it is (docs/dialects.md)."),
      .list(
        "hosts", .text, .needed,
        "The host names that mean this bus in the register. The first is written when a party moves here."),
      .value(
        "path", .text, .otherwise("the connection string's"),
        "The namespace or exchange that addresses here carry in the register."),
    ]
    + secret(
      "connection-string", .needed,
      "amqps://USER:PASSWORD@HOST:5671/PATH or Endpoint=sb://HOST/NAMESPACE;OAuthUsername=...;OAuthPassword=... .") + [
      .list(
        "authorities", .path, .otherwise("the system's"),
        "PEM files of authorities to trust for this bus, instead of the system's."),
      ConfigurationKey(
        name: "organisations",
        content: .sequence(
          [
            .value("organisation", .text, .needed, "Its organisation number, nine digits, in quotation marks.")
          ]
            + secret(
              "connection-string", .needed,
              "As the bus's own, with the organisation's user and password: the same host, port and path."),
          .otherwise("everything is done with the bus's own login")),
        meaning:
          "Logins of organisations on this bus. With its organisation's login a party's queue is looked into, counted over AMQP, peeked at and forwarded from, and pre-flight proves on both buses that it is let in. Pings and what is forwarded to a queue are sent with the bus's own, as any sender does; management has a login of its own."
      ),
      .value(
        "organisation-credentials", .text, .otherwise("none beside organisations"),
        "How the names of systemd credentials begin that each hold an organisation's connection string, with its number behind: secret_servicebus_ takes secret_servicebus_987654325, and all others that begin so."
      ),
      .value("virtual-host", .text, .otherwise("the bus's own"), "The virtual host that is asked for (RabbitMQ)."),
      .value(
        "allow-password-in-clear", .flag, .usual("false"),
        "Lets the password go unencrypted to another machine (amqp://). Never in production."),
      .value(
        "ping-reply-queue", .text, .otherwise("verification rests on other signs, and says so"),
        "A queue of our own on this bus for answers to pings: the daemon's, and those of every bus-pinger that has its daemon-socket. Nobody else may read it."
      ),
      .section(
        "management", .otherwise("RabbitMQ 4 and Azure are counted over AMQP; others cannot be counted"),
        "How queues are counted over HTTP: RabbitMQ's management interface, or the REST interface of Service Bus for Windows Server. Where a bus cannot be counted, nothing counts as drained unless a person answers for it.",
        [
          .value("url", .url, .needed, "Where it is: https://tb.test.nhn.no:15671, https://sb.test.nhn.no:9355."),
          .value("user", .text, .otherwise("the connection string's"), "Who asks."),
        ]
          + secret("password", .otherwise("the connection string's"), "Its password.") + [
            .value("virtual-host", .text, .usual("/"), "The virtual host that is counted (RabbitMQ).")
          ]),
    ]
    + secret(
      "shovel-address", .otherwise("no shovels"),
      "Where orders are carried by RabbitMQ's shovels: amqps://USER:PASSWORD@HOST:5671/VHOST, by which the RabbitMQ 4 node reaches this bus over AMQP 0-9-1. Needed on both buses."
    )

  static let ping: [ConfigurationKey] = [
    .value("own-her-id", .herID, .needed, "Whom pings come from."),
    .value("subject", .text, .usual("TJENESTEBUSS_PING"), "The subject by which systems know a ping."),
    .value("time-to-live", .span, .usual("30s"), "A ping that nobody fetches dies after this; at most 60s."),
    .value("echo-timeout", .span, .usual("10s"), "How long an answer is waited for."),
    .value("timeout", .span, .usual("15s"), "For connecting to a bus, and again for attach and outcome."),
    .value(
      "production", .flag, .otherwise("true where environment is production"),
      "true: bus-pinger with this file sends only with --send; the daemon pings as its plans say."),
    .value(
      "state-folder", .path, .otherwise("/run/tjenestebuss/pings where it can be written, else a folder of the daemon's own"),
      "Where it is kept when which party was pinged, together with every bus-pinger of this machine."),
    .value(
      "party-interval", .span, .usual("10s"),
      "How far apart pings of one party are; the daemon waits. In production at least 10s."),
  ]
}
