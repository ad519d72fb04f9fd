// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import NIOCore

/// Echoes from the daemon, which reads each bus's reply queue for all: over its Unix socket.
public struct DaemonEchoes: EchoService {
  public let socket: String
  private let http: HTTPClient
  /// The socket is on this machine: whoever does not answer in this time does not answer.
  static let patience = Duration.seconds(3)

  /// - Parameter http: made with ``configuration``.
  public init(socket: String, http: HTTPClient) {
    self.socket = socket
    self.http = http
  }

  /// A wait holds its connection, and there are as many at once as pings are under way.
  public static var configuration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
    configuration.timeout.connect = .seconds(3)
    return configuration
  }

  public func source(on bus: BusName, subject: String) async -> Result<any EchoSource, EchoError> {
    do throws(EchoError) {
      let answer = try await self.ask(self.request("GET", "/v1/echoes", ["bus": bus.text]))
      guard answer.subject == subject else { throw .otherSubject(theirs: String(answer.subject.prefix(80)), ours: subject) }
      return .success(DaemonEchoSource(service: self, bus: bus, replyQueue: answer.replyQueue))
    } catch {
      return .failure(error)
    }
  }

  private func ask(_ request: HTTPClientRequest) async throws(EchoError) -> EchoQueueAnswer {
    let status: UInt
    let data: Data
    do {
      let response = try await self.http.execute(request, timeout: TimeAmount(Self.patience))
      status = response.status.code
      data = Data(try await response.body.collect(upTo: 64 << 10).readableBytesView)
    } catch {
      throw .daemonUnreachable(socket: self.socket, seen: Self.words(error))
    }
    guard status == 200 else { throw self.refusal(status, data) }
    guard let answer = try? JSONDecoder().decode(EchoQueueAnswer.self, from: data), !answer.replyQueue.isEmpty else {
      throw .answerUnreadable(socket: self.socket, seen: "\(data.count) bytes that are not the answer's form")
    }
    return answer
  }

  func refusal(_ status: UInt, _ data: Data) -> EchoError {
    guard let refusal = try? JSONDecoder().decode(EchoRefusal.self, from: data) else {
      return .answerUnreadable(socket: self.socket, seen: "HTTP status \(status)")
    }
    return .told(code: refusal.code, refusal.explanation)
  }

  /// NIO's and the client's own words for what kept us from the socket.
  static func words(_ error: any Error) -> String {
    if let error = error as? HTTPClientError { return error.description }
    if let error = error as? IOError { return "errno \(error.errnoCode): \(String(cString: strerror(error.errnoCode)))" }
    return String("\(error)".prefix(200))
  }

  func request(_ method: String, _ path: String, _ query: KeyValuePairs<String, String>) throws(EchoError) -> HTTPClientRequest {
    func escaped(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }
    let parameters = query.map { "\($0.key)=\(escaped($0.value))" }.joined(separator: "&")
    var request = HTTPClientRequest(url: "http+unix://\(escaped(self.socket))\(path)?\(parameters)")
    request.method = .init(rawValue: method)
    // The daemon ends the connection with a wait: another question that was sent over it would be lost.
    request.headers.add(name: "connection", value: "close")
    return request
  }

  /// The lines of one wait. The sequence ends when the daemon ends it or the way to it is cut; cancelling it cuts the way, and the
  /// daemon gives up the wait.
  func lines(_ request: HTTPClientRequest, within limit: Duration, _ lines: AsyncStream<EchoLine>.Continuation) async
    -> EchoError?
  {
    defer { lines.finish() }
    do {
      let response = try await self.http.execute(request, timeout: TimeAmount(limit))
      guard response.status == .ok else {
        return self.refusal(response.status.code, Data(try await response.body.collect(upTo: 64 << 10).readableBytesView))
      }
      var rest = Data()
      for try await buffer in response.body {
        rest.append(contentsOf: buffer.readableBytesView)
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          guard let line = EchoLine(decoding: rest[..<end]) else {
            return .answerUnreadable(socket: self.socket, seen: "a line that is not of the answer's form")
          }
          lines.yield(line)
          rest = rest[rest.index(after: end)...]
        }
        // A line is some hundred bytes.
        if rest.count > 64 << 10 { return .answerUnreadable(socket: self.socket, seen: "a line without an end") }
      }
      return nil
    } catch {
      return .daemonUnreachable(socket: self.socket, seen: Self.words(error))
    }
  }
}

struct DaemonEchoSource: EchoSource {
  let service: DaemonEchoes
  let bus: BusName
  let replyQueue: String

  func echo(
    of messageID: String, sentWithin limit: Duration, within timeout: Duration, sends: () async -> Bool
  ) async -> EchoArrival {
    let wait = limit + timeout
    let request: HTTPClientRequest
    do throws(EchoError) {
      request = try self.service.request(
        "POST", "/v1/echoes",
        ["bus": self.bus.text, "of": messageID, "within": "\(Int64(wait.inMilliseconds))"])
    } catch {
      return .failed(error)
    }
    return await withTaskGroup(of: EchoError?.self) { group in
      let (lines, continuation) = AsyncStream.makeStream(of: EchoLine.self)
      group.addTask { await self.service.lines(request, within: wait + DaemonEchoes.patience, continuation) }
      defer { group.cancelAll() }
      let asked = ContinuousClock.now
      switch await lines.first(within: DaemonEchoes.patience) {
      case .announced?: break
      case .failure(let code, let explanation)?: return .failed(.told(code: code, explanation))
      case .echo?, .end?:
        return .failed(.answerUnreadable(socket: self.service.socket, seen: "an answer before the announcement"))
      case nil:
        let isSilent = ContinuousClock.now - asked >= DaemonEchoes.patience
        group.cancelAll()
        let why = await group.next() ?? nil
        if let why, !isSilent { return .failed(why) }
        return .failed(.daemonUnreachable(socket: self.service.socket, seen: "no answer in \(DaemonEchoes.patience)"))
      }
      guard await sends() else { return .notAwaited }
      let ends = ContinuousClock.now + timeout
      while true {
        let left = ends - ContinuousClock.now
        guard left > .zero else { return .noneInTime }
        switch await lines.first(within: left) {
        case .echo(let echo)? where echo.originalMessageID == messageID: return .came(echo)
        case .echo?, .announced?: continue
        case .failure(let code, let explanation)?: return .failed(.told(code: code, explanation))
        // The daemon's time is longer than ours: it ended for another reason.
        case .end?: return .failed(.daemonGone(socket: self.service.socket))
        case nil:
          if ends <= ContinuousClock.now || Task.isCancelled { return .noneInTime }
          return .failed(.daemonGone(socket: self.service.socket))
        }
      }
    }
  }
}
