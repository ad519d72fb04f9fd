// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What somebody may do over the control socket.
enum ControlRight: Int, Sendable, Comparable {
  /// Ask.
  case see
  /// Everything that changes something.
  case change

  static func < (one: ControlRight, other: ControlRight) -> Bool { one.rawValue < other.rawValue }
}

/// Who may do what, by the groups of whoever the kernel says is at the other end. The file lets somebody in; it does not say what for.
struct ControlGroups: Sendable, Hashable {
  var viewers = "bus-migrator-viewer"
  var operators = "bus-migrator-operator"
  var approvers = "bus-migrator-approver"

  /// - Parameters:
  ///   - user: nil when it is not known, as of a connection that is closed already: then nothing.
  ///   - own: who the daemon runs as.
  /// - Returns: nil for nothing at all.
  func right(of user: UInt32?, own: UInt32, groups: Set<String>) -> ControlRight? {
    guard let user else { return nil }
    if user == 0 || user == own { return .change }
    if groups.contains(self.operators) || groups.contains(self.approvers) { return .change }
    return groups.contains(self.viewers) ? .see : nil
  }
}

/// Lets questions through for whoever may see, and everything else for whoever may change.
struct ControlRightsGate: RouterMiddleware {
  var groups = ControlGroups()

  func handle(
    _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
  ) async throws -> Response {
    // Announcing a ping changes nothing here: the echo is the pinger's own.
    let asks = request.method == .get || request.method == .head || request.uri.path == "/v1/echoes"
    let needed: ControlRight = asks ? .see : .change
    let user = await context.user()
    guard let right = await self.right(of: user), right >= needed else {
      let groups =
        needed == .see
        ? "\(self.groups.viewers), \(self.groups.operators) or \(self.groups.approvers)"
        : "\(self.groups.operators) or \(self.groups.approvers)"
      return ControlAnswer.failure(CommandLineError.notAllowed(user: user.map { "user \($0)" } ?? "somebody", groups: groups))
    }
    return try await next(request, context)
  }

  private func right(of user: UInt32?) async -> ControlRight? {
    // Where no system tells, the socket's file is the only wall; there it is always our own, and for this user alone.
    guard SocketUser.isTold else { return .change }
    let own = geteuid()
    guard let user, user != 0, user != own else { return self.groups.right(of: user, own: own, groups: []) }
    // Where groups come from may be far away (LDAP): not on a thread that others need. Who cannot be looked up is in none.
    let names = (try? await NIOThreadPool.singleton.runIfActive { Self.groups(of: user) }) ?? []
    return self.groups.right(of: user, own: own, groups: names)
  }

  private static func groups(of user: UInt32) -> Set<String> {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16_384)
    guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else { return [] }
    var count: Int32 = 256
    var numbers = [gid_t](repeating: 0, count: Int(count))
    guard getgrouplist(name, entry.pw_gid, &numbers, &count) >= 0 else { return [] }
    return Set(numbers.prefix(Int(count)).compactMap(Self.name(of:)))
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
