// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// The page and what belongs to it: embedded in the program, the same for everybody, without anything that is secret. Handed out before anybody is
/// asked who he is, and while the daemon reads its history: the page itself then says what it may show.
struct DashboardPages: RouterMiddleware {
  struct Piece: Sendable {
    var type: String
    var bytes: [UInt8]
  }

  /// By path.
  static let pieces: [String: Piece] = [
    "/": Piece(type: "text/html; charset=utf-8", bytes: PackageResources.page_html),
    "/dashboard/page.css": Piece(type: "text/css; charset=utf-8", bytes: PackageResources.page_css),
    "/dashboard/words.js": Piece(
      type: Self.script, bytes: Array("export default ".utf8) + PackageResources.words_json + Array(";\n".utf8)),
    "/dashboard/main.js": Piece(type: Self.script, bytes: PackageResources.main_js),
    "/dashboard/language.js": Piece(type: Self.script, bytes: PackageResources.language_js),
    "/dashboard/wire.js": Piece(type: Self.script, bytes: PackageResources.wire_js),
    "/dashboard/model.js": Piece(type: Self.script, bytes: PackageResources.model_js),
    "/dashboard/board.js": Piece(type: Self.script, bytes: PackageResources.board_js),
    "/dashboard/details.js": Piece(type: Self.script, bytes: PackageResources.details_js),
    "/dashboard/actions.js": Piece(type: Self.script, bytes: PackageResources.actions_js),
    "/dashboard/plots.js": Piece(type: Self.script, bytes: PackageResources.plots_js),
    "/dashboard/reports.js": Piece(type: Self.script, bytes: PackageResources.reports_js),
  ]

  private static let script = "text/javascript; charset=utf-8"

  /// Nothing from elsewhere, nothing inline, no frames, no forms that are sent; text never becomes markup or script.
  static let policy = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
    "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].joined(separator: "; ")

  func handle(
    _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
  ) async throws -> Response {
    guard request.method == .get || request.method == .head, let piece = Self.pieces[request.uri.path] else {
      return try await next(request, context)
    }
    var response = Response(
      status: .ok, headers: [.contentType: piece.type, .contentLength: "\(piece.bytes.count)"],
      body: request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: piece.bytes)))
    response.headers[.contentSecurityPolicy] = Self.policy
    return response
  }
}
