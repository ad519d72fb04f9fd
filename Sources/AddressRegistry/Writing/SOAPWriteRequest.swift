// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A write as the XML that is sent; no IO.
struct SOAPWriteRequest: Equatable {
  var action: String
  var body: String
  var headers: String
  /// The element name that an answer must have.
  var responseName: String

  /// - Throws: `registerWriteNotConfigured` when no operation can do it, `registerConfigurationInvalid` when a name or value
  ///   cannot be sent. Nothing has left then.
  init(_ write: RegisterWrite, configuration: SOAPWriterConfiguration) throws(AddressRegistryError) {
    guard let operation = configuration.operation(for: write.change) else {
      throw .registerWriteNotConfigured(write.description)
    }
    let bus: BusName? =
      switch write.change {
      case .switchToBus(let bus), .switchToBusWithServicesBelow(let bus): bus
      case .useOrganisationQueue, .replaceAddresses: nil
      }
    if let bus {
      let hasParameter = operation.parameters.contains { $0.filling == .bus }
      guard hasParameter || operation.onlyBus == bus else {
        throw .registerWriteNotConfigured("\(write.description) by operation \(operation.name)")
      }
    }
    if case .replaceAddresses = write.change, !operation.parameters.contains(where: { $0.filling == .addresses }) {
      throw .registerConfigurationInvalid("operation \(operation.name) has no parameter for the addresses")
    }
    guard operation.parameters.contains(where: { $0.filling == .herID }) else {
      throw .registerConfigurationInvalid("operation \(operation.name) has no parameter for the HER-ID")
    }
    var inner = ""
    for parameter in operation.parameters {
      let content = try Self.content(parameter.filling, write: write, bus: bus, configuration: configuration)
      inner += "<\(try Self.name(parameter.name))>\(content)</\(parameter.name)>"
    }
    let name = try Self.name(operation.name)
    self.action = operation.action ?? configuration.actionPrefix + operation.name
    self.body = "<\(name) xmlns=\"\(try Self.text(configuration.namespace))\">\(inner)</\(name)>"
    self.headers = ""
    self.responseName = name + "Response"
    if let header = configuration.operationIDHeader {
      let id = try Self.text(write.operationID.text)
      self.headers =
        "<o:\(try Self.name(header.name)) xmlns:o=\"\(try Self.text(header.namespace))\">\(id)</o:\(header.name)>"
    }
  }

  private static func content(
    _ filling: SOAPWriterConfiguration.Filling, write: RegisterWrite, bus: BusName?, configuration: SOAPWriterConfiguration
  ) throws(AddressRegistryError) -> String {
    switch filling {
    case .herID: return String(write.herID.value)
    case .operationID: return try Self.text(write.operationID.text)
    case .constant(let text): return try Self.text(text)
    case .bus:
      guard let bus else { throw .registerConfigurationInvalid("an operation that names no bus has a parameter for it") }
      return try Self.text(configuration.busNames[bus.text] ?? bus.text)
    case .addresses:
      guard case .replaceAddresses(let addresses) = write.change else {
        throw .registerConfigurationInvalid("an operation that sets no addresses has a parameter for them")
      }
      let namespace = try Self.text(configuration.addressNamespace)
      var list = ""
      for address in addresses {
        list +=
          "<c:ElectronicAddress xmlns:c=\"\(namespace)\"><c:Address>\(try Self.text(address.text))</c:Address>"
          + "<c:Inherited>\(address.inherited)</c:Inherited>"
          + "<c:TypeCodeValue>\(try Self.text(address.typeCode))</c:TypeCodeValue></c:ElectronicAddress>"
      }
      return list
    }
  }

  private static func text(_ text: String) throws(AddressRegistryError) -> String {
    guard let escaped = XMLText.escaped(text) else {
      throw .registerConfigurationInvalid("a value has a control character that XML cannot carry")
    }
    return escaped
  }

  private static func name(_ name: String) throws(AddressRegistryError) -> String {
    guard XMLText.isName(name) else { throw .registerConfigurationInvalid("\"\(name.prefix(60))\" is no element name") }
    return name
  }
}
