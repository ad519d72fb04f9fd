// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Foundation
import TjenestebussTesting

/// The files an operator would write: configuration, credentials, pulje.
struct MigratorFiles: Sendable {
  let configuration: URL
  let pulje: URL

  /// - Parameters:
  ///   - socket: must be short: a Unix socket's path has at most 107 bytes.
  ///   - watch: how many seconds the parties are watched on the target bus.
  static func write(
    to directory: URL, socket: String, story: Story, buses: any RehearsalBuses, reader: SOAPEndpoint,
    writer: SOAPWriterConfiguration, registerPassword: Secret, watch: Int
  ) throws -> MigratorFiles {
    let files = MigratorFiles(
      configuration: directory.appendingPathComponent("bus-migrator.yaml"), pulje: directory.appendingPathComponent("pulje.yaml"))
    func secret(_ name: String, _ text: String) throws {
      let url = directory.appendingPathComponent(name)
      try Data(text.utf8).write(to: url)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
    }
    for site in [buses.source, buses.target] {
      let connection = site.endpoint.connection
      let login = connection.password.withPlainText { "\(connection.user):\($0)" }
      try secret("\(site.endpoint.name).url", "amqp://\(login)@\(connection.host):\(connection.port)/\(connection.path)\n")
      try secret("\(site.endpoint.name).management", "\(site.managementPassword)\n")
    }
    try secret("register.password", registerPassword.withPlainText { "\($0)\n" })
    let text = Self.configuration(socket: socket, buses: buses, reader: reader, writer: writer)
    try Data(text.utf8).write(to: files.configuration)
    try Data(Self.pulje(story, buses, watch).utf8).write(to: files.pulje)
    return files
  }

  private static func configuration(
    socket: String, buses: any RehearsalBuses, reader: SOAPEndpoint, writer: SOAPWriterConfiguration
  ) -> String {
    var text = "environment: rehearsal\nstate-directory: .\nsocket: \(socket)\nlog-level: debug\nbuses:\n"
    for site in [buses.source, buses.target] {
      text += """
          - name: \(site.endpoint.name)
            dialect: \(site.endpoint.dialect.rawValue)
            hosts: [\(site.endpoint.bus.hosts.joined(separator: ", "))]
            path: \(site.endpoint.bus.path)
            connection-string-file: \(site.endpoint.name).url
            ping-reply-queue: \(Story.proberQueue)
            management:
              url: \(site.managementURL)
              user: \(site.managementUser)
              password-file: \(site.endpoint.name).management

        """
    }
    text += """
      register:
        url: \(reader.url)
        soap-version: "\(reader.version.rawValue)"
        user: register
        password-file: register.password
        cache: addresses.sqlite
        writer:
          kind: soap
          url: \(writer.endpoint.url)
          soap-version: "\(writer.endpoint.version.rawValue)"
          namespace: \(writer.namespace)
          action-prefix: \(writer.actionPrefix)

      """
    if let header = writer.operationIDHeader {
      text += "    operation-id-header: { name: \(header.name), namespace: \"\(header.namespace)\" }\n"
    }
    if let operation = writer.switchToBus { text += Self.operation("switch-to-bus", operation) }
    if let operation = writer.replaceAddresses { text += Self.operation("replace-addresses", operation) }
    text += """
      ping:
        own-her-id: \(Story.prober)
        # Nothing real is pinged, and days become seconds here.
        party-interval: 0s
        time-to-live: 60s
        echo-timeout: 20s
        timeout: 60s
      audit-heads:
        every: 2s
      reports:
        languages: [en]
      timings:
        concurrent-writes: 1
        retry-base: 200ms
        retry-cap: 2s

      """
    return text
  }

  private static func operation(_ key: String, _ operation: SOAPWriterConfiguration.Operation) -> String {
    var text = "    \(key):\n      name: \(operation.name)\n"
    if let action = operation.action { text += "      action: \(action)\n" }
    text += "      parameters:\n"
    for parameter in operation.parameters {
      let filling: String =
        switch parameter.filling {
        case .herID: "her-id"
        case .bus: "bus"
        case .operationID: "operation-id"
        case .addresses: "addresses"
        case .constant(let text): "\"=\(text)\""
        }
      text += "        - { name: \(parameter.name), filling: \(filling) }\n"
    }
    return text
  }

  /// Days become seconds here; what is demanded is what production demands.
  private static func pulje(_ story: Story, _ buses: any RehearsalBuses, _ watch: Int) -> String {
    var text = """
      name: \(story.pulje)
      source: \(buses.source.endpoint.name)
      target: \(buses.target.endpoint.name)
      policy:
        leftovers: forward
        quiet-period: 6s
        look-interval: 1s
        minimum-looks: 3
        watch-period: \(watch)s
        watch-look-interval: 1s
        ping-tries: 3
        ping-interval: 1s
        echo-required: true
        approvals: 2
      parties:

      """
    for system in story.systems {
      for herID in system.herIDs where story.members.contains(herID) {
        // The vendor of the one that will not come up believes that it will.
        text += "  - { her-id: \(herID), vendor: \(system.vendor), listens: both"
        text += system.comesUpOnTarget ? " }\n" : ", start-confirmed: true }\n"
      }
    }
    return text
  }
}
