// SPDX-License-Identifier: Apache-2.0

/// The keys of this room's log metadata.
enum LogKey: String {
  case route, mode, ending, accepted, code
}
