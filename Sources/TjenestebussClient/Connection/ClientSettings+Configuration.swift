// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation

extension ClientSettings {
  /// The configuration that these settings mean, checked.
  ///
  /// - Parameters:
  ///   - folder: where paths in the settings start that do not begin with `/`: the settings file's own folder.
  ///   - machine: which entry of `reply-queues` is this process's; the machine's name by default.
  /// - Throws: ``TjenestebussError``: `settingInvalid` with the field's name, and as ``BusConnectionString/init(_:)`` and
  ///   ``TjenestebussConfiguration/validate()``.
  public func configuration(
    folder: String = ".", machine: String = ProcessInfo.processInfo.hostName
  ) throws(TjenestebussError) -> TjenestebussConfiguration {
    var buses: [BusEndpoint] = []
    for bus in self.buses { buses.append(try bus.endpoint(folder: folder)) }
    var configuration = TjenestebussConfiguration(
      buses: buses, product: self.system.name, productVersion: self.system.version ?? "",
      serve: try self.serve?.configuration(machine: machine) ?? ServeConfiguration())
    self.behaviour?.apply(to: &configuration)
    try configuration.validate()
    return configuration
  }
}

extension ClientSettings.BusSettings {
  fileprivate func endpoint(folder: String) throws(TjenestebussError) -> BusEndpoint {
    var connections: [BusConnectionString] = []
    for secret in try self.secrets(folder: folder) {
      connections.append(
        try secret.withPlainText { text in Result { () throws(TjenestebussError) in try BusConnectionString(text) } }.get())
    }
    // There is one at least, or secrets(folder:) would have thrown.
    let connection = connections.removeFirst()
    var endpoint = BusEndpoint(
      bus: Bus(
        name: BusName(self.name), dialect: self.dialect ?? .rabbitMQ4AddressV2, hosts: self.hosts ?? [connection.host],
        path: self.path ?? connection.path),
      connection: connection, authorities: (self.authorities ?? []).map { Self.resolved($0, folder) },
      virtualHost: self.virtualHost, allowsPasswordInClear: self.allowPasswordInClear ?? false,
      learnsDialect: self.dialect == nil)
    endpoint.alternatives = connections
    return endpoint
  }

  /// The first, and further places of the same bus: each further line of the file.
  private func secrets(folder: String) throws(TjenestebussError) -> [Secret] {
    let field = "buses.\(self.name).connection-string"
    switch (self.connectionString, self.connectionStringFile) {
    case (let secret?, nil): return [secret]
    case (nil, let named?):
      let path = Self.resolved(named, folder)
      guard let content = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw .settingInvalid(name: "\(field)-file", problem: "\(path) is not there, or cannot be read as text")
      }
      let lines = content.split(whereSeparator: \.isNewline)
      if lines.isEmpty { throw .settingInvalid(name: "\(field)-file", problem: "\(path) is empty") }
      return lines.map { Secret(String($0)) }
    case (_?, _?): throw .settingInvalid(name: field, problem: "stands beside connection-string-file: leave one")
    case (nil, nil): throw .settingInvalid(name: "\(field)-file", problem: "is missing; or give connection-string itself")
    }
  }

  private static func resolved(_ path: String, _ folder: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
}

extension ClientSettings.Serve {
  fileprivate func configuration(machine: String) throws(TjenestebussError) -> ServeConfiguration {
    if self.replyQueue != nil, self.replyQueues != nil {
      throw .settingInvalid(name: "serve.reply-queue", problem: "stands beside reply-queues: leave one")
    }
    var replyQueue = self.replyQueue
    if let replyQueues {
      // Windows machines are named in any case.
      guard let own = replyQueues.first(where: { $0.key.lowercased() == machine.lowercased() }) else {
        throw .settingInvalid(name: "serve.reply-queues", problem: "none is listed for this machine, \(machine)")
      }
      replyQueue = own.value
    }
    var concurrency: [QueueKind: Int] = [:]
    for (name, count) in self.concurrency ?? [:] {
      guard let kind = QueueKind(rawValue: name) else {
        throw .settingInvalid(
          name: "serve.concurrency.\(name)",
          problem: "must be one of \(QueueKind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      concurrency[kind] = count
    }
    return ServeConfiguration(
      herIDs: self.herIDs, kinds: self.queues.map { Set($0) } ?? [.asynchronous, .synchronous, .error], replyQueue: replyQueue,
      concurrency: concurrency, orderedByConversation: self.orderedByConversation ?? false,
      registryEvents: self.registryEvents.map { RegistryEventQueue(bus: BusName($0.bus), queue: $0.queue) })
  }
}

extension ClientSettings.Behaviour {
  fileprivate func apply(to configuration: inout TjenestebussConfiguration) {
    if let seconds = self.sendTimeoutSeconds { configuration.sendTimeout = .seconds(seconds) }
    if let seconds = self.callTimeoutSeconds { configuration.callTimeout = .seconds(seconds) }
    if let seconds = self.redeliveryDelaySeconds { configuration.redeliveryDelay = .seconds(seconds) }
    if let seconds = self.longestRedeliveryDelaySeconds { configuration.longestRedeliveryDelay = .seconds(seconds) }
    // Zero for never, and for none: a file has no nil.
    if let poisonLimit { configuration.poisonLimit = poisonLimit == 0 ? nil : poisonLimit }
    if let count = self.rememberDuplicates {
      configuration.duplicates = count == 0 ? nil : DuplicateSettings(count: count)
    }
    if let errorReportsPerMinute { configuration.errorReportsPerMinute = errorReportsPerMinute }
    if let lateReplies { configuration.lateReplies = lateReplies }
    if let answerPings { configuration.answersPings = answerPings }
    if let pingSubject { configuration.pingSubject = pingSubject }
  }
}
