// SPDX-License-Identifier: Apache-2.0

/// Writes nothing: for those who only look.
public struct NoAddressRegisterWriter: AddressRegisterWriting {
  public init() {}

  public func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome {
    .notSent(.registerWriteNotConfigured(write.description))
  }
}
