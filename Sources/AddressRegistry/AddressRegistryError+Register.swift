// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

extension AddressRegistryError {
  /// Explains the cases of the register itself; the others never get here.
  var registerExplanation: Explanation {
    switch self {
    case .registerUnreachable(let url, let seen):
      Explanation(
        tried: "reach the address register (AR) at \(url)", seen: seen,
        meaning: "No connection came about; the request was never sent, so nothing was changed.",
        next: "Check the host name, the firewall and the proxy between here and the register.", owner: .network)
    case .registerTimedOut(let url, let after):
      Explanation(
        tried: "ask the address register (AR) at \(url)", seen: "no answer within \(after)",
        meaning: "A question can be asked again. Whether a write was done is not known.",
        next: "Read the entry back before anything else is written.", owner: .addressRegister)
    case .registerConnectionLost(let url, let seen):
      Explanation(
        tried: "ask the address register (AR) at \(url)", seen: seen,
        meaning: "The connection ended before an answer. Whether a write was done is not known.",
        next: "Read the entry back before anything else is written.", owner: .addressRegister)
    case .registerLoginRefused(let url, let status):
      Explanation(
        tried: "log in to the address register (AR) at \(url)", seen: "HTTP status \(status)",
        meaning: "User name or password is wrong, or the user lacks the right to this service. Nothing was changed.",
        next: "Check the credentials and ask those who run the register about the user's rights.", owner: .caller)
    case .registerHTTPError(let url, let status):
      Explanation(
        tried: "ask the address register (AR) at \(url)", seen: "HTTP status \(status), and no answer that says more",
        meaning: "Something on the way, or the register itself, could not handle the request.",
        next: "Check the address of the service; with a status from 500 up, ask those who run the register.",
        owner: status >= 500 ? .addressRegister : .caller)
    case .registerAnswerUnreadable(let url, let seen):
      Explanation(
        tried: "read the answer of the address register (AR) at \(url)", seen: seen,
        meaning: "The answer is cut off or is no SOAP document. Whether a write was done is not known.",
        next: "Try again; if it stays so, ask those who run the register, and look for a proxy that cuts answers.",
        owner: .addressRegister)
    case .registerAnswerIncomplete(let url, let missing):
      Explanation(
        tried: "read the answer of the address register (AR) at \(url)", seen: "no usable \(missing) in it",
        meaning: "The entry cannot be told without it, and is not guessed.",
        next: "Compare the service's WSDL with what this program reads.", owner: .addressRegister)
    case .registerFault(let url, let code, let message):
      Explanation(
        tried: "ask the address register (AR) at \(url)", seen: "fault \(code): \(message)",
        meaning: "The register understood the request and said no.", next: "Ask those who run the register what the fault means.",
        owner: .addressRegister)
    case .registerValidationFault(let url, let problems):
      Explanation(
        tried: "ask the address register (AR) at \(url)", seen: "validation: \(problems.joined(separator: "; "))",
        meaning: "The register found the values wrong and changed nothing.", next: "Correct the values it names.", owner: .caller)
    case .registerConfigurationInvalid(let problem):
      Explanation(
        tried: "set up the way to the address register (AR)", seen: problem, meaning: "The register cannot be asked like that.",
        next: "Correct the configuration.", owner: .caller)
    case .registerWriteNotConfigured(let change):
      Explanation(
        tried: change, seen: "no operation of the migration service is configured for it",
        meaning: "The register's contract is not public, so nothing is guessed; nothing was sent.",
        next: "Configure the operation, or use the manual writer.", owner: .caller)
    case .registerWriteUnconfirmed(let herID, let seen):
      Explanation(
        tried: "read back what was written for HER-ID \(herID)", seen: seen,
        meaning: "Whether the write was done, or is still under way, is not known.",
        next: "Read the entry again later and look at its change log; write nothing on top before it is known.",
        owner: .addressRegister)
    case .tokenRefused(let url, let error, let description):
      Explanation(
        tried: "get an access token from HelseID at \(url)", seen: "\(error): \(description)",
        meaning: "HelseID does not let this client in, or not with this scope. Nothing was asked of the register.",
        next: "Compare client id, key, scope and organisation number with HelseID's self-service.", owner: .caller)
    case .tokenUnreadable(let url, let seen):
      Explanation(
        tried: "get an access token from HelseID at \(url)", seen: seen, meaning: "The answer is no token. Nothing was asked.",
        next: "Check the address of the token service, and look for a proxy before it.", owner: .addressRegister)
    case .signingKeyUnusable(let seen):
      Explanation(
        tried: "read the key that signs for HelseID", seen: seen,
        meaning: "Without it no token can be had. The key itself is in no text.",
        next: "Configure a private RSA (2048 bits or more) or EC key, as a JWK or PEM.", owner: .caller)
    default:
      Explanation(
        tried: "explain an error", seen: self.stableCode, meaning: "This error has no explanation of its own.",
        next: "Report it.", owner: .tjenestebuss)
    }
  }
}
