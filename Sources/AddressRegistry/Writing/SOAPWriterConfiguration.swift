// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The contract of the register's migration service, as configuration: it is not public, so no name in it is built in
/// (decision Q3). Whoever has its WSDL fills this in.
public struct SOAPWriterConfiguration: Sendable, Hashable, Codable {
  /// What one parameter of an operation is filled with.
  public enum Filling: Sendable, Hashable {
    /// The HER-ID, in digits.
    case herID
    /// The bus, by the register's own name for it (``SOAPWriterConfiguration/busNames``).
    case bus
    /// The operation id.
    case operationID
    /// The electronic addresses, as a list of `ElectronicAddress` elements.
    case addresses
    /// A fixed text, such as `true`.
    case constant(String)
  }

  /// A parameter: an element inside the operation's element.
  public struct Parameter: Sendable, Hashable, Codable {
    /// The element's name.
    public var name: String
    public var filling: Filling

    public init(_ name: String, _ filling: Filling) {
      self.name = name
      self.filling = filling
    }
  }

  /// An operation of the service.
  public struct Operation: Sendable, Hashable, Codable {
    /// The element's name in the body; the answer's is this and `Response`.
    public var name: String
    /// The SOAP action; when absent, ``SOAPWriterConfiguration/actionPrefix`` and the name.
    public var action: String?
    /// In the order of the WSDL: the platform skips what stands in the wrong order.
    public var parameters: [Parameter]
    /// The one bus the operation switches to, when it has no parameter for it. Another bus is then refused here.
    public var onlyBus: BusName?

    public init(name: String, action: String? = nil, parameters: [Parameter], onlyBus: BusName? = nil) {
      self.name = name
      self.action = action
      self.parameters = parameters
      self.onlyBus = onlyBus
    }
  }

  /// An element of the SOAP header that carries the operation id.
  public struct HeaderElement: Sendable, Hashable, Codable {
    public var name: String
    public var namespace: String

    public init(name: String, namespace: String) {
      self.name = name
      self.namespace = namespace
    }
  }

  public var endpoint: SOAPEndpoint
  /// The namespace of operations and parameters, such as `http://register.nhn.no/RabbitMqMigration`.
  public var namespace: String
  /// What stands before an operation's name in its SOAP action, such as `http://register.nhn.no/RabbitMqMigration/IService/`.
  public var actionPrefix: String
  /// The namespace of the fields of an electronic address. Default `http://register.nhn.no/Common`.
  public var addressNamespace: String
  /// Our bus names to the register's. A bus that is not in here is sent by its own name.
  public var busNames: [String: String]
  /// Where the operation id goes besides parameters; nil for nowhere.
  public var operationIDHeader: HeaderElement?
  /// Absent operations are refused here, before anything is sent.
  public var switchToBus: Operation?
  public var switchToBusWithServicesBelow: Operation?
  public var useOrganisationQueue: Operation?
  public var replaceAddresses: Operation?
  /// How many entries one write makes in a party's change log; more than that since it was read is another's hand. Default 1.
  public var logEntriesPerWrite: Int

  public init(
    endpoint: SOAPEndpoint, namespace: String, actionPrefix: String,
    addressNamespace: String = "http://register.nhn.no/Common", busNames: [String: String] = [:],
    operationIDHeader: HeaderElement? = nil, switchToBus: Operation? = nil, switchToBusWithServicesBelow: Operation? = nil,
    useOrganisationQueue: Operation? = nil, replaceAddresses: Operation? = nil, logEntriesPerWrite: Int = 1
  ) {
    self.logEntriesPerWrite = logEntriesPerWrite
    self.endpoint = endpoint
    self.namespace = namespace
    self.actionPrefix = actionPrefix
    self.addressNamespace = addressNamespace
    self.busNames = busNames
    self.operationIDHeader = operationIDHeader
    self.switchToBus = switchToBus
    self.switchToBusWithServicesBelow = switchToBusWithServicesBelow
    self.useOrganisationQueue = useOrganisationQueue
    self.replaceAddresses = replaceAddresses
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      endpoint: try container.decode(SOAPEndpoint.self, forKey: .endpoint),
      namespace: try container.decode(String.self, forKey: .namespace),
      actionPrefix: try container.decode(String.self, forKey: .actionPrefix),
      addressNamespace: try container.decodeIfPresent(String.self, forKey: .addressNamespace)
        ?? "http://register.nhn.no/Common",
      busNames: try container.decodeIfPresent([String: String].self, forKey: .busNames) ?? [:],
      operationIDHeader: try container.decodeIfPresent(HeaderElement.self, forKey: .operationIDHeader),
      switchToBus: try container.decodeIfPresent(Operation.self, forKey: .switchToBus),
      switchToBusWithServicesBelow: try container.decodeIfPresent(Operation.self, forKey: .switchToBusWithServicesBelow),
      useOrganisationQueue: try container.decodeIfPresent(Operation.self, forKey: .useOrganisationQueue),
      replaceAddresses: try container.decodeIfPresent(Operation.self, forKey: .replaceAddresses),
      logEntriesPerWrite: try container.decodeIfPresent(Int.self, forKey: .logEntriesPerWrite) ?? 1)
  }

  func operation(for change: RegisterChange) -> Operation? {
    switch change {
    case .switchToBus: self.switchToBus
    case .switchToBusWithServicesBelow: self.switchToBusWithServicesBelow
    case .useOrganisationQueue: self.useOrganisationQueue
    case .replaceAddresses: self.replaceAddresses
    }
  }
}

extension SOAPWriterConfiguration.Filling: Codable {
  /// In configuration: `her-id`, `bus`, `operation-id`, `addresses`, or `=text` for the fixed text "text".
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    switch text {
    case "her-id": self = .herID
    case "bus": self = .bus
    case "operation-id": self = .operationID
    case "addresses": self = .addresses
    case _ where text.hasPrefix("="): self = .constant(String(text.dropFirst()))
    default:
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "\"\(text)\" is none of her-id, bus, operation-id, addresses, or =text for a fixed text")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .herID: try container.encode("her-id")
    case .bus: try container.encode("bus")
    case .operationID: try container.encode("operation-id")
    case .addresses: try container.encode("addresses")
    case .constant(let text): try container.encode("=" + text)
    }
  }
}
