// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

extension MigratorConfiguration {
  private enum WriterKind: String, CaseIterable { case manual, soap, none }

  static func writer(_ node: ConfigurationNode) throws -> Writer {
    let fields = try node.mapping()
    // Each kind has keys of its own; another's is as good as misspelt.
    let common = ["kind"]
    let elsewhere = ["written-by"]
    let soap = (node.key?.below ?? []).map(\.name).filter { !common.contains($0) && !elsewhere.contains($0) }
    switch try fields.required("kind").choice(WriterKind.self) {
    case .manual:
      _ = try node.mapping(common)
      return .manual
    case .none:
      let fields = try node.mapping(common + elsewhere)
      // Somebody has to: a plan that nobody carries out must not look like one that somebody does.
      return .none(writtenBy: try fields.required("written-by").text)
    case .soap:
      return .soap(try Self.soapWriter(try node.mapping(common + soap)))
    }
  }

  private static func soapWriter(_ fields: ConfigurationNode.Fields) throws -> SOAPWriterConfiguration {
    var configuration = SOAPWriterConfiguration(
      endpoint: try Self.endpoint(fields), namespace: try fields.required("namespace").text,
      actionPrefix: try fields.required("action-prefix").text)
    try fields.read("address-namespace", into: &configuration.addressNamespace) { try $0.text }
    try fields.read("bus-names", into: &configuration.busNames) { node in
      guard case .mapping(let mapping) = node.node else { throw node.wrong(wanted: "our bus names to the register's") }
      return Dictionary(mapping.compactMap { pair in pair.key.string.flatMap { key in pair.value.string.map { (key, $0) } } }) {
        $1
      }
    }
    try fields.read("operation-id-header", into: &configuration.operationIDHeader) { node in
      let header = try node.mapping()
      return SOAPWriterConfiguration.HeaderElement(
        name: try header.required("name").text, namespace: try header.required("namespace").text)
    }
    configuration.switchToBus = try Self.operation(fields.required("switch-to-bus"))
    configuration.switchToBusWithServicesBelow = try fields.optional("switch-to-bus-with-services-below").map {
      try Self.operation($0)
    }
    configuration.useOrganisationQueue = try fields.optional("use-organisation-queue").map { try Self.operation($0) }
    let count = try fields.required("log-entries-per-write")
    guard try (1...100).contains(count.integer) else { throw count.wrong(wanted: "a number from 1 to 100") }
    configuration.logEntriesPerWrite = try count.integer
    // Without it there would be a way forward and none back.
    configuration.replaceAddresses = try Self.operation(fields.required("replace-addresses"))
    return configuration
  }

  private static func operation(_ node: ConfigurationNode) throws -> SOAPWriterConfiguration.Operation {
    let fields = try node.mapping()
    let parameters = try fields.required("parameters").elements.map { node in
      let fields = try node.mapping()
      return SOAPWriterConfiguration.Parameter(
        try fields.required("name").text, try Self.filling(fields.required("filling")))
    }
    return SOAPWriterConfiguration.Operation(
      name: try fields.required("name").text, action: try fields.optional("action")?.text, parameters: parameters,
      onlyBus: try fields.optional("only-bus").map { BusName(try $0.text) })
  }

  private static func filling(_ node: ConfigurationNode) throws -> SOAPWriterConfiguration.Filling {
    switch try node.text {
    case "her-id": return .herID
    case "bus": return .bus
    case "operation-id": return .operationID
    case "addresses": return .addresses
    case let text where text.hasPrefix("="): return .constant(String(text.dropFirst()))
    default: throw node.wrong(wanted: "her-id, bus, operation-id, addresses, or =text for a fixed text")
    }
  }
}
