// SPDX-License-Identifier: Apache-2.0

/// Who is at the other end of a connection, as far as room goes.
enum ConnectionGuest: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral {
  case user(UInt32)
  /// Where the system does not tell, or who is gone already.
  case unknown
  /// Over TCP: whose address it is.
  case address(String)

  init(_ user: UInt32?) { self = user.map { .user($0) } ?? .unknown }
  init(integerLiteral user: UInt32) { self = .user(user) }
  init(nilLiteral: ()) { self = .unknown }
}

/// How many connections a listener has room for: in all, and for one user or address, so that a program gone wild does not keep the operator
/// out. Root is let in while there is any room at all, and has some that nobody else gets.
struct ConnectionRoom: Sendable, Hashable {
  var limit = 256
  var limitPerUser = 64
  /// Of ``limit``, kept for root.
  var keptForRoot = 16

  private(set) var count = 0
  private var users: [ConnectionGuest: Int] = [:]

  /// - Returns: whether there is room; then the connection is counted until ``left(_:)``.
  mutating func arrived(_ guest: ConnectionGuest) -> Bool {
    let isRoot = guest == .user(0)
    let own = self.users[guest, default: 0]
    guard self.count < (isRoot ? self.limit : self.limit - self.keptForRoot), isRoot || own < self.limitPerUser else {
      return false
    }
    self.count += 1
    self.users[guest] = own + 1
    return true
  }

  mutating func left(_ guest: ConnectionGuest) {
    guard let own = self.users[guest] else { return }
    self.count -= 1
    self.users[guest] = own == 1 ? nil : own - 1
  }
}
