// SPDX-License-Identifier: Apache-2.0

/// The five queues of a party.
public enum QueueKind: String, Sendable, Hashable, Codable, CaseIterable {
  case asynchronous = "async"
  case synchronous = "sync"
  case error = "error"
  /// Moves by the party's own configuration: the address register does not hold it (decision Q8).
  case synchronousReply = "syncreply"
  case deadLetter = "dl"

  /// The electronic address type (code list 9044) that names this queue in the address register, where there is one.
  public var registerCode: String? {
    switch self {
    case .asynchronous: "E_SB_ASYNC"
    case .synchronous: "E_SB_SYNC"
    case .error: "E_SB_ERROR"
    case .synchronousReply, .deadLetter: nil
    }
  }

  /// The kind that an address register type code names; nil for codes that name no queue (E_EDI, E_DS...).
  public init?(registerCode: String) {
    switch registerCode {
    case "E_SB_ASYNC": self = .asynchronous
    case "E_SB_SYNC": self = .synchronous
    case "E_SB_ERROR": self = .error
    default: return nil
    }
  }

  /// The kinds the address register holds, in a fixed order.
  public static let inRegister: [QueueKind] = [.asynchronous, .synchronous, .error]
}
