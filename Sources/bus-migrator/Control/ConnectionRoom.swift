// SPDX-License-Identifier: Apache-2.0

/// How many connections the control socket has room for: in all, and for one user, so that a program gone wild does not keep the operator
/// out. Root is let in while there is any room at all, and has some that nobody else gets.
struct ConnectionRoom: Sendable, Hashable {
  /// Who is at the other end; nil where the system does not tell.
  typealias User = UInt32?

  var limit = 256
  var limitPerUser = 64
  /// Of ``limit``, kept for root.
  var keptForRoot = 16

  private(set) var count = 0
  private var users: [User: Int] = [:]

  /// - Returns: whether there is room; then the connection is counted until ``left(_:)``.
  mutating func arrived(_ user: User) -> Bool {
    let isRoot = user == 0
    let own = self.users[user, default: 0]
    guard self.count < (isRoot ? self.limit : self.limit - self.keptForRoot), isRoot || own < self.limitPerUser else {
      return false
    }
    self.count += 1
    self.users[user] = own + 1
    return true
  }

  mutating func left(_ user: User) {
    guard let own = self.users[user] else { return }
    self.count -= 1
    self.users[user] = own == 1 ? nil : own - 1
  }
}
