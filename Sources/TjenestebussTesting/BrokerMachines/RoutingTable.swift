// SPDX-License-Identifier: Apache-2.0

/// Which queues a message to an exchange reaches. Pure.
///
/// The bus's own exchange routes by key = queue name, as NHN's does; others by their bindings.
package struct RoutingTable: Sendable {
  /// The exchange that knows every queue by its name; empty for none.
  package let ownExchange: String
  private var bindings: [String: [String: Set<String>]] = [:]

  package init(ownExchange: String) { self.ownExchange = ownExchange }

  package func has(_ exchange: String) -> Bool {
    exchange == "amq.topic" || (!self.ownExchange.isEmpty && exchange == self.ownExchange) || self.bindings[exchange] != nil
  }

  package mutating func declare(_ exchange: String) {
    if self.bindings[exchange] == nil { self.bindings[exchange] = [:] }
  }

  package mutating func delete(_ exchange: String) { self.bindings[exchange] = nil }

  package mutating func bind(_ queue: String, to exchange: String, key: String) {
    self.bindings[exchange, default: [:]][key, default: []].insert(queue)
  }

  package mutating func unbind(_ queue: String, from exchange: String, key: String) {
    self.bindings[exchange]?[key]?.remove(queue)
  }

  package func isBound(_ queue: String, to exchange: String, key: String) -> Bool {
    self.bindings[exchange]?[key]?.contains(queue) ?? false
  }

  /// The queues for a message, in order of their names. The own exchange's queue is named whether it exists or not.
  package func queues(exchange: String, key: String) -> [String] {
    var queues = self.bindings[exchange]?[key] ?? []
    if !self.ownExchange.isEmpty, exchange == self.ownExchange { queues.insert(key) }
    return queues.sorted()
  }
}
