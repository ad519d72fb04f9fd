// SPDX-License-Identifier: Apache-2.0

/// The metadata keys this library logs under. None of them ever carries message content or a secret.
enum LogKey: String {
  case bus
  case queue
  case error
  case waitMilliseconds = "wait_ms"
  case messageID = "message_id"
  case herID = "her_id"
  case configured
  case seen
}
