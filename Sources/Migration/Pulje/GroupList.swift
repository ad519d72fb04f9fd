// SPDX-License-Identifier: Apache-2.0

/// A pulje's groups in the order of its plan, found by their names too.
public struct GroupList: Sendable, Hashable, RandomAccessCollection {
  private var states: [GroupState]
  private let indexByID: [GroupID: Int]

  /// - Parameter states: of two with one name the first counts.
  init(_ states: [GroupState]) {
    var indexByID: [GroupID: Int] = [:]
    var kept: [GroupState] = []
    kept.reserveCapacity(states.count)
    for state in states where indexByID[state.id] == nil {
      indexByID[state.id] = kept.count
      kept.append(state)
    }
    self.states = kept
    self.indexByID = indexByID
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { self.states.count }

  public internal(set) subscript(position: Int) -> GroupState {
    // Read where it lies: to copy each of thousands at every turn would be dear.
    _read { yield self.states[position] }
    _modify { yield &self.states[position] }
  }

  public func index(of id: GroupID) -> Int? { self.indexByID[id] }

  public subscript(id: GroupID) -> GroupState? { self.indexByID[id].map { self.states[$0] } }

  /// Names of the groups for which `condition` holds, asked where they lie.
  func ids(where condition: (borrowing GroupState) -> Bool) -> [GroupID] {
    var ids: [GroupID] = []
    _ = self.contains { place, group in
      if condition(group) { ids.append(self.states[place].id) }
      return false
    }
    return ids
  }

  /// Whether `condition` holds for a group, told with its place and asked where it lies.
  func contains(where condition: (Int, borrowing GroupState) -> Bool) -> Bool {
    self.states.withUnsafeBufferPointer { states in
      guard let first = states.baseAddress else { return false }
      // By its address: a buffer's subscript copies what it hands out.
      for place in states.indices where condition(place, (first + place).pointee) { return true }
      return false
    }
  }

  /// Changes a group where it lies.
  ///
  /// - Returns: false when there is no such group.
  mutating func change(_ id: GroupID, _ change: (inout GroupState) -> Void) -> Bool {
    guard let index = self.indexByID[id] else { return false }
    change(&self.states[index])
    return true
  }
}
