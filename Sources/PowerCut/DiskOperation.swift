// SPDX-License-Identifier: Apache-2.0

/// One thing that was done to the files of a folder.
package enum DiskOperation: Sendable, Hashable {
  /// A file came to be; empty.
  case created(String)
  case wrote(String, offset: Int, bytes: [UInt8])
  case resized(String, to: Int)
  /// `fsync` or `fdatasync` of a file has returned.
  case synced(String)
  /// `fsync` of the folder has returned: which files there are is on disk.
  case folderSynced
  case removed(String)
  case renamed(String, to: String)
}
