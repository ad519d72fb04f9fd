// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Fetches the profiles and agreements of parties, and tells which endpoints in them the address register has left behind.
///
/// One party or agreement that cannot be read does not stop the others: it is listed. What no client of ours would get either
/// (no token, a refused login, a wrong configuration) ends the survey at once: asking again for each party would only knock on
/// a door that is shut.
public struct EndpointSurvey: Sendable {
  /// A profile or an agreement that could not be read.
  public struct Failure: Sendable, Hashable {
    /// The party whose documents were asked for.
    public var herID: HerID
    /// The agreement's id; nil when the profile or the list of agreements could not be read.
    public var documentID: String?
    public var error: AddressRegistryError

    public init(herID: HerID, documentID: String?, error: AddressRegistryError) {
      self.herID = herID
      self.documentID = documentID
      self.error = error
    }
  }

  /// What the CPPA register holds of some parties.
  public struct Documents: Sendable, Hashable {
    /// Every profile and agreement once, in order of the parties asked for.
    public var documents: [CollaborationProtocol] = []
    public var failures: [Failure] = []

    public init() {}
  }

  /// What was found.
  public struct Findings: Sendable, Hashable {
    public var profiles: Int
    public var agreements: Int
    /// In order of the documents.
    public var stale: [StaleEndpoint]
    /// Parties with an endpoint that nothing can be said of: the address register's entry is not known here, or names no queue on a
    /// configured bus.
    public var unjudged: [HerID]
    public var failures: [Failure]
  }

  private let register: any CollaborationProtocolReading
  private let concurrency: Int
  private let progress: @Sendable (SyncProgress) -> Void

  /// - Parameters:
  ///   - concurrency: parties asked about at once. Default 8.
  ///   - progress: told after each party; must be quick.
  public init(
    register: any CollaborationProtocolReading, concurrency: Int = 8,
    progress: @escaping @Sendable (SyncProgress) -> Void = { _ in }
  ) {
    self.register = register
    self.concurrency = max(1, concurrency)
    self.progress = progress
  }

  /// The profiles and agreements of these parties.
  ///
  /// - Throws: ``AddressRegistryError`` when nothing can be asked at all (see above); `CancellationError`.
  public func documents(of herIDs: [HerID]) async throws -> Documents {
    var byPlace: [Int: Documents] = [:]
    let desk = AgreementDesk()
    try await withThrowingTaskGroup(of: (Int, Documents).self) { group in
      var next = herIDs.enumerated().makeIterator()
      var failed = 0
      func ask() {
        guard let (place, herID) = next.next() else { return }
        group.addTask { (place, try await self.documents(of: herID, desk)) }
      }
      for _ in 0..<self.concurrency { ask() }
      while let (place, found) = try await group.next() {
        byPlace[place] = found
        failed += found.failures.count
        self.progress(SyncProgress(done: byPlace.count, total: herIDs.count, failed: failed))
        ask()
      }
    }
    var all = Documents()
    for place in herIDs.indices {
      all.documents += byPlace[place]?.documents ?? []
      all.failures += byPlace[place]?.failures ?? []
    }
    return all
  }

  /// Which endpoints of these parties' profiles and agreements name another bus than the address register does. An agreement is
  /// judged on both sides: the other party's endpoint matters to those who send by it.
  ///
  /// - Parameters:
  ///   - records: what the address register says, or what it will say once parties have moved. Counterparts too, where they are known.
  ///   - buses: the configured ones.
  /// - Throws: as ``documents(of:)``.
  public func findings(
    of herIDs: [HerID], records: [HerID: PartyRecord], buses: [Bus]
  ) async throws -> Findings {
    Self.judge(try await self.documents(of: herIDs), records: records, buses: buses)
  }

  /// The same for documents that were fetched before; no IO. A plan asks twice: with the entries before the move and after it.
  public static func judge(_ found: Documents, records: [HerID: PartyRecord], buses: [Bus]) -> Findings {
    Findings(
      profiles: found.documents.count { $0.kind == .profile }, agreements: found.documents.count { $0.kind == .agreement },
      stale: StaleEndpoints.find(in: found.documents, records: records, buses: buses),
      unjudged: StaleEndpoints.unjudged(in: found.documents, records: records, buses: buses), failures: found.failures)
  }

  private func documents(of herID: HerID, _ desk: AgreementDesk) async throws -> Documents {
    var found = Documents()
    func read<Value>(_ documentID: String?, _ body: () async throws -> Value?) async throws -> Value? {
      do { return try await body() } catch let error as AddressRegistryError where !Self.isForEverybody(error) {
        found.failures.append(Failure(herID: herID, documentID: documentID, error: error))
        return nil
      }
    }
    if let profile = try await read(nil, { try await self.register.profile(herID) }) { found.documents.append(profile) }
    // Two parties of the same agreement both name it; whoever comes first fetches it.
    let ids: [String]? = try await read(nil) { try await self.register.agreementIDs(of: herID) }
    for id in ids ?? [] where await desk.takes(id) {
      if let agreement = try await read(id, { try await self.register.agreement(id: id) }) { found.documents.append(agreement) }
    }
    return found
  }

  private static func isForEverybody(_ error: AddressRegistryError) -> Bool {
    switch error {
    case .tokenRefused, .tokenUnreadable, .signingKeyUnusable, .registerLoginRefused, .registerConfigurationInvalid: true
    default: false
    }
  }
}

/// Which agreements are fetched already.
private actor AgreementDesk {
  private var taken: Set<String> = []
  func takes(_ id: String) -> Bool { self.taken.insert(id.lowercased()).inserted }
}
