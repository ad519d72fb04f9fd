// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import NIOCore
import NIOPosix
import TjenestebussClient

/// One connection to each of two buses, shared by the forwarders of many queues. Both live on one event loop, so that a message goes from
/// one to the other without waking a second thread.
///
/// What is lost is made anew when a forwarder next asks for it.
public final class ForwardingLine: Sendable {
  public let source: BusEndpoint
  public let target: BusEndpoint
  let eventLoop: any EventLoop
  let sourceEnd: LineEnd
  let targetEnd: LineEnd

  /// Nothing is connected before it is needed.
  ///
  /// - Parameters:
  ///   - product: what its connections say they are.
  ///   - group: where its event loop comes from; NIO's shared group by default.
  public init(
    source: BusEndpoint, target: BusEndpoint, product: String = "tjenestebuss", on group: (any EventLoopGroup)? = nil,
    logger: Logger = Logger(label: "forwarding", factory: { _ in SwiftLogNoOpLogHandler() })
  ) {
    self.source = source
    self.target = target
    let eventLoop = (group ?? NIOSingletons.posixEventLoopGroup).any()
    self.eventLoop = eventLoop
    self.sourceEnd = LineEnd(source, role: "forward-from", product: product, on: eventLoop, logger: logger)
    self.targetEnd = LineEnd(target, role: "forward-to", product: product, on: eventLoop, logger: logger)
  }

  /// Closes both connections. Idempotent; bounded by a few seconds. Forwarders that still run stop with `sourceUnavailable` or
  /// `targetUnavailable`.
  public func close() async {
    async let source: Void = self.sourceEnd.close()
    async let target: Void = self.targetEnd.close()
    _ = await (source, target)
  }
}

/// One end of a line: a bus and the connection to it.
actor LineEnd {
  private let endpoint: BusEndpoint
  private let configurations: [AMQPConnectionConfiguration]
  private let eventLoop: any EventLoop
  private let logger: Logger
  private var current: AMQPConnection?
  private var opening: Task<Result<AMQPConnection, AMQPError>, Never>?
  private var isClosed = false
  private var next = 0

  init(_ endpoint: BusEndpoint, role: String, product: String, on eventLoop: any EventLoop, logger: Logger) {
    self.endpoint = endpoint
    self.eventLoop = eventLoop
    self.logger = logger
    self.configurations = ([endpoint.connection] + endpoint.alternatives).map { connection in
      var other = endpoint
      other.connection = connection
      var configuration = other.amqpConfiguration(role: role, product: product)
      // A message that is too large for us would be rejected, and so dead-lettered: nothing on the source may be.
      configuration.maximumMessageSize = 1 << 30
      // Someone who waits for more on an empty queue is no fault.
      configuration.quietLinkTimeout = nil
      // What is held has used up the credit: no fault either.
      configuration.stalledLinkTimeout = .seconds(24 * 3_600)
      return configuration
    }
  }

  /// The connection that stands, or a new one: made once for all who ask meanwhile.
  func connection() async throws(AMQPError) -> AMQPConnection {
    if let current, current.closedReason == nil { return current }
    guard !self.isClosed else {
      throw AMQPError(
        .connectionClosed, .connection, .local, tried: "connect to \(self.endpoint.name)", seen: "the line was closed")
    }
    let opening: Task<Result<AMQPConnection, AMQPError>, Never>
    if let under = self.opening {
      opening = under
    } else {
      let configuration = self.configurations[self.next % self.configurations.count]
      let (eventLoop, logger) = (self.eventLoop, self.logger)
      // Of its own, since whoever asked first may be cancelled while others wait. It ends with the connect timeout.
      opening = Task {
        do throws(AMQPError) {
          return .success(try await AMQPConnection.open(configuration, on: eventLoop, logger: logger))
        } catch {
          return .failure(error)
        }
      }
      self.opening = opening
    }
    let result = await opening.value
    if self.opening == opening {
      self.opening = nil
      switch result {
      case .success(let connection): self.current = connection
      case .failure: self.next += 1
      }
    }
    let connection = try result.get()
    if self.isClosed { await connection.close() }
    return connection
  }

  /// The bus in the dialect that is spoken with it: as configured, or as the bus says.
  func spoken(for queue: String) async throws(AMQPError) -> BusEndpoint? {
    guard self.endpoint.learnsDialect else { return self.endpoint }
    guard let dialect = try await Dialect.probe(try await self.connection(), queue: queue) else { return nil }
    var endpoint = self.endpoint
    endpoint.bus.dialect = dialect
    return endpoint
  }

  func close() async {
    self.isClosed = true
    await self.current?.close()
    if let opening, case .success(let connection) = await opening.value { await connection.close() }
  }
}
