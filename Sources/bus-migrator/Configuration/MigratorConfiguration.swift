// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Migration
import MigrationEngine
import TjenestebussClient

/// What the configuration file says, checked.
struct MigratorConfiguration {
  struct BusEntry {
    var endpoint: BusEndpoint
    var management: Management?
    var pingReplyQueue: String?
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
    /// nil: a person writes, from instructions.
    var writer: SOAPWriterConfiguration?
    /// The register's REST interface: export and events; nil where it is not used.
    var rest: REST?
    /// When the daemon compares the whole cache with the register; nil for never.
    var compareAt: TimeOfDay?
  }

  /// The CommunicationParty API, and how HelseID knows us.
  struct REST {
    var endpoint: RESTEndpoint
    var helseID: HelseIDConfiguration
    var key: SigningKey
  }

  /// The name of the world this is about: test, qa, production. Files of one are refused by the others.
  var environment: String?
  var buses: [BusEntry]
  var register: Register
  var ownHerID: HerID
  var pingSubject: String
  var pingTimeToLive: TimeSpan
  var echoTimeout: TimeSpan
  var probeTimeout: TimeSpan
  var database: String
  var socket: String
  var settings: EngineSettings
  var logLevel: String

  var busValues: [Bus] { self.buses.map(\.endpoint.bus) }
}
