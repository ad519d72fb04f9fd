// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Migration
import MigrationEngine
import NIOCore

/// Finds out who asks, and lets through what that one may (``ControlRights``). Before anything of a request's body is read.
struct ControlGate: RouterMiddleware {
  /// How who asks is known.
  enum Door: Sendable {
    /// The Unix socket: the kernel says it.
    case login
    /// TCP: a token.
    case token(APIAccess, any MigrationClock)
  }

  let door: Door

  func handle(
    _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
  ) async throws -> Response {
    do {
      let asker = try await self.asker(request, context)
      try Self.check(request, asker)
      var known = context
      known.asker = asker
      known.asksAgain = { try await self.asker(request, context) }
      return try await next(request, known)
    } catch let error as CommandLineError {
      return ControlAnswer.failure(error)
    }
  }

  private func asker(_ request: Request, _ context: ControlContext) async throws -> ControlAsker {
    switch self.door {
    case .login:
      if let asker = await LoginRoles.asker(await context.user()) { return asker }
      throw CommandLineError.notAllowed(who: "somebody", roles: Self.words([.viewer]))
    case .token(let access, let clock):
      switch access.tokens.word(on: request.headers[.authorization], now: clock.now) {
      case .known(let asker): return asker
      case .expired(let name): throw CommandLineError.tokenNotGood(seen: "token \(name) has expired")
      case .unknown: throw CommandLineError.tokenNotGood(seen: "no token that is known")
      }
    }
  }

  private static func check(_ request: Request, _ asker: ControlAsker) throws {
    let path = request.uri.path
    // The router would take them for the same; an address has one form, by which it is looked up here.
    guard path == "/" + path.split(separator: "/").joined(separator: "/"), !path.contains("%") else {
      throw asker.isVendorOnly
        ? CommandLineError.notAllowed(who: asker.words, roles: Self.words([.viewer])) : CommandLineError.routeNotThere
    }
    guard let route = ControlRoute.of(request.method, path) else {
      let others = ControlRoute.allCases.filter { $0.takes(path) }.map(\.method.rawValue)
      if !others.isEmpty { throw CommandLineError.methodNotThere(seen: request.method.rawValue, allowed: others) }
      // What is not placed: who may see everything may look whether it is there, and nothing is changed by it.
      let staff: Set<ControlRole> = [.viewer, .operator, .approver]
      guard request.method == .get, asker.may(staff) else {
        throw asker.may(staff)
          ? CommandLineError.routeNotThere : CommandLineError.notAllowed(who: asker.words, roles: Self.words(staff))
      }
      return
    }
    let needed = ControlRights.roles(for: route)
    guard asker.may(needed) else { throw CommandLineError.notAllowed(who: asker.words, roles: Self.words(needed)) }
    guard let largest = route.largestBody(for: asker) else { return }
    let type = request.headers[.contentType].map { $0.prefix { $0 != ";" }.lowercased().filter { $0 != " " } }
    guard type == "application/json" else { throw CommandLineError.contentTypeWrong(seen: String((type ?? "none").prefix(60))) }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > largest {
      throw CommandLineError.tooLarge(limit: largest)
    }
  }

  static func words(_ roles: Set<ControlRole>) -> String {
    let names = ControlRole.allCases.filter(roles.contains).map { role in
      LoginRoles.groups[role].map { "\(role.rawValue) (group \($0))" } ?? role.rawValue
    }
    return names.isEmpty ? "root" : names.joined(separator: " or ")
  }
}

extension ControlRoute {
  /// Bytes; nil for what has no body.
  func largestBody(for asker: ControlAsker) -> Int? {
    switch self {
    // A vendor signs; it sends no plans.
    case .command: asker.isVendorOnly ? 64 << 10 : CommandControl.largestBody
    case .forwardingTrial: 1 << 20
    case .health, .status, .report, .reports, .reportNow, .reportFile, .drain, .explainDrain, .forwarding, .busDrain, .echoQueue,
      .echoes, .me, .board,
      .live, .group, .metrics:
      nil
    }
  }
}
