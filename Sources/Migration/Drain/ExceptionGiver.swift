// SPDX-License-Identifier: Apache-2.0

extension DrainException {
  /// Who gave it, as the machine knows it and not as somebody says: the login at the other end of the control socket.
  public struct Giver: Sendable, Hashable, Codable, CustomStringConvertible {
    public var uid: UInt32
    /// The login's name, where the machine has one.
    public var login: String?

    public init(uid: UInt32, login: String?) {
      self.uid = uid
      self.login = login
    }

    public var description: String { "uid \(self.uid)\(self.login.map { " (\($0))" } ?? "")" }
  }
}
