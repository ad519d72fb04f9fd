// SPDX-License-Identifier: Apache-2.0

/// The library's version, told to the bus when connecting and in every answer to a ping.
public enum TjenestebussVersion {
  public static let current = "0.1.0"
}
