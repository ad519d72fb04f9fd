// SPDX-License-Identifier: Apache-2.0

/// A node that runs shovels, as its management interface shows it.
public protocol ShovelNode: Sendable {
  /// Where shovels are declared.
  var virtualHost: String { get }

  /// Declares it, or puts it in the place of one of the same name.
  ///
  /// - Throws: ``ShovelError``. On `unreachable` it may stand all the same, now or in a moment.
  func declare(_ shovel: ShovelDefinition) async throws(ShovelError)

  /// Removes it. One that is not there is removed.
  ///
  /// - Throws: ``ShovelError``. On `unreachable` it may stand still.
  func remove(_ name: String) async throws(ShovelError)

  /// The names of all shovels that are declared on the virtual host, running or not.
  func declared() async throws(ShovelError) -> [String]

  /// All shovels of the virtual host as they are doing.
  func standing() async throws(ShovelError) -> [ShovelManagement.Standing]

  /// Whether the bus has the queue.
  func hasQueue(_ queue: String) async throws(ShovelError) -> Bool

  /// What receivers of a queue have settled, by receiver, as the bus counts it by itself: seconds late, and each anew from zero when it
  /// connects anew.
  func settled(of queue: String) async throws(ShovelError) -> [ShovelManagement.Settled]
}
