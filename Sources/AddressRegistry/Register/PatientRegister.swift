// SPDX-License-Identifier: Apache-2.0

import BusModel
import NIOConcurrencyHelpers

/// A register that many questions are put to, until it is plain that none will be answered.
///
/// A refused login is not tried again for each of a hundred thousand parties: that locks accounts. A register that is down is not
/// waited for at each of them either. Once given up, every further question fails at once with what was seen last; those who read
/// party by party list it for each, and keep what they have.
public final class PatientRegister: AddressRegisterReading {
  private struct State {
    var silent = 0
    var givenUp: AddressRegistryError?
  }

  private let register: any AddressRegisterReading
  private let patience: Int
  private let state = NIOLockedValueBox(State())

  /// - Parameter patience: questions in a row without any answer until it is given up. Default 32.
  public init(_ register: any AddressRegisterReading, patience: Int = 32) {
    self.register = register
    self.patience = max(1, patience)
  }

  /// What was seen last, once it is given up.
  public var givenUp: AddressRegistryError? { self.state.withLockedValue { $0.givenUp } }

  public func party(_ herID: HerID) async throws -> PartyRecord {
    if let error = self.givenUp { throw error }
    do {
      let record = try await self.register.party(herID)
      self.state.withLockedValue { $0.silent = 0 }
      return record
    } catch let error as AddressRegistryError {
      self.note(error)
      throw error
    }
  }

  private func note(_ error: AddressRegistryError) {
    self.state.withLockedValue { state in
      switch error {
      case .registerLoginRefused, .tokenRefused, .tokenUnreadable, .signingKeyUnusable, .registerConfigurationInvalid:
        state.givenUp = error
      case .registerUnreachable, .registerTimedOut, .registerConnectionLost, .registerHTTPError:
        state.silent += 1
        if state.silent >= self.patience { state.givenUp = error }
      // A fault, or an answer that cannot be read, is an answer: it is about this party.
      default: state.silent = 0
      }
    }
  }
}
