// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import TjenestebussClient

/// What a vendor needs to find a fault from afar, as one JSON object: the steps, the name service's settings, the clock, versions,
/// the bus's certificates. It has no field that could hold a secret or a message's content. Fields are only ever added.
public struct SupportBundle: Sendable {
  public struct Program: Sendable, Encodable {
    var version: String
    var system: String
    var processors: Int

    public init(version: String, system: String, processors: Int) {
      self.version = version
      self.system = system
      self.processors = processors
    }
  }

  public struct Clock: Sendable, Encodable {
    /// How far our clock is ahead of a server's, by the `Date` of its answer; nil when nobody could be asked.
    public var ahead_seconds: Double?
    /// The server's `Date` has whole seconds, and the answer takes its time.
    public var uncertainty_seconds: Double?
    public var asked: String?
    public var synchronised_by_systemd: Bool
    public var time_zone: String

    public init(synchronisedBySystemd: Bool, timeZone: String) {
      self.synchronised_by_systemd = synchronisedBySystemd
      self.time_zone = timeZone
    }
  }

  /// A bus as it is configured, without its login.
  public struct BusFacts: Sendable, Encodable {
    var name: String
    var dialect: String
    var host: String
    var port: Int
    var encrypted: Bool
    var path: String
    var virtual_host: String?
    var authorities: [String]
    var has_reply_queue: Bool
    var counted_over_http: Bool

    public init(_ endpoint: BusEndpoint, hasReplyQueue: Bool, countedOverHTTP: Bool) {
      self.name = endpoint.name.text
      self.dialect = endpoint.dialect.rawValue
      self.host = endpoint.connection.host
      self.port = endpoint.connection.port
      self.encrypted = endpoint.connection.encrypted
      self.path = endpoint.connection.path
      self.virtual_host = endpoint.virtualHost
      self.authorities = endpoint.authorities
      self.has_reply_queue = hasReplyQueue
      self.counted_over_http = countedOverHTTP
    }
  }

  public var madeAt: RegistryInstant
  public var program: Program
  public var clock: Clock
  /// The lines of the name service's settings.
  public var resolver: [String]
  public var cache: String?
  /// The register's URL, without a login.
  public var register: String?
  public var buses: [BusFacts]
  public var chain: CertificateChain
  public var look: ProbeLook

  public init(
    madeAt: RegistryInstant, program: Program, clock: Clock, resolver: [String], cache: String?, register: String?,
    buses: [BusFacts], chain: CertificateChain, look: ProbeLook
  ) {
    self.madeAt = madeAt
    self.program = program
    self.clock = clock
    self.resolver = resolver
    self.cache = cache
    self.register = register
    self.buses = buses
    self.chain = chain
    self.look = look
  }

  private struct JSON: Encodable {
    var schema = "bus-pinger-support/1"
    var made_at: String
    var program: Program
    var clock: Clock
    var resolver: [String]
    var cache: String?
    var register: String?
    var buses: [BusFacts]
    var certificates: [CertificateChain.Certificate]
    var certificates_seen: String
    var report: ProbeLookJSON
  }

  /// One object on one line.
  public func json(_ language: ProbeLanguage) -> String {
    ProbeLookJSON.line(
      JSON(
        made_at: ProbeLookJSON.time(self.madeAt), program: self.program, clock: self.clock, resolver: self.resolver,
        cache: self.cache, register: self.register, buses: self.buses, certificates: self.chain.certificates,
        certificates_seen: self.chain.seen,
        report: ProbeLookJSON(self.look, language, status: self.look.status(), round: nil)))
  }
}
