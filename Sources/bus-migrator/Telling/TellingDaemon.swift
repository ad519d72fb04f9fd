// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import Foundation
import Migration
import MigrationEngine
import NIOCore
import ServiceLifecycle
import Telling

/// Tells people over the channels of the configuration while the daemon runs, and over those of the next when a reload has brought another.
struct TellingDaemon: Service {
  let settings: TellingSettings
  /// The world's name, in every message.
  let environment: String?
  let path: String
  let news: EngineNews
  let clock: any MigrationClock
  let notifier: any Notifier
  /// Told how much is still to be told over each channel.
  let onWaiting: @Sendable ([String: Int]) -> Void
  let state: @Sendable () async -> MigrationState?

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled { await self.tell(self.settings.configuration) }
    }
    try? await gracefulShutdown()
  }

  /// Until there is another configuration. A file that cannot be opened is told in the log; puljer go on.
  private func tell(_ configuration: TellConfiguration) async {
    // Who never told anybody has no file.
    if configuration.isEmpty, !FileManager.default.fileExists(atPath: self.path) { return await self.settings.waitForChange() }
    let store: TellingStore
    do throws(TellingError) { store = try await TellingStore.open(path: self.path) } catch {
      self.notifier.notify(
        Notice(at: self.clock.now, weight: .alarm, kind: "telling.failed", code: error.stableCode, words: error.description))
      return await self.settings.waitForChange()
    }
    await self.withClients(configuration.webhooks, []) { webhooks in
      let host = ProcessInfo.processInfo.hostName
      let mails = configuration.mails.map { mail in
        MailChannel(
          name: mail.name, relay: mail.relay, from: mail.from, to: mail.to, lowest: mail.lowest, timeout: mail.timeout,
          host: host,
          clock: self.clock)
      }
      let programs = configuration.programs.map {
        ProgramChannel(name: $0.name, program: $0.program, lowest: $0.lowest, timeout: $0.timeout)
      }
      let telling = Telling(
        store: store, channels: webhooks + mails + programs,
        settings: Telling.Settings(
          settling: configuration.settling, patience: configuration.patience, kept: configuration.kept,
          environment: self.environment,
          dashboard: configuration.dashboard), news: self.news, clock: self.clock, notifier: self.notifier,
        onWaiting: self.onWaiting, state: self.state)
      await telling.run { await self.settings.waitForChange() }
    }
    store.close()
  }

  /// One client for each, with the authorities of its own.
  private func withClients(
    _ rest: [TellConfiguration.Webhook], _ channels: [any TellingChannel], _ body: ([any TellingChannel]) async -> Void
  ) async {
    guard let webhook = rest.first else { return await body(channels) }
    var configuration = RegisterHTTP.configuration()
    configuration.tlsConfiguration?.additionalTrustRoots = webhook.authorities.map { .file($0) }
    configuration.httpVersion = .automatic
    do {
      try await HTTPClient.withHTTPClient(configuration: configuration) { http in
        let channel = WebhookChannel(
          name: webhook.name, url: webhook.url, signature: webhook.signature, lowest: webhook.lowest, timeout: webhook.timeout,
          http: http,
          clock: self.clock)
        await self.withClients(Array(rest.dropFirst()), channels + [channel], body)
      }
    } catch {
      // Its shutdown has nothing to tell that would matter: what did not arrive is kept.
    }
  }
}
