// SPDX-License-Identifier: Apache-2.0

extension ConfigurationKey {
  static let register: [ConfigurationKey] =
    [
      .value("url", .url, .needed, "Its SOAP interface: https://ws-web.test.nhn.no/v1/AR/Basic."),
      soapVersion, timeout, plainHTTP,
      .value("user", .text, .needed, "Who asks."),
    ]
    + secret("password", .needed, "Its password.") + [
      .value(
        "extra-roots-file", .path, .otherwise("the system's authorities alone"),
        "PEM of authorities to trust beside the system's."),
      .value(
        "cache", .path, .otherwise("no cache"),
        "The cache of the register (SQLite). It tells who shares a queue with whom; what matters is read anew all the same."),
      .value(
        "nightly-compare", .timeOfDay, .otherwise("03:00 where there is a cache"),
        "When the daemon compares the whole cache with the register. What it found: the log, and bus-migrator registry diff --last."
      ),
      .section(
        "rest", .otherwise("not used"), "The register's REST interface, for bus-migrator registry sync --export and --events.",
        rest(scope: MigratorConfiguration.partyScope)),
      .section(
        "cppa", .otherwise("not used"),
        "The register of collaboration protocols (CPPA), for bus-migrator registry endpoints: which profiles and agreements still name another bus.",
        rest(scope: MigratorConfiguration.protocolScope)),
      .section("writer", .needed, "Who writes the register.", writer),
    ]

  private static let soapVersion = ConfigurationKey.value(
    "soap-version", .choice(["1.1", "1.2"]), .usual("1.1"), "The version of SOAP. /Basic wants 1.1, the others 1.2.")
  private static let timeout = ConfigurationKey.value("timeout", .span, .usual("30s"), "How long one call may take.")
  private static let plainHTTP = ConfigurationKey.value(
    "allow-plain-http", .flag, .usual("false"), "Lets login and data go unencrypted. Never in production.")

  private static func rest(scope: String) -> [ConfigurationKey] {
    [
      .value("url", .url, .needed, "Where it is."), timeout,
      .value("export-timeout", .span, .usual("30m"), "How long a whole export may take."), plainHTTP,
      .section(
        "helse-id", .needed, "How HelseID knows us.",
        [
          .value("issuer", .url, .needed, "HelseID: https://helseid-sts.test.nhn.no."),
          .value("token-endpoint", .url, .otherwise("/connect/token at the issuer"), "Where tokens are asked for."),
          .value("client-id", .text, .needed, "Ours, as HelseID's self-service gave it."),
          .value("scope", .text, .usual(scope), "What tokens ask for."), timeout, plainHTTP,
          .section(
            "organisation", .otherwise("the client's own"), "For clients of many organisations: for whom tokens are asked for.",
            [
              .value("parent", .text, .needed, "Organisation number of the legal entity."),
              .value("child", .text, .otherwise("none"), "Organisation number below it."),
            ]),
        ]
          + secret(
            "key", .needed, "The signing key: a JSON Web Key as HelseID's self-service gives it, or PEM with key-id beside it.")
          + [
            .value("key-id", .text, .otherwise("the JSON Web Key's own"), "With PEM: the key's id."),
            .value("key-algorithm", .text, .otherwise("what fits the key"), "With PEM: PS256, ES256 and the like."),
          ]),
    ]
  }

  private static let writer: [ConfigurationKey] = [
    .value(
      "kind", .choice(["manual", "soap", "none"]), .needed,
      "manual: a person changes the register by exact instructions, and the daemon reads it back. soap: the register's migration service. none: others write it, and nothing counts as done before the entry reads so."
    ),
    .value("written-by", .text, .otherwise("needed with none, unknown elsewhere"), "With none: who does."),
    .value(
      "url", .url, .otherwise("needed with soap, unknown elsewhere"),
      "With soap, as all below: the service. Its contract is not public, so all its names come from here."),
    soapVersion, timeout, plainHTTP,
    .value("namespace", .text, .otherwise("needed with soap"), "XML namespace of its operations."),
    .value("action-prefix", .text, .otherwise("needed with soap"), "What stands before an operation's name in SOAPAction."),
    .value("address-namespace", .text, .otherwise("the register's own"), "XML namespace of an address's parts."),
    ConfigurationKey(
      name: "bus-names", content: .names(.otherwise("our own names")),
      meaning: "Our names of buses, each with the service's name of it."),
    .section(
      "operation-id-header", .otherwise("none is sent"), "A SOAP header that carries our operation id.",
      [.value("name", .text, .needed, "Its name."), .value("namespace", .text, .needed, "Its XML namespace.")]),
    .section("switch-to-bus", .otherwise("needed with soap"), "Moves one HER-ID.", operation),
    .section(
      "switch-to-bus-with-services-below", .otherwise("puljer cannot ask for scope: services-below"),
      "Moves a HER-ID and all below it; only where the service has it.", operation),
    .section(
      "use-organisation-queue", .otherwise("puljer cannot ask for organisation-queue: true"),
      "Lets a HER-ID use its organisation's queue; only where the service has it.", operation),
    .section(
      "replace-addresses", .otherwise("needed with soap"), "Writes an entry as it was: without it there would be no way back.",
      operation),
    .value(
      "log-entries-per-write", .count, .usual("1"),
      "How many entries one write makes in the register's change log, 1 to 100; more than that is another's hand, and a conflict."
    ),
  ]

  private static let operation: [ConfigurationKey] = [
    .value("name", .text, .needed, "The operation's name."),
    .value("action", .text, .otherwise("action-prefix and the name"), "Its SOAPAction."),
    .value("only-bus", .text, .otherwise("any"), "The one bus that it moves to, where it names none."),
    ConfigurationKey(
      name: "parameters",
      content: .sequence(
        [
          .value("name", .text, .needed, "The parameter's name."),
          .value("filling", .text, .needed, "her-id, bus, operation-id, addresses, or =text for a fixed text."),
        ], .needed), meaning: "Its parameters, in order."),
  ]
}
