// SPDX-License-Identifier: Apache-2.0

import BusModel

/// How a pulje's groups are divided into waves; the first one is the pilot. A group is never split over waves (I-3).
public enum Waves: Sendable, Hashable, Codable, ExpressibleByArrayLiteral {
  /// So many groups in each, in the plan's order; those left over make the last.
  case sizes([Int])
  /// Each vendor's groups are a wave, vendors in the order in which the request names them: a vendor's fault hits one wave.
  case byVendor
  /// Each party says which: a group goes with the first wave that one of its parties names.
  case stated

  public init(arrayLiteral sizes: Int...) { self = .sizes(sizes) }

  /// What is wrong with it, in words; empty when it can be used.
  func faults(_ parties: [PuljeRequest.Party]) -> [String] {
    switch self {
    case .sizes(let sizes): return sizes.first { $0 < 1 }.map { ["a wave of \($0) groups"] } ?? []
    case .byVendor: return parties.contains { $0.vendor.isEmpty } ? ["waves by vendor, and a party without one"] : []
    case .stated:
      return parties.compactMap { party in
        guard let wave = party.wave else { return "HER-ID \(party.herID) names no wave, and others do" }
        return wave < 1 ? "HER-ID \(party.herID) names wave \(wave)" : nil
      }
    }
  }

  func split(_ groups: [Plan.Group], parties: [PuljeRequest.Party]) -> [[GroupID]] {
    switch self {
    case .sizes(let sizes):
      var left = groups.map(\.id)[...]
      var waves: [[GroupID]] = []
      for size in sizes where !left.isEmpty {
        waves.append(Array(left.prefix(max(1, size))))
        left = left.dropFirst(max(1, size))
      }
      if !left.isEmpty { waves.append(Array(left)) }
      return waves
    case .byVendor:
      var order: [String: Int] = [:]
      for party in parties where order[party.vendor] == nil { order[party.vendor] = order.count }
      return Self.ordered(groups) { group in group.members.compactMap { order[$0.vendor] }.min() }
    case .stated:
      let stated = Dictionary(parties.map { ($0.herID, $0.wave) }, uniquingKeysWith: { first, _ in first })
      return Self.ordered(groups) { group in group.members.compactMap { stated[$0.herID] ?? nil }.min() }
    }
  }

  private static func ordered(_ groups: [Plan.Group], _ wave: (Plan.Group) -> Int?) -> [[GroupID]] {
    Dictionary(grouping: groups) { wave($0) ?? .max }.sorted { $0.key < $1.key }.map { $0.value.map(\.id) }
  }
}
