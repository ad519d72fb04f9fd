// SPDX-License-Identifier: Apache-2.0

/// The metadata keys this library logs under. None of them ever carries message content or a secret.
enum LogKey: String {
  case endpoint
  case peer
  case address
  case attempt
  case error
  case waitMilliseconds = "wait_ms"
  // Of the frame trace.
  case direction
  case performative
  case channel
  case fields
  case payloadBytes = "payload_bytes"
}
