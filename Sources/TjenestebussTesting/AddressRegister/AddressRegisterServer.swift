// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Logging
import ServiceLifecycle

/// An address register (AR) for tests and rehearsals: real SOAP 1.1 and 1.2 over real HTTP, entries in memory.
///
/// Questions go to `/v1/AR` (SOAP 1.2) and `/v1/AR/Basic` (1.1) in the real register's contract; writes go to `/v1/Migration`
/// and `/v1/Migration/Basic` in a contract of our own, which ``writerConfiguration(version:timeoutSeconds:)`` states.
///
/// What it cannot show: how the real register behaves where its contract is not public (`docs/address-register.md`).
public final class AddressRegisterServer: Service {
  public struct Configuration: Sendable {
    /// Default loopback.
    public var host: String
    /// Default 0: any free one.
    public var port: Int
    public var credentials: RegisterCredentials
    /// The buses that parties can be switched to.
    public var buses: [Bus]
    /// Where the entries and the change log are kept, so that a new process can go on with them; nil for memory only. When the
    /// file is there at the start, it counts and not the records handed in.
    public var file: String?
    /// How long what a reading operation answered for one party is answered again, whatever was written since: the register's
    /// own caches. Default: none.
    public var lags: [RegisterOperation: Duration] = [:]
    /// What time it is for the caches and the change log. Default: the machine's.
    public var clock: any BrokerClock = SystemBrokerClock()
    /// Whether packed exports lack the header that says so, as some gateways have it. Default false.
    public var packsSilently = false
    /// Whether the bytes of SOAP requests are kept for ``AddressRegisterServer/requests``. Default false.
    public var keepsRequests = false

    public init(
      credentials: RegisterCredentials, buses: [Bus], host: String = "127.0.0.1", port: Int = 0, file: String? = nil
    ) {
      self.host = host
      self.port = port
      self.credentials = credentials
      self.buses = buses
      self.file = file
    }
  }

  /// A write that reached the register, whatever became of it.
  public struct WriteAttempt: Sendable, Hashable {
    public enum Outcome: Sendable, Hashable {
      case applied(AddressRegisterState.Applied)
      case refused
      /// A scripted fault kept it from being done.
      case prevented
    }

    public var operation: RegisterOperation
    public var herID: HerID
    public var operationID: OperationID?
    public var outcome: Outcome
  }

  struct Inside: Sendable {
    var register: AddressRegisterState
    var script = RegisterFaultScript()
    var attempts: [WriteAttempt] = []
    var reads: [HerID: Int] = [:]
    /// Counts answers, so that no two show the same times.
    var answers: Int64 = 0
    var cached: [CacheKey: CachedAnswer] = [:]
    var requests: [[UInt8]] = []
    var helseID = HelseIDDesk()
    var tokenRequests: [(assertion: String, proof: String)] = []
    var protocols = ProtocolDocuments()
    /// Parties that an export shows as this text instead.
    var spoilt: [HerID: String] = [:]
    var damagesChecksums = false
  }

  let configuration: Configuration
  let logger: Logger
  let inside: LockedBox<Inside>
  let address = FirstValue<Int>()

  /// - Throws: when ``Configuration/file`` is there and cannot be read.
  public init(configuration: Configuration, records: [PartyRecord], logger: Logger? = nil) throws {
    self.configuration = configuration
    var quiet = Logger(label: "tjenestebuss.testing.address-register")
    // Hummingbird calls it an error when a connection is cut at the end of a test; what matters is thrown.
    quiet.logLevel = .critical
    self.logger = logger ?? quiet
    let kept = try configuration.file.flatMap { try RegisterFile.read($0) }
    self.inside = LockedBox(Inside(register: kept ?? AddressRegisterState(records: records)))
  }

  /// Starts a server, hands it to `body` once it listens, and stops it afterwards.
  public static func withServer<Value: Sendable>(
    configuration: Configuration, records: [PartyRecord], logger: Logger? = nil,
    _ body: @Sendable (AddressRegisterServer) async throws -> Value
  ) async throws -> Value {
    let server = try AddressRegisterServer(configuration: configuration, records: records, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      defer { group.cancelAll() }
      _ = try await server.port
      return try await body(server)
    }
  }

  // MARK: - Where it is

  /// The port it listens on; waits until it does.
  ///
  /// - Throws: what kept it from listening, or `CancellationError`.
  public var port: Int {
    get async throws { try await self.address.value }
  }

  /// Where questions go.
  public func readerEndpoint(version: SOAPVersion = .v1_1, timeoutSeconds: Double = 30) async throws -> SOAPEndpoint {
    SOAPEndpoint(
      url: "\(try await self.base)/v1/AR\(version == .v1_1 ? "/Basic" : "")", version: version, timeoutSeconds: timeoutSeconds)
  }

  /// Where the CommunicationParty API is.
  public func partyAPI(timeoutSeconds: Double = 30) async throws -> RESTEndpoint {
    RESTEndpoint(url: try await self.base, timeoutSeconds: timeoutSeconds)
  }

  /// Where the CPPA API is.
  public func protocolAPI(timeoutSeconds: Double = 30) async throws -> RESTEndpoint {
    RESTEndpoint(url: try await self.base + "/v2", timeoutSeconds: timeoutSeconds)
  }

  /// How a client asks the testing HelseID for tokens.
  public func helseID(clientID: String, scope: String) async throws -> HelseIDConfiguration {
    HelseIDConfiguration(issuer: try await self.base, clientID: clientID, scope: scope)
  }

  /// The contract for writes.
  public func writerConfiguration(
    version: SOAPVersion = .v1_1, timeoutSeconds: Double = 30
  ) async throws -> SOAPWriterConfiguration {
    SOAPWriterConfiguration(
      endpoint: SOAPEndpoint(
        url: "\(try await self.base)/v1/Migration\(version == .v1_1 ? "/Basic" : "")", version: version,
        timeoutSeconds: timeoutSeconds),
      namespace: RegisterRequest.writeNamespace, actionPrefix: RegisterRequest.writeNamespace + "/",
      operationIDHeader: SOAPWriterConfiguration.HeaderElement(
        name: RegisterRequest.operationIDHeader, namespace: RegisterRequest.writeNamespace),
      switchToBus: Self.operation(.switchBus, bus: true),
      switchToBusWithServicesBelow: Self.operation(.switchBusIncludingServices, bus: true),
      useOrganisationQueue: Self.operation(.useOrganizationQueue, bus: false),
      replaceAddresses: SOAPWriterConfiguration.Operation(
        name: RegisterOperation.updateElectronicAddresses.rawValue,
        parameters: [
          SOAPWriterConfiguration.Parameter("herId", .herID),
          SOAPWriterConfiguration.Parameter("electronicAddresses", .addresses),
        ]))
  }

  private static func operation(_ operation: RegisterOperation, bus: Bool) -> SOAPWriterConfiguration.Operation {
    var parameters = [SOAPWriterConfiguration.Parameter("herId", .herID)]
    if bus { parameters.append(SOAPWriterConfiguration.Parameter("bus", .bus)) }
    return SOAPWriterConfiguration.Operation(name: operation.rawValue, parameters: parameters)
  }

  private var base: String {
    get async throws { "http://\(self.configuration.host):\(try await self.port)" }
  }

  // MARK: - Looking in and reaching in

  /// Every entry as it shows.
  public var records: [PartyRecord] { self.inside.withLock { $0.register.records } }

  /// The entry as it shows; nil when there is none.
  public func record(_ herID: HerID) -> PartyRecord? { self.inside.withLock { $0.register.record(herID) } }

  /// Every change to an entry, in order, each with the operation id that caused it.
  public var changes: [AddressRegisterState.Change] { self.inside.withLock { $0.register.changes } }

  public func changes(of herID: HerID) -> [AddressRegisterState.Change] { self.changes.filter { $0.herID == herID } }

  /// Every write request that was understood, in order.
  public var writeAttempts: [WriteAttempt] { self.inside.withLock { $0.attempts } }

  /// Lets a client in at the testing HelseID.
  public func admit(_ client: HelseIDClient) { self.inside.withLock { $0.helseID.clients[client.id] = client } }

  /// How long tokens hold from now on. Default 600 s.
  public func setTokenLife(seconds: Int64) { self.inside.withLock { $0.helseID.tokenLife = seconds } }

  /// How many tokens were given.
  public var tokensIssued: Int { self.inside.withLock { $0.helseID.issued } }

  /// Makes all tokens given so far worth nothing.
  public func revokeTokens() { self.inside.withLock { $0.helseID.revokeAll() } }

  /// From now on another nonce is wanted, and by the services too where `byServices`.
  public func renewNonce(byServices: Bool = false) {
    self.inside.withLock {
      $0.helseID.renewNonce()
      $0.helseID.servicesWantNonce = byServices
    }
  }

  /// The client assertions and proofs of all requests for tokens, when ``Configuration/keepsRequests`` says so.
  public var tokenRequests: [(assertion: String, proof: String)] { self.inside.withLock { $0.tokenRequests } }

  /// What the testing CPPA register holds from now on.
  public func setProtocols(profiles: [CollaborationProtocol], agreements: [CollaborationProtocol]) {
    self.inside.withLock { $0.protocols = ProtocolDocuments(profiles: profiles, agreements: agreements) }
  }

  /// Shows this text in exports instead of the party.
  public func spoil(_ herID: HerID, with text: String) { self.inside.withLock { $0.spoilt[herID] = text } }

  /// From now on every packed export is right but for its checksum, as when a bit was turned on the way.
  public func damageExportChecksums(_ isDamaged: Bool) { self.inside.withLock { $0.damagesChecksums = isDamaged } }

  /// The bytes of every SOAP request, when ``Configuration/keepsRequests`` says so.
  public var requests: [[UInt8]] { self.inside.withLock { $0.requests } }

  /// How often the party's details were asked for (and the question understood).
  public func reads(of herID: HerID) -> Int { self.inside.withLock { $0.reads[herID] ?? 0 } }

  /// Changes an entry as a stranger would: no operation id.
  ///
  /// - Throws: when there is a file and it cannot be written.
  public func put(_ record: PartyRecord) throws {
    let time = self.configuration.clock.milliseconds
    try self.changing { $0.put(record, at: time) }
  }

  /// Adds a fault behind those already scripted.
  public func script(_ fault: ScriptedRegisterFault) { self.inside.withLock { $0.script.append(fault) } }

  public func clearScript() { self.inside.withLock { $0.script.removeAll() } }

  /// How many faults are still to come.
  public var scriptedFaultsLeft: Int { self.inside.withLock { $0.script.remaining } }

  /// Changes the register: first in the file, where there is one, then in memory, so that nothing is acknowledged that a new
  /// process would not know.
  func changing<Value: Sendable>(_ change: (inout AddressRegisterState) throws -> Value) throws -> Value {
    try self.inside.withLock { inside in
      // Without a file a change that throws has changed nothing, and a hundred thousand entries need not be copied.
      guard let file = self.configuration.file else { return try change(&inside.register) }
      var next = inside.register
      let value = try change(&next)
      if next != inside.register { try RegisterFile.write(next, to: file) }
      inside.register = next
      return value
    }
  }
}
