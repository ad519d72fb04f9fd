// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Messages of one class and one sender that lie on one queue being left. Metadata only; no body was read.
public struct StrandedFinding: Sendable, Hashable, Codable {
  /// Who sent them, as far as they say.
  public struct Sender: Sendable, Hashable, Codable {
    public var herID: HerID
    public var system: String?
    public var library: String?
    public var libraryVersion: String?
    /// Where the plan knows it.
    public var vendor: String?
  }

  public var strandedClass: StrandedClass
  public var code: String
  public var queue: QueueAddress
  public var kind: QueueKind
  public var sender: Sender?
  public var count: Int64
  /// When the first and the last of them came to the queue, where that is told.
  public var oldest: Instant?
  public var newest: Instant?
  /// The bus's own numbers of the first few, by which they are found again.
  public var sequenceNumbers: [Int64]
  public var deadLetterReasons: [String]
  public var healing: Healing
  public var meaning: String
  public var next: String
  /// What would have to be known to say more; nil when nothing is missing.
  public var needed: String?

  static let numbersKept = 10

  init(_ strandedClass: StrandedClass, queue: QueueAddress, kind: QueueKind, sender: Sender?, healing: Healing, needed: String?) {
    self.strandedClass = strandedClass
    self.code = strandedClass.code
    self.queue = queue
    self.kind = kind
    self.sender = sender
    self.count = 0
    self.sequenceNumbers = []
    self.deadLetterReasons = []
    self.healing = healing
    self.meaning = strandedClass.meaning
    self.next = strandedClass.next
    self.needed = needed
  }

  fileprivate mutating func add(_ message: MessageSighting) {
    self.count += 1
    if let came = message.enqueuedAt.map(Instant.init(milliseconds:)) {
      self.oldest = min(self.oldest ?? came, came)
      self.newest = max(self.newest ?? came, came)
    }
    if let number = message.sequenceNumber, self.sequenceNumbers.count < Self.numbersKept { self.sequenceNumbers.append(number) }
    if let reason = message.deadLetterReason, !self.deadLetterReasons.contains(reason),
      self.deadLetterReasons.count < Self.numbersKept
    {
      self.deadLetterReasons.append(reason)
    }
  }
}

extension DrainLedger {
  /// What lies on the queues being left, by class and sender. What was not looked at is unknown, and says what is missing.
  func stranded(
    policy: Policy, dialect: Dialect?, now: Instant, vendor: (HerID) -> String?
  ) -> [StrandedFinding] {
    let classifier = StrandedClassifier(self, policy: policy, now: now)
    return self.last.flatMap { reading -> [StrandedFinding] in
      let lying = reading.lying ?? 0
      let dead = reading.deadLettered ?? 0
      guard lying > 0 || dead > 0 else { return [] }
      var found: [StrandedFinding] = []
      let seen = self.sighted.first { $0.queue == reading.address }
      for message in seen?.sightings ?? [] {
        let (strandedClass, healing) = classifier.classify(message, on: reading.kind)
        let sender = message.fromHerID.map { herID in
          StrandedFinding.Sender(
            herID: herID, system: message.system, library: message.library, libraryVersion: message.libraryVersion,
            vendor: vendor(herID))
        }
        let needed =
          strandedClass == .unknown ? "when it came: the bus does not tell, and the sender's own clock shows nothing" : nil
        let place = found.firstIndex { $0.strandedClass == strandedClass && $0.sender == sender && $0.healing == healing }
        if let place {
          found[place].add(message)
        } else {
          var finding = StrandedFinding(
            strandedClass, queue: reading.address, kind: reading.kind, sender: sender, healing: healing, needed: needed)
          finding.add(message)
          found.append(finding)
        }
      }
      let told = found.reduce(0) { $0 + $1.count }
      guard lying + (reading.kind == .deadLetter ? 0 : dead) > told else { return found }
      return found + self.untold(reading, rest: lying + (reading.kind == .deadLetter ? 0 : dead) - told, dialect: dialect)
    }
  }

  /// What is counted and was not looked at: of some of it the counters themselves tell what it is.
  private func untold(_ reading: QueueReading, rest: Int64, dialect: Dialect?) -> [StrandedFinding] {
    func finding(_ strandedClass: StrandedClass, _ count: Int64, _ healing: Healing, _ needed: String?) -> StrandedFinding {
      var finding = StrandedFinding(
        strandedClass, queue: reading.address, kind: reading.kind, sender: nil, healing: healing, needed: needed)
      finding.count = count
      return finding
    }
    let needed =
      dialect?.capabilities.browses == true
      ? "a look at the messages; there are more than are looked at, or they could not be looked at"
      : "a bus that shows messages without handing them out, or the word of the queue's owner"
    if reading.kind == .deadLetter { return [finding(.deadLetter, rest, .never, needed)] }
    var left = rest
    var found: [StrandedFinding] = []
    func take(_ count: Int64?, _ strandedClass: StrandedClass, _ healing: Healing) {
      let count = min(left, count ?? 0)
      guard count > 0 else { return }
      left -= count
      found.append(finding(strandedClass, count, healing, needed))
    }
    take(reading.deadLettered, .deadLetter, .never)
    let figures = reading.figures
    take((figures?.locked ?? 0) + (figures?.deferred ?? 0) + (figures?.scheduled ?? 0), .heldBack, .perhaps)
    if left > 0 { found.append(finding(reading.kind == .error ? .errorReport : .unknown, left, .perhaps, needed)) }
    return found
  }
}
