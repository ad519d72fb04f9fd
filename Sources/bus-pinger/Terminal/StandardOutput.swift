// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Standard output, whose reader may go away: `bus-pinger 93238 | head -1`.
struct StandardOutput: Sendable {
  /// Nobody reads any more. Not a fault of anything: the program ends.
  struct Closed: Error {}

  /// The exit code of a program that its reader has left, as shells report it (128 and SIGPIPE).
  static let closedExitCode: Int32 = 141

  let isTerminal: Bool

  init() { self.isTerminal = isatty(STDOUT_FILENO) == 1 }

  /// - Throws: ``Closed``; ``PingerError`` `outputUnwritable` for all else, such as a full disk.
  func write(_ text: String) throws {
    do { try Self.write(text, to: STDOUT_FILENO) } catch PingerError.outputUnwritable
      where self.isTerminal && isatty(STDOUT_FILENO) == 0
    {
      // It was a terminal, and is none any more: it has been closed.
      throw Closed()
    }
  }

  /// To people beside the output. What cannot be said there cannot be said at all.
  static func complain(_ text: String) { try? Self.write(text, to: STDERR_FILENO) }

  private static func write(_ text: String, to descriptor: Int32) throws {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        bytes = bytes.dropFirst(written)
      } else if errno == EPIPE {
        throw Closed()
      } else if errno != EINTR {
        throw PingerError.outputUnwritable(path: "standard output", seen: String(cString: strerror(errno)))
      }
    }
  }

  /// The terminal's width and height; what a terminal has had for fifty years where it does not say.
  static var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
