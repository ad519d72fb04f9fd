// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Forwarding
import Telling

/// What the codes of those who carry messages over and of those who tell people mean: FWD-... of our forwarder, SHOVEL-... of shovels, one of which
/// an order that has stopped shows; TELL-... in the log.
struct CarrierCode: Codable {
  var code: String
  /// As the book of MIG-... codes has it: what the code is about.
  var kind: String
  var meaning: String
  var next: String

  private init(_ error: some ExplainedError, kind: String = "stopped") {
    self.code = error.stableCode
    self.kind = kind
    self.meaning = error.explanation.meaning
    self.next = error.explanation.next
  }

  static let all: [CarrierCode] =
    ForwardingError.Code.all.map { CarrierCode(ForwardingError($0, tried: "", seen: "")) } + Self.shovels.map { CarrierCode($0) }
    + Self.telling.map { CarrierCode($0, kind: "not told") }

  private static let telling: [TellingError] = [
    .storeUnusable(path: "", seen: ""), .notDelivered(channel: "", seen: ""), .givenUp(channel: "", seen: ""),
  ]

  /// One of each; what is named in them shows nowhere.
  private static let shovels: [ShovelError] = [
    .combinationUnsound(source: .rabbitMQ3, target: .rabbitMQ3, why: ""), .refused(tried: "", status: 0),
    .unreachable(tried: "", seen: ""), .answerUnreadable(tried: ""), .queueMissing(queue: "", role: ""),
    .anotherShovel(queue: "", name: ""), .notRemoved(name: "NAME"), .notRunning(name: "", state: ""),
    .addressInvalid(problem: ""),
  ]

  static func entry(_ code: String) -> CarrierCode? { Self.all.first { $0.code == code.uppercased() } }
}
