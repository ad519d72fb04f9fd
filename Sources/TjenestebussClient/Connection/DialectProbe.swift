// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

extension Dialect {
  /// Finds out which dialect the bus at the other end speaks, where the configuration does not say it.
  ///
  /// A RabbitMQ says it itself. Otherwise receivers without credit are attached, by address v2 and then v1, to `queue`.
  ///
  /// - Parameters:
  ///   - queue: a queue that exists and may be read; nothing is taken from it.
  ///   - timeout: for each answer.
  /// - Returns: nil when none of these forms was understood: then the dialect must be configured.
  /// - Throws: ``AMQPError`` when the connection is lost meanwhile, or an answer does not come.
  public static func probe(
    _ connection: AMQPConnection, queue: String, within timeout: Duration = .seconds(10)
  ) async throws(AMQPError) -> Dialect? {
    var probing = DialectProbing(product: connection.peer.product, version: connection.peer.version)
    while true {
      switch probing.verdict {
      case .found(let dialect): return dialect
      case .notFound: return nil
      case .tryNext(let dialect):
        let address = LinkAddress.receiving(from: queue, path: "", dialect: dialect).text
        probing.answered(try await Self.attach(connection, address, timeout))
      }
    }
  }

  private static func attach(
    _ connection: AMQPConnection, _ address: String, _ timeout: Duration
  ) async throws(AMQPError) -> DialectProbing.Answer {
    do {
      let receiver = try await connection.openReceiver(from: address, credit: 0, within: timeout)
      await receiver.close()
      return .attached
    } catch {
      switch error.code {
      case .notFound, .unauthorized: return .understood
      case .addressFormRefused, .linkRefused, .sessionEnded: return .formRefused
      default: throw error
      }
    }
  }
}
