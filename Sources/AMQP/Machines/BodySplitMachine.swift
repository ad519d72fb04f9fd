// SPDX-License-Identifier: Apache-2.0

/// Tells the body of a message from what stands around it, as its bytes come. Pure.
///
/// It reads no more of a section than its size; what the sections before the body mean is the decoder's matter.
struct BodySplitMachine: Sendable {
  enum Output: Equatable, Sendable {
    /// All that stands before the first data section.
    case head([UInt8])
    /// Bytes of a data section.
    case body([UInt8])
    /// The message has a body that is no data section, or none: it can only be handed out whole.
    case undivided
    /// These bytes are no sequence of sections.
    case malformed
  }

  private enum State: Equatable, Sendable {
    /// Sections before the body are collected.
    case head
    case data(left: Int)
    /// Behind a data section: another one, or the footer.
    case between
    case footer
    case whole
    case failed
  }

  private enum Section: Equatable, Sendable {
    case data(start: Int, size: Int)
    case other(code: UInt64, end: Int)
    case undivided
    case incomplete
    case malformed
  }

  /// More than this before the body is refused.
  static let headBound = 1 << 20

  private var state = State.head
  /// What waits for more; in state `head` and `whole` all that has come.
  private var bytes: [UInt8] = []
  /// In state `head`: how far the sections have been passed.
  private var passed = 0

  /// All that has come of a message that is undivided.
  var collected: [UInt8] { self.bytes }

  mutating func receive(_ more: [UInt8]) -> [Output] {
    var outputs: [Output] = []
    switch self.state {
    case .failed, .footer: return []
    case .whole:
      self.bytes += more
      return []
    case .data(let left) where self.bytes.isEmpty && more.count < left:
      // The common case, without a copy.
      self.state = .data(left: left - more.count)
      return more.isEmpty ? [] : [.body(more)]
    case .head, .data, .between: self.bytes += more
    }
    while let output = self.advance() { outputs.append(output) }
    return outputs
  }

  private mutating func advance() -> Output? {
    switch self.state {
    case .head: return self.advanceHead()
    case .data(let left):
      guard !self.bytes.isEmpty else { return nil }
      let piece = Array(self.bytes.prefix(left))
      self.bytes.removeFirst(piece.count)
      self.state = piece.count == left ? .between : .data(left: left - piece.count)
      return .body(piece)
    case .between:
      switch Self.section(self.bytes, at: 0) {
      case .data(let start, let size):
        self.bytes.removeFirst(start)
        self.state = size == 0 ? .between : .data(left: size)
        return self.advance()
      case .other(SectionDescriptor.footer, _):
        self.state = .footer
        self.bytes = []
        return nil
      case .incomplete: return nil
      case .other, .undivided, .malformed: return self.fail()
      }
    case .footer, .whole, .failed: return nil
    }
  }

  private mutating func advanceHead() -> Output? {
    while true {
      switch Self.section(self.bytes, at: self.passed) {
      case .data(let start, let size):
        let head = Array(self.bytes[..<self.passed])
        self.bytes.removeFirst(start)
        self.state = size == 0 ? .between : .data(left: size)
        return .head(head)
      case .other(let code, let end):
        guard code < SectionDescriptor.data, end <= Self.headBound else { return self.fail() }
        guard end <= self.bytes.count else { return nil }
        self.passed = end
      case .undivided:
        self.state = .whole
        return .undivided
      case .incomplete: return self.bytes.count > Self.headBound ? self.fail() : nil
      case .malformed: return self.fail()
      }
    }
  }

  private mutating func fail() -> Output {
    self.state = .failed
    self.bytes = []
    return .malformed
  }

  /// The section that begins at `start`: its descriptor, and where it ends or its bytes begin.
  private static func section(_ bytes: [UInt8], at start: Int) -> Section {
    var position = start
    func has(_ count: Int) -> Bool { bytes.count >= position + count }
    guard has(1) else { return .incomplete }
    guard bytes[position] == 0 else { return .malformed }
    position += 1
    guard has(1) else { return .incomplete }
    let code: UInt64
    switch bytes[position] {
    case 0x53:
      guard has(2) else { return .incomplete }
      code = UInt64(bytes[position + 1])
      position += 2
    case 0x80:
      guard has(9) else { return .incomplete }
      code = bytes[(position + 1)..<(position + 9)].reduce(0) { $0 << 8 | UInt64($1) }
      position += 9
    default: return .malformed
    }
    if code == SectionDescriptor.sequence || code == SectionDescriptor.value { return .undivided }
    guard (SectionDescriptor.header...SectionDescriptor.footer).contains(code) else { return .malformed }
    guard has(1) else { return .incomplete }
    let constructor = bytes[position]
    position += 1
    let width: Int
    switch constructor {
    case 0x45: width = 0
    case 0xa0, 0xc0, 0xc1: width = 1
    case 0xb0, 0xd0, 0xd1: width = 4
    default: return .malformed
    }
    guard has(width) else { return .incomplete }
    let size = bytes[position..<(position + width)].reduce(0) { $0 << 8 | Int($1) }
    position += width
    let isBinary = constructor == 0xa0 || constructor == 0xb0
    guard (code == SectionDescriptor.data) == isBinary else { return .malformed }
    return isBinary ? .data(start: position, size: size) : .other(code: code, end: position + size)
  }
}
