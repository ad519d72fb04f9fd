// SPDX-License-Identifier: Apache-2.0

import AMQP

/// One step of a ``ScriptedPeer``'s script: something the client has to do, or something the peer does.
///
/// Steps that expect wait; all others are done at once when their turn comes. Several things can be one step: ``login(mechanisms:outcome:)``,
/// ``opening(user:maxFrameSize:idleTimeout:)``, ``session()``.
public struct PeerStep: Sendable {
  enum Action: Sendable {
    case expect(FrameExpectation)
    case expectHeader(PeerHeader)
    case expectEnd
    case respond(PeerReply)
    case write([UInt8])
    case chunk(Int?)
    case take(frames: Int)
    case hold(String)
    case pause(Duration)
    case cut
    case reset
    case silence
  }

  /// An action and where the script has it.
  struct Placed: Sendable {
    let action: Action
    let place: String
  }

  let actions: [Placed]

  init(_ actions: [Action], _ file: String, _ line: Int) {
    self.actions = actions.map { Placed(action: $0, place: "\(file):\(line)") }
  }

  // MARK: What the client has to do

  /// The next frame is this one. Heartbeats are passed over, and the kinds that the peer was told to ignore.
  public static func expect(_ frame: FrameExpectation, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.expect(frame)], file, line)
  }

  /// The client begins with this protocol header.
  public static func expect(header: PeerHeader, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.expectHeader(header)], file, line)
  }

  /// The client ends the TCP connection, or its half of it. Frames that come before are passed over.
  public static func expectEnd(file: String = #fileID, line: Int = #line) -> PeerStep { PeerStep([.expectEnd], file, line) }

  // MARK: What the peer does

  public static func respond(_ reply: PeerReply, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.respond(reply)], file, line)
  }

  public static func respond(header: PeerHeader, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.write(header.bytes)], file, line)
  }

  /// Answers the last Attach and grants credit.
  public static func respondWithCredit(_ credit: UInt32, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.respond(.attach()), .respond(.flow(credit: credit))], file, line)
  }

  /// Writes bytes as they are.
  public static func sendRaw(_ bytes: [UInt8], file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.write(bytes)], file, line)
  }

  /// A heartbeat: a frame without a performative.
  public static func heartbeat(file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.write([0, 0, 0, 8, 2, 0, 0, 0])], file, line)
  }

  /// From here on writes go out in slices of so many bytes, each on its own. Nil: whole again.
  public static func chunk(bytes: Int?, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.chunk(bytes)], file, line)
  }

  /// Takes so many frames, whatever they are, and then cuts the connection without a word.
  public static func dropAfter(frames: Int, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.take(frames: frames), .cut], file, line)
  }

  /// Ends the TCP connection without a word.
  public static func drop(file: String = #fileID, line: Int = #line) -> PeerStep { PeerStep([.cut], file, line) }

  /// Ends the TCP connection by a reset.
  public static func reset(file: String = #fileID, line: Int = #line) -> PeerStep { PeerStep([.reset], file, line) }

  /// Writes nothing from here on, reads on, and does not end the connection: the script is at its end.
  public static func silence(file: String = #fileID, line: Int = #line) -> PeerStep { PeerStep([.silence], file, line) }

  /// Closes the AMQP connection with this reason and ends the TCP connection once the client has closed too.
  public static func close(_ error: AMQPCondition? = nil, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.respond(.close(error)), .expect(.close()), .cut], file, line)
  }

  /// Waits until the test calls ``ScriptedPeer/release(_:)`` with this name. What the client sends meanwhile stays in line.
  public static func hold(_ name: String, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.hold(name)], file, line)
  }

  /// Waits so long; what the client sends meanwhile stays in line. For lateness; to wait for the test use ``hold(_:file:line:)``.
  public static func pause(_ duration: Duration, file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.pause(duration)], file, line)
  }

  // MARK: Usual sequences

  /// The SASL layer. With an `outcome` other than 0 the peer then ends the TCP connection, as RabbitMQ does.
  ///
  /// - Parameters:
  ///   - mechanisms: as the server lists them.
  ///   - mechanism: the one the client has to choose; nil for any.
  ///   - outcome: see ``PeerReply/saslOutcome(_:)``.
  public static func login(
    mechanisms: [String] = ["PLAIN", "ANONYMOUS"], choosing mechanism: String? = nil, outcome: UInt8 = 0, file: String = #fileID,
    line: Int = #line
  ) -> PeerStep {
    let actions: [Action] = [
      .expectHeader(.sasl), .write(PeerHeader.sasl.bytes), .respond(.saslMechanisms(mechanisms)),
      .expect(.saslInit(mechanism: mechanism)), .respond(.saslOutcome(outcome)),
    ]
    return PeerStep(outcome == 0 ? actions : actions + [.cut], file, line)
  }

  /// ``login(mechanisms:choosing:outcome:file:line:)``, the AMQP header and the Open frames.
  ///
  /// - Parameter idleTimeout: what the client is told to undercut, in milliseconds; nil for nothing.
  public static func opening(
    maxFrameSize: UInt32 = 65_536, idleTimeout: UInt32? = nil, properties: AMQPMap = [:], file: String = #fileID,
    line: Int = #line
  ) -> PeerStep {
    let login = PeerStep.login().actions.map(\.action)
    return PeerStep(
      login + [
        .expectHeader(.amqp), .write(PeerHeader.amqp.bytes), .expect(.open()),
        .respond(.open(maxFrameSize: maxFrameSize, idleTimeout: idleTimeout, properties: properties)),
      ], file, line)
  }

  /// A Begin and its answer.
  public static func session(file: String = #fileID, line: Int = #line) -> PeerStep {
    PeerStep([.expect(.begin), .respond(.begin())], file, line)
  }

  /// A link on which the client sends, and credit for it. - Parameter begins: whether a session is begun for it.
  public static func sender(
    to address: String? = nil, credit: UInt32 = 100, begins: Bool = true, file: String = #fileID, line: Int = #line
  ) -> PeerStep {
    let session: [Action] = begins ? [.expect(.begin), .respond(.begin())] : []
    return PeerStep(
      session + [
        .expect(.attach(role: .sender, address: address)), .respond(.attach()), .respond(.flow(credit: credit)),
      ], file, line)
  }

  /// A link on which the client receives, and the credit it grants.
  ///
  /// - Parameters:
  ///   - credit: nil for any.
  ///   - begins: whether a session is begun for it.
  public static func receiver(
    from address: String? = nil, credit: UInt32? = nil, begins: Bool = true, file: String = #fileID, line: Int = #line
  ) -> PeerStep {
    let session: [Action] = begins ? [.expect(.begin), .respond(.begin())] : []
    return PeerStep(
      session + [
        .expect(.attach(role: .receiver, address: address)), .respond(.attach()), .expect(.flow(credit: credit)),
      ], file, line)
  }
}

/// The eight bytes each side begins with (specification 2.2, 5.2.1, 5.3.2).
public struct PeerHeader: Sendable, Hashable, CustomStringConvertible {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public static let amqp = PeerHeader(Array("AMQP".utf8) + [0, 1, 0, 0])
  public static let sasl = PeerHeader(Array("AMQP".utf8) + [3, 1, 0, 0])
  /// What a server of AMQP 0-9-1 answers to any other protocol, before it closes.
  public static let amqp091 = PeerHeader(Array("AMQP".utf8) + [0, 0, 9, 1])

  public var description: String { "header \(self.bytes.dropFirst(4).map(String.init).joined(separator: "."))" }
}
