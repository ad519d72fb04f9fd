// SPDX-License-Identifier: Apache-2.0

import Migration

/// Who is told, and who may ask over TCP.
extension ConfigurationKey {
  static let tell: [ConfigurationKey] = [
    .value(
      "dashboard", .url, .otherwise("messages without links"),
      "The dashboard as those who are told can reach it, for links in messages."),
    .value(
      "settling", .span, .usual("1m"),
      "For how long something has to last, or to be over, before it is told; an alarm is told at once."),
    .value("patience", .span, .usual("30m"), "The same for what may clear itself."),
    .entries(
      "webhooks", .otherwise("none"), "Signed as Standard Webhooks says, tried again for three days.",
      [
        .value("name", .text, .needed, "Its name here."),
        .value("url", .url, .needed, "Where messages are posted; https."),
      ]
        + secret("secret", .needed, "The signing secret: 24 bytes or more; openssl rand -base64 32 makes one.") + [
          authorities, fromWeight, timeout("10s"),
          .value("allow-plain-http", .flag, .usual("false"), "Lets messages go unencrypted. Never in production."),
        ]),
    .entries(
      "mail", .otherwise("none"), "E-mail by a relay.",
      [
        .value("name", .text, .needed, "Its name here."),
        .value("relay", .text, .needed, "host:port of the SMTP relay: smtp.example.no:587."),
        .value(
          "protection", .choice(["starttls", "implicit", "none"]), .otherwise("implicit at port 465, starttls elsewhere"),
          "How the relay is spoken to; none to this machine only."),
        .value("user", .text, .otherwise("no login"), "The login at the relay."),
      ]
        + secret("password", .otherwise("no login"), "Its password.") + [
          authorities,
          .value("from", .text, .needed, "The sender's mail address."),
          .list("to", .text, .needed, "Mail addresses."), fromWeight, timeout("60s"),
        ]),
    .entries(
      "programs", .otherwise("none"),
      "Programs that are run: JSON on standard input, the chief of it in BUS_MIGRATOR_...; exit code 0: told.",
      [
        .value("name", .text, .needed, "Its name here."), .value("run", .path, .needed, "The program."),
        .list("arguments", .text, .otherwise("none"), "What it is started with."), fromWeight, timeout("30s"),
      ]),
  ]

  private static let authorities = ConfigurationKey.list(
    "authorities", .path, .otherwise("the system's"), "PEM files of authorities to trust, instead of the system's.")
  private static let fromWeight = ConfigurationKey.value(
    "from-weight", .choice(StandingCondition.Weight.allCases.map(\.rawValue)), .usual("person"),
    "From which weight on: person is everything.")

  private static func timeout(_ usual: String) -> ConfigurationKey {
    .value("timeout", .span, .usual(usual), "For one try; from 1s to 10m.")
  }

  static let api: [ConfigurationKey] = [
    .value("listen", .text, .needed, "host:port: 0.0.0.0:8443. A change needs a restart; certificate and tokens a reload."),
    .value("certificate", .path, .needed, "PEM, the chain from the daemon's own on."),
    .value("private-key", .path, .otherwise("private-key-credential is given"), "The certificate's key, PEM."),
    .value("private-key-credential", .credential, .otherwise("private-key is given"), "The same as a systemd credential."),
    .entries(
      "tokens", .needed, "Who may ask: a token's name is who asks, in the history too.",
      [
        .value("name", .text, .needed, "Whose it is; at most 100 bytes."),
        .value(
          "role", .choice(ControlRole.allCases.map(\.rawValue)), .needed,
          "viewer, operator, approver, or vendor, who sees and confirms its own parties only."),
        .value("vendor", .text, .otherwise("needed with the role vendor, unknown elsewhere"), "As in the pulje file."),
        .value("expires", .day, .needed, "The last day on which it counts, in Norway."),
        .value(
          "token-file", .path, .otherwise("token-credential is given"), "A file with 32 characters or more: openssl rand -hex 32."
        ),
        .value("token-credential", .credential, .otherwise("token-file is given"), "The same as a systemd credential."),
      ]),
  ]
}
