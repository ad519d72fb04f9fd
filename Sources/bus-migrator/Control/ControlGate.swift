// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Finds out who asks, and lets through what that one may (``ControlRights``). Before anything of a request's body is read.
struct ControlGate: RouterMiddleware {
  /// How who asks is known.
  enum Door: Sendable {
    /// The Unix socket: the kernel says it.
    case login
  }

  let door: Door

  func handle(
    _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
  ) async throws -> Response {
    let user = await context.user()
    guard let asker = await LoginRoles.asker(user) else {
      return ControlAnswer.failure(CommandLineError.notAllowed(who: "somebody", roles: Self.words([.viewer])))
    }
    // A route that is not placed yet: who may see everything may look at it, and nothing may be changed by it.
    let route = ControlRoute.of(request.method == .head ? .get : request.method, request.uri.path)
    let needed = route.map(ControlRights.roles(for:)) ?? (request.method == .get ? [.viewer, .operator, .approver] : [])
    guard asker.may(needed) else {
      return ControlAnswer.failure(CommandLineError.notAllowed(who: asker.words, roles: Self.words(needed)))
    }
    var known = context
    known.asker = asker
    return try await next(request, known)
  }

  static func words(_ roles: Set<ControlRole>) -> String {
    let names = ControlRole.allCases.filter(roles.contains).map { role in
      LoginRoles.groups[role].map { "\(role.rawValue) (group \($0))" } ?? role.rawValue
    }
    return names.isEmpty ? "root" : names.joined(separator: " or ")
  }
}
