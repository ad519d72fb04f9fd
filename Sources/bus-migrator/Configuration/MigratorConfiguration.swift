// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Logging
import Migration
import MigrationEngine
import TjenestebussClient

/// What the configuration file says, checked.
struct MigratorConfiguration {
  struct BusEntry {
    var endpoint: BusEndpoint
    var management: Management?
    var pingReplyQueue: String?
    /// How a RabbitMQ 4 node reaches this bus over AMQP 0-9-1, with the login its shovels use; nil where none are.
    var shovelAddress: Secret?
    /// Logins of organisations on this bus, by organisation number: with them their parties' queues are looked into and taken from.
    var organisations: [Int32: BusConnectionString] = [:]

    /// The bus as an organisation logs in there; as ourselves where it has no login here.
    func endpoint(for organisation: Int32?) -> BusEndpoint {
      guard let login = organisation.flatMap({ self.organisations[$0] }) else { return self.endpoint }
      var endpoint = self.endpoint
      endpoint.connection = login
      return endpoint
    }
  }

  /// How a bus is counted over HTTP.
  struct Management {
    var url: String
    var user: String
    var password: Secret
    var virtualHost: String
  }

  struct Register {
    var endpoint: SOAPEndpoint
    var credentials: RegisterCredentials
    var extraRootsFile: String?
    /// The SQLite cache of the register; nil for none.
    var cache: String?
    var writer: Writer
    /// The register's REST interface: export and events; nil where it is not used.
    var rest: REST?
    /// The register of collaboration protocols (CPPA); nil where it is not used.
    var cppa: REST?
    /// When the daemon compares the whole cache with the register; nil for never.
    var compareAt: TimeOfDay?
  }

  /// Who writes the register.
  enum Writer {
    /// A person, from the daemon's instructions.
    case manual
    case soap(SOAPWriterConfiguration)
    /// Nothing is written from here; these do it.
    case none(writtenBy: String)

    /// What puljer can ask of it.
    var offer: RegisterOffer {
      switch self {
      case .manual:
        RegisterOffer(writer: .init(.byHand), servicesBelow: true, organisationQueue: true)
      case .soap(let soap):
        RegisterOffer(
          servicesBelow: soap.switchToBusWithServicesBelow != nil, organisationQueue: soap.useOrganisationQueue != nil)
      case .none(let writtenBy):
        RegisterOffer(writer: .init(.elsewhere, who: writtenBy), servicesBelow: true, organisationQueue: true)
      }
    }
  }

  /// A REST service of the registers, and how HelseID knows us there.
  struct REST {
    var endpoint: RESTEndpoint
    var helseID: HelseIDConfiguration
    var key: SigningKey
  }

  /// The head of the history's chain, kept outside the database.
  struct Heads {
    var file: String
    var interval: TimeSpan
  }

  /// The world this is about. Files of one are refused by the others.
  var environment: EnvironmentName
  var buses: [BusEntry]
  var register: Register
  var ownHerID: HerID
  var pingSubject: String
  var pingTimeToLive: TimeSpan
  var echoTimeout: TimeSpan
  var probeTimeout: TimeSpan
  /// Where it is kept when which party was pinged; nil for the usual place, which bus-pinger uses too.
  var pingStateFolder: String?
  /// How far apart pings of one party are; zero where nothing real is pinged.
  var partyInterval: TimeSpan
  var database: String
  var socket: String
  /// For pingers: hands over echoes and takes no command; nil for none beside the control socket.
  var echoSocket: String?
  var settings: EngineSettings
  var rates: CallPace.Rates
  /// Programs that puljer may ask, by name.
  var hooks: [String: ProgramHooks.Program]
  /// Where the chain's head is written every so often.
  var heads: Heads
  /// The control interface over TCP; nil for none, which is the default.
  var api: API?
  /// Where reports are written when a pulje comes to its decision or its end; nil for nowhere.
  var reports: ReportKeeper.Settings?
  var logLevel: Logger.Level
  /// Who is told what begins and what ends.
  var tell: TellConfiguration
  /// What each key at the top of the file holds, to be compared with what it held before; not what it is.
  var sections: [String: Int]

  /// What a reload takes up. Everything else is what connections and databases were opened with: a restart.
  static let reloadable: Set<String> = ["timings", "limits", "hooks", "log-level", "api", "tell"]

  /// The keys that differ from what the daemon was started with and that only a restart takes up, in order.
  func needingRestart(since started: MigratorConfiguration) -> [String] {
    let keys = Set(self.sections.keys).union(started.sections.keys).subtracting(Self.reloadable)
      .filter { self.sections[$0] != started.sections[$0] }
      // Of retention, what people were told of is taken up with tell, and the history's is nothing to the daemon.
      .filter { $0 != "retention" || self.reports != started.reports }
    // Certificate and tokens are taken up; what listens is opened once.
    return (keys + (self.api?.listen == started.api?.listen ? [] : ["api.listen"])).sorted()
  }

  var busValues: [Bus] { self.buses.map(\.endpoint.bus) }
}
