// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What can go wrong when people are told of something. None of it holds up a pulje.
public enum TellingError: ExplainedError, Hashable {
  /// The file with what is to be told cannot be used.
  case storeUnusable(path: String, seen: String)
  /// It did not arrive, or nobody knows whether it did; it is tried again.
  case notDelivered(channel: String, seen: String)
  /// It will not be tried again.
  case givenUp(channel: String, seen: String)

  public var stableCode: String {
    switch self {
    case .storeUnusable: "TELL-001"
    case .notDelivered: "TELL-002"
    case .givenUp: "TELL-003"
    }
  }

  public var explanation: Explanation {
    switch self {
    case .storeUnusable(let path, let seen):
      Explanation(
        tried: "keep what people are to be told in \(path)", seen: seen,
        meaning: "Puljer go on; nobody is told of anything by webhook, mail or program until this is mended.",
        next: "Look at the disk's room and the file's owner. It is tried again with the next thing there is to tell.",
        owner: .host)
    case .notDelivered(let channel, let seen):
      Explanation(
        tried: "tell \(channel)", seen: seen, meaning: "It did not arrive, or may have: it is tried again, under the same id.",
        next:
          "Nothing, if it passes. Else look at the receiver's address, certificate and login under `tell` in the configuration.",
        owner: .network)
    case .givenUp(let channel, let seen):
      Explanation(
        tried: "tell \(channel)", seen: seen, meaning: "This is not tried again: nobody was told of it there.",
        next: "Mend the receiver or its entry under `tell`; what stands now is in `bus-migrator status`.", owner: .caller)
    }
  }
}
