// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Reports one connection's gauges at intervals, and what its counters have gained since. Lives on the connection's loop.
final class MetricsReporter {
  private struct LinkKey: Hashable {
    let role: AMQPLinkStatistics.Role
    let address: String
  }

  private let metrics: AMQPMetrics
  private var withdrawn: [AMQPEpoch: Int] = [:]
  private var withdrawnInAll = 0
  private var stalled = 0
  private var links: Set<LinkKey> = []

  init(_ metrics: AMQPMetrics) { self.metrics = metrics }

  /// Begins, and ends with the channel: a last report then, with the gauges of links that are no more at zero.
  static func start(
    _ metrics: AMQPMetrics, every interval: Duration, _ channel: any Channel,
    _ statistics: @escaping @Sendable () -> AMQPConnectionStatistics
  ) {
    let eventLoop = channel.eventLoop
    eventLoop.execute {
      let reporter = NIOLoopBound(MetricsReporter(metrics), eventLoop: eventLoop)
      let delay = TimeAmount(interval)
      let task = eventLoop.scheduleRepeatedTask(initialDelay: delay, delay: delay) { _ in
        reporter.value.report(statistics())
      }
      channel.closeFuture.whenComplete { _ in
        task.cancel()
        reporter.value.report(statistics())
        reporter.value.end()
      }
    }
  }

  func report(_ now: AMQPConnectionStatistics) {
    if let age = now.lastFrameReceivedAge { self.metrics.lastFrame(age: age) }
    // Two links to one address count together: their gauges have one name.
    let byAddress = Dictionary(grouping: now.links) { LinkKey(role: $0.role, address: $0.address) }
    for (key, links) in byAddress {
      func sum(_ value: (AMQPLinkStatistics) -> Int) -> Int { links.reduce(0) { $0 + value($1) } }
      switch key.role {
      case .sender:
        self.metrics.link(
          key.address, role: key.role.rawValue, credit: sum(\.credit), unsettled: sum(\.inFlight),
          waitingSends: sum(\.waitingSends))
      case .receiver:
        self.metrics.link(
          key.address, role: key.role.rawValue, credit: sum(\.credit), unsettled: sum(\.unsettled), buffered: sum(\.buffered))
      }
    }
    self.zero(self.links.subtracting(byAddress.keys))
    self.links = Set(byAddress.keys)
    self.count(now)
  }

  func end() {
    self.zero(self.links)
    self.links = []
  }

  /// What a link that is gone had counted since the last report is known from the connection's sum, without its address.
  private func count(_ now: AMQPConnectionStatistics) {
    var named = 0
    var counts: [AMQPEpoch: Int] = [:]
    for link in now.links where link.withdrawn > 0 {
      let gained = link.withdrawn - (self.withdrawn[link.epoch] ?? 0)
      if gained > 0 { self.metrics.withdrawn(gained, from: link.address) }
      named += gained
      counts[link.epoch] = link.withdrawn
    }
    self.withdrawn = counts
    let unnamed = now.withdrawnDeliveries - self.withdrawnInAll - named
    if unnamed > 0 { self.metrics.withdrawn(unnamed, from: "") }
    self.withdrawnInAll = now.withdrawnDeliveries
    if now.stalledLinks > self.stalled { self.metrics.stalled("", now.stalledLinks - self.stalled) }
    self.stalled = now.stalledLinks
  }

  private func zero(_ links: Set<LinkKey>) {
    for key in links {
      switch key.role {
      case .sender: self.metrics.link(key.address, role: key.role.rawValue, credit: 0, unsettled: 0, waitingSends: 0)
      case .receiver: self.metrics.link(key.address, role: key.role.rawValue, credit: 0, unsettled: 0, buffered: 0)
      }
    }
  }
}
