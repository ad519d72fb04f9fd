// SPDX-License-Identifier: Apache-2.0

import Migration
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What logins of this machine are to the daemon, by their groups. The socket's file lets somebody in; it does not say what for. Vendors have no
/// login here, they have tokens.
struct LoginRoles: Sendable, Hashable {
  static let groups: [ControlRole: String] = [
    .viewer: "bus-migrator-viewer", .operator: "bus-migrator-operator", .approver: "bus-migrator-approver",
  ]

  /// - Parameters:
  ///   - user: nil when it is not known, as of a connection that is closed already: then nobody.
  ///   - own: who the daemon runs as.
  ///   - groups: the user's, by name.
  static func asker(_ user: UInt32?, login: String?, own: UInt32, groups: Set<String>) -> ControlAsker? {
    guard let user else { return nil }
    let roles = Set(Self.groups.filter { groups.contains($0.value) }.keys)
    return ControlAsker(giver: .login(uid: user, name: login), roles: roles, isRescue: user == 0 || user == own)
  }

  /// As the system knows it.
  static func asker(_ user: UInt32?) async -> ControlAsker? {
    let own = geteuid()
    // Where no system tells, the socket's file is the only wall; there it is always our own, and for this user alone.
    guard SocketUser.isTold else { return ControlAsker(giver: .login(uid: own, name: nil), isRescue: true) }
    guard let user else { return nil }
    // Where groups come from may be far away (LDAP): not on a thread that others need. Who cannot be looked up is in none.
    let found = try? await NIOThreadPool.singleton.runIfActive { Self.lookUp(user) }
    return Self.asker(user, login: found?.name, own: own, groups: found?.groups ?? [])
  }

  private static func lookUp(_ user: UInt32) -> (name: String?, groups: Set<String>) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16_384)
    guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else {
      return (nil, [])
    }
    let login = String(cString: name)
    var count: Int32 = 256
    var numbers = [gid_t](repeating: 0, count: Int(count))
    guard getgrouplist(name, entry.pw_gid, &numbers, &count) >= 0 else { return (login, []) }
    return (login, Set(numbers.prefix(Int(count)).compactMap(Self.name(of:))))
  }

  private static func name(of group: gid_t) -> String? {
    var entry = group_()
    var found: UnsafeMutablePointer<group_>?
    var buffer = [CChar](repeating: 0, count: 65_536)
    guard getgrgid_r(group, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.gr_name else {
      return nil
    }
    return String(cString: name)
  }
}

/// The C structure; beside a parameter of its name it would not be seen.
private typealias group_ = group
