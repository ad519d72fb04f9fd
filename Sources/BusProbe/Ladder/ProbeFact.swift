// SPDX-License-Identifier: Apache-2.0

/// What a rung saw, by name: the numbers and names that stand in the sentence of a finding, in either language.
public enum ProbeFact: String, Sendable, Hashable, Codable, CaseIterable {
  // Party and register
  case typed, herID, name, address, cached, source, minutes, origin, kind, queues, path, bus
  // Network
  case host, port, addresses, servers, answers, version, cipher, days, date, subject, issuer, wanted, presented, seconds
  // Login and connection
  case user, mechanism, offered, spoken, product, container, frame, idle, sessions, virtualHost, tried
  // Message
  case form, limit, milliseconds, bytes, message, condition, dialect, ration, exchange
  // Arrival and answer
  case queue, depth, consumers, responder, library, since, buses, reader, error
}

/// A fact's value: the same in every language, or a term that has a word in each.
public indirect enum ProbeValue: Sendable, Hashable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
  /// Names, addresses, the peer's own words.
  case text(String)
  case number(Int64)
  case term(ProbeTerm)
  /// Side by side.
  case words([ProbeValue])
  /// One after the other.
  case list([ProbeValue])

  public init(stringLiteral value: String) { self = .text(value) }
  public init(integerLiteral value: Int64) { self = .number(value) }
  public static func number(_ value: Int) -> ProbeValue { .number(Int64(value)) }

  public func text(_ language: ProbeLanguage) -> String {
    switch self {
    case .text(let text): text
    case .number(let number): String(number)
    case .term(let term): term.text[language]
    case .words(let values): values.map { $0.text(language) }.joined(separator: " ")
    case .list(let values): values.map { $0.text(language) }.joined(separator: "; ")
    }
  }
}

/// Words that stand among the facts.
public enum ProbeTerm: String, Sendable, Hashable, Codable, CaseIterable {
  case refused, noAnswer, notReachable, own, inheritedFrom, inherited, noAddress, notTold, on, nothingElse,
    opensWithoutVirtualHost, failsWithoutVirtualHost, pingedLately, pingsUnderWay, stateUnusable, readByUs, readByDaemon,
    readByUsInstead, sharedNotRead, noOwnQueue, noRation, rationOfUser, rationShared

  public var text: ProbeText {
    switch self {
    case .refused: ProbeText(nb: "avviser", en: "refuses")
    case .noAnswer: ProbeText(nb: "svarer ikke", en: "does not answer")
    case .notReachable: ProbeText(nb: "kan ikke nås", en: "cannot be reached")
    case .own: ProbeText(nb: "partens egen", en: "the party's own")
    case .inheritedFrom: ProbeText(nb: "arvet fra HER-id", en: "inherited from HER-ID")
    case .inherited: ProbeText(nb: "arvet; fra hvem står ikke", en: "inherited; from whom is not said")
    case .noAddress: ProbeText(nb: "ingen adresse av dette slaget", en: "no address of this kind")
    case .notTold: ProbeText(nb: "ikke oppgitt", en: "not told")
    case .on: ProbeText(nb: "på", en: "on")
    case .nothingElse: ProbeText(nb: "ikke noe mer", en: "nothing further")
    case .opensWithoutVirtualHost:
      ProbeText(
        nb: "samme innlogging uten virtuell vert, og den slapp inn", en: "the same login without the virtual host, and it came in"
      )
    case .failsWithoutVirtualHost:
      ProbeText(
        nb: "samme innlogging uten virtuell vert, og den feilet også:",
        en: "the same login without the virtual host, and it failed too:")
    case .pingedLately: ProbeText(nb: "parten ble nettopp pinget; igjen om", en: "the party was pinged a moment ago; again in")
    case .noRation: ProbeText(nb: "pinger telles ikke", en: "pings are not counted")
    case .rationOfUser:
      ProbeText(
        nb: "pinger fra andre brukere på denne maskinen ses ikke:", en: "pings by other users of this machine are not seen:")
    case .rationShared: ProbeText(nb: "pinger telles i", en: "pings are counted in")
    case .readByUs: ProbeText(nb: "svarkøen leste vi selv", en: "we read the reply queue ourselves")
    case .readByDaemon: ProbeText(nb: "svarkøen leser tjenesten", en: "the daemon reads the reply queue")
    case .readByUsInstead:
      ProbeText(
        nb: "svarkøen leste vi selv, for den er bare vår og tjenesten ga ikke svar:",
        en: "we read the reply queue ourselves, since it is ours alone and the daemon gave none:")
    case .sharedNotRead:
      ProbeText(
        nb: "svarkøen er delt, så den leste vi ikke selv: vi ville tatt andres svar",
        en: "the reply queue is shared, so we did not read it ourselves: we would have taken others' answers")
    case .noOwnQueue:
      ProbeText(nb: "noen svarkø bare for oss er ikke satt opp", en: "no reply queue of ours alone is configured")
    case .pingsUnderWay: ProbeText(nb: "pinger er underveis alt", en: "pings are under way already")
    case .stateUnusable: ProbeText(nb: "mappen for tilstand kan ikke brukes:", en: "the state folder cannot be used:")
    }
  }
}
