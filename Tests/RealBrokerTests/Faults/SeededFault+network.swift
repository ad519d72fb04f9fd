// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import ForeignPrograms
import Foundation
import TjenestebussTesting

extension SeededFault {
  /// Steps 20 and 21.
  static let ofNetwork: [SeededFault] = [
    .init(20, .us, .namesUnknown, "NXDOMAIN", on: "name server on loopback", sees: "NXDOMAIN") {
      try await Self.named("nxdomain")
    },
    .init(20, .network, .namesNoAddress, "the name has no address", on: "name server on loopback", sees: "NOERROR") {
      try await Self.named("empty")
    },
    .init(20, .network, .namesServerFailed, "SERVFAIL", on: "name server on loopback", sees: "SERVFAIL") {
      try await Self.named("servfail")
    },
    .init(20, .network, .namesServerSilent, "the name server does not answer", on: "name server on loopback", sees: "127.0.0.1") {
      try await Self.named("silent")
    },
    .init(21, .nhn, .refused, "nothing listens on the port", on: "loopback", sees: "127.0.0.1:1 avviser") {
      try await FaultStage.climb(FaultStage.endpoint(port: 1))
    },
    .init(21, .network, .unanswered, "a filtered port", in: "network namespace that drops the packets", sees: "svarer ikke") {
      try await Self.inNamespace("10.99.0.2")
    },
    .init(21, .network, .unreachable, "no route", in: "network namespace with an unreachable route", sees: "kan ikke nås") {
      try await Self.inNamespace("10.98.0.2")
    },
  ]

  /// A name that the system's own resolver does not know, asked of a name server that answers as told.
  private static func named(_ manner: String) async throws -> ProbeReport {
    try await ForeignServer.withPython("name_server.py", [manner]) { server in
      var endpoint = FaultStage.endpoint(host: "tb.invalid", port: 5671)
      endpoint.connection.host = "tb.invalid"
      return try await FaultStage.climb(endpoint, settings: { $0.nameServers = ["127.0.0.1:\(server.port)"] })
    }
  }

  /// Runs the pinger itself in a network of its own, from which nothing comes back.
  private static func inNamespace(_ host: String) async throws -> FaultSight {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("namespace-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = try await AddressCache.open(path: folder.appendingPathComponent("registry.sqlite").path, access: .readWrite)
    let now = SystemRegistryClock().now
    try await cache.save(try FaultStage.record(), source: .file, readAt: now, now: now)
    try await cache.close()
    let configuration = folder.appendingPathComponent("pinger.yaml")
    try """
    own-her-id: 100
    ping: {party-interval-seconds: 0}
    registry: {cache: registry.sqlite}
    buses:
      - name: tjenestebuss
        dialect: rabbitmq-4-v2
        hosts: [tb.test]
        connection-string: amqps://guest:guest@\(host):5671/NHN
    """.write(to: configuration, atomically: true, encoding: .utf8)
    let run = try await ForeignProgram.run(
      ForeignProgram.root.appendingPathComponent("tools/foreign/cut-off").path,
      [
        ForeignProgram.root.appendingPathComponent(".build/debug/bus-pinger").path, "200", "--config", configuration.path,
        "--format", "json", "--language", "nb", "--quit-after", "tcp",
      ])
    // A fault that cannot be made here is a failure, as a broker that was not started: what passes has been seen.
    guard run.exitCode != 77 else { throw NoNamespace(why: run.errors) }
    return try FaultSight(json: run.output)
  }

  private struct NoNamespace: Error, CustomStringConvertible {
    let why: String
    var description: String {
      "this machine lets nobody make a network namespace, so that faults 19 and 20 of docs/pinger-faults.md cannot be made here: \(why). "
        + "It takes ip(8) (iproute2), and root or user namespaces"
    }
  }
}
