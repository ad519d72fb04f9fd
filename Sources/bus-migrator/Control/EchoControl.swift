// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Foundation
import Hummingbird

/// Hands pingers the echoes of their own pings: the daemon reads each bus's reply queue for all, since whoever reads one takes others'
/// echoes too.
///
/// `GET /v1/echoes?bus=NAME` tells the queue that is read. `POST /v1/echoes?bus=NAME&of=ID,ID&within=MILLISECONDS` announces pings and waits:
/// a line says when they may be sent, then each echo comes as a line (``EchoLine``). The wait ends with the last echo, the time, or the
/// connection: a pinger that dies gives it up.
struct EchoControl: Sendable {
  let probes: [BusName: BusProbe]

  init(_ probes: [BusProbe]) {
    self.probes = Dictionary(probes.map { ($0.endpoint.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func add(to router: Router<ControlContext>) {
    router.on(ControlRoute.echoQueue) { request, _ in
      let bus = request.uri.queryParameters["bus"].map { String($0) }
      return await ControlAnswer.of { try ControlAPI.encode(try self.probe(bus).replyQueueForOthers()) }
    }
    router.on(ControlRoute.echoes) { request, _ in
      let parameters = request.uri.queryParameters
      let wait = try self.wait(
        bus: parameters["bus"].map { String($0) }, of: parameters["of"].map { String($0) },
        within: parameters["within"].map { String($0) })
      return Self.response(wait, request)
    }
  }

  /// Ends all waits: the daemon stops.
  func end() { for probe in self.probes.values { probe.endWaits() } }

  // MARK: the question

  private struct Wait: Sendable {
    var probe: BusProbe
    var messageIDs: [String]
    var time: Duration
  }

  private func wait(bus: String?, of ids: String?, within: String?) throws -> Wait {
    let messageIDs = (ids ?? "").split(separator: ",").map { $0.removingPercentEncoding ?? String($0) }
    guard (1...EchoLine.mostPings).contains(messageIDs.count), messageIDs.allSatisfy({ $0.utf8.count <= 200 }),
      Set(messageIDs).count == messageIDs.count
    else {
      throw CommandLineError.argumentWrong(
        name: "of", seen: "\(messageIDs.count) message ids", wanted: "1 to \(EchoLine.mostPings) different ones")
    }
    guard let milliseconds = within.flatMap({ Int64($0) }), milliseconds > 0,
      .milliseconds(milliseconds) <= EchoLine.longestWait
    else {
      throw CommandLineError.argumentWrong(
        name: "within", seen: String((within ?? "").prefix(20)), wanted: "milliseconds, at most \(EchoLine.longestWait)")
    }
    return Wait(probe: try self.probe(bus), messageIDs: messageIDs, time: .milliseconds(milliseconds))
  }

  private func probe(_ text: String?) throws -> BusProbe {
    let name = text.map { $0.removingPercentEncoding ?? $0 } ?? ""
    guard let probe = self.probes[BusName(name)] else { throw EchoError.busNotRead(BusName(String(name.prefix(80)))) }
    return probe
  }

  // MARK: the answer

  private static func response(_ wait: Wait, _ request: Request) -> Response {
    let body = ResponseBody { writer in
      // Cancelled when the pinger hangs up, or is gone.
      try await request.body.consumeWithCancellationOnInboundClose { _ in
        do throws(EchoError) {
          let written = try await wait.probe.withEchoes(of: wait.messageIDs, within: wait.time) { echoes in
            do {
              try await writer.write(Self.line(.announced))
              for await echo in echoes { try await writer.write(Self.line(.echo(echo))) }
              try await writer.write(Self.line(.end))
              return Result<Void, any Error>.success(())
            } catch {
              return .failure(error)
            }
          }
          do { try written.get() } catch {
            // Nobody reads any more.
          }
        } catch {
          try? await writer.write(Self.line(.failure(code: error.stableCode, error.explanation)))
        }
      }
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "application/x-ndjson", .connection: "close"], body: body)
  }

  private static func line(_ line: EchoLine) throws -> ByteBuffer { ByteBuffer(bytes: try line.encoded()) }
}
