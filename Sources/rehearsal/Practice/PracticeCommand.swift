// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import ArgumentParser
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import TjenestebussTesting

/// `rehearsal practice`: a world to practise in, in which the operator's part is left to whoever sits there.
struct PracticeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "practice", abstract: "Two buses, an address register and eleven systems at work, to practise with.",
    discussion: """
      Writes what an operator would write (bus-migrator.yaml, pulje.yaml, the secrets) into the directory, says when all systems listen, and goes on \
      until it is ended. Days are seconds there. Daemon and commands are yours to start; no message there is anybody's.
      """)

  @Option(help: "A folder for the files; made where it is missing. Its path may have 90 bytes.")
  var directory: String

  @Option(help: "embedded: two in-memory brokers; rabbitmq: those that scripts/with-brokers started.")
  var brokers = StageOptions.Brokers.embedded

  func run() async throws {
    let http = HTTPClient(eventLoopGroupProvider: .singleton)
    do {
      try await self.run(http: http)
      try await http.shutdown()
    } catch {
      try? await http.shutdown()
      throw error
    }
  }

  private func run(http: HTTPClient) async throws {
    switch self.brokers {
    case .rabbitmq:
      let buses = try RabbitMQBuses(environment: ProcessInfo.processInfo.environment, http: http)
      try await self.play(try await buses.withOwnLogins(), http: http)
    case .embedded:
      let (buses, practice) = try await EmbeddedBuses.startWithOwnLogins()
      do {
        try await self.play(practice, http: http)
        await buses.stop()
      } catch {
        await buses.stop()
        throw error
      }
    }
  }

  private func play(_ buses: PracticeBuses, http: HTTPClient) async throws {
    let folder = URL(fileURLWithPath: self.directory).standardizedFileURL
    let socket = folder.appendingPathComponent("control.sock").path
    guard socket.utf8.count <= 103 else {
      throw ValidationError("\(folder.path) is too long: a Unix socket's path may have 103 bytes")
    }
    let world = folder.appendingPathComponent("world")
    try FileManager.default.createDirectory(at: world, withIntermediateDirectories: true)
    let story = Story.told(source: buses.source.endpoint.bus, staleFor: .seconds(12), everybodyComesUp: true)
    try await buses.declare(queues: story.queues)
    let credentials = RegisterCredentials(user: "register", password: PracticeBuses.drawnPassword())
    let configuration = AddressRegisterServer.Configuration(
      credentials: credentials, buses: [buses.source.endpoint.bus, buses.target.endpoint.bus])
    try await AddressRegisterServer.withServer(configuration: configuration, records: story.records) { server in
      let reader = try await server.readerEndpoint()
      let register = try SOAPAddressRegister(endpoint: reader, credentials: credentials, http: http)
      let traffic = try await Traffic(
        story: story, buses: buses, register: register, directory: world, logs: try IdentityLogs(directory: world),
        pace: .seconds(1), sabotage: Sabotage(nil))
      _ = try MigratorFiles.write(
        to: folder, socket: socket, story: story, buses: buses, reader: reader,
        writer: try await server.writerConfiguration(), registerPassword: credentials.password, watch: 8)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await traffic.receive() }
        group.addTask {
          try await traffic.waitUntilReceiving()
          FileHandle.standardOutput.write(
            Data("ready: \(traffic.systems.count) systems listen; the files are in \(folder.path). Ctrl-C ends it.\n".utf8))
          await traffic.send()
        }
        try await group.waitForAll()
      }
    }
  }
}
