// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What can be wrong with the vocabulary's own values.
public enum BusModelError: ExplainedError, Hashable {
  case herIDMalformed(String)
  case queueAddressMalformed(String)
  case messageFieldMissing([String])
  case busWithoutHost(BusName)

  public var stableCode: String {
    switch self {
    case .herIDMalformed: "BUS-001"
    case .queueAddressMalformed: "BUS-002"
    case .messageFieldMissing: "BUS-003"
    case .busWithoutHost: "BUS-004"
    }
  }

  public var explanation: Explanation {
    switch self {
    case .herIDMalformed(let text):
      Explanation(
        tried: "read a HER-ID", seen: "\"\(text)\"", meaning: "A HER-ID is a whole number greater than zero, digits only.",
        next: "Check the number against the address register (AR).", owner: .caller)
    case .queueAddressMalformed(let text):
      Explanation(
        tried: "read a queue address", seen: "\"\(text)\"",
        meaning: "A queue address has the form host/path/queue, such as sb.test.nhn.no/DigitalDialog/93238_async.",
        next: "Have the address corrected in the address register (AR); it is not guessed.", owner: .addressRegister)
    case .messageFieldMissing(let names):
      Explanation(
        tried: "read a health message", seen: "missing or malformed: \(names.joined(separator: ", "))",
        meaning: "Receivers refuse a message without fromHerId, toHerId, subject, applicationTimeStamp and content-type.",
        next: "The sending system must set these fields.", owner: .party)
    case .busWithoutHost(let name):
      Explanation(
        tried: "write an address on bus \(name)", seen: "no host is configured for it",
        meaning: "Without a host name there is no address to put in the register.",
        next: "List the bus's host names in the configuration; the first one is written.", owner: .caller)
    }
  }
}
